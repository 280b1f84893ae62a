"""Build hook: puts the locked chart library from npm into the package.

The library is somebody else's work and is never committed. Without npm the
package is complete but for it, and the page shows tables instead of charts.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LIBRARY = "lightweight-charts"
LIBRARY_FILE = "dist/lightweight-charts.standalone.production.mjs"
VENDOR = Path("src/milobot/web/static/vendor")
# What a build takes from npm is small; a registry that does not answer must not hold it up.
NPM = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1")
NPM_TIMEOUT_S = 90
NPM_FILES = ("package.json", "package-lock.json", ".npmrc")
NOTICE = """\
TradingView Lightweight Charts(TM)
Copyright (c) TradingView, Inc. https://www.tradingview.com/
Apache License 2.0: lightweight-charts.LICENSE.txt

The file carries parts of fancy-canvas (MIT, Copyright TradingView, Inc.)
and of tslib (0BSD, Copyright Microsoft Corporation).
"""


class ChartLibraryHook(BuildHookInterface[Any]):
    """Copies the chart library and its licence beside the page's own files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch the library unless its locked version is already in place.

        Normal and editable builds both run this. A failure is a warning: the
        page says what is missing and how to get it.
        """
        root = Path(self.root)
        try:
            fetch_library(root)
        except LibraryMissingError as error:
            self.app.display_warning(
                f"milobot's page will show tables instead of charts: {error}. "
                "Install Node.js with npm and build again to get the charts."
            )
        vendor = root / VENDOR
        for path in sorted(vendor.glob("*")) if vendor.is_dir() else ():
            inside = VENDOR.relative_to("src") / path.name
            build_data["force_include"][str(path)] = str(inside)


class LibraryMissingError(Exception):
    """The library could not be fetched; the text says why, in half a sentence."""


def fetch_library(root: Path) -> None:
    """Put the locked version into the vendor folder; do nothing when it is there.

    Raises:
        LibraryMissingError: npm is not installed, or could not deliver.
    """
    locked = locked_version(root)
    vendor = root / VENDOR
    if (vendor / "VERSION").is_file() and (vendor / "VERSION").read_text().strip() == locked:
        return
    npm = shutil.which("npm")
    if npm is None:
        raise LibraryMissingError("npm was not found")
    with tempfile.TemporaryDirectory() as folder:
        _install(npm, root, Path(folder))
        _copy(Path(folder) / "node_modules" / LIBRARY, vendor, locked)


def locked_version(root: Path) -> str:
    """Return the library's version in the lock file.

    Raises:
        LibraryMissingError: There is no usable lock file.
    """
    try:
        lock = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))
        return str(lock["packages"][f"node_modules/{LIBRARY}"]["version"])
    except (OSError, ValueError, KeyError) as error:
        raise LibraryMissingError("package-lock.json is missing or damaged") from error


def _install(npm: str, root: Path, folder: Path) -> None:
    """Run npm in a folder of its own, so that the working tree stays as it is."""
    for name in NPM_FILES:
        if (root / name).is_file():
            shutil.copyfile(root / name, folder / name)
    try:
        subprocess.run(  # noqa: S603 - npm as found on the PATH, arguments are constants
            (npm, *NPM[1:]), cwd=folder, check=True, capture_output=True, timeout=NPM_TIMEOUT_S
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise LibraryMissingError(f"npm ci failed ({type(error).__name__})") from error


def _copy(package: Path, vendor: Path, version: str) -> None:
    """Copy library and licence; the version file comes last and marks the copy as whole."""
    vendor.mkdir(parents=True, exist_ok=True)
    (vendor / "VERSION").unlink(missing_ok=True)
    try:
        shutil.copyfile(package / "LICENSE", vendor / f"{LIBRARY}.LICENSE.txt")
        # Named .js: every web server and every mime table knows what that is.
        shutil.copyfile(package / LIBRARY_FILE, vendor / f"{LIBRARY}.js")
    except OSError as error:
        raise LibraryMissingError(f"the package {LIBRARY} lacks a file") from error
    (vendor / "NOTICE.txt").write_text(NOTICE)
    (vendor / "VERSION").write_text(f"{version}\n")
