"""The JSON form of a back-test: what a program reads must be complete, exact and stable."""

import json
import math
import os
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
from tests.support.backtests import (
    FIRST_MS,
    HOUR_MS,
    SHORT,
    Plan,
    backtest_of,
    candles_of,
    trip_of,
)

from milobot.backtest.report import round_trip_to_json, to_json, write_json
from milobot.backtest.result import BacktestResult
from milobot.backtest.statistics import summarise
from milobot.errors import StorageError

CANDLES = candles_of([100.0, 101.0, 104.0, 104.5, 103.0])
PLAN = Plan(
    1,
    3,
    quantity=Decimal("0.50"),
    stop=Decimal("98.0"),
    target=Decimal("1.1E+2"),
    fees=Decimal("0.10000000"),
    funding=Decimal("-0.01"),
    reason="target",
)


def example() -> BacktestResult:
    """Return a small back-test with one round trip."""
    return backtest_of(CANDLES, [PLAN])


def test_document_of_a_back_test() -> None:
    """The whole form, key by key: programs around milobot depend on each."""
    result = example()

    document = to_json(result, summarise(result))

    assert list(document) == [
        "script", "symbol", "timeframe", "candles", "first", "last", "settings", "summary",
        "round_trips", "equity",
    ]  # fmt: skip
    assert document["script"] == "macd_crossover"
    assert document["symbol"] == "BTCUSDT"
    assert document["timeframe"] == "1h"
    assert document["candles"] == 5
    assert document["first"] == FIRST_MS
    assert document["last"] == FIRST_MS + 4 * HOUR_MS
    assert document["settings"] == {"equity": "10000", "fee": "0.0005", "slippage": "0"}
    assert document["round_trips"] == [
        {
            "side": "LONG",
            "quantity": "0.5",
            "signal_time": FIRST_MS,
            "entry_time": FIRST_MS + HOUR_MS,
            "entry_price": "100",
            "stop": "98",
            "target": "110",
            "exit_time": FIRST_MS + 3 * HOUR_MS,
            "exit_price": "104",
            "exit_reason": "target",
            "fees": "0.1",
            "funding": "-0.01",
            "pnl": "1.91",
        }
    ]
    assert document["equity"] == [
        [FIRST_MS, "10000"],
        [FIRST_MS + HOUR_MS, "10000.4"],
        [FIRST_MS + 2 * HOUR_MS, "10001.9"],
        [FIRST_MS + 3 * HOUR_MS, "10001.91"],
        [FIRST_MS + 4 * HOUR_MS, "10001.91"],
    ]


def test_numbers_of_the_summary() -> None:
    """Money as text, ratios as numbers, the yardstick under its own key."""
    result = example()

    summary = json.loads(json.dumps(to_json(result, summarise(result))))["summary"]

    assert summary["start_equity"] == "10000"
    assert summary["end_equity"] == "10001.91"
    assert summary["total_return"] == pytest.approx(0.000191)
    assert summary["fees"] == "0.1"
    assert summary["funding"] == "-0.01"
    assert summary["exposure"] == pytest.approx(0.4)
    assert (summary["round_trips"], summary["wins"], summary["losses"]) == (1, 1, 0)
    assert summary["win_rate"] == 1
    assert summary["expectancy"] == "1.91"
    assert summary["expectancy_r"] == pytest.approx(1.91)
    assert summary["by_side"]["LONG"] == {"round_trips": 1, "wins": 1, "pnl": "1.91"}
    assert summary["by_exit_reason"] == {"target": {"round_trips": 1, "wins": 1, "pnl": "1.91"}}
    assert summary["buy_and_hold"]["end_equity"] == "10300"
    assert summary["buy_and_hold"]["max_drawdown"] == pytest.approx(1.5 / 104.5)
    assert summary["buy_and_hold"]["max_drawdown_peak"] == FIRST_MS + 3 * HOUR_MS


def test_what_is_not_defined_is_null() -> None:
    """No loss, no stop, no target: null, not a number that looks like one."""
    result = backtest_of(CANDLES, [Plan(1, 3)])

    document = json.loads(json.dumps(to_json(result, summarise(result))))

    assert document["summary"]["profit_factor"] is None
    assert document["summary"]["expectancy_r"] is None
    assert document["round_trips"][0]["stop"] is None
    assert document["round_trips"][0]["target"] is None


def test_average_price_loses_nothing_that_matters() -> None:
    """An average has no last digit; 18 of them give the result back to the last booked one."""
    entry = Decimal(1) / Decimal(3)
    trip = trip_of(
        Plan(1, 3, SHORT, Decimal(1000000000), entry, Decimal("0.2500000000001")), CANDLES
    )

    row = round_trip_to_json(trip)

    assert row["entry_price"] == "0.333333333333333333"
    assert row["exit_price"] == "0.2500000000001"
    gain = trip.quantity * (Decimal(str(row["entry_price"])) - Decimal(str(row["exit_price"])))
    assert abs(gain - trip.pnl) < Decimal("1e-8")


def test_same_back_test_gives_the_same_bytes(tmp_path: Path) -> None:
    """Reports are compared by their hash."""
    for name in ("one.json", "two.json"):
        result = example()
        write_json(tmp_path / name, to_json(result, summarise(result)))

    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


def test_back_test_without_trading_can_be_written(tmp_path: Path) -> None:
    """Every None of an empty back-test has a JSON form, and nothing is NaN."""
    result = backtest_of(candles_of([100.0]))
    path = tmp_path / "empty.json"

    write_json(path, to_json(result, summarise(result)))

    read = json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert read["round_trips"] == []
    assert read["equity"] == [[FIRST_MS, "10000"]]


def test_not_a_number_is_never_hidden() -> None:
    """The library writes NaN as null: the summary itself must hold none."""
    result = backtest_of(candles_of([100.0, 50.0, 0.01]), [Plan(1, 2)], start=Decimal(50))

    summary = to_json(result, summarise(result))["summary"]

    assert isinstance(summary, dict)
    held = summary["buy_and_hold"]
    numbers = [v for part in (summary, held) for v in part.values() if isinstance(v, float)]
    assert numbers
    assert all(map(math.isfinite, numbers))


def test_file_is_replaced_whole(tmp_path: Path) -> None:
    """An older report gives way, and nothing else is left in the folder."""
    path = tmp_path / "report.json"
    path.write_text("older", encoding="utf-8")

    write_json(path, {"script": "new"})

    assert orjson.loads(path.read_bytes()) == {"script": "new"}
    assert list(tmp_path.iterdir()) == [path]


def test_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    """A typing error in the path must not cost the reason."""
    path = tmp_path / "nowhere" / "report.json"

    with pytest.raises(StorageError, match=r"folder of .*report\.json does not exist: make it"):
        write_json(path, {})


@pytest.mark.parametrize("name", ["", "folder"])
def test_folder_in_place_of_a_file_is_one_sentence(tmp_path: Path, name: str) -> None:
    """``--json .`` names a folder: refused, and nothing half-written stays."""
    path = tmp_path / name
    path.mkdir(exist_ok=True)
    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        with pytest.raises(StorageError, match="is a folder: name a file in it"):
            write_json(path if name else Path(), {})
    finally:
        os.chdir(here)

    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_full_disk_keeps_the_older_report(tmp_path: Path) -> None:
    """On a full disk the older report is still there and the reason is said."""
    path = tmp_path / "report.json"
    path.write_text("older", encoding="utf-8")
    (tmp_path / f".report.json.{os.getpid()}.part").symlink_to("/dev/full")

    with pytest.raises(StorageError, match="No space left on device; nothing was changed"):
        write_json(path, {"script": "new"})

    assert path.read_text(encoding="utf-8") == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_names_are_written_as_they_are(tmp_path: Path) -> None:
    """A script's name may hold anything; the report stays JSON."""
    result = replace(example(), script='k"reuz\nung ☃')
    path = tmp_path / "report.json"

    write_json(path, to_json(result, summarise(result)))

    assert json.loads(path.read_text(encoding="utf-8"))["script"] == 'k"reuz\nung ☃'


def test_every_number_is_documented() -> None:
    """A key that nobody explains is a key that is read wrongly."""
    page = Path(__file__).parents[3] / "docs" / "backtesting.md"
    text = page.read_text(encoding="utf-8")
    result = example()
    document = to_json(result, summarise(result))

    summary = document["summary"]
    assert isinstance(summary, dict)
    assert [key for key in summary if f"`{key}`" not in text] == []
    assert [key for key in document if f'"{key}"' not in text] == []
