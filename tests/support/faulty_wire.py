"""Orders sent to a local exchange that is told to fail."""

import aiohttp
from tests.support.wire import (
    Answer,
    BinanceWire,
)

from milobot.local_exchange.faults import parse_rule_text


def strike(wire: BinanceWire, text: str) -> None:
    """Add one rule to the exchange's plan."""
    wire.exchange.plan.extend([parse_rule_text(text)])


async def attempt(wire: BinanceWire) -> Answer | str:
    """Place an order and return the answer, or the name of what came instead."""
    try:
        return await wire.order(newClientOrderId="x", clientOrderId="x")
    except (aiohttp.ClientError, TimeoutError) as error:
        return type(error).__name__


def executed(wire: BinanceWire) -> bool:
    """Return whether an order of the client's was executed, from the truth."""
    accounts = wire.exchange.ledger()["accounts"]
    return any(row["client_id"] == "x" for a in accounts for row in a["orders"])
