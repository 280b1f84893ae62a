"""Continuous integration: what runs there is pinned, may little, and does what was agreed."""

import re
from typing import Any

import pytest
import yaml
from tests.support.process import ROOT
from tests.support.tools import complaints

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
IDS = [path.name for path in WORKFLOWS]
PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def read(name: str) -> dict[str, Any]:
    """Return a workflow."""
    path = next(path for path in WORKFLOWS if path.name == name)
    told: dict[str, Any] = yaml.safe_load(path.read_text())
    return told


def steps(name: str) -> list[dict[str, Any]]:
    """Return all steps of a workflow."""
    return [step for job in read(name)["jobs"].values() for step in job["steps"]]


def test_workflows_are_well_formed() -> None:
    """A workflow with an unknown key does not run, and nobody is told."""
    assert (
        complaints("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)
        == ""
    )


def test_workflows_open_no_door() -> None:
    """Injected text, stolen tokens, poisoned caches: what a specialist finds, it must not find."""
    assert complaints("zizmor", "--offline", "--no-progress", *WORKFLOWS) == ""


@pytest.mark.parametrize("path", WORKFLOWS, ids=IDS)
def test_actions_are_pinned_by_commit(path: Any) -> None:
    """A tag can be moved to other code over night."""
    used = [line.strip() for line in path.read_text().splitlines() if "uses:" in line]

    assert used
    assert [line for line in used if not PINNED.search(line)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=IDS)
def test_jobs_may_what_they_need(path: Any) -> None:
    """Nothing by default; only those that push an image may write, and they write packages."""
    told = yaml.safe_load(path.read_text())

    assert told["permissions"] == {}
    for name, job in told["jobs"].items():
        written = {what for what, how in job["permissions"].items() if how == "write"}
        assert name == "image" or not written
        assert written <= {"packages", "id-token", "attestations"}
        assert job["timeout-minutes"] <= 60


@pytest.mark.parametrize("path", WORKFLOWS, ids=IDS)
def test_images_are_named_after_their_commit_and_say_what_is_in_them(path: Any) -> None:
    """Which code runs in the cluster is a question with one answer."""
    pushed = [step["with"] for step in steps(path.name) if step.get("with", {}).get("push") is True]

    assert len(pushed) == 1
    assert "${{ steps.name.outputs.image }}:${{ github.sha }}" in pushed[0]["tags"]
    assert pushed[0]["target"] == "final"
    assert pushed[0]["sbom"] is True
    assert pushed[0]["provenance"] == "mode=max"
    names = [step["run"] for step in steps(path.name) if step.get("id") == "name"]
    assert "ghcr.io/${OWNER,,}/trading-bot" in names[0]


def test_nothing_is_pushed_before_everything_was_checked() -> None:
    """And nothing at all from a pull request."""
    jobs = read("ci.yml")["jobs"]
    runs = {step["run"] for step in steps("ci.yml") if "run" in step}

    assert set(jobs["image"]["needs"]) == set(jobs) - {"image"}
    for step in jobs["image"]["steps"]:
        if step.get("with", {}).get("push") or "login-action" in step.get("uses", ""):
            assert step["if"] == "${{ github.event_name == 'push' }}"
    assert {"make check", "make check-delivery"} <= runs
    assert any(run.startswith("make test") for run in runs)
    assert any(run.startswith("pip-audit --strict") for run in runs)
