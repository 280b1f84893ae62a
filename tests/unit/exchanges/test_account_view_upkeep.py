"""The upkeep of an account view: doubts, background requests, restarts, random days."""

import asyncio
import random
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.account_scene import AWAY, BTC, ETH, begin, close, entry, running

from milobot.domain.intents import PositionSide
from milobot.domain.orders import OrderStatus
from milobot.domain.reports import AccountNews, MarginMode, NewsKind, PositionNews
from milobot.errors import AuthenticationError, ExchangeUnavailableError

S = OrderStatus


def news(
    kind: NewsKind, at_ms: int, *, wallet: Decimal | None = None, **more: object
) -> AccountNews:
    """Return news of the account."""
    symbol = str(more.get("symbol", ""))
    return AccountNews(kind, at_ms, symbol=symbol, wallet=wallet)


def position(at_ms: int, quantity: str, wallet: str | None = None) -> AccountNews:
    """Return news of a long BTCUSDT position entered at 100; 0 when flat."""
    amount = Decimal(quantity)
    side = PositionSide.LONG if amount else None
    row = PositionNews(BTC, side, amount, Decimal(100))
    told = None if wallet is None else Decimal(wallet)
    return AccountNews(NewsKind.POSITION, at_ms, symbol=BTC, wallet=told, positions=(row,))


@pytest.mark.parametrize("kind", [NewsKind.RECONNECTED, NewsKind.SETTINGS])
async def test_doubt_is_cleared_up_before_anything_is_decided(kind: NewsKind) -> None:
    """After a gap nothing is certain; and when it cannot be read, no old picture stands in."""
    scene = await begin()
    scene.view.hear(news(kind, scene.time.now_ms()))
    scene.account.failure = AWAY
    with pytest.raises(ExchangeUnavailableError, match="no entry is sent"):
        await scene.view.fetch_account()

    scene.account.failure = None
    await scene.view.fetch_account()
    await scene.view.fetch_account()

    assert scene.account.asked["account"] == 3


async def test_news_during_an_answer_is_not_lost() -> None:
    """The answer may be older than the news that overtook it."""
    scene = await begin()
    scene.time.step(75_000)
    scene.account.takes_s = 0.2
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(scene.view.fetch_account())
        await scene.time.run_for(0.1)
        scene.view.hear(news(NewsKind.BALANCE, scene.time.now_ms(), wallet=Decimal(9_000)))
        await scene.time.run_for(0.2)

    assert asking.result().wallet == 9_000


async def test_background_asks_every_minute_and_soon_after_a_trade() -> None:
    """Sixty requests an hour for a quiet account, and exact again seconds after a trade."""
    scene = await begin()
    await scene.view.fetch_last_price(BTC)
    async with running(scene):
        await scene.time.run_for(190)
        quiet = scene.account.asked["account"]
        await scene.view.place_order(entry(quantity="3"))
        await scene.time.run_for(6)
        account = await scene.view.fetch_account()

    assert quiet == 4
    assert scene.account.asked["account"] == 5
    assert account.available == scene.account.available
    assert account.wallet == scene.account.wallet


async def test_background_survives_an_outage_and_gives_in_to_a_refused_key() -> None:
    """Trouble is logged and passes; a refused key ends the run."""
    scene = await begin()
    scene.account.failure = AWAY
    async with running(scene):
        await scene.time.run_for(130)
        away = scene.view.account_age_ms
        scene.account.failure = None
        await scene.time.run_for(3)
        back = scene.view.account_age_ms
    scene.account.failure = AuthenticationError("the key was withdrawn")
    scene.time.step(60_000)
    with pytest.raises(ExceptionGroup) as stopped:
        await scene.view.run()

    assert away is not None
    assert back is not None
    assert (away >= 130_000, back <= 3_000) == (True, True)
    assert stopped.value.subgroup(AuthenticationError) is not None


async def test_restart_takes_over_what_was_on_its_way() -> None:
    """An entry of the journal that may be executed is held; stops are told by their ids."""
    scene = await begin()
    await scene.view.fetch_last_price(BTC)
    pending = replace(entry(), status=S.UNKNOWN)
    stop = replace(close(name="stop"), exchange_order_id="77")

    scene.view.recall([pending, stop])

    assert (await scene.view.fetch_account()).available < 10_000
    assert scene.account.learned == {"stop": "77"}


async def test_entry_that_was_on_its_way_at_a_restart_ties_up_no_more_than_it_costs() -> None:
    """No price is known then: until one is asked for, every other symbol would have to wait."""
    scene = await begin()
    scene.view.recall([replace(entry(), status=S.UNKNOWN)])
    before = (await scene.view.fetch_account()).available

    async with running(scene):
        await scene.time.run_for(1)
        after = (await scene.view.fetch_account()).available

    assert before == 0
    assert 9_980 < after < 10_000 - 10


@pytest.mark.parametrize("seed", range(12))
async def test_never_more_available_than_there_is(seed: int) -> None:
    """A day of random trades, news that come or are lost, and answers that are late."""
    chance = random.Random(seed)  # noqa: S311 - a test's dice
    scene = await begin()
    scene.account.takes_s = 0.05
    async with running(scene):
        for number in range(60):
            await scene.trade(chance, number)
            await scene.time.run_for(chance.choice((0, 0.01, 1, 3, 20)))
            async with asyncio.TaskGroup() as group:
                asking = group.create_task(scene.view.fetch_account())
                await scene.time.run_for(0.3)
            assert asking.result().available <= scene.account.available
        await scene.time.run_for(70)
        account = await scene.view.fetch_account()

    assert (account.wallet, account.available) == (scene.account.wallet, scene.account.available)
    assert {ETH, BTC} >= scene.account.positions.keys()


async def test_queries_are_passed_on() -> None:
    """What needs no help goes to the account as it is."""
    scene = await begin()
    view, order = scene.view, entry()

    await view.fetch_order(order)
    await view.fetch_stranger(BTC, "1")
    await view.fetch_open_orders(BTC)
    await view.fetch_fills(BTC)
    await view.fetch_positions()
    await view.fetch_income(first_ms=0, last_ms=1)
    await view.fetch_brackets()
    await view.fetch_key_rights()
    await view.fetch_is_hedged()
    await view.set_one_way()
    await view.cancel_order(order)
    await view.prepare_symbol(BTC, leverage=3, margin_mode=MarginMode.CROSS)
    settings = await view.fetch_symbol_settings(BTC)

    asked = scene.account.asked
    names = (
        "order",
        "stranger",
        "open_orders",
        "fills",
        "income",
        "brackets",
        "rights",
        "is_hedged",
    )
    assert [asked[name] for name in (*names, "set_one_way", "cancel", "settings")] == [1] * 11
    assert settings.leverage == 3
