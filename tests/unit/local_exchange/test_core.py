"""Parts of the exchange that need no wire: contracts, tapes, clock, agenda, set-up, control."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import aiohttp
import pytest
from tests.support.wire import START_MS, bars, binance_on, flat_bars, setup_of

from milobot.domain.margin import brackets_are_continuous
from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import MINUTE_MS, Timeframe
from milobot.errors import ConfigurationError, DataError
from milobot.local_exchange.core.contracts import contract_for
from milobot.local_exchange.core.market import FundingRates, Market, Tape
from milobot.local_exchange.core.orders import Refusal, RefusedError
from milobot.local_exchange.core.timing import Agenda, ClockMode, ServerTime
from milobot.local_exchange.limits import Budget, Window
from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import Credentials, build_venues

NO_FUNDING = FundingRates.fixed(Decimal(0))


class Hands:
    """A wall clock and a timer that a test moves."""

    def __init__(self) -> None:
        """Start at a moment in 2026 and at a second of the timer."""
        self.wall, self.timer = 1_795_000_000_000, 1_000

    def clock(self, mode: ClockMode) -> ServerTime:
        """Return a server's clock on these hands."""
        return ServerTime(mode, wall_ms=lambda: self.wall, monotonic_ms=lambda: self.timer)

    def pass_ms(self, ms: int) -> None:
        """Let time pass on both."""
        self.wall += ms
        self.timer += ms


@pytest.mark.parametrize(
    ("symbol", "price", "tick", "step"),
    [
        ("BTCUSDT", "42000", "0.1", "0.001"),
        ("ETHUSDT", "2500", "0.01", "0.001"),
        ("FILUSDT", "5.7", "0.00001", "0.01"),
        ("1000PEPEUSDT", "0.012", "0.00000001", "1"),
        ("YFIUSDT", "9000", "0.01", "0.00001"),
    ],
)
def test_contract_fits_its_price(symbol: str, price: str, tick: str, step: str) -> None:
    """Any file's symbol trades on grids of a realistic size, with continuous brackets."""
    contract = contract_for(symbol, Decimal(price))

    assert (contract.tick_size, contract.rules.quantity_step) == (Decimal(tick), Decimal(step))
    assert brackets_are_continuous(contract.rules.brackets)
    assert contract.quote == "USDT"
    assert contract.base == symbol.removesuffix("USDT")


def test_symbol_without_a_known_quote_is_its_own_base() -> None:
    """A file may be called anything."""
    assert contract_for("GOLD", Decimal(2000)).base == "GOLD"


def tape(candles: CandleSeries, history: int = 0) -> Tape:
    """Return a one-minute tape."""
    return Tape("BTCUSDT", candles, Timeframe.M1, history=history, funding=NO_FUNDING)


def test_tape_shows_the_forming_candle_only_as_far_as_it_is_played() -> None:
    """Nothing of the future may leak through a query: first the open, then the rest."""
    played = tape(bars((1.0, 9.0, 0.5, 5.0), (5.0, 7.0, 4.0, 6.0)), history=1)
    assert played.last_price == 5
    assert played.open_next() is None
    assert list(played.select(Timeframe.M1, None, None, 5))[-1][1:] == (5.0, 5.0, 5.0, 5.0, 0.0)
    played.play_rest()

    assert list(played.select(Timeframe.M1, None, None, 5))[-1][1:] == (5.0, 7.0, 4.0, 6.0, 10.0)
    assert len(played.closed) == 1


def test_tape_selects_as_the_exchange_does() -> None:
    """With a start the first rows from there, without one the last rows before the end."""
    played = tape(flat_bars(10), history=9)

    def opens(first: int | None, last: int | None, limit: int) -> list[int]:
        def at(minute: int | None) -> int | None:
            return None if minute is None else START_MS + minute * MINUTE_MS

        rows = played.select(Timeframe.M1, at(first), at(last), limit)
        return [(c.time - START_MS) // MINUTE_MS for c in rows]

    assert opens(None, None, 3) == [6, 7, 8]
    assert opens(2, None, 3) == [2, 3, 4]
    assert opens(2, 3, 9) == [2, 3]
    assert opens(None, 4, 2) == [3, 4]
    assert opens(20, None, 3) == []


def test_coarse_candles_are_the_same_however_they_are_asked_for() -> None:
    """A merged candle must hold all of its parts whatever window the query names."""
    rows = [(float(i), i + 2.0, i - 0.5, i + 1.0) for i in range(1, 42)]
    played = tape(bars(*rows), history=40)
    whole = list(played.select(Timeframe.M5, None, None, 100))

    assert len(whole) == 8
    assert list(played.select(Timeframe.M5, None, None, 3)) == whole[-3:]
    assert list(played.select(Timeframe.M5, whole[2].time, None, 2)) == whole[2:4]
    assert list(played.select(Timeframe.M5, whole[1].time + 1, whole[3].time, 9)) == whole[2:4]
    assert list(played.select(Timeframe.M5, None, whole[4].time, 2)) == whole[3:5]
    assert len(list(played.select(Timeframe.MONTH, None, None, 5))) == 1


def test_finer_candles_than_the_data_are_refused() -> None:
    """Candles cannot be split."""
    coarse = Tape("X", flat_bars(3), Timeframe.M3, history=0, funding=NO_FUNDING)
    with pytest.raises(DataError, match="none of 1m"):
        coarse.select(Timeframe.M1, None, None, 1)


@pytest.mark.parametrize("history", [-1, 3, 4])
def test_history_leaves_a_candle_to_play(history: int) -> None:
    """An exchange whose market is over before it opens helps nobody."""
    with pytest.raises(ConfigurationError, match="leave none to play"):
        tape(flat_bars(3), history)


def test_market_needs_symbols_on_one_timeline() -> None:
    """One clock serves all symbols."""
    later = bars(*[(1.0,) * 4] * 3, first_ms=START_MS + MINUTE_MS)
    with pytest.raises(ConfigurationError, match="share timeframe"):
        Market({"A": tape(flat_bars(3)), "B": tape(later)})
    with pytest.raises(ConfigurationError, match="at least one symbol"):
        Market({})


def test_funding_rates_of_a_file_apply_between_their_times() -> None:
    """(after, until]: no payment twice, none lost at a boundary."""
    series = flat_bars(3)
    rates = FundingRates(series.time, series.close / 400_000_000)

    found = rates.between(START_MS, START_MS + MINUTE_MS)
    assert found == [(START_MS + MINUTE_MS, Decimal("0.0001"))]
    assert rates.last(START_MS - 1) == Decimal("0.0001")
    assert FundingRates.fixed(Decimal("0.001")).between(-1, 0) == [(0, Decimal("0.001"))]


def test_wall_clock_judges_times_as_the_exchange_does() -> None:
    """A second ahead is too early, older than the window is too late."""
    hands = Hands()
    clock = hands.clock(ClockMode.WALL)
    now = clock.now_ms()

    assert now == hands.wall
    verdicts = [clock.is_in_time(now + d, 5_000) for d in (-5_001, -5_000, 999, 1_000)]
    assert verdicts == [False, True, True, None]
    clock.elapse(60_000)
    assert clock.now_ms() == now + 60_000


def test_market_clock_accepts_what_a_client_can_have_reached() -> None:
    """From the start of the run to the server's time plus what has passed since."""
    hands = Hands()
    clock = hands.clock(ClockMode.MARKET)
    clock.move_market(START_MS)
    hands.pass_ms(3_000)
    clock.move_market(START_MS + 10 * MINUTE_MS)
    clock.move_market(START_MS)

    def verdict(ms: int) -> bool | None:
        return clock.is_in_time(ms, 5_000)

    now = START_MS + 10 * MINUTE_MS
    assert clock.now_ms() == now
    assert verdict(START_MS) is True  # asked at the start, sent now
    assert verdict(START_MS - 1) is False
    assert verdict(now + 3_500) is True
    assert verdict(now + 4_001) is None
    assert verdict(hands.wall) is True  # a client that never asked, with a right clock


def test_agenda_runs_what_is_due_in_order() -> None:
    """Late events and late executions keep their order, also when planned out of it."""
    hands = Hands()
    agenda = Agenda(hands.clock(ClockMode.WALL))
    done: list[str] = []
    wakes: list[int | None] = []
    agenda.on_change = lambda: wakes.append(agenda.next_delay_ms())
    for delay, name in ((200, "c"), (100, "a"), (100, "b")):
        agenda.schedule(delay, partial(done.append, name))

    assert wakes == [200, 100, 100]
    hands.pass_ms(100)
    agenda.run_due()
    assert (done, agenda.next_delay_ms()) == (["a", "b"], 100)
    hands.pass_ms(100)
    agenda.run_due()
    assert (done, agenda.next_delay_ms()) == (["a", "b", "c"], None)


def test_budget_is_per_owner_and_window() -> None:
    """What one address uses is no other's, and a new window starts at zero."""
    hands = Hands()
    budget = Budget(Window(10, 5), hands.clock(ClockMode.WALL))

    assert [budget.use("a", 2), budget.use("a", 2), budget.use("b", 1)] == [2, 4, 1]
    assert 1 <= budget.reset_s() <= 10
    hands.pass_ms(10_000)
    assert (budget.used("a"), budget.use("a", 1)) == (0, 1)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"dialects": ("kraken",)}, "unknown dialect"),
    ({"dialects": ()}, "unknown dialect"),
    ({"limits": {"speed": 1}}, "unknown limit 'speed'"),
    ({"speed": 0}, "out of range"),
    ({"speed": 5_000.0}, "out of range"),
    ({"history": 9}, "leave none to play"),
    ({"timeframe": Timeframe.MONTH, "clock": ClockMode.WALL}, "candles of a month"),
]


@pytest.mark.parametrize(("change", "part"), WRONG)
def test_wrong_setup_is_refused_with_one_sentence(change: dict[str, Any], part: str) -> None:
    """What cannot run is said at the start."""
    with pytest.raises(ConfigurationError, match=part):
        build_venues(setup_of(flat_bars(3), **change), Hands().clock(ClockMode.MARKET))


def test_wall_clock_moves_the_candles_to_now() -> None:
    """The next candle opens in the present minute, history lies before it."""
    hands = Hands()
    setup = setup_of(flat_bars(5), history=2, clock=ClockMode.WALL)
    venue = build_venues(setup, hands.clock(ClockMode.WALL))["binance"]

    assert venue.market.first.next_open_ms == hands.wall - hands.wall % MINUTE_MS


def test_unknown_symbol_is_refused_everywhere() -> None:
    """Each question about a symbol that does not trade ends the same way."""
    venue = build_venues(setup_of(flat_bars(3)), Hands().clock(ClockMode.MARKET))["bingx"]
    account = next(iter(venue.accounts.values()))
    questions: list[Callable[[], object]] = [
        lambda: venue.tape("X"),
        lambda: venue.contract("X"),
        lambda: venue.book(account, "X"),
        lambda: venue.quote("X"),
    ]
    for ask in questions:
        with pytest.raises(RefusedError) as caught:
            ask()
        assert caught.value.refusal is Refusal.UNKNOWN_SYMBOL


async def test_control_steers_the_exchange_over_http() -> None:
    """Whoever starts it as a program has the same levers as a test inside the process."""
    keys = (Credentials("a", "1"), Credentials("b", "2"))
    setup = setup_of(flat_bars(6), credentials=keys, dialects=("binance",))
    async with binance_on(setup, opens=False) as wire:
        base = f"{wire.exchange.url}/control"

        async def post(name: str, **fields: Any) -> Any:
            async with wire.session.post(f"{base}/{name}", json=fields) as answer:
                return {"http": answer.status, **await answer.json()}

        async def get(name: str) -> Any:
            async with wire.session.get(f"{base}/{name}") as answer:
                return await answer.json()

        assert (await post("advance"))["step"] == "open"
        assert (await post("advance", steps=2))["next_step"] == "rest"
        assert (await post("price", symbol="BTCUSDT", price="41000"))["prices"] == {
            "BTCUSDT": "41000"
        }
        before = (await get("status"))["time_ms"]
        assert (await post("elapse", ms=5_000))["time_ms"] == before + 5_000
        assert (await post("skew", ms=700))["time_ms"] == before + 5_700
        assert (await post("pace", speed=500))["speed"] == 500
        assert (await post("pace", speed=0))["speed"] == 0
        assert len((await post("faults", fault="drop_after"))["rules"]) == 1
        assert (await post("faults", seed=3, rules=[]))["seed"] == 3
        assert (await get("faults"))["rules"] == []
        async with wire.session.delete(f"{base}/faults") as answer:
            assert answer.status == 200
        assert (await post("close_position", symbol="BTCUSDT"))["closed"] == 0
        assert (await post("adl", symbol="BTCUSDT", quantity="0.1"))["closed"] == 0
        assert (await post("expire_listen_keys"))["http"] == 200
        assert (await post("drop_streams", kind="user"))["dropped"] == 0
        ledger = await get("ledger")
        assert [account["key"] for account in ledger["accounts"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "body", "part"),
    [
        ("advance", '{"steps": 1.5}', "whole number"),
        ("advance", "[]", "JSON object"),
        ("advance", "{", "JSON object"),
        ("price", '{"symbol": "BTCUSDT", "price": "high"}', "price is a number"),
        ("price", '{"symbol": "X", "price": "1"}', "does not trade here"),
        ("faults", '{"fault": "boom"}', "unknown fault"),
    ],
)
async def test_wrong_control_request_is_told(name: str, body: str, part: str) -> None:
    """A test that steers wrongly must hear it."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        url = f"{wire.exchange.url}/control/{name}"
        async with wire.session.post(url, data=body) as answer:
            said = await answer.json()

        assert answer.status == 400
        assert part in said["error"]


async def test_advance_stops_with_the_data() -> None:
    """After the last candle the market stands still and says so."""
    async with binance_on(setup_of(flat_bars(2))) as wire:
        assert (await wire.exchange.advance(3))["step"] == "rest"
        done = await wire.exchange.advance()

        assert (done["step"], done["is_over"]) == (None, True)


async def test_paced_market_plays_by_itself_and_triggers_at_the_open() -> None:
    """At a speed nobody calls advance, and a gap fills resting orders at once."""
    candles = bars(*[(40_000.0,) * 4] * 3, *[(39_000.0,) * 4] * 3)
    setup = setup_of(candles, speed=100.0, is_paused=True)
    async with binance_on(setup) as wire:
        await wire.call("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=5)
        await wire.order()
        await wire.algo("39500.0", clientAlgoId="stop")
        socket = await wire.socket("/market/ws/btcusdt@kline_1m")
        wire.exchange.pace(200.0)
        opens: set[int] = set()
        while len(opens) < 5:
            message = await socket.receive(timeout=20)
            assert message.type is aiohttp.WSMsgType.TEXT
            opens.add(message.json()["k"]["t"])

        found = (await wire.call("GET", "/fapi/v1/algoOrder", clientAlgoId="stop")).body
        assert found["actualPrice"] == "39000.00000"
        await socket.close()


async def test_closed_exchange_leaves_no_task_and_no_port() -> None:
    """Thousands of tests start one: what each leaves behind would add up."""
    before = asyncio.all_tasks()
    setup = setup_of(flat_bars(50), speed=500.0)
    async with binance_on(setup) as wire, LocalExchange(setup_of(flat_bars(3))) as second:
        assert wire.exchange.url != second.url
        await wire.socket("/market/ws/btcusdt@kline_1m")
        await wire.user_socket()
        port = int(wire.exchange.url.rpartition(":")[2])
        await wire.order()
    await asyncio.sleep(0)

    assert asyncio.all_tasks() == before
    with pytest.raises(OSError, match=r"refused|failed"):
        await asyncio.open_connection("127.0.0.1", port)
