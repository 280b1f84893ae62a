"""What the owner of an account has fixed for a channel, and how it bears on a reading."""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from milobot.domain.intents import PositionSide, Side, Size, SizeKind
from milobot.signals.reading import Entry, EntryKind, ReadingKind, SignalReading, Stop, Target
from milobot.signals.refusals import Reason


class EntryRule(StrEnum):
    """Which of the entries of a set-up are used."""

    AS_WRITTEN = "as_written"
    FIRST = "first"
    MARKET = "market"


@dataclass(frozen=True, slots=True)
class ChannelProfile:
    """Defaults and bounds for one channel; each None leaves it to the message.

    Attributes:
        size: Size of each entry, whatever the message says.
        default_stop: Fraction of the entry price, where a set-up names no stop.
        needs_stop: A set-up without a stop of its own is refused.
        leverage_cap: Highest leverage; a set-up that names none gets none.
        target_shares: Fractions for the first, second, ... target; they make a whole.
        symbols: Symbols that may be traded; empty for all.
        sides: Directions that may be traded.
        max_age_s: A message older than this is not traded.
        max_drift: Fraction the price may have left the entry by.
        exchange: Where the channel is traded.
        break_even_after: Number of the target after which the stop goes to entry.
        expiry_s: How long an entry is waited for, from when the message was posted.
        duplicate_window_s: How long the same set-up counts as the same; 0: it never does.
    """

    size: Size | None = None
    default_stop: Decimal | None = None
    needs_stop: bool = False
    leverage_cap: int | None = None
    entry_rule: EntryRule = EntryRule.AS_WRITTEN
    target_shares: tuple[Decimal, ...] = ()
    symbols: frozenset[str] = frozenset()
    sides: frozenset[PositionSide] = frozenset(PositionSide)
    max_age_s: int | None = None
    max_drift: Decimal | None = None
    exchange: str | None = None
    break_even_after: int | None = None
    expiry_s: int | None = None
    duplicate_window_s: int | None = None


def apply_profile(reading: SignalReading, profile: ChannelProfile) -> SignalReading:
    """Return the reading as the channel's profile lets it be: completed, bounded or refused."""
    if reading.kind not in {ReadingKind.SETUP, ReadingKind.ORDER}:
        return reading
    refusal = _refusal(reading, profile)
    if refusal is not None:
        code, sentence = refusal
        return SignalReading(
            text=reading.text, kind=ReadingKind.REFUSED, code=code.value, reason=sentence
        )
    if reading.kind is ReadingKind.ORDER:
        is_fixed = profile.size is not None and profile.size.kind is SizeKind.BASE
        return (
            replace(reading, quantity=profile.size.value) if is_fixed and profile.size else reading
        )
    return _completed(reading, profile)


def _refusal(reading: SignalReading, profile: ChannelProfile) -> tuple[Reason, str] | None:
    """Return why the profile refuses a reading; None when it does not."""
    if profile.symbols and reading.symbol not in profile.symbols:
        return Reason.SYMBOL_NOT_ALLOWED, f"The channel's profile does not allow {reading.symbol}."
    side = _side(reading)
    if side not in profile.sides:
        return (
            Reason.SIDE_NOT_ALLOWED,
            f"The channel's profile does not allow a {side.value.lower()}.",
        )
    if profile.needs_stop and reading.stop is None and reading.kind is ReadingKind.SETUP:
        return Reason.NO_STOP, "It names no stop, and the channel's profile demands one."
    if len(profile.target_shares) > len(reading.targets) > 0:
        return (
            Reason.SHARES_DO_NOT_FIT,
            f"It names fewer targets than the {len(profile.target_shares)} shares of the profile.",
        )
    return None


def _side(reading: SignalReading) -> PositionSide:
    if reading.position_side is not None:
        return reading.position_side
    return PositionSide.LONG if reading.side is Side.BUY else PositionSide.SHORT


def _completed(reading: SignalReading, profile: ChannelProfile) -> SignalReading:
    """Return a set-up with the defaults and bounds of the profile."""
    leverage = reading.leverage
    if leverage is not None and profile.leverage_cap is not None:
        leverage = min(leverage, profile.leverage_cap)
    stop = reading.stop
    if stop is None and profile.default_stop is not None:
        stop = Stop(fraction=profile.default_stop)
    return replace(
        reading,
        leverage=leverage,
        stop=stop,
        size=profile.size or reading.size,
        entry=_entry(reading.entry, profile.entry_rule),
        targets=_targets(reading.targets, profile.target_shares),
    )


def _entry(entry: Entry | None, rule: EntryRule) -> Entry | None:
    if entry is None or rule is EntryRule.AS_WRITTEN or not entry.prices:
        return entry
    first = entry.prices[:1]
    if rule is EntryRule.MARKET:
        return Entry(EntryKind.MARKET, first, is_at_market=True)
    kind = entry.kind if len(entry.prices) == 1 else EntryKind.LIMIT
    return Entry(kind, first, is_at_market=entry.is_at_market)


def _targets(targets: tuple[Target, ...], shares: tuple[Decimal, ...]) -> tuple[Target, ...]:
    """Return the targets that have a share; those beyond the last share are left out."""
    if not shares or not targets:
        return targets
    return tuple(
        replace(target, share=share) for target, share in zip(targets, shares, strict=False)
    )
