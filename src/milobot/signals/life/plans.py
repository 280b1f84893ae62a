"""From a reading to a plan: legs, levels, size, and how long it is good for."""

import hashlib
from dataclasses import dataclass, field, replace
from decimal import Decimal

from milobot.domain.intents import Aim, Distance, DistanceKind, PositionSide, Side, Size, SizeKind
from milobot.domain.money import ONE, ZERO
from milobot.signals.life.record import Leg, Plan, Trigger
from milobot.signals.profile import ChannelProfile
from milobot.signals.reading import Entry, EntryKind, ReadingKind, SignalReading, Stop, Target

_SHARE_STEP = Decimal("0.0001")
_SAME_DIGITS = 5
_FINGERPRINT = 32
_LOWEST_LEVERAGE = 1
_CHANNELS = "telegram:"


@dataclass(frozen=True, slots=True)
class SignalTerms:
    """What holds where neither the message nor the profile of its channel says anything.

    Attributes:
        size: ``SIGNAL_RISK``: what is lost at the stop.
        expiry_ms: How long an entry is waited for, from when the message was posted.
        duplicate_window_ms: How long the same set-up of a channel counts as the same.
        max_age_ms: How old a message may be to enter at the market.
        max_drift: Fraction by which the price may have left a named entry at the market.
        far_from_market: Fraction beyond which a waiting entry is taken for a misprint.
    """

    size: Size = field(default_factory=lambda: Size(SizeKind.RISK, Decimal("0.01")))
    expiry_ms: int = 86_400_000
    duplicate_window_ms: int = 3_600_000
    max_age_ms: int = 120_000
    max_drift: Decimal = Decimal("0.01")
    far_from_market: Decimal = Decimal("0.2")

    def max_age_of(self, profile: ChannelProfile) -> int:
        """Return how old a message of a channel may be, in milliseconds."""
        return self.max_age_ms if profile.max_age_s is None else profile.max_age_s * 1000

    def window_of(self, source: str, profile: ChannelProfile) -> int:
        """Return how long the same set-up of a source counts as the same, in milliseconds.

        A channel repeats itself; a program that sends the same again means it.
        """
        if profile.duplicate_window_s is not None:
            return profile.duplicate_window_s * 1000
        return self.duplicate_window_ms if source.startswith(_CHANNELS) else 0


@dataclass(frozen=True, slots=True)
class _Bounds:
    expires_ms: int
    max_age_ms: int
    max_drift: Decimal


def plan_of(
    reading: SignalReading,
    profile: ChannelProfile,
    terms: SignalTerms,
    *,
    posted_ms: int,
    version: int = 0,
) -> Plan | None:
    """Return what a set-up or an order wants; None for what is neither.

    Args:
        reading: As the profile has completed it.
        profile: What the channel's owner has fixed.
        terms: What holds where neither says anything.
        posted_ms: When the message was posted.
        version: Of the message.
    """
    if reading.symbol is None:
        return None
    expiry_ms = terms.expiry_ms if profile.expiry_s is None else profile.expiry_s * 1000
    drift = terms.max_drift if profile.max_drift is None else profile.max_drift
    bounds = _Bounds(posted_ms + expiry_ms, terms.max_age_of(profile), drift)
    if reading.kind is ReadingKind.ORDER and reading.side is not None:
        return replace(_order_plan(reading, reading.symbol, reading.side, bounds), version=version)
    if reading.kind is not ReadingKind.SETUP or reading.position_side is None:
        return None
    side, entry = reading.position_side, reading.entry or Entry(EntryKind.MARKET)
    legs = _legs(entry, side)
    reference = _reference(entry, legs)
    return Plan(
        symbol=reading.symbol,
        side=side,
        legs=legs,
        size=reading.size or terms.size,
        leverage=reading.leverage or _LOWEST_LEVERAGE,
        reference=reference,
        stop=_stop(reading.stop, reference, side),
        aims=aims_of(reading.targets),
        expires_ms=bounds.expires_ms,
        max_age_ms=bounds.max_age_ms,
        max_drift=bounds.max_drift,
        is_bounded=entry.kind in {EntryKind.MARKET, EntryKind.BREAKOUT},
        break_even_after=profile.break_even_after or 0,
        version=version,
    )


def _order_plan(reading: SignalReading, symbol: str, side: Side, bounds: _Bounds) -> Plan:
    return Plan(
        symbol=symbol,
        side=PositionSide.LONG if side is Side.BUY else PositionSide.SHORT,
        legs=(Leg(1, Trigger.NOW, ONE),),
        size=Size(SizeKind.BASE, reading.quantity or ZERO),
        leverage=_LOWEST_LEVERAGE,
        reference=None,
        stop=None,
        aims=(),
        expires_ms=bounds.expires_ms,
        max_age_ms=bounds.max_age_ms,
        max_drift=bounds.max_drift,
        is_net=True,
    )


def _legs(entry: Entry, side: PositionSide) -> tuple[Leg, ...]:
    """Return the legs of a set-up; a zone is one leg, whose price is its nearer end.

    Each leg is sized from its own price, so that each risks its share; a zone from wherever
    in it the price is.
    """
    is_long = side is PositionSide.LONG
    towards, away = (Trigger.FALL, Trigger.RISE) if is_long else (Trigger.RISE, Trigger.FALL)
    prices = entry.prices
    match entry.kind:
        case EntryKind.MARKET:
            named = prices[0] if prices else None
            return (Leg(1, Trigger.NOW, ONE, named, named),)
        case EntryKind.BREAKOUT:
            return (Leg(1, away, ONE, prices[0], prices[0]),)
        case EntryKind.ZONE:
            return (Leg(1, towards, ONE, max(prices) if is_long else min(prices)),)
        case EntryKind.LIMIT | EntryKind.LADDER:  # pragma: no branch - mypy proves the rest
            shares = entry.shares or _equal_shares(len(prices))
            legs = tuple(
                Leg(number, towards, share, price, price)
                for number, (price, share) in enumerate(zip(prices, shares, strict=True), start=1)
            )
            if not entry.is_at_market:
                return legs
            # It fills wherever the price is, and risks its share from there.
            return (replace(legs[0], trigger=Trigger.NOW, reference=None), *legs[1:])


def _reference(entry: Entry, legs: tuple[Leg, ...]) -> Decimal | None:
    """Return the mean of the entries, each weighted by its share; the middle of a zone."""
    if entry.kind is EntryKind.ZONE:
        return sum(entry.prices, ZERO) / len(entry.prices)
    prices = [(leg.price, leg.share) for leg in legs if leg.price is not None]
    if not prices:
        return None
    return sum((p * share for p, share in prices), ZERO) / sum((s for _, s in prices), ZERO)


def _equal_shares(count: int) -> tuple[Decimal, ...]:
    """Return equal fractions that make a whole; the last takes what rounding leaves.

    >>> _equal_shares(3)
    (Decimal('0.3333'), Decimal('0.3333'), Decimal('0.3334'))
    """
    each = (ONE / count).quantize(_SHARE_STEP) if count > 1 else ONE
    return (each,) * (count - 1) + (ONE - each * (count - 1),)


def _stop(stop: Stop | None, reference: Decimal | None, side: PositionSide) -> Distance | None:
    """Return a stop as the engine takes it; None for the default one."""
    if stop is None:
        return None
    if stop.price is not None:
        return Distance(DistanceKind.PRICE, stop.price)
    if stop.fraction is None:
        return None
    if reference is None:
        return Distance(DistanceKind.PERCENT, stop.fraction)
    return Distance(DistanceKind.PRICE, reference * (1 - side.sign * stop.fraction))


def aims_of(targets: tuple[Target, ...]) -> tuple[Aim, ...]:
    """Return targets as the engine takes them: equal shares where the message names none."""
    if not targets:
        return ()
    named = [target.share for target in targets if target.share is not None]
    shares = named if len(named) == len(targets) else _equal_shares(len(targets))
    return tuple(
        Aim(Distance(DistanceKind.PRICE, target.price), share)
        for target, share in zip(targets, shares, strict=True)
    )


def stop_price(plan: Plan) -> Decimal | None:
    """Return where the stop lies, as far as it is known before the entry."""
    if plan.stop is None or plan.stop.kind is not DistanceKind.PRICE:
        return None
    return plan.stop.value


def fingerprint(reading: SignalReading) -> str:
    """Return the same text for the same set-up, however it is worded; empty for what is none.

    Prices count to five digits: channels round when they repeat themselves.
    """
    if reading.kind is ReadingKind.ORDER:
        parts = [reading.symbol, reading.side, reading.quantity]
    elif reading.kind is ReadingKind.SETUP:
        entries = sorted(reading.entry.prices) if reading.entry else []
        stop = reading.stop.price or reading.stop.fraction if reading.stop else None
        targets = [target.price for target in reading.targets]
        parts = [reading.symbol, reading.position_side, *map(_rounded, entries), "sl"]
        parts += [_rounded(stop) if stop else None, *map(_rounded, targets)]
    else:
        return ""
    text = "|".join(map(str, (reading.kind.value, *parts)))
    return hashlib.sha256(text.encode()).hexdigest()[:_FINGERPRINT]


def _rounded(price: Decimal) -> str:
    return f"{price:.{_SAME_DIGITS - 1}e}"
