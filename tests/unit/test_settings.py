"""Settings: safe defaults, strict values, one sentence for what is wrong."""

from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.process import ROOT

from milobot.errors import ConfigurationError
from milobot.settings import Settings, load_settings

NAMES = [name.upper() for name in Settings.model_fields]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the developer's own settings out."""
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_defaults_are_safe() -> None:
    """Who sets nothing gets a stop, no unprotected position and no live trading."""
    settings = load_settings()

    assert settings.default_stop == Decimal("0.05")
    assert settings.allow_unprotected is False
    assert settings.trading_enabled is False
    assert settings.data_limit == 5000


def test_environment_beats_file_and_empty_counts_as_unset(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Compose files pass empty variables on; they must not break the start."""
    (tmp_path / ".env").write_text("DATA_LIMIT=300\nDEFAULT_STOP=2.5%\nBINGX_API_KEY=x\n")
    monkeypatch.setenv("DATA_LIMIT", "400")
    monkeypatch.setenv("LOG_LEVEL", "")

    settings = load_settings()

    assert settings.data_limit == 400
    assert settings.default_stop == Decimal("0.025")
    assert settings.log_level == "INFO"


def test_level_may_be_written_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Levels are upper-case in the log, however they were set."""
    monkeypatch.setenv("LOG_LEVEL", "warning")

    assert load_settings().log_level == "WARNING"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATA_LIMIT", "many"),
        ("DATA_LIMIT", "9"),
        ("DATA_LIMIT", "1000001"),
        ("DEFAULT_STOP", "5"),
        ("DEFAULT_STOP", "0.05"),
        ("DEFAULT_STOP", "0%"),
        ("DEFAULT_STOP", "100%"),
        ("DEFAULT_STOP", "-3%"),
        ("DEFAULT_STOP", "none"),
        ("ALLOW_UNPROTECTED", "perhaps"),
        ("LOG_LEVEL", "LOUD"),
        ("TRADING_ENABLED", "2"),
    ],
)
def test_malformed_value_names_variable_and_example(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop of 5 that means 500 % must never get as far as an order."""
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError) as caught:
        load_settings()

    assert str(caught.value).startswith(f"{name}={value!r} is not valid: write {name}=")
    assert "\n" not in str(caught.value)


def test_live_trading_is_refused_not_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for live trading must not believe that a paper run is it."""
    monkeypatch.setenv("TRADING_ENABLED", "true")

    with pytest.raises(ConfigurationError, match="no exchange connection yet"):
        load_settings()


def test_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    """A .env saved in another encoding is a common slip."""
    (tmp_path / ".env").write_bytes(b"LOG_LEVEL=\xff\xfe")

    with pytest.raises(ConfigurationError, match=r"\.env cannot be read"):
        load_settings()


def test_example_file_shows_every_setting_with_its_default() -> None:
    """The example is the documentation; copied as it is, it must change nothing."""
    example = ROOT / ".env.example"

    shown = {
        line.split("=")[0]
        for line in example.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    }

    assert shown == set(NAMES)
    assert load_settings(example) == Settings()
