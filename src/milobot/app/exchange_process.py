"""The local exchange as a process of its own, for demos."""

import asyncio
import ctypes
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from milobot.errors import ConfigurationError

_START_S = 30.0
_END_S = 5.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)  # loaded before the fork: the child must not load anything


@dataclass(frozen=True, slots=True)
class ExchangeAddress:
    """Where a local exchange listens, and a key to trade there."""

    url: str
    api_key: str
    secret: str


@asynccontextmanager
async def local_exchange(flags: Sequence[str]) -> AsyncIterator[ExchangeAddress]:
    """Run ``milobot exchange`` with these flags while the body runs.

    Raises:
        ConfigurationError: It did not start; its own words say why.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "milobot",
        "exchange",
        *flags,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=_die_with_parent,
        start_new_session=True,  # Ctrl-C is for us: we end it when nobody trades there any more
    )
    try:
        yield await asyncio.wait_for(_address(process), _START_S)
    finally:
        await _end(process)


async def _address(process: asyncio.subprocess.Process) -> ExchangeAddress:
    """Read from its first lines where it listens and with which key."""
    url = key = secret = ""
    if process.stdout is None or process.stderr is None:
        raise ConfigurationError("the local exchange was started without pipes")
    while not secret:
        line = (await process.stdout.readline()).decode(errors="replace")
        if not line:
            said = (await process.stderr.read()).decode(errors="replace").strip()
            said = said.removeprefix("milobot: ")
            raise ConfigurationError(f"the local exchange did not start: {said}")
        words = line.split()
        if "http://" in line and not url:
            url = next(word for word in words if word.startswith("http://"))
        if words[:1] == ["key"]:
            key, secret = words[1], words[3]
    return ExchangeAddress(url, key, secret)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        await asyncio.wait_for(process.wait(), _END_S)
    except TimeoutError:
        process.kill()
        await process.wait()


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
