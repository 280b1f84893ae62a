"""Fault plans: parsing, counting, chance; decided by the seed and nothing else."""

from pathlib import Path

import pytest

from milobot.errors import ConfigurationError
from milobot.local_exchange.fault_kinds import KINDS, family
from milobot.local_exchange.faults import FaultPlan, load_plan, parse_plan, parse_rule_text


def struck(plan: FaultPlan, calls: list[str]) -> list[list[str]]:
    """Return the names of the faults that strike each call."""
    return [[rule.fault for rule in plan.decide(call)] for call in calls]


def test_rule_strikes_once_unless_told_otherwise() -> None:
    """The usual test wants one failure and then a healthy exchange."""
    plan = FaultPlan([parse_rule_text("drop_after")])

    assert struck(plan, ["query", "place", "place"]) == [[], ["drop_after"], []]


def test_skip_times_and_pattern() -> None:
    """The second cancel and the one after it, and nothing else."""
    plan = FaultPlan([parse_rule_text("drop_before:on=cancel,skip=1,times=2")])

    calls = ["cancel", "place", "cancel", "cancel", "cancel"]
    assert struck(plan, calls) == [[], [], ["drop_before"], ["drop_before"], []]


def test_code_stands_for_a_rejection() -> None:
    """``-2019`` is what people know; BingX codes work as well."""
    for text in ("-2019", "109400", "reject:code=-2019"):
        rule = parse_rule_text(text)
        assert rule.fault == "reject"
        assert int(rule.number("code")) in {-2019, 109400}


def test_chance_depends_on_seed_and_count_only() -> None:
    """Two runs of a plan must meet the same faults, another seed others."""

    def run(seed: int) -> list[list[str]]:
        plan = FaultPlan([parse_rule_text("drop_after:times=0,chance=0.5")], seed=seed)
        return struck(plan, ["place"] * 200)

    assert run(1) == run(1)
    assert run(1) != run(2)
    assert 60 < sum(map(len, run(1))) < 140


def test_event_and_stream_rules_do_not_see_requests() -> None:
    """``on=*`` means every call of its own family."""
    plan = FaultPlan([parse_rule_text("latency:times=0"), parse_rule_text("events_twice:times=0")])

    assert struck(plan, ["place", "event.ACCOUNT_UPDATE", "stream.market"]) == [
        ["latency"],
        ["events_twice"],
        [],
    ]


def test_latency_has_its_median_and_tail() -> None:
    """p50 and p95 are what a plan states; the draws must show them."""
    plan = FaultPlan([parse_rule_text("latency:p50_ms=50,p95_ms=200,times=0")], seed=3)
    draws = sorted(plan.latency_ms(plan.decide("query")[0]) for _ in range(2000))

    assert 45 < draws[1000] < 55
    assert 170 < draws[1900] < 230


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("explode", "unknown fault 'explode'"),
        ("drop_after:when=now", "no setting 'when'"),
        ("drop_after:often", "write name:key=value"),
        ("latency:p50_ms=fast", "latency.p50_ms is a number"),
        ("latency:p50_ms=nan", "latency.p50_ms is a number"),
        ("drop_after:times=1.5", "whole number"),
        ("drop_after:skip=-1", "whole number"),
    ],
)
def test_wrong_rule_is_refused_with_one_sentence(text: str, part: str) -> None:
    """A misspelt plan that silently does nothing would make every test pass."""
    with pytest.raises(ConfigurationError, match=part.replace("(", r"\(")):
        parse_rule_text(text)


@pytest.mark.parametrize(
    "content",
    [{"rules": "drop_after"}, {"rules": ["drop_after"]}, {"seed": "x"}, {"seed": True}],
)
def test_wrong_plan_is_refused(content: dict[str, object]) -> None:
    """The form of the whole is checked too."""
    with pytest.raises(ConfigurationError):
        parse_plan(content)


def test_plans_load_from_toml_and_json(tmp_path: Path) -> None:
    """Both forms say the same."""
    toml, json_ = tmp_path / "plan.toml", tmp_path / "plan.json"
    toml.write_text('seed = 4\n[[rules]]\nfault = "cut_body"\ntimes = 2\n')
    json_.write_text('{"seed": 4, "rules": [{"fault": "cut_body", "times": 2}]}')

    assert load_plan(toml).to_dict() == load_plan(json_).to_dict()
    assert load_plan(toml).seed == 4


@pytest.mark.parametrize("text", ["", "[1]", "seed ="])
def test_unreadable_plan_is_refused(tmp_path: Path, text: str) -> None:
    """Also a file that is not there."""
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"plan\.json holds no fault plan"):
        load_plan(path)
    with pytest.raises(ConfigurationError, match="holds no fault plan"):
        load_plan(tmp_path / "absent.toml")


def test_plan_counts_and_forgets() -> None:
    """The control endpoint shows what has struck."""
    plan = FaultPlan([parse_rule_text("drop_after")], seed=1)
    plan.decide("place")

    assert plan.to_dict()["rules"][0]["struck"] == 1
    assert plan.has("drop")
    plan.clear()
    assert plan.to_dict()["rules"] == []
    assert not plan.has("drop")


def test_every_kind_strikes_a_family_that_exists() -> None:
    """A kind whose pattern matches no call could never be tested."""
    assert {family(kind.on) for kind in KINDS.values()} == {"call", "event", "stream"}
    assert all(kind.summary for kind in KINDS.values())
