"""What ``docker build`` would be sent: the files that ``.dockerignore`` lets through."""

import re
import shutil
from pathlib import Path


def is_sent(path: str, patterns: list[str]) -> bool:
    """Return whether a file is part of the build context; the last pattern that fits decides.

    A pattern fits a path when it fits the path itself or a folder above it.

    >>> is_sent("src/a.py", ["*", "!src"]), is_sent("src/.env", ["*", "!src", "**/.env"])
    (True, False)
    """
    sent = True
    for pattern in patterns:
        is_back = pattern.startswith("!")
        if _as_regex(pattern.removeprefix("!")).match(path):
            sent = is_back
    return sent


def read_patterns(path: Path) -> list[str]:
    """Return the patterns of a ``.dockerignore``."""
    lines = (line.strip() for line in path.read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def send_context(root: Path, target: Path) -> int:
    """Copy what would be sent; return the number of files."""
    patterns = read_patterns(root / ".dockerignore")
    count = 0
    for top in sorted(root.iterdir()):
        for path in sorted(top.rglob("*")) if _may_hold(top, patterns) else [top]:
            name = path.relative_to(root).as_posix()
            if path.is_file() and is_sent(name, patterns):
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target / name)
                count += 1
    return count


def _may_hold(top: Path, patterns: list[str]) -> bool:
    """Return whether a folder at the top is sent in part; others need no walk."""
    return top.is_dir() and is_sent(top.name, patterns)


def _as_regex(pattern: str) -> re.Pattern[str]:
    text = re.escape(pattern.strip("/"))
    text = text.replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
    text = text.replace(r"\[", "[").replace(r"\]", "]")
    return re.compile(f"{text}(?:/|$)")
