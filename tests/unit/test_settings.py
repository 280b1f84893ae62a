"""Settings: safe defaults, strict values, one sentence for what is wrong."""

from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.process import ROOT

from milobot.domain.governor import GovernorLimits
from milobot.domain.intents import Size, SizeKind
from milobot.errors import ConfigurationError
from milobot.settings import Settings, load_settings

NAMES = [name.upper() for name in Settings.model_fields]


pytestmark = pytest.mark.usefixtures("folder_without_settings")


def test_defaults_are_safe() -> None:
    """Who sets nothing gets a stop, no unprotected position and no live trading."""
    settings = load_settings()

    assert settings.default_stop == Decimal("0.05")
    assert settings.allow_unprotected is False
    assert settings.trading_enabled is False
    assert settings.data_limit == 5000
    assert settings.governor_limits() == GovernorLimits()


def test_environment_beats_file_and_empty_counts_as_unset(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Compose files pass empty variables on; they must not break the start."""
    (tmp_path / ".env").write_text("DATA_LIMIT=300\nDEFAULT_STOP=2.5%\nOF_ANOTHER_PROGRAM=x\n")
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
        ("BINANCE_TESTNET", "maybe"),
        ("BINGX_BASE_URL", "open-api.bingx.com"),
        ("BINANCE_BASE_URL", "http://10.0.0.7:8765"),
        ("BINANCE_STREAM_URL", "ws://exchange.example"),
        ("RATE_LIMIT_SEMAPHORE", "0"),
        ("API_DELAY", "-1"),
        ("API_DELAY", "nan"),
        ("WS_RECONNECT_DELAY", "0"),
        ("KLINES_BATCH_SIZE", "1500"),
        ("MAX_LEVERAGE", "0"),
        ("MAX_LEVERAGE", "10x"),
        ("MAX_POSITION_NOTIONAL", "0"),
        ("MAX_POSITION_NOTIONAL", "much"),
        ("MAX_TOTAL_NOTIONAL", "-500%"),
        ("MAX_TOTAL_NOTIONAL", "1e6"),
        ("MAX_OPEN_POSITIONS", "0"),
        ("MAX_ENTRIES_PER_MINUTE", "none"),
        ("MAX_SPREAD", "0.5"),
        ("MAX_SLIPPAGE", "0%"),
        ("DAILY_LOSS_LIMIT", "5"),
        ("DAILY_LOSS_LIMIT", "101%"),
        ("MAX_DRAWDOWN", "-20%"),
        ("MAX_PRICE_AGE", "0"),
        ("MAX_PRICE_AGE", "nan"),
        ("MAX_INTENT_AGE", "30s"),
        ("MAX_PRICE_DRIFT", "0.02"),
        ("ENGINE_DELAY", "301"),
        ("DATABASE_KIND", "mysql"),
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


def test_governor_limits_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that is read and not handed on protects nobody."""
    for name, value in {
        "MAX_LEVERAGE": "3",
        "MAX_POSITION_NOTIONAL": "150%",
        "MAX_TOTAL_NOTIONAL": " 20000 ",
        "MAX_OPEN_POSITIONS": "4",
        "MAX_ENTRIES_PER_MINUTE": "5",
        "MAX_SPREAD": "0.1%",
        "MAX_SLIPPAGE": "0.2%",
        "DAILY_LOSS_LIMIT": "2%",
        "MAX_DRAWDOWN": "100%",
        "MAX_PRICE_AGE": "0.5",
        "MAX_INTENT_AGE": "7",
        "MAX_PRICE_DRIFT": "1%",
    }.items():
        monkeypatch.setenv(name, value)

    assert load_settings().governor_limits() == GovernorLimits(
        max_leverage=3,
        max_position_notional=Size(SizeKind.EQUITY, Decimal("1.5")),
        max_total_notional=Size(SizeKind.QUOTE, Decimal(20000)),
        max_open_positions=4,
        max_entries_per_minute=5,
        max_spread=Decimal("0.001"),
        max_slippage=Decimal("0.002"),
        daily_loss=Decimal("0.02"),
        max_drawdown=Decimal(1),
        max_price_age_ms=500,
        max_intent_age_ms=7000,
        max_price_drift=Decimal("0.01"),
    )


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///milobot.db",
        "sqlite:////var/lib/milobot/ledger.db",
        "postgresql://user:word@db:5432/trading_bot?sslmode=require",
        "postgres://localhost/trading_bot",
        "postgresql+asyncpg://user@127.0.0.1/trading_bot",
    ],
)
def test_database_may_be_a_file_or_a_server(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """These are the two that the ledger knows, in the spellings that hosts hand out."""
    monkeypatch.setenv("DATABASE_URL", f" {url} ")

    assert load_settings().database_url.get_secret_value() == url


@pytest.mark.parametrize(
    "url",
    [
        "milobot.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite://milobot.db",
        "mysql://user:hunter2/x",
        "postgresql://localhost",
        "postgresql://user:hunter2@localhost:port/x",
        "postgresql://user:hunter2@db/x",
        "postgresql+psycopg2://db/x",
        "postgresql:hunter2/x",
    ],
)
def test_database_that_is_none_is_refused_unquoted(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ledger in memory forgets every order; and an address may hold a password."""
    said = refusal(monkeypatch, {"DATABASE_URL": url})

    assert said.startswith("DATABASE_URL ")
    assert "hunter2" not in said


@pytest.mark.parametrize("url", ["", "sqlite:///milobot.db"])
def test_a_server_that_is_demanded_is_no_file(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replicas with a file each would all lead the account, and trade it several times over."""
    said = refusal(monkeypatch, {"DATABASE_URL": url, "DATABASE_KIND": "PostgreSQL"})

    assert said.startswith("DATABASE_KIND=postgresql, but DATABASE_URL is empty or names a SQLite")

    monkeypatch.setenv("DATABASE_URL", "postgresql://localhost/trading_bot")
    assert load_settings().database_kind == "postgresql"


def test_password_of_the_database_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings end in logs and reports."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:hunter2@localhost/x")

    settings = load_settings()

    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert "hunter2" not in shown


LIVE = {"TRADING_ENABLED": "true"}
KEY = "key-of-a-test-0123456789"


def refusal(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> str:
    """Return the sentence that refuses some variables."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "hosts",
    [
        {"BINANCE_TESTNET": "false"},
        {"BINGX_TESTNET": "false"},
        {"BINANCE_TESTNET": "false", "BINANCE_BASE_URL": "https://fapi.binance.com"},
        {"BINANCE_TESTNET": "false", "BINANCE_BASE_URL": "https://proxy.example"},
        {"BINGX_TESTNET": "false", "BINGX_BASE_URL": "https://127.0.0.1.example"},
    ],
)
def test_real_money_takes_both_switches(
    hosts: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trading on, testnet off: whoever says both means it, and what is in doubt is real."""
    for name, value in {**LIVE, **hosts}.items():
        monkeypatch.setenv(name, value)

    settings = load_settings()

    assert settings.trading_enabled is True
    assert not all(settings.venue(name).is_play_money for name in ("binance", "bingx"))


@pytest.mark.parametrize(
    "hosts",
    [
        {},
        {"BINANCE_BASE_URL": "http://127.0.0.1:8765", "BINANCE_TESTNET": "false"},
        {"BINANCE_BASE_URL": "https://demo-fapi.binance.com/"},
        {"BINGX_BASE_URL": "http://localhost:1", "BINGX_STREAM_URL": "ws://127.0.0.1:2"},
    ],
)
def test_play_money_may_be_traded(hosts: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Demo hosts, the default, and this machine hold no real money."""
    for name, value in {**LIVE, **hosts}.items():
        monkeypatch.setenv(name, value)

    settings = load_settings()

    assert settings.trading_enabled is True
    assert all(settings.venue(name).is_play_money for name in ("binance", "bingx"))


@pytest.mark.parametrize("address", ["https://fapi.binance.com", "https://proxy.example"])
def test_testnet_switch_is_not_bypassed_by_an_address(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BINANCE_TESTNET=true promises play money; an address elsewhere cannot keep that."""
    said = refusal(monkeypatch, {"BINANCE_BASE_URL": address})

    assert f"BINANCE_TESTNET=true asks for play money, but BINANCE_BASE_URL={address}" in said


def test_real_hosts_without_trading_are_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paper runs and downloads use the real market's candles."""
    monkeypatch.setenv("BINANCE_TESTNET", "false")

    assert load_settings().venue("binance").is_play_money is False


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"BINANCE_API_KEY": KEY}, "BINANCE_API_KEY is set without BINANCE_SECRET_KEY"),
        ({"BINGX_SECRET_KEY": KEY}, "BINGX_SECRET_KEY is set without BINGX_API_KEY"),
        ({"BINANCE_STREAM_URL": "wss://a.example"}, "BINANCE_STREAM_URL is set without"),
        (
            {"BINGX_BASE_URL": "http://127.0.0.1:1", "BINGX_STREAM_URL": "wss://a.example"},
            "lead to different machines",
        ),
    ],
)
def test_contradictions_are_named(
    variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a key, or half an address, is always a slip."""
    assert said in refusal(monkeypatch, variables)


def test_everything_wrong_is_named_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Who repairs one setting per start of a container repairs all evening."""
    said = refusal(
        monkeypatch,
        {
            "DATA_LIMIT": "many",
            "API_DELAY": "slow",
            "BINGX_API_KEY": KEY,
            "KEYS_PASSWORD_FILE": str(tmp_path / "missing"),
            "BINANCE_STREAM_URL": "wss://a.example",
        },
    )

    assert said.startswith("5 settings are wrong: ")
    for part in ("DATA_LIMIT='many'", "API_DELAY='slow'", "BINGX_API_KEY is set without"):
        assert part in said
    assert "KEYS_PASSWORD_FILE=" in said
    assert "BINANCE_STREAM_URL is set without" in said
    assert KEY not in said


def test_malformed_value_makes_no_second_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is no key is not also a key that is missing."""
    said = refusal(monkeypatch, {"BINGX_API_KEY": "two words", "BINGX_SECRET_KEY": KEY})

    assert said.startswith("BINGX_API_KEY is not valid: write BINGX_API_KEY as the exchange")


@pytest.mark.parametrize("name", ["BINANCE_API_KEY", "BINGX_SECRET_KEY", "BINANCE_BASE_URL"])
def test_what_may_be_secret_is_not_quoted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key pasted with a line break, or an address with a password, ends in many logs."""
    said = refusal(monkeypatch, {name: "https://user:hunter2@host\tx"})

    assert f"{name} is not valid: write {name}" in said
    assert "hunter2" not in said


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
