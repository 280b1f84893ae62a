"""The office behind the desk: accounts as the ledger tells, and what is asked of their leaders."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection

from milobot.app.account_status import Held, held_of, read_status
from milobot.app.ask_bot import Wish, ask_bot
from milobot.app.presence import find_presence, known_accounts
from milobot.app.talk_answers import PriceOf, held_text, positions_text, status_text
from milobot.domain.governor import GovernorLimits, GovernorState, parse_state
from milobot.domain.timeframes import DAY_MS
from milobot.errors import ConfigurationError, MilobotError
from milobot.ports import Clock
from milobot.signals.door import SignalDoor
from milobot.signals.talk.answers import (
    balance_text,
    clock_time,
    orders_text,
    profit_text,
    signal_lines,
    why_text,
)
from milobot.signals.talk.errands import Errand, Plan
from milobot.signals.talk.plain import plain
from milobot.signals.talk.requests import Request, Verb
from milobot.storage import queries
from milobot.storage.account_records import load_governor
from milobot.storage.commands import CommandKind
from milobot.storage.ledger import Ledger

_MOST_TRIPS = 10_000
_EARLIER = 3
_LATEST_SIGNALS = 200
_SHOWN_SIGNALS = 3
# Answers of the leader are written for a terminal.
_ON_A_TELEPHONE = {"milobot resume": "/resume", "milobot status": "/status"}


@dataclass(slots=True)
class TalkOffice:
    """Answers from the ledger, and asks leaders through it, as the command line does.

    Attributes:
        limits: Of the governor, to say what a loss is measured against.
        clock: Tells which day it is.
        price_of: Prices for the gains of open positions.
        door: Knows the signals; None where none are taken.
    """

    ledger: Ledger
    limits: GovernorLimits
    clock: Clock
    price_of: PriceOf = field(default=lambda _account, _symbol: None)
    door: SignalDoor | None = None

    async def answer(self, request: Request) -> str:
        """Return the answer to a request that changes nothing."""
        names = await self._accounts(request.account)
        if request.verb is Verb.WHY:
            return await self._why(request, names)
        tell = self._teller(request)
        return "\n\n".join([await tell(name) for name in names])

    async def plan(self, request: Request) -> Plan:
        """Return what a request that changes something would do."""
        names = await self._accounts(request.account)
        match request.verb:
            case Verb.PAUSE | Verb.HALT:
                return await self._plan_halt(names, is_flatten=request.is_flatten)
            case Verb.RESUME:
                return await self._plan_resume(names)
            case _:
                return await self._plan_close(names, request.symbol)

    async def carry_out(self, plan: Plan, asked_by: str) -> str:
        """Ask the leaders, all at once, and return what each said."""
        said: dict[Errand, str] = {}

        async def ask(errand: Errand) -> None:
            wish = Wish(errand.account, errand.kind, errand.symbol, asked_by)
            try:
                reply = await ask_bot(self.ledger, wish)
            except MilobotError as error:
                said[errand] = f"not done: {plain(str(error))}"
                return
            said[errand] = f"{'✓' if reply.is_done else '⚠'} {_for_telephone(reply.said)}"

        async with asyncio.TaskGroup() as tasks:
            for errand in plan.errands:
                tasks.create_task(ask(errand))
        return "\n".join(f"{errand.account}: {said[errand]}" for errand in plan.errands)

    async def _accounts(self, named: str) -> list[str]:
        """Return the accounts that a request is about.

        Raises:
            ConfigurationError: None is known, or none of that name.
        """
        known = await known_accounts(self.ledger, None)
        if not known:
            raise ConfigurationError("the ledger knows no account yet")
        found = [name for name in known if named in {"", name, *name.split(":", 1)}]
        if not found:
            raise ConfigurationError(f"no account is called {named}; known: {', '.join(known)}")
        return found

    def _teller(self, request: Request) -> Callable[[str], Awaitable[str]]:
        match request.verb:
            case Verb.STATUS:
                return self._status
            case Verb.POSITIONS:
                return self._positions
            case Verb.ORDERS:
                return self._orders
            case Verb.BALANCE:
                return self._balance
            case _:
                return lambda account: self._profit(account, request.days)

    async def _status(self, account: str) -> str:
        presence = await find_presence(self.ledger, account)
        return status_text(await read_status(self.ledger, account, presence), self.limits)

    async def _positions(self, account: str) -> str:
        return positions_text(account, await self._held(account), self.price_of)

    async def _orders(self, account: str) -> str:
        lines = await self.ledger.read(lambda c: queries.list_orders(c, account, live_only=True))
        return orders_text(account, sorted(lines, key=lambda line: line.order.symbol))

    async def _balance(self, account: str) -> str:
        latest = await self.ledger.read(lambda c: queries.list_equity(c, account, limit=1))
        return balance_text(account, latest[-1] if latest else None)

    async def _profit(self, account: str, days: int) -> str:
        now_ms = self.clock.now_ms()
        first_ms = now_ms - now_ms % DAY_MS - (days - 1) * DAY_MS
        trips = await self.ledger.read(
            lambda c: queries.list_round_trips(c, account, first_ms=first_ms, limit=_MOST_TRIPS)
        )
        return profit_text(account, days, trips)

    async def _why(self, request: Request, names: list[str]) -> str:
        symbol = request.symbol

        def read(
            connection: Connection,
        ) -> tuple[queries.Explanation | None, list[queries.DecisionLine]]:
            lines = [
                line
                for name in names
                for line in queries.list_decisions(connection, name, symbol=symbol, limit=20)
            ]
            lines.sort(key=lambda line: -line.number)
            if not lines:
                return None, []
            key = lines[0].decision.intent_key
            earlier = [line for line in lines if line.decision.intent_key != key]
            return queries.explain(connection, lines[0].number), earlier[:_EARLIER]

        found, earlier = await self.ledger.read(read)
        return "\n".join([why_text(symbol, found, earlier), *await self._signals(symbol)])

    async def _signals(self, symbol: str) -> list[str]:
        """Return what became of the last signals about a symbol: most never get to a decision."""
        if self.door is None:
            return []
        latest = await self.door.latest(_LATEST_SIGNALS)
        about = [one for one in latest if symbol in one.reading.values()]
        lines = signal_lines(about[:_SHOWN_SIGNALS])
        return ["signals:", *lines] if lines else []

    async def _held(self, account: str) -> tuple[Held, ...]:
        return held_of(await self.ledger.journal(account).load())

    async def _governor(self, account: str) -> GovernorState | None:
        content = await self.ledger.write(lambda c: load_governor(c, account))  # it locks the row
        return parse_state(content) if content else None

    async def _plan_halt(self, names: list[str], *, is_flatten: bool) -> Plan:
        kind = CommandKind.FLATTEN if is_flatten else CommandKind.HALT
        errands = tuple(Errand(name, kind) for name in names)
        where = ", ".join(names)
        if not is_flatten:
            said = f"Nothing enters on {where} until /resume. What is open keeps its stop."
            return Plan(errands, said)
        told = [
            held_text(name, one, self.price_of)
            for name in names
            for one in await self._held(name)
            if not one.slot.is_idle
        ]
        opening = f"Everything of ours on {where} is closed at market, and nothing enters until"
        return Plan(errands, "\n\n".join([f"{opening} /resume.", *(told or ["Nothing is open."])]))

    async def _plan_resume(self, names: list[str]) -> Plan:
        states = [(name, await self._governor(name)) for name in names]
        halted = [(name, state) for name, state in states if state is not None and state.halts]
        if not halted:
            return Plan((), f"nothing is halted on {', '.join(names)}")
        if len(halted) > 1:
            there = " or ".join(f"/resume {name}" for name, _ in halted)
            return Plan((), f"several accounts are halted, name one: {there}")
        name, state = halted[0]
        halts = [f"since {clock_time(h.since_ms)}: {plain(h.reason)}" for h in state.halts]
        said = "\n".join([f"Entries pass again on {name}. It is halted", *halts])
        return Plan((Errand(name, CommandKind.RESUME),), said)

    async def _plan_close(self, names: list[str], symbol: str) -> Plan:
        found = [
            (name, one)
            for name in names
            for one in await self._held(name)
            if one.slot.symbol == symbol and not one.slot.is_idle
        ]
        if not found:
            return Plan((), f"nothing of ours is open in {symbol} on {', '.join(names)}")
        if len(found) > 1:
            there = " or ".join(f"/close {symbol} {name}" for name, _ in found)
            return Plan((), f"it is open on several accounts, name one: {there}")
        name, one = found[0]
        said = f"Close on {name} at market:\n{held_text(name, one, self.price_of)}"
        return Plan((Errand(name, CommandKind.CLOSE, symbol),), said)


def _for_telephone(said: str) -> str:
    """Return an answer of a leader in words that fit here; our own commands may be tapped."""
    text = plain(said)
    for there, here in _ON_A_TELEPHONE.items():
        text = text.replace(there, here)
    return text
