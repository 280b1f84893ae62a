"""The flags of ``milobot exchange`` turned into an exchange, and its life until Ctrl-C."""

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import Timeframe, parse_timeframe
from milobot.errors import ConfigurationError
from milobot.local_exchange.core.market import FundingRates
from milobot.local_exchange.core.terms import Terms
from milobot.local_exchange.core.timing import ClockMode
from milobot.local_exchange.faults import FaultPlan, load_plan, parse_rule_text
from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import DIALECTS, Credentials, ExchangeSetup
from milobot.marketdata.files import load_candles, load_funding
from milobot.marketdata.generated import DEFAULT_SEED, generate_candles
from milobot.marketdata.resample import resample

_HISTORY = 1000
_MOST_PORT = 65_535


_MINUTES_A_DAY = 1440


@dataclass(frozen=True, slots=True)
class Request:
    """The flags as they were written."""

    dialect: str
    data: Path | None
    market: int | None
    days: int
    symbol: str
    timeframe: str | None
    speed: float | None
    is_lock_step: bool
    clock: str
    history: int | None
    port: int
    keys: tuple[str, ...]
    secrets: tuple[str, ...]
    wallet: str
    fee: str
    spread: str
    slippage: str
    funding: str
    fault_file: Path | None
    faults: tuple[str, ...]
    has_limits: bool
    is_paused: bool
    follows: bool = False
    state: Path | None = None


def build_setup(request: Request, say: Callable[[str], None]) -> ExchangeSetup:
    """Return the exchange that the flags describe; ``say`` hears warnings about the data.

    Raises:
        ConfigurationError: A flag is wrong; names it.
        DataError: The file holds no candles.
    """
    candles, timeframe, history = _market(request, say)
    if request.is_lock_step and request.speed is not None:
        raise ConfigurationError("--speed and --lock-step exclude each other: choose one")
    if not 0 <= request.port <= _MOST_PORT:
        raise ConfigurationError(f"--port {request.port} is no port: use 0 to {_MOST_PORT}")
    return ExchangeSetup(
        candles=candles,
        timeframe=timeframe,
        history=history,
        speed=None if request.is_lock_step or request.follows else request.speed or 1.0,
        clock=ClockMode.WALL if request.follows else _clock(request.clock),
        dialects=_dialects(request.dialect),
        credentials=_credentials(request),
        wallet=_number("--wallet", request.wallet, least=Decimal(1)),
        terms=Terms(
            taker_fee=_number("--fee", request.fee),
            spread=_number("--spread", request.spread),
            slippage=_number("--slippage", request.slippage),
        ),
        funding=_funding(request.funding),
        faults=_faults(request),
        has_limits=request.has_limits,
        port=request.port,
        is_paused=request.is_paused,
        follows=request.follows,
        state=request.state,
    )


def serve_until_stopped(request: Request, *, say: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        ConfigurationError: A flag is wrong, or the port is taken.
    """
    asyncio.run(_serve(build_setup(request, say), say))


async def _serve(setup: ExchangeSetup, say: Callable[[str], None]) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopped.set)
    try:
        async with LocalExchange(setup) as exchange:
            for line in describe(exchange):
                say(line)
            await stopped.wait()
    except OSError as exc:
        raise ConfigurationError(
            f"port {setup.port} cannot be used ({exc.strerror}): choose another with --port"
        ) from exc


def describe(exchange: LocalExchange) -> list[str]:
    """Return the lines that tell a user how to reach the exchange."""
    setup = exchange.setup
    lines = [f"milobot exchange on {exchange.url} (this machine only; play money)"]
    if "binance" in setup.dialects:
        lines.append(f"  Binance REST  {exchange.binance_url}/fapi/v1")
        lines.append(f"  Binance WS    {exchange.binance_ws_url} /market /public /private")
    if "bingx" in setup.dialects:
        lines.append(f"  BingX REST    {exchange.bingx_url}/openApi")
        lines.append(f"  BingX WS      {exchange.bingx_ws_url}")
    lines += [f"  key {given.key}  secret {given.secret}" for given in setup.credentials]
    lines.append(f"  control       {exchange.url}/control (status, ledger, faults)")
    if setup.follows:
        lines.append("  follows a market: POST /control/contracts, /control/quotes; Ctrl-C ends it")
        return lines
    pace = "lock-step: POST /control/advance plays the next half of a candle"
    if setup.speed is not None:
        pace = f"{setup.speed:g} candles a second"
    symbols = ", ".join(setup.candles)
    lines.append(f"  {symbols} {setup.timeframe}, {pace}; Ctrl-C ends it")
    return lines


def _market(
    request: Request, say: Callable[[str], None]
) -> tuple[dict[str, CandleSeries], Timeframe, int]:
    """Return the candles by symbol, their timeframe and how many of them are history."""
    if request.follows:
        if request.data is not None or request.market is not None:
            raise ConfigurationError("--follow takes no candles: leave out --data and --market")
        return {}, Timeframe.M1, 0
    candles, timeframe = _candles(request, say)
    history = min(_HISTORY, len(candles) // 2) if request.history is None else request.history
    return {request.symbol: candles}, timeframe, history


def _candles(request: Request, say: Callable[[str], None]) -> tuple[CandleSeries, Timeframe]:
    wanted = None if request.timeframe is None else parse_timeframe(request.timeframe)
    if request.data is not None and request.market is not None:
        raise ConfigurationError("--data and --market exclude each other: choose one")
    if request.data is None:
        seed = DEFAULT_SEED if request.market is None else request.market
        minutes = request.days * _MINUTES_A_DAY
        candles = generate_candles(request.symbol, minutes=minutes, seed=seed)
        found = Timeframe.M1
    else:
        loaded = load_candles(request.data)
        candles, found = loaded.candles, loaded.timeframe
        for warning in loaded.warnings:
            say(f"warning: {warning}")
    if wanted is None or wanted is found:
        return candles, found
    return resample(candles, found, wanted), wanted


def _dialects(name: str) -> tuple[str, ...]:
    if name == "both":
        return DIALECTS
    if name not in DIALECTS:
        raise ConfigurationError(f"--dialect {name[:20]!r}: use binance, bingx or both")
    return (name,)


def _clock(name: str) -> ClockMode:
    if name not in set(ClockMode):
        raise ConfigurationError(f"--clock {name[:20]!r}: use market or wall")
    return ClockMode(name)


def _credentials(request: Request) -> tuple[Credentials, ...]:
    if len(request.keys) != len(request.secrets):
        raise ConfigurationError("every --key needs its --secret, in the same order")
    if not request.keys:
        return (Credentials(),)
    return tuple(Credentials(k, s) for k, s in zip(request.keys, request.secrets, strict=True))


def _funding(text: str) -> FundingRates:
    path = Path(text)
    if path.suffix:
        try:
            return FundingRates.fixed(Decimal(text))
        except InvalidOperation:
            return FundingRates(*load_funding(path))
    return FundingRates.fixed(_number("--funding", text, least=Decimal("-0.1")))


def _faults(request: Request) -> FaultPlan:
    plan = FaultPlan() if request.fault_file is None else load_plan(request.fault_file)
    plan.extend([parse_rule_text(text) for text in request.faults])
    return plan


def _number(flag: str, text: str, *, least: Decimal = Decimal(0)) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value < least:
        raise ConfigurationError(f"{flag} {text[:30]!r}: write a number of {least} or more")
    return value
