"""System call filters of a worker, as programs for the kernel's classic BPF machine.

Two filters stack, and the kernel takes the stricter answer. The first allows
what numeric Python needs and refuses the rest with EPERM, so the self-test can
try even fork and socket. The second ends the process, with SIGSYS, for calls
that no calculation makes: an alarm that somebody tries to get out.

Only low words of arguments are compared: the kernel itself takes descriptors,
futex operations and the other compared arguments as 32 bits, and the protection
flags lie there. Both machines are little-endian.
"""

import errno
import struct
from dataclasses import dataclass

from milobot.scripting.syscalls import ALARMING, ALLOWED, AUDIT_ARCHITECTURES, NUMBERS

ALLOW = 0x7FFF0000
KILL_PROCESS = 0x80000000
REFUSE = 0x00050000 | errno.EPERM
SET_FILTER = 1
"""SECCOMP_SET_MODE_FILTER."""
ALL_THREADS = 1
"""SECCOMP_FILTER_FLAG_TSYNC: without it other threads would stay free."""

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # linux/bpf_common.h
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16  # struct seccomp_data
_FIRST_X32 = 0x40000000
_PROT_EXEC = 4

_STDIN, _STDOUT = 0, 1
_ITIMER_REAL = 0
# FUTEX_WAIT, WAKE, WAIT_BITSET, WAKE_BITSET, each also private, and the clock's flag for waits:
# what locks are made of; requeueing and priority inheritance have a history of holes.
_FUTEX_OPERATIONS = (0, 1, 9, 10, 128, 129, 137, 138, 265, 393)
# MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE: what allocators use.
_MADVICE = (4, 8, 14)
# PR_GET_DUMPABLE, PR_GET_SECCOMP, PR_GET_NO_NEW_PRIVS
_CONTROLS = (3, 21, 39)

Instruction = tuple[int, int, int, int]
"""Code, jump if true, jump if false, operand."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What an argument's low word must be.

    Attributes:
        argument: Its position, from 0.
        values: The values it may have; empty when only bits matter.
        no_bits: Bits that must not be set.
    """

    argument: int
    values: tuple[int, ...] = ()
    no_bits: int = 0


CONDITIONS = {
    "read": Condition(0, (_STDIN,)),
    "write": Condition(0, (_STDOUT,)),
    "mmap": Condition(2, no_bits=_PROT_EXEC),
    "mprotect": Condition(2, no_bits=_PROT_EXEC),
    "madvise": Condition(2, _MADVICE),
    "futex": Condition(1, _FUTEX_OPERATIONS),
    "setitimer": Condition(0, (_ITIMER_REAL,)),
    "prctl": Condition(0, _CONTROLS),
}
"""Conditions on allowed calls; a call without one is allowed as it is."""


def allowing_filter(machine: str) -> list[Instruction]:
    """Return the filter that refuses everything but what numeric Python needs.

    It still allows ``seccomp`` itself, for the second filter, which ends that.

    Raises:
        KeyError: There is no table for this machine.
    """
    numbers = NUMBERS[machine]
    program = _prologue(machine)
    for name in ALLOWED:
        program += _case(numbers[name], _verdict(CONDITIONS.get(name)))
    program += _case(numbers["seccomp"], [_return(ALLOW)])
    return [*program, _return(REFUSE)]


def alarm_filter(machine: str) -> list[Instruction]:
    """Return the filter that ends the process for calls that only an intruder makes.

    Raises:
        KeyError: There is no table for this machine.
    """
    numbers = NUMBERS[machine]
    program = _prologue(machine)
    for name in ALARMING:
        if name in numbers:
            program += _case(numbers[name], [_return(KILL_PROCESS)])
    program += _case(numbers["seccomp"], [_return(REFUSE)])
    return [*program, _return(ALLOW)]


def assemble(program: list[Instruction]) -> bytes:
    """Return a program as the kernel's array of ``struct sock_filter``."""
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _prologue(machine: str) -> list[Instruction]:
    """Return what ends the process for calls by another table of numbers, and loads the number."""
    return [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_EQUAL, 1, 0, AUDIT_ARCHITECTURES[machine]),
        _return(KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_AT_LEAST, 0, 1, _FIRST_X32),
        _return(KILL_PROCESS),
    ]


def _case(number: int, body: list[Instruction]) -> list[Instruction]:
    return [(_EQUAL, 0, len(body), number), *body]


def _verdict(condition: Condition | None) -> list[Instruction]:
    if condition is None:
        return [_return(ALLOW)]
    body: list[Instruction] = [(_LOAD, 0, 0, _ARGUMENTS_AT + 8 * condition.argument)]
    if condition.no_bits:
        return [*body, (_ANY_BIT, 0, 1, condition.no_bits), _return(REFUSE), _return(ALLOW)]
    for value in condition.values:
        body += [(_EQUAL, 0, 1, value), _return(ALLOW)]
    return [*body, _return(REFUSE)]


def _return(answer: int) -> Instruction:
    return (_RETURN, 0, 0, answer)
