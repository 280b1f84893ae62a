"""What a worker is told when it is given a script."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from milobot.domain.market import SymbolRules

DATA_LIMIT = 5000


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How a script is to run.

    Attributes:
        parameters: New values of its parameters (``--set``).
        symbol: Replaces its ``coin``.
        timeframe: Replaces its ``timeframe``.
        rules: For ``get_symbol_constraints()``; None when unknown.
        data_limit: Candles in ``data``.
    """

    parameters: Mapping[str, object] = field(default_factory=dict)
    symbol: str | None = None
    timeframe: str | None = None
    rules: SymbolRules | None = None
    data_limit: int = DATA_LIMIT


def load_request(source: str, options: LoadOptions, quiet_s: float) -> dict[str, object]:
    """Return the request that gives a script to a worker.

    Args:
        source: The script's text.
        options: How it is to run.
        quiet_s: Seconds the worker may be busy without an answer; it ends itself soon after.
    """
    overrides = {name: _sendable(value) for name, value in options.parameters.items()}
    overrides |= {"coin": options.symbol} if options.symbol else {}
    overrides |= {"timeframe": options.timeframe} if options.timeframe else {}
    return {
        "op": "load",
        "source": source.encode(errors="replace").decode(),
        "parameters": overrides,
        "constraints": constraints_of(options.rules) if options.rules else None,
        "limit": options.data_limit,
        "quiet_s": quiet_s,
    }


def constraints_of(rules: SymbolRules) -> dict[str, float]:
    """Return what ``get_symbol_constraints()`` gives to scripts; an unknown tick size is 0."""
    return {
        "minQty": float(rules.min_quantity),
        "minNotional": float(rules.min_notional),
        "stepSize": float(rules.quantity_step),
        "tickSize": float(rules.tick_size or 0),
    }


def _sendable(value: object) -> object:
    return value if isinstance(value, bool | int | float | str) else str(value)
