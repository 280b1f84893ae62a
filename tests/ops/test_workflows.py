"""Continuous integration: what runs there is pinned, may little, and does what was agreed."""

import re
from typing import Any

import pytest
import yaml
from tests.support.process import ROOT
from tests.support.tools import complaints

CALLED = "./.github/workflows/checks.yml"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
IDS = [path.name for path in WORKFLOWS]
PUSHING = [path.name for path in WORKFLOWS if "push: true" in path.read_text()]
PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def read(name: str) -> dict[Any, Any]:
    """Return a workflow."""
    path = next(path for path in WORKFLOWS if path.name == name)
    told: dict[Any, Any] = yaml.safe_load(path.read_text())
    return told


def steps(name: str) -> list[dict[str, Any]]:
    """Return all steps of a workflow."""
    return [step for job in read(name)["jobs"].values() for step in job.get("steps", [])]


def pushes(step: dict[str, Any]) -> bool:
    """Tell whether a step is one that changes what others fetch, or gets the right to."""
    used = step.get("uses", "")
    return step.get("with", {}).get("push") is True or "login-action@" in used or "attest-" in used


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
    lines = [line.strip() for line in path.read_text().splitlines()]
    used = [line for line in lines if "uses:" in line and f"uses: {CALLED} " not in line]

    assert used
    assert [line for line in used if not PINNED.search(line)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=IDS)
def test_jobs_may_what_they_need(path: Any) -> None:
    """Nothing by default; only a job that pushes an image may write, and it writes packages."""
    told = yaml.safe_load(path.read_text())

    assert told["permissions"] == {}
    for job in told["jobs"].values():
        written = {what for what, how in job["permissions"].items() if how == "write"}
        assert bool(written) == any(pushes(step) for step in job.get("steps", []))
        assert written <= {"packages", "id-token", "attestations"}
        assert "uses" in job or job["timeout-minutes"] <= 60


def test_a_job_that_may_write_runs_for_pushes_only() -> None:
    """The week's run and a pull request from a branch of this repository would have the right too."""
    for name in PUSHING:
        events = set(read(name)[True])  # YAML takes "on" for true
        for job in read(name)["jobs"].values():
            if "write" in job["permissions"].values():
                asked = job.get("if") == "${{ github.event_name == 'push' }}"
                assert asked or (events == {"push"} and "if" not in job)


@pytest.mark.parametrize("name", PUSHING)
def test_images_say_what_is_in_them(name: str) -> None:
    """Which code runs in the cluster is a question with one answer."""
    pushed = [step["with"] for step in steps(name) if step.get("with", {}).get("push") is True]

    assert len(pushed) == 1
    assert pushed[0]["target"] == "final"
    assert pushed[0]["sbom"] is True
    assert pushed[0]["provenance"] == "mode=max"
    assert "org.opencontainers.image.revision=${{ github.sha }}" in pushed[0]["labels"]
    names = [step["run"] for step in steps(name) if step.get("id") == "name"]
    assert "ghcr.io/${OWNER,,}/trading-bot" in names[0]


def test_each_name_of_an_image_is_given_by_one_workflow() -> None:
    """A release that pushed the name of the commit again would put another build over the tried one."""
    given = {
        name: {
            tag.removeprefix("${{ steps.name.outputs.image }}:") for tag in tags.split("\n") if tag
        }
        for name in PUSHING
        for tags in [next(s["with"]["tags"] for s in steps(name) if s.get("with", {}).get("push"))]
    }

    assert given == {
        "ci.yml": {"${{ github.sha }}"},
        "release.yml": {"${{ steps.name.outputs.version }}", "latest"},
    }


@pytest.mark.parametrize("name", PUSHING)
def test_nothing_is_pushed_before_everything_was_checked(name: str) -> None:
    """Neither from main nor for a release; and nothing at all from a pull request."""
    jobs = read(name)["jobs"]
    checks, pushing = jobs.pop("checks"), jobs.pop("push")

    assert not jobs
    assert checks["uses"] == CALLED
    assert checks["permissions"] == {"contents": "read"}
    assert "if" not in checks
    assert pushing["needs"] == "checks"
    assert "always" not in pushing.get("if", "")


def test_the_checks_are_all_there_and_none_may_fail() -> None:
    """None is left out or forgiven, and none waits: a group here would be that of the caller."""
    told = read("checks.yml")
    runs = {step["run"] for step in steps("checks.yml") if "run" in step}

    assert set(told[True]) == {"workflow_call"}
    assert "concurrency" not in told
    assert "continue-on-error" not in str(told)
    assert not [job for job in told["jobs"].values() if "if" in job]
    assert {"make check", "make check-delivery"} <= runs
    assert any(run.startswith("make test") for run in runs)
    assert any(run.startswith("pip-audit --strict") for run in runs)
    assert any(run.startswith("npm audit") for run in runs)


@pytest.mark.parametrize("name", ["checks.yml", *PUSHING])
def test_the_very_image_is_run_before_it_is_pushed(name: str) -> None:
    """Built, run, and pushed out of the same builder: a second build with caches may be another."""
    job = read(name)["jobs"]["push" if name in PUSHING else "image"]["steps"]
    tried = job.index({"run": "bash .github/try-image.sh trading-bot:tried"})
    built = job[tried - 1]["with"]

    assert (built["target"], built["load"], built["tags"]) == ("final", True, "trading-bot:tried")
    assert not [step for step in job[:tried] if pushes(step)]
    for step in job[tried:]:
        if step.get("with", {}).get("push"):
            assert not {"cache-from", "cache-to", "no-cache"} & set(step["with"])
    if name == "release.yml":
        assert built["no-cache"] is True
        assert "cache" not in str([step for step in job if step.get("with") != built])
