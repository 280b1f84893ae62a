"""What an exchange is made of: markets, clock, accounts, costs, limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import numpy as np

from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.errors import ConfigurationError
from milobot.local_exchange.core.accounts import Account, Rights
from milobot.local_exchange.core.contracts import contract_for
from milobot.local_exchange.core.market import FundingRates, Market, Tape
from milobot.local_exchange.core.terms import Terms
from milobot.local_exchange.core.timing import ClockMode, ServerTime
from milobot.local_exchange.core.venue import Venue
from milobot.local_exchange.faults import FaultPlan

DEFAULT_KEY = "local-key"
DEFAULT_SECRET = "local-secret"  # noqa: S105 - opens nothing but a made-up account
DIALECTS = ("binance", "bingx")
# Ids beyond 2^53, which a client that reads them as floats gets wrong.
_FIRST_IDS = {"binance": 8_389_765_000_000_000_001, "bingx": 1_735_950_000_000_000_001}
_MIN_NOTIONAL = {"binance": None, "bingx": Decimal(2)}
DEFAULT_LIMITS = {
    "weight": 2400,
    "orders_10s": 300,
    "orders_1m": 1200,
    "bingx_orders_1s": 10,
    "bingx_account_10s": 2000,
    "bingx_market_10s": 500,
}
"""Request budgets as the exchanges publish them."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """An API key, its secret and what it may do.

    Attributes:
        further_keys: Other keys of the same account, with the same secret and rights, by which
            the ledger tells apart who sent what.
    """

    key: str = DEFAULT_KEY
    secret: str = DEFAULT_SECRET
    rights: Rights = field(default_factory=Rights)
    further_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExchangeSetup:
    """Everything that decides how an exchange behaves.

    Attributes:
        candles: By symbol; all on one timeline.
        history: Candles that have closed when the exchange opens.
        speed: Candles a second; None plays on ``advance`` only.
        clock: Where the server's time comes from; by default the market in lock-step and when
            paced too. With the wall clock the candles are moved so that the next one opens now.
        wallet: What every account starts with, in USDT.
        limits: Request budgets; see ``DEFAULT_LIMITS``.
        has_limits: False lets every request through.
        port: 0 takes a free one.
        is_paused: Paced play waits for a control call.
        heartbeat_s: Seconds between the heartbeats of the BingX dialect.
        follows: Whether symbols and prices are told by control calls, on the wall clock; there
            are no candles then, and one dialect.
        state: Where the account of an exchange that follows is kept over a restart.
        stale_after_s: What is told longer ago is no price to fill at for one that follows.
    """

    candles: Mapping[str, CandleSeries]
    timeframe: Timeframe
    history: int = 0
    speed: float | None = None
    clock: ClockMode = ClockMode.MARKET
    dialects: tuple[str, ...] = DIALECTS
    credentials: tuple[Credentials, ...] = (Credentials(),)
    wallet: Decimal = Decimal(10_000)
    terms: Terms = field(default_factory=Terms)
    funding: FundingRates = field(default_factory=lambda: FundingRates.fixed(Decimal(0)))
    faults: FaultPlan = field(default_factory=FaultPlan)
    limits: Mapping[str, int] = field(default_factory=dict)
    has_limits: bool = True
    port: int = 0
    is_paused: bool = False
    heartbeat_s: float = 5.0
    follows: bool = False
    state: Path | None = None
    stale_after_s: float = 10.0

    def __post_init__(self) -> None:
        """Check what can be checked without a market.

        Raises:
            ConfigurationError: A dialect or a limit is unknown, the speed is out of range, or
                what is set excludes each other.
        """
        unknown = [d for d in self.dialects if d not in DIALECTS]
        if unknown or not self.dialects:
            raise ConfigurationError(f"unknown dialect {unknown}: use binance, bingx or both")
        if self.follows and (len(self.dialects) > 1 or self.candles):
            raise ConfigurationError(
                "--follow takes its prices from outside, for one exchange: add --dialect binance or"
                " --dialect bingx, and leave out --data and --market"
            )
        if self.state is not None and not self.follows:
            raise ConfigurationError("--state belongs to --follow: add it, or leave --state out")
        strange = [name for name in self.limits if name not in DEFAULT_LIMITS]
        if strange:
            raise ConfigurationError(
                f"unknown limit {strange[0]!r}: use one of {', '.join(DEFAULT_LIMITS)}"
            )
        if self.speed is not None and not 0 < self.speed <= 1000:  # noqa: PLR2004 - the sentence below names it
            raise ConfigurationError(
                f"a speed of {self.speed:g} candles a second is out of range: use 0.001 to 1000"
            )

    def budgets(self) -> dict[str, int]:
        """Return the request budgets in force."""
        if not self.has_limits:
            return dict.fromkeys(DEFAULT_LIMITS, 10**9)
        return {**DEFAULT_LIMITS, **self.limits}


def build_venues(setup: ExchangeSetup, clock: ServerTime) -> dict[str, Venue]:
    """Return one venue for each dialect; they share the market, nothing else.

    Raises:
        ConfigurationError: The candles do not make a market.
    """
    if setup.follows:
        market = Market({}, is_followed=True)
    else:
        shift = _shift_ms(setup, clock)
        market = Market({symbol: _tape(setup, symbol, shift) for symbol in setup.candles})
        clock.move_market(market.first.edge_ms)
    venues = {}
    for name in setup.dialects:
        contracts = {
            symbol: contract_for(symbol, tape.last_price, min_notional=_MIN_NOTIONAL[name])
            for symbol, tape in market.tapes.items()
        }
        venue = Venue(market, contracts, clock, terms=setup.terms, first_id=_FIRST_IDS[name])
        for given in setup.credentials:
            account = Account(
                given.key, given.secret, setup.wallet, given.rights, opened_ms=clock.now_ms()
            )
            venue.accounts[given.key] = account
            venue.further_keys |= dict.fromkeys(given.further_keys, account)
        venues[name] = venue
    return venues


def _tape(setup: ExchangeSetup, symbol: str, shift_ms: int) -> Tape:
    candles = setup.candles[symbol]
    if shift_ms:
        columns = (candles.open, candles.high, candles.low, candles.close, candles.volume)
        candles = CandleSeries(candles.time + np.int64(shift_ms), *columns)
    return Tape(symbol, candles, setup.timeframe, history=setup.history, funding=setup.funding)


def _shift_ms(setup: ExchangeSetup, clock: ServerTime) -> int:
    if setup.clock is not ClockMode.WALL:
        return 0
    if setup.timeframe.is_calendar:
        raise ConfigurationError(
            "candles of a month cannot be moved to now: use the market's clock"
        )
    first = next(iter(setup.candles.values()))
    if setup.history >= len(first):
        return 0
    return setup.timeframe.open_of(clock.now_ms()) - int(first.time[setup.history])
