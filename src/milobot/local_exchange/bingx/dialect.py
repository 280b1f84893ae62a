"""The BingX dialect: signatures, clocks, budgets, errors, envelopes."""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl

import orjson

from milobot.errors import DataError
from milobot.local_exchange import params as read
from milobot.local_exchange.bingx.account import AccountData
from milobot.local_exchange.bingx.errors import REFUSALS, error, injected
from milobot.local_exchange.bingx.market_data import MarketData
from milobot.local_exchange.bingx.streams import BingxStreams
from milobot.local_exchange.bingx.trading import Trading
from milobot.local_exchange.core.orders import Refusal, RefusedError
from milobot.local_exchange.core.venue import Venue
from milobot.local_exchange.limits import Budget, Window
from milobot.local_exchange.wire import ApiError, Bare, Call, Endpoint, Json, Security

_DEFAULT_WINDOW_MS = 5_000


class BingxDialect:
    """Speaks BingX swap v2."""

    name = "bingx"

    def __init__(self, venue: Venue, streams: BingxStreams, limits: Mapping[str, int]) -> None:
        """Prepare.

        Args:
            venue: The exchange behind it.
            streams: Its sockets; listen keys live there.
            limits: ``bingx_orders_1s`` by key, ``bingx_account_10s`` and ``bingx_market_10s``
                by address.
        """
        self._venue = venue
        self._streams = streams
        self._orders = Budget(Window(1, limits["bingx_orders_1s"]), venue.clock)
        self._accounts = Budget(Window(10, limits["bingx_account_10s"]), venue.clock)
        self._markets = Budget(Window(10, limits["bingx_market_10s"]), venue.clock)

    def endpoints(self) -> list[Endpoint]:
        """Return everything it serves."""
        parts = (
            MarketData(self._venue),
            Trading(self._venue),
            AccountData(self._venue),
            self._streams,
        )
        return [endpoint for part in parts for endpoint in part.endpoints()]

    def parse(self, method: str, target: str, headers: Mapping[str, str], body: str) -> Call:
        """Take a request apart; the signature covers the parameters as they read decoded."""
        path, _, query = target.partition("?")
        pairs = parse_qsl(query, keep_blank_values=True) + _body_pairs(body)
        signed = "&".join(f"{name}={value}" for name, value in pairs if name != "signature")
        params = dict(pairs)
        signature = params.pop("signature", "")
        return Call(method, path, headers.get("X-BX-APIKEY", ""), signed, signature, params)

    def authenticate(self, call: Call, endpoint: Endpoint) -> None:
        """Check key, rights, signature and time."""
        if endpoint.security is Security.NONE:
            return
        account = self._venue.account_of(call.key)
        if account is None:
            raise error(100413)
        if not account.rights.allowed_ip:
            raise error(100419)
        call.account = account
        if endpoint.security is Security.KEY:
            return
        if not call.signature:
            raise error(100412)
        digest = hmac.new(account.secret.encode(), call.signed_text.encode(), hashlib.sha256)
        if not hmac.compare_digest(digest.hexdigest(), call.signature.lower()):
            raise error(100001)
        self._check_time(call)
        if not account.rights.can_trade and endpoint.call.startswith(("place", "cancel", "set_")):
            raise error(100004)

    def charge(self, call: Call, endpoint: Endpoint) -> dict[str, str]:
        """Charge the budget that the endpoint belongs to."""
        budget, owner = self._accounts, call.ip
        if endpoint.call.startswith("place"):
            budget, owner = self._orders, call.key
        elif endpoint.security is Security.NONE:
            budget = self._markets
        used = budget.use(owner, 1)
        left = max(0, budget.window.limit - used)
        now_s = self._venue.clock.now_ms() // 1000
        headers = {
            "X-RateLimit-Requests-Remain": str(left),
            "X-RateLimit-Requests-Expire": str(now_s + budget.reset_s()),
        }
        if used > budget.window.limit:
            failure = error(100410)
            failure.headers.update(headers)
            raise failure
        return headers

    def injected(self, fault: str, settings: Mapping[str, float | str]) -> ApiError:
        """Return the error that a fault answers with."""
        return injected(fault, settings)

    def render_error(self, error: ApiError) -> bytes:
        """Return the body of an error: code and message, or a gateway's text."""
        if error.code is None:
            return error.text.encode()
        now = self._venue.clock.now_ms()
        return orjson.dumps({"code": error.code, "msg": error.text, "data": {}, "timestamp": now})

    def translate(self, failure: Exception, call: Call, endpoint: Endpoint) -> ApiError:
        """Return the error for a refusal or malformed input."""
        if isinstance(failure, DataError):
            return error(109400, "Invalid parameters, err:interval")
        if not isinstance(failure, RefusedError):
            return error(109400)
        code, text = REFUSALS[failure.refusal]
        symbol = call.params.get("symbol", "")
        least = ""
        if failure.refusal is Refusal.BELOW_MIN_QUANTITY:
            least = str(self._venue.contract(symbol.replace("-", "")).rules.min_quantity)
        return error(code, text.format(symbol=symbol[:30], name=failure, least_quantity=least))

    def wrap(self, payload: Json) -> Json:
        """Put the payload into the envelope; the answers about listen keys have none."""
        if isinstance(payload, Bare):
            return payload
        now = self._venue.clock.now_ms()
        return {"code": 0, "msg": "", "timestamp": now, "data": payload}

    def _check_time(self, call: Call) -> None:
        try:
            timestamp = read.integer(call.params, "timestamp")
            window = read.integer(call.params, "recvWindow")
        except RefusedError as failure:
            raise error(100421) from failure
        if timestamp is None:
            raise error(100421)
        span = window or _DEFAULT_WINDOW_MS
        if not self._venue.clock.is_in_time(timestamp, span, lead_ms=span):
            raise error(100421)


def _body_pairs(body: str) -> list[tuple[str, str]]:
    if not body.startswith("{"):
        return parse_qsl(body, keep_blank_values=True)
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        return []
    return [(str(name), str(value)) for name, value in fields.items()]
