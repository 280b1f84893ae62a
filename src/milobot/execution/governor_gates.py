"""The governor's gates: whether an account lets an entry pass now, with what was seen. Pure."""

from decimal import Decimal

from milobot.domain.decisions import Gate
from milobot.domain.governor import EntryRequest, GovernorLimits, GovernorState, HaltKind
from milobot.domain.intents import PositionSide, Size, SizeKind
from milobot.domain.money import ZERO, format_decimal
from milobot.domain.reports import BookTicker
from milobot.errors import OrderDeniedError

_CODES = {
    HaltKind.DAILY_LOSS: "governor_daily_loss",
    HaltKind.DRAWDOWN: "governor_drawdown",
    HaltKind.MANUAL: "governor_halted",
    HaltKind.ACCOUNT_UNREADABLE: "account_unreadable",
}


def check_halts(state: GovernorState, gates: list[Gate]) -> None:
    """Refuse an entry while the account is halted.

    Raises:
        OrderDeniedError: It is; ``governor_daily_loss``, ``governor_drawdown``,
            ``governor_halted`` or ``account_unreadable``.
    """
    halt = state.halts[0] if state.halts else None
    gates.append(Gate("halt", halt.kind.value if halt else "none", "none", halt is None))
    if halt is not None:
        raise OrderDeniedError(
            _CODES[halt.kind], f"{state.account} is halted, nothing enters: {halt.reason}"
        )


def check_loss(
    state: GovernorState, limits: GovernorLimits, equity: Decimal, gates: list[Gate]
) -> None:
    """Refuse an entry on equity that has reached a loss limit since the last reading.

    Raises:
        OrderDeniedError: It has: ``governor_daily_loss`` or ``governor_drawdown``.
    """
    for name, mark, limit, since, advice in (
        ("daily_loss", state.day_start, limits.daily_loss, "the day's start", "DAILY_LOSS_LIMIT"),
        ("drawdown", state.high_water, limits.max_drawdown, "its highest", "MAX_DRAWDOWN"),
    ):
        if mark is None:
            continue
        lost = mark.loss(equity)
        gates.append(Gate(name, f"{lost:.2%}", f"below {limit:.2%}", lost < limit))
        if lost >= limit:
            raise OrderDeniedError(
                f"governor_{name}",
                f"equity {equity:.2f} USDT is {lost:.2%} below {since}, {mark.equity:.2f}:"
                f" nothing enters at {limit:.2%} ({advice})",
            )


def check_request(
    request: EntryRequest, limits: GovernorLimits, entries: int, gates: list[Gate]
) -> None:
    """Hold an entry against the limits.

    Args:
        request: The entry and the facts.
        limits: What the user allows.
        entries: How many entries passed in the minute before this one.
        gates: Filled with the checks made, also when one fails.

    Raises:
        OrderDeniedError: ``account_unreadable``, ``data_stale``, ``intent_stale``,
            ``price_drifted``, ``leverage_limit``, ``notional_limit``, ``position_limit``,
            ``order_rate``, ``spread_too_wide`` or ``slippage_too_high``.
    """
    _check_ages(request, limits, gates)
    _check_drift(request, limits, gates)
    _check_leverage(request, limits, gates)
    _check_notional(request, limits, gates)
    _check_counts(request, limits, entries, gates)
    if request.book is not None:
        _check_book(request, request.book, limits, gates)


def estimate_slippage(book: BookTicker, side: PositionSide, quantity: Decimal) -> Decimal | None:
    """Return how far from the middle a market order fills on average, as a fraction.

    Only the best two prices are known. What exceeds the best one is taken to fill at further
    prices, one spread apart, each holding the mean of what the best two hold.

    Returns:
        The fraction, at least half the spread; None where nothing is offered.
    """
    price, offered = (
        (book.ask_price, book.ask_quantity)
        if side is PositionSide.LONG
        else (book.bid_price, book.bid_quantity)
    )
    if offered <= 0:
        return None
    middle = (book.bid_price + book.ask_price) / 2
    distance = abs(price - middle)
    rest = quantity - offered
    if rest > 0:
        levels = rest / ((book.bid_quantity + book.ask_quantity) / 2)
        # The rest fills between one spread and ``levels`` spreads behind the best price.
        deeper = (book.ask_price - book.bid_price) * (max(levels, Decimal(1)) + 1) / 2
        distance += deeper * rest / quantity
    return distance / middle


def _check_ages(request: EntryRequest, limits: GovernorLimits, gates: list[Gate]) -> None:
    now_ms, symbol = request.now_ms, request.symbol
    age = 0 if request.account_ms is None else now_ms - request.account_ms
    if not _is_fresh("account_age", age, limits.max_account_age_ms, gates):
        raise OrderDeniedError(
            "account_unreadable",
            f"the account was last read {_seconds(age)} ago: nothing enters until it is read again",
        )
    age = 0 if request.price_ms is None else now_ms - request.price_ms
    if not _is_fresh("price_age", age, limits.max_price_age_ms, gates):
        raise OrderDeniedError(
            "data_stale",
            f"the last price of {symbol} is {_seconds(age)} old: nothing enters on it, see"
            " MAX_PRICE_AGE",
        )
    age = now_ms - request.due_ms
    if not _is_fresh("intent_age", age, limits.max_intent_age_ms, gates):
        raise OrderDeniedError(
            "intent_stale",
            f"the decision about {symbol} was due {_seconds(age)} ago: it expires instead of"
            " entering late, see MAX_INTENT_AGE",
        )


def _is_fresh(name: str, age_ms: int, most_ms: int, gates: list[Gate]) -> bool:
    passed = age_ms <= most_ms
    gates.append(Gate(name, _seconds(age_ms), _seconds(most_ms), passed))
    return passed


def _check_drift(request: EntryRequest, limits: GovernorLimits, gates: list[Gate]) -> None:
    reference, price = request.reference_price, request.last_price
    drift, most = abs(price - reference) / reference, limits.max_price_drift
    gates.append(Gate("price_drift", f"{drift:.4%}", f"{most:.4%}", drift <= most))
    if drift > most:
        raise OrderDeniedError(
            "price_drifted",
            f"{request.symbol} is at {format_decimal(price)}, {drift:.2%} from the"
            f" {format_decimal(reference)} decided on: the plan is about another price, see"
            " MAX_PRICE_DRIFT",
        )


def _check_leverage(request: EntryRequest, limits: GovernorLimits, gates: list[Gate]) -> None:
    leverage, most = request.leverage, limits.max_leverage
    gates.append(Gate("leverage_limit", str(leverage), str(most), leverage <= most))
    if leverage > most:
        raise OrderDeniedError(
            "leverage_limit",
            f"{leverage}x is above the {most}x that you allow: lower the leverage, or raise"
            " MAX_LEVERAGE",
        )


def _check_notional(request: EntryRequest, limits: GovernorLimits, gates: list[Gate]) -> None:
    notional = request.notional
    held = sum(request.exposures.values(), ZERO)
    for name, value, limit, what, setting in (
        ("notional", notional, limits.max_position_notional, "is", "MAX_POSITION_NOTIONAL"),
        (
            "total_notional",
            held + notional,
            limits.max_total_notional,
            "brings all positions to",
            "MAX_TOTAL_NOTIONAL",
        ),
    ):
        most = limit.value * request.equity if limit.kind is SizeKind.EQUITY else limit.value
        gates.append(Gate(name, f"{value:.2f}", f"{most:.2f}", value <= most))
        if value > most:
            raise OrderDeniedError(
                "notional_limit",
                f"the entry in {request.symbol} {what} {value:.2f} USDT, above the"
                f" {most:.2f} ({_limit_text(limit)}) that you allow: lower the size, or raise"
                f" {setting}",
            )


def _limit_text(limit: Size) -> str:
    if limit.kind is SizeKind.EQUITY:
        return f"{format_decimal(limit.value * 100)}% of the equity"
    return f"{format_decimal(limit.value)} USDT"


def _check_counts(
    request: EntryRequest, limits: GovernorLimits, entries: int, gates: list[Gate]
) -> None:
    count, most = len(request.exposures) + 1, limits.max_open_positions
    gates.append(Gate("open_positions", str(count), str(most), count <= most))
    if count > most:
        raise OrderDeniedError(
            "position_limit",
            f"{count - 1} positions are open or on their way, as many as you allow: close one,"
            " or raise MAX_OPEN_POSITIONS",
        )
    count, most = entries + 1, limits.max_entries_per_minute
    gates.append(Gate("entries_per_minute", str(count), str(most), count <= most))
    if count > most:
        raise OrderDeniedError(
            "order_rate",
            f"{entries} entries were made within a minute, as many as you allow: look for a"
            " script or channel gone mad, or raise MAX_ENTRIES_PER_MINUTE",
        )


def _check_book(
    request: EntryRequest, book: BookTicker, limits: GovernorLimits, gates: list[Gate]
) -> None:
    symbol, most = request.symbol, limits.max_spread
    if not 0 < book.bid_price <= book.ask_price:
        gates.append(Gate("spread", "no book of two sides", f"{most:.4%}", is_passed=False))
        raise OrderDeniedError(
            "spread_too_wide", f"the book of {symbol} has not two sides: wait until it has"
        )
    spread = (book.ask_price - book.bid_price) * 2 / (book.ask_price + book.bid_price)
    gates.append(Gate("spread", f"{spread:.4%}", f"{most:.4%}", spread <= most))
    if spread > most:
        raise OrderDeniedError(
            "spread_too_wide",
            f"bid and ask of {symbol} are {spread:.2%} apart: wait for a narrower spread, or"
            " raise MAX_SPREAD",
        )
    _check_slippage(request, book, limits, gates)


def _check_slippage(
    request: EntryRequest, book: BookTicker, limits: GovernorLimits, gates: list[Gate]
) -> None:
    slippage, most = estimate_slippage(book, request.side, request.quantity), limits.max_slippage
    passed = slippage is not None and slippage <= most
    shown = "nothing offered" if slippage is None else f"{slippage:.4%}"
    gates.append(Gate("slippage", shown, f"{most:.4%}", passed))
    if not passed:
        raise OrderDeniedError(
            "slippage_too_high",
            f"a market order of {format_decimal(request.quantity)} {request.symbol} is estimated"
            f" to slip by {shown}: lower the size, or raise MAX_SLIPPAGE",
        )


def _seconds(age_ms: int) -> str:
    return f"{age_ms / 1000:g} s"
