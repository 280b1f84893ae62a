"""What is counted and logged of orders: each thing once, and never in a trade's way."""

import asyncio
from dataclasses import replace
from typing import Any

from structlog.testing import capture_logs
from structlog.typing import EventDict
from tests.support.records import DECISION, FILL, ORDER, SLOT, UPDATE
from tests.support.virtual_time import VirtualTime

from milobot.app.metrics import MOST_CODES, Meters
from milobot.app.order_log import OrderLog
from milobot.app.order_memory import ENDED_KNOWN, OrderMemory
from milobot.domain.alerts import Alert, AlertKind
from milobot.domain.orders import OrderStatus, Refusal
from milobot.ports import Record
from milobot.storage.memory import MemoryJournal

ACCOUNT = "binance:default"


class Stage:
    """An order log on a clock that stands where the record's order was made."""

    def __init__(self, signals: Any = None) -> None:
        """Begin a moment before the order."""
        self.time = VirtualTime(ORDER.created_ms - 10)
        self.meters = Meters()
        self.log = OrderLog(
            ACCOUNT,
            self.meters,
            self.time,
            signals=signals,
            elapsed=lambda: self.time.now_ms() / 1000,
        )
        self.time.step(10)

    def note(self, *records: Record) -> list[EventDict]:
        """Return what is logged when records go on record."""
        with capture_logs() as lines:
            self.log.take(records)
        return list(lines)

    def value(self, name: str, **labels: str) -> float | None:
        """Return the value of a sample; None when there is none."""
        found: float | None = self.meters.registry.get_sample_value(name, labels)
        return found


class Signals:
    """Knows one signal."""

    def __init__(self) -> None:
        """Hear of nothing yet."""
        self.heard: list[str] = []

    def signal_id(self, intent_key: str) -> int | None:
        """Return its number for every intent."""
        return 7 if intent_key else None

    def decided(self, intent_key: str) -> None:
        """Note that."""
        self.heard.append(intent_key)


def test_an_order_is_told_from_its_making_to_its_fill_with_the_same_ids() -> None:
    """One search in the log shows a trade whole."""
    stage = Stage(Signals())
    filled = replace(ORDER, status=OrderStatus.FILLED, filled_quantity=ORDER.quantity)
    lines = stage.note(ORDER)
    lines += stage.note(replace(ORDER, status=OrderStatus.SUBMITTED))
    lines += stage.note(filled, replace(UPDATE, fills=(FILL,)))

    assert [line["event"] for line in lines] == [
        "order_created",
        "order_submitted",
        "order_filled",
        "fill_booked",
    ]
    for line in lines:
        assert line["client_order_id"] == ORDER.client_order_id
        assert line["intent_key"] == ORDER.intent_key
        assert line["signal_id"] == 7
    assert stage.value("orders_total", account=ACCOUNT, purpose="entry") == 1


def test_what_is_stored_twice_counts_once() -> None:
    """A ledger that did not confirm is given the same records again."""
    stage = Stage()
    update = replace(UPDATE, fills=(FILL,))
    stage.note(ORDER, update)

    assert stage.note(ORDER, update) == []
    assert stage.value("orders_total", account=ACCOUNT, purpose="entry") == 1


def test_a_refused_order_counts_as_failed_with_its_reason() -> None:
    """The share of these is what an alert looks at."""
    stage = Stage()
    refused = replace(ORDER, status=OrderStatus.REJECTED, refusal=Refusal.INSUFFICIENT_MARGIN)
    lines = stage.note(ORDER, refused)

    assert lines[-1]["log_level"] == "warning"
    labels = {"account": ACCOUNT, "purpose": "entry", "reason": "insufficient_margin"}
    assert stage.value("orders_failed_total", **labels) == 1


def test_an_order_that_was_certainly_not_executed_counts_as_failed() -> None:
    """It never reached the exchange; for whoever traded that is the same."""
    stage = Stage()
    stage.note(ORDER, replace(ORDER, status=OrderStatus.NOT_EXECUTED))

    labels = {"account": ACCOUNT, "purpose": "entry", "reason": "not_executed"}
    assert stage.value("orders_failed_total", **labels) == 1


def test_an_order_from_before_the_start_is_not_counted_as_new() -> None:
    """After a restart what becomes of it is told; that it was made was counted before."""
    stage = Stage()
    old = replace(ORDER, created_ms=ORDER.created_ms - 60_000, status=OrderStatus.FILLED)
    lines = stage.note(old)

    assert [line["event"] for line in lines] == ["order_filled"]
    assert stage.value("orders_total", account=ACCOUNT, purpose="entry") is None


def test_the_stages_of_an_order_are_timed() -> None:
    """From decision to request, from request to answer, from request to fill."""
    stage = Stage()
    stage.time.step(20)
    stage.log.sent(ORDER)
    stage.time.step(40)
    stage.log.answered(ORDER)
    stage.time.step(60)
    stage.note(replace(UPDATE, fills=(FILL,)))

    def took(name: str) -> float | None:
        return stage.value("order_stage_seconds_sum", stage=name)

    assert took("decision_to_request") == 0.02
    assert round(took("request_to_answer") or 0, 3) == 0.04
    assert round(took("request_to_fill") or 0, 3) == 0.1


def test_a_time_without_a_stop_is_measured_at_its_end() -> None:
    """The promise is two seconds; the histogram shows how it is kept."""
    stage = Stage()
    stage.note(replace(SLOT, exposed_since_ms=stage.time.now_ms()))
    stage.time.step(300)
    stage.note(replace(SLOT, exposed_since_ms=None))
    stage.note(replace(SLOT, exposed_since_ms=None))

    assert stage.value("position_unprotected_seconds_count", account=ACCOUNT) == 1
    assert stage.value("position_unprotected_seconds_sum", account=ACCOUNT) == 0.3


def test_decisions_are_counted_by_reason_and_told_to_who_knows_the_signal() -> None:
    """Why nothing was traded is a figure, too."""
    signals = Signals()
    stage = Stage(signals)
    stage.note(DECISION)

    labels = {"account": ACCOUNT, "outcome": "accepted", "code": "accepted"}
    assert stage.value("decisions_total", **labels) == 1
    assert signals.heard == [DECISION.intent_key]


def test_labels_are_bounded() -> None:
    """A fault that makes ever new codes must not fill the memory of a Prometheus."""
    meters = Meters()
    codes = {meters.code(f"code_{number}") for number in range(MOST_CODES + 50)}

    assert len(codes) == MOST_CODES + 1
    assert meters.code("code_0") == "code_0"


def test_what_is_kept_in_mind_is_bounded() -> None:
    """A bot runs for months."""
    memory: OrderMemory[int] = OrderMemory()
    for number in range(ENDED_KNOWN + 10):
        order = replace(ORDER, client_order_id=f"other{number}")
        memory.keep(order, number)
        memory.keep(replace(order, status=OrderStatus.CANCELLED), number)

    assert len(memory) == ENDED_KNOWN
    assert memory.get("other0") is None


def test_a_stop_that_rests_for_long_is_counted_once() -> None:
    """Thousands of orders may come and go before it ends."""
    stage = Stage()
    stage.note(ORDER)
    ended = replace(ORDER, status=OrderStatus.CANCELLED)
    stage.note(*(replace(ended, client_order_id=f"other{n}") for n in range(ENDED_KNOWN + 10)))
    before = stage.value("orders_total", account=ACCOUNT, purpose="entry")

    (line,) = stage.note(ended)

    assert stage.value("orders_total", account=ACCOUNT, purpose="entry") == before
    assert (line["event"], line["intent_key"]) == ("order_cancelled", ORDER.intent_key)


def test_an_order_that_has_ended_stays_ended() -> None:
    """What is stored late may be older: nothing of it may be kept for ever."""
    memory: OrderMemory[int] = OrderMemory(ended=1)
    memory.keep(replace(ORDER, status=OrderStatus.CANCELLED), 1)
    memory.keep(ORDER, 2)
    memory.keep(replace(ORDER, client_order_id="other", status=OrderStatus.CANCELLED), 3)

    assert (memory.get(ORDER.client_order_id), memory.get("other")) == (None, 3)


def test_the_end_of_an_alert_is_no_alert() -> None:
    """Two alerts for one trouble would be one too many."""
    stage = Stage()
    stage.log.alert(Alert(AlertKind.DRIFT, "", "x", 1))
    stage.log.alert(Alert(AlertKind.DRIFT, "", "x", 1, is_over=True))

    assert stage.value("alerts_total", account=ACCOUNT, kind="drift") == 1


async def test_an_order_leaves_before_its_line_is_written() -> None:
    """A line costs a tenth of a millisecond, and more where the reader of stdout is slow."""
    stage, journal = Stage(), MemoryJournal()
    with capture_logs() as lines:
        await stage.log.before(journal).commit(ORDER)
        told_at_once = list(lines)
        await asyncio.sleep(0)

    assert told_at_once == []
    assert [line["event"] for line in lines] == ["order_created"]


async def test_a_fault_in_counting_stops_no_trade() -> None:
    """A figure that is wrong must not end what trades."""

    class Broken(Signals):
        def decided(self, intent_key: str) -> None:
            raise RuntimeError(intent_key)

    stage, journal = Stage(Broken()), MemoryJournal()
    with capture_logs() as lines:
        await stage.log.before(journal).commit(DECISION)
        await asyncio.sleep(0)

    assert journal.decisions == [DECISION]
    assert lines[-1]["event"] == "records_not_counted"
