"""Where Binance is found."""

from dataclasses import dataclass
from typing import Self

from milobot.exchanges.hosts import check_address


@dataclass(frozen=True, slots=True)
class BinanceHosts:
    """Addresses of one environment, without a slash at their end.

    Attributes:
        name: Environment; part of the key under which candles are stored.
        rest: REST host of the USD-M interface.
        stream: Stream host; ``/market``, ``/public`` and ``/private`` are below it.
        rights: Host that tells what a key may do; None where there is none.
    """

    name: str
    rest: str
    stream: str
    rights: str | None = None

    @classmethod
    def at(cls, address: str, *, name: str = "binance-local") -> Self:
        """Return the hosts of one server that has everything, such as the local exchange.

        Args:
            address: Its HTTP address; the stream's is the same with ``ws``.
            name: Environment.

        Raises:
            ConfigurationError: It is no address, or unencrypted and on another machine.
        """
        rest = check_address(address, name="BINANCE_BASE_URL")
        return cls(name, rest, "ws" + rest.removeprefix("http"), rest)


PRODUCTION = BinanceHosts(
    "binance",
    "https://fapi.binance.com",
    "wss://fstream.binance.com",
    "https://api.binance.com",
)
# The stream host is what ccxt uses in demo mode; a page for options names another one.
DEMO = BinanceHosts(
    "binance-demo",
    "https://demo-fapi.binance.com",
    "wss://fstream.binancefuture.com",
)
