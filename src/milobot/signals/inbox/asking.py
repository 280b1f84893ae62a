"""Asking the engine for one wish, once: what it knows already is not asked for again."""

from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal

from milobot.domain.decisions import Decision
from milobot.domain.intents import TradeIntent
from milobot.domain.money import ZERO
from milobot.domain.slots import Slot
from milobot.errors import ExchangeUnavailableError, MilobotError
from milobot.ports import Clock
from milobot.signals.inbox.ports import SignalTrades
from milobot.signals.life.happenings import Decided, NotSent
from milobot.signals.life.prices import held_back
from milobot.signals.life.record import Signal, Wish

_MOST_FAILURES = 3


class Asking:
    """Asks for wishes, and knows which of them nobody can have asked for before.

    Attributes:
        is_closing: Whether the engine is asked for nothing more, as before the end of a run.
    """

    def __init__(self, trades: SignalTrades, clock: Clock) -> None:
        """Know of none: whatever is found on record may have been asked for before a crash."""
        self._trades = trades
        self._clock = clock
        self.is_closing = False
        self._own: set[str] = set()
        self._failures: Counter[str] = Counter()

    def own(self, keys: Iterable[str]) -> None:
        """Note wishes that this process has just made: nobody has asked for them before."""
        self._own.update(keys)

    async def ask(
        self, signal: Signal, wish: Wish, latest: Callable[[], Signal | None]
    ) -> Decided | NotSent:
        """Return what the engine says to a wish, or why it was not asked.

        Args:
            signal: Whose wish it is.
            wish: What is wished for.
            latest: Returns the signal as it stands now; it may have changed meanwhile.

        Raises:
            ExchangeError: The price that it needs is not known, or the run is ending.
            LedgerError: What was decided before could not be read.
            LeaseLostError: Another process leads the account now.
        """
        if wish.key not in self._own or wish.is_withdrawn:
            known = await self._trades.decision(wish.key)
            if known is not None:
                return _decided(known)
        if _is_withdrawn(latest(), wish):
            return _taken_back(wish)
        price = await self._price_for(signal, wish)
        held = held_back(signal, wish, price, self._clock.now_ms())
        if held is not None:
            return held
        if _is_withdrawn(latest(), wish):
            return _taken_back(wish)
        if not wish.leg and _is_of_another(self._trades.slot(signal.symbol), signal):
            # The source's next position may be open before the end of this one is on record.
            return NotSent(wish.key, "over", "Its position is closed; what is open is another's.")
        if self.is_closing:
            raise ExchangeUnavailableError("the run is ending: it is asked for at the next start")
        return await self._submit(_intent(signal, wish, wish.reference or price))

    async def _submit(self, intent: TradeIntent) -> Decided | NotSent:
        """Return what the engine decides; give up what it fails at again and again.

        Raises:
            MilobotError: It could not be asked, for a reason that passes.
        """
        self._own.discard(intent.key)
        try:
            decision = await self._trades.submit(intent)
        except MilobotError:
            raise
        except Exception as error:
            self._failures[intent.key] += 1
            if self._failures[intent.key] < _MOST_FAILURES:
                raise
            known = await self._trades.decision(intent.key)
            if known is None:
                return NotSent(intent.key, "failed", f"The engine failed at it: {error!r}.")
            decision = known
        return _decided(decision)

    async def _price_for(self, signal: Signal, wish: Wish) -> Decimal | None:
        """Return the last price, where an entry is measured from it or bounded by it."""
        plan = signal.plan
        if not wish.leg:
            return None
        is_needed = wish.reference is None or (plan is not None and plan.is_bounded)
        return await self._trades.last_price(signal.symbol) if is_needed else None


def _is_of_another(slot: Slot, signal: Signal) -> bool:
    """Return whether a slot is for the entry of another signal."""
    return slot.setup is not None and slot.setup.intent.key not in signal.entry_keys


def _taken_back(wish: Wish) -> NotSent:
    return NotSent(wish.key, "withdrawn", "It was taken back in time.", is_withdrawn=True)


def _intent(signal: Signal, wish: Wish, reference: Decimal | None) -> TradeIntent:
    plan_reference = signal.plan.reference if signal.plan else None
    return TradeIntent(
        key=wish.key,
        owner=signal.source,
        symbol=signal.symbol,
        time_ms=signal.posted_ms,
        action=wish.action,
        reference_price=reference or plan_reference or ZERO,
        due_ms=wish.due_ms,
    )


def _decided(decision: Decision) -> Decided:
    return Decided(decision.intent_key, decision.outcome, decision.code, decision.reason)


def _is_withdrawn(signal: Signal | None, wish: Wish) -> bool:
    current = None if signal is None else signal.wish(wish.key)
    return current is None or current.is_withdrawn
