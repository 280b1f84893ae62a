"""What a run of the fault matrix works with: an exchange, a client, and orders that are drawn."""

from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from tests.support.fault_cases import MARKET, STOP, Case
from tests.support.fault_judge import Item
from tests.support.local_clients import Client, client_for

from milobot.domain.intents import Side
from milobot.domain.orders import Order, OrderPurpose, OrderType, OrderUpdate
from milobot.exchanges.options import ClientOptions
from milobot.local_exchange.core.accounts import Account
from milobot.local_exchange.core.orders import Kind, Origin, Ticket
from milobot.local_exchange.core.placing import place
from milobot.local_exchange.server import LocalExchange

PRICE = 40_000.0
SYMBOL = "BTCUSDT"
HELD = Decimal("0.05")
# Longer than any delay or ban of the plan, and than the wait after which "not found" counts.
FENCE_S = 130.0


@dataclass
class Bench:
    """One run at work.

    Attributes:
        news: What a user stream told meanwhile.
    """

    case: Case
    dice: Random
    local: LocalExchange
    options: ClientOptions
    client: Client
    news: list[OrderUpdate] = field(default_factory=list)

    @property
    def account(self) -> Account:
        """Return the account as the exchange has it."""
        return next(iter(self.local.venues[self.case.dialect].accounts.values()))

    def made(self, known: set[int]) -> list[Item]:
        """Return the orders of the client that are there and were not before."""
        account = self.account
        plain: list[Item] = [
            o for o in account.orders.values() if o.origin is Origin.CLIENT and not o.parent_id
        ]
        alone = [c for c in account.conditionals.values() if not c.entry_id]
        return [item for item in (*plain, *alone) if item.id not in known]

    def ids(self) -> set[int]:
        """Return the ids of what is there now."""
        return {*self.account.orders, *self.account.conditionals}

    def strike(self) -> None:
        """Let the fault strike from here on."""
        self.local.plan.extend([self.case.rule(self.dice)])

    async def settle(self) -> None:
        """Let everything happen that is due, with no more faults, and learn the time anew."""
        self.local.plan.clear()
        await self.options.sleep(FENCE_S)
        await self.client.market.fetch_server_time()

    async def restart(self) -> None:
        """Forget all that is not in a journal."""
        await self.client.close()
        self.client = client_for(self.case.dialect, self.local, self.options)
        await self.client.market.fetch_server_time()


def order_for(bench: Bench) -> Order:
    """Return the order of a run; its side, size and form are drawn."""
    dice, call = bench.dice, bench.case.call
    quantity = dice.choice((Decimal("0.01"), HELD, Decimal("0.123")))
    side = dice.choice((Side.BUY, Side.SELL))
    if call == MARKET and (dice.random() < 0.7 or bench.case.fault.startswith("attached_")):
        return _order(bench, side, OrderType.MARKET, OrderPurpose.ENTRY, quantity)
    held = _open_position(bench, side)
    if call == MARKET:
        return _order(bench, held, OrderType.MARKET, OrderPurpose.CLOSE, HELD, reduce_only=True)
    return _conditional(bench, held, is_stop=call == STOP)


def _conditional(bench: Bench, exit_side: Side, *, is_stop: bool) -> Order:
    falls = is_stop == (exit_side is Side.SELL)
    away = bench.dice.choice((1, 3, 10))
    trigger = Decimal(PRICE) * (100 - away if falls else 100 + away) / 100
    return _order(
        bench,
        exit_side,
        OrderType.STOP_MARKET if is_stop else OrderType.TAKE_PROFIT_MARKET,
        OrderPurpose.STOP if is_stop else OrderPurpose.TARGET,
        HELD,
        reduce_only=True,
        close_position=is_stop and bench.dice.random() < 0.5,
        trigger_price=trigger,
    )


def _order(
    bench: Bench,
    side: Side,
    kind: OrderType,
    purpose: OrderPurpose,
    quantity: Decimal,
    **more: object,
) -> Order:
    name = f"milo{bench.case.seed}x{bench.dice.randrange(10**9)}"
    now = bench.local.clock.now_ms()
    return Order(name, "k", SYMBOL, side, kind, purpose, quantity, now, leverage=20, **more)  # type: ignore[arg-type]  # fields of the order


def _open_position(bench: Bench, exit_side: Side) -> Side:
    """Open a position past the wire, so that nothing on it is disturbed yet."""
    venue = bench.local.venues[bench.case.dialect]
    side = Side.BUY if exit_side is Side.SELL else Side.SELL
    order = place(venue, bench.account, Ticket(SYMBOL, side, Kind.MARKET, HELD, "", "MARKET"))
    bench.account.orders.pop(order.id)
    return exit_side


async def resting_order(bench: Bench) -> Order:
    """Return a stop, a target or a limit order that was placed by the client."""
    if bench.dice.random() < 0.3:
        price = Decimal(39_000)
        kind, purpose = OrderType.LIMIT, OrderPurpose.ENTRY
        order = _order(bench, Side.BUY, kind, purpose, Decimal("0.01"), price=price)
    else:
        side = _open_position(bench, bench.dice.choice((Side.BUY, Side.SELL)))
        order = _conditional(bench, side, is_stop=bench.dice.random() < 0.6)
    return await _prepared(bench, order)


async def known_order(bench: Bench) -> Order:
    """Return an order of the client to be asked for: filled, resting, or never sent."""
    draw = bench.dice.random()
    if draw < 0.15 and not bench.case.strikes_before:
        return _order(bench, Side.BUY, OrderType.MARKET, OrderPurpose.ENTRY, HELD)
    if draw < 0.6:
        order = _order(bench, Side.BUY, OrderType.MARKET, OrderPurpose.ENTRY, Decimal("0.02"))
        return await _prepared(bench, order)
    return await resting_order(bench)


async def _prepared(bench: Bench, order: Order) -> Order:
    if bench.case.strikes_before:
        bench.strike()
    await bench.client.account.place_order(order)
    if bench.dice.random() < 0.3:
        await bench.restart()
    return order
