"""What a release and a trial of an image ask for, carried out with stand-ins for git's server and docker."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.support.process import ROOT

PYPROJECT = '[project]\nname = "milobot"\nversion = "1.2.3"\n'
# Answers to "docker": the trial asks for the health, for doctor's word and for how the bot ended.
DOCKER = """#!/bin/sh
echo "$*" >>"$TOLD"
case "$*" in
    *Health.Status*) echo "$HEALTH" ;;
    *ExitCode*) echo "$EXIT" ;;
    "exec tried milobot doctor --offline") exit "$DOCTOR" ;;
esac
"""


def git(folder: Path, *words: str) -> None:
    """Run git as nobody in particular."""
    who = ("-c", "user.name=test", "-c", "user.email=test@example.com")
    command = ["git", *who, "-c", "init.defaultBranch=main", "-C", str(folder), *words]
    subprocess.run(command, check=True, capture_output=True, timeout=30)  # noqa: S603 - git on a folder of ours


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a repository at a commit that is on main, as the release's checkout makes it."""
    chart = tmp_path / "helm" / "trading-bot" / "Chart.yaml"
    chart.parent.mkdir(parents=True)
    chart.write_text("name: trading-bot\nappVersion: 1.2.3\n")
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "released")
    git(tmp_path, "commit", "-m", "later", "--allow-empty")
    git(tmp_path, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(tmp_path, "checkout", "HEAD~1")
    return tmp_path


def judged(folder: Path, tag: str) -> int:
    """Return how the step that judges a tag ends."""
    told = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())
    first, step = told["jobs"]["push"]["steps"][:2]
    assert first["with"]["fetch-depth"] == 0, (
        "without its history main is not there to compare with"
    )
    command = ["bash", "-e", "-c", step["run"]]
    environment = {**os.environ, "TAG": tag}
    return subprocess.run(command, cwd=folder, env=environment, check=False, timeout=30).returncode  # noqa: S603 - ours


def test_a_commit_of_main_is_released_under_its_version(checkout: Path) -> None:
    """Not the last one only: main may have gone on."""
    assert judged(checkout, "v1.2.3") == 0


@pytest.mark.parametrize("tag", ["v1.2.4", "v1.2.30", "v1-2-3"])
def test_a_tag_that_is_not_the_version_is_refused(checkout: Path, tag: str) -> None:
    """An image of one version under the name of another is believed by everybody."""
    assert judged(checkout, tag) != 0


def test_a_commit_beside_main_is_refused(checkout: Path) -> None:
    """Whoever may push a tag could release what nobody has looked at."""
    git(checkout, "commit", "-m", "never merged", "--allow-empty")

    assert judged(checkout, "v1.2.3") != 0


def trial(folder: Path, health: str, doctor: str, ended: str) -> tuple[int, str]:
    """Try an image with a docker that answers as told; return how it ends and what docker was told."""
    for name, text in (("docker", DOCKER), ("sleep", "#!/bin/sh\n")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    told = folder / "told"
    answers = {"HEALTH": health, "DOCTOR": doctor, "EXIT": ended, "TOLD": str(told)}
    path = f"{folder}:{os.environ['PATH']}"
    done = subprocess.run(  # noqa: S603 - a script of ours
        ["bash", str(ROOT / ".github" / "try-image.sh"), "an:image"],  # noqa: S607 - bash is everywhere
        env={**os.environ, **answers, "PATH": path},
        check=False,
        timeout=60,
    )
    return done.returncode, told.read_text()


def test_an_image_that_does_well_passes_its_trial(tmp_path: Path) -> None:
    """It runs without rights on a read-only root, and so does the exchange beside it."""
    code, told = trial(tmp_path, "healthy", "0", "0")

    assert code == 0
    runs = [line for line in told.splitlines() if line.startswith("run ")]
    assert len(runs) == 2
    for line in runs:
        assert {"--read-only", "ALL", "no-new-privileges", "an:image"} <= set(line.split())


@pytest.mark.parametrize(
    ("health", "doctor", "ended"),
    [
        ("unhealthy", "0", "0"),
        ("starting", "0", "0"),
        ("healthy", "1", "0"),
        ("healthy", "0", "137"),
    ],
)
def test_an_image_that_fails_once_fails_its_trial(
    tmp_path: Path, health: str, doctor: str, ended: str
) -> None:
    """Never healthy, something found wrong, or killed because it did not end: each is enough."""
    assert trial(tmp_path, health, doctor, ended)[0] != 0
