"""The contract of exchanges: settings, rules, symbols, money."""

import pytest
from tests.support.scenes import (
    EIGHT_HOURS,
    FALLS,
    FLAT,
    RISES,
    START_MS,
    close,
    dec,
    entry,
    fill,
    stop,
    wallet_of,
)
from tests.support.trading import decs
from tests.support.venues import (
    BTC,
    ETH,
    VENUES,
    Held,
    Scene,
    scene,
    stand_of,
)

from milobot.domain.intents import Side
from milobot.domain.orders import OrderStatus
from milobot.domain.reports import MarginMode, SymbolSettings
from milobot.errors import DataError, RequestRefusedError

pytestmark = pytest.mark.parametrize("venue", VENUES)
BUY, SELL = Side.BUY, Side.SELL
S = OrderStatus
ISOLATED = MarginMode.ISOLATED


@pytest.mark.parametrize("leverage", [1, 7, 125])
async def test_leverage_is_set_and_read_back(venue: str, leverage: int) -> None:
    """Believed is what was read back."""
    async with stand_of(venue, scene(FLAT)) as stand:
        await stand.open()
        found = await stand.exchange.prepare_symbol(BTC, leverage=leverage, margin_mode=ISOLATED)
        again = await stand.exchange.prepare_symbol(BTC, leverage=leverage, margin_mode=ISOLATED)

    assert found == again == SymbolSettings(BTC, leverage, ISOLATED)


@pytest.mark.parametrize("leverage", [0, 126])
async def test_leverage_out_of_range_is_refused(venue: str, leverage: int) -> None:
    """Trading on with another leverage than asked for is what must not happen."""
    async with stand_of(venue, scene(FLAT)) as stand:
        await stand.open()
        with pytest.raises(RequestRefusedError):
            await stand.exchange.prepare_symbol(BTC, leverage=leverage, margin_mode=ISOLATED)


async def test_margin_mode_is_set_and_read_back(venue: str) -> None:
    """Isolated and back; the same again is no error."""
    async with stand_of(venue, scene(FLAT)) as stand:
        await stand.open()
        for mode in (MarginMode.CROSS, ISOLATED, ISOLATED, MarginMode.CROSS):
            found = await stand.exchange.prepare_symbol(BTC, leverage=5, margin_mode=mode)
            assert found.margin_mode is mode


@pytest.mark.parametrize(
    ("leverage", "available"), [(1, "8999.5"), (10, "9899.5"), (100, "9989.5")]
)
async def test_leverage_sets_what_a_position_ties_up(
    venue: str, leverage: int, available: str
) -> None:
    """Margin is the notional over the leverage."""
    async with stand_of(venue, scene(FLAT)) as stand:
        await stand.open()
        await stand.enter(leverage=leverage)
        await stand.rest()
        state = await stand.state()

    assert state.available == dec(available)


@pytest.mark.parametrize("symbol", [BTC, ETH])
async def test_rules_and_brackets_are_the_exchanges_own(venue: str, symbol: str) -> None:
    """Grids, minimums and every bracket, to the last digit."""
    async with stand_of(venue, Scene({BTC: (FLAT,), ETH: (FLAT,)})) as stand:
        await stand.open()
        rules = await stand.exchange.fetch_rules(symbol)

    assert rules == stand.true_rules(symbol)
    assert len(rules.brackets) > 1


async def test_unknown_symbol_is_refused(venue: str) -> None:
    """Asked for, it is a sentence; traded, it is a final no."""
    async with stand_of(venue, scene(FLAT)) as stand:
        await stand.open()
        with pytest.raises(DataError):
            await stand.exchange.fetch_rules("XRPUSDT")
        placed = await stand.place(entry(symbol="XRPUSDT"))

    assert placed.status is S.REJECTED


async def test_last_price_is_that_of_the_moment(venue: str) -> None:
    """At the open the open, at the close the close."""
    async with stand_of(venue, scene(RISES)) as stand:
        await stand.open()
        opened = await stand.exchange.fetch_last_price(BTC)
        await stand.rest()
        closed = await stand.exchange.fetch_last_price(BTC)

    assert (opened, closed) == decs(1000, 1050)


async def test_symbols_do_not_touch_each_other(venue: str) -> None:
    """Two positions, two stops; only one is hit."""
    rows = {BTC: (FLAT, FALLS), ETH: (FLAT, RISES)}
    async with stand_of(venue, Scene(rows)) as stand:
        await stand.open()
        await stand.enter()
        await stand.enter(SELL, "2", symbol=ETH, name="other")
        await stand.place(stop("950", closes=True))
        await stand.place(stop("1100", BUY, "2", symbol=ETH, name="far", closes=True))
        await stand.rest()
        await stand.candle()
        state = await stand.state()

    assert state.positions == {ETH: Held(dec("-2"), dec("1000"))}
    assert [(r.symbol, r.trigger) for r in state.resting] == [(ETH, dec("1100"))]
    assert state.unrealized_pnl == -100
    assert wallet_of(state, "-50", "-0.5", "-1", "-0.475")


async def test_account_numbers_add_up(venue: str) -> None:
    """Wallet, available, open gain and fee rate as the engine sizes by them."""
    async with stand_of(venue, scene(RISES)) as stand:
        await stand.open()
        await stand.enter(quantity="2")
        await stand.rest()
        account = await stand.exchange.fetch_account()

    assert (account.wallet, account.available) == decs(9999, 9799)
    assert (account.unrealized_pnl, account.equity) == decs(100, 10_099)
    assert account.taker_fee == dec("0.0005")


@pytest.mark.parametrize(("side", "paid"), [(BUY, "-0.21"), (SELL, "0.21")])
async def test_funding_is_paid_at_mark_price(venue: str, side: Side, paid: str) -> None:
    """Longs pay a positive rate on the notional at the last close, shorts receive it."""
    rows = (RISES, (1050.0, 1050.0, 1050.0, 1050.0))
    played = scene(*rows, funding=dec("0.0001"), first_ms=START_MS + EIGHT_HOURS - 60_000)
    async with stand_of(venue, played) as stand:
        await stand.open()
        await stand.enter(side, "2")
        await stand.rest()
        await stand.candle()
        state = await stand.state()

    assert wallet_of(state, paid, "-1")


async def test_without_a_position_no_funding_is_paid(venue: str) -> None:
    """Closed before the time is closed."""
    first = START_MS + EIGHT_HOURS - 60_000
    async with stand_of(venue, scene(FLAT, FLAT, funding=dec("0.0001"), first_ms=first)) as stand:
        await stand.open()
        await stand.enter(quantity="2")
        await stand.place(close(quantity="2"))
        await stand.rest()
        await stand.candle()
        state = await stand.state()

    assert wallet_of(state, "-2")


@pytest.mark.parametrize("candle", [(1000.0, 1000.0, 900.0, 950.0), (890.0, 900.0, 880.0, 890.0)])
async def test_liquidation_takes_the_margin_and_no_more(
    venue: str, candle: tuple[float, float, float, float]
) -> None:
    """Through the low or through a gap: the isolated margin is gone, the wallet is not."""
    async with stand_of(venue, scene(FLAT, candle)) as stand:
        await stand.open()
        await stand.enter(quantity="2", leverage=20)
        await stand.rest()
        await stand.candle()
        state = await stand.state()

    assert state.positions == {}
    assert wallet_of(state, "-100", "-1")


async def test_stop_before_the_liquidation_price_saves_the_margin(venue: str) -> None:
    """What is nearer comes first."""
    async with stand_of(venue, scene(FLAT, (1000.0, 1000.0, 900.0, 950.0))) as stand:
        await stand.open()
        await stand.enter(leverage=20)
        await stand.place(stop("980", closes=True))
        await stand.rest()
        await stand.candle()
        state = await stand.state()

    assert state.fills[-1] == fill(SELL, "1", "980")
    assert wallet_of(state, "-20", "-0.5", "-0.49")
