"""Names of markets in all their spellings, and of what this bot does not trade."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from milobot.signals.phrases import LABELS, VOCABULARY, meaning_of, split_glued
from milobot.signals.text import word_set

_QUOTE = "USDT"
_OTHER_QUOTES = "USDC|FDUSD|BUSD|TUSD|USD|EUR|BTC|XBT|ETH|BNB|TRY|PERP"
_SIDES = "LONG|SHORT|BUY|SELL|LEVERAGE|ENTRY"
_PAIR = re.compile(
    rf"(?<![A-Za-z0-9])(?:[$#] ?)?(?P<base>[A-Za-z0-9]{{1,20}}?)"
    rf"(?:(?: {{0,2}}[/_\-] {{0,2}})?(?P<usdt>USDT)(?:\.P|[ ._-]?PERP|:USDT)?"
    rf"| {{0,2}}/ {{0,2}}(?P<other>{_OTHER_QUOTES})|(?P<glued>USDC|USD))"
    rf"(?:(?![A-Za-z0-9])|(?={_SIDES}))",
    re.IGNORECASE,
)
_QUOTED = re.compile(rf"USD|/ {{0,2}}(?:{_OTHER_QUOTES})", re.IGNORECASE)
_GLUED = re.compile(r"([A-Za-z]*[a-z])([A-Z0-9]{2,})")
"""A word that has grown to the name when a line end was lost: ``CallETH``."""
_SPACED = re.compile(
    r"(?<![A-Za-z0-9])(?:[$#] ?)?(?P<base>[A-Z0-9]{2,15}) {1,2}USDT(?![A-Za-z0-9])"
)
_TAGGED = re.compile(r"(?<![A-Za-z0-9])[$#] ?(?P<base>[A-Za-z0-9]{1,15})(?![A-Za-z0-9_&])")
_SHORTENED = re.compile(r"\d+[kKmMbB]?|\d*[xX]\d*")

_ALIASES = {"XBT": "BTC", "BITCOIN": "BTC", "ETHEREUM": "ETH"}
_MAJOR = word_set("""
    BTC XBT BITCOIN ETH ETHEREUM SOL XRP BNB DOGE ADA AVAX LTC TRX BCH XMR XLM ATOM FIL APT ARB SUI
    PEPE SHIB MATIC
    """)
"""Coins whose name is no word of any language that is read, so that small letters will do."""
_NOT_COINS = word_set("""
    BINANCE BYBIT BINGX BITMEX KUCOIN OKX OKEX MEXC BITGET HUOBI GATE KRAKEN COINBASE FTX PHEMEX
    FUTURES FUTURE SPOT CRYPTO CRYPTOCURRENCY ALTCOIN ALTCOINS COINS TOKEN TOKENS DEFI NFT
    SCALP SCALPING SWING TRADING TRADERS TRADER CALL CALLS ALERT ALERTS FREE PREMIUM NEWS NFA DYOR
    PERP PERPETUAL USDT USD USDC EURO EUR QUICK RISKY SAFE HIGH LOW MID TERM TP SL DCA RR ROE ROI
    PNL ATH ATL HODL HOLD ALL THE FOR AND NOT THIS THAT WITH FROM HERE JUST ONLY MORE SOME TRADE
    TRADES IN ON AT TO OF BY IS IT WE BE DO GO UP NO IF OR AS AN MY OUR YOUR YOU IDEA IDEAS ANALYSIS
    CHART UPDATE BREAKOUT BULLISH BEARISH PUMP DUMP MOON PROFIT PROFITS GAINS RESULT RESULTS INFO
    ORDER ORDERS POSITION POSITIONS MARGIN BALANCE MODE VIPSIGNAL SIGNALS GROUP CHANNEL MEMBERS
    PHOTO VIDEO USER REPLY IMPORTANT EARLY REGULAR EXCELLENT ATTENTION READY PLACE ASAP GUYS
    HAVE HAS WAS WERE WILL BIG GOOD STRONG WEAK SQUEEZE SIDE HERE AGAIN BOTH HEDGE REVERSAL RETEST
    """)
_CURRENCIES = word_set("USD EUR GBP JPY CHF AUD NZD CAD SGD HKD CNH SEK NOK DKK ZAR MXN TRY PLN")
_METALS = frozenset({"XAU", "XAG", "XPT", "XPD"})
_ELSEWHERE = word_set("""
    GOLD SILVER XAU XAG OIL WTI BRENT USOIL UKOIL NATGAS NGAS US30 US100 US500 NAS100 USTEC NASDAQ
    SPX SPX500 SP500 DJ30 DJI GER30 GER40 DE30 DE40 DAX UK100 FTSE JP225 NIKKEI HK50 VIX DXY
    ЗОЛОТО طلا
    """)
_NO_BASES = frozenset({"IN", "PRICE", "USDT", "USDC", "USD", "TO", "AND", "THE", "OF"})
_DOLLARS = frozenset({"BUSD", "TUSD", "SUSD", "FDUSD", "PYUSD"})
_LONGEST_CURRENCY = 6


class Strength(IntEnum):
    """How plainly a stretch of text names a market."""

    BARE = 1
    """A word where a coin may stand: beside a direction, after ``Coin:``."""
    TAGGED = 2
    """``#btc``, ``$btc``."""
    PAIR = 3
    """``BTC/USDT`` in any spelling."""


@dataclass(frozen=True, slots=True)
class Naming:
    """A place where a message names a market.

    Attributes:
        symbol: As the exchanges spell it, such as BTCUSDT; the word itself when not tradable.
        is_tradable: It is quoted in USDT; what is not is named so that it can be refused.
        start: First sign, in the plain text.
        end: Sign after the last.
    """

    symbol: str
    strength: Strength
    start: int
    end: int
    is_tradable: bool = True


def find_pairs(text: str) -> list[Naming]:
    """Return all places that name a market by a pair or a tag, in order.

    >>> [naming.symbol for naming in find_pairs("#BTC/USDT and ETH-USDT, SOLUSDT.P")]
    ['BTCUSDT', 'ETHUSDT', 'SOLUSDT']
    """
    candidates: list[Naming] = []
    if _QUOTED.search(text):
        candidates += (*_quoted(text), *_spaced(text))
    if "#" in text or "$" in text:
        candidates += _tagged(text)
    found: list[Naming] = []
    taken: set[int] = set()
    for naming in candidates:
        places = range(naming.start, naming.end)
        if taken.isdisjoint(places):
            taken.update(places)
            found.append(naming)
    return sorted(found, key=lambda naming: naming.start)


def bare_coin(word: str, start: int, end: int) -> Naming | None:
    """Return the market that a word names where a coin may stand; None when it is no coin."""
    base = word.upper()
    if is_elsewhere(word):
        return Naming(base, Strength.BARE, start, end, is_tradable=False)
    if not _is_coin(base):
        return None
    return Naming(_with_alias(base) + _QUOTE, Strength.BARE, start, end)


def is_major(word: str) -> bool:
    """Tell whether a word is the name of a coin that everybody knows, and nothing else."""
    return word.upper() in _MAJOR


def is_elsewhere(word: str) -> bool:
    """Tell whether a word names a metal, an index or a pair of currencies."""
    base = word.upper()
    if base in _ELSEWHERE:
        return True
    first, second = base[:3], base[3:]
    return (
        len(base) == _LONGEST_CURRENCY
        and (first in _CURRENCIES or first in _METALS)
        and second in _CURRENCIES
    )


def _quoted(text: str) -> Iterator[Naming]:
    for match in _PAIR.finditer(text):
        glued = _GLUED.fullmatch(match["base"])
        start = match.start("base") + glued.end(1) if glued else match.start()
        base = (glued[2] if glued else match["base"]).upper()
        if not _is_base(base):
            continue
        is_tradable = match["usdt"] is not None
        if is_tradable:
            symbol = _with_alias(base) + _QUOTE
        else:
            symbol = base + (match["other"] or match["glued"]).upper()
        if symbol not in _DOLLARS:
            yield Naming(symbol, Strength.PAIR, start, match.end(), is_tradable)


def _spaced(text: str) -> Iterator[Naming]:
    for match in _SPACED.finditer(text):
        if _is_coin(match["base"]):
            symbol = _with_alias(match["base"]) + _QUOTE
            yield Naming(symbol, Strength.TAGGED, match.start(), match.end())


def _tagged(text: str) -> Iterator[Naming]:
    for match in _TAGGED.finditer(text):
        base = match["base"].upper()
        if is_elsewhere(base):
            yield Naming(base, Strength.TAGGED, match.start(), match.end(), is_tradable=False)
        elif _is_coin(base) and not _SHORTENED.fullmatch(base):
            symbol = _with_alias(base) + _QUOTE
            yield Naming(symbol, Strength.TAGGED, match.start(), match.end())


def _is_base(base: str) -> bool:
    """Tell whether the first half of a pair can be a coin: it has a letter and is no label."""
    return (
        not base.isdigit()
        and not _SHORTENED.fullmatch(base)
        and base not in _NO_BASES
        and (len(base) == 1 or meaning_of(base.lower()) not in LABELS)
    )


def _is_coin(base: str) -> bool:
    return (
        base.isascii()
        and base.isalnum()
        and not base.isdigit()
        and base not in _NOT_COINS
        and base.lower() not in VOCABULARY
        and not split_glued(base)
    )


def _with_alias(base: str) -> str:
    return _ALIASES.get(base, base)
