"""The kernel's classic BPF machine, as far as system call filters use it.

Rules: Documentation/networking/filter.rst and kernel/seccomp.c of Linux.
"""

import struct
from collections.abc import Sequence

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_MOST_INSTRUCTIONS = 4096

Program = Sequence[tuple[int, int, int, int]]


def disassemble(content: bytes) -> list[tuple[int, int, int, int]]:
    """Return the instructions in the kernel's array of ``struct sock_filter``."""
    return list(struct.iter_unpack("=HBBI", content))


def run_filter(
    program: Program, *, architecture: int, number: int, arguments: Sequence[int] = ()
) -> int:
    """Return a filter's answer to a system call."""
    words = [*arguments, *([0] * (6 - len(arguments)))]
    data = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, architecture, 0, *words)
    position, accumulator = 0, 0
    while True:
        code, if_true, if_false, operand = program[position]
        position += 1
        if code == _RETURN:
            return operand
        if code == _LOAD:
            accumulator = struct.unpack_from("<I", data, operand)[0]
            continue
        tests = {
            _EQUAL: accumulator == operand,
            _AT_LEAST: accumulator >= operand,
            _ANY_BIT: bool(accumulator & operand),
        }
        position += if_true if tests[code] else if_false


def check_program(program: Program) -> None:
    """Assert what the kernel demands of a program before it takes it."""
    assert 0 < len(program) <= _MOST_INSTRUCTIONS
    assert program[-1][0] == _RETURN
    for position, (code, if_true, if_false, operand) in enumerate(program):
        assert code in {_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN}
        if code == _LOAD:
            assert operand % 4 == 0
            assert operand <= 60
        if code != _RETURN:
            assert position + 1 + max(if_true, if_false) < len(program)
