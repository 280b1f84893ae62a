"""The page beside a run: who ends first, and what is left behind."""

import asyncio
import os
import signal

import pytest

from milobot.app.pages import Served, serve_beside
from milobot.errors import DataError
from milobot.web.server import open_listener
from milobot.web.state import ChartState, Heading

STATE = ChartState(Heading("demo", "BTCUSDT", "1h", "x.script"))


def interrupt(ending: signal.Signals) -> None:
    """Send a signal to this process, as Ctrl-C and a supervisor do."""
    os.kill(os.getpid(), ending)


async def test_run_that_ends_ends_the_page() -> None:
    """``demo --exit`` comes back by itself."""

    async def run() -> None:
        await asyncio.sleep(0)

    listener = open_listener("127.0.0.1", 0)

    assert await serve_beside(run, Served(STATE, listener), stays=False)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
async def test_signal_ends_a_run_in_order(ending: signal.Signals) -> None:
    """What the run holds is given back: its ``finally`` is reached."""
    reached = []

    async def run() -> None:
        try:
            interrupt(ending)
            await asyncio.sleep(60)
        finally:
            reached.append("finally")

    listener = open_listener("127.0.0.1", 0)

    assert not await serve_beside(run, Served(STATE, listener), stays=True)
    assert reached == ["finally"]


async def test_page_stays_until_a_signal_comes() -> None:
    """Ctrl-C on a page that only stays is a good end of a run that was complete."""

    async def run() -> None:
        asyncio.get_running_loop().call_later(0.2, interrupt, signal.SIGINT)

    listener = open_listener("127.0.0.1", 0)
    async with asyncio.timeout(10):
        assert await serve_beside(run, Served(STATE, listener), stays=True)


async def test_failure_of_the_run_is_what_the_caller_sees() -> None:
    """A sentence for the user must survive the way through server and task group."""

    async def run() -> None:
        raise DataError("no candle")

    listener = open_listener("127.0.0.1", 0)
    with pytest.raises(ExceptionGroup) as caught:
        await serve_beside(run, Served(STATE, listener), stays=True)

    assert caught.group_contains(DataError, match="no candle")


async def test_signals_are_given_back() -> None:
    """After the page, Ctrl-C is an ordinary interrupt again."""
    before = signal.getsignal(signal.SIGTERM)

    async def run() -> None:
        assert signal.getsignal(signal.SIGTERM) != before

    await serve_beside(run, Served(STATE, open_listener("127.0.0.1", 0)), stays=False)

    assert signal.getsignal(signal.SIGTERM) == before


async def test_a_run_is_told_of_its_end_before_it_is_cancelled() -> None:
    """What still has to be asked of an exchange needs a run that is alive."""
    seen = []

    async def run() -> None:
        interrupt(signal.SIGTERM)
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("cancelled")

    async def finish() -> None:
        await asyncio.sleep(0)
        seen.append("told")

    listener = open_listener("127.0.0.1", 0)

    assert not await serve_beside(run, Served(STATE, listener), stays=False, finish=finish)
    assert seen == ["told", "cancelled"]
