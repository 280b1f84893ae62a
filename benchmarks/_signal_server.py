"""A server for the benchmark of signals: the real routes, or a bare echo as the yardstick.

Run with ``echo``, ``memory`` or the URL of a ledger. It prints its port, and ends when its
input does.
"""

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.support.doors import MemoryDoor

from milobot.exchanges.times import SteadyClock
from milobot.signals.door import SignalDoor
from milobot.signals.inbox.inbox import InboxPlan, SignalInbox
from milobot.storage.ledger import open_ledger
from milobot.web.access import Access
from milobot.web.access_rules import AccessRules
from milobot.web.app import create_app
from milobot.web.server import open_listener, serving
from milobot.web.signal_routes import signal_routes
from milobot.web.state import ChartState, Heading

RULES = AccessRules(token="token-of-this-benchmark", signal_rate=100_000)  # noqa: S106 - no secret


async def echo(request: Request) -> Response:
    """Answer what was sent."""
    return Response(await request.body(), 202, media_type="application/json")


async def open_door(kind: str, opened: AsyncExitStack) -> SignalDoor:
    """Return where signals are handed in."""
    if kind == "memory":
        return MemoryDoor()
    clock = SteadyClock()
    ledger = await opened.enter_async_context(await open_ledger(kind))
    return SignalInbox(InboxPlan("benchmark:default"), ledger, clock)


async def main(kind: str) -> None:
    """Serve on a free port until the input ends."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    async with AsyncExitStack() as opened:
        if kind == "echo":
            app = Starlette(routes=[Route("/signal", echo, methods=["POST"])])
        else:
            access = Access(RULES)
            routes = signal_routes(await open_door(kind, opened), access, SteadyClock())
            heading = Heading("live", "BTCUSDT", "1m", "none")
            app = create_app(ChartState(heading), access=access, routes=routes)
        listener = open_listener("127.0.0.1", 0)
        await opened.enter_async_context(serving(app, listener))
        print(listener.getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
