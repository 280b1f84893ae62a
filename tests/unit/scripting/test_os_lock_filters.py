"""The system call filters as data, run in a model of the kernel's machine for both processors.

The expectations are written down here a second time, by number, from the kernel's tables.
"""

import platform
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.bpf import check_program, disassemble, run_filter

from milobot.scripting.landlock import attributes
from milobot.scripting.seccomp import (
    ALLOW,
    KILL_PROCESS,
    REFUSE,
    alarm_filter,
    allowing_filter,
    assemble,
)
from milobot.scripting.syscalls import NUMBERS

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
I386, ARM, RISCV64 = 0x40000003, 0x40000028, 0xC00000F3
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
# Numbers whose answer does not depend on arguments.
ALLOWED = {
    "x86_64": {11, 12, 13, 14, 15, 24, 25, 60, 96, 219, 228, 231, 317},
    "aarch64": {93, 94, 113, 124, 128, 134, 135, 139, 169, 214, 215, 216, 277},
}
# read, write, mmap, mprotect, madvise, futex, setitimer, prctl
CONDITIONAL = {
    "x86_64": (0, 1, 9, 10, 28, 202, 38, 157),
    "aarch64": (63, 64, 222, 226, 233, 98, 103, 167),
}
MACHINES = pytest.mark.parametrize("machine", ["x86_64", "aarch64"])


def answer(machine: str, number: int, *arguments: int, architecture: int | None = None) -> int:
    """Return what both filters together answer: the kernel takes the stricter of the two."""
    where = ARCHITECTURES[machine] if architecture is None else architecture
    answers = {
        run_filter(build(machine), architecture=where, number=number, arguments=arguments)
        for build in (allowing_filter, alarm_filter)
    }
    return next(each for each in (KILL_PROCESS, REFUSE, ALLOW) if each in answers)


@MACHINES
def test_programs_are_what_the_kernel_takes(machine: str) -> None:
    """Jumps stay inside, every path ends in an answer, and the bytes say the same."""
    for program in (allowing_filter(machine), alarm_filter(machine)):
        check_program(program)
        assert disassemble(assemble(program)) == program


@MACHINES
def test_every_number_is_refused_unless_listed(machine: str) -> None:
    """Calls that come with a newer kernel are refused before anybody has heard of them."""
    for number in range(2048):
        verdict = answer(machine, number)
        if number in ALLOWED[machine] - {NUMBERS[machine]["seccomp"]}:
            assert verdict == ALLOW, number
        elif number not in CONDITIONAL[machine]:
            assert verdict in {REFUSE, KILL_PROCESS}, number


@MACHINES
def test_alarm_is_raised_for_its_list_only(machine: str) -> None:
    """EPERM lets honest code go on; death is for programs, processes, network and the kernel."""
    killed = {number for number in range(2048) if answer(machine, number) == KILL_PROCESS}

    names = {name for name, number in NUMBERS[machine].items() if number in killed}
    assert {"execve", "execveat", "clone", "clone3", "socket", "connect", "ptrace"} < names
    assert {"process_vm_readv", "kill", "bpf", "io_uring_setup", "mount", "unshare"} < names
    assert len(names) == len(killed)


@MACHINES
def test_second_filter_ends_the_loading_of_filters(machine: str) -> None:
    """Only the lock itself may add the alarm; nobody after it adds anything."""
    number = NUMBERS[machine]["seccomp"]

    first = run_filter(allowing_filter(machine), architecture=ARCHITECTURES[machine], number=number)

    assert first == ALLOW
    assert answer(machine, number, 1, 0) == REFUSE


@MACHINES
@pytest.mark.parametrize("architecture", [I386, ARM, RISCV64, 0])
def test_other_architectures_end_the_process(machine: str, architecture: int) -> None:
    """The same number means another call in the 32-bit table: reading would become forking."""
    for number in range(500):
        assert answer(machine, number, architecture=architecture) == KILL_PROCESS


@MACHINES
@pytest.mark.parametrize("number", [0x40000000, 0x40000001, 0x40000208, 0x7FFFFFFF, -1])
def test_x32_numbers_end_the_process(machine: str, number: int) -> None:
    """The x32 table reaches the same calls under the same architecture's name."""
    assert answer(machine, number) == KILL_PROCESS


@MACHINES
@given(descriptor=st.integers(0, 2**64 - 1))
def test_only_the_two_pipes_are_read_and_written(machine: str, descriptor: int) -> None:
    """The kernel takes descriptors as 32 bits, so the upper half says nothing."""
    read, write = CONDITIONAL[machine][:2]
    low = descriptor & 0xFFFFFFFF

    assert (answer(machine, read, descriptor) == ALLOW) == (low == 0)
    assert (answer(machine, write, descriptor) == ALLOW) == (low == 1)


@MACHINES
def test_the_two_pipes_are_open_in_one_direction(machine: str) -> None:
    """The property above hardly ever draws these two."""
    read, write = CONDITIONAL[machine][:2]

    assert answer(machine, read, 0) == answer(machine, write, 1) == ALLOW
    assert answer(machine, read, 1) == answer(machine, write, 0) == REFUSE
    assert answer(machine, write, 2) == REFUSE


@MACHINES
@given(flags=st.integers(0, 2**64 - 1))
def test_memory_never_becomes_executable(machine: str, flags: int) -> None:
    """Without new code in memory an intruder has only what Python and its libraries hold."""
    mmap, mprotect = CONDITIONAL[machine][2:4]
    expected = REFUSE if flags & 4 else ALLOW

    assert answer(machine, mmap, 0, 4096, flags, 0x22) == expected
    assert answer(machine, mprotect, 0, 4096, flags) == expected


@MACHINES
@pytest.mark.parametrize(
    ("position", "argument", "allowed"),
    [
        (4, 2, {4, 8, 14}),
        (5, 1, {0, 1, 9, 10, 128, 129, 137, 138, 265, 393}),
        (6, 0, {0}),
        (7, 0, {3, 21, 39}),
    ],
    ids=["madvise", "futex", "setitimer", "prctl"],
)
def test_arguments_are_limited_to_what_is_needed(
    machine: str, position: int, argument: int, allowed: set[int]
) -> None:
    """Rare operations of common calls are where kernels had their holes."""
    number = CONDITIONAL[machine][position]

    found = {
        value for value in range(1024) if answer(machine, number, *([0] * argument), value) == ALLOW
    }

    assert found == allowed


@MACHINES
def test_numbers_are_those_of_the_kernel_headers(machine: str) -> None:
    """A wrong number would let another call through on the machine nobody tested."""
    if not HEADERS[machine].is_file():
        pytest.skip("the kernel's headers are not installed (package linux-libc-dev)")
    text = HEADERS[machine].read_text()
    headers = {
        name: int(number)
        for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)
    }

    known: Mapping[str, int] = NUMBERS[machine]

    assert {name: headers.get(name) for name in known} == dict(known)


def test_tables_differ_only_where_the_machines_do() -> None:
    """A call left out of one table would be an alarm that never sounds there."""
    missing = set(NUMBERS["x86_64"]) - set(NUMBERS["aarch64"])

    assert missing == {"fork", "vfork"}
    assert set(NUMBERS["aarch64"]) < set(NUMBERS["x86_64"])


def test_this_machine_has_a_table() -> None:
    """Elsewhere the level is none, which must not pass unseen in a test run."""
    if platform.machine() not in NUMBERS:
        pytest.skip(f"no table of system calls for {platform.machine()}")
    assert allowing_filter(platform.machine())


@pytest.mark.parametrize(
    ("version", "files", "net", "scopes"),
    [
        (1, 0x1FFF, 0, 0),
        (2, 0x3FFF, 0, 0),
        (3, 0x7FFF, 0, 0),
        (4, 0x7FFF, 3, 0),
        (5, 0xFFFF, 3, 0),
        (6, 0xFFFF, 3, 3),
        (99, 0xFFFF, 3, 3),
    ],
)
def test_landlock_denies_all_that_its_version_knows(
    version: int, files: int, net: int, scopes: int
) -> None:
    """A kind that is not named stays allowed; one that the kernel does not know is an error."""
    words = attributes(version)

    assert words == b"".join(word.to_bytes(8, "little") for word in (files, net, scopes))
