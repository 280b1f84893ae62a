"""The way of a request: faults before, limits, authentication, execution, faults after."""

import asyncio
import copy
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from decimal import Decimal

import orjson
from aiohttp import web

from milobot.errors import MilobotError
from milobot.local_exchange.core.accounts import Account
from milobot.local_exchange.core.terms import NO_FAULT, PlaceFault
from milobot.local_exchange.core.timing import Agenda, ServerTime
from milobot.local_exchange.core.venue import Venue
from milobot.local_exchange.faults import FaultPlan, FaultRule
from milobot.local_exchange.ledger import Ledger, RequestRecord
from milobot.local_exchange.wire import ApiError, Call, Dialect, Endpoint, Json

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Struck = dict[str, FaultRule]

_SNAPSHOTS = 500
_ERRORS_BEFORE = (
    "rate_limited",
    "banned",
    "maintenance",
    "unavailable_503",
    "overload_503",
    "internal_503",
)
_ERRORS_EITHER = ("reject", "http_error", "unknown_503", "unknown_1006", "timeout_1007")
_CLIENT_IDS = ("newClientOrderId", "clientAlgoId", "clientOrderId", "clientOrderID")
_HTML = b"<html><head><title>Gateway</title></head><body><h1>It works!</h1></body></html>"
_CHUNK = b" " * 65_536


@dataclass(slots=True, eq=False)
class Reply:
    """What would go back if nothing went wrong on the way."""

    status: int
    body: bytes
    headers: dict[str, str]


class Gateway:
    """Handles the requests of one dialect."""

    def __init__(self, dialect: Dialect, venue: Venue, plan: FaultPlan, agenda: Agenda) -> None:
        """Prepare; ``changed`` callbacks see every change an account is about to make."""
        self.dialect = dialect
        self.venue = venue
        self.plan = plan
        self.ledger = Ledger()
        self.closing = asyncio.Event()
        self._agenda = agenda
        self._clock: ServerTime = venue.clock
        self._history: dict[str, list[tuple[int, Account]]] = {}

    def handler(self, endpoint: Endpoint) -> Handler:
        """Return the coroutine that serves an endpoint."""

        async def handle(request: web.Request) -> web.StreamResponse:
            body = (await request.read()).decode("utf-8", "replace")
            call = self.dialect.parse(request.method, request.raw_path, request.headers, body)
            call.ip = request.remote or ""
            return await self._serve(request, call, endpoint)

        return handle

    def remember(self) -> None:
        """Keep the accounts as they are before a change, for faults that answer with the past."""
        if self.plan.has("stale_"):
            for account in self.venue.accounts.values():
                past = self._history.setdefault(account.key, [])
                past.append((self._clock.timer_ms(), _copy(account)))
                del past[:-_SNAPSHOTS]

    async def _serve(
        self, request: web.Request, call: Call, endpoint: Endpoint
    ) -> web.StreamResponse:
        self._agenda.run_due()
        struck = {rule.fault: rule for rule in self.plan.decide(endpoint.call)}
        record = self._note(call, endpoint, struck)
        delay_s = 0.0
        if "latency" in struck:
            delay_s = self.plan.latency_ms(struck["latency"]) / 2000
            await self._wait(delay_s)
        if "clock_skew" in struck:
            self._clock.skew_ms += int(struck["clock_skew"].number("ms"))
        if "drop_before" in struck:
            return _drop(request, record)
        if "timeout_before_accept" in struck:
            await self._wait(struck["timeout_before_accept"].number("seconds"))
            return _drop(request, record, "silent")
        if "late_execution" in struck:
            self._execute_later(call, endpoint, struck, record)
            return _drop(request, record)
        reply = self._reply(call, endpoint, struck, record)
        await self._wait(delay_s)
        return await self._send(request, reply, struck, record)

    def _note(self, call: Call, endpoint: Endpoint, struck: Struck) -> RequestRecord:
        if call.method == "GET" and not struck:
            return RequestRecord(0, self.dialect.name, endpoint.call, "", 0)
        now = self._clock.now_ms()
        named = next((call.params[n] for n in _CLIENT_IDS if call.params.get(n)), "")
        record = self.ledger.note(self.dialect.name, endpoint.call, named, now, call.key)
        record.faults = list(struck)
        return record

    def _execute_later(
        self, call: Call, endpoint: Endpoint, struck: Struck, record: RequestRecord
    ) -> None:
        def execute() -> None:
            self._reply(call, endpoint, struck, record, is_late=True)

        # The signature was good when it arrived; the engine does not look at its age again.
        try:
            self.dialect.authenticate(call, endpoint)
        except ApiError:
            return
        self._agenda.schedule(int(struck["late_execution"].number("seconds") * 1000), execute)

    def _reply(
        self,
        call: Call,
        endpoint: Endpoint,
        struck: Struck,
        record: RequestRecord,
        *,
        is_late: bool = False,
    ) -> Reply:
        headers: dict[str, str] = {}
        if "html" in struck:
            return Reply(200, _HTML, {})
        try:
            self._raise_first(struck)
            if not is_late:
                headers = self.dialect.charge(call, endpoint)
                self.dialect.authenticate(call, endpoint)
            payload = self._execute(call, endpoint, struck)
            record.executed, record.order_id = True, call.order_id
            self._raise_after(struck)
        except ApiError as error:
            record.code = error.code
            record.client_id = call.client_id or record.client_id
            return Reply(
                error.status, self.dialect.render_error(error), {**headers, **error.headers}
            )
        record.client_id = call.client_id or record.client_id
        return Reply(200, orjson.dumps(self.dialect.wrap(payload)), headers)

    def _raise_first(self, struck: Struck) -> None:
        for name in _ERRORS_BEFORE:
            if name in struck:
                raise self.dialect.injected(name, struck[name].settings)
        for name in _ERRORS_EITHER:
            if name in struck and not struck[name].number("executed"):
                raise self.dialect.injected(name, struck[name].settings)

    def _raise_after(self, struck: Struck) -> None:
        for name in _ERRORS_EITHER:
            if name in struck:
                raise self.dialect.injected(name, struck[name].settings)

    def _execute(self, call: Call, endpoint: Endpoint, struck: Struck) -> Json:
        call.fault = _place_fault(struck)
        call.may_repeat_id = "client_id_reused" in struck
        call.drops_client_id = "client_id_dropped" in struck
        call.hides_ended = "history_retention" in struck
        if call.account is not None:
            call.view = self._view(call.account, struck)
        if call.method != "GET":
            self.remember()
        veiled = _copy(call.account) if "invisible" in struck and call.account else None
        if veiled is not None and call.account is not None:
            until = self._clock.timer_ms() + int(struck["invisible"].number("seconds") * 1000)
            call.account.veil = (until, veiled)
        try:
            return endpoint.handler(call)
        except (MilobotError, ArithmeticError, ValueError, KeyError) as error:
            raise self.dialect.translate(error, call, endpoint) from error

    def _view(self, account: Account, struck: Struck) -> Account:
        now = self._clock.timer_ms()
        if account.veil is not None:
            until, past = account.veil
            if now < until:
                return past
            account.veil = None
        for name in ("stale_positions", "stale_orders"):
            if name in struck:
                then = now - int(struck[name].number("seconds") * 1000)
                history = self._history.get(account.key, [])
                return next((past for time, past in history if time > then), account)
        return account

    async def _wait(self, seconds: float) -> None:
        """Wait, but not longer than the server lives."""
        if seconds <= 0:
            return
        try:
            async with asyncio.timeout(seconds):
                await self.closing.wait()
        except TimeoutError:
            return

    async def _send(
        self, request: web.Request, reply: Reply, struck: Struck, record: RequestRecord
    ) -> web.StreamResponse:
        record.answer = str(reply.status)
        if "drop_after" in struck:
            return _drop(request, record)
        if "timeout_after_accept" in struck:
            await self._wait(struck["timeout_after_accept"].number("seconds"))
            return _drop(request, record, "silent")
        if "cut_body" in struck:
            return await _cut(request, reply, record)
        if "endless_body" in struck:
            return await self._never_end(request, struck["endless_body"], record)
        body = _spoil(reply, struck)
        kind = "text/html" if body[:1] == b"<" else "application/json"
        status = 200 if body is not reply.body else reply.status
        return web.Response(body=body, status=status, headers=reply.headers, content_type=kind)

    async def _never_end(
        self, request: web.Request, rule: FaultRule, record: RequestRecord
    ) -> web.StreamResponse:
        record.answer = "endless"
        response = web.StreamResponse()
        response.content_type = "application/json"
        await response.prepare(request)
        end = self._clock.timer_ms() + rule.number("seconds") * 1000
        try:
            while self._clock.timer_ms() < end and not self.closing.is_set():
                await response.write(b" " * 16)
                await self._wait(0.01)
        except ConnectionResetError:
            return response
        return _drop(request, record, "endless")


def _spoil(reply: Reply, struck: Struck) -> bytes:
    if "empty_body" in struck:
        return b""
    if "empty_json" in struck:
        return b"{}"
    if "truncated_json" in struck:
        return reply.body[: len(reply.body) // 2]
    if "huge_body" in struck:
        return _CHUNK * int(struck["huge_body"].number("megabytes") * 16) + reply.body
    return reply.body


def _place_fault(struck: Struck) -> PlaceFault:
    fault = NO_FAULT
    if "partial_fill" in struck:
        rule = struck["partial_fill"]
        fault = replace(
            fault,
            fill_fraction=Decimal(str(rule.number("fraction"))),
            rest_expires=rule.word("rest") == "expires",
        )
    if "attached_stop_dropped" in struck:
        fault = replace(fault, attached="drop")
    if "attached_stop_nameless" in struck:
        fault = replace(fault, attached="nameless")
    if "attached_stop_resized" in struck:
        fault = replace(fault, attached="resized")
    if "child_rejected" in struck:
        fault = replace(fault, child="Reduce Only reject")
    return fault


def _drop(
    request: web.Request, record: RequestRecord, answer: str = "dropped"
) -> web.StreamResponse:
    record.answer = answer
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _cut(request: web.Request, reply: Reply, record: RequestRecord) -> web.StreamResponse:
    record.answer = "cut"
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_type = "application/json"
    response.content_length = len(reply.body) + 1
    await response.prepare(request)
    await response.write(reply.body[: len(reply.body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


def _copy(account: Account) -> Account:
    veil, account.veil = account.veil, None
    try:
        return copy.deepcopy(account)
    finally:
        account.veil = veil
