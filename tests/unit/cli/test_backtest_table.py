"""What a trader sees of a back-test in the terminal."""

import re
from dataclasses import replace
from decimal import Decimal
from io import StringIO

import pytest
from rich.console import Console
from tests.support.backtests import (
    FIRST_MS,
    HOUR_MS,
    SHORT,
    Plan,
    accepted,
    backtest_of,
    candles_of,
    denial,
)

from milobot.backtest.result import BacktestResult
from milobot.backtest.statistics import summarise
from milobot.cli.backtest_table import print_result
from milobot.domain.timeframes import Timeframe

CLOSES = [42_000.0, 42_100.0, 43_000.0, 42_900.0, 42_800.0, 42_500.0]
PLANS = [
    Plan(1, 2, stop=Decimal("41580.12345"), reason="trailing_stop"),
    Plan(3, 5, SHORT, reason="reversal"),
]


def traded() -> BacktestResult:
    """Return a back-test with results of +100, +200 and -100."""
    lost = Plan(5, 5, exit_price=Decimal(42_700))
    return backtest_of(candles_of(CLOSES), [*PLANS, lost])


def shown(result: BacktestResult, *, width: int = 80, trips: int = 10, colour: bool = False) -> str:
    """Return what is printed."""
    out = StringIO()
    console = Console(
        file=out,
        width=width,
        highlight=False,
        markup=False,
        force_terminal=colour,
        color_system="standard" if colour else None,
    )
    print_result(result, summarise(result), trips=trips, console=console)
    return out.getvalue()


def row(text: str, label: str) -> list[str]:
    """Return the cells of the row that begins with ``label``."""
    line = next(line for line in text.splitlines() if line.strip().startswith(label))
    return re.split(r" {2,}| (?=[+-]\d)| (?=\d+\.\d\d %)", line.strip())


@pytest.mark.parametrize("width", [80, 120])
def test_nothing_is_wider_than_the_terminal_or_cut(width: int) -> None:
    """Eighty columns are what a terminal has; a cut number is a wrong number."""
    far = Decimal("98765.4321")
    large = Plan(
        1, 2, SHORT, Decimal("12.3"), far, far + 1000, stop=far + 1, reason="trailing_stop"
    )

    text = shown(backtest_of(candles_of(CLOSES), [large]), width=width)

    assert max(map(len, text.splitlines())) <= width
    assert "-12,300.00" in text
    assert "trailing_stop" in text
    assert "\u2026" not in text
    assert text.isascii()


def test_script_and_market_stand_side_by_side() -> None:
    """A return means little without what the market did."""
    result = backtest_of(candles_of([100.0, 100.0, 110.0], first_open=80.0), [Plan(1, 2)])

    text = shown(replace(result, end_equity=Decimal(10_500)))

    assert row(text, "Return") == ["Return", "+5.00 %", "+37.50 %"]
    assert row(text, "End equity") == ["End equity", "10,500.00", "13,750.00"]
    assert row(text, "Fees") == ["Fees", "0.00", "not counted"]
    assert row(text, "CAGR") == ["CAGR", "-", "-"]


def test_drawdown_has_its_dates() -> None:
    """The next question after how deep is always when."""
    text = shown(backtest_of(candles_of([100.0, 110.0, 55.0, 80.0])))

    assert row(text, "Max drawdown") == ["Max drawdown", "0.00 %", "50.00 %"]
    assert row(text, "from") == ["from", "- 2024-01-01 01:00"]
    assert row(text, "to") == ["to", "- 2024-01-01 02:00"]


def test_round_trips_by_side_and_exit() -> None:
    """Where the money came from: by direction and by way out."""
    text = shown(traded())

    assert row(text, "All") == ["All", "3", "66.67 %", "+200.00"]
    assert row(text, "long") == ["long", "2", "50.00 %", "+0.00"]
    assert row(text, "short") == ["short", "1", "100.00 %", "+200.00"]
    assert row(text, "exit by reversal") == ["exit by reversal", "1", "100.00 %", "+200.00"]
    assert row(text, "Profit factor")[-1] == "3.00"


def test_last_round_trips_narrow() -> None:
    """The year stands once, so that times and prices fit."""
    lines = shown(traded(), trips=2).splitlines()

    start = lines.index("Last 2 of 3 round trips (UTC, net USDT)")
    assert lines[start + 2].split() == ["2024"]
    assert lines[start + 3].split() == [
        "short", "01-01", "03:00", "43000", "01-01", "05:00", "42800", "+200.00", "-", "reversal",
    ]  # fmt: skip
    assert len(lines) == start + 5


def test_new_year_is_marked() -> None:
    """Month and day alone would be ambiguous."""
    late = candles_of([100.0] * 14, timeframe=Timeframe.MONTH)
    result = backtest_of(late, [Plan(1, 2), Plan(12, 13)], timeframe=Timeframe.MONTH)

    years = [line.strip() for line in shown(result).splitlines() if re.fullmatch(r"20\d\d *", line)]

    assert years == ["2024", "2025"]


def test_wide_round_trips_have_quantity_and_stop() -> None:
    """With room there is more to check a trade by."""
    text = shown(traded(), width=120)

    assert "2024-01-01 01:00" in text
    assert "41580.123" in text
    header = next(line for line in text.splitlines() if line.startswith("side"))
    assert header.split() == [
        "side", "quantity", "entry", "price", "stop", "exit", "price", "net", "R", "reason",
    ]  # fmt: skip


def test_no_round_trips_wanted() -> None:
    """``--trips 0`` is the summary only."""
    text = shown(traded(), trips=0)

    assert "Last" not in text
    assert "Return" in text


def test_colours_say_won_or_lost_only() -> None:
    """Green is a gain, red a loss; a number that is neither has no colour."""
    text = shown(traded(), colour=True)

    assert "\x1b[32m+200.00" in text
    assert "\x1b[31m-100.00" in text
    assert re.search(r"\x1b\[3[12]m *[^ +-]", text) is None
    assert "\x1b[32m+0.00" not in text


def test_warnings_come_first() -> None:
    """A result from doubtful data is read with that doubt."""
    text = shown(replace(traded(), warnings=("3 candles are missing",)))

    assert text.startswith("warning: 3 candles are missing\n")


def test_settings_are_named() -> None:
    """A result without its terms cannot be repeated."""
    result = replace(
        traded(), settings={"equity": "10000", "set rsi_period": "21", "funding": "none"}
    )

    text = shown(result)

    assert "equity 10000; set rsi_period=21; funding none" in text
    assert row(text, "Funding paid") == ["Funding paid", "no rates", "not counted"]


def test_script_that_never_wanted_anything() -> None:
    """No round trips: the user is told where to look."""
    text = shown(replace(backtest_of(candles_of(CLOSES)), warm_up=2))

    assert "No round trips." in text
    assert "wanted no entry at any of 6 candles (2 of them warm-up)" in " ".join(text.split())


def test_warm_up_before_the_traded_span_is_not_counted() -> None:
    """With --from the indicators warm up on earlier candles."""
    history = candles_of(CLOSES)
    candles = history.part(4, 6)

    text = shown(replace(backtest_of(candles), warm_up=5, history=history))

    assert "at any of 2 candles (1 of them warm-up)" in " ".join(text.split())


def test_entries_that_were_all_denied_say_why() -> None:
    """Counted by reason code, the most frequent sentence of each, most frequent first."""
    decisions = (
        denial("level_passed", "the price 9 is beyond the stop 10 already"),
        denial("insufficient_margin", "margin and fee are 20 USDT"),
        denial("insufficient_margin", "margin and fee are 30 USDT"),
        denial("insufficient_margin", "margin and fee are 30 USDT"),
    )

    text = shown(replace(backtest_of(candles_of(CLOSES)), decisions=decisions))

    denied = [line for line in text.splitlines() if line.startswith("denied")]
    assert denied == [
        "denied 3 times, insufficient_margin, such as: margin and fee are 30 USDT",
        "denied once, level_passed: the price 9 is beyond the stop 10 already",
    ]
    assert "wanted no entry" not in text


def test_entries_that_did_not_fill_are_counted() -> None:
    """Sent and refused by the venue is neither denied nor unwanted."""
    result = replace(
        backtest_of(candles_of(CLOSES)),
        decisions=(accepted(), accepted(time_ms=FIRST_MS + HOUR_MS)),
    )

    assert "2 entries were sent, and none of them was filled." in shown(result)


def test_denials_are_shown_beside_round_trips_too() -> None:
    """A script that trades a third of what it wanted must not look as if it got all."""
    text = shown(replace(traded(), decisions=(denial("slot_busy", "nothing enters until flat"),)))

    assert "denied once, slot_busy: nothing enters until flat" in text


def test_text_of_a_script_cannot_steer_the_terminal() -> None:
    """Names, values and prints come from files that somebody else may have written."""
    evil = "\x1b[2J[red]x\x07"
    result = replace(
        traded(),
        script=evil,
        settings={"set note": evil},
        warnings=(evil,),
        prints=((FIRST_MS, evil),),
        decisions=(denial("slot_busy", evil),),
    )

    text = shown(result)

    assert "\x1b" not in text
    assert "\x07" not in text
    assert "2024-01-01 00:00  ?[2J[red]x?" in text


def test_only_the_last_prints_are_shown() -> None:
    """A script may print on every candle."""
    result = replace(traded(), prints=tuple((FIRST_MS, f"line {n}") for n in range(9)))

    text = shown(result)

    assert "line 3" not in text
    assert "line 4" in text
    assert text.endswith("2024-01-01 00:00  line 8\n")


def test_output_in_a_file_is_wide(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no terminal there is room, and no colour."""
    monkeypatch.delenv("COLUMNS", raising=False)
    result = traded()

    print_result(result, summarise(result))

    text = capsys.readouterr().out
    assert "quantity" in text
    assert "\x1b" not in text


def test_account_that_is_gone_is_printed() -> None:
    """The worst result needs its report most."""
    result = backtest_of(
        candles_of([100.0, 100.0, 250.0, 300.0]), [Plan(1, 3, SHORT)], start=Decimal(100)
    )

    text = shown(result)

    assert row(text, "Return") == ["Return", "-150.00 %", "+200.00 %"]
    assert row(text, "Sharpe") == ["Sharpe", "-", "-"]
