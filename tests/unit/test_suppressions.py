"""Every exception from the rules says why, or the next reader takes it for an oversight."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What a linter is told ends in a dash and the reason, what mypy is told in a second comment.
SUPPRESSION = re.compile(r"# (?:noqa|type: ?ignore)\b")
REASONED = re.compile(
    r"# (?:noqa: [A-Z]+\d+(?:, [A-Z]+\d+)*|type: ignore\[[a-z, -]+\]) +(?:-|#) \w"
)
SKIP = re.compile(
    r"pytest\.(?:skip|xfail)\(\s*\)|mark\.(?:skip|xfail)\b(?!\()|mark\.(?:skip|xfail)\(\)"
)


def sources() -> list[Path]:
    """Return the Python files under version control."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "src", "tests"],  # noqa: S607 - the git that made the clone
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git clone")
    found = (ROOT / name for name in listed if name.endswith(".py"))
    return [path for path in found if path.is_file() and path != Path(__file__)]


def test_every_exception_from_the_rules_says_why() -> None:
    """A reason is what lets somebody else take the exception back one day."""
    silent = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sources()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if SKIP.search(line) or (SUPPRESSION.search(line) and not REASONED.search(line))
    ]

    assert silent == []


@pytest.mark.parametrize(
    ("line", "is_reasoned"),
    [
        ("import a  # noqa: PLC0415 - slow to import", True),
        ("call(b)  # type: ignore[arg-type]  # c says so", True),
        ("import a  # noqa: PLC0415", False),
        ("import a  # noqa", False),
        ("call(b)  # type: ignore[arg-type]", False),
    ],
)
def test_a_code_alone_is_no_reason(line: str, is_reasoned: bool) -> None:  # noqa: FBT001 - pytest's
    """The check itself must know the difference."""
    assert bool(REASONED.search(line)) is is_reasoned
