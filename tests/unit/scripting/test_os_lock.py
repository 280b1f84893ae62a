"""The lock of a worker: what the kernel says about it, and what becomes of it when steps break."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.process import ROOT

from milobot.errors import ScriptError
from milobot.scripting.lock_levels import Level, LockReport, Step, read_report
from milobot.scripting.process import WORKER_PROGRAM, WorkerProcess
from milobot.scripting.protocol import LENGTHS, decode_header, decode_lengths

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the lock is made for Linux")

BROKEN_WORKER = str(ROOT / "tests" / "support" / "broken_worker.py")
START_S = 20.0
BUSY_PARENT = """
from tests.support.locked_python import LockedPython
intruder = LockedPython(is_bare=True)
print(intruder.process.pid, flush=True)
intruder.run("while True: pass", timeout_s=60)
"""
LANDLOCK, SECCOMP, ALARM = Step.LANDLOCK, Step.SECCOMP, Step.ALARM


@pytest.fixture(scope="module")
def worker() -> Iterator[WorkerProcess]:
    """Yield a worker as the bot starts it."""
    process = WorkerProcess(START_S)
    yield process
    process.end()


def test_worker_reports_full_lock(worker: WorkerProcess) -> None:
    """The machines that milobot is made for give every step."""
    assert worker.report.level is Level.FULL


def test_kernel_confirms_what_the_worker_says(worker: WorkerProcess) -> None:
    """The report is the worker's word; the kernel's own view from outside must agree."""
    lines = Path(f"/proc/{worker.pid}/status").read_text().splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)

    assert status["Seccomp"] == "2"
    assert status["Seccomp_filters"] == "2"
    assert status["NoNewPrivs"] == "1"
    assert status["Threads"] == "1"
    assert {int(status[f"Cap{kind}"], 16) for kind in ("Eff", "Prm", "Inh", "Amb")} == {0}
    assert "0" not in status["Uid"].split()


def test_kernel_shows_the_limits(worker: WorkerProcess) -> None:
    """Limits hold soft and hard, so that the worker cannot raise them."""
    limits = Path(f"/proc/{worker.pid}/limits").read_text().splitlines()
    found = {line[:26].strip(): line[26:].split()[:2] for line in limits}

    for name in ("Max processes", "Max open files", "Max core file size", "Max file size"):
        assert found[name] == ["0", "0"], name
    assert found["Max address space"] == ["1073741824", "1073741824"]


def test_descriptor_of_the_parent_is_closed() -> None:
    """A socket or file that slips through into the worker must not stay within its reach."""
    reading, writing = os.pipe()
    with _popen(pass_fds=(reading,)) as process:
        os.close(reading)
        report = _first_report(process)
        with pytest.raises(BrokenPipeError):
            os.write(writing, b"a secret")
    os.close(writing)

    assert report.level is Level.FULL


def test_worker_without_pipes_has_no_level() -> None:
    """A file or a terminal in their place could be read and written in other ways."""
    with _popen(stdin=subprocess.DEVNULL) as process:
        report = _first_report(process)

    assert report.failures == {Step.DESCRIPTORS: "a descriptor is no pipe"}


def test_busy_worker_dies_with_its_parent() -> None:
    """A script in an endless loop must not outlive a bot that was killed."""
    command = [sys.executable, "-c", BUSY_PARENT]
    with subprocess.Popen(command, cwd=ROOT, stdout=-1) as parent:  # noqa: S603 - our own code
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        time.sleep(0.1)  # until the endless loop has begun
        parent.kill()

    assert _is_gone_within(pid, 5.0)


@pytest.mark.parametrize(
    ("fault", "failed"),
    [
        ("threads=2", {Step.THREADS}),
        ("threads=raise", {Step.THREADS}),
        ("close_from=ignore", {Step.DESCRIPTORS}),
        ("close_from=raise", {Step.DESCRIPTORS}),
        ("set_limit.RLIMIT_AS=ignore", {Step.LIMITS}),
        ("set_limit.RLIMIT_AS=raise", {Step.LIMITS}),
        ("set_limit.RLIMIT_NPROC=ignore", {Step.LIMITS}),
        ("set_limit.RLIMIT_FSIZE=ignore", {Step.LIMITS}),
        ("leave_root=raise", {Step.PRIVILEGES}),
        ("named.capset=raise", {Step.PRIVILEGES}),
        ("named.capget=raise", {Step.PRIVILEGES}),
        ("capabilities=1", {Step.PRIVILEGES}),
        ("control.4=raise", {Step.NOT_DUMPABLE}),
        ("control.3=1", {Step.NOT_DUMPABLE}),
        ("control.1=ignore", {Step.DEATH_SIGNAL}),
        ("control.1=raise", {Step.DEATH_SIGNAL}),
        ("death_signal=raise", {Step.DEATH_SIGNAL}),
        ("set_limit.RLIMIT_NOFILE=ignore", {Step.NO_NEW_DESCRIPTORS}),
        ("set_limit.RLIMIT_NOFILE=raise", {Step.NO_NEW_DESCRIPTORS}),
        ("named.seccomp.1=permissive", {Step.SELF_TEST}),
    ],
)
def test_broken_step_leaves_no_level(fault: str, failed: set[Step]) -> None:
    """What every kernel can do must hold: an error and a silent nothing count the same."""
    report = _report(fault)

    assert set(report) == failed
    assert _level(fault) is Level.NONE


@pytest.mark.parametrize("fault", ["control.38=ignore", "control.38=raise", "control.39=ignore"])
def test_privileges_regained_by_exec_leave_no_level(fault: str) -> None:
    """Without no_new_privs the kernel refuses the other locks too, unless it only seems missing."""
    if fault == "control.38=ignore" and "NoNewPrivs:\t1" in Path("/proc/self/status").read_text():
        pytest.skip("a container has taken new privileges from this process already")

    assert Step.NO_NEW_PRIVILEGES in _report(fault)
    assert _level(fault) is Level.NONE


@pytest.mark.parametrize(
    ("fault", "failed"),
    [
        ("named.landlock_create_ruleset=raise", {LANDLOCK}),
        ("named.landlock_restrict_self=raise", {LANDLOCK}),
        ("named.landlock_restrict_self=ignore", {LANDLOCK}),
        ("named.seccomp.1=raise", {SECCOMP}),
        ("named.seccomp.1=ignore", {SECCOMP}),
        ("named.seccomp.1=7", {SECCOMP}),
        ("control.21=0", {SECCOMP}),
        ("named.seccomp.2=raise", {ALARM}),
        ("named.seccomp.2=ignore", {ALARM}),
    ],
)
def test_missing_kernel_lock_leaves_partial(fault: str, failed: set[Step]) -> None:
    """Old kernels and some containers lack one of the two: worth something, not everything."""
    assert set(_report(fault)) == failed
    assert _level(fault) is Level.PARTIAL


def test_both_kernel_locks_missing_leaves_no_level() -> None:
    """Limits alone let a script read files."""
    faults = ("named.landlock_restrict_self=raise", "named.seccomp.1=raise")

    assert {LANDLOCK, SECCOMP} <= set(_report(*faults))
    assert _level(*faults) is Level.NONE


def test_unknown_machine_leaves_no_level() -> None:
    """Numbers of system calls are never guessed."""
    assert {SECCOMP, ALARM, Step.PRIVILEGES} <= set(_report("machine=riscv64"))
    assert _level("machine=riscv64") is Level.NONE


def test_reason_of_a_failed_step_reaches_the_parent() -> None:
    """Whoever runs the bot must be able to find out what the machine lacks."""
    assert _report("named.landlock_create_ruleset=raise")[LANDLOCK] == "EPERM"
    assert _report("threads=2")[Step.THREADS] == "2 threads"


def test_worker_that_breaks_in_an_unforeseen_way_does_not_start() -> None:
    """An error that nobody thought of must not end in a worker that runs."""
    with pytest.raises(ScriptError, match="did not start"):
        WorkerProcess(START_S, (BROKEN_WORKER, "threads=crash"))


def _popen(
    stdin: int = subprocess.PIPE, pass_fds: tuple[int, ...] = ()
) -> "subprocess.Popen[bytes]":
    """Start a worker in another way than the bot does; its pipes are closed on leaving."""
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-I", *WORKER_PROGRAM],
        stdin=stdin,
        stdout=subprocess.PIPE,
        env={},
        cwd="/",
        pass_fds=pass_fds,
    )


def _first_report(process: "subprocess.Popen[bytes]") -> LockReport:
    assert process.stdout is not None
    header_length, _ = decode_lengths(process.stdout.read(LENGTHS.size))
    return read_report(decode_header(process.stdout.read(header_length)))


def _is_gone_within(pid: int, limit_s: float) -> bool:
    """Return whether a process ends in time; one that nobody has waited for counts as gone."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


_reports: dict[tuple[str, ...], WorkerProcess] = {}


def _report(*faults: str) -> dict[Step, str]:
    """Return the steps that fail in a real worker on a kernel with these faults."""
    return dict(_started(*faults).report.failures)


def _level(*faults: str) -> Level:
    return _started(*faults).report.level


def _started(*faults: str) -> WorkerProcess:
    if faults not in _reports:
        _reports[faults] = WorkerProcess(START_S, (BROKEN_WORKER, *faults))
        _reports[faults].end()
    return _reports[faults]
