"""What stands in ``.env`` counts, or the start says which line of it does not."""

import os
from pathlib import Path

import pytest
from tests.unit.test_settings import NAMES

from milobot.errors import ConfigurationError
from milobot.settings import load_settings

LOST = ": no NAME=value, so nothing of it would count; write it with = and every quote closed"


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the developer's own settings out."""
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def refused() -> str:
    """Return the sentence that refuses the settings."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("MAX_LEVERAGE: 2", "MAX_LEVERAGE"),
        ("MAX_LEVERAGE:2", "MAX_LEVERAGE"),
        ("DAILY_LOSS_LIMIT 1%", "DAILY_LOSS_LIMIT"),
        ("MAX_DRAWDOWN", "MAX_DRAWDOWN"),
        ("export max_drawdown", "MAX_DRAWDOWN"),
        ('SIGNAL_RISK="0.5%', "SIGNAL_RISK"),
        ("SIGNAL_RISK='0.5%' or less", "SIGNAL_RISK"),
    ],
)
def test_a_line_that_sets_nothing_is_refused(
    line: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The limit that somebody wrote there would not limit anything; nothing else speaks of it."""
    Path(".env").write_text(f"# limits\n\n\r\n{line}\nDATA_LIMIT=300\n", newline="")

    assert refused().startswith(f"line 4 ({name}) of .env{LOST}")
    assert caplog.records == []


def test_all_such_lines_are_named_beside_what_else_is_wrong() -> None:
    """One start tells everything; what begins with no setting may be part of a secret."""
    Path(".env").write_text("MAX_LEVERAGE: 2\nDATA_LIMIT=many\nhunter2 hunter3\n")

    said = refused()

    assert said.startswith(f"2 settings are wrong: lines 1 (MAX_LEVERAGE), 3 of .env{LOST}")
    assert "DATA_LIMIT='many' is not valid" in said
    assert "hunter" not in said


def test_lines_that_are_right_are_taken() -> None:
    """As far as they go, other programs' and those that a shell would read, too."""
    Path(".env").write_text(
        "\ufeff# a comment\nexport MAX_LEVERAGE = 3 # three\nSIGNAL_RISK='0.5%'\n\nOTHER\n"
        'KEYS_PASSWORD="two\nlines"\nDATA_LIMIT=\n'
    )
    Path(".env").chmod(0o600)

    settings = load_settings()

    assert settings.max_leverage == 3
    assert str(settings.signal_risk) == "0.005"
    assert settings.data_limit == 5000


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("folder", "is a folder, as Docker makes one where a file to mount is missing: remove it"),
        ("pipe", "is a pipe: remove it, or put a file"),
        ("device", "is no file: remove it, or put a file"),
        ("dangling link", "is a link that leads nowhere: remove it, or put a file"),
        ("looped link", "is a link that leads to itself: remove it, or put a file"),
    ],
)
def test_what_is_no_file_in_its_place_is_refused(kind: str, said: str) -> None:
    """It would count as none, and the bot trade by its defaults; a pipe would hold it up."""
    match kind:
        case "folder":
            Path(".env").mkdir()
        case "pipe":
            os.mkfifo(".env")
        case _:
            leads_to = {"device": "/dev/zero", "dangling link": "nowhere", "looped link": ".env"}
            Path(".env").symlink_to(leads_to[kind])

    assert refused().startswith(f"the settings file .env {said}")


def test_no_file_may_be_had_on_purpose() -> None:
    """None at all, the empty device, or none asked for."""
    assert load_settings().max_leverage == load_settings(None).max_leverage

    Path(".env").symlink_to(os.devnull)
    load_settings()

    Path(".env").unlink()
    Path(".env").mkdir()
    load_settings(None)


def test_a_password_of_a_database_that_is_not_used_is_a_secret_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A variable that beats the one in the file does not make the file less readable."""
    Path(".env").write_text("DATABASE_URL=postgresql://bot:hunter2@localhost/trading_bot\n")
    Path(".env").chmod(0o644)
    monkeypatch.setenv("DATABASE_URL", "sqlite:///milobot.db")

    assert refused().startswith(".env holds DATABASE_URL and can be read or changed by everybody")

    Path(".env").write_text("DATABASE_URL=nonsense\n")
    load_settings()
