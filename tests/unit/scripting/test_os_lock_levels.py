"""Levels, the report about them as hostile input, and which script may run at which."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.process import ROOT

from milobot.errors import ConfigurationError, DataError
from milobot.scripting.lock_levels import (
    Level,
    LockReport,
    Purpose,
    Step,
    Trust,
    demand,
    may_run,
    read_report,
)
from milobot.scripting.syscalls import ALLOWED

FULL: dict[str, object] = {"ready": True, "level": "full", "failed": {}}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(failed=st.sets(st.sampled_from(Step)))
def test_report_survives_the_way_to_the_parent(failed: set[Step]) -> None:
    """Both sides must mean the same steps by the same words."""
    report = LockReport(dict.fromkeys(failed, "EPERM"))

    assert read_report(report.to_header()) == report


@given(failed=st.sets(st.sampled_from(Step)), further=st.sampled_from(Step))
def test_another_failure_never_raises_the_level(failed: set[Step], further: Step) -> None:
    """A worker that loses a step must not be believed more than before."""
    order = [Level.NONE, Level.PARTIAL, Level.FULL]
    before = LockReport(dict.fromkeys(failed, "EPERM")).level
    after = LockReport(dict.fromkeys(failed | {further}, "EPERM")).level

    assert order.index(after) <= order.index(before)


@given(failed=st.sets(st.sampled_from(Step), min_size=1))
def test_nothing_is_full_with_a_step_missing(failed: set[Step]) -> None:
    """Full is what live trading relies on."""
    assert LockReport(dict.fromkeys(failed, "EPERM")).level is not Level.FULL


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"ready": True},
        {"ready": True, "isolation": "full"},
        {"ready": True, "level": "full"},
        {"ready": 1, "level": "full", "failed": {}},
        {"ready": "true", "level": "full", "failed": {}},
        {"ready": True, "level": "FULL", "failed": {}},
        {"ready": True, "level": "fullest", "failed": {}},
        {"ready": True, "level": ["full"], "failed": {}},
        {"ready": True, "level": "full", "failed": []},
        {"ready": True, "level": "full", "failed": None},
        {"ready": True, "level": "full", "failed": {"landlock": "ENOSYS"}},
        {"ready": True, "level": "partial", "failed": {}},
        {"ready": True, "level": "partial", "failed": {"limits": "EPERM"}},
        {"ready": True, "level": "none", "failed": {"weather": "EPERM"}},
        {"ready": True, "level": "partial", "failed": {"landlock": 5}},
        {"ready": True, "level": "partial", "failed": {"landlock": ""}},
        {"ready": True, "level": "partial", "failed": {"landlock": "\x1b[2J"}},
        {"ready": True, "level": "partial", "failed": {"landlock": "x" * 201}},
        {"ready": True, "level": "full", "failed": {}, "more": 1},
    ],
)
def test_malformed_report_is_no_report(header: dict[str, object]) -> None:
    """What is not exactly a report must not be guessed into one."""
    with pytest.raises(DataError):
        read_report(header)


@given(header=st.dictionaries(st.sampled_from(["ready", "level", "failed", "x"]), JSON))
def test_any_object_is_a_report_or_refused(header: dict[str, object]) -> None:
    """The reader never fails in another way, and makes nothing full that does not say so."""
    try:
        report = read_report(header)
    except DataError:
        return
    assert report.level.value == header["level"]


def test_level_names_what_is_missing() -> None:
    """The user must learn what to ask of the machine."""
    report = LockReport({Step.LANDLOCK: "ENOSYS"})

    assert report.describe() == "partial (landlock: ENOSYS)"
    assert LockReport({}).describe() == "full"


@pytest.mark.parametrize(
    "trust",
    [
        Trust(Purpose.LIVE, is_bundled=is_bundled, is_trusted=is_trusted)
        for is_bundled, is_trusted in itertools.product((True, False), repeat=2)
    ],
)
def test_live_trading_needs_a_full_lock_whoever_vouches(trust: Trust) -> None:
    """No flag and no origin makes up for a missing lock beside real keys."""
    assert may_run(Level.FULL, trust)
    assert not may_run(Level.PARTIAL, trust)
    assert not may_run(Level.NONE, trust)


@pytest.mark.parametrize("level", list(Level))
def test_elsewhere_weak_locks_take_known_scripts_only(level: Level) -> None:
    """A back-test on a machine without the lock stays possible, with open eyes."""
    assert may_run(level, Trust(Purpose.SIMULATED, is_bundled=True))
    assert may_run(level, Trust(Purpose.SIMULATED, is_trusted=True))
    assert may_run(level, Trust(Purpose.SIMULATED)) == (level is Level.FULL)


def test_unsaid_trust_is_the_least() -> None:
    """Who forgets to say what a script is for gets the strictest rule."""
    assert not may_run(Level.PARTIAL, Trust())


@pytest.mark.parametrize(
    ("purpose", "advice"),
    [(Purpose.LIVE, "needs level full"), (Purpose.SIMULATED, "--trust-script")],
)
def test_refusal_says_what_to_do(purpose: Purpose, advice: str) -> None:
    """The way out differs: live has none but a better machine."""
    report = LockReport({Step.SECCOMP: "ENOSYS", Step.ALARM: "ENOSYS"})

    with pytest.raises(ConfigurationError, match=advice) as refusal:
        demand(report, Trust(purpose))

    assert "partial (seccomp: ENOSYS, alarm: ENOSYS)" in str(refusal.value)
    assert read_report(FULL).level is Level.FULL


def test_security_page_tells_what_is_so() -> None:
    """A threat model that drifts from the code is worse than none."""
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")

    assert [step for step in Step if f"| `{step}` |" not in page] == []
    assert f"a list of {len(ALLOWED)} system calls" in page
    assert f"{len(ALLOWED)} calls remain" in page
