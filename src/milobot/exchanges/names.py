"""Symbols that are not there: say which ones come near."""

import difflib
from collections.abc import Iterable

from milobot.errors import DataError

_NEAREST = 3
_MOST_SHOWN = 40


def unknown_symbol(symbol: str, exchange: str, known: Iterable[str]) -> DataError:
    """Return the error for a symbol that is not traded, with the nearest names."""
    names = sorted(known)
    near = difflib.get_close_matches(symbol.upper(), names, n=_NEAREST, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else "use a USDT perpetual such as BTCUSDT"
    return DataError(f"{exchange} does not trade {symbol[:_MOST_SHOWN]!r}: {hint}")
