"""Names of symbols: BTCUSDT here, BTC-USDT at BingX. Pure."""

from milobot.errors import DataError, ProtocolError

_QUOTE = "USDT"
_MOST_SHOWN = 40


def to_wire(symbol: str) -> str:
    """Return BingX's name of a USDT perpetual.

    Raises:
        DataError: It is no USDT perpetual.

    >>> to_wire("1000PEPEUSDT")
    '1000PEPE-USDT'
    """
    base = symbol.removesuffix(_QUOTE)
    if base == symbol or not base:
        raise DataError(
            f"BingX does not trade {symbol[:_MOST_SHOWN]!r} here:"
            " use a USDT perpetual such as BTCUSDT"
        )
    return f"{base}-{_QUOTE}"


def from_wire(name: str) -> str:
    """Return our name of a symbol, whatever it is quoted in.

    Raises:
        ProtocolError: It has no hyphen between base and quote asset.

    >>> from_wire("BTC-USDC")
    'BTCUSDC'
    """
    base, hyphen, quote = name.partition("-")
    if not (base and hyphen and quote):
        raise ProtocolError(f"{name[:_MOST_SHOWN]!r} is no symbol of BingX")
    return base + quote
