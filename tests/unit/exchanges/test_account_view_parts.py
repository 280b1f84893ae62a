"""What an account view knows beside balances: prices, rules, leverage and margin modes."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.account_scene import AWAY, BTC, ETH, ISOLATED, Scene, begin, entry, running

from milobot.domain.orders import OrderStatus, OrderUpdate, Refusal
from milobot.domain.reports import (
    AccountNews,
    BookTicker,
    MarginMode,
    NewsKind,
    SymbolSettings,
)
from milobot.errors import DataError, ExchangeUnavailableError, RequestRefusedError
from milobot.exchanges.account_view import ViewPlan

ONE = Decimal(1)


def book(scene: Scene, bid: str, ask: str, *, late_ms: int = 0) -> None:
    """Let the price stream tell a book that the exchange saw ``late_ms`` ago."""
    told_ms = scene.time.now_ms() - late_ms
    scene.view.hear(BookTicker(BTC, Decimal(bid), ONE, Decimal(ask), ONE, told_ms))


async def prepare(scene: Scene, symbol: str = BTC, leverage: int = 5) -> SymbolSettings:
    """Have the engine's settings made."""
    return await scene.view.prepare_symbol(symbol, leverage=leverage, margin_mode=ISOLATED)


async def test_fresh_price_of_the_stream_is_taken_without_asking() -> None:
    """The middle of the book where there is one, else the mark price."""
    scene = await begin()
    scene.mark(BTC, "101")
    by_mark = await scene.view.fetch_last_price(BTC)
    book(scene, "99", "100")
    by_book = await scene.view.fetch_last_price(BTC)

    assert (by_mark, by_book) == (Decimal(101), Decimal("99.5"))
    assert scene.account.asked["price"] == 0


async def test_old_price_is_asked_for() -> None:
    """Whether a level was passed is not decided by a price that may have moved on."""
    scene = await begin()
    book(scene, "99", "100")
    scene.time.step(2_001)

    assert await scene.view.fetch_last_price(BTC) == 100
    assert scene.account.asked["price"] == 1


async def test_stream_that_lags_makes_no_fresh_prices() -> None:
    """What counts is when the exchange told it, not when it came out of a jammed line."""
    scene = await begin(is_measured=True)
    book(scene, "98", "99", late_ms=3_000)

    quote = scene.view.quote(BTC)

    assert quote is not None
    assert quote.age_ms == 3_000
    assert await scene.view.fetch_last_price(BTC) == 100


async def test_quote_tells_its_age() -> None:
    """The spread gate wants to know how old the spread is that it sees."""
    scene = await begin()
    nothing = scene.view.quote(BTC)
    book(scene, "99", "100")
    scene.time.step(700)

    quote = scene.view.quote(BTC)

    assert nothing is None
    assert quote is not None
    assert (quote.book.bid_price, quote.book.ask_price) == (Decimal(99), Decimal(100))
    assert quote.age_ms == 700


@pytest.mark.parametrize(("bid", "ask"), [("100", "99"), ("0", "100"), ("99", "0")])
async def test_book_without_two_sides_is_shown_but_no_price(bid: str, ask: str) -> None:
    """The governor denies by it; a level is not judged by it."""
    scene = await begin()
    book(scene, "98", "99")
    book(scene, bid, ask)

    quote = scene.view.quote(BTC)

    assert quote is not None
    assert quote.middle is None
    assert await scene.view.fetch_last_price(BTC) == 100


async def test_rules_are_fetched_once_and_kept_fresh_in_the_background() -> None:
    """An entry never waits for them, and they are never older than the last round."""
    scene = await begin(plan=ViewPlan(rules_every_s=60, has_bulk_brackets=True))
    first = await scene.view.fetch_rules(BTC)
    await scene.view.fetch_rules(BTC)
    asked = scene.account.asked["rules"]

    async with running(scene):
        await scene.time.run_for(61)
        await scene.view.fetch_rules(BTC)

    assert asked == 1
    assert first.symbol == BTC
    assert scene.account.asked["all_rules"] == scene.account.asked["brackets"] == 2
    assert scene.account.asked["rules"] == 3


async def test_delisted_symbol_is_named_as_such() -> None:
    """The user learns what to do; when it is listed again it is traded again."""
    scene = await begin(plan=ViewPlan(rules_every_s=60))
    await scene.view.fetch_rules(BTC)
    scene.account.traded.remove(BTC)

    async with running(scene):
        await scene.time.run_for(61)
        with pytest.raises(DataError, match="BTCUSDT is not traded any more"):
            await scene.view.fetch_rules(BTC)
        scene.account.traded.add(BTC)
        await scene.time.run_for(61)
        again = await scene.view.fetch_rules(BTC)

    assert again.symbol == BTC


async def test_unknown_symbol_is_an_error_each_time() -> None:
    """A typing error is no delisting."""
    scene = await begin()
    for _ in range(2):
        with pytest.raises(DataError, match="XRPUSDT is not traded"):
            await scene.view.fetch_rules("XRPUSDT")


async def test_rules_survive_an_outage_but_not_for_ever() -> None:
    """Tick sizes seldom change; rules of yesterday are no rules."""
    scene = await begin()
    await scene.view.fetch_rules(BTC)
    scene.account.failure = AWAY

    scene.time.step(4 * 3_600_000)
    kept = await scene.view.fetch_rules(BTC)
    scene.time.step(1)
    with pytest.raises(ExchangeUnavailableError):
        await scene.view.fetch_rules(BTC)

    assert kept.symbol == BTC


async def test_refusal_for_a_symbol_that_is_not_traded_makes_its_rules_doubtful() -> None:
    """The exchange halted it between two refreshes."""
    scene = await begin()
    await scene.view.fetch_rules(BTC)
    await prepare(scene)
    scene.account.refusal = Refusal.SYMBOL_NOT_TRADING
    scene.account.answer = OrderStatus.REJECTED

    await scene.view.place_order(entry())
    await scene.view.fetch_rules(BTC)
    await prepare(scene)

    assert (scene.account.asked["rules"], scene.account.asked["prepare"]) == (2, 2)


async def test_settings_that_were_read_back_need_no_request() -> None:
    """Three requests between a decision and its order, saved by remembering."""
    scene = await begin()
    first = await prepare(scene)
    again = await prepare(scene)
    other = await prepare(scene, leverage=7)

    assert first == again == SymbolSettings(BTC, 5, ISOLATED)
    assert other.leverage == 7
    assert scene.account.asked["prepare"] == 2


@pytest.mark.parametrize(
    ("kind", "symbol", "asked"),
    [
        (NewsKind.SETTINGS, BTC, 2),
        (NewsKind.SETTINGS, "", 2),
        (NewsKind.SETTINGS, ETH, 1),
        (NewsKind.RECONNECTED, "", 2),
        (NewsKind.BALANCE, "", 1),
    ],
)
async def test_settings_are_asked_for_again_when_they_may_have_changed(
    kind: NewsKind, symbol: str, asked: int
) -> None:
    """A user who changes the leverage in the app, or a gap in which that may have happened."""
    scene = await begin()
    await prepare(scene)

    scene.view.hear(AccountNews(kind, 0, symbol=symbol))
    await prepare(scene)

    assert scene.account.asked["prepare"] == asked


async def test_doubtful_settings_are_read_again_in_the_background() -> None:
    """Our own change is told like anybody's: one look later it is known again."""
    scene = await begin()
    await prepare(scene)
    scene.view.hear(AccountNews(NewsKind.SETTINGS, 0, symbol=BTC))

    async with running(scene):
        await scene.time.run_for(2)
    await prepare(scene)

    assert (scene.account.asked["prepare"], scene.account.asked["settings"]) == (1, 1)


async def test_settings_that_news_tell_in_full_need_no_question() -> None:
    """BingX tells leverage and mode with each change: of ours what we set, of others what is."""
    scene = await begin()
    await prepare(scene)

    scene.view.hear(
        AccountNews(NewsKind.SETTINGS, 0, symbol=BTC, settings=SymbolSettings(BTC, 7, ISOLATED))
    )
    scene.view.hear(
        AccountNews(NewsKind.SETTINGS, 1, symbol=BTC, settings=SymbolSettings(BTC, 5, ISOLATED))
    )
    await prepare(scene)
    assert scene.account.asked["prepare"] == 1

    scene.view.hear(
        AccountNews(NewsKind.SETTINGS, 2, symbol=BTC, settings=SymbolSettings(BTC, 7, ISOLATED))
    )
    await prepare(scene)
    assert scene.account.asked["prepare"] == 2


async def test_settings_told_while_they_are_read_are_believed_where_both_say_the_same() -> None:
    """The news of our own change mostly comes before the answer that reads it back."""
    scene = await begin()
    told = AccountNews(NewsKind.SETTINGS, 0, symbol=BTC, settings=SymbolSettings(BTC, 5, ISOLATED))
    scene.account.during_prepare = lambda: scene.view.hear(told)

    await prepare(scene)
    await prepare(scene)

    assert scene.account.asked["prepare"] == 1


async def test_settings_that_change_while_they_are_read_are_not_believed() -> None:
    """The answer may be older than the news that overtook it."""
    scene = await begin()
    scene.account.during_prepare = lambda: scene.view.hear(
        AccountNews(NewsKind.SETTINGS, 0, symbol=BTC)
    )
    await prepare(scene)
    scene.account.during_prepare = None
    await prepare(scene)

    assert scene.account.asked["prepare"] == 2


async def test_settings_are_made_ahead_one_after_the_other() -> None:
    """BingX takes one such request a second: twenty scripts that start at once wait in line."""
    scene = await begin(first=False)
    symbols = [f"S{number}USDT" for number in range(5)]
    scene.account.traded.update(symbols)
    scene.view.prepare_ahead([SymbolSettings(symbol, 4, ISOLATED) for symbol in symbols])

    async with running(scene):
        await scene.time.run_for(3)
        early = scene.account.asked["prepare"]
        await scene.time.run_for(5)
    found = [await prepare(scene, symbol, 4) for symbol in symbols]

    assert 2 <= early <= 3
    assert scene.account.asked["prepare"] == len(found) == 5


async def test_what_is_open_is_only_looked_at() -> None:
    """The leverage of an open position is not changed behind its owner's back."""
    scene = await begin(held="1")
    scene.account.settings[BTC] = SymbolSettings(BTC, 9, MarginMode.CROSS)
    scene.view.prepare_ahead([SymbolSettings(BTC, 4, ISOLATED)])

    async with running(scene):
        await scene.time.run_for(2)

    assert scene.account.settings[BTC].leverage == 9
    assert (scene.account.asked["prepare"], scene.account.asked["settings"]) == (0, 1)


async def test_settings_ahead_are_tried_again_after_an_outage_not_after_a_no() -> None:
    """An exchange that is away comes back; one that refuses has its reasons."""
    scene = await begin()
    scene.account.failure = AWAY
    scene.view.prepare_ahead([SymbolSettings(BTC, 4, ISOLATED)])
    async with running(scene):
        await scene.time.run_for(3)
        scene.account.failure = None
        await scene.time.run_for(3)
        made = scene.account.settings[BTC]
        scene.account.failure = RequestRefusedError("no such leverage")
        scene.view.prepare_ahead([SymbolSettings(ETH, 4, ISOLATED)])
        await scene.time.run_for(1.5)
        scene.account.failure = None
        await scene.time.run_for(5)

    assert made == SymbolSettings(BTC, 4, ISOLATED)
    assert ETH not in scene.account.settings


async def test_order_update_of_others_changes_nothing() -> None:
    """The stream tells of everybody's orders."""
    scene = await begin()
    update = OrderUpdate("theirs", BTC, OrderStatus.SUBMITTED, 0)
    before = await scene.view.fetch_account()

    scene.view.hear(update)
    scene.view.hear(replace(update, status=OrderStatus.CANCELLED))

    assert await scene.view.fetch_account() == before
