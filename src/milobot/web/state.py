"""What the page shows: candles, studies, marks, position, equity, log.

Used from one event loop only. Calls collect changes; :meth:`ChartState.publish`
makes them visible, all at once, under the next revision.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from milobot.domain.market import CandleSeries
from milobot.domain.money import format_decimal
from milobot.web.deltas import STUDY_KEYS, Model
from milobot.web.revisions import RevisedModel
from milobot.web.studies import StudySet
from milobot.web.views import (
    MOST_MESSAGES,
    FillView,
    MessageView,
    PositionView,
    SignalView,
    log_row,
    positions_value,
    round_trip_row,
)

Mode = Literal["demo", "backtest", "paper", "testnet", "live"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept and shown; None keeps everything.

    Attributes:
        candles: Candles with their study values, and points of the equity curve.
        marks: Each of ZigZag points, divergences, signals, fills and round trips.
        log: Log lines.
    """

    candles: int | None = 20_000
    marks: int | None = 5_000
    log: int | None = 1_000

    def by_key(self) -> dict[str, int | None]:
        """Return the limit of each list of the model."""
        marks = ("zigzag", "divergences", "signals", "fills", "round_trips")
        return {
            "candles": self.candles,
            "equity": self.candles,
            **dict.fromkeys(marks, self.marks),
            "log": self.log,
        }


GROWING = Limits()
"""Limits of a run that may go on for ever."""
EVERYTHING = Limits(candles=None, marks=None, log=None)
"""Limits of a back-test, which ends."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What the page says about the run as a whole.

    Attributes:
        mode: Shown as a badge that nobody can overlook.
        script: Name of the script; shown as text, whatever it holds.
        follows: Whether the chart follows what is held, so that a reader may choose among it.
    """

    mode: Mode
    symbol: str
    timeframe: str
    script: str
    follows: bool = False


class ChartState:
    """The page's model, fed by whoever runs the engine.

    Attributes:
        revisions: What was published, for those who read it.
    """

    def __init__(
        self, heading: Heading, *, limits: Limits = GROWING, session: str | None = None
    ) -> None:
        """Begin with an empty chart; ``session`` is random when None."""
        by_key = limits.by_key()
        model: Model = {
            "session": session or secrets.token_hex(8),
            "mode": heading.mode,
            "symbol": heading.symbol,
            "timeframe": heading.timeframe,
            "script": heading.script,
            "follows": heading.follows,
            "positions": positions_value(()),
            "inbox": None,
            "notes": {},
            "summary": {},
            "status": {"running": False, "text": ""},
            **{key: [] for key in (*by_key, *STUDY_KEYS)},
        }
        self.revisions = RevisedModel(model, by_key)
        self._wish = ""
        self._candles_taken = 0
        self._values_taken = 0
        self._points_taken = 0
        self._divergences_taken = 0
        self._candidate: dict[str, Any] | None = None
        self._studies: StudySet | None = None

    def snapshot(self) -> Model:
        """Return everything that is published, as plain JSON values."""
        return self.revisions.snapshot()

    def publish(self) -> int:
        """Make the changes since the last time visible; return the revision.

        One call a candle, or a few a second when candles come faster.
        """
        if self._studies is not None and self._values_taken < self._candles_taken:
            self._take_values(self._studies)
        return self.revisions.publish()

    def add_candles(self, candles: CandleSeries) -> None:
        """Append closed candles; they follow those already there."""
        self._candles_taken += len(candles)
        self._add("candles", [[*candle] for candle in candles])

    def set_studies(self, studies: StudySet) -> None:
        """Take the studies of all candles since the first; only what is new travels.

        Call it after ``add_candles`` and before ``publish``. Studies are causal:
        a value once shown never changes.
        """
        if self._studies is None or studies.shape != self._studies.shape:
            self._define(studies)
        else:
            self._take_values(studies)
        self._studies = studies
        self._take_swings(studies)

    def add_signal(self, signal: SignalView) -> None:
        """Mark a decision."""
        self._add("signals", [signal.row()])

    def add_fill(self, fill: FillView) -> None:
        """Mark an execution."""
        self._add("fills", [fill.row()])

    def add_equity(self, time_ms: int, value: Decimal) -> None:
        """Append the equity at a candle's close, under that candle's open time."""
        self._add("equity", [[time_ms, format_decimal(value)]])

    def add_round_trip(self, round_trip: Mapping[str, Any]) -> None:
        """Append a finished round trip, keyed as in a back-test's report."""
        self._add("round_trips", [round_trip_row(round_trip)])

    def add_log(self, time_ms: int, level: str, text: str) -> None:
        """Append a log line; ``text`` may hold anything, the page shows it as text."""
        self._add("log", [log_row(time_ms, level, text)])

    def set_market(self, symbol: str, timeframe: str) -> None:
        """Show another market: an empty chart, to be filled anew; everything else stays."""
        self._put("symbol", symbol)
        self._put("timeframe", timeframe)
        for key in ("candles", "zigzag", "divergences", "signals", "fills", *STUDY_KEYS):
            self.revisions.pending.put(key, [])
        self._candles_taken = self._values_taken = 0
        self._points_taken = self._divergences_taken = 0
        self._candidate = self._studies = None

    def set_positions(self, positions: Iterable[PositionView], unknown: Iterable[str] = ()) -> None:
        """Show everything that is held; see ``positions_value``. Nothing at all is flat."""
        self._put("positions", positions_value(positions, unknown))

    def set_inbox(self, messages: Iterable[MessageView]) -> None:
        """Show the newest messages that were handed in, newest first."""
        rows = [message.row() for message in messages]
        self._put("inbox", rows[:MOST_MESSAGES])

    def set_notes(self, notes: Mapping[str, str]) -> None:
        """Say what stands in an empty ``chart`` and an empty ``equity`` curve."""
        self._put("notes", dict(notes))

    def wish_for(self, symbol: str) -> None:
        """Take in that a reader wants to see the chart of something that is held."""
        shown = self.revisions.newest("positions")["rows"]
        if any(row["symbol"] == symbol for row in shown):
            self._wish = symbol

    def take_wish(self) -> str:
        """Return the symbol wished for since the last call; empty without a wish."""
        wish, self._wish = self._wish, ""
        return wish

    def set_summary(self, summary: Mapping[str, str]) -> None:
        """Show these figures, ready for display, in this order."""
        self._put("summary", dict(summary))

    def set_status(self, *, running: bool, text: str) -> None:
        """Say what the run is doing."""
        self._put("status", {"running": running, "text": text})

    def _add(self, key: str, rows: list[Any]) -> None:
        if rows:
            self.revisions.pending.add(key, rows)

    def _put(self, key: str, value: object) -> None:
        if value != self.revisions.newest(key):
            self.revisions.pending.put(key, value)

    def _define(self, studies: StudySet) -> None:
        """Show other studies than before, from the first candle still shown."""
        pending = self.revisions.pending
        waiting = len(pending.append.get("candles", ()))
        shown = self.revisions.length("candles") + waiting
        for key, rows in studies.definitions(self._candles_taken - shown).items():
            pending.put(key, rows)
        for key in ("zigzag", "divergences"):
            pending.put(key, [])
        self._values_taken = self._candles_taken
        self._points_taken = self._divergences_taken = 0
        self._candidate = None

    def _take_values(self, studies: StudySet) -> None:
        """Append values for the candles that have none yet, null where the studies end earlier."""
        for key, rows in studies.values(self._values_taken, self._candles_taken).items():
            self._add(key, rows)
        self._values_taken = self._candles_taken

    def _take_swings(self, studies: StudySet) -> None:
        points = studies.points[self._points_taken :]
        if points or studies.candidate != self._candidate:
            self._add("zigzag", points + [studies.candidate] * (studies.candidate is not None))
        self._candidate = studies.candidate
        self._points_taken = len(studies.points)
        self._add("divergences", studies.divergences[self._divergences_taken :])
        self._divergences_taken = len(studies.divergences)
