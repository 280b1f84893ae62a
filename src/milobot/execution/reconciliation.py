"""Ours and theirs: a pure comparison of our books with what an exchange says.

Given our slots and a snapshot, ``compare`` says what to apply, what to withdraw, which
symbols to block, what still has to be asked, and what a reader should know. Whoever runs the
account asks, hands the answers in with the same snapshot, and carries the rest out:

    take a snapshot; findings = compare(...)
    while findings.needs: ask; findings = compare(...) with the answers
    carry out; at findings.again_ms, and every 30 s, take the next snapshot

What takes something away from our books (a position that is gone, smaller or larger, an order
that vanished) has to be seen in two snapshots, both newer than the last event of the symbol,
with nothing under way. ``docs/reconciliation.md`` lists every situation and what is found.
"""

from collections.abc import Iterable
from dataclasses import replace

from milobot.domain.positions import Position
from milobot.domain.reports import OrderReport, PositionReport
from milobot.domain.slots import Slot
from milobot.execution.doubt import Terms
from milobot.execution.findings import Findings, Needs, Notice, Ours, Sightings, Snapshot
from milobot.execution.look import Look
from milobot.execution.order_differences import compare_orders
from milobot.execution.position_differences import block, compare_position, compare_settings


def compare(
    ours: Iterable[Ours], snapshot: Snapshot, before: Sightings, terms: Terms, *, account: str
) -> Findings:
    """Return what has to be done so that our books agree with the exchange.

    Args:
        ours: Every slot that was ever used; symbols without one count as never used.
        snapshot: What the exchange said, completed with what the last findings needed.
        before: ``Findings.sightings`` of the last snapshot that was carried out; empty at first.
        terms: What is assumed about the exchange.
        account: ``exchange:name``, part of the ids of what others did to our positions.
    """
    known = {one.slot.symbol: one for one in ours}
    parts = _by_symbol(snapshot)
    for symbol in parts:
        if symbol not in known:
            known[symbol] = Ours(Slot(symbol, Position(symbol)))
    nothing = replace(snapshot, positions=(), open_orders=())
    looks = [
        _look(one, parts.get(symbol, nothing), before, terms, account)
        for symbol, one in known.items()
    ]
    return _collect(looks, snapshot, before, terms)


def _by_symbol(snapshot: Snapshot) -> dict[str, Snapshot]:
    """Return a snapshot in parts: every symbol that something is told of with just that."""
    positions: dict[str, list[PositionReport]] = {}
    orders: dict[str, list[OrderReport]] = {}
    for position in snapshot.positions:
        positions.setdefault(position.symbol, []).append(position)
    for order in snapshot.open_orders:
        orders.setdefault(order.symbol, []).append(order)
    return {
        symbol: replace(
            snapshot,
            positions=tuple(positions.get(symbol, ())),
            open_orders=tuple(orders.get(symbol, ())),
        )
        for symbol in dict.fromkeys((*positions, *orders))
    }


def _look(ours: Ours, snapshot: Snapshot, before: Sightings, terms: Terms, account: str) -> Look:
    look = Look(ours, snapshot, before, terms, account)
    if not look.is_fresh:
        look.wait()
        look.remember()
        return look
    foreign = compare_orders(look)
    code = compare_position(look)
    compare_settings(look)
    block(look, code, foreign)
    return look


def _collect(looks: list[Look], snapshot: Snapshot, before: Sightings, terms: Terms) -> Findings:
    notices = tuple(notice for look in looks for notice in _standing(look, before))
    first_ms = {key: at_ms for look in looks for key, at_ms in look.seen.items()}
    # Half of what is found of a symbol would make the snapshot old for the other half.
    ready = [look for look in looks if not look.has_to_ask()]
    return Findings(
        adopted=tuple(order for look in ready for order in look.adopted),
        updates=tuple(update for look in ready for update in look.updates),
        withdraw=tuple(order for look in ready for order in look.withdraw),
        blocked={look.symbol: look.blocked for look in ready if look.blocked is not None},
        needs=_needs(looks),
        notices=notices,
        news=tuple(notice for notice in notices if notice not in before.notices),
        again_ms=_again_ms(looks, snapshot, terms),
        sightings=Sightings(first_ms, notices),
    )


def _again_ms(looks: list[Look], snapshot: Snapshot, terms: Terms) -> int | None:
    """Return when to look again: soon where something lies open that an event has hidden."""
    if any(look.is_outrun for look in looks):
        return snapshot.asked_ms + terms.ask_every_ms
    is_to_repeat = any(look.is_to_repeat for look in looks)
    return snapshot.asked_ms + terms.apart_ms if is_to_repeat else None


def _needs(looks: list[Look]) -> Needs:
    return Needs(
        updates=tuple(order for look in looks for order in look.ask_updates.values()),
        fills={
            look.symbol: look.ask_fills_since_ms
            for look in looks
            if look.ask_fills_since_ms is not None
        },
        records=tuple((look.symbol, name) for look in looks for name in look.ask_records),
        strangers=tuple((look.symbol, name) for look in looks for name in look.ask_strangers),
        mark_prices=tuple(look.symbol for look in looks if look.asks_mark_price),
    )


def _standing(look: Look, before: Sightings) -> tuple[Notice, ...]:
    """Return what stands for a symbol; what could not be judged again stands as it did."""
    if look.is_fresh:
        return tuple(look.notices)
    return tuple(notice for notice in before.notices if notice.symbol == look.symbol)
