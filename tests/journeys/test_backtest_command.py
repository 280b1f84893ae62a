"""``milobot backtest`` as its user runs it, every number of its report computed again."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from tests.support.backtest_runs import (
    HOUR_MS,
    MINUTE_MS,
    SAMPLES,
    START_MS,
    backtest,
    write_market,
    write_sample_market,
)
from tests.support.process import ROOT, run_milobot
from tests.support.report_audit import Audit, Row, merge, read_rows
from tests.support.shared_data import shared_file


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a made-up market as minutes, as hours and in the store."""
    return write_sample_market(tmp_path_factory.mktemp("market"))


@pytest.mark.parametrize("script", SAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("data", ["hours.csv", "minutes.csv"])
def test_report_of_every_sample_adds_up(script: Path, data: str, market: Path) -> None:
    """Every price, fee, sum, drawdown and ratio of the report follows from the candles."""
    report = backtest(script, "--data", data, "--slippage", "0.01%", cwd=market)

    fine = read_rows(market / data)
    hours = fine if data == "hours.csv" else merge(fine, HOUR_MS)
    assert report["round_trips"]
    assert (report["candles"], report["first"]) == (len(hours), hours[0].time)
    Audit(report, hours, fine).check()


def test_store_and_file_tell_the_same(market: Path) -> None:
    """Once imported, no file has to be named: the finer candles are found and put together."""
    script = ROOT / "samples/macd_crossover.script"

    from_file = backtest(script, "--data", "minutes.csv", cwd=market)
    from_store = backtest(script, cwd=market)

    assert from_store.pop("settings")["data"] == "binance_data.db, source file (1m)"
    assert from_file.pop("settings")["data"] == "minutes.csv (1m)"
    assert from_store == from_file


def test_candles_before_from_are_history(market: Path) -> None:
    """Indicators are computed from the anchor: ``--from`` moves the trading, not the values."""
    script = ROOT / "samples/stochastic_rsi.script"
    words = ("--data", "hours.csv", "--equity", "5000")

    whole = backtest(script, *words, cwd=market)
    part = backtest(script, *words, "--from", "2024-01-15", "--to", "2024-01-31", cwd=market)

    first, last = START_MS + 14 * 24 * HOUR_MS, START_MS + (31 * 24 - 1) * HOUR_MS
    assert (part["first"], part["last"], part["candles"]) == (first, last, 17 * 24)
    assert part["equity"][0] == [first, "5000"]
    decided = {trip["signal_time"] for trip in whole["round_trips"]}
    inside = {trip["signal_time"] for trip in part["round_trips"]}
    assert inside
    assert all(first <= time < last for time in inside)
    # What was held when the span began may hide decisions in the whole run, never add some.
    settled = min(t["exit_time"] for t in whole["round_trips"] if t["exit_time"] >= first)
    assert {time for time in decided if settled <= time < last} <= inside


def test_trading_may_begin_at_once_when_history_is_there(market: Path) -> None:
    """Started on its own, the same span would spend its first day warming up."""
    first = START_MS + 38 * 24 * HOUR_MS
    text = (ROOT / "samples/macd_crossover.script").read_text()
    text += f"if data[-1]['time'] == {first}:\n    print('first of the span')\n"
    (market / "first.script").write_text(text.replace("\nprint(", "\nmessage = ("))

    words = ("--data", "hours.csv", "--from", "2024-02-08")
    told = run_milobot("backtest", "first.script", *words, cwd=market)

    assert told.code == 0, told.err
    assert "2024-02-08 00:00  first of the span" in told.out


def test_set_changes_what_the_script_does(market: Path) -> None:
    """A parameter on the command line is that number in the script, and stands in the report."""
    script = ROOT / "samples/trend_pullback.script"
    text = script.read_text().replace("rsi_period = 14", "rsi_period = 7")
    assert text != script.read_text()
    (market / "trend_pullback.script").write_text(text)

    by_flag = backtest(script, "--data", "hours.csv", "--set", "rsi_period=7", cwd=market)
    by_hand = backtest("trend_pullback.script", "--data", "hours.csv", cwd=market)
    as_it_is = backtest(script, "--data", "hours.csv", cwd=market)

    assert by_flag == by_hand
    assert by_flag["settings"]["set rsi_period"] == "7"
    assert by_flag["round_trips"] != as_it_is["round_trips"]


def test_symbol_and_timeframe_replace_those_of_the_script(market: Path) -> None:
    """One script, many markets: the file is not edited for it."""
    words = ("--data", "minutes.csv", "--symbol", "ethusdt", "--timeframe", "4h")
    report = backtest(ROOT / "samples/stochastic_rsi.script", *words, cwd=market)

    assert (report["symbol"], report["timeframe"]) == ("ETHUSDT", "4h")
    assert report["candles"] == 40 * 6
    minutes = read_rows(market / "minutes.csv")
    Audit(report, merge(minutes, 4 * HOUR_MS), minutes).check()


def test_finer_candles_decide_inside_a_candle(tmp_path: Path) -> None:
    """One hour touches target and stop; its minutes know that the target came first."""
    (tmp_path / "once.script").write_text(
        'timeframe = "1h"\ncoin = "BTCUSDT"\naction_if_true = "long(1%risk@2x,sl=2%,rr=1)"\n'
        'action_if_false = "donothing"\ncondition_true = len(data) == 1\n'
    )
    minutes = [(START_MS + at * MINUTE_MS, *[100.0] * 4) for at in range(180)]
    minutes[70] = (minutes[70][0], 100.0, 103.0, 100.0, 100.0)
    minutes[90] = (minutes[90][0], 100.0, 100.0, 97.0, 100.0)
    write_market(tmp_path / "minutes.csv", minutes)
    hours = merge([Row(int(row[0]), *map(Fraction, row[1:])) for row in minutes], HOUR_MS)  # type: ignore[arg-type]  # four prices make a whole row
    write_market(tmp_path / "hours.csv", [(r.time, *map(float, r[1:])) for r in hours])

    by_minute = backtest("once.script", "--data", "minutes.csv", cwd=tmp_path)["round_trips"]
    by_hour = backtest("once.script", "--data", "hours.csv", cwd=tmp_path)["round_trips"]

    assert [(t["exit_reason"], t["exit_price"]) for t in by_minute] == [("target", "102")]
    assert [(t["exit_reason"], t["exit_price"]) for t in by_hour] == [("stop", "98")]
    assert by_minute[0]["exit_time"] == minutes[70][0]
    assert by_minute[0]["signal_time"] == START_MS


def test_recorded_funding_is_paid(tmp_path: Path) -> None:
    """Every eight hours, on the notional at the last price, longs paying a positive rate."""
    candles = shared_file("klines/um_BTCUSDT_5m_2025_ft.csv.gz")
    rates = shared_file("klines/um_BTCUSDT_funding_2025_ft.csv")
    script = ROOT / "samples/short_downtrend.script"

    free = backtest(script, "--data", candles, cwd=tmp_path)
    paid = backtest(script, "--data", candles, "--funding", rates, cwd=tmp_path)

    assert free["settings"]["funding"] == "none"
    assert paid["settings"]["funding"] == "from rates"
    rows = read_rows(candles)
    expected = [funding_of(trip, rows, read_rates(rates)) for trip in paid["round_trips"]]
    assert [Fraction(trip["funding"]) for trip in paid["round_trips"]] == expected
    assert any(expected)
    total = sum(Fraction(t["funding"]) for t in paid["round_trips"])
    assert Fraction(paid["summary"]["funding"]) == total
    assert len(paid["round_trips"]) == len(free["round_trips"])


def read_rates(path: Path) -> list[tuple[int, Fraction]]:
    """Return times and rates of a funding file."""
    lines = path.read_text().splitlines()
    names = lines[0].split(",")
    rate = next(place for place, name in enumerate(names) if name.endswith("funding_rate"))
    cells = [line.split(",") for line in lines[1:]]
    return [(int(cell[0]), Fraction(repr(float(cell[rate])))) for cell in cells]


def funding_of(
    trip: dict[str, Any], rows: Sequence[Row], rates: Sequence[tuple[int, Fraction]]
) -> Fraction:
    """Return what a round trip pays: at each due time after its entry, up to its exit's candle."""
    sign = 1 if trip["side"] == "LONG" else -1
    total = Fraction(0)
    for due, rate in rates:
        if trip["entry_time"] < due <= trip["exit_time"]:
            close = [row.close for row in rows if row.time < due][-1]
            total += round(sign * Fraction(trip["quantity"]) * Fraction(close) * rate, 8)
    return total
