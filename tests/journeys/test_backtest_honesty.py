"""A back-test must not flatter: held against a second back-tester, a changed future, its own risk."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from tests.support.backtest_runs import (
    HOUR_MS,
    SAMPLES,
    START_MS,
    Prices,
    Report,
    backtest,
    rough_market,
    write_market,
    write_sample_market,
)
from tests.support.plain_backtest import Bar, Costs, PlainBacktest, Plan, Want
from tests.support.process import ROOT
from tests.support.report_audit import read_rows
from tests.support.trading import rules

from milobot.domain.market import Candle, CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.ports import CandleKey
from milobot.storage.candles import SqliteCandleStore

MOMENTUM = """\
timeframe = "1h"
coin = "BTCUSDT"
action_if_true = "{if_true}"
action_if_false = "{if_false}"
condition_true = len(data) > 3 and data[-1]["close"] > data[-4]["close"]
"""


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a made-up market as minutes, as hours and in the store."""
    return write_sample_market(tmp_path_factory.mktemp("market"))


def exact(rows: Sequence[Prices]) -> list[Bar]:
    """Return candles as the plain back-tester takes them."""
    return [Bar(row[0], *(Fraction(repr(price)) for price in row[1:])) for row in rows]


LONG_SHORT = Plan(stop=Fraction("0.015"), reward=Fraction("2.5"))
DUELS: dict[str, tuple[str, str, Plan, Costs, int]] = {
    "long": ("long(1%risk@10x,sl=2%,rr=2)", "donothing", Plan(), Costs(), 1),
    "short, slippage": (
        "short(1%risk@10x,sl=2%,rr=2)",
        "donothing",
        Plan(),
        Costs(slippage=Fraction("0.0003")),
        1,
    ),
    "reversals, no fee": (
        "long(1%risk@10x,sl=1.5%,rr=2.5)",
        "short(1%risk@10x,sl=1.5%,rr=2.5)",
        LONG_SHORT,
        Costs(fee=Fraction(0)),
        1,
    ),
    "reversals, quarters decide": (
        "long(1%risk@10x,sl=1.5%,rr=2.5)",
        "short(1%risk@10x,sl=1.5%,rr=2.5)",
        LONG_SHORT,
        Costs(slippage=Fraction("0.0002")),
        4,
    ),
    "equity, close, funding": (
        "short(20%equity@2x,sl=3%)",
        "close",
        Plan("equity", Fraction("0.2"), 2, Fraction("0.03"), None),
        Costs(
            funding=[
                (START_MS + at * 8 * HOUR_MS, Fraction(at % 7 - 3, 10_000)) for at in range(150)
            ]
        ),
        1,
    ),
    "usdt, levels passed at the open": (
        "long(500usdt@1x,sl=1%,rr=1)",
        "close",
        Plan("usdt", Fraction(500), 1, Fraction("0.01"), Fraction(1)),
        Costs(),
        4,
    ),
    "base asset until the margin is short": (
        "long(9@1x,sl=4%,rr=0.5)",
        "donothing",
        Plan("base", Fraction(9), 1, Fraction("0.04"), Fraction("0.5")),
        Costs(),
        1,
    ),
    "trailing stop": (
        "long(1%risk@10x,sl=2%,rr=4,trail=1.5%)",
        "donothing",
        Plan(reward=Fraction(4), trail=Fraction("0.015")),
        Costs(slippage=Fraction("0.0001")),
        1,
    ),
    "break-even and trailing, short, quarters decide": (
        "short(1%risk@10x,sl=2%,trail=1.8%,be=0.5)",
        "donothing",
        Plan(reward=None, trail=Fraction("0.018"), break_even=Fraction("0.5")),
        Costs(),
        4,
    ),
    "break-even alone": (
        "long(1%risk@10x,sl=1.5%,rr=3,be=0.4)",
        "close",
        Plan(stop=Fraction("0.015"), reward=Fraction(3), break_even=Fraction("0.4")),
        Costs(),
        1,
    ),
    "liquidation before some stops": (
        "long(5%risk@20x,sl=4%,rr=1)",
        "short(5%risk@20x,sl=4%,rr=1)",
        Plan("risk", Fraction("0.05"), 20, Fraction("0.04"), Fraction(1)),
        Costs(),
        4,
    ),
}


@pytest.mark.parametrize("name", DUELS)
def test_a_second_backtester_agrees_to_the_last_digit(name: str, tmp_path: Path) -> None:
    """Two programs that share nothing but the rules: what both say is what the rules say."""
    if_true, if_false, plan, costs, parts = DUELS[name]
    (tmp_path / "momentum.script").write_text(MOMENTUM.format(if_true=if_true, if_false=if_false))
    seed = 100 + list(DUELS).index(name)
    rows = rough_market(seed, 1000 * parts, HOUR_MS // parts)
    write_market(tmp_path / "rough.csv", rows)
    (tmp_path / "funding.csv").write_text(
        "\n".join(["open_time,funding_rate", *(f"{t},{float(r)}" for t, r in costs.funding)])
    )
    bars = exact(rows)
    candles = [bars[at : at + parts] for at in range(0, len(bars), parts)]

    plain = PlainBacktest(plan, costs, Fraction(10_000))
    plain.run(candles, momentum([c[-1].close for c in candles], if_true, if_false))
    report = backtest(
        "momentum.script",
        *("--data", "rough.csv", "--fee", str(float(costs.fee))),
        *("--slippage", str(float(costs.slippage))),
        *(("--funding", "funding.csv") if costs.funding else ()),
        cwd=tmp_path,
    )

    assert len(plain.round_trips) > 20
    assert {trip["exit_reason"] for trip in plain.round_trips} >= set(reasons_of(name, plan))
    assert report["round_trips"] == plain.round_trips
    assert report["equity"] == plain.equity


def reasons_of(name: str, plan: Plan) -> Iterator[str]:
    """Yield what a duel must show to be worth its time."""
    yield "stop"
    yield from ["target"] if plan.reward else []
    yield from ["trailing_stop"] if plan.trail else []
    yield from ["break_even"] if plan.break_even else []
    for reason in ("liquidation", "close", "reversal"):
        yield from [reason] if reason in name else []


def momentum(closes: Sequence[Fraction], if_true: str, if_false: str) -> list[Want]:
    """Return what the script MOMENTUM wants at each close."""
    names: dict[str, Want] = {"long": "long", "short": "short", "close": "close"}
    wants = [names.get(text.partition("(")[0]) for text in (if_true, if_false)]
    return [
        wants[0 if at >= 3 and close > closes[at - 3] else 1] for at, close in enumerate(closes)
    ]


def test_size_never_exceeds_the_risk(market: Path) -> None:
    """1%risk: the largest quantity whose loss at the stop is at most 1 % of the equity then."""
    report = backtest(ROOT / "samples/macd_crossover.script", "--data", "hours.csv", cwd=market)

    closes = {row.time: row.close for row in read_rows(market / "hours.csv")}
    equity = {time: Fraction(value) for time, value in report["equity"]}
    for trip in report["round_trips"]:
        reference = Fraction(closes[trip["signal_time"]])
        away = abs(reference - Fraction(trip["stop"]))
        allowed = equity[trip["signal_time"]] / 100
        assert away == reference * 2 / 100
        assert Fraction(trip["quantity"]) * away <= allowed
        assert (Fraction(trip["quantity"]) + Fraction(1, 10**8)) * away > allowed


@pytest.mark.parametrize("script", SAMPLES, ids=lambda path: path.stem)
def test_the_future_changes_nothing_earlier(script: Path, market: Path, tmp_path: Path) -> None:
    """The worst lie of a back-test: candles that come later must leave every earlier trade alone."""
    hours = [(r.time, *map(float, r[1:])) for r in read_rows(market / "hours.csv")]
    cut = 700
    other = rough_market(1, len(hours) - cut, HOUR_MS)
    scale = hours[cut - 1][4] / 1000
    turned = [
        (hours[cut + at][0], *(price * scale for price in row[1:])) for at, row in enumerate(other)
    ]
    write_market(tmp_path / "true.csv", hours)
    write_market(tmp_path / "turned.csv", hours[:cut] + turned)

    as_it_was = backtest(script, "--data", "true.csv", cwd=tmp_path)
    as_it_was_not = backtest(script, "--data", "turned.csv", cwd=tmp_path)

    now = START_MS + (cut - 1) * HOUR_MS
    assert before(as_it_was, now) == before(as_it_was_not, now)
    assert as_it_was["equity"][:cut] == as_it_was_not["equity"][:cut]
    assert as_it_was["equity"][cut:] != as_it_was_not["equity"][cut:]


def before(report: Report, time: int) -> list[Report]:
    """Return the round trips that were over by a candle."""
    return [trip for trip in report["round_trips"] if trip["exit_time"] <= time]


def test_exchange_rules_round_against_the_trader(tmp_path: Path) -> None:
    """Stored rules: levels on the tick towards the close, fills to the worse tick, steps down."""
    action = "long(1%risk@10x,sl=1.7%,rr=1.3)"
    (tmp_path / "momentum.script").write_text(MOMENTUM.format(if_true=action, if_false="donothing"))
    rows = rough_market(7, 1000, HOUR_MS)
    candles = CandleSeries.from_candles([Candle(*row, 1.0) for row in rows])
    with SqliteCandleStore(tmp_path / "binance_data.db") as store:
        store.save_candles(CandleKey("file", "BTCUSDT", Timeframe.H1), candles)
        store.save_rules("file", rules(tick="0.5", step="0.01"))

    plan = Plan(stop=Fraction("0.017"), reward=Fraction("1.3"))
    costs = Costs(slippage=Fraction("0.0002"), tick=Fraction("0.5"), step=Fraction("0.01"))
    plain = PlainBacktest(plan, costs, Fraction(10_000))
    bars = [[bar] for bar in exact(rows)]
    plain.run(bars, momentum([bar[0].close for bar in bars], action, "donothing"))
    report = backtest("momentum.script", "--slippage", "0.0002", cwd=tmp_path)

    assert len(plain.round_trips) > 20
    assert report["round_trips"] == plain.round_trips
    assert report["equity"] == plain.equity
