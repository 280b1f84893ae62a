"""The alerts: rules that are tested, metrics that exist, and a paragraph on what to do."""

import json
import re
from functools import cache
from typing import Any

import pytest
import yaml
from tests.support.process import ROOT
from tests.support.tools import complaints

from milobot.app.metrics import METRICS

MONITORING = ROOT / "monitoring"
DASHBOARD = MONITORING / "dashboard.json"
OPERATIONS = ROOT / "docs" / "operations.md"
EXPORTED = {
    f"{metric.name}{end}"
    for metric in METRICS
    for end in (("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",))
}
FROM_PROMETHEUS = {"up", "process_start_time_seconds"}
# What is left of an expression when texts, labels, durations and words of the language are gone.
NOT_METRICS = re.compile(
    r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(?:by|on|ignoring|without|group_left)\s*\([^)]*\)'
    r"|\b[a-z_]+\b(?=\s*\()|(?<![:\w])(?:or|and|unless|bool|sum|max|min|avg|count)\b|\b\d[\w.]*"
)
NAME = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")


@cache
def rules() -> list[dict[str, Any]]:
    """Return all rules of the alert file."""
    groups = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    """Return the rules that alert."""
    return [rule for rule in rules() if "alert" in rule]


def metrics_in(expression: str) -> set[str]:
    """Return the metrics that an expression reads."""
    return set(NAME.findall(NOT_METRICS.sub(" ", expression)))


def panels() -> list[dict[str, Any]]:
    """Return the panels of the dashboard that ask for something."""
    found = json.loads(DASHBOARD.read_text())["panels"]
    return [panel for panel in found if "targets" in panel]


def test_prometheus_takes_rules_and_configuration() -> None:
    """A rule with a typo is found here, not in the night when it should have woken somebody."""
    assert complaints("promtool", "check", "rules", MONITORING / "alerts.yml") == ""
    assert complaints("promtool", "check", "config", MONITORING / "prometheus.yml") == ""


def test_every_alert_fires_and_keeps_quiet_as_its_unit_test_says() -> None:
    """Silence while it burns and noise while nothing does are the two ways to be useless."""
    assert complaints("promtool", "test", "rules", MONITORING / "alerts_test.yml") == ""


def test_every_alert_has_a_unit_test_for_both() -> None:
    """An alert nobody has seen fire is a hope, one nobody has seen quiet is a nuisance."""
    tests = yaml.safe_load((MONITORING / "alerts_test.yml").read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]

    fired = {case["alertname"] for case in cases if case["exp_alerts"]}
    quiet = {case["alertname"] for case in cases if not case["exp_alerts"]}

    assert fired == quiet == {rule["alert"] for rule in alerts()}


@pytest.mark.parametrize(
    ("name", "expression", "wait"),
    [
        ("TradingBotDown", r'up\{job="trading-bot"\} == 0', "1m"),
        ("HighOrderFailureRate", r".* > 0\.05", "2m"),
    ],
)
def test_the_two_alerts_of_the_specification_are_as_specified(
    name: str, expression: str, wait: str
) -> None:
    """Their names, limits and times are what users have agreed on."""
    rule = next(rule for rule in alerts() if rule["alert"] == name)

    assert re.fullmatch(expression, rule["expr"])
    assert rule["for"] == wait


def test_rules_read_only_metrics_that_the_bot_exports() -> None:
    """A rule on a metric that was renamed never fires and looks well."""
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    read = {name for rule in rules() for name in metrics_in(rule["expr"])}

    assert read - recorded - FROM_PROMETHEUS - EXPORTED == set()
    assert len(read & EXPORTED) >= 8


def test_panels_read_only_metrics_that_the_bot_exports() -> None:
    """An empty panel looks like a quiet bot."""
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    read = {
        name
        for panel in panels()
        for target in panel["targets"]
        for name in metrics_in(target["expr"])
    }

    assert read - recorded - FROM_PROMETHEUS - EXPORTED == set()
    assert len(read) >= 15


def test_an_unknown_metric_would_be_found() -> None:
    """The search for names must not swallow the name it looks for."""
    wrong = 'sum by (account) (rate(orders_lost_total{purpose="entry"}[5m])) / on (account) x_total > 0.05'

    assert metrics_in(wrong) == {"orders_lost_total", "x_total"}


def test_every_alert_leads_to_a_paragraph_that_says_what_to_do() -> None:
    """Who is woken at three reads instructions; there must be some."""
    headings = re.findall(r"^#+ (.+)$", OPERATIONS.read_text(), re.MULTILINE)
    anchors = {heading.strip().lower().replace(" ", "-") for heading in headings}

    for rule in alerts():
        place, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert ROOT / place == OPERATIONS
        assert anchor in anchors, rule["alert"]
        assert rule["labels"]["severity"] in {"critical", "warning"}


def test_the_panels_have_names_and_places_of_their_own() -> None:
    """Two panels on one place hide each other."""
    places = [tuple(panel["gridPos"].values()) for panel in panels()]

    assert len(places) == len(set(places))
    assert len({panel["title"] for panel in panels()}) == len(places)
    assert len({panel["id"] for panel in json.loads(DASHBOARD.read_text())["panels"]}) >= len(
        places
    )


def test_the_chart_brings_the_same_rules() -> None:
    """Two sets of alerts drift apart until the wrong one is looked at."""
    chart = ROOT / "helm" / "trading-bot" / "files" / "alerts.yml"

    assert chart.read_bytes() == (MONITORING / "alerts.yml").read_bytes()
