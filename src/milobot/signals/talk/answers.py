"""Answers: what is on record, in short lines for a telephone."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from milobot.domain.decisions import Decision
from milobot.domain.money import ZERO
from milobot.domain.orders import Order
from milobot.domain.round_trips import RoundTrip
from milobot.domain.times import format_time
from milobot.signals.door import SignalHistory
from milobot.signals.talk.plain import money, percent, plain, price, quantity, signed
from milobot.signals.talk.sentences import risk_multiple
from milobot.storage.account_records import EquitySnapshot
from milobot.storage.queries import DecisionLine, Explanation, OrderLine

_MINUTE_MS = 60_000
_SYMBOLS = 5


def clock_time(time_ms: int) -> str:
    """Return a time to the minute.

    >>> clock_time(1704067261000)
    '2024-01-01 00:01 UTC'
    """
    return f"{format_time(time_ms - time_ms % _MINUTE_MS)} UTC"


def orders_text(account: str, lines: Iterable[OrderLine]) -> str:
    """Return the orders that rest or are on their way."""
    rows = [_order_line(line.order) for line in lines]
    return "\n".join([account, *(rows or ["no order rests or is on its way"])])


def balance_text(account: str, snapshot: EquitySnapshot | None) -> str:
    """Return what an account held when it was read last."""
    if snapshot is None:
        return f"{account}\nnot read yet"
    return "\n".join(
        [
            account,
            f"equity {money(snapshot.equity)} USDT",
            f"wallet {money(snapshot.wallet)}",
            f"open gains {signed(snapshot.unrealized_pnl)}",
            f"free {money(snapshot.available)}",
            f"read {clock_time(snapshot.time_ms)}",
        ]
    )


def profit_text(account: str, days: int, trips: Sequence[RoundTrip]) -> str:
    """Return what the positions closed in some days came to, and which symbols made it."""
    since = "today (UTC)" if days == 1 else f"last {days} days (UTC)"
    if not trips:
        return f"{account}, {since}\nnothing was closed"
    results = [trip.pnl for trip in trips]
    won = sum(1 for result in results if result > 0)
    fees, funding = sum((t.fees for t in trips), ZERO), sum((t.funding for t in trips), ZERO)
    lines = [
        f"{account}, {since}",
        f"net {signed(sum(results, ZERO))} USDT{_risks(trips)}",
        f"{len(trips)} closed, {won} won ({percent(Decimal(won) / len(trips))})",
        f"best {signed(max(results))}, worst {signed(min(results))}",
        f"paid: fees {money(fees)}, funding {money(funding)}",
    ]
    return "\n".join(lines + _by_symbol(trips))


def why_text(symbol: str, found: Explanation | None, earlier: Sequence[DecisionLine]) -> str:
    """Return what was decided last in a symbol, with the checks that failed and what followed.

    Args:
        symbol: What was asked about.
        found: The last decision's intent; None when there is none.
        earlier: Decisions about others before, latest first.
    """
    if found is None:
        return f"{symbol}: nothing was decided about it yet"
    lines = [f"{symbol} on {found.account}"]
    for line in found.decisions:
        lines += _decision_lines(line.decision)
    if found.intent is not None:
        lines.append(
            f"as of {clock_time(found.intent.time_ms)} at {price(found.intent.reference_price)}"
        )
    lines += [_order_line(order) for order in found.orders]
    lines += [
        f"{fill.side.value.lower()} filled: {quantity(fill.quantity)} at {price(fill.price)}"
        for fill in found.fills
    ]
    before = [f"{_outcome(line.decision)}: {plain(line.decision.reason)}" for line in earlier]
    return "\n".join(lines + (["before that:", *before] if before else []))


def signal_lines(histories: Iterable[SignalHistory]) -> list[str]:
    """Return what became of signals, one line each."""
    lines = []
    for one in histories:
        state = one.receipt.state.value.replace("_", " ")
        because = f": {plain(one.receipt.reason)}" if one.receipt.reason else ""
        lines.append(f"{clock_time(one.received_ms)} {plain(one.source, 60)} {state}{because}")
    return lines


def _order_line(order: Order) -> str:
    at = order.trigger_price or order.price
    where = "" if at is None else f" at {price(at)}"
    part = f", {quantity(order.filled_quantity)} filled" if order.filled_quantity else ""
    why = f": {plain(order.reason, 120)}" if order.reason else ""
    what = f"{order.symbol} {order.purpose.value}: {order.side.value.lower()}"
    state = order.status.value.lower().replace("_", " ")
    return f"{what} {quantity(order.quantity)}{where} ({state}{part}){why}"


def _decision_lines(decision: Decision) -> list[str]:
    who = f"{plain(decision.action, 60)}, asked for by {plain(decision.owner, 60)}"
    lines = [who, f"{_outcome(decision)}: {plain(decision.reason)} [{plain(decision.code, 40)}]"]
    passed = sum(1 for gate in decision.gates if gate.is_passed)
    lines += [
        f"FAILED {plain(gate.name, 40)}: {plain(gate.value, 80)}, has to be"
        f" {plain(gate.threshold, 80)}"
        for gate in decision.gates
        if not gate.is_passed
    ]
    return [*lines, f"{passed} of {len(decision.gates)} checks passed"] if decision.gates else lines


def _outcome(decision: Decision) -> str:
    return decision.outcome.value.upper()


def _risks(trips: Sequence[RoundTrip]) -> str:
    multiples = [m for m in map(risk_multiple, trips) if m is not None]
    return f", {sum(multiples, ZERO):+.2f} R" if multiples else ""


def _by_symbol(trips: Sequence[RoundTrip]) -> list[str]:
    """Return the symbols that moved the result most."""
    sums: dict[str, Decimal] = {}
    for trip in trips:
        sums[trip.symbol] = sums.get(trip.symbol, ZERO) + trip.pnl
    if len(sums) == 1:
        return []
    ranked = sorted(sums.items(), key=lambda item: -abs(item[1]))
    lines = [f"{symbol} {signed(result)}" for symbol, result in ranked[:_SYMBOLS]]
    rest = ranked[_SYMBOLS:]
    total = signed(sum((result for _, result in rest), ZERO))
    return [*lines, f"{len(rest)} others {total}"] if rest else lines
