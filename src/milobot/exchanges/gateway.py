"""The one way to an exchange: breaker, limits, clock, signature, one sending, lessons learnt.

Writes are sent once and answered with facts. Reads are repeated while that can help.
"""

import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from milobot.errors import (
    CircuitOpenError,
    ExchangeError,
    ExchangeUnavailableError,
    RateLimitedError,
)
from milobot.exchanges.breaker import CircuitBreaker
from milobot.exchanges.deadlines import Bounds, Deadline, no_deadline
from milobot.exchanges.limits import PriorityLimiter, Usage
from milobot.exchanges.outcomes import Dialect, Judgement, is_present, judge, retry_after_s
from milobot.exchanges.times import ExchangeClock, Sleep, real_sleep
from milobot.exchanges.transport import Transport
from milobot.exchanges.urgency import as_urgent
from milobot.exchanges.wire import (
    Access,
    Answer,
    Call,
    Facts,
    Failure,
    FailureKind,
    Moment,
    Priority,
    SignedCall,
)

Signer = Callable[[Call, int, float], SignedCall]

_OVERLOADED = 429
_BANNED = 418
_SERVER_ERROR = 500
_REPEATABLE = {
    FailureKind.NO_CONNECTION,
    FailureKind.TIMEOUT,
    FailureKind.DROPPED,
    FailureKind.CUT_BODY,
}
_BAN_S = 120.0  # the shortest ban there is, for a 418 that does not say how long
_UNBOUND = Bounds()
_PAUSE_S = 10.0  # for a 429 that does not say how long


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long an answer is waited for; after it the outcome of an order is UNKNOWN."""

    order_s: float = 5.0
    query_s: float = 5.0
    download_s: float = 20.0

    def of(self, priority: Priority) -> float:
        """Return the timeout of a call."""
        match priority:
            case Priority.EXIT | Priority.ORDER:
                return self.order_s
            case Priority.VITAL | Priority.QUERY:
                return self.query_s
            case Priority.DOWNLOAD:  # pragma: no branch - mypy proves that none is left
                return self.download_s


@dataclass(frozen=True, slots=True)
class Retries:
    """How reads are repeated: waits double from ``first_s``, each drawn between half and whole."""

    attempts: int = 4
    first_s: float = 0.25
    most_s: float = 4.0


@dataclass(frozen=True, slots=True)
class GatewayParts:
    """What a gateway is made of.

    Attributes:
        sign: Makes a call ready to leave, given the exchange's time and a timeout.
        usage: Reads from an answer what the exchange has counted.
        is_clock_error: Whether a judgement says that our timestamp was off.
        clock_call: The call that asks for the server's time; its payload is read by ``read_time``.
        signing_deadline: Until when this process may trade, on the exchange's clock; None for
            no end. It is asked at the moment of signing.
    """

    dialect: Dialect
    transport: Transport
    limiter: PriorityLimiter
    breaker: CircuitBreaker
    clock: ExchangeClock
    sign: Signer
    usage: Callable[[Answer], Iterable[Usage]]
    is_clock_error: Callable[[Judgement], bool]
    clock_call: Call
    read_time: Callable[[Any], int]
    sleep: Sleep = real_sleep
    retries: Retries = Retries()
    timeouts: Timeouts = Timeouts()
    signing_deadline: Deadline = no_deadline


class Gateway:
    """Sends calls to one exchange.

    Attributes:
        clock: The exchange's time.
        sleep: Waits some seconds.
    """

    def __init__(self, parts: GatewayParts) -> None:
        """Put the parts together."""
        self._parts = parts
        self._chance = random.Random()  # noqa: S311 - spreads retries, guards nothing
        self.clock = parts.clock
        self.sleep = parts.sleep

    async def write(
        self,
        call: Call,
        *,
        is_complete: Callable[[Any], bool] = is_present,
        not_after_ms: int | None = None,
        is_trading: bool = True,
    ) -> Judgement:
        """Send a request that changes something, once; return what that means.

        Args:
            call: The request.
            is_complete: Whether a payload holds what a success promises.
            not_after_ms: No later timestamp is ever signed, on the exchange's clock.
            is_trading: Whether only who leads the account may send it.
        """
        if not self.clock.is_measured and call.access is Access.SIGNED:
            await self._measure_quietly()
        facts = await self._send(call, Bounds(not_after_ms, is_trading=is_trading))
        judgement = judge(facts, self._parts.dialect, is_complete=is_complete)
        if self._parts.is_clock_error(judgement):
            await self._measure_quietly()  # so that the next one is in time
        return judgement

    async def read(self, call: Call, *, is_complete: Callable[[Any], bool] = is_present) -> Any:
        """Return the payload of a request that changes nothing; repeat it while that can help.

        Raises:
            ExchangeError: It cannot be had; the kind says why.
        """
        if call.access is Access.SIGNED and self.clock.is_stale:
            await self._measure_quietly()  # here, since a read can wait and an order cannot
        judgement = await self._repeat(lambda: self._try(call, is_complete))
        if judgement.error is not None:
            raise judgement.as_error()
        return judgement.data

    async def demand(self, call: Call, *, is_trading: bool = True) -> Any:
        """Send a change of settings once and return its payload.

        Args:
            call: The request.
            is_trading: Whether only who leads the account may send it.

        Raises:
            ExchangeError: It was refused, or is not known to have happened.
        """
        judgement = await self.write(call, is_trading=is_trading)
        if judgement.error is not None:
            raise judgement.as_error(is_read=False)
        return judgement.data

    def has_room(self, call: Call) -> bool:
        """Return whether the rate budgets would let a call leave at once."""
        return self._parts.limiter.has_room(as_urgent(call))

    async def measure_clock(self) -> int:
        """Ask for the exchange's time, set the clock by it and return it.

        Raises:
            ExchangeError: It did not say.
        """
        judgement = await self._repeat(self._ask_time)
        if judgement.error is not None:
            raise judgement.as_error()
        return self._parts.read_time(judgement.data)

    async def _ask_time(self) -> tuple[Judgement, bool]:
        asked_ms = self.clock.local_ms()
        judgement, is_repeatable = await self._try(self._parts.clock_call, is_present)
        if judgement.error is None:
            told_ms = self._parts.read_time(judgement.data)
            received_ms = self.clock.local_ms()
            self.clock.learn(asked_ms=asked_ms, told_ms=told_ms, received_ms=received_ms)
        return judgement, is_repeatable

    async def _try(self, call: Call, is_complete: Callable[[Any], bool]) -> tuple[Judgement, bool]:
        """Send a read once; return what came of it and whether another try can help."""
        facts = await self._send(call, _UNBOUND)
        judgement = judge(facts, self._parts.dialect, is_complete=is_complete)
        if call is not self._parts.clock_call and self._parts.is_clock_error(judgement):
            await self._measure_quietly()
        return judgement, _is_worth_repeating(facts, judgement)

    async def _repeat(self, once: Callable[[], Awaitable[tuple[Judgement, bool]]]) -> Judgement:
        attempt = 1
        judgement, is_repeatable = await once()
        while is_repeatable and attempt < self._parts.retries.attempts:
            await self._back_off(attempt)
            judgement, is_repeatable = await once()
            attempt += 1
        return judgement

    async def _measure_quietly(self) -> None:
        """Measure the clock; where that fails the request itself will show what is wrong."""
        try:
            await self.measure_clock()
        except ExchangeError:
            return

    async def _back_off(self, attempt: int) -> None:
        retries = self._parts.retries
        longest = min(retries.first_s * 2 ** (attempt - 1), retries.most_s)
        await self._parts.sleep(longest * self._chance.uniform(0.5, 1.0))

    async def _send(self, call: Call, bounds: Bounds) -> Facts:
        parts, call = self._parts, as_urgent(call)
        try:
            parts.breaker.admit(call.priority)
            if call.priority is Priority.DOWNLOAD:
                async with parts.limiter.turn(call):
                    facts = await self._sign_and_send(call, bounds)
            else:
                await parts.limiter.wait(call)
                facts = await self._sign_and_send(call, bounds)
        except RateLimitedError as limited:
            return _withheld(FailureKind.RATE_LIMITED, str(limited), limited.retry_after_s)
        except CircuitOpenError as opened:
            return _withheld(FailureKind.CIRCUIT_OPEN, str(opened))
        return facts

    async def _sign_and_send(self, call: Call, bounds: Bounds) -> Facts:
        parts = self._parts
        request = parts.sign(call, self.clock.now_ms(), parts.timeouts.of(call.priority))
        too_late = bounds.why_withheld(request.time_ms, parts.signing_deadline)
        if too_late:
            return _withheld(FailureKind.TOO_LATE, too_late)
        facts = await parts.transport.send(request)
        self._learn(facts)
        return facts

    def _learn(self, facts: Facts) -> None:
        parts = self._parts
        if isinstance(facts, Failure):
            parts.breaker.failed(facts.reason)
            return
        if facts.status >= _SERVER_ERROR:
            parts.breaker.failed(f"status {facts.status}")
        else:
            parts.breaker.succeeded()
        for usage in parts.usage(facts):
            parts.limiter.learn(usage)
        if facts.status == _BANNED:
            parts.limiter.pause(
                retry_after_s(facts) or _BAN_S, "this address is banned for too many requests (418)"
            )
        elif facts.status == _OVERLOADED:
            parts.limiter.pause(retry_after_s(facts) or _PAUSE_S, "too many requests (429)")


def _is_worth_repeating(facts: Facts, judgement: Judgement) -> bool:
    error = judgement.error
    if error is None:
        return False
    if isinstance(facts, Failure):
        # What was withheld has waited as long as it may; what was too large stays so.
        return facts.kind in _REPEATABLE
    return issubclass(error, ExchangeUnavailableError) or not judgement.code


def _withheld(kind: FailureKind, reason: str, wait_s: float = 0.0) -> Failure:
    return Failure(Moment.BEFORE_SENDING, kind, reason, wait_s)
