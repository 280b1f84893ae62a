"""Tools that look at what is delivered: found, or the test is skipped; in CI it fails."""

import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

_HOW = "make .venv/.installed-ops brings it"


def find_program(name: str) -> str:
    """Return where a program is: beside this Python, or on the path."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    return found or _go_without(f"{name} is not installed: {_HOW}")


def find_package(name: str) -> ModuleType:
    """Return a package."""
    try:
        return import_module(name)
    except ImportError:
        return _go_without(f"{name} is not installed: {_HOW}")


def complaints(name: str, *words: str | Path) -> str:
    """Run a program that judges files; return what it has to complain about, "" for nothing."""
    command = [find_program(name), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)  # noqa: S603 - a tool of ours
    return "" if done.returncode == 0 else f"{done.stdout}{done.stderr}"


def _go_without(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; CI must not go without")
    pytest.skip(reason)
