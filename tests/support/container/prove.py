"""Builds and runs the image without an engine: ``make prove-image``, as root, on Linux.

Words behind it (``ARGS="tests/unit -n 2"``) are what pytest runs in the target ``dev``.

The Dockerfile's own instructions are carried out in rooms (``rooms.py``). Then the last stage is
run as an orchestrator would run it: as its user, on a root that is read-only, with nothing
writable but the data folder and the temporary one. What is not proven here: that the base images
are what they are taken for (this machine's Debian stands in), and the engine's own work.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import yaml
from tests.support.container.build import Build, Made
from tests.support.container.context import send_context
from tests.support.container.dockerfile import needed, read_stages
from tests.support.container.rooms import NOBODY_IN_PARTICULAR, Room, mount
from tests.support.own_postgres import free_port, own_server
from tests.support.process import ROOT

from milobot.local_exchange.setup import DEFAULT_KEY, DEFAULT_SECRET

SOME_TESTS = ("tests/unit/domain", "tests/unit/test_settings.py", "tests/unit/test_web_settings.py")
_INSIDE = "MILOBOT_PROVES_ITS_IMAGE"
_BOT = "http://127.0.0.1:8080"
_SIGNAL = b'{"message": "BUY BTCUSDT 0.001", "metadata": {"source": "test"}}'


def main() -> None:
    """Go into namespaces of our own, and prove the image there."""
    folder = os.environ.get(_INSIDE)
    if folder:
        # In memory: layers may not lie on the file system that they are laid over. What is
        # mounted ends with the namespace, before the folder below it is removed.
        mount("-t", "tmpfs", "rooms", folder)
        with ExitStack() as stack:
            prove(Path(folder), stack)
        return
    if os.geteuid() != 0:
        sys.exit("make prove-image needs root: it mounts folders over folders")
    inside = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    words = [*inside, sys.executable, "-m", "tests.support.container.prove", *sys.argv[1:]]
    empty = tempfile.mkdtemp()
    env = {**os.environ, _INSIDE: empty}
    done = subprocess.run(words, env=env, cwd=ROOT, check=False)  # noqa: S603 - our own words
    Path(empty).rmdir()  # and nothing below it: what was mounted there is this machine's
    sys.exit(done.returncode)


def prove(folder: Path, stack: ExitStack) -> None:
    """Build both targets, run both."""
    stages = read_stages(ROOT / "Dockerfile")
    context = folder / "context"
    say(f"context: {send_context(ROOT, context)} files")
    build = Build(folder / "rooms", context, ROOT.parent)
    names = dict.fromkeys(s.name for t in ("final", "dev") for s in needed(stages, t))
    for name in names:
        began = time.monotonic()
        build.add(stages[name])
        say(f"stage {name}: built in {time.monotonic() - began:.0f} s")
    develops(build.made["dev"], stack)
    runs_read_only(build, build.made["final"], stack)
    say("the image's steps hold")


def runs_read_only(build: Build, made: Made, stack: ExitStack) -> None:
    """Run the last stage on the local exchange, and hold it to what a cluster demands."""
    room = build.enter("running", made.layers, is_writable=False)
    room.empty("data", mode="0700", owner=NOBODY_IN_PARTICULAR)
    refuses(room, made, ["touch", "/opt/milobot/there", "/usr/there", "/etc/there"])
    room.run(["alembic", "upgrade", "head"], cwd=made.cwd, env=made.env, user=made.user)
    say("alembic upgrade head: done")
    url = stack.enter_context(exchange())
    env = {
        **made.env,
        "API_OPEN": "true",
        "TRADING_ENABLED": "true",
        "BINGX_BASE_URL": url,
        "BINGX_API_KEY": DEFAULT_KEY,
        "BINGX_SECRET_KEY": DEFAULT_SECRET,
    }
    with running(room, made, env) as bot:
        until(lambda: is_healthy(room, made), "the health check")
        say(f"health check holds; {identity(bot.pid)}")
        until(lambda: accepted(_SIGNAL), "the signal is taken")
        until(lambda: signal_state() in {"open", "done"}, "the order is filled")
        say(f"BUY BTCUSDT 0.001: {signal_state()}")
        until(lambda: b"orders_total{" in body_of("http://127.0.0.1:9090/metrics"), "metrics")
        until(lambda: body_of(f"{_BOT}/ready") != b"", "readiness")
        say("/ready on 8080, metrics on 9090")
        room.run(["milobot", "doctor", "--offline"], cwd=made.cwd, env=env, user=made.user)
    with running(room, made, {**made.env, "API_OPEN": "true", "BINGX_BASE_URL": url}):
        until(lambda: is_healthy(room, made), "health without keys, trading off")
        until(lambda: accepted(_SIGNAL, key="paper"), "the signal is taken on paper")
        until(lambda: signal_state() in {"open", "done"}, "the paper order is filled")
        say(f"without keys, trading off: healthy, BUY BTCUSDT 0.001 on paper: {signal_state()}")


def develops(made: Made, stack: ExitStack) -> None:
    """Do in the target of docker-compose what the documentation says."""
    server = stack.enter_context(own_server())
    given = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["bot"]
    env = {**made.env, **given["environment"], "DATABASE_URL": server.url}
    commands = (
        ["alembic", "upgrade", "head"],
        ["bash", "-c", "milobot version"],
        ["pytest", "-q", "--cov=src", "--cov-report=html", *(sys.argv[1:] or SOME_TESTS)],
        ["test", "-f", "htmlcov/index.html"],
    )
    for command in commands:
        made.room.run(command, cwd=made.cwd, env=env, user=made.user)
        say(f"dev: {' '.join(command)}: done")


def refuses(room: Room, made: Made, command: list[str]) -> None:
    """Demand that a command fails.

    Raises:
        AssertionError: It was allowed.
    """
    words = room.words(command, made.cwd, made.user)
    done = subprocess.run(words, env=made.env, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    assert done.returncode != 0, f"{command} was allowed"
    assert done.stderr.count("Read-only file system") == len(command) - 1, done.stderr
    say("the root refuses to be written")


@contextmanager
def running(room: Room, made: Made, env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run the image's command; end it as an orchestrator does and demand a clean end."""
    command = made.stage.last("CMD")
    assert command is not None
    bot = room.start(command.words, cwd=made.cwd, env=env, user=made.user)
    try:
        yield bot
        bot.terminate()
        code = bot.wait(30)
        assert code == 0, f"ended with {code} after SIGTERM"
        say("SIGTERM: ended with 0")
    finally:
        bot.kill()
        bot.wait()


@contextmanager
def exchange() -> Iterator[str]:
    """Give the address of a local exchange that speaks BingX's dialect."""
    port = free_port()
    words = ["exchange", "--dialect", "bingx", "--port", str(port)]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-m", "milobot", *words], cwd=folder, stdout=subprocess.DEVNULL
        ) as process,
    ):
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def is_healthy(room: Room, made: Made) -> bool:
    """Return what the image's own health check says."""
    check = made.stage.last("HEALTHCHECK")
    assert check is not None
    words = json.loads(check.rest.partition("CMD ")[2])
    line = room.words(words, made.cwd, made.user)
    return not subprocess.run(line, env=made.env, capture_output=True, check=False).returncode  # noqa: S603 - our own words


def accepted(body: bytes, key: str = "live") -> bool:
    """Hand in a signal as the documented curl does; return whether it was taken."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    request = urllib.request.Request(f"{_BOT}/signal", body, headers)  # noqa: S310 - http on loopback
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - as above
            return answer.status in {200, 202}
    except OSError:
        return False


def signal_state() -> str:
    """Return what became of the first signal."""
    return str(json.loads(body_of(f"{_BOT}/signals?limit=1"))["signals"][0]["state"])


def body_of(address: str) -> bytes:
    """Return what is answered; nothing for a refusal."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - http on loopback
            told: bytes = answer.read()
    except urllib.error.HTTPError:
        return b""
    return told


def identity(pid: int) -> str:
    """Return who a process is and what it may, as the kernel says."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    told = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert told["Uid"].split()[0] == str(NOBODY_IN_PARTICULAR), told["Uid"]
    assert int(told["CapEff"], 16) == 0, told["CapEff"]
    assert told["NoNewPrivs"] == "1"
    return f"uid {told['Uid'].split()[0]}, no capability, no new privileges"


def until(holds: Callable[[], bool], what: str, limit_s: float = 60.0) -> None:
    """Wait until something holds.

    Raises:
        AssertionError: It did not in time.
    """
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.5)


def say(text: str) -> None:
    """Tell how far it is."""
    sys.stdout.write(f"== {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
