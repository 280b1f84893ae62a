"""Scripts on machines that can isolate them, and on machines that cannot."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.candle_files import candle_rows, write_rows
from tests.support.process import ROOT, Ended, child_environment, run_milobot

from milobot.errors import ConfigurationError, ScriptForbiddenError
from milobot.scripting.client import ScriptWorker
from milobot.scripting.lock_levels import Level, Purpose, Trust

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the lock is made for Linux")

SUPPORT = ROOT / "tests" / "support"
SAMPLE = ROOT / "samples" / "macd_crossover.script"
LANDLOCK, SECCOMP = "landlock_create_ruleset", "seccomp"


@pytest.fixture
def candles(tmp_path: Path) -> Path:
    """Return a file of candles."""
    return write_rows(tmp_path / "BTCUSDT-1h.csv", candle_rows(1000))


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """Return a script that did not come with milobot."""
    path = tmp_path / "stranger.script"
    path.write_bytes(SAMPLE.read_bytes())
    return path


def evaluate_without(missing: str, *words: str | Path, cwd: Path) -> Ended:
    """Run ``milobot evaluate WORDS`` on a kernel without the system calls named."""
    command = [sys.executable, str(SUPPORT / "older_kernel.py"), missing]
    done = subprocess.run(  # noqa: S603 - our own program and the test's own words
        [*command, sys.executable, "-m", "milobot", "evaluate", *map(str, words)],
        cwd=cwd,
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def test_any_script_runs_where_it_is_isolated(
    tmp_path: Path, candles: Path, stranger: Path
) -> None:
    """On an ordinary Linux nobody has to vouch for a script."""
    ended = run_milobot("evaluate", stranger, "--data", candles, cwd=tmp_path)

    assert (ended.code, ended.err) == (0, "")
    assert "decision:" in ended.out


@pytest.mark.parametrize(
    ("missing", "level"),
    [
        (LANDLOCK, "partial (landlock: ENOSYS)"),
        (SECCOMP, "partial (seccomp: ENOSYS, alarm: ENOSYS)"),
        (f"{LANDLOCK},{SECCOMP}", "none (landlock: ENOSYS, seccomp: ENOSYS"),
    ],
)
def test_unknown_script_is_refused_where_it_is_not(
    tmp_path: Path, candles: Path, stranger: Path, missing: str, level: str
) -> None:
    """The user learns in one sentence what is missing and which flag accepts it."""
    ended = evaluate_without(missing, stranger, "--data", candles, cwd=tmp_path)

    assert ended.code == 2
    assert level in ended.err
    assert "--trust-script" in ended.err
    assert "Traceback" not in ended.err
    assert ended.out == ""


@pytest.mark.parametrize("missing", [LANDLOCK, f"{LANDLOCK},{SECCOMP}"])
def test_trusted_and_bundled_scripts_run_there(
    tmp_path: Path, candles: Path, stranger: Path, missing: str
) -> None:
    """Back-tests stay possible in restricted containers and on old kernels."""
    trusted = evaluate_without(missing, stranger, "--data", candles, "--trust-script", cwd=tmp_path)
    bundled = evaluate_without(missing, SAMPLE, "--data", candles, cwd=tmp_path)

    assert trusted.code == bundled.code == 0
    assert trusted.out == bundled.out


@pytest.mark.parametrize(
    "fault",
    [
        "threads=2",
        "close_from=ignore",
        "set_limit.RLIMIT_AS=ignore",
        "capabilities=1",
        "control.38=ignore",
        "control.4=raise",
        "control.1=ignore",
        "named.landlock_restrict_self=ignore",
        "set_limit.RLIMIT_NOFILE=ignore",
        "named.seccomp.1=ignore",
        "named.seccomp.1=permissive",
        "named.seccomp.2=ignore",
    ],
)
def test_live_trading_refuses_a_lock_with_any_step_broken(fault: str) -> None:
    """Beside real keys neither a bundled nor a trusted script may run in a weaker worker."""
    trust = Trust(Purpose.LIVE, is_bundled=True, is_trusted=True)
    program = (str(SUPPORT / "broken_worker.py"), fault)

    with ScriptWorker(trust, program=program) as worker:
        with pytest.raises(ConfigurationError, match="live trading needs level full"):
            worker.load(SAMPLE.read_text())
        assert worker.lock_level is None


def test_level_is_visible_beside_the_script() -> None:
    """What runs must be able to say how well it is locked in."""
    with ScriptWorker() as worker:
        assert worker.lock_level is None
        worker.load(SAMPLE.read_text())
        assert worker.lock_level is Level.FULL


def test_script_that_breaks_out_is_stopped_and_named() -> None:
    """An alarm is no ordinary failure: whoever runs the script must hear of it."""
    program = (str(SUPPORT / "escaping_worker.py"),)

    with (
        ScriptWorker(program=program) as worker,
        pytest.raises(ScriptForbiddenError, match="tried to leave its sandbox"),
    ):
        worker.load(SAMPLE.read_text())
