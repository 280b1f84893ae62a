"""Metrics that are read when somebody asks, and the list of all of them."""

import re
from dataclasses import replace

import pytest
from prometheus_client import generate_latest
from tests.support.process import ROOT
from tests.support.records import SLOT
from tests.support.trading import dec

from milobot.app.account_status import Held
from milobot.app.figures import AccountFigures, Books, Line
from milobot.app.gauges import RunCollector, RunFigures
from milobot.app.health import Role
from milobot.app.metrics import BY_NAME, METRICS, Meters
from milobot.domain.governor import Halt, HaltKind
from milobot.domain.intents import PositionSide
from milobot.domain.slots import PositionState
from milobot.exchanges.pulses import Pulse
from milobot.execution.findings import Code

ACCOUNT = "binance:default"
SPECIFIED = {
    "orders_total",
    "orders_failed_total",
    "signal_processing_duration_seconds",
    "position_size",
    "reconciliation_cycles_total",
}
_ROW = re.compile(
    r"^\| `([a-z_]+)` \| (counter|gauge|histogram) \| ([^|]*) \| (.*) \|$", re.MULTILINE
)


def figures(**books: object) -> RunFigures:
    """Return a run with one account in which everything has a figure."""
    short = replace(SLOT, position=replace(SLOT.position, side=PositionSide.SHORT), seen=dec("0"))
    plain: dict[str, object] = {
        "held": (Held(replace(short, early=()), PositionState.PROTECTED),),
        "exposed_ms": 1_500,
        "doubtful": 2,
        "rounds": 5,
        "is_compared": True,
        "compared_age_ms": 4_000,
        "findings": {Code.POSITION_LARGER: 1, Code.FOREIGN_ORDERS: 0},
        "drift": dec("-0.25"),
        "halts": (Halt(HaltKind.DAILY_LOSS, "lost", 1),),
        "candle_age_ms": {"BTCUSDT 1m": 30_000, "ETHUSDT 1h": 9_000},
    }
    account = AccountFigures(
        ACCOUNT,
        Role.LEADING,
        "me",
        3,
        Line(
            streams=(Pulse("user", 200, 3_500, 900), Pulse("prices", None, 3_500, 70_000)),
            events={"reconnected": 2},
            budgets={"weight": (600, 2_400), "none": (0, 0)},
            rest="it failed",
            clock_offset_ms=-250,
        ),
        Books(**{**plain, **books}),  # type: ignore[arg-type]  # of the kinds above
    )
    return RunFigures(
        version="1.2",
        mode="testnet",
        is_ready=True,
        is_ledger_up=True,
        accounts=(account,),
        cycles={ACCOUNT: 9},
        refused={"wrong_token": 4},
        telegram={"handled": 3},
        is_telegram_on=True,
        worker_kills=1,
    )


def scraped(run: RunFigures) -> dict[str, float]:
    """Return every sample of a scrape, by name and labels as Prometheus writes them."""
    meters = Meters()
    meters.registry.register(RunCollector(lambda: run))
    lines = generate_latest(meters.registry).decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


@pytest.mark.parametrize(
    ("sample", "value"),
    [
        ('build_info{mode="testnet",version="1.2"}', 1),
        ("ready", 1),
        ("ledger_up", 1),
        ("worker_kills_total", 1),
        ('http_refused_total{code="wrong_token"}', 4),
        ("telegram_connected", 1),
        ('telegram_events_total{event="handled"}', 3),
        (f'account_leading{{account="{ACCOUNT}"}}', 1),
        (f'reconciliation_cycles_total{{account="{ACCOUNT}"}}', 9),
        (f'stream_age_seconds{{account="{ACCOUNT}"}}', 70),
        (f'streams_connected{{account="{ACCOUNT}"}}', 1),
        (f'stream_events_total{{account="{ACCOUNT}",event="reconnected"}}', 2),
        (f'rate_budget_used_ratio{{account="{ACCOUNT}",budget="weight"}}', 0.25),
        (f'rate_budget_used_ratio{{account="{ACCOUNT}",budget="none"}}', 0),
        (f'breaker_open{{account="{ACCOUNT}"}}', 1),
        (f'clock_offset_seconds{{account="{ACCOUNT}"}}', -0.25),
        (f'positions{{account="{ACCOUNT}",state="PROTECTED"}}', 1),
        (f'positions{{account="{ACCOUNT}",state="UNPROTECTED"}}', 0),
        (f'position_size{{account="{ACCOUNT}",symbol="BTCUSDT"}}', -0.4),
        (f'position_unprotected_now_seconds{{account="{ACCOUNT}"}}', 1.5),
        (f'orders_in_doubt{{account="{ACCOUNT}"}}', 2),
        (f'reconciliation_findings{{account="{ACCOUNT}",code="position_larger"}}', 1),
        (f'reconciliation_findings{{account="{ACCOUNT}",code="foreign_orders"}}', 0),
        (f'reconciliation_age_seconds{{account="{ACCOUNT}"}}', 4),
        (f'wallet_drift_usdt{{account="{ACCOUNT}"}}', -0.25),
        (f'governor_halted{{account="{ACCOUNT}",kind="daily_loss"}}', 1),
        (f'governor_halted{{account="{ACCOUNT}",kind="drawdown"}}', 0),
        (f'last_candle_age_seconds{{account="{ACCOUNT}"}}', 30),
    ],
)
def test_each_figure_is_shown(sample: str, value: float) -> None:
    """Seconds, not milliseconds; a short position is negative."""
    assert scraped(figures())[sample] == value


def test_a_symbol_is_a_label_only_while_its_position_is_open() -> None:
    """Hundreds of symbols are traded in a year; a few are open at a time."""
    assert not [name for name in scraped(figures(held=())) if name.startswith("position_size")]


def test_what_is_not_known_is_not_shown() -> None:
    """A replica that stands by holds nothing that it knows of; zero would be a claim."""
    waits = AccountFigures(ACCOUNT, Role.STANDING_BY, "other", line=None)
    run = RunFigures("1", "live", is_ready=True, is_ledger_up=True, accounts=(waits,))
    found = scraped(run)

    assert found[f'account_leading{{account="{ACCOUNT}"}}'] == 0
    assert not [name for name in found if name.startswith(("position", "stream", "telegram"))]


def test_every_metric_is_in_the_list_and_the_specified_names_are_there() -> None:
    """Alerts and dashboards name them: one that is renamed is one that no alert sees."""
    meters = Meters()
    meters.registry.register(RunCollector(figures))
    content = generate_latest(meters.registry).decode()
    shown = dict(re.findall(r"^# TYPE (\S+) (\S+)$", content, re.MULTILINE))

    assert shown == {metric.name: metric.kind for metric in METRICS}
    assert set(BY_NAME) >= SPECIFIED
    assert not [name for name in shown if name.endswith("_created")]


def test_the_documents_show_the_same_list() -> None:
    """What an operator reads is what is served."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    told = {
        name: (kind, labels.replace("`", "").strip(), means)
        for name, kind, labels, means in _ROW.findall(text)
    }

    assert told == {m.name: (m.kind, ", ".join(m.labels), m.means) for m in METRICS}
