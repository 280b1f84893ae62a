"""What bounds an account: limits, marks that losses are measured from, and halts."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from milobot.domain.intents import PositionSide, Size, SizeKind
from milobot.domain.money import ZERO
from milobot.domain.reports import BookTicker
from milobot.errors import DataError

_FIVE_TIMES_EQUITY = Size(SizeKind.EQUITY, Decimal(5))
_TEN_TIMES_EQUITY = Size(SizeKind.EQUITY, Decimal(10))


@dataclass(frozen=True, slots=True)
class GovernorLimits:
    """What no entry and no day may exceed; a value that reaches a loss limit trips it.

    The defaults leave room for a professional's ordinary day and stop an extraordinary one.

    Attributes:
        max_leverage: 20: at more, an ordinary day's range of a major (5 %) liquidates.
        max_position_notional: Of one position, as ``EQUITY`` or ``QUOTE``: 5 times the
            equity, which is 1 % of risk at a stop 0.2 % away.
        max_total_notional: Of all positions together: 10 times the equity, so that a gap of
            10 % through all stops ruins nobody who trades below it.
        max_open_positions: 20: with 1 % at risk in each, all stops together are the drawdown.
        max_entries_per_minute: 30: a script that enters, is stopped and enters again, or a
            channel gone mad, is held up before it has paid many fees.
        max_spread: 0.5 % of the middle: a quarter of a 2 % stop is gone before anything moves.
        max_slippage: 0.5 % from the middle to the estimated average fill.
        daily_loss: 5 % of the equity at 00:00 UTC.
        max_drawdown: 20 % below the highest equity: four bad days in a row.
        max_price_age_ms: 10 s: twice the wait before a lost stream is opened anew.
        max_account_age_ms: 90 s: equity is read every 60 s; half a turn late is still fresh.
        max_intent_age_ms: 30 s from when the decision was due: half of the shortest candle.
        max_price_drift: 5 % between the price decided on and now: the default stop's distance;
            beyond it the plan is about another market.
    """

    max_leverage: int = 20
    max_position_notional: Size = _FIVE_TIMES_EQUITY
    max_total_notional: Size = _TEN_TIMES_EQUITY
    max_open_positions: int = 20
    max_entries_per_minute: int = 30
    max_spread: Decimal = Decimal("0.005")
    max_slippage: Decimal = Decimal("0.005")
    daily_loss: Decimal = Decimal("0.05")
    max_drawdown: Decimal = Decimal("0.2")
    max_price_age_ms: int = 10_000
    max_account_age_ms: int = 90_000
    max_intent_age_ms: int = 30_000
    max_price_drift: Decimal = Decimal("0.05")


class HaltKind(StrEnum):
    """Why entries are blocked, and thereby what ends it.

    DAILY_LOSS: the next UTC day. DRAWDOWN and MANUAL: ``resume`` alone.
    ACCOUNT_UNREADABLE: the account is read again.
    """

    DAILY_LOSS = "daily_loss"
    DRAWDOWN = "drawdown"
    MANUAL = "manual"
    ACCOUNT_UNREADABLE = "account_unreadable"


@dataclass(frozen=True, slots=True)
class Mark:
    """Equity at a moment, in USDT and UTC milliseconds."""

    equity: Decimal
    time_ms: int

    def loss(self, equity: Decimal) -> Decimal:
        """Return the fraction lost since; 0 where nothing was there to lose.

        >>> Mark(Decimal(200), 0).loss(Decimal(190))
        Decimal('0.05')
        """
        if self.equity <= 0 or equity >= self.equity:
            return ZERO
        return (self.equity - equity) / self.equity


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money that came into the account (above 0) or left it, in USDT."""

    transfer_id: str
    amount: Decimal
    time_ms: int


@dataclass(frozen=True, slots=True)
class Halt:
    """Why no entry passes.

    Attributes:
        since_ms: When it began.
        mark: What the loss was measured from; None where no loss is the reason.
        equity: Equity at that moment.
    """

    kind: HaltKind
    reason: str
    since_ms: int
    mark: Mark | None = None
    equity: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class GovernorState:
    """What the governor knows of one account; stored, so that a restart resets nothing.

    Attributes:
        account: ``exchange:name``; each account has a state of its own, so nothing of one is
            ever added to another.
        day_ms: 00:00 of the UTC day that ``day_start`` belongs to.
        day_start: What today's loss is measured from; None before the first reading.
        high_water: What the drawdown is measured from.
        last: The latest reading.
        transfers: Those of the last two days, so that each counts once.
        halts: At most one of each kind, in the order they began.
    """

    account: str
    day_ms: int = 0
    day_start: Mark | None = None
    high_water: Mark | None = None
    last: Mark | None = None
    transfers: tuple[Transfer, ...] = ()
    halts: tuple[Halt, ...] = ()

    def halt_of(self, kind: HaltKind) -> Halt | None:
        """Return the halt of a kind, if there is one."""
        return next((h for h in self.halts if h.kind is kind), None)


@dataclass(frozen=True, slots=True)
class EntryRequest:
    """An entry that is planned and not sent yet, with what the world says about it.

    Attributes:
        quantity: In the base asset.
        held: What is held in the symbol already, which it adds to.
        last_price: About what it will fill at.
        reference_price: What the plan was measured from.
        equity: Of the account, with the gains and losses of open positions.
        exposures: Notional of each other symbol that is open, opening or promised, whoever
            opened it.
        now_ms: This moment.
        due_ms: When the decision was due: the end of the deciding candle, not its open time;
            for a signal when it was sent.
        price_ms: When the last price was told; None where it is that of this moment.
        account_ms: When the equity was told; None where it is that of this moment.
        book: Best bid and ask; None where there is no book, as in a back-test.
    """

    symbol: str
    side: PositionSide
    leverage: int
    quantity: Decimal
    last_price: Decimal
    reference_price: Decimal
    equity: Decimal
    now_ms: int
    due_ms: int
    exposures: dict[str, Decimal] = field(default_factory=dict)
    price_ms: int | None = None
    account_ms: int | None = None
    book: BookTicker | None = None
    held: Decimal = ZERO

    @property
    def notional(self) -> Decimal:
        """Return what the position is worth with the entry, in USDT."""
        return (self.held + self.quantity) * self.last_price


def format_state(state: GovernorState) -> str:
    """Return a state as JSON, for a ledger; every number exact."""
    return json.dumps(
        {
            "account": state.account,
            "day_ms": state.day_ms,
            "day_start": _format_mark(state.day_start),
            "high_water": _format_mark(state.high_water),
            "last": _format_mark(state.last),
            "transfers": [[t.transfer_id, str(t.amount), t.time_ms] for t in state.transfers],
            "halts": [
                [h.kind, h.reason, h.since_ms, _format_mark(h.mark), str(h.equity)]
                for h in state.halts
            ],
        },
        separators=(",", ":"),
    )


def parse_state(text: str) -> GovernorState:
    """Return the state that ``format_state`` wrote.

    Raises:
        DataError: It did not write this text.
    """
    try:
        row = json.loads(text)
        return GovernorState(
            account=row["account"],
            day_ms=int(row["day_ms"]),
            day_start=_parse_mark(row["day_start"]),
            high_water=_parse_mark(row["high_water"]),
            last=_parse_mark(row["last"]),
            transfers=tuple(
                Transfer(name, Decimal(n), int(at)) for name, n, at in row["transfers"]
            ),
            halts=tuple(
                Halt(HaltKind(kind), reason, int(since), _parse_mark(mark), Decimal(equity))
                for kind, reason, since, mark, equity in row["halts"]
            ),
        )
    except (ArithmeticError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            "the stored state of the governor is damaged: restore the ledger from a backup"
        ) from error


def _format_mark(mark: Mark | None) -> list[str | int] | None:
    return None if mark is None else [str(mark.equity), mark.time_ms]


def _parse_mark(row: list[str | int] | None) -> Mark | None:
    return None if row is None else Mark(Decimal(row[0]), int(row[1]))
