"""An account that signals trade on, without an exchange: it dedups by key as the engine does."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from milobot.domain.decisions import Decision, Outcome
from milobot.domain.intents import Close, Enter, Reduce, TradeIntent
from milobot.domain.money import ZERO
from milobot.domain.positions import Position
from milobot.domain.risk import Levels, Target
from milobot.domain.slots import Setup, Slot, Tally
from milobot.errors import ExchangeUnavailableError
from milobot.signals.life.happenings import Ended

PRICE = Decimal(65_000)


@dataclass
class FakeTrades:
    """Answers intents, and shows the slots that they lead to.

    Attributes:
        refusals: Codes for which the next entries are denied, in turn; empty for none.
        fills_at_once: Whether an accepted entry is filled when its decision is given.
        submitted: Every intent, in the order it came, repeats too.
        entries: Keys of the entries that were accepted, each once.
        breaks: What the next calls of ``submit`` raise, after deciding when ``breaks_late``.
    """

    is_leading: bool = True
    prices: dict[str, Decimal] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    fills_at_once: bool = True
    submitted: list[TradeIntent] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)
    decisions: dict[str, Decision] = field(default_factory=dict)
    slots: dict[str, Slot] = field(default_factory=dict)
    ends: dict[str, Ended] = field(default_factory=dict)
    breaks: list[BaseException] = field(default_factory=list)
    breaks_late: bool = False
    gate: asyncio.Event | None = None

    async def submit(self, intent: TradeIntent) -> Decision:
        """Decide about an intent, once."""
        if self.gate is not None:
            await self.gate.wait()
        if self.breaks and not self.breaks_late:
            raise self.breaks.pop(0)
        self.submitted.append(intent)
        decision = self.decisions.get(intent.key)
        if decision is None:
            decision = self.decisions[intent.key] = self._decide(intent)
        if self.breaks:
            raise self.breaks.pop(0)
        return decision

    async def decision(self, key: str) -> Decision | None:
        """Return what was decided before."""
        return self.decisions.get(key)

    def slot(self, symbol: str) -> Slot:
        """Return what is held in a symbol."""
        return self.slots.get(symbol) or Slot(symbol, Position(symbol))

    async def last_price(self, symbol: str) -> Decimal:
        """Return the price that was set, 65,000 for others."""
        price = self.prices.get(symbol, PRICE)
        if price.is_signed():
            raise ExchangeUnavailableError(f"{symbol} has no price")
        return price

    async def end_of(self, symbol: str, keys: Sequence[str]) -> Ended | None:
        """Return how the first of the intents ended that has an end."""
        return next((self.ends[key] for key in keys if key in self.ends), None)

    def fill(self, symbol: str) -> None:
        """Fill what is on its way in a symbol."""
        slot = self.slots[symbol]
        assert slot.setup is not None
        if not slot.position.is_flat:
            return
        quantity, side = slot.setup.quantity, slot.setup.action.side
        position = Position(symbol, side, quantity, cost=quantity * PRICE)
        tally = Tally(Position(symbol), quantity, quantity * PRICE, largest=quantity)
        self.slots[symbol] = replace(slot, position=position, tally=tally)

    def close(self, symbol: str, code: str = "stop") -> None:
        """Close what is open or on its way in a symbol."""
        slot = self.slots.pop(symbol, None)
        if slot is not None and slot.setup is not None:
            has_entered = not slot.position.is_flat
            key = slot.setup.intent.key
            self.ends[key] = Ended(has_entered, code=code, sentence=f"Closed by {code}.")

    def take_target(self, symbol: str, share: Decimal) -> None:
        """Let targets take a fraction of what was entered, all in all."""
        slot = self.slots[symbol]
        if slot.tally is not None:
            taken = slot.tally.entry_quantity * share
            tally = replace(slot.tally, target_quantity=taken, exit_quantity=taken)
            self.slots[symbol] = replace(slot, tally=tally)

    def _decide(self, intent: TradeIntent) -> Decision:
        code, outcome = self._judged(intent)
        return Decision(
            intent.key,
            intent.owner,
            intent.symbol,
            intent.time_ms,
            str(intent.action),
            outcome,
            code,
            f"{code} {intent.symbol}",
        )

    def _judged(self, intent: TradeIntent) -> tuple[str, Outcome]:
        held = self.slots.get(intent.symbol)
        if isinstance(intent.action, Enter):
            if self.refusals and (code := self.refusals.pop(0)):
                return code, Outcome.DENIED
            return self._entered(intent, intent.action, held)
        if held is None or held.owner != intent.owner:
            return "no_position", Outcome.IGNORED
        if isinstance(intent.action, Close):
            self.close(intent.symbol, "close")
        elif isinstance(intent.action, Reduce) and held.tally is not None:
            tally = replace(held.tally, exit_quantity=held.tally.exit_quantity + 1)
            self.slots[intent.symbol] = replace(held, tally=tally)
        return "accepted", Outcome.ACCEPTED

    def _entered(
        self, intent: TradeIntent, action: Enter, held: Slot | None
    ) -> tuple[str, Outcome]:
        if action.adds_to:
            if held is None or held.setup is None or held.setup.intent.key != action.adds_to:
                return "no_position", Outcome.DENIED
        elif held is not None:
            is_theirs = held.owner == intent.owner
            code = "already_in_position" if is_theirs else "slot_owned"
            return code, Outcome.IGNORED if is_theirs else Outcome.DENIED
        else:
            targets = tuple(Target(aim.distance.value, aim.share) for aim in action.aims)
            levels = Levels(intent.reference_price, None, targets)
            setup = Setup(intent, action, levels, Decimal(1), ZERO)
            self.slots[intent.symbol] = Slot(
                intent.symbol, Position(intent.symbol), owner=intent.owner, setup=setup
            )
        self.entries.append(intent.key)
        if self.fills_at_once:
            self.fill(intent.symbol)
        return "accepted", Outcome.ACCEPTED
