"""Follow README from nothing: a fresh clone, ``make demo``, the first strategy; run by ``make prove-docs``.

    python -m tests.docs.from_zero

Needs git and the package registry that pip uses; a minute or two. What is changed of README's words
is the port of the demo, and that of all tests a file is run.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from tests.docs.elsewhere import FROM_ZERO
from tests.docs.pages import commands_of, first_block
from tests.support.live_runs import free_port
from tests.support.process import ROOT, child_environment

_LIMIT_S = 600
_SMALL = "tests/unit/test_house.py"
_STRATEGY = ("milobot data generate", "milobot backtest first.script")


def main() -> int:
    """Do it and say what was done; return the exit code."""
    commands = commands_of("README.md")
    missing = [command for command in FROM_ZERO if command not in commands]
    if missing:
        _say(f"README does not show {missing} any more")
        return 1
    demo, tests, activate = FROM_ZERO
    strategy = [c for c in commands if c.startswith(_STRATEGY)]
    with tempfile.TemporaryDirectory() as scratch:
        clone = Path(scratch, "milobot")
        _run("git", "clone", "--quiet", str(ROOT), str(clone), cwd=Path(scratch))
        _watch_demo(demo, clone)
        (clone / "first.script").write_text(first_block("README.md", "python"), encoding="utf-8")
        _shell(" && ".join([activate, *strategy]), clone)
        _shell(f'{tests} ARGS="{_SMALL}"', clone)
    _say("README works from a fresh clone")
    return 0


def _watch_demo(command: str, clone: Path) -> None:
    """Install and start the demo, open its page, and end it with Ctrl-C."""
    taken, port = free_port()
    taken.close()
    words = ["bash", "-c", f'exec {command} ARGS="--port {port}"']
    _say(f"$ {command}")
    # A group of its own: Ctrl-C goes to make and to what make has started, as at a terminal.
    process = subprocess.Popen(words, cwd=clone, env=_environment(), start_new_session=True)  # noqa: S603 - README's words
    try:
        end = time.monotonic() + _LIMIT_S
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"{command}: no page")
            time.sleep(0.5)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://localhost:{port}/", timeout=5) as page:
            return bool(page.status == 200)
    except OSError:
        return False


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _shell(command: str, clone: Path) -> None:
    _say(f"$ {command}")
    _run("bash", "-e", "-c", command, cwd=clone)


def _run(*words: str, cwd: Path) -> None:
    subprocess.run(words, cwd=cwd, env=_environment(), check=True, timeout=_LIMIT_S)  # noqa: S603 - README's words


def _environment() -> dict[str, str]:
    """Return a newcomer's environment, with what pip needs to find its registry."""
    passed_on = {k: v for k, v in os.environ.items() if k.startswith(("PIP_", "HOME", "SSL_"))}
    passed_on |= {k: v for k, v in os.environ.items() if k.lower().endswith("_proxy")}
    return child_environment(**passed_on)


if __name__ == "__main__":
    sys.exit(main())
