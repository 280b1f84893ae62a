"""The trader: what it does when what it was shown and what it knows differ."""

from dataclasses import replace

import pytest
from tests.support.desk import PLAN, P
from tests.support.exchanges import fill_news
from tests.support.office import Office, long_position
from tests.support.trading import SYMBOL, dec, intent

from milobot.domain.alerts import AlertKind
from milobot.domain.intents import PositionSide
from milobot.domain.orders import Order
from milobot.domain.reports import (
    AccountNews,
    NewsKind,
    PositionNews,
)


@pytest.fixture
def office() -> Office:
    """Return a trader that has not started."""
    return Office()


async def _entered(office: Office) -> Order:
    """Enter, and fill; return the entry."""
    await office.trader.submit(intent(PLAN))
    entry = office.account.last(P.ENTRY)
    office.trader.hear(fill_news(entry, "1", "100", fill_id="f1"))
    await office.time.run_for(0.05)
    return entry


async def test_entry_in_doubt_whose_position_is_seen_gets_its_stop(office: Office) -> None:
    """The exchange shows the fill in a position before it names the order: time runs from there."""
    async with office.at_work():
        await office.trader.submit(intent(PLAN))
        position = PositionNews(SYMBOL, PositionSide.LONG, dec("1"), dec("100"))
        now_ms = office.time.now_ms()
        office.trader.hear(AccountNews(NewsKind.POSITION, now_ms, positions=(position,)))

        await office.time.run_for(0.45)

        assert office.account.last(P.STOP).trigger_price == dec("95")
        assert office.engine.slot(SYMBOL).exposed_since_ms == now_ms


async def test_older_news_of_a_position_that_comes_later_hides_nothing(office: Office) -> None:
    """Flat as it was before the entry: what was told after it stands, from when it was told."""
    async with office.at_work():
        before_ms = office.time.now_ms()
        await office.time.run_for(0.1)
        await office.trader.submit(intent(PLAN))
        now_ms = office.time.now_ms()
        held = PositionNews(SYMBOL, PositionSide.LONG, dec("1"), dec("100"))
        flat = PositionNews(SYMBOL, None, dec("0"), dec("0"))
        office.trader.hear(AccountNews(NewsKind.POSITION, now_ms, positions=(held,)))
        await office.time.run_for(0.05)
        office.trader.hear(AccountNews(NewsKind.POSITION, before_ms, positions=(flat,)))
        office.trader.hear(AccountNews(NewsKind.POSITION, now_ms, positions=(held,)))

        await office.time.run_for(0.4)

        assert office.account.last(P.STOP).trigger_price == dec("95")
        assert office.engine.slot(SYMBOL).exposed_since_ms == now_ms


async def test_listings_that_do_not_show_it_yet_take_nothing_of_what_was_seen(
    office: Office,
) -> None:
    """The entry is in doubt, and so is what a listing lacks: the two seconds run on."""
    async with office.at_work():
        await office.trader.submit(intent(PLAN))
        position = PositionNews(SYMBOL, PositionSide.LONG, dec("1"), dec("100"))
        now_ms = office.time.now_ms()
        office.trader.hear(AccountNews(NewsKind.POSITION, now_ms, positions=(position,)))
        for _ in range(3):
            await office.time.run_for(1)
            office.trader.reconcile_soon()

        assert office.account.listings >= 3
        assert office.engine.slot(SYMBOL).held == 1
        assert office.engine.slot(SYMBOL).exposed_since_ms == now_ms


async def test_position_of_another_symbol_beside_an_entry_in_doubt_is_looked_into(
    office: Office,
) -> None:
    """A listing tells of the whole account, also where nobody has asked for anything."""
    async with office.at_work():
        await office.trader.submit(intent(PLAN))
        now_ms = office.time.now_ms()
        office.account.held = [replace(long_position(now_ms), symbol="ETHUSDT")]
        before = office.account.listings

        await office.time.run_for(2)

        assert office.account.listings > before
        assert office.engine.slot("ETHUSDT").blocked == "foreign_position"


async def test_what_was_seen_and_is_gone_is_given_up(office: Office) -> None:
    """The position was somebody else's, or is closed: its stop must not rest for ever."""
    async with office.at_work():
        await office.trader.submit(intent(PLAN))
        position = PositionNews(SYMBOL, PositionSide.LONG, dec("1"), dec("100"))
        now_ms = office.time.now_ms()
        office.trader.hear(AccountNews(NewsKind.POSITION, now_ms, positions=(position,)))
        await office.time.run_for(1.5)
        assert office.engine.slot(SYMBOL).held == dec("1")

        await office.time.run_for(65)

        assert office.engine.slot(SYMBOL).held == 0


async def test_position_without_a_stop_for_too_long_is_told_once_and_its_end_too(
    office: Office,
) -> None:
    """Nothing frightens a trader more; a hundred messages about it help nobody."""
    office.account.hangs = {P.STOP, P.CLOSE}
    async with office.at_work():
        await _entered(office)
        await office.time.run_for(6)
        told = [a for a in office.told if a.kind is AlertKind.UNPROTECTED]
        assert [a.is_over for a in told] == [False]

        close = office.account.last(P.CLOSE)
        office.trader.hear(fill_news(close, "1", "99", fill_id="f2"))
        await office.time.run_for(0.5)

        told = [a for a in office.told if a.kind is AlertKind.UNPROTECTED]
        assert [a.is_over for a in told] == [False, True]
        assert "is flat" in told[1].sentence


async def test_entry_that_nobody_finds_is_protected_once_its_position_shows(
    office: Office,
) -> None:
    """An exchange may list a position before it knows the order by our name."""
    async with office.at_work():
        await office.trader.submit(intent(PLAN))
        now_ms = office.time.now_ms()
        office.account.held = [long_position(now_ms)]

        await office.time.run_for(1.6)

        assert office.account.last(P.STOP).trigger_price == dec("95")


async def test_old_picture_of_another_position_is_not_taken_for_the_entrys(
    office: Office,
) -> None:
    """A listing may be seconds old: what was closed since would be counted as held once more."""
    async with office.at_work():
        await office.trader.submit(intent(PLAN))
        office.account.held = [long_position(office.time.now_ms() - 5_000)]

        await office.time.run_for(1.6)

        assert office.engine.slot(SYMBOL).seen == 0


async def test_old_position_beside_an_entry_in_doubt_is_looked_into_at_once(
    office: Office,
) -> None:
    """It is not the entry's: what had been given up before lies open, and half a minute is long."""
    async with office.at_work():
        await office.trader.submit(intent(PLAN))
        office.account.held = [long_position(office.time.now_ms() - 5_000)]
        before = office.account.listings

        await office.time.run_for(2)

        assert office.account.listings > before
        assert office.engine.slot(SYMBOL).blocked == "foreign_position"
