"""The folder of channels' profiles."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from milobot.app.profiles import load_profiles
from milobot.errors import ConfigurationError
from milobot.signal_settings import DEFAULT_PROFILES


def test_a_source_finds_its_own_profile_before_the_one_for_all(tmp_path: Path) -> None:
    """By the whole name of the source, by its id alone, else what is for everybody."""
    for name, cap in (("telegram_-1001", 3), ("-1002", 4), ("default", 5)):
        (tmp_path / f"{name}.toml").write_text(f"leverage_cap = {cap}\n")

    profiles = load_profiles(tmp_path)

    caps = [profiles.of(s).leverage_cap for s in ("telegram:-1001", "telegram:-1002", "http:x")]
    assert caps == [3, 4, 5]


def test_no_folder_means_no_profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to write one."""
    monkeypatch.chdir(tmp_path)

    assert load_profiles(DEFAULT_PROFILES).of("telegram:-1001").leverage_cap is None


@pytest.mark.parametrize("name", ["missing", "a-file"])
def test_a_folder_that_was_named_has_to_be_one(tmp_path: Path, name: str) -> None:
    """A slip in its name would trade every channel without the limits of its profile."""
    (tmp_path / "a-file").write_text("leverage_cap = 3\n")

    with pytest.raises(ConfigurationError, match="is no folder: make it, or name the one with"):
        load_profiles(tmp_path / name)


@pytest.mark.parametrize(
    "put",
    [
        lambda place: place.write_text("leverage_cap = 3\n"),
        lambda place: place.symlink_to("moved"),
    ],
    ids=["a file", "a link that leads nowhere"],
)
def test_something_else_in_the_place_of_the_default_folder_is_no_missing_folder(
    put: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody meant something by it, and the channels would be traded without their limits."""
    monkeypatch.chdir(tmp_path)
    put(DEFAULT_PROFILES)

    with pytest.raises(ConfigurationError, match="SIGNAL_PROFILES='profiles' is no folder"):
        load_profiles(DEFAULT_PROFILES)


def test_a_folder_that_may_not_be_listed_is_not_taken_for_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may list everything, so the answer of the system is made up."""
    (tmp_path / "default.toml").write_text("leverage_cap = 3\n")

    def closed(path: Path) -> list[str]:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "listdir", closed)
    monkeypatch.setattr(os, "scandir", closed)

    with pytest.raises(ConfigurationError, match=r"cannot be listed \(Permission denied\): allow"):
        load_profiles(tmp_path)


@pytest.mark.parametrize("leads_to", ["/dev/zero", "nowhere"])
def test_a_profile_that_is_no_file_is_refused(tmp_path: Path, leads_to: str) -> None:
    """A device has no end, and reading all of it takes the memory of the machine."""
    (tmp_path / "a.toml").symlink_to(leads_to)

    with pytest.raises(ConfigurationError, match=r"a\.toml (is too large|cannot be read)"):
        load_profiles(tmp_path)


def test_what_profiles_name_is_known_ahead(tmp_path: Path) -> None:
    """Prices of named symbols are streamed from the start; named exchanges have to be there."""
    (tmp_path / "a.toml").write_text('symbols = ["ETHUSDT", "BTCUSDT"]\nexchange = "binance"\n')
    (tmp_path / "b.toml").write_text('symbols = ["BTCUSDT"]\nleverage_cap = 5\n')

    profiles = load_profiles(tmp_path)

    assert profiles.symbols == ("BTCUSDT", "ETHUSDT")
    assert profiles.exchanges == {"binance"}
    assert profiles.leverages == {"BTCUSDT": 5}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"risq = '1%'\n", "a.toml: the key 'risq' is not known"),
        (b"\xff\xfe", "the profile a.toml is no text"),
        (b"#" * 70_000, "a.toml is too large"),
    ],
)
def test_a_wrong_profile_ends_the_start(tmp_path: Path, content: bytes, said: str) -> None:
    """A channel must not be traded by other rules than its owner wrote."""
    (tmp_path / "a.toml").write_bytes(content)

    with pytest.raises(ConfigurationError) as refused:
        load_profiles(tmp_path)

    assert said in str(refused.value)
