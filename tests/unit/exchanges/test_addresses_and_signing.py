"""Where requests go and how they are signed."""

import pytest

from milobot.errors import AuthenticationError, ConfigurationError
from milobot.exchanges.binance.hosts import DEMO, PRODUCTION, BinanceHosts
from milobot.exchanges.binance.signing import BinanceSigner, Credentials, signature, stamped
from milobot.exchanges.hosts import check_address
from milobot.exchanges.times import ExchangeClock, SteadyClock
from milobot.exchanges.wire import Access, Call, encode


@pytest.mark.parametrize(
    "address",
    ["https://x.example", "http://127.0.0.1:80", "http://localhost:1", "ws://[::1]:9", "wss://x"],
)
def test_encrypted_or_local_addresses_are_taken(address: str) -> None:
    """A slash at the end is a slip."""
    assert check_address(address + "/", name="X") == address


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://exchange.example", "use https://"),
        ("ws://10.0.0.7", "use wss://"),
        ("http://127.0.0.1.evil.example", "use https://"),
        ("ftp://x", "not an address"),
        ("exchange.example", "not an address"),
        ("https://", "not an address"),
        ("https://user:pw@x", "not an address"),
        ("https://x?a=1", "not an address"),
        ("https://x:notaport", "not an address"),
        ("", "not an address"),
    ],
)
def test_addresses_that_would_leak_keys_are_refused(address: str, said: str) -> None:
    """A key sent in the clear is everybody's."""
    with pytest.raises(ConfigurationError, match=said) as refused:
        check_address(address, name="BINANCE_BASE_URL")

    assert "BINANCE_BASE_URL" in str(refused.value)
    assert "pw" not in str(refused.value)


def test_one_address_stands_for_a_whole_exchange() -> None:
    """The local exchange serves everything below one port."""
    hosts = BinanceHosts.at("http://127.0.0.1:8000/")

    assert hosts.rest == "http://127.0.0.1:8000"
    assert hosts.stream == "ws://127.0.0.1:8000"
    assert BinanceHosts.at("https://x").stream == "wss://x"


def test_known_hosts_are_encrypted_and_apart() -> None:
    """Demo money must never meet the real host."""
    for hosts in (PRODUCTION, DEMO):
        assert hosts.rest.startswith("https://")
        assert hosts.stream.startswith("wss://")
    assert not {PRODUCTION.rest, PRODUCTION.stream} & {DEMO.rest, DEMO.stream}
    assert DEMO.rights is None


def test_the_documented_example_is_signed_as_documented() -> None:
    """Key, parameters and signature of Binance's own description of signed requests."""
    secret = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"  # noqa: S105 - from the public documentation
    query = (
        "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC"
        "&recvWindow=5000&timestamp=1591702613943"
    )
    assert signature(query, secret) == (
        "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9"
    )


def test_what_is_signed_is_what_is_sent() -> None:
    """Encoded once, signed as encoded."""
    signer = BinanceSigner(PRODUCTION, Credentials("key", "secret"))
    call = Call("GET", "/p", (("symbol", "币安USDT"),), Access.SIGNED)

    signed = signer(call, 17, 1.0)

    base = encode(stamped(call.params, 17))
    assert signed.url.startswith(f"https://fapi.binance.com/p?{base}&signature=")
    assert signed.time_ms == 17


def test_keys_travel_only_where_they_are_needed() -> None:
    """A public request with a key tells who asks."""
    signer = BinanceSigner(PRODUCTION, Credentials("key", "secret"))

    assert signer(Call("GET", "/p"), 0, 1).headers == {}
    assert signer(Call("POST", "/p", access=Access.KEY), 0, 1).headers["X-MBX-APIKEY"] == "key"


def test_without_a_key_nothing_private_leaves() -> None:
    """And the user is told how to add one."""
    signer = BinanceSigner(PRODUCTION, None)

    with pytest.raises(AuthenticationError, match="keys set"):
        signer(Call("GET", "/p", access=Access.SIGNED), 0, 1)
    assert signer(Call("GET", "/p"), 0, 1).url == "https://fapi.binance.com/p"


def test_credentials_are_not_shown() -> None:
    """Not in a log, a traceback, a debugger's list of variables."""
    assert repr(Credentials("key-abc", "secret-def")) == "Credentials()"


def test_the_clock_takes_the_middle_of_the_round_trip() -> None:
    """The server reads its clock somewhere between our asking and our hearing."""

    class Standing:
        def now_ms(self) -> int:
            return 5000

    clock = ExchangeClock(Standing())
    clock.learn(asked_ms=1000, told_ms=9050, received_ms=1100)

    assert (clock.offset_ms, clock.uncertainty_ms) == (8000, 50)
    assert (clock.now_ms(), clock.local_ms()) == (13_000, 5000)


def test_the_steady_clock_never_runs_backwards() -> None:
    """Deadlines compare its values."""
    clock = SteadyClock()
    times = [clock.now_ms() for _ in range(1000)]

    assert times == sorted(times)
    assert times[0] > 1_700_000_000_000
