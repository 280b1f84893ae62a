"""The Binance dialect: signatures, clocks, budgets, errors."""

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Mapping
from urllib.parse import parse_qsl

import orjson

from milobot.errors import DataError
from milobot.local_exchange import params as read
from milobot.local_exchange.binance.account import AccountData
from milobot.local_exchange.binance.errors import REFUSALS, error, injected
from milobot.local_exchange.binance.market_data import MarketData
from milobot.local_exchange.binance.streams import BinanceStreams
from milobot.local_exchange.binance.trading import Trading
from milobot.local_exchange.core.orders import Refusal, RefusedError
from milobot.local_exchange.core.venue import Venue
from milobot.local_exchange.limits import Budget, Window
from milobot.local_exchange.wire import ApiError, Call, Endpoint, Json, Security

_MOST_WINDOW_MS = 60_000
_DEFAULT_WINDOW_MS = 5_000
_BAN_AFTER = 20
_BAN_S = 120
_MANDATORY = "Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
# (rows up to, weight). Source: Kline/Candlestick Data, USD-M futures documentation.
_KLINE_WEIGHTS = ((99, 1), (499, 2), (1000, 5), (1500, 10))
# Of all symbols at once. Source: Current All (Algo) Open Orders, USD-M futures documentation.
_LISTINGS, _LISTING_WEIGHT = ("/openOrders", "/openAlgoOrders"), 40


class BinanceDialect:
    """Speaks Binance USD-M."""

    name = "binance"

    def __init__(self, venue: Venue, streams: BinanceStreams, limits: Mapping[str, int]) -> None:
        """Prepare.

        Args:
            venue: The exchange behind it.
            streams: Its sockets; listen keys live there.
            limits: ``weight`` a minute, ``orders_10s``, ``orders_1m``.
        """
        self._venue = venue
        self._streams = streams
        self._weight = Budget(Window(60, limits["weight"]), venue.clock)
        self._orders_10s = Budget(Window(10, limits["orders_10s"]), venue.clock)
        self._orders_1m = Budget(Window(60, limits["orders_1m"]), venue.clock)
        self._violations: dict[str, int] = defaultdict(int)
        self._banned_until: dict[str, int] = {}

    def endpoints(self) -> list[Endpoint]:
        """Return everything it serves."""
        parts = (
            MarketData(self._venue, self._rate_limits()),
            Trading(self._venue),
            AccountData(self._venue),
            self._streams,
        )
        return [endpoint for part in parts for endpoint in part.endpoints()]

    def parse(self, method: str, target: str, headers: Mapping[str, str], body: str) -> Call:
        """Take a request apart; query and body together are what is signed."""
        path, _, query = target.partition("?")
        signed = "".join(_without_signature(part) for part in (query, body))
        params = dict(parse_qsl(f"{query}&{body}", keep_blank_values=True))
        signature = params.pop("signature", "")
        return Call(method, path, headers.get("X-MBX-APIKEY", ""), signed, signature, params)

    def authenticate(self, call: Call, endpoint: Endpoint) -> None:
        """Check key, rights, signature and time, in the exchange's order."""
        if endpoint.security is Security.NONE:
            return
        if not call.key:
            raise error(-2014)
        account = self._venue.account_of(call.key)
        if account is None or not account.rights.allowed_ip:
            raise error(-2015)
        call.account = account
        if endpoint.security is Security.KEY:
            return
        self._check_signature(call, account.secret)
        self._check_time(call)
        if not account.rights.can_trade and endpoint.call.startswith(("place", "cancel", "set_")):
            raise error(-2015)

    def charge(self, call: Call, endpoint: Endpoint) -> dict[str, str]:
        """Charge the weight by address, and orders by key."""
        now_ms, ip = self._venue.clock.timer_ms(), call.ip
        if now_ms < self._banned_until.get(ip, 0):
            raise self._ban(self._banned_until[ip] - now_ms)
        used = self._weight.use(ip, self._weight_of(call, endpoint))
        headers = {"X-MBX-USED-WEIGHT-1M": str(used)}
        if used > self._weight.window.limit:
            self._violations[ip] += 1
            if self._violations[ip] > _BAN_AFTER:
                self._violations[ip] = 0
                self._banned_until[ip] = now_ms + _BAN_S * 1000
                raise self._ban(_BAN_S * 1000)
            raise self._too_many(-1003, self._weight, headers)
        if endpoint.call in {"place", "place_conditional"}:
            self._charge_order(call, headers)
        return headers

    def injected(self, fault: str, settings: Mapping[str, float | str]) -> ApiError:
        """Return the error that a fault answers with."""
        return injected(fault, settings)

    def render_error(self, error: ApiError) -> bytes:
        """Return the body of an error: code and message, or a gateway's text."""
        if error.code is None:
            return error.text.encode()
        return orjson.dumps({"code": error.code, "msg": error.text})

    def translate(self, failure: Exception, call: Call, endpoint: Endpoint) -> ApiError:
        """Return the error for a refusal or malformed input."""
        if isinstance(failure, DataError):
            return error(-1120, "Invalid interval.")
        if not isinstance(failure, RefusedError):
            return error(-1102, REFUSALS[Refusal.MALFORMED][1])
        if failure.refusal is Refusal.MALFORMED:
            return error(-1102, _MANDATORY.format(name=failure))
        if failure.refusal is Refusal.NOT_FOUND and call.method == "DELETE":
            return error(*REFUSALS[Refusal.NOT_OPEN])
        code, text = REFUSALS[failure.refusal]
        if "{least}" in text:
            rules = self._venue.contract(call.params["symbol"]).rules
            text = text.format(least=rules.min_notional)
        return error(code, text)

    def wrap(self, payload: Json) -> Json:
        """Return the payload as it is: this dialect has no envelope."""
        return payload

    def _check_signature(self, call: Call, secret: str) -> None:
        if not call.signature:
            raise error(-1102, _MANDATORY.format(name="signature"))
        digest = hmac.new(secret.encode(), call.signed_text.encode(), hashlib.sha256)
        if not hmac.compare_digest(digest.hexdigest(), call.signature.lower()):
            raise error(-1022)

    def _check_time(self, call: Call) -> None:
        try:
            timestamp = read.integer(call.params, "timestamp")
            window = read.integer(call.params, "recvWindow")
        except RefusedError as failure:
            raise error(-1102, _MANDATORY.format(name=failure)) from failure
        if timestamp is None:
            raise error(-1102, _MANDATORY.format(name="timestamp"))
        if window is not None and window > _MOST_WINDOW_MS:
            raise error(-1131, "recvWindow must be less than 60000.")
        verdict = self._venue.clock.is_in_time(timestamp, window or _DEFAULT_WINDOW_MS)
        if verdict is None:
            raise error(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
        if not verdict:
            raise error(-1021)

    def _charge_order(self, call: Call, headers: dict[str, str]) -> None:
        for budget, name in ((self._orders_10s, "10S"), (self._orders_1m, "1M")):
            used = budget.use(call.key, 1)
            headers[f"X-MBX-ORDER-COUNT-{name}"] = str(used)
            if used > budget.window.limit:
                raise self._too_many(-1015, budget, headers)

    @staticmethod
    def _too_many(code: int, budget: Budget, headers: dict[str, str]) -> ApiError:
        failure = error(code)
        failure.headers.update(headers, **{"Retry-After": str(budget.reset_s())})
        return failure

    @staticmethod
    def _ban(left_ms: int) -> ApiError:
        return injected("banned", {"seconds": left_ms / 1000 + 1})

    @staticmethod
    def _weight_of(call: Call, endpoint: Endpoint) -> int:
        if endpoint.path.endswith(_LISTINGS) and not call.params.get("symbol"):
            return _LISTING_WEIGHT
        if not endpoint.path.endswith("/klines"):
            return endpoint.weight
        rows = call.params.get("limit", "500")
        asked = int(rows) if rows.isdecimal() else 500
        return next((w for most, w in _KLINE_WEIGHTS if asked <= most), _KLINE_WEIGHTS[-1][1])

    def _rate_limits(self) -> list[dict[str, Json]]:
        def row(kind: str, interval: str, count: int, budget: Budget) -> dict[str, Json]:
            return {
                "rateLimitType": kind,
                "interval": interval,
                "intervalNum": count,
                "limit": budget.window.limit,
            }

        return [
            row("REQUEST_WEIGHT", "MINUTE", 1, self._weight),
            row("ORDERS", "MINUTE", 1, self._orders_1m),
            row("ORDERS", "SECOND", 10, self._orders_10s),
        ]


def _without_signature(text: str) -> str:
    return "&".join(part for part in text.split("&") if not part.startswith("signature="))
