"""The server: binds market, venues, dialects and control endpoints to a port of this machine."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from types import TracebackType
from typing import Any, Protocol, Self

import orjson
from aiohttp import web

from milobot.domain.money import format_decimal
from milobot.local_exchange.binance.dialect import BinanceDialect
from milobot.local_exchange.binance.streams import BinanceStreams
from milobot.local_exchange.bingx.dialect import BingxDialect
from milobot.local_exchange.bingx.streams import BingxStreams
from milobot.local_exchange.control import Control
from milobot.local_exchange.core.orders import Origin
from milobot.local_exchange.core.playing import (
    Played,
    advance,
    close_by_hand,
    move_price,
)
from milobot.local_exchange.core.timing import Agenda, ServerTime
from milobot.local_exchange.core.venue import Venue
from milobot.local_exchange.follow import Follow
from milobot.local_exchange.gateway import Gateway
from milobot.local_exchange.ledger import Ledger, RequestRecord
from milobot.local_exchange.setup import ExchangeSetup, build_venues
from milobot.local_exchange.streams import Hub
from milobot.local_exchange.wire import Dialect

_HOST = "127.0.0.1"
_SHUTDOWN_S = 0.5
_STEPS_A_CANDLE = 2
_MOST_BODY = 1 << 20


class Streams(Protocol):
    """Sockets of one dialect."""

    hub: Hub

    def routes(self) -> list[web.RouteDef]:
        """Return the paths of the sockets."""
        ...

    def on_step(self, played: Played) -> None:
        """Send what a step of the market means."""
        ...


class LocalExchange:
    """An exchange on a port of this machine, for as long as the ``async with`` block.

    Attributes:
        plan: The faults that strike.
        clock: The server's time.
        venues: By dialect; the state that tests may look at.
        url: Base address of the dialects that are served, and of ``/control``.
    """

    def __init__(self, setup: ExchangeSetup) -> None:
        """Prepare; nothing listens yet."""
        self.setup = setup
        self.plan = setup.faults
        self.clock = ServerTime(setup.clock)
        self.venues = build_venues(setup, self.clock)
        self.url = ""
        self._agenda = Agenda(self.clock)
        self._follow: Follow | None = None
        if setup.follows:
            self._follow = Follow(setup, self.venues[setup.dialects[0]])
        self._ledger = Ledger()
        self._streams: list[Streams] = []
        self._gateways: list[Gateway] = []
        self._runner: web.AppRunner | None = None
        self._wake: asyncio.TimerHandle | None = None
        self._pace: asyncio.TimerHandle | None = None
        self._next_tick = 0.0
        self._speed = 0.0 if setup.is_paused or setup.speed is None else setup.speed

    @property
    def binance_url(self) -> str:
        """Return the base address of the Binance dialect; REST lives below ``/fapi``."""
        return self.url

    @property
    def binance_ws_url(self) -> str:
        """Return the base address of the Binance sockets, without ``/ws``."""
        return self.url.replace("http", "ws", 1)

    @property
    def bingx_url(self) -> str:
        """Return the base address of the BingX dialect; REST lives below ``/openApi``."""
        return self.url

    @property
    def bingx_ws_url(self) -> str:
        """Return the address of the BingX socket."""
        return self.url.replace("http", "ws", 1) + "/swap-market"

    async def __aenter__(self) -> Self:
        """Listen on the port; a paced market begins to play.

        Raises:
            ConfigurationError: The file of the account cannot be used.
        """
        if self._follow is not None:
            self._follow.open()
        self._runner = web.AppRunner(
            self._application(), access_log=None, shutdown_timeout=_SHUTDOWN_S
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, _HOST, self.setup.port).start()
        self.url = f"http://{_HOST}:{self._runner.addresses[0][1]}"
        self._agenda.on_change = self._plan_wake
        self._plan_wake()
        self.pace(self._speed)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close every socket and free the port."""
        self._agenda.on_change = None
        for handle in (self._wake, self._pace):
            if handle is not None:
                handle.cancel()
        for gateway in self._gateways:
            gateway.closing.set()
        for streams in self._streams:
            streams.hub.drop(users=True, markets=True)
        if self._runner is not None:
            await self._runner.cleanup()
        if self._follow is not None:
            self._follow.close()

    # What the control endpoints and tests steer.

    async def advance(self, steps: int = 1) -> dict[str, Any]:
        """Play the next steps of the market: an open, then the rest of its candle, and so on."""
        played = Played(None, self.clock.now_ms(), {})
        for _ in range(steps):
            played = self._step()
            await self._drain()
        return {"step": played.step, **self.status()}

    async def move_price(self, symbol: str, price: Decimal) -> None:
        """Let the market trade at ``price``, with all that this triggers on the way."""
        self._remember()
        move_price(list(self.venues.values()), symbol, price)
        for streams in self._streams:
            streams.on_step(Played(None, self.clock.now_ms(), {}))
        await self._drain()

    async def elapse(self, ms: int) -> None:
        """Let time pass without waiting; what is due happens."""
        self.clock.elapse(ms)
        self._run_due()
        await self._drain()

    def ledger(self) -> dict[str, Any]:
        """Return the truth about everything that was executed."""
        return self._ledger.to_dict(self.venues)

    @property
    def requests(self) -> Sequence[RequestRecord]:
        """Return every request that could change something, oldest first."""
        return self._ledger.requests

    def status(self) -> dict[str, Any]:
        """Return where the market is."""
        venue = next(iter(self.venues.values()))
        market = venue.market
        return {
            "time_ms": self.clock.now_ms(),
            "next_step": market.next_step,
            "is_over": market.is_over,
            "speed": self._speed,
            "prices": {s: format_decimal(t.last_price) for s, t in market.tapes.items()},
        }

    def pace(self, speed: float) -> None:
        """Play ``speed`` candles a second from here on; 0 pauses."""
        self._speed = speed
        if self._pace is not None:
            self._pace.cancel()
            self._pace = None
        if speed > 0:
            loop = asyncio.get_running_loop()
            self._next_tick = loop.time() + 1 / (speed * _STEPS_A_CANDLE)
            self._pace = loop.call_at(self._next_tick, self._tick)

    async def close_position(
        self, symbol: str, key: str | None = None, quantity: Decimal | None = None
    ) -> int:
        """Close positions as their owners would elsewhere; return how many."""
        return await self._close(symbol, key, quantity, Origin.MANUAL)

    async def deleverage(
        self, symbol: str, key: str | None = None, quantity: Decimal | None = None
    ) -> int:
        """Close positions as auto-deleveraging would; return how many."""
        return await self._close(symbol, key, quantity, Origin.ADL)

    async def expire_listen_keys(self) -> None:
        """Let every listen key expire."""
        for streams, venue in zip(self._streams, self.venues.values(), strict=True):
            for account in venue.accounts.values():
                streams.hub.on_expire(account)
        await self._drain()

    async def drop_streams(self, *, users: bool = True, markets: bool = True) -> int:
        """Close sockets; return how many."""
        return sum(s.hub.drop(users=users, markets=markets) for s in self._streams)

    # Inside.

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=_MOST_BODY)
        application.add_routes(Control(self).routes())
        if self._follow is not None:
            application.add_routes(self._follow.routes())
        for name, venue in self.venues.items():
            hub = Hub(self.clock, self.plan, self._agenda)
            dialect, streams = self._dialect(name, venue, hub)
            gateway = Gateway(dialect, venue, self.plan, self._agenda)
            gateway.ledger = self._ledger
            for endpoint in dialect.endpoints():
                application.router.add_route(
                    endpoint.method, endpoint.path, gateway.handler(endpoint)
                )
            application.add_routes(streams.routes())
            self._gateways.append(gateway)
            self._streams.append(streams)
        application.router.add_route("*", "/{path:.*}", _unknown)
        return application

    def _dialect(self, name: str, venue: Venue, hub: Hub) -> tuple[Dialect, Streams]:
        limits = self.setup.budgets()
        if name == "bingx":
            sockets = BingxStreams(venue, hub, self._agenda, heartbeat_s=self.setup.heartbeat_s)
            return BingxDialect(venue, sockets, limits), sockets
        streams = BinanceStreams(venue, hub, self._agenda)
        return BinanceDialect(venue, streams, limits), streams

    def _step(self) -> Played:
        self._agenda.run_due()
        self._remember()
        played = advance(list(self.venues.values()), triggers_at_open=self.setup.speed is not None)
        if played.step is not None:
            for streams in self._streams:
                streams.on_step(played)
        return played

    def _tick(self) -> None:
        if self._step().step is None:
            self._pace = None
            return
        loop = asyncio.get_running_loop()
        # By plan from tick to tick, so that slow steps do not add up.
        self._next_tick += 1 / (self._speed * _STEPS_A_CANDLE)
        self._pace = loop.call_at(self._next_tick, self._tick)

    def _remember(self) -> None:
        for gateway in self._gateways:
            gateway.remember()

    async def _drain(self) -> None:
        for streams in self._streams:
            await streams.hub.drain()

    async def _close(
        self, symbol: str, key: str | None, quantity: Decimal | None, origin: Origin
    ) -> int:
        self._remember()
        closed = 0
        for venue in self.venues.values():
            for account in venue.accounts.values():
                is_meant = key in {None, account.key}
                if is_meant and not venue.book(account, symbol).position.is_flat:
                    close_by_hand(venue, account, symbol, quantity=quantity, origin=origin)
                    closed += 1
        await self._drain()
        return closed

    def _plan_wake(self) -> None:
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        delay_ms = self._agenda.next_delay_ms()
        if delay_ms is not None:
            loop = asyncio.get_running_loop()
            self._wake = loop.call_later(delay_ms / 1000, self._run_due)

    def _run_due(self) -> None:
        self._agenda.run_due()
        self._plan_wake()


async def _unknown(request: web.Request) -> web.Response:
    """Answer a path that is not served, in the words of the exchange it belongs to."""
    await request.read()
    if request.path.startswith("/openApi"):
        payload = {"code": 100400, "msg": "this api is not exist, please refer to the API docs"}
        return web.Response(body=orjson.dumps(payload), content_type="application/json")
    text = f"Path {request.path}, Method {request.method} is invalid"
    payload = {"code": -5000, "msg": text}
    return web.Response(body=orjson.dumps(payload), status=404, content_type="application/json")
