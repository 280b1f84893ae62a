"""From a wish to a plan: what the world says now, every gate, and what others have reserved."""

from dataclasses import dataclass, field
from decimal import Decimal

from milobot.domain.decisions import Gate
from milobot.domain.intents import TradeIntent
from milobot.domain.margin import initial_margin
from milobot.domain.money import ZERO
from milobot.domain.reports import MarginMode
from milobot.domain.slots import Setup
from milobot.errors import OrderDeniedError
from milobot.execution.gates import EntryFacts, Limits, plan_entry
from milobot.ports import Exchange


@dataclass(slots=True)
class Planner:
    """Plans entries on one account.

    Entries of several symbols are planned at the same moment. What one has been promised
    and not sent yet is kept from the next: its risk from the equity, its margin from what
    is available.
    """

    exchange: Exchange
    limits: Limits
    _promised: dict[str, Setup] = field(default_factory=dict)

    async def plan(self, intent: TradeIntent, reserved_risk: Decimal, gates: list[Gate]) -> Setup:
        """Return the plan of an entry, after every gate; ``release`` it once it is sent or not.

        Args:
            intent: The wish.
            reserved_risk: What entries already on their way may lose at their stops, in USDT.
            gates: Filled with the checks made, also when one fails.

        Raises:
            OrderDeniedError: A gate failed; its code names which.
            ExchangeError: The exchange could not be asked.
        """
        rules = await self.exchange.fetch_rules(intent.symbol)
        last_price = await self.exchange.fetch_last_price(intent.symbol)
        account = await self.exchange.fetch_account()
        # From here to the promise nothing is awaited: two plans never count on the same money.
        promised = self._promised.values()
        risk = reserved_risk + sum((s.risk for s in promised), ZERO)
        margin = sum((_margin(s, account.taker_fee) for s in promised), ZERO)
        facts = EntryFacts(
            account=account,
            equity=account.equity - risk,
            available=account.available - margin,
            rules=rules,
            last_price=last_price,
        )
        setup = plan_entry(intent, intent.entry, facts, self.limits, gates)
        self._promised[intent.symbol] = setup
        await self._prepare(setup, gates)
        return setup

    def release(self, symbol: str) -> None:
        """Forget what was promised to a symbol: it is on its way, or will not go."""
        self._promised.pop(symbol, None)

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


def _margin(setup: Setup, taker_fee: Decimal) -> Decimal:
    notional = setup.quantity * setup.levels.reference
    return initial_margin(notional, setup.action.leverage) + notional * taker_fee
