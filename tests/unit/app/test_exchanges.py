"""Accounts, hosts and clients from settings."""

from typing import Any

import pytest
from pydantic import SecretStr

from milobot.app.exchanges import (
    AccountName,
    binance_hosts,
    bingx_hosts,
    check_exchange,
    describe_hosts,
    environment_name,
    key_from_environment,
    open_client,
    parse_account,
    refuse_rights,
    with_production_data,
)
from milobot.domain.reports import KeyRights
from milobot.errors import AuthenticationError, ConfigurationError
from milobot.exchanges.binance import hosts as binance
from milobot.exchanges.binance.client import BinanceClient
from milobot.exchanges.bingx import hosts as bingx
from milobot.exchanges.bingx.client import BingxClient
from milobot.settings import Settings

LOCAL = "http://127.0.0.1:8765"


def settings(**values: Any) -> Settings:
    """Return settings without those of the developer."""
    return Settings.model_construct(**values)


@pytest.mark.parametrize(
    ("name", "exchange", "account"),
    [
        ("default", "binance", AccountName("binance", "default")),
        ("main-2", "bingx", AccountName("bingx", "main-2")),
        ("bingx:main", None, AccountName("bingx", "main")),
        ("bingx:main", "bingx", AccountName("bingx", "main")),
    ],
)
def test_account_is_named_in_two_ways(
    name: str, exchange: str | None, account: AccountName
) -> None:
    """Commands and stores use the same words."""
    assert parse_account(name, exchange) == account
    assert parse_account(str(account)) == account


@pytest.mark.parametrize(
    ("name", "exchange", "said"),
    [
        ("main", None, "Add --exchange binance"),
        ("bingx:a", "binance", "name different exchanges"),
        ("Main", "bingx", "is no name for an account"),
        ("", "bingx", "is no name for an account"),
        ("a" * 33, "bingx", "is no name for an account"),
        ("a", "kraken", "'kraken' is unknown: use binance or bingx"),
        ("kraken:a", None, "'kraken' is unknown"),
    ],
)
def test_slip_in_an_account_is_one_sentence(name: str, exchange: str | None, said: str) -> None:
    """With what to write instead."""
    with pytest.raises(ConfigurationError, match=said):
        parse_account(name, exchange)


def test_exchange_may_be_written_large() -> None:
    """Binance calls itself that way."""
    assert check_exchange("BINANCE") == "binance"


def test_hosts_are_play_money_unless_said_otherwise() -> None:
    """The default must never reach an account with money in it."""
    unset, real = settings(), settings(binance_testnet=False, bingx_testnet=False)

    assert binance_hosts(unset.venue("binance")) == binance.DEMO
    assert bingx_hosts(unset.venue("bingx")) == bingx.DEMO
    assert binance_hosts(real.venue("binance")) == binance.PRODUCTION
    assert bingx_hosts(real.venue("bingx")) == bingx.PRODUCTION
    assert describe_hosts(unset, "binance").endswith("(play money)")
    assert describe_hosts(real, "bingx") == f"{bingx.PRODUCTION.rest} (real money)"


def test_address_of_the_user_replaces_the_hosts() -> None:
    """REST and streams go to the local exchange, under a source of their own."""
    local = settings(
        binance_base_url=LOCAL, bingx_base_url=LOCAL, bingx_stream_url="ws://127.0.0.1:1/swap"
    )

    ours, theirs = binance_hosts(local.venue("binance")), bingx_hosts(local.venue("bingx"))

    assert (ours.rest, ours.stream, ours.rights) == (LOCAL, "ws://127.0.0.1:8765", LOCAL)
    assert (theirs.rest, theirs.stream) == (LOCAL, "ws://127.0.0.1:1/swap")
    assert environment_name(local, "binance") == "binance-local"
    assert environment_name(local, "bingx") == "bingx-local"


def test_candles_of_another_environment_have_another_source() -> None:
    """Prices of a demo stored as the real market's would make every back-test lie."""
    proxy = settings(binance_testnet=False, binance_base_url="https://proxy.example")
    demo = settings(bingx_base_url=bingx.DEMO.rest)

    assert environment_name(proxy, "binance") == environment_name(
        settings(binance_testnet=False), "binance"
    )
    assert environment_name(demo, "bingx") == environment_name(settings(), "bingx")
    assert bingx_hosts(demo.venue("bingx")).assets == bingx.DEMO.assets


def test_proxy_is_not_asked_for_rights() -> None:
    """They are told by a host of Binance's own; 'not told' is true, 'none' would not be."""
    proxy = settings(binance_testnet=False, binance_base_url="https://proxy.example")

    assert binance_hosts(proxy.venue("binance")).rights is None


@pytest.mark.parametrize(("exchange", "kind"), [("binance", BinanceClient), ("bingx", BingxClient)])
async def test_client_takes_pace_and_hosts_from_settings(exchange: str, kind: type) -> None:
    """One place builds clients, so no setting is forgotten in another."""
    given = settings(rate_limit_semaphore=3, api_delay=0.5, ws_reconnect_delay=7.0)
    async with open_client(given, exchange) as client:
        assert isinstance(client, kind)
        options = vars(client)["_connection"].options

    assert (options.pace.parallel, options.pace.apart_s) == (3, 0.5)
    assert options.plan.reconnect_delay_s == 7.0


def test_market_of_a_paper_run_is_the_real_one() -> None:
    """A demo host's candles are not the market; only an address of the user's replaces it."""
    real = with_production_data(settings(), "binance")
    local = with_production_data(settings(bingx_base_url=LOCAL), "bingx")

    assert binance_hosts(real.venue("binance")) == binance.PRODUCTION
    assert bingx_hosts(local.venue("bingx")).rest == LOCAL


def test_key_of_the_environment_needs_both_halves() -> None:
    """Half a key signs nothing."""
    whole = settings(bingx_api_key=SecretStr("a-key"), bingx_secret_key=SecretStr("a-secret"))

    key = key_from_environment(whole, "bingx")

    assert key is not None
    assert (key.key, key.secret) == ("a-key", "a-secret")
    assert key_from_environment(whole, "binance") is None


@pytest.mark.parametrize(
    ("rights", "said"),
    [
        (KeyRights(can_trade=True, can_withdraw=True), "may withdraw from BingX"),
        (KeyRights(can_trade=False, can_withdraw=True), "may withdraw from BingX"),
        (KeyRights(can_trade=False, can_withdraw=None), "not trade futures"),
    ],
)
def test_dangerous_and_useless_keys_are_refused(rights: KeyRights, said: str) -> None:
    """One that is not told to withdraw may be used: demo hosts do not tell."""
    refuse_rights(KeyRights(can_trade=True, can_withdraw=None), "bingx")
    with pytest.raises(AuthenticationError, match=said):
        refuse_rights(rights, "bingx")
