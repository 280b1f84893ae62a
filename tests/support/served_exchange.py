"""A local exchange that serves a test which has no event loop of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import ExchangeSetup


@contextmanager
def served(setup: ExchangeSetup) -> Iterator[LocalExchange]:
    """Serve an exchange on a thread of its own; its addresses may be asked for."""
    is_open, is_over = threading.Event(), threading.Event()
    found: list[LocalExchange] = []

    async def serve() -> None:
        async with LocalExchange(setup) as exchange:
            found.append(exchange)
            is_open.set()
            await asyncio.to_thread(is_over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert is_open.wait(30)
        yield found[0]
    finally:
        is_over.set()
        thread.join(20)
