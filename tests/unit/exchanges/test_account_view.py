"""The account view: no request between a decision and its order, and never a rosy picture."""

import asyncio
from decimal import Decimal

import pytest
from tests.support.account_scene import AWAY, BTC, ISOLATED, begin, close, entry, running
from tests.support.fake_account import FEE

from milobot.domain.intents import PositionSide
from milobot.domain.orders import OrderStatus, OrderUpdate
from milobot.domain.reports import AccountNews, NewsKind, PositionNews
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


async def test_one_answer_serves_everybody() -> None:
    """Four hundred decisions at the same moment cost one request, not four hundred."""
    scene = await begin(first=False)
    scene.account.takes_s = 0.05

    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(scene.view.fetch_account()) for _ in range(400)]
        await scene.time.run_for(0.1)

    assert {one.result().wallet for one in waiting} == {Decimal(10_000)}
    assert scene.account.asked["account"] == 1


async def test_failure_is_shared_too() -> None:
    """Who waited through a failure does not wait through the same again, one after the other."""
    scene = await begin(first=False)
    scene.account.failure = AWAY

    results = await asyncio.gather(
        *(scene.view.fetch_account() for _ in range(50)), return_exceptions=True
    )

    assert {type(one) for one in results} == {ExchangeUnavailableError}
    assert scene.account.asked["account"] == 1


async def test_account_is_at_hand_until_it_is_too_old() -> None:
    """A minute without a request, then whoever asks waits for an answer."""
    scene = await begin()
    scene.account.wallet = Decimal(9_000)

    scene.time.step(69_000)
    kept = await scene.view.fetch_account()
    scene.time.step(2_000)
    fresh = await scene.view.fetch_account()

    assert (kept.wallet, fresh.wallet) == (Decimal(10_000), Decimal(9_000))
    assert scene.view.account_age_ms == 0


async def test_account_that_cannot_be_read_denies_entries() -> None:
    """Between 70 s and 120 s the old picture does; after that nothing is decided by it."""
    scene = await begin()
    scene.account.failure = AWAY

    scene.time.step(100_000)
    assert (await scene.view.fetch_account()).wallet == 10_000
    scene.time.step(21_000)
    with pytest.raises(ExchangeUnavailableError, match="could not be read for 121 s"):
        await scene.view.fetch_account()


async def test_refused_key_is_never_passed_over() -> None:
    """A key that is refused stops trading at once, however fresh the picture."""
    scene = await begin()
    scene.account.failure = AuthenticationError("the key was withdrawn")
    scene.time.step(75_000)

    with pytest.raises(AuthenticationError):
        await scene.view.fetch_account()


async def test_entries_on_their_way_tie_up_margin() -> None:
    """Several leave at the same moment: each sees what the others take, before any answer."""
    scene = await begin()
    scene.account.takes_s = 1.0
    await scene.view.fetch_last_price(BTC)

    async with asyncio.TaskGroup() as group:
        group.create_task(scene.view.place_order(entry(quantity="10", leverage=2)))
        await asyncio.sleep(0)
        during = await scene.view.fetch_account()
        await scene.time.run_for(2)
    after = await scene.view.fetch_account()

    # 10 at 100 with 2x: 500 and half a per mille of fee, in flight half a percent more.
    assert during.available == 10_000 - Decimal(1005) / 2 - Decimal(1005) * FEE
    assert after.available == scene.account.available == 10_000 - 500 - Decimal("0.5")
    assert scene.account.asked["account"] == 1


async def test_entry_without_a_known_price_takes_everything_until_it_is_answered() -> None:
    """What cannot be estimated must not be offered twice."""
    scene = await begin()
    scene.account.answer = S.SUBMITTED

    await scene.view.place_order(entry())

    assert (await scene.view.fetch_account()).available == 0


@pytest.mark.parametrize("answer", [S.REJECTED, S.NOT_EXECUTED])
async def test_what_was_not_taken_ties_up_nothing(answer: OrderStatus) -> None:
    """A refusal gives the margin back at once."""
    scene = await begin()
    scene.account.answer = answer
    scene.account.takes_s = 0
    await scene.view.fetch_last_price(BTC)

    await scene.view.place_order(entry())

    assert (await scene.view.fetch_account()).available == 10_000


async def test_unknown_entry_is_held_until_it_must_have_become_visible() -> None:
    """An early answer may miss it: it counts once as long as its outcome can still turn up."""
    scene = await begin()
    scene.account.answer = S.UNKNOWN
    await scene.view.fetch_last_price(BTC)
    await scene.view.place_order(entry(quantity="10", leverage=10))
    held = (await scene.view.fetch_account()).available

    async with running(scene):
        await scene.time.run_for(13)
        early = await scene.view.fetch_account()
        await scene.time.run_for(8)
        late = await scene.view.fetch_account()

    assert held < scene.account.available
    assert early.available < scene.account.available  # told, and held back once more
    assert late.available == scene.account.available


async def test_cancelled_sender_leaves_the_margin_held() -> None:
    """The task is gone, the order may be there."""
    scene = await begin()
    scene.account.order_failure = asyncio.CancelledError()
    await scene.view.fetch_last_price(BTC)

    with pytest.raises(asyncio.CancelledError):
        await scene.view.place_order(entry(quantity="10"))

    assert (await scene.view.fetch_account()).available <= scene.account.available


async def test_late_news_settles_an_unknown_entry() -> None:
    """The stream, or a query, tells what the answer did not."""
    scene = await begin()
    scene.account.answer = S.UNKNOWN
    await scene.view.fetch_last_price(BTC)
    for name in ("a", "b"):
        await scene.view.place_order(entry(name=name))
    held = (await scene.view.fetch_account()).available

    scene.view.hear(OrderUpdate("a", BTC, S.EXPIRED, 0))
    told = (await scene.view.fetch_account()).available
    await scene.view.fetch_update(entry(name="b"))

    assert held < told < (await scene.view.fetch_account()).available == 10_000


async def test_gains_move_with_mark_prices_without_a_request() -> None:
    """The daily-loss limit looks at open losses: a picture a minute old would hide them."""
    scene = await begin(held="2")

    scene.mark(BTC, "90")
    account = await scene.view.fetch_account()

    assert (account.unrealized_pnl, account.equity) == (Decimal(-20), scene.account.wallet - 20)
    assert scene.account.asked["account"] == 1


async def test_old_mark_price_is_no_price() -> None:
    """A stream that went silent must not keep the last gain alive beside a fresh answer."""
    scene = await begin(held="2")
    scene.mark(BTC, "90")

    scene.time.step(11_000)

    assert (await scene.view.fetch_account()).unrealized_pnl == 0


async def test_loss_of_a_shared_margin_lowers_what_is_available() -> None:
    """A cross position of somebody else eats into the margin of all; an isolated one does not."""
    scene = await begin(held="2")
    scene.mark(BTC, "90")
    shared = (await scene.view.fetch_account()).available

    await scene.view.prepare_symbol(BTC, leverage=10, margin_mode=ISOLATED)
    isolated = (await scene.view.fetch_account()).available

    assert (shared, isolated) == (scene.account.available - 20, scene.account.available)


async def test_wallet_follows_the_stream() -> None:
    """Funding, fees and transfers; a fall counts at once, a rise only in the equity."""
    scene = await begin()
    now = scene.time.now_ms()

    scene.view.hear(news(NewsKind.BALANCE, now + 1, wallet=Decimal(9_900)))
    fallen = await scene.view.fetch_account()
    scene.view.hear(news(NewsKind.BALANCE, now + 2, wallet=Decimal(10_500)))
    risen = await scene.view.fetch_account()
    scene.view.hear(news(NewsKind.BALANCE, now + 1, wallet=Decimal(1)))
    late = await scene.view.fetch_account()

    assert (fallen.wallet, fallen.available) == (Decimal(9_900), Decimal(9_900))
    assert (risen.wallet, risen.available) == (Decimal(10_500), Decimal(10_000))
    assert late == risen


async def test_position_that_others_enlarged_is_asked_about() -> None:
    """Only an answer tells what margin it has taken; our own entries are accounted for."""
    scene = await begin()
    await scene.view.fetch_last_price(BTC)
    await scene.view.place_order(entry(quantity="2"))
    scene.view.hear(position(scene.time.now_ms() + 1, "2"))
    await scene.view.fetch_account()
    ours = scene.account.asked["account"]

    scene.view.hear(position(scene.time.now_ms() + 2, "3"))
    await scene.view.fetch_account()

    assert (ours, scene.account.asked["account"]) == (1, 2)


@pytest.mark.parametrize(("quantity", "asked"), [("1", 1), ("90", 2)])
async def test_what_a_close_gives_back_is_asked_for_when_it_matters(
    quantity: str, asked: int
) -> None:
    """A reversal may need the margin of what it closed; small change is not worth a wait."""
    scene = await begin(held="100")
    await scene.view.prepare_symbol(BTC, leverage=2, margin_mode=ISOLATED)

    await scene.view.place_order(close(quantity=quantity))
    account = await scene.view.fetch_account()

    assert scene.account.asked["account"] == asked
    missing = scene.account.available - account.available
    # Until it has settled the fee counts once more than it should.
    assert (missing == Decimal(90 * 100) * FEE) if asked == 2 else (missing > 9)


async def test_what_a_smaller_close_gives_back_is_asked_for_in_the_background() -> None:
    """Ten per cent of what is available: no entry waits for it, and it is known soon."""
    scene = await begin(held="100")
    await scene.view.prepare_symbol(BTC, leverage=10, margin_mode=ISOLATED)
    async with running(scene):
        await scene.time.run_for(1)
        await scene.view.place_order(close(quantity="90"))
        before = scene.account.asked["account"]
        await scene.view.fetch_account()
        assert scene.account.asked["account"] == before

        await scene.time.run_for(5)

        account = await scene.view.fetch_account()
        assert scene.account.asked["account"] == before + 1
        assert scene.account.available - account.available < 9


async def test_stream_that_tells_of_a_close_is_heard() -> None:
    """A stop that fired gives back as much as a close of ours."""
    scene = await begin(held="100")
    await scene.view.prepare_symbol(BTC, leverage=2, margin_mode=ISOLATED)

    scene.view.hear(position(scene.time.now_ms() + 1, "0"))
    await scene.view.fetch_account()

    assert scene.account.asked["account"] == 2
