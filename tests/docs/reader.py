"""Somebody who types what the manual says, in a folder as the manual supposes it."""

import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.docs.terminal import type_at_terminal
from tests.support.live_runs import free_port
from tests.support.process import (
    ROOT,
    STARTS,
    Ended,
    Started,
    child_environment,
    run_classic,
    run_milobot,
    start_milobot,
)
from tests.support.warm import can_be_warm

from milobot.local_exchange.setup import DEFAULT_KEY, DEFAULT_SECRET

PASSWORD = "a long password of a reader"  # noqa: S105 - opens files of tests
ANSWERS = {"API key": DEFAULT_KEY, "secret": DEFAULT_SECRET, "assword": PASSWORD, "again": PASSWORD}
"""What a reader enters at the terminal, by a part of the question."""
AT_TERMINAL = "milobot keys set"
"""Commands that begin so are typed at a terminal; others find the password in a file."""
READY = {
    "run": ('"event_type":"account_known"', "chart: "),
    "demo": ("chart: ",),
    "exchange": ("  control ",),
}
"""Programs that go on until Ctrl-C, and what each has said once it is ready."""
_SHELL_SIGNS = set("|><;&$`(")
_LIMIT_S = 60


def set_up(exchange: str) -> dict[str, str]:
    """Return how a reader's environment differs from everybody's: all that is changed is here.

    The exchanges are one on this machine, of which less is downloaded (it has a request budget, too);
    the metrics port is off, as two tests may run at once; and the file ``password`` answers where a
    program that starts unattended needs one.
    """
    return {
        "BINANCE_BASE_URL": exchange,
        "BINGX_BASE_URL": exchange,
        "METRICS_PORT": "0",
        "KEYS_PASSWORD_FILE": "password",
        "API_DELAY": "0.01",
        "DATA_LIMIT": "500",
        "KEY": DEFAULT_KEY,
        "SECRET": DEFAULT_SECRET,
    }


class Reader:
    """Types commands; what goes on until Ctrl-C stays until the next such thing, or the end.

    Attributes:
        said: Everything that programs which went on have said.
    """

    def __init__(self, folder: Path, exchange: str) -> None:
        """Sit down in a folder of a checkout, with an exchange to connect to."""
        self.folder = folder
        self.said = ""
        self._settings = set_up(exchange) | {"HOME": str(folder)}
        taken, self._port = free_port()
        taken.close()
        self._running: tuple[str, Started | subprocess.Popen[bytes], Path] | None = None
        for name in ("samples", "main.py", "tests", "src", "benchmarks"):
            (folder / name).symlink_to(ROOT / name)
        # A refusal must not pass for an answer; nothing may wait for ever.
        (folder / ".curlrc").write_text("fail-with-body\nsilent\nmax-time = 20\n")
        (folder / "password").write_text(PASSWORD)
        (folder / "password").chmod(0o600)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End what still goes on."""
        if kind is None:
            self.press_ctrl_c()
        elif self._running:
            self._running[1].kill()
            self._running[1].wait(20)

    def type(self, command: str) -> Ended:
        """Type a command and return how it ended, or what it had said once it was ready."""
        words, settings = _plain_words(command)
        if (service := _service_of(words)) is not None:
            self.press_ctrl_c()
            return self._start(service, command)
        typed = self.substituted(command)
        if typed.startswith(AT_TERMINAL):
            environment = self._shell_environment()
            del environment["KEYS_PASSWORD_FILE"]
            return type_at_terminal(typed, ANSWERS, cwd=self.folder, environment=environment)
        if words and words[0] == "milobot":
            return run_milobot(*words[1:], cwd=self.folder, **self._settings, **settings)
        if words and words[:2] == ["python3", "main.py"]:
            return run_classic(*words[2:], cwd=self.folder, **self._settings, **settings)
        return self._in_a_shell(typed)

    def substituted(self, command: str) -> str:
        """Return a command with what differs here: port, the proxy's address, Python's folder."""
        return (
            command.replace("localhost:8080", f"localhost:{self._port}")
            .replace("https://bot.example.com", f"http://localhost:{self._port}")
            .replace(".venv/bin/python", "python")
        )

    def press_ctrl_c(self) -> None:
        """End what goes on, which must end in order."""
        if self._running is None:
            return
        (command, process, log), self._running = self._running, None
        process.send_signal(signal.SIGINT)
        try:
            code = process.wait(30)
        finally:
            process.kill()
            self.said += log.read_text(encoding="utf-8")
        assert code == 0, f"{command}: ended with {code}: {self.said[-2000:]}"

    def _start(self, service: str, command: str) -> Ended:
        typed = f"{self.substituted(command).replace(' --port 8900', '')}"
        if service != "exchange":
            typed += f" --port {self._port}"
        log = self.folder / f"said-{time.monotonic_ns()}.log"
        process = self._launch(typed, log)
        self._running = (command, process, log)
        end = time.monotonic() + _LIMIT_S
        while not all(text in log.read_text(encoding="utf-8") for text in READY[service]):
            assert process.poll() is None, f"{command}: ended early: {log.read_text()[-2000:]}"
            assert time.monotonic() < end, f"{command}: not ready: {log.read_text()[-2000:]}"
            time.sleep(0.05)
        if service != "exchange":
            self._await_page("/ready" if service == "run" else "/", end)
        return Ended(0, log.read_text(encoding="utf-8"), "")

    def _await_page(self, path: str, end: float) -> None:
        """Open a page until it is there; ``/ready`` says 503 until all parts are."""
        while True:
            with suppress(urllib.error.HTTPError):
                address = f"http://localhost:{self._port}{path}"
                with urllib.request.urlopen(address, timeout=10):
                    return
            assert time.monotonic() < end, f"{path}: not within {_LIMIT_S} s"
            time.sleep(0.1)

    def _launch(self, typed: str, log: Path) -> Started | subprocess.Popen[bytes]:
        words, settings = _plain_words(typed)
        with log.open("wb") as out:
            if words[0] == "milobot":
                more = {**self._settings, **settings}
                return start_milobot(*words[1:], cwd=self.folder, stdout=out, stderr=out, **more)
            environment = self._shell_environment()
            if can_be_warm(settings):
                program = [str(ROOT / "main.py"), *words[2:]]
                with Path(os.devnull).open("rb") as nothing:
                    streams = nothing, out, out
                    return STARTS.start(program, self.folder, environment | settings, streams)
            return subprocess.Popen(  # noqa: S603 - what the manual says
                ["bash", "-c", f"exec {typed}"],  # noqa: S607 - the reader's shell
                cwd=self.folder,
                env=environment,
                stdout=out,
                stderr=out,
            )

    def _in_a_shell(self, typed: str) -> Ended:
        done = subprocess.run(  # noqa: S603 - what the manual says, in a folder of the test
            ["bash", "-e", "-o", "pipefail", "-c", typed],  # noqa: S607 - the reader's shell
            cwd=self.folder,
            env=self._shell_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def _shell_environment(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return child_environment(**self._settings, PYTHONUNBUFFERED="1") | {"PATH": path}


def _plain_words(command: str) -> tuple[list[str], dict[str, str]]:
    """Return a command's words and the variables before them; nothing where it needs a shell."""
    with suppress(ValueError):
        words = shlex.split(command)
        outside = "".join(part for n, part in enumerate(command.split("'")) if n % 2 == 0)
        outside = "".join(part for n, part in enumerate(outside.split('"')) if n % 2 == 0)
        if not _SHELL_SIGNS & set(outside):
            settings: dict[str, str] = {}
            while words and "=" in words[0]:
                name, _, value = words.pop(0).partition("=")
                settings[name] = value
            return words, settings
    return [], {}


def _service_of(words: list[str]) -> str | None:
    if "--help" in words or "--exit" in words:
        return None
    if words[:1] == ["milobot"] and words[1:2] and words[1] in READY:
        return words[1]
    return "run" if "main.py" in words and "--loop" in words else None
