"""Clients of a local exchange: its address and its key are known, its money is made up."""

from milobot.app.exchange_process import ExchangeAddress
from milobot.app.exchanges import ExchangeClient
from milobot.exchanges.binance import signing as binance_signing
from milobot.exchanges.binance.client import BinanceClient
from milobot.exchanges.binance.hosts import BinanceHosts
from milobot.exchanges.bingx import signing as bingx_signing
from milobot.exchanges.bingx.client import BingxClient
from milobot.exchanges.bingx.hosts import BingxHosts
from milobot.exchanges.deadlines import Deadline, no_deadline
from milobot.exchanges.options import ClientOptions


def local_client(
    dialect: str, exchange: ExchangeAddress, deadline: Deadline = no_deadline
) -> ExchangeClient:
    """Return a client of one dialect, ``binance`` or ``bingx``; nothing is sent yet."""
    options = ClientOptions(signing_deadline=deadline)
    if dialect == "binance":
        key = binance_signing.Credentials(exchange.api_key, exchange.secret)
        return BinanceClient(BinanceHosts.at(exchange.url), key, options)
    bingx_key = bingx_signing.Credentials(exchange.api_key, exchange.secret)
    return BingxClient(BingxHosts.at(exchange.url), bingx_key, options)
