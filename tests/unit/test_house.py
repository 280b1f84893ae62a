"""Rules of the house that no linter knows."""

import ast
import re
import statistics
import subprocess
from functools import cache
from pathlib import Path

import pytest
from tests.support.process import ROOT

from milobot.cli.main import SUB_COMMANDS, load_command

SOURCE = ROOT / "src" / "milobot"
MEDIAN_LINES = 200
MOST_LINES = 400

# Folders of one machine. Made of parts, so that this file does not hold what it looks for.
MACHINE_PATHS = re.compile(
    "|".join(rf"(?<![\w.~-])/{name}/" for name in ("work", "root", "home", "farm"))
    + r"|(?<![\w.])/tmp"
    + "/"
)
REGISTRY_HOSTS = re.compile(
    r"files\.python" + r"hosted|pypi\." + r"org|registry\.npm" + r"js|deb\." + r"debian\.org"
)
SHELL_BLOCK = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@cache
def tracked_files() -> tuple[Path, ...]:
    """Return what is under version control; outside a clone (a source archive) what lies there."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - the git that made the clone
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git clone")
    return tuple(path for name in listed if name and (path := ROOT / name).is_file())


def python_files(folder: Path) -> list[Path]:
    """Return the Python files below a folder."""
    return sorted(folder.rglob("*.py"))


@cache
def tree_of(path: Path) -> ast.Module:
    """Return a parsed file; several rules look at the same ones."""
    return ast.parse(path.read_text(encoding="utf-8"))


def lines_matching(pattern: re.Pattern[str]) -> list[str]:
    """Return the places in tracked text files where a pattern is found."""
    found = []
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [
            f"{path.relative_to(ROOT)}:{number}"
            for number, line in enumerate(text.splitlines(), 1)
            if pattern.search(line)
        ]
    return found


def test_no_file_names_a_place_of_one_machine() -> None:
    """A path of somebody's machine is wrong on every other."""
    assert lines_matching(MACHINE_PATHS) == []


def test_no_file_names_a_package_registry() -> None:
    """Where packages come from is set up on each machine, behind a mirror on some."""
    assert lines_matching(REGISTRY_HOSTS) == []


def test_source_files_are_small() -> None:
    """A file that fits the head is a file that gets repaired."""
    lengths = {
        path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines())
        for path in python_files(SOURCE)
        if path.name != "__init__.py"
    }

    assert statistics.median(lengths.values()) <= MEDIAN_LINES
    assert {path: n for path, n in lengths.items() if n > MOST_LINES} == {}


def test_files_of_tests_are_no_halls() -> None:
    """Who looks for the test of a rule reads one room, not a hall."""
    sizes = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in python_files(ROOT / "tests")
    }

    assert {name: lines for name, lines in sizes.items() if lines > MOST_LINES} == {}


def test_packages_hold_a_docstring_only() -> None:
    """Re-exports in packages are where import cycles begin."""
    for path in SOURCE.rglob("__init__.py"):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        assert len(body) == 1, path
        assert isinstance(body[0], ast.Expr), path


def test_tests_use_fakes_not_mocks() -> None:
    """A mock agrees with whatever the code does."""
    for path in python_files(ROOT / "tests"):
        imported = {name for node in ast.walk(tree_of(path)) for name in imported_modules(node)}
        assert not {n for n in imported if n.startswith(("unittest.mock", "mock", "pytest_mock"))}


def imported_modules(node: ast.AST) -> list[str]:
    """Return the modules that an import statement names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def test_every_test_says_why_it_matters() -> None:
    """A test that nobody understands is deleted when it fails."""
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in python_files(ROOT / "tests")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and ast.get_docstring(node) is None
    ]

    assert silent == []


def test_readme_names_both_commands() -> None:
    """Two commands are all a newcomer needs."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert "make demo" in readme
    assert "make test" in readme


def test_links_between_documents_lead_somewhere() -> None:
    """A dead link is the first thing a newcomer finds."""
    dead = []
    for path in tracked_files():
        if path.suffix != ".md":
            continue
        for target in LINK.findall(path.read_text(encoding="utf-8")):
            if re.match(r"[a-z]+:|#", target):
                continue
            if not (path.parent / target.split("#")[0]).exists():
                dead.append(f"{path.relative_to(ROOT)} -> {target}")

    assert dead == []


def test_documented_commands_and_flags_exist() -> None:
    """A documented flag that was renamed wastes a user's evening."""
    wrong = [
        f"{path.relative_to(ROOT)}: {line}"
        for path in tracked_files()
        if path.suffix == ".md"
        for block in SHELL_BLOCK.findall(path.read_text(encoding="utf-8"))
        for line in block.splitlines()
        if line.startswith("milobot ") and not is_understood(line.split("#")[0].split()[1:])
    ]

    assert wrong == []


def is_understood(words: list[str]) -> bool:
    """Return whether the command and all its flags exist; values are not looked at."""
    if words[0] not in SUB_COMMANDS:
        return False
    command = load_command(words[0])
    if hasattr(command, "commands"):
        if words[1] not in command.commands:
            return False
        command = command.commands[words[1]]
    known = {flag for parameter in command.params for flag in parameter.opts}
    return {word for word in words if word.startswith("--")} <= known | {"--help"}
