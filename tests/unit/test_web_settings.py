"""Settings of the server: strict values, secrets from files, rules from settings."""

from pathlib import Path

import pytest

from milobot.app.web_access import access_rules
from milobot.errors import ConfigurationError
from milobot.settings import load_settings
from milobot.telemetry import HIDDEN, redact

SECRET = "a-secret-of-these-tests"  # noqa: S105 - no secret of anybody
OTHER = "another_secret.of-tests"


pytestmark = pytest.mark.usefixtures("folder_without_settings")


def test_by_default_only_this_machine_gets_in() -> None:
    """Who sets nothing opens nothing."""
    rules = access_rules(load_settings(), is_real_money=True)

    assert (rules.listen, rules.token, rules.is_open) == ("127.0.0.1", "", False)
    assert rules.hosts == ("localhost", "127.0.0.1", "[::1]", "127.0.0.1")
    assert rules.tradingview_secret == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LISTEN", "http://bot.example"),
        ("LISTEN", "a b"),
        ("API_OPEN", "perhaps"),
        ("ALLOWED_HOSTS", "bot.example:8080"),
        ("ALLOWED_HOSTS", "https://bot.example"),
        ("ALLOWED_HOSTS", "*"),
        ("SIGNAL_RATE", "0"),
        ("SIGNAL_RATE", "nan"),
    ],
)
def test_malformed_value_names_variable_and_example(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name with a port would never match and lock everybody out."""
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError, match=f"{name}=.* is not valid: write {name}="):
        load_settings()


@pytest.mark.parametrize("name", ["API_TOKEN", "TRADINGVIEW_SECRET"])
@pytest.mark.parametrize("value", ["short", "fifteen-letters", "with a blank in it", "x" * 300])
def test_a_weak_secret_is_refused_and_not_shown(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence ends in a terminal that others may see."""
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError, match=f"{name} is not valid") as caught:
        load_settings()

    assert value not in str(caught.value)


def test_secrets_come_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Containers mount them."""
    (tmp_path / "token").write_text(f"{SECRET}\n")
    (tmp_path / "hook").write_text(OTHER)
    for name in ("token", "hook"):
        (tmp_path / name).chmod(0o600)
    monkeypatch.setenv("API_TOKEN_FILE", "token")
    monkeypatch.setenv("TRADINGVIEW_SECRET_FILE", "hook")

    rules = access_rules(load_settings(), is_real_money=False)

    assert (rules.token, rules.tradingview_secret) == (SECRET, OTHER)
    assert redact(f"GET /{OTHER}?{SECRET}") == f"GET /{HIDDEN}?{HIDDEN}"


def test_a_weak_secret_in_a_file_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where it comes from makes it no stronger."""
    (tmp_path / "token").write_text("short\n")
    monkeypatch.setenv("API_TOKEN_FILE", "token")

    with pytest.raises(ConfigurationError, match="API_TOKEN_FILE='token' cannot be used"):
        load_settings()


def test_what_is_set_becomes_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that is read and not handed on protects nobody."""
    for name, value in {
        "LISTEN": "0.0.0.0",  # noqa: S104 - not bound
        "API_TOKEN": SECRET,
        "API_OPEN": "true",
        "ALLOWED_HOSTS": "Bot.Example, 10.0.0.5,2001:db8::1,",
        "SIGNAL_RATE": "500",
        "TRADINGVIEW_SECRET": OTHER,
    }.items():
        monkeypatch.setenv(name, value)

    rules = access_rules(load_settings(), is_real_money=True)

    assert rules.listen == "0.0.0.0"  # noqa: S104 - not bound
    assert (rules.token, rules.tradingview_secret, rules.is_open) == (SECRET, OTHER, True)
    assert rules.allowed_hosts == ("bot.example", "10.0.0.5", "[2001:db8::1]")
    assert rules.signal_rate == 500


def test_a_server_for_others_without_a_token_does_not_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The check belongs to making the rules: nobody can forget it."""
    monkeypatch.setenv("LISTEN", "0.0.0.0")  # noqa: S104 - not bound

    with pytest.raises(ConfigurationError, match="set API_TOKEN"):
        access_rules(load_settings(), is_real_money=False)
