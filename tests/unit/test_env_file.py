"""What stands in ``.env`` counts, or the start says which line of it does not."""

import os
import threading
from pathlib import Path

import pytest

from milobot.errors import ConfigurationError
from milobot.settings import load_settings, settings_to_exit

LOST = ": no NAME=value, so nothing of it would count; write it with =, its name bare"


pytestmark = pytest.mark.usefixtures("folder_without_settings")


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
        ('"MAX_LEVERAGE"=2', "MAX_LEVERAGE"),
        ("-MAX_LEVERAGE=2", "MAX_LEVERAGE"),
        ("$max_leverage=2", "MAX_LEVERAGE"),
        ("MAX_LEVERAGE:=2", "MAX_LEVERAGE"),
        ('export "MAX_LEVERAGE" = 2', "MAX_LEVERAGE"),
        ("\u200bMAX_LEVERAGE=2", "MAX_LEVERAGE"),
        ("set MAX_LEVERAGE=2", "MAX_LEVERAGE"),
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


@pytest.mark.parametrize("end", ["", " more"])
def test_a_line_that_a_quote_runs_over_is_refused(end: str) -> None:
    """It is a part of another value, whether that counts or not."""
    Path(".env").write_text(f'NOTE="abc\n export MAX_LEVERAGE=2\nX=foo"{end}\n')

    assert "2 (MAX_LEVERAGE)" in refused()


@pytest.mark.parametrize("second", ["MAX_LEVERAGE=3", "max_leverage = 3", "MAX_LEVERAGE="])
def test_a_setting_that_is_changed_further_down_is_refused(second: str) -> None:
    """Somebody reads the first one and believes it."""
    Path(".env").write_text(f"MAX_LEVERAGE=2\nOTHER=1\nOTHER=2\n{second}\n")

    assert refused() == "lines 1 and 4 of .env set MAX_LEVERAGE to different values: keep one"


def test_a_setting_may_stand_there_twice_if_it_stays_the_same() -> None:
    """An empty one, as in the example, is none yet."""
    Path(".env").write_text("MAX_LEVERAGE=\nMAX_LEVERAGE=2\n'MAX_LEVERAGE'=2\n-#MAX_LEVERAGE=3\n")

    assert load_settings().max_leverage == 2


def test_a_pipe_is_read_once_and_the_environment_beats_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Programs that keep secrets hand them over so; what was checked is what counts."""
    os.mkfifo(".env", 0o600)
    content = "max_leverage=3\nDATA_LIMIT=300\nENGINE_DELAY=20\n"
    monkeypatch.setenv("Data_Limit", "400")
    monkeypatch.setenv("ENGINE_DELAY", "")
    writer = threading.Thread(target=lambda: Path(".env").write_text(content))
    writer.start()
    settings = load_settings()
    writer.join()

    assert (settings.max_leverage, settings.data_limit, settings.engine_delay) == (3, 400, 20)
    assert load_settings() == settings


def test_a_file_without_end_is_refused() -> None:
    """Nobody writes so many settings."""
    Path(".env").write_text("#" * 1024 * 1024 + "\n")

    assert refused() == "the settings file .env has more than 1 MiB: shorten it"


@pytest.mark.parametrize(
    "wrong",
    [
        'FOO="a" b',
        "MAX_LEVERAGE: 2",
        "MAX_LEVERGE=2",
        "DATA_LIMIT=many",
        "TELEGRAM_BOT_TOKEN=1",
        "API_TOKEN=of-thirty-two-characters-or-more-1",
        "BINANCE_API_KEY=k\nBINANCE_SECRET_KEY=s",
        "API_TOKEN_FILE=none",
    ],
)
def test_a_way_out_is_open_whatever_else_is_wrong(wrong: str) -> None:
    """Nobody who has to get out at night repairs a limit first."""
    Path(".env").write_text(f"DATABASE_URL=sqlite:///other.db\n{wrong}\n")
    Path(".env").chmod(0o644)

    settings, said = settings_to_exit()

    assert said == refused()
    assert settings.database_url.get_secret_value() == "sqlite:///other.db"


@pytest.mark.parametrize(
    "wrong",
    [
        "DATABASE_URL sqlite:///other.db",
        "DATABSE_URL=sqlite:///other.db",
        "DATABASE_KIND=postgresql",
        "BINGX_TESTNET=perhaps",
        "BINANCE_API_KEY=half",
        "BINGX_BASE_URL=http://example.org",
        "KEYS_FLIE=other.json",
        "KEYS_PASSWORD_FILE=none",
    ],
)
def test_a_way_out_to_another_place_is_refused(wrong: str) -> None:
    """It would close something else, or say that nothing is open; other faults are left out."""
    Path(".env").write_text(f"{wrong}\nDATA_LIMIT=many\n")

    with pytest.raises(ConfigurationError) as caught:
        settings_to_exit()
    assert "DATA_LIMIT" not in str(caught.value)
    assert str(caught.value) in refused()


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
        ("device", "is no file: remove it, or put a file"),
        ("dangling link", "is a link that leads nowhere: remove it, or put a file"),
        ("looped link", "is a link that leads to itself: remove it, or put a file"),
    ],
)
def test_what_is_no_file_in_its_place_is_refused(kind: str, said: str) -> None:
    """It would count as none, and the bot trade by its defaults."""
    match kind:
        case "folder":
            Path(".env").mkdir()
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
