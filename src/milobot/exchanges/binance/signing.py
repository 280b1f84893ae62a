"""Signatures of Binance: HMAC-SHA256 over the encoded parameters."""

from dataclasses import dataclass, field

from milobot.errors import AuthenticationError
from milobot.exchanges.binance.hosts import BinanceHosts
from milobot.exchanges.stamps import Stamp
from milobot.exchanges.wire import Access, Call, Params, SignedCall, encode

RECV_WINDOW_MS = 2000
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key and its secret; neither is shown."""

    api_key: str = field(repr=False)
    secret: str = field(repr=False)


class BinanceSigner:
    """Makes calls ready to leave."""

    def __init__(self, hosts: BinanceHosts, credentials: Credentials | None) -> None:
        """Sign for an environment; without credentials only public calls leave."""
        self._hosts = {"rest": hosts.rest, "rights": hosts.rights or hosts.rest}
        self._credentials = credentials
        self._stamp = Stamp(credentials.secret) if credentials else None

    def __call__(self, call: Call, time_ms: int, timeout_s: float) -> SignedCall:
        """Return a call with timestamp, signature and headers.

        Raises:
            AuthenticationError: It needs a key and there is none.
        """
        headers = {}
        query = encode(
            stamped(call.params, time_ms) if call.access is Access.SIGNED else call.params
        )
        if call.access is not Access.PUBLIC:
            if self._credentials is None or self._stamp is None:
                raise AuthenticationError(
                    "Binance needs a key for this: add one with `milobot keys set`"
                )
            headers["X-MBX-APIKEY"] = self._credentials.api_key
            if call.access is Access.SIGNED:
                query = f"{query}&signature={self._stamp.over(query)}"
        url = self._hosts[call.base] + call.path
        if call.method in {"POST", "PUT"}:
            headers["Content-Type"] = _FORM
            return SignedCall(call.method, url, headers, time_ms, timeout_s, query)
        return SignedCall(
            call.method, f"{url}?{query}" if query else url, headers, time_ms, timeout_s
        )


def stamped(params: Params, time_ms: int) -> Params:
    """Return parameters between timestamp and window, in the order in which they are signed."""
    return (("timestamp", str(time_ms)), *params, ("recvWindow", str(RECV_WINDOW_MS)))


def signature(query: str, secret: str) -> str:
    """Return the signature of an encoded query.

    >>> signature("symbol=BTCUSDT&timestamp=1", "secret")[:8]
    'ef9d3d77'
    """
    return Stamp(secret).over(query)
