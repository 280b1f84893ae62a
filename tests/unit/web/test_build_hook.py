"""The build brings the chart library along, and never fails for want of it."""

import json
import shutil
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

hatch_build: Any = pytest.importorskip("hatch_build", reason="hatchling is not installed here")
ROOT = Path(__file__).parents[3]

FAKE_NPM = """#!{python}
import pathlib
for name, text in {files!r}.items():
    path = pathlib.Path("node_modules", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
raise SystemExit({code})
"""
DELIVERY = {
    "lightweight-charts/dist/lightweight-charts.standalone.production.mjs": "export {}",
    "lightweight-charts/LICENSE": "Apache",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a source tree that holds what the hook reads."""
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only folder on the PATH, still empty."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def _install_npm(tools: Path, files: dict[str, str], code: int = 0) -> None:
    npm = tools / "npm"
    npm.write_text(FAKE_NPM.format(python=sys.executable, files=files, code=code))
    npm.chmod(npm.stat().st_mode | stat.S_IXUSR)


def _build(root: Path) -> dict[str, str]:
    data: dict[str, Any] = {"force_include": {}}
    hook = hatch_build.ChartLibraryHook(str(root), {}, None, None, str(root / "dist"), "wheel")
    hook.initialize("standard", data)
    return {Path(source).name: target for source, target in data["force_include"].items()}


def test_the_library_and_its_licence_go_into_the_wheel(root: Path, tools: Path) -> None:
    """Its licence asks for both."""
    _install_npm(tools, DELIVERY)

    included = _build(root)

    assert included == {
        name: f"milobot/web/static/vendor/{name}"
        for name in (
            "NOTICE.txt",
            "VERSION",
            "lightweight-charts.LICENSE.txt",
            "lightweight-charts.js",
        )
    }
    notice = (root / hatch_build.VENDOR / "NOTICE.txt").read_text()
    assert "https://www.tradingview.com/" in notice
    assert not (root / "node_modules").exists()


@pytest.mark.parametrize(("files", "code"), [({}, 1), (DELIVERY, 1), ({}, 0)])
def test_a_failing_npm_is_a_warning(
    root: Path,
    tools: Path,
    capfd: pytest.CaptureFixture[str],
    files: dict[str, str],
    code: int,
) -> None:
    """A trader without the front-end world can still back-test."""
    _install_npm(tools, files, code)

    _build(root)

    assert "tables instead of charts" in "".join(capfd.readouterr())
    assert not (root / hatch_build.VENDOR / "VERSION").exists()


@pytest.mark.usefixtures("tools")
def test_no_npm_is_a_warning(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The sentence says what to install."""
    assert _build(root) == {}
    assert "npm was not found. Install Node.js with npm" in "".join(capfd.readouterr())


def test_the_locked_version_is_not_fetched_twice(root: Path, tools: Path) -> None:
    """Building again must not need the network."""
    _install_npm(tools, DELIVERY)
    _build(root)
    (tools / "npm").unlink()

    assert len(_build(root)) == 4


def test_another_locked_version_is_fetched(root: Path, tools: Path) -> None:
    """An upgrade must reach the package."""
    _install_npm(tools, DELIVERY)
    _build(root)
    lock = json.loads((root / "package-lock.json").read_text())
    lock["packages"]["node_modules/lightweight-charts"]["version"] = "9.9.9"
    (root / "package-lock.json").write_text(json.dumps(lock))

    _build(root)

    assert (root / hatch_build.VENDOR / "VERSION").read_text() == "9.9.9\n"


def test_a_damaged_lock_file_is_a_warning(root: Path, tools: Path) -> None:
    """Half a checkout still builds."""
    _install_npm(tools, DELIVERY)
    (root / "package-lock.json").write_text("{")

    assert _build(root) == {}


def test_the_lock_file_fits_and_names_no_registry() -> None:
    """Everybody's npm is set to the registry that they may use."""
    text = (ROOT / "package-lock.json").read_text()
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]

    assert wanted == {"lightweight-charts": hatch_build.locked_version(ROOT)}
    assert "resolved" not in text
    assert "http" not in text
