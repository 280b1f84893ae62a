"""Signatures of BingX: HMAC-SHA256 over the plain parameters, which then travel encoded."""

from dataclasses import dataclass, field

from milobot.errors import AuthenticationError
from milobot.exchanges.bingx.hosts import BingxHosts
from milobot.exchanges.stamps import Stamp
from milobot.exchanges.wire import Access, Call, Params, SignedCall, encode, encoded, joined

RECV_WINDOW_MS = 2000


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key and its secret; neither is shown."""

    api_key: str = field(repr=False)
    secret: str = field(repr=False)


class BingxSigner:
    """Makes calls ready to leave."""

    def __init__(self, hosts: BingxHosts, credentials: Credentials | None) -> None:
        """Sign for an environment; without credentials only public calls leave."""
        self._rest = hosts.rest
        self._credentials = credentials
        self._stamp = Stamp(credentials.secret) if credentials else None

    def __call__(self, call: Call, time_ms: int, timeout_s: float) -> SignedCall:
        """Return a call with timestamp, signature and headers.

        Raises:
            AuthenticationError: It needs a key and there is none.
        """
        headers: dict[str, str] = {}
        if call.access is Access.PUBLIC:
            query = encode(ordered((*call.params, ("timestamp", str(time_ms)))))
        else:
            if self._credentials is None or self._stamp is None:
                raise AuthenticationError(
                    "BingX needs a key for this: add one with `milobot keys set`"
                )
            headers["X-BX-APIKEY"] = self._credentials.api_key
            params = stamped(call.params, time_ms)
            plain = joined(params)
            query = f"{encoded(params, plain)}&signature={self._stamp.over(plain)}"
        url = f"{self._rest}{call.path}?{query}"
        return SignedCall(call.method, url, headers, time_ms, timeout_s)


def stamped(params: Params, time_ms: int) -> Params:
    """Return parameters with timestamp and window, in the order in which they are signed."""
    return ordered(
        (*params, ("timestamp", str(time_ms)), ("recvWindow", str(RECV_WINDOW_MS))),
    )


def ordered(params: Params) -> Params:
    """Return parameters by name, as BingX's own examples sort them."""
    return tuple(sorted(params))


def signature(params: Params, secret: str) -> str:
    """Return the signature of parameters as they are before they are encoded.

    >>> signature((("stopLoss", '{"type":"STOP_MARKET"}'), ("timestamp", "1")), "secret")[:8]
    '5cbe07cf'
    """
    return Stamp(secret).over(joined(params))
