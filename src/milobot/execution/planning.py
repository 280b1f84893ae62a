"""From a wish to a plan: what the world says now, every gate, and what others have reserved."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from milobot.domain.decisions import Gate
from milobot.domain.governor import EntryRequest
from milobot.domain.intents import TradeIntent
from milobot.domain.margin import initial_margin
from milobot.domain.money import ZERO
from milobot.domain.orders import OrderPurpose
from milobot.domain.reports import BookTicker, MarginMode
from milobot.domain.slots import PositionState, Setup, Slot, position_state
from milobot.errors import OrderDeniedError
from milobot.execution.exposures import exposures_of
from milobot.execution.gates import EntryFacts, Limits, plan_addition, plan_entry
from milobot.execution.governor import Governor
from milobot.ports import Clock, Exchange, attaches_exits


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old what is decided by may be, and the book it is decided by.

    Attributes:
        price_ms: When the last price was told; None where it is that of this moment.
        account_ms: The same of the account.
        book: Best bid and ask; None where there is no book, as in a back-test.
    """

    price_ms: int | None = None
    account_ms: int | None = None
    book: BookTicker | None = None


def always_fresh(symbol: str) -> Freshness:
    """Return what is true where everything is asked for at the moment it is needed."""
    del symbol
    return Freshness()


@dataclass(slots=True)
class Planner:
    """Plans entries on one account.

    Entries of several symbols are planned at the same moment. What one has been promised
    and not sent yet is kept from the next: its risk from the equity, its margin from what
    is available.
    """

    exchange: Exchange
    limits: Limits
    clock: Clock
    governor: Governor | None = None
    freshness: Callable[[str], Freshness] = always_fresh
    _promised: dict[str, Setup] = field(default_factory=dict)

    async def plan(
        self,
        intent: TradeIntent,
        slots: Iterable[Slot],
        gates: list[Gate],
        onto: Slot | None = None,
    ) -> Setup:
        """Return the plan of an entry, after every gate; ``release`` it once it is sent or not.

        Args:
            intent: The wish.
            slots: All of the account.
            gates: Filled with the checks made, also when one fails.
            onto: The slot whose position it enlarges; None for a position of its own.

        Raises:
            OrderDeniedError: A gate failed; its code names which.
            ExchangeError: The exchange could not be asked.
        """
        if self.governor is not None:
            self.governor.check_open(gates)
        rules = await self.exchange.fetch_rules(intent.symbol)
        last_price = await self.exchange.fetch_last_price(intent.symbol)
        account = await self.exchange.fetch_account()
        # From here to the promise nothing is awaited: two plans never count on the same money.
        slots = tuple(slots)
        promised = tuple(self._promised.values())
        margin = sum((_margin(s, account.taker_fee) for s in promised), ZERO)
        facts = EntryFacts(
            account=account,
            equity=account.equity - _reserved_risk(slots, promised),
            available=account.available - margin,
            rules=rules,
            last_price=last_price,
        )
        if onto is None or onto.setup is None:
            setup = plan_entry(intent, intent.entry, facts, self.limits, gates)
        else:
            setup = plan_addition(intent, onto, onto.setup, facts, gates)
        if self.governor is not None:
            request = self._request(setup, last_price, account.equity, slots)
            if onto is not None:
                request = replace(request, held=onto.position.quantity)
            self.governor.check_entry(request, gates)
        self._promised[intent.symbol] = setup
        await self._prepare(setup, gates)
        return setup

    @property
    def attaches_exits(self) -> bool:
        """Return whether entries carry their stop and target to the exchange."""
        return attaches_exits(self.exchange)

    def release(self, symbol: str) -> None:
        """Forget what was promised to a symbol: it is on its way, or will not go."""
        self._promised.pop(symbol, None)

    def _request(
        self, setup: Setup, last_price: Decimal, equity: Decimal, slots: tuple[Slot, ...]
    ) -> EntryRequest:
        intent, fresh = setup.intent, self.freshness(setup.intent.symbol)
        return EntryRequest(
            symbol=intent.symbol,
            side=setup.action.side,
            leverage=setup.action.leverage,
            quantity=setup.quantity,
            last_price=last_price,
            reference_price=intent.reference_price,
            equity=equity,
            now_ms=self.clock.now_ms(),
            due_ms=intent.due_ms or intent.time_ms,
            exposures=exposures_of(intent.symbol, slots=slots, promised=self._promised.values()),
            price_ms=fresh.price_ms,
            account_ms=fresh.account_ms,
            book=fresh.book,
        )

    async def _prepare(self, setup: Setup, gates: list[Gate]) -> None:
        """Set leverage and margin mode, and believe only what is read back."""
        wanted = setup.action.leverage
        found = await self.exchange.prepare_symbol(
            setup.intent.symbol, leverage=wanted, margin_mode=MarginMode.ISOLATED
        )
        is_set = found.leverage == wanted and found.margin_mode is MarginMode.ISOLATED
        shown = f"{found.leverage}x {found.margin_mode.value}"
        gates.append(Gate("settings", shown, f"{wanted}x {MarginMode.ISOLATED.value}", is_set))
        if not is_set:
            raise OrderDeniedError(
                "settings_not_taken",
                f"{found.symbol} stays at {shown} although {wanted}x"
                f" {MarginMode.ISOLATED.value} was set: close what is open there by hand",
            )


def _reserved_risk(slots: Iterable[Slot], promised: Iterable[Setup]) -> Decimal:
    """Return what entries on their way may lose at their stops, in USDT."""
    opening = (
        s.setup.risk
        for s in slots
        if s.setup and s.live(OrderPurpose.ENTRY) and position_state(s) is PositionState.OPENING
    )
    return sum((*opening, *(setup.risk for setup in promised)), ZERO)


def _margin(setup: Setup, taker_fee: Decimal) -> Decimal:
    notional = setup.quantity * setup.levels.reference
    return initial_margin(notional, setup.action.leverage) + notional * taker_fee
