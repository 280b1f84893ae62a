"""The page of a live run: what it says is held is held, and what it does not know it says."""

import asyncio
from typing import Any

from tests.support.doors import MemoryDoor
from tests.support.records import DECISION, TRIP, UPDATE
from tests.support.shown_accounts import MINUTE_MS, Shown, slot_of
from tests.support.trading import SYMBOL

from milobot.app.live_page import LivePage
from milobot.app.live_shows import SecondAccount
from milobot.domain.positions import Position
from milobot.domain.slots import Slot
from milobot.errors import ExchangeUnavailableError
from milobot.signals.door import Incoming
from milobot.storage.memory import MemoryJournal
from milobot.web.state import Heading

ETH = "ETHUSDT"
SIGNALS = Heading("testnet", "signals", "", "bingx:default", follows=True)
SCRIPT = Heading("testnet", SYMBOL, "1m", "x.script")


async def _look(page: LivePage) -> dict[str, Any]:
    """Return what somebody who has the page open sees now."""
    page.state.revisions.message_since(None, None)
    await page.refresh()
    await page.ask()
    await page.look_at_signals()
    await page.refresh()
    return page.state.snapshot()


def _states(seen: dict[str, Any]) -> list[tuple[str, str]]:
    return [(row["symbol"], row["state"]) for row in seen["positions"]["rows"]]


async def test_every_position_is_shown_the_least_safe_first() -> None:
    """The page once called an account flat that was long in another symbol."""
    page, live = LivePage(SCRIPT), Shown(slot_of(SYMBOL), slot_of(ETH, is_covered=False))
    page.take_over(live)

    seen = await _look(page)

    assert _states(seen) == [(ETH, "UNPROTECTED"), (SYMBOL, "PROTECTED")]
    assert [row["on_chart"] for row in seen["positions"]["rows"]] == [False, True]
    assert [row["unrealized_pnl"] for row in seen["positions"]["rows"]].count("10") == 1


async def test_what_an_account_that_is_not_ours_holds_is_not_known() -> None:
    """Standing by is no reason to say flat, nor to show what was held an hour ago."""
    page, live = LivePage(SCRIPT), Shown(slot_of(SYMBOL))
    assert page.state.snapshot()["positions"]["rows"] == []
    assert (await _look(page))["positions"]["unknown"] == [""]

    page.take_over(live)
    assert (await _look(page))["positions"]["unknown"] == []
    page.take_over(None)

    seen = await _look(page)
    assert (seen["positions"]["rows"], seen["positions"]["unknown"]) == ([], [""])
    assert seen["status"]["running"] is False


async def test_positions_of_all_accounts_of_a_run_are_shown() -> None:
    """Scripts on one exchange, signals on another: one page, and no half of the truth."""
    page = LivePage(SCRIPT)
    page.take_over(Shown(name="binance:default"))
    page.take_beside("bingx:default", None)
    assert (await _look(page))["positions"]["unknown"] == ["bingx:default"]

    page.take_beside("bingx:default", Shown(slot_of(SYMBOL), name="bingx:default"))

    (row,) = (await _look(page))["positions"]["rows"]
    assert (row["account"], row["symbol"], row["on_chart"]) == ("bingx:default", SYMBOL, False)


async def test_what_another_account_closes_is_on_record_on_the_page() -> None:
    """Half of the round trips in the list would be a wrong result."""
    page = LivePage(SCRIPT)
    second = SecondAccount(page, "bingx:default")
    await second.before(MemoryJournal()).commit(DECISION, UPDATE, TRIP)

    seen = await _look(page)

    assert [row["symbol"] for row in seen["round_trips"]] == [SYMBOL]
    assert [line["text"] for line in seen["log"]] == [
        f"{SYMBOL} long accepted",
        f"{SYMBOL} long closed by close, net 1 USDT",
    ]
    assert seen["fills"] == []


async def test_positions_are_shown_while_the_balances_cannot_be_read() -> None:
    """When the exchange does not answer, what is held matters most."""
    page, live = LivePage(SCRIPT), Shown(slot_of(SYMBOL, is_covered=False))
    live.failure = ExchangeUnavailableError("away")
    page.take_over(live)

    seen = await _look(page)

    assert _states(seen) == [(SYMBOL, "UNPROTECTED")]
    assert seen["summary"] == {}


async def test_the_chart_of_signals_follows_what_they_enter() -> None:
    """An empty grid headed "signals" says nothing while money is at work."""
    page, live = LivePage(SIGNALS, signals=MemoryDoor()), Shown()
    page.take_over(live)
    seen = await _look(page)
    assert (seen["candles"], seen["symbol"], seen["inbox"]) == ([], "signals", [])
    assert "follows the first signal" in seen["notes"]["chart"]

    live.hold(slot_of(ETH))
    seen = await _look(page)

    assert (seen["symbol"], seen["timeframe"], len(seen["candles"])) == (ETH, "1m", 500)
    live.hold(slot_of(SYMBOL, entered_ms=2))
    seen = await _look(page)
    assert (seen["symbol"], len(seen["candles"])) == (SYMBOL, 500)
    assert [row["symbol"] for row in seen["positions"]["rows"] if row["on_chart"]] == [SYMBOL]


async def test_a_reader_may_choose_among_what_is_held() -> None:
    """Five positions and one chart: the last entered is not always the one in trouble."""
    page = LivePage(SIGNALS)
    page.take_over(Shown(slot_of(ETH), slot_of(SYMBOL, entered_ms=2)))
    assert (await _look(page))["symbol"] == SYMBOL

    page.state.wish_for("DOGEUSDT")
    assert (await _look(page))["symbol"] == SYMBOL
    page.state.wish_for(ETH)

    assert (await _look(page))["symbol"] == ETH


async def test_the_chart_of_a_script_stays_its_own() -> None:
    """Its studies belong to its symbol."""
    page = LivePage(SCRIPT)
    page.take_over(Shown(slot_of(ETH)))
    await _look(page)

    page.state.wish_for(ETH)

    assert (await _look(page))["symbol"] == SYMBOL


async def test_nothing_is_asked_for_while_nobody_looks() -> None:
    """The rate budget is for trading; an unwatched page must cost nothing."""
    door = MemoryDoor()
    await door.receive(Incoming("http:default", "m", "hello", 0))
    page, live = LivePage(SIGNALS, signals=door), Shown(slot_of(ETH))
    page.take_over(live)

    await page.refresh()
    await page.ask()
    await page.look_at_signals()
    assert (live.market.asked, page.state.snapshot()["inbox"]) == ([], [])

    seen = await _look(page)
    assert live.market.count == {"candles": 1, "mark": 1}
    assert [row["text"] for row in seen["inbox"]] == ["hello"]
    for _ in range(20):
        await page.refresh()
    assert not page.is_looked_at


async def test_equity_of_signals_is_noted_once_a_minute() -> None:
    """Signals have no candles that would carry the curve."""
    page, live = LivePage(SIGNALS), Shown()
    page.take_over(live)
    for _ in range(3):
        await _look(page)

    live.step(MINUTE_MS)

    assert [point[1] for point in (await _look(page))["equity"]] == ["10010", "10010"]


async def test_after_a_long_gap_the_chart_has_no_hole() -> None:
    """A page that is opened again in the evening must not join morning and evening."""
    page, live = LivePage(SIGNALS), Shown(slot_of(ETH))
    page.take_over(live)
    await _look(page)
    live.step(600 * MINUTE_MS)

    times = [candle[0] for candle in (await _look(page))["candles"]]

    assert len(times) == 500
    assert times[-1] == live.market.now_ms // MINUTE_MS * MINUTE_MS - MINUTE_MS


async def test_a_page_that_cannot_be_refreshed_goes_on() -> None:
    """Whatever fails for the page must never end the run that it shows."""
    door = MemoryDoor()
    door.is_away = True
    page, live = LivePage(SIGNALS, signals=door), Shown(slot_of(ETH))
    live.market.failure = ExchangeUnavailableError("away")
    page.take_over(live)
    page.state.revisions.message_since(None, None)
    await page.refresh()

    async with asyncio.TaskGroup() as tasks:
        showing = tasks.create_task(page.run())
        await asyncio.sleep(0.05)
        is_done = showing.done()
        showing.cancel()

    assert not is_done
    assert live.market.count["mark"] == 1


async def test_what_has_closed_is_gone() -> None:
    """Flat is the truth when nothing is held at all."""
    page, live = LivePage(SIGNALS), Shown(slot_of(ETH))
    page.take_over(live)
    await _look(page)

    live.hold(Slot(ETH, Position(ETH)))

    seen = await _look(page)
    assert (seen["positions"]["rows"], seen["positions"]["unknown"]) == ([], [])
    assert seen["symbol"] == ETH
