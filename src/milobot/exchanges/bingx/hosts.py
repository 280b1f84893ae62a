"""Where BingX is found."""

from dataclasses import dataclass
from typing import Self

from milobot.exchanges.hosts import check_address


@dataclass(frozen=True, slots=True)
class BingxHosts:
    """Addresses of one environment, without a slash at their end.

    Attributes:
        name: Environment; part of the key under which candles are stored.
        rest: REST host; every path begins with ``/openApi``.
        stream: Address of the socket that market and user streams share.
        assets: What accounts are kept in; the first that an account has counts.
    """

    name: str
    rest: str
    stream: str
    assets: tuple[str, ...] = ("USDT",)

    @classmethod
    def at(cls, address: str, *, name: str = "bingx-local") -> Self:
        """Return the hosts of one server that has everything, such as the local exchange.

        Args:
            address: Its HTTP address; the stream's is the same with ``ws``.
            name: Environment.

        Raises:
            ConfigurationError: It is no address, or unencrypted and on another machine.
        """
        rest = check_address(address, name="BINGX_BASE_URL")
        return cls(name, rest, f"ws{rest.removeprefix('http')}/swap-market")


PRODUCTION = BingxHosts(
    "bingx", "https://open-api.bingx.com", "wss://open-api-swap.bingx.com/swap-market"
)
# The play money of the demo host is an asset of its own.
DEMO = BingxHosts(
    "bingx-vst",
    "https://open-api-vst.bingx.com",
    "wss://vst-open-api-ws.bingx.com/swap-market",
    ("VST", "USDT"),
)
