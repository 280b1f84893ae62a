"""Clients on a local exchange, whose waits take no time."""

import time

from milobot.exchanges.binance.client import BinanceClient
from milobot.exchanges.binance.hosts import BinanceHosts
from milobot.exchanges.binance.signing import Credentials as BinanceKey
from milobot.exchanges.bingx.client import BingxClient
from milobot.exchanges.bingx.hosts import BingxHosts
from milobot.exchanges.bingx.signing import Credentials as BingxKey
from milobot.exchanges.gateway import Timeouts
from milobot.exchanges.options import ClientOptions
from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import DEFAULT_KEY, DEFAULT_SECRET

Client = BinanceClient | BingxClient


class SkippingClock:
    """Our own time when waits take none: the machine's, plus what was slept."""

    def __init__(self) -> None:
        """Start at the machine's time."""
        self._skipped_ms = 0

    def now_ms(self) -> int:
        """Return UTC milliseconds."""
        return time.time_ns() // 1_000_000 + self._skipped_ms

    def skip(self, ms: int) -> None:
        """Let time pass."""
        self._skipped_ms += ms


def options_for(local: LocalExchange, **timeouts: float) -> ClientOptions:
    """Return options with which waits take no time, at the exchange as well as here."""
    clock = SkippingClock()

    async def sleep(seconds: float) -> None:
        clock.skip(int(seconds * 1000) + 1)
        await local.elapse(int(seconds * 1000) + 1)

    return ClientOptions(clock=clock, sleep=sleep, timeouts=Timeouts(**timeouts))


def client_for(name: str, local: LocalExchange, options: ClientOptions) -> Client:
    """Return a client of one dialect on a local exchange."""
    if name == "binance":
        key = BinanceKey(DEFAULT_KEY, DEFAULT_SECRET)
        return BinanceClient(BinanceHosts.at(local.url), key, options)
    return BingxClient(BingxHosts.at(local.url), BingxKey(DEFAULT_KEY, DEFAULT_SECRET), options)


def plain_client(name: str, local: LocalExchange) -> Client:
    """Return a client that waits as a live one does."""
    return client_for(name, local, ClientOptions())
