"""docs/architecture.md speaks of what there is."""

import re
from pathlib import Path

import pytest
from tests.docs.pages import first_block
from tests.support.process import ROOT

SOURCE = ROOT / "src" / "milobot"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
LAYERS = [
    re.split(r"\s{3,}", line)[0].split(" | ")
    for line in first_block("docs/architecture.md", "text").splitlines()
]
PACKAGES = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
DOTTED = sorted(
    {
        span
        for span in re.findall(r"`([a-z_]+(?:\.[a-z_]+)+(?:\.[A-Z]\w+)?)`", PAGE)
        if span.partition(".")[0] in PACKAGES
    }
)


def test_layers_stand_as_the_linter_holds_them() -> None:
    """The drawing is what somebody new believes; the linter is what is true."""
    linted = (ROOT / ".importlinter").read_text(encoding="utf-8")
    wanted = linted.partition("layers =\n")[2].partition("\n\n")[0]
    rows = [re.findall(r"\w+", line) for line in wanted.splitlines()]

    assert [row for row in rows if row != ["__main__"]] == [
        row if "signals" not in row else [*row, "research"] for row in LAYERS
    ]


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_every_package_is_told_of(package: str) -> None:
    """A part without a line here is found by reading all of them."""
    assert f"| `{package}` |" in PAGE or any(package in row for row in LAYERS)


@pytest.mark.parametrize("name", DOTTED)
def test_what_is_named_exists(name: str) -> None:
    """A module that has moved sends its reader in circles."""
    *parts, last = name.split(".")
    module = SOURCE.joinpath(*parts, "" if last[0].isupper() else last)
    file = Path(f"{module}.py")

    assert file.is_file() or module.is_dir(), name
    if last[0].isupper():
        assert f"\nclass {last}" in file.read_text(encoding="utf-8"), name
