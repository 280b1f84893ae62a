"""Attempts to leave a locked worker, with every tool at hand and no language in the way."""

import errno
import platform
from collections.abc import Iterator

import pytest
from tests.support.intrusions import (
    ADDRESSES,
    ALARMING,
    ALARMING_PYTHON,
    PYTHON,
    REFUSED,
    Call,
)
from tests.support.locked_python import End, LockedPython

needs_numbers = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="the list of attempts holds the numbers of x86-64"
)


@pytest.fixture(scope="module")
def intruder() -> Iterator[LockedPython]:
    """Yield a locked process with NumPy, TA-Lib and the bot's modules loaded."""
    with LockedPython() as process:
        yield process


@pytest.fixture(scope="module")
def bare_intruder() -> Iterator[LockedPython]:
    """Yield a locked process that starts fast, for attempts that end it."""
    with LockedPython(is_bare=True) as process:
        yield process


@needs_numbers
@pytest.mark.parametrize("call", REFUSED, ids=lambda call: call[0])
def test_raw_call_is_refused_by_the_filter(bare_intruder: LockedPython, call: Call) -> None:
    """EPERM, and no other error: another one would mean that the kernel had looked into it."""
    _, number, arguments = call

    outcome = bare_intruder.run(f"{ADDRESSES}result = raw({number}, {arguments})")

    assert (outcome.end, outcome.error_number) == (End.RAISED, errno.EPERM), outcome


@needs_numbers
@pytest.mark.parametrize("call", ALARMING, ids=lambda call: call[0])
def test_raw_call_ends_the_process(bare_intruder: LockedPython, call: Call) -> None:
    """Programs, processes, network and kernel code are beyond any calculation."""
    _, number, arguments = call

    outcome = bare_intruder.run(f"{ADDRESSES}result = raw({number}, {arguments})")

    assert outcome.end is End.ALARM, outcome


@pytest.mark.parametrize("code", PYTHON)
def test_python_gets_nowhere(intruder: LockedPython, code: str) -> None:
    """What Python and NumPy offer for it fails as well, with an ordinary exception."""
    outcome = intruder.run(f"result = {code}")

    assert outcome.end is End.RAISED, outcome


@pytest.mark.parametrize("code", ALARMING_PYTHON)
def test_python_ends_its_process(bare_intruder: LockedPython, code: str) -> None:
    """Starting programs, processes, threads and connections raises the alarm."""
    outcome = bare_intruder.run(f"result = {code}")

    assert outcome.end is End.ALARM, outcome


def test_process_holds_nothing_of_the_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable and no argument of the bot is there to be read."""
    monkeypatch.setenv("BINANCE_SECRET_KEY", "a secret of the bot")
    with LockedPython() as process:
        found = process.run("result = [*os.environ, *sys.argv[1:]]")

    assert set(found.text.strip("[]").replace("'", "").split(", ")) <= {
        "LC_CTYPE",
        "OPENBLAS_NUM_THREADS",
        "OMP_NUM_THREADS",
    }


@pytest.mark.parametrize(
    ("code", "result"),
    [
        ("result = float(np.sort(np.arange(300_000.0)[::-1]).sum())", "44999850000.0"),
        ("result = float((np.eye(200) @ np.eye(200)).sum())", "200.0"),
        ("result = float(np.linalg.inv(np.eye(50)).sum())", "50.0"),
        ("result = float(talib.SMA(np.arange(9.0), 3)[-1])", "7.0"),
        ("result = len([bytearray(100_000) for _ in range(1000)])", "1000"),
        ("result = f'{1234.5:,.2f} {2.5:n}'", "'1,234.50 2.5'"),
        ("result = '\\N{BULLET}'", "'\u2022'"),
    ],
)
def test_calculation_works_as_ever(intruder: LockedPython, code: str, result: str) -> None:
    """A lock that breaks honest scripts would soon be switched off."""
    outcome = intruder.run(code)

    assert (outcome.end, outcome.text) == (End.RETURNED, result)


def test_memory_is_bounded(intruder: LockedPython) -> None:
    """A greedy script gets a MemoryError, the machine keeps its memory."""
    outcome = intruder.run("np.ones(150_000_000)")

    assert outcome.end is End.RAISED
    assert "MemoryError" in outcome.text


def test_process_that_writes_to_its_pipe_is_no_crash_of_ours(intruder: LockedPython) -> None:
    """An intruder can say what it likes; the parent takes it for what it is."""
    outcome = intruder.run("os.write(1, b'\\xff' * 64)")

    assert outcome.end is End.GARBLED
