"""Settings of Telegram: ids, secrets, and what belongs together."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from milobot.errors import ConfigurationError
from milobot.settings import Settings, load_settings

TOKEN = "123456:ABC-def_gh"  # noqa: S105 - of no bot


pytestmark = pytest.mark.usefixtures("folder_without_settings")


def load(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    """Return the settings of an environment."""
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def test_without_settings_there_is_no_telegram() -> None:
    """Nobody is logged in by surprise."""
    settings = load_settings()

    assert not settings.has_telegram
    assert settings.telegram_chats == frozenset()


def test_chats_are_ids_with_commas_and_secrets_come_from_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As `milobot telegram chats` lists them; containers mount secrets."""
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    (tmp_path / "token").chmod(0o600)

    settings = load(
        monkeypatch,
        TELEGRAM_API_ID="1234567",
        TELEGRAM_API_HASH=" 0123456789abcdef ",
        TELEGRAM_BOT_TOKEN_FILE="token",  # noqa: S106 - the name of a file
        TELEGRAM_CHATS=" -1001234567890, 42,",
    )

    assert settings.has_telegram
    assert settings.telegram_chats == {-1001234567890, 42}
    assert settings.telegram_bot_token == SecretStr(TOKEN)
    assert settings.telegram_api_hash == SecretStr("0123456789abcdef")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"TELEGRAM_API_ID": "x"},
            "TELEGRAM_API_ID='x' is not valid: write TELEGRAM_API_ID=1234567",
        ),
        (
            {"TELEGRAM_CHATS": "@mychannel"},
            "TELEGRAM_CHATS is not valid: write TELEGRAM_CHATS=-100",
        ),
        ({"TELEGRAM_BOT_TOKEN": "hunter2"}, "TELEGRAM_BOT_TOKEN is not valid: write"),
        ({"TELEGRAM_API_ID": "1"}, "set without TELEGRAM_API_HASH"),
        ({"TELEGRAM_BOT_TOKEN": TOKEN}, "TELEGRAM_BOT_TOKEN is set without TELEGRAM_API_ID"),
        ({"TELEGRAM_CHATS": "-1001"}, "TELEGRAM_CHATS is set without TELEGRAM_API_ID"),
        ({"TELEGRAM_SERVER": "example.com:1"}, "TELEGRAM_SERVER='example.com:1' is not valid"),
        ({"TELEGRAM_SERVER": "127.0.0.1:1"}, "belong together"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], sentence: str
) -> None:
    """With what to write; a secret is not quoted."""
    with pytest.raises(ConfigurationError) as refused:
        load(monkeypatch, **values)

    assert sentence in str(refused.value)
    assert "hunter2" not in str(refused.value)
