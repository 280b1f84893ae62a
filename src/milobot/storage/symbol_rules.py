"""Symbol rules and leverage brackets as rows: plain functions of a connection."""

import sqlite3
from decimal import Decimal

from milobot.domain.market import LeverageBracket, SymbolRules


def write_rules(connection: sqlite3.Connection, source: str, rules: SymbolRules) -> None:
    """Replace the rules and brackets of one symbol; call it inside a transaction."""
    connection.execute(
        "INSERT OR REPLACE INTO symbol_rules VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            source,
            rules.symbol,
            _to_text(rules.tick_size),
            str(rules.quantity_step),
            str(rules.min_quantity),
            _to_text(rules.max_market_quantity),
            str(rules.min_notional),
        ),
    )
    connection.execute(
        "DELETE FROM leverage_brackets WHERE source = ? AND symbol = ?", (source, rules.symbol)
    )
    connection.executemany(
        "INSERT INTO leverage_brackets VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                source,
                rules.symbol,
                position,
                str(bracket.notional_floor),
                str(bracket.notional_cap),
                bracket.max_leverage,
                str(bracket.maintenance_margin_rate),
                str(bracket.maintenance_amount),
            )
            for position, bracket in enumerate(rules.brackets)
        ],
    )


def read_rules(connection: sqlite3.Connection, source: str, symbol: str) -> SymbolRules | None:
    """Return the rules of one symbol with its brackets, or None when there are none."""
    row = connection.execute(
        "SELECT tick_size, quantity_step, min_quantity, max_market_quantity, min_notional"
        " FROM symbol_rules WHERE source = ? AND symbol = ?",
        (source, symbol),
    ).fetchone()
    if row is None:
        return None
    tick_size, quantity_step, min_quantity, max_market_quantity, min_notional = row
    return SymbolRules(
        symbol=symbol,
        tick_size=_to_decimal(tick_size),
        quantity_step=Decimal(quantity_step),
        min_quantity=Decimal(min_quantity),
        max_market_quantity=_to_decimal(max_market_quantity),
        min_notional=Decimal(min_notional),
        brackets=_read_brackets(connection, source, symbol),
    )


def _read_brackets(
    connection: sqlite3.Connection, source: str, symbol: str
) -> tuple[LeverageBracket, ...]:
    rows = connection.execute(
        "SELECT notional_floor, notional_cap, max_leverage, maintenance_margin_rate,"
        " maintenance_amount FROM leverage_brackets WHERE source = ? AND symbol = ?"
        " ORDER BY position",
        (source, symbol),
    )
    return tuple(
        LeverageBracket(Decimal(floor), Decimal(cap), leverage, Decimal(rate), Decimal(amount))
        for floor, cap, leverage, rate, amount in rows
    )


def _to_text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _to_decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
