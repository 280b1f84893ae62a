"""Secrets in files, and names that are almost those of settings."""

import os
from pathlib import Path

import pytest
from tests.unit.test_settings import KEY, refusal

from milobot.errors import ConfigurationError
from milobot.settings import load_settings

pytestmark = pytest.mark.usefixtures("folder_without_settings")


def write(name: str, content: bytes, mode: int = 0o600) -> Path:
    """Write a file that only its owner reads, unless told otherwise."""
    path = Path(name)
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_secrets_come_from_files_and_are_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Containers get secrets as files; the line break at the end belongs to the editor."""
    for name, content in (("key", f"{KEY}\n"), ("secret", "the-secret\r\n"), ("word", " a b \n")):
        write(name, content.encode())
    monkeypatch.setenv("BINANCE_API_KEY_FILE", "key")
    monkeypatch.setenv("BINANCE_SECRET_KEY_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("KEYS_PASSWORD_FILE", "word")

    settings = load_settings()
    venue = settings.venue("binance")

    assert venue.api_key is not None
    assert venue.secret_key is not None
    assert settings.keys_password is not None
    assert venue.api_key.get_secret_value() == KEY
    assert venue.secret_key.get_secret_value() == "the-secret"
    assert settings.keys_password.get_secret_value() == " a b "
    for shown in (repr(settings), str(settings), repr(venue), settings.model_dump_json()):
        assert KEY not in shown
        assert "the-secret" not in shown


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines", b"\xff\xfe", b"x" * 5000])
def test_secret_file_without_one_line_is_named(
    content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty secret file is what a wrong mount looks like."""
    write("word", content)

    said = refusal(monkeypatch, {"KEYS_PASSWORD_FILE": "word"})

    assert said.startswith("KEYS_PASSWORD_FILE='word' cannot be used")


def test_secret_file_that_is_a_pipe_without_a_writer_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It held up the start for ever."""
    os.mkfifo("word", 0o600)

    said = refusal(monkeypatch, {"KEYS_PASSWORD_FILE": "word"})

    assert said.startswith("KEYS_PASSWORD_FILE='word' cannot be used (nothing comes out of it):")


def test_secret_and_its_file_exclude_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sources of one secret disagree one day."""
    write("word", b"from the file")

    said = refusal(
        monkeypatch, {"KEYS_PASSWORD_FILE": "word", "KEYS_PASSWORD": "from the environment"}
    )

    assert said == "KEYS_PASSWORD and KEYS_PASSWORD_FILE are both set: keep one of them"


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602])
def test_secret_file_that_everybody_reads_is_refused(
    mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every program on the machine could trade with it; the sentence has the command that helps."""
    write("word", b"a secret word", mode)

    said = refusal(monkeypatch, {"KEYS_PASSWORD_FILE": "word"})

    assert said == (
        f"KEYS_PASSWORD_FILE='word' can be read or changed by everybody on this machine (mode"
        f" {mode:04o}): run `chmod 600 word`, and replace the secret if others use this machine"
    )


def test_secret_file_of_a_group_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clusters mount secrets for the group of the container's user."""
    write("word", b"a secret word", 0o440)
    monkeypatch.setenv("KEYS_PASSWORD_FILE", "word")

    assert load_settings().keys_password is not None


def test_secret_file_on_a_read_only_mount_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker mounts secrets with mode 0444, and no chmod works there."""
    write("word", b"a secret word", 0o444)
    mounted = os.statvfs_result((4096, 4096, 1, 1, 1, 1, 1, 1, os.ST_RDONLY, 255))
    monkeypatch.setattr(os, "statvfs", lambda _path: mounted)
    monkeypatch.setenv("KEYS_PASSWORD_FILE", "word")

    assert load_settings().keys_password is not None


@pytest.mark.parametrize(
    ("content", "held"),
    [
        ("KEYS_PASSWORD=a secret word", "KEYS_PASSWORD"),
        ("api_token=of-thirty-two-characters-or-more-1", "API_TOKEN"),
        ("DATABASE_URL=postgresql://bot:hunter2@localhost/trading_bot", "DATABASE_URL"),
    ],
)
def test_settings_file_with_a_secret_that_everybody_reads_is_refused(
    content: str, held: str
) -> None:
    """It is the secret file that most people have, and an editor makes it with mode 0644."""
    write(".env", content.encode(), 0o644)

    with pytest.raises(ConfigurationError) as caught:
        load_settings()

    assert str(caught.value) == (
        f".env holds {held} and can be read or changed by everybody on this machine (mode 0644):"
        " run `chmod 600 .env`, and replace what is secret in it if others use this machine"
    )


@pytest.mark.parametrize(
    ("content", "mode"),
    [
        ("KEYS_PASSWORD=a secret word", 0o600),
        ("KEYS_PASSWORD=\nDATA_LIMIT=300", 0o644),
        ("DATABASE_URL=postgresql://postgres:postgres@localhost/trading_bot", 0o644),
        ("DATABASE_URL=sqlite:///milobot.db\nKEYS_PASSWORD_FILE=word", 0o644),
    ],
)
def test_settings_file_without_a_secret_may_be_read(content: str, mode: int) -> None:
    """A copy of the example works as it is; so does one that nobody else reads."""
    write(".env", content.encode(), mode)
    write("word", b"a secret word", 0o600)

    load_settings()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("BINANCE_API_KYE", "BINANCE_API_KEY"),
        ("BINGX_SECRET_KEYS", "BINGX_SECRET_KEY"),
        ("TRADING_ENABLE", "TRADING_ENABLED"),
        ("TRADNG_MODE", "TRADING_ENABLED"),
        ("MAX_LEVERGE", "MAX_LEVERAGE"),
        ("METRICS_PROT", "METRICS_PORT"),
        ("DATABSE_URL", "DATABASE_URL"),
        ("KEYS_PASSWORDFILE", "KEYS_PASSWORD_FILE"),
    ],
)
def test_a_name_that_is_almost_a_setting_is_refused(
    name: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit that nobody reads limits nothing, and nobody notices before it is needed."""
    said = refusal(monkeypatch, {name: "3"})

    assert said == f"{name} is no setting: did you mean {meant}? Rename it, or unset it"


def test_a_misspelt_name_in_the_settings_file_is_refused() -> None:
    """That is where most of them are written."""
    Path(".env").write_text("DALY_LOSS_LIMIT=2%\nMAX_DRAWDON=5%\n")

    with pytest.raises(ConfigurationError) as caught:
        load_settings()

    assert str(caught.value).startswith("2 settings are wrong: DALY_LOSS_LIMIT is no setting: did")
    assert "did you mean MAX_DRAWDOWN?" in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "LOGLEVEL",
        "LISTEN_FDS",
        "API_KEY",
        "TRADING_BOT_SERVICE_HOST",
        "TRADING_BOT_PORT_8080_TCP",
        "BINANCE_API_SECRET",
        "LOG_FILE",
        "DATABASE",
    ],
)
def test_variables_of_other_programs_are_left_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Systemd, clusters and other bots set theirs; none of them may keep this one from starting."""
    monkeypatch.setenv(name, "3")

    assert load_settings().max_leverage == load_settings(None).max_leverage


def test_an_old_misspelt_name_beside_the_right_one_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was meant is set."""
    monkeypatch.setenv("MAX_LEVERGE", "3")
    monkeypatch.setenv("MAX_LEVERAGE", "4")

    assert load_settings().max_leverage == 4
