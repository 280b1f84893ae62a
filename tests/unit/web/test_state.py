"""What callers tell the chart is what readers find, in the agreed form."""

import asyncio
from decimal import Decimal

import numpy as np
import pytest
from tests.support.charts import FIRST_MS, random_candles

from milobot.domain.intents import PositionSide, Side
from milobot.web.state import ChartState, Heading, Limits
from milobot.web.studies import Studies
from milobot.web.views import (
    LONGEST_NOTE,
    LONGEST_TEXT,
    MOST_MESSAGES,
    MOST_POSITIONS,
    FillView,
    MessageView,
    PositionView,
    SignalView,
)


@pytest.fixture
def state() -> ChartState:
    """Return an empty chart."""
    return ChartState(Heading("paper", "BTCUSDT", "1m", "x.script"), session="s")


def test_nothing_shows_before_it_is_published(state: ChartState) -> None:
    """Readers must never see half of a candle's consequences."""
    state.add_candles(random_candles(3))
    state.set_summary({"Return": "+1 %"})
    assert state.snapshot()["candles"] == []

    assert state.publish() == 1

    assert len(state.snapshot()["candles"]) == 3
    assert state.snapshot()["summary"] == {"Return": "+1 %"}


def test_publishing_without_changes_is_no_new_revision(state: ChartState) -> None:
    """An idle market must not wake every open page."""
    state.set_status(running=True, text="waiting")
    first = state.publish()
    state.set_status(running=True, text="waiting")
    state.set_positions([])

    assert state.publish() == first


def test_money_travels_as_plain_text(state: ChartState) -> None:
    """A float in between would show 0.30000000000000004, an exponent is no price."""
    state.add_fill(
        FillView(FIRST_MS, Side.SELL, Decimal("1E+3"), Decimal("0.30"), "stop", Decimal("-1.50"))
    )
    state.add_signal(SignalView(FIRST_MS, None, Decimal("0.000001")))
    short = PositionView(
        "X", PositionSide.SHORT, Decimal(1), Decimal("2.50"), "UNPROTECTED", Decimal(0)
    )
    state.set_positions([short])
    state.add_equity(FIRST_MS, Decimal("10000.10"))
    state.publish()

    model = state.snapshot()

    assert model["fills"] == [
        {
            "time": FIRST_MS,
            "side": "SELL",
            "price": "1000",
            "quantity": "0.3",
            "reason": "stop",
            "pnl": "-1.5",
        }
    ]
    assert model["signals"][0] == {
        "time": FIRST_MS,
        "side": "CLOSE",
        "price": "0.000001",
        "note": "",
    }
    (held,) = model["positions"]["rows"]
    assert (held["entry"], held["stop"]) == ("2.5", None)
    assert model["equity"] == [[FIRST_MS, "10000.1"]]


def test_round_trips_are_taken_as_a_report_has_them(state: ChartState) -> None:
    """Back-test and page share one form; what the page does not know stays out."""
    state.add_round_trip(
        {"side": "LONG", "pnl": Decimal("1.20"), "fees": "0.10", "extra": object()}
    )
    state.publish()

    row = state.snapshot()["round_trips"][0]

    assert (row["side"], row["pnl"], row["fees"], row["stop"]) == ("LONG", "1.2", "0.10", None)
    assert "extra" not in row


def test_a_snapshot_does_not_change_later(state: ChartState) -> None:
    """Somebody may still be encoding it."""
    studies = Studies([("calculate_sma", (2,))])
    candles = random_candles(6)
    state.add_candles(candles.part(0, 3))
    state.set_studies(studies.update(candles.part(0, 3)))
    state.publish()
    before = state.snapshot()
    text = repr(before)

    state.add_candles(candles.part(3, 6))
    state.set_studies(studies.update(candles))
    state.publish()

    assert repr(before) == text


def test_candles_without_studies_leave_a_gap_not_a_shift(state: ChartState) -> None:
    """Values must stay under their own candles even when a caller skips a turn."""
    studies = Studies([("calculate_sma", (2,))])
    candles = random_candles(9)
    state.add_candles(candles.part(0, 3))
    state.set_studies(studies.update(candles.part(0, 3)))
    state.publish()

    state.add_candles(candles.part(3, 5))
    state.publish()
    state.add_candles(candles.part(5, 9))
    state.set_studies(studies.update(candles))
    state.publish()

    values = state.snapshot()["overlays"][0]["lines"][0]["values"]
    expected = ((candles.close[1:] + candles.close[:-1]) / 2).tolist()
    assert values[:5] == [None, pytest.approx(expected[0]), pytest.approx(expected[1]), None, None]
    assert values[5:] == pytest.approx(expected[4:])


def test_changed_studies_start_at_the_first_candle_still_shown() -> None:
    """After a trim, indices of the history and of the page differ."""
    state = ChartState(Heading("demo", "X", "1m", "x"), limits=Limits(candles=10))
    candles = random_candles(25)
    for at in range(25):
        state.add_candles(candles.part(at, at + 1))
        state.publish()

    state.set_studies(Studies([("calculate_sma", (2,)), ("calculate_obv", ())]).update(candles))
    state.publish()

    model = state.snapshot()
    shown = len(model["candles"])
    values = model["overlays"][0]["lines"][0]["values"]
    means = (candles.close[1:] + candles.close[:-1]) / 2
    assert shown <= 10
    assert values == pytest.approx(means[-shown:].tolist())
    assert len(model["panes"][0]["lines"][0]["values"]) == shown


def test_text_from_scripts_is_cut(state: ChartState) -> None:
    """A script that prints a megabyte must not drown the page."""
    state.add_log(FIRST_MS, "INFO", "x" * 100_000)
    state.publish()

    row = state.snapshot()["log"][0]
    assert (row["level"], len(row["text"])) == ("info", LONGEST_TEXT)


async def test_waiting_readers_wake_on_publish(state: ChartState) -> None:
    """Push means no polling inside either, and a reader that left must not be kept."""
    async with asyncio.TaskGroup() as tasks:
        gone = tasks.create_task(state.revisions.wait_beyond(0))
        waiting = tasks.create_task(state.revisions.wait_beyond(0))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        state.add_log(0, "info", "hello")
        state.publish()
        await asyncio.wait_for(waiting, 1)

    assert not state.revisions._waiting


def test_nan_becomes_null(state: ChartState) -> None:
    """JSON has no NaN; null is the agreed form."""
    candles = random_candles(5)
    state.add_candles(candles)
    state.set_studies(Studies([("calculate_rsi", (3,))]).update(candles))
    state.publish()

    values = state.snapshot()["panes"][0]["lines"][0]["values"]
    assert values[:3] == [None, None, None]
    assert np.isfinite(values[3:]).all()


def test_another_zigzag_replaces_the_one_before(state: ChartState) -> None:
    """Points of two deviations in one line would be a market that never was."""
    candles = random_candles(600)
    state.add_candles(candles)
    state.set_studies(Studies([("calculate_zigzag", (1.0, 10))]).update(candles))
    state.publish()

    finer = Studies([("calculate_zigzag", (0.3, 5))]).update(candles)
    state.set_studies(finer)
    state.publish()

    assert state.snapshot()["zigzag"] == [*finer.points, finer.candidate]


def _held(symbol: str, state: str) -> PositionView:
    return PositionView(symbol, PositionSide.LONG, Decimal(1), Decimal(2), state, None)


def test_what_is_least_safe_stands_first_and_is_never_cut(state: ChartState) -> None:
    """The one position without a stop must not be number 51 of 60."""
    safe = [_held(f"S{number}USDT", "PROTECTED") for number in range(MOST_POSITIONS + 9)]
    states = ("NOT OURS", "OPENING", "CLOSING", "UNPROTECTED", "A STATE OF TOMORROW")
    state.set_positions([*safe, *(_held("ZUSDT", one) for one in states)], ["bingx:second"])
    state.publish()

    shown = state.snapshot()["positions"]

    first = [row["state"] for row in shown["rows"][:5]]
    assert first == ["A STATE OF TOMORROW", "UNPROTECTED", "CLOSING", "OPENING", "PROTECTED"]
    assert (len(shown["rows"]), shown["hidden"]) == (MOST_POSITIONS, 14)
    assert shown["unknown"] == ["bingx:second"]


def test_an_inbox_is_bounded_and_travels_only_when_it_changes(state: ChartState) -> None:
    """It is looked at every second; what has not changed must not wake anybody."""
    assert state.snapshot()["inbox"] is None
    row = MessageView(1, 2, "s" * 999, "t" * 999, "r" * 999, "open", "c" * 999, "w" * 999)
    state.set_inbox([row] * (MOST_MESSAGES + 1))
    first = state.publish()
    state.set_inbox([row] * (MOST_MESSAGES + 1))

    assert state.publish() == first
    shown = state.snapshot()["inbox"]
    assert len(shown) == MOST_MESSAGES
    assert max(len(str(value)) for value in shown[0].values()) <= LONGEST_NOTE


def test_another_market_begins_with_an_empty_chart(state: ChartState) -> None:
    """Candles, marks and studies of the old one would be lies; log and equity stay."""
    candles = random_candles(30)
    state.add_candles(candles)
    state.set_studies(
        Studies([("calculate_sma", (2,)), ("calculate_zigzag", (0.1, 2))]).update(candles)
    )
    state.add_fill(FillView(FIRST_MS, Side.SELL, Decimal(1), Decimal(1), "stop"))
    state.add_equity(FIRST_MS, Decimal(1))
    state.publish()

    state.set_market("ETHUSDT", "1m")
    state.add_candles(candles.part(0, 3))
    state.publish()

    model = state.snapshot()
    assert (model["symbol"], model["timeframe"], len(model["candles"])) == ("ETHUSDT", "1m", 3)
    assert [model[key] for key in ("fills", "overlays", "panes", "zigzag")] == [[], [], [], []]
    assert len(model["equity"]) == 1
    state.set_studies(Studies([("calculate_sma", (2,))]).update(candles.part(0, 3)))
    state.publish()
    assert len(state.snapshot()["overlays"][0]["lines"][0]["values"]) == 3


async def test_it_is_known_whether_somebody_looks(state: ChartState) -> None:
    """What only a reader needs is fetched for readers only."""
    revisions = state.revisions
    assert not revisions.take_read()
    revisions.message_since(None, None)
    assert revisions.take_read()
    assert not revisions.take_read()

    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(revisions.wait_beyond(0))
        await asyncio.sleep(0)
        assert revisions.take_read()
        assert revisions.take_read()
        waiting.cancel()
    assert not revisions.take_read()
