"""What leaves for BingX: parameters, signature, addresses."""

import hashlib
import hmac
import json
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest
from tests.support.bingx import CREDENTIALS, HOSTS, entry, stop

from milobot.domain.intents import Side
from milobot.domain.orders import OrderPurpose, OrderType
from milobot.domain.timeframes import Timeframe
from milobot.errors import AuthenticationError, ConfigurationError, DataError, ProtocolError
from milobot.exchanges.bingx import market_requests, requests
from milobot.exchanges.bingx.hosts import DEMO, PRODUCTION, BingxHosts
from milobot.exchanges.bingx.signing import BingxSigner
from milobot.exchanges.bingx.symbols import from_wire, to_wire
from milobot.exchanges.wire import Call, Priority

TIME_MS = 1_700_000_000_000


def params_of(call: Call) -> dict[str, str]:
    return dict(call.params)


def test_the_signature_covers_what_is_meant_and_the_address_carries_it_encoded() -> None:
    """An attached stop is JSON: signed as it will be sent encoded, BingX would refuse it."""
    call = requests.place_order(entry(attached=(stop("60000.5"),)))

    signed = BingxSigner(HOSTS, CREDENTIALS)(call, TIME_MS, 1.0)

    query = urlsplit(signed.url).query
    encoded, _, told = query.rpartition("&signature=")
    raw = "&".join(f"{name}={value}" for name, value in parse_qsl(encoded))
    assert told == hmac.new(b"secret", raw.encode(), hashlib.sha256).hexdigest()
    assert "%7B%22type%22" in encoded
    assert raw.index("recvWindow=2000") < raw.index(f"timestamp={TIME_MS}")
    assert signed.headers["X-BX-APIKEY"] == "key"
    assert signed.body == ""


def test_neither_key_nor_address_shows_in_a_text() -> None:
    """Whoever logs a request must not log a signature."""
    signed = BingxSigner(HOSTS, CREDENTIALS)(requests.fetch_balance(), TIME_MS, 1.0)

    assert "signature" not in repr(signed)
    assert "secret" not in repr(CREDENTIALS)


def test_public_calls_need_no_key() -> None:
    """Market data works before there is an account."""
    signed = BingxSigner(HOSTS, None)(market_requests.fetch_contracts(), TIME_MS, 1.0)

    assert signed.headers == {}
    with pytest.raises(AuthenticationError, match="milobot keys set"):
        BingxSigner(HOSTS, None)(requests.fetch_balance(), TIME_MS, 1.0)


def test_an_entry_has_the_documented_id_and_one_way_mode() -> None:
    """Under any other name the order would be created with an empty id."""
    params = params_of(requests.place_order(entry()))

    assert params["clientOrderId"] == "milo1"
    assert (params["symbol"], params["positionSide"]) == ("BTC-USDT", "BOTH")
    assert "reduceOnly" not in params


def test_attached_exits_are_by_last_price_and_by_quantity() -> None:
    """Left to itself BingX would trigger by mark price."""
    exits = (stop("60000.50"), stop("6.3E+4", type=OrderType.TAKE_PROFIT_MARKET))
    params = params_of(requests.place_order(entry(attached=exits)))

    assert json.loads(params["stopLoss"]) == {
        "type": "STOP_MARKET",
        "stopPrice": 60000.5,
        "workingType": "CONTRACT_PRICE",
        "quantity": 0.01,
    }
    assert '"stopPrice":63000,' in params["takeProfit"]
    assert json.loads(params["takeProfit"])["type"] == "TAKE_PROFIT_MARKET"


@pytest.mark.parametrize("closes", [True, False])
def test_a_stop_goes_without_an_id_and_by_last_price(*, closes: bool) -> None:
    """ClosePosition stands alone; by quantity it must be reduce-only."""
    params = params_of(requests.place_order(stop(close_position=closes)))

    assert (params["type"], params["stopPrice"]) == ("STOP_MARKET", "60000")
    assert params["workingType"] == "CONTRACT_PRICE"
    assert "clientOrderId" not in params
    told = {"closePosition", "quantity", "reduceOnly"} & params.keys()
    assert told == ({"closePosition"} if closes else {"quantity", "reduceOnly"})


def test_a_limit_order_that_closes_does_not_rest() -> None:
    """It is the way out where no market order fills."""
    close = entry(
        type=OrderType.LIMIT,
        purpose=OrderPurpose.CLOSE,
        side=Side.SELL,
        price=Decimal(1),
        reduce_only=True,
    )

    params = params_of(requests.place_order(close))

    assert (params["timeInForce"], params["reduceOnly"]) == ("IOC", "true")
    assert (
        params_of(requests.place_order(entry(type=OrderType.LIMIT, price=Decimal(1))))[
            "timeInForce"
        ]
        == "GTC"
    )


def test_numbers_leave_as_plain_decimals() -> None:
    """1.2e-05 is what other libraries send; whether BingX takes it nobody knows."""
    tiny = entry(quantity="1.2E-5", type=OrderType.LIMIT, price=Decimal("1E-7"))
    params = params_of(requests.place_order(tiny))

    assert (params["quantity"], params["price"]) == ("0.000012", "0.0000001")


def test_exits_go_first() -> None:
    """When the budget is short, whatever reduces risk leaves."""
    assert requests.place_order(stop()).priority is Priority.EXIT
    assert requests.place_order(entry()).priority is Priority.ORDER
    assert requests.fetch_positions().priority is Priority.QUERY


def test_each_interface_has_a_budget() -> None:
    """Ten orders a second since October 2025; a fifth is kept for exits by the limiter."""
    names = {limit.name: limit for limit in requests.LIMITS}
    placing = requests.place_order(entry())

    assert names[placing.costs[0][0]].most == 10
    assert names[placing.costs[0][0]].window_ms == 1000
    for call in (requests.fetch_positions(), market_requests.fetch_contracts()):
        assert all(name in names for name, _ in call.costs)


@pytest.mark.parametrize(
    ("timeframe", "end_ms"),
    [
        (Timeframe.H1, 1_704_067_200_000 + 3 * 3_600_000 - 1),
        (Timeframe.MONTH, 1_711_929_600_000 - 1),  # January to March 2024
    ],
)
def test_candles_are_asked_for_with_both_ends(timeframe: Timeframe, end_ms: int) -> None:
    """With a begin alone it is not said which of the candles a short list holds."""
    call = market_requests.fetch_candles(
        "BTCUSDT", timeframe, first_ms=1_704_067_200_000, limit=3, priority=Priority.QUERY
    )

    params = params_of(call)
    assert int(params["startTime"]) == 1_704_067_200_000 - 1
    assert int(params["endTime"]) == end_ms


@pytest.mark.parametrize("symbol", ["BTC", "USDT", "BTCUSDC", ""])
def test_what_is_no_usdt_perpetual_is_refused_in_a_sentence(symbol: str) -> None:
    """Only USDT-quoted perpetuals trade."""
    with pytest.raises(DataError, match="USDT perpetual"):
        to_wire(symbol)


@pytest.mark.parametrize("name", ["BTCUSDT", "-USDT", "BTC-", ""])
def test_a_name_without_hyphen_is_not_theirs(name: str) -> None:
    """An answer with such a symbol is not understood rather than misread."""
    with pytest.raises(ProtocolError, match="no symbol of BingX"):
        from_wire(name)


def test_one_address_stands_for_a_whole_exchange() -> None:
    """The local exchange serves everything below one port."""
    hosts = BingxHosts.at("http://127.0.0.1:8000/")

    assert hosts.rest == "http://127.0.0.1:8000"
    assert hosts.stream == "ws://127.0.0.1:8000/swap-market"
    with pytest.raises(ConfigurationError, match="BINGX_BASE_URL"):
        BingxHosts.at("http://exchange.example")


def test_known_hosts_are_encrypted_and_apart() -> None:
    """Play money must never meet the real host."""
    for hosts in (PRODUCTION, DEMO):
        assert hosts.rest.startswith("https://")
        assert hosts.stream.startswith("wss://")
    assert not {PRODUCTION.rest, PRODUCTION.stream} & {DEMO.rest, DEMO.stream}
