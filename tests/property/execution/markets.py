"""Strategies: random markets with gaps and ties, random wishes, random accounts."""

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import strategies as st
from tests.support.trading import BRACKETS, Stage, candle, rules

from milobot.domain.intents import (
    Close,
    Distance,
    DistanceKind,
    Enter,
    PositionSide,
    Size,
    SizeKind,
)
from milobot.domain.market import Candle
from milobot.execution.gates import Limits

TICKS_PER_UNIT = 10


@dataclass(frozen=True)
class Step:
    """One candle, what is wished for at its open, and the funding rate after it."""

    candle: Candle
    wishes: tuple[Enter | Close, ...]
    funding: str | None


@dataclass(frozen=True)
class Account:
    """The settings of a run."""

    wallet: str
    fee: str
    slippage: str
    has_brackets: bool
    has_grid: bool
    funds: bool

    def stage(self) -> Stage:
        """Return a fresh stage with these settings."""
        known = rules(
            tick="0.1" if self.has_grid else None,
            step="0.001" if self.has_grid else "1E-8",
            brackets=BRACKETS if self.has_brackets else (),
        )
        return Stage(
            wallet=self.wallet,
            fee=self.fee,
            slippage=self.slippage,
            symbol_rules=known,
            limits=Limits(allow_unprotected=True),
        )


ACCOUNTS = st.builds(
    Account,
    wallet=st.sampled_from(["100", "10000", "10000000"]),
    fee=st.sampled_from(["0", "0.0005", "0.002"]),
    slippage=st.sampled_from(["0", "0.0003", "0.01"]),
    has_brackets=st.booleans(),
    has_grid=st.booleans(),
    funds=st.booleans(),
)


def _distances(low: str, high: str) -> st.SearchStrategy[Distance]:
    return st.one_of(
        st.decimals(low, high, places=4).map(lambda v: Distance(DistanceKind.PERCENT, v)),
        st.decimals("0.1", "4", places=1).map(lambda v: Distance(DistanceKind.ATR, v)),
    )


_SIZES = st.one_of(
    st.decimals("0.001", "0.2", places=3).map(lambda v: Size(SizeKind.RISK, v)),
    st.decimals("0.05", "5", places=2).map(lambda v: Size(SizeKind.EQUITY, v)),
    st.decimals("5", "20000", places=1).map(lambda v: Size(SizeKind.QUOTE, v)),
    st.decimals("0.01", "200", places=3).map(lambda v: Size(SizeKind.BASE, v)),
)
_LEVERAGES = st.one_of(st.integers(1, 10), st.integers(1, 125))


@st.composite
def entries(draw: st.DrawFn) -> Enter:
    """Draw an entry with any mix of options that the grammar allows."""
    size = draw(_SIZES)
    unprotected = size.kind is not SizeKind.RISK and draw(st.integers(0, 5)) == 0
    stop = None if unprotected else draw(st.none() | _distances("0.002", "0.2"))
    aims = st.sampled_from(["none", "target", "ratio"])
    aim = draw(aims) if stop is not None else draw(st.sampled_from(["none", "target"]))
    return Enter(
        side=draw(st.sampled_from(PositionSide)),
        size=size,
        leverage=draw(_LEVERAGES),
        stop=stop,
        unprotected=unprotected,
        target=draw(_distances("0.002", "0.2")) if aim == "target" else None,
        reward_ratio=draw(st.decimals("0.5", "4", places=1)) if aim == "ratio" else None,
        trail=draw(st.none() | _distances("0.002", "0.1")),
        break_even=None if unprotected else draw(st.none() | st.decimals("0.1", "2", places=1)),
    )


# Mostly calm, sometimes a gap, seldom a crash; zero moves make ties and flat candles.
_GAPS = st.one_of(st.just(0), st.just(0), st.integers(-8, 8), st.integers(-400, 400))
_MOVES = st.one_of(st.integers(-12, 12), st.just(0), st.integers(-150, 150))
_WICKS = st.one_of(st.just(0), st.integers(0, 12), st.integers(0, 200))
_FUNDING = st.sampled_from([None, None, "0.0001", "-0.0003", "0.0075"])
_WISHES = st.one_of(
    st.just(()),
    st.tuples(entries()),
    st.tuples(entries()),
    st.tuples(st.just(Close())),
    st.tuples(entries(), entries()),
)


@st.composite
def steps(draw: st.DrawFn, *, most: int = 14) -> list[Step]:
    """Draw a market around 100 in ticks of 0.1, and what is wished for in it."""
    ticks = 1000
    found = []
    for _ in range(draw(st.integers(2, most))):
        opens = max(50, ticks + draw(_GAPS))
        closes = max(50, opens + draw(_MOVES))
        high = max(opens, closes) + draw(_WICKS)
        low = max(40, min(opens, closes) - draw(_WICKS))
        prices = (t / TICKS_PER_UNIT for t in (opens, high, low, closes))
        found.append(Step(candle(*prices), draw(_WISHES), draw(_FUNDING)))
        ticks = closes
    return found


def reference_of(step: Step) -> str:
    """Return the close of a candle as text: the reference of what is wished for after it."""
    return str(Decimal(repr(step.candle.close)))
