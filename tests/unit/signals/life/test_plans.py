"""From a reading to a plan: where it enters, with how much, and what levels it has."""

import pytest
from tests.support.trading import dec

from milobot.domain.intents import Distance, DistanceKind, PositionSide, Size, SizeKind
from milobot.signals.life.plans import SignalTerms, fingerprint, plan_of, stop_price
from milobot.signals.life.record import Plan, Trigger
from milobot.signals.profile import ChannelProfile
from milobot.signals.reader import read

TERMS = SignalTerms()


def plan(text: str, profile: ChannelProfile | None = None) -> Plan:
    """Return the plan of a message that is a set-up or an order."""
    found = plan_of(
        read(text, profile=profile), profile or ChannelProfile(), TERMS, posted_ms=1_000
    )
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "legs"),
    [
        ("BUY BTCUSDT 0.001", [(Trigger.NOW, "1", None)]),
        ("Long BTCUSDT now SL 63000 TP 67000", [(Trigger.NOW, "1", None)]),
        ("Long BTCUSDT entry 64000 SL 63000 TP 67000", [(Trigger.FALL, "1", "64000")]),
        ("Short BTCUSDT entry 66000 SL 67000 TP 64000", [(Trigger.RISE, "1", "66000")]),
        ("Long BTC if it breaks above 65500, SL 63000, TP 70000", [(Trigger.RISE, "1", "65500")]),
        ("Long BTCUSDT entry 64000 - 64500 SL 63000 TP 67000", [(Trigger.FALL, "1", "64500")]),
        ("Short BTCUSDT entry 64000 - 64500 SL 67000 TP 60000", [(Trigger.RISE, "1", "64000")]),
        (
            "LTC/USDT (Long)\nEntry 1 - 160 (50%)\nEntry 2 - 150 (50%)\nTP 170\nSL 145",
            [(Trigger.FALL, "0.5", "160"), (Trigger.FALL, "0.5", "150")],
        ),
    ],
)
def test_each_kind_of_entry_has_its_legs(
    text: str, legs: list[tuple[Trigger, str, str | None]]
) -> None:
    """The bot waits for these; a zone is entered from its near end on."""
    found = [(leg.trigger, leg.share, leg.price) for leg in plan(text).legs]

    assert found == [(t, dec(share), None if p is None else dec(p)) for t, share, p in legs]


def test_a_stop_in_per_cent_is_measured_from_the_mean_of_the_entries() -> None:
    """It is one price for all legs, known before the first enters; shares weigh it."""
    ladder = plan("LTC/USDT (Long)\nEntry 1 - 160 (75%)\nEntry 2 - 140 (25%)\nTP 170\nSL 20%")
    zone = plan("Short BTCUSDT entry 64000 - 65000 SL 2% TP 60000")
    market = plan("BTCUSDT long now sl 2% tp 90000")

    assert (ladder.reference, stop_price(ladder)) == (dec(155), dec(124))
    assert (zone.reference, stop_price(zone)) == (dec(64_500), dec(65_790))
    assert market.stop == Distance(DistanceKind.PERCENT, dec("0.02"))
    assert stop_price(market) is None


def test_targets_without_shares_take_equal_ones() -> None:
    """The last takes what rounding leaves."""
    three = plan("Long BTCUSDT now SL 63000 TP 66000 67000 68000")

    assert [aim.share for aim in three.aims] == [dec("0.3333"), dec("0.3333"), dec("0.3334")]


def test_size_is_the_profiles_else_the_messages_else_the_default() -> None:
    """In this order, so that an owner's word counts most."""
    text = "Long BTCUSDT entry 64000 SL 63000 TP 67000"
    fixed = ChannelProfile(size=Size(SizeKind.QUOTE, dec(50)))

    assert plan(f"{text}\nRisk: 2%", fixed).size == Size(SizeKind.QUOTE, dec(50))
    assert plan(f"{text}\nRisk: 2%").size == Size(SizeKind.RISK, dec("0.02"))
    assert plan(text).size == Size(SizeKind.RISK, dec("0.01"))
    assert plan("BUY BTCUSDT 0.5").size == Size(SizeKind.BASE, dec("0.5"))


def test_the_profile_bounds_leverage_time_and_drift() -> None:
    """None named is 1x: nothing is guessed."""
    profile = ChannelProfile(
        leverage_cap=5, expiry_s=60, max_age_s=10, max_drift=dec("0.002"), break_even_after=2
    )
    text = "Long BTCUSDT now SL 63000 TP 67000"
    bounded = plan(f"{text} leverage 20x", profile)

    assert bounded.leverage == 5
    assert (bounded.expires_ms, bounded.max_age_ms) == (61_000, 10_000)
    assert (bounded.max_drift, bounded.break_even_after) == (dec("0.002"), 2)
    assert plan(text).leverage == 1


def test_an_order_is_net_and_opens_in_its_direction() -> None:
    """What opposes the position reduces it first."""
    order = plan("SELL ETHUSDT 0.5")

    assert (order.side, order.is_net, order.stop, order.aims) == (
        PositionSide.SHORT,
        True,
        None,
        (),
    )


def test_what_is_no_set_up_has_no_plan() -> None:
    """Commands and chat."""
    for text in ("close half", "good morning", "Long XRP/USDT entry 1,450 SL 1,300 TP 1,600"):
        reading = read(text)
        assert plan_of(reading, ChannelProfile(), TERMS, posted_ms=0) is None


def test_the_same_set_up_has_the_same_fingerprint_however_it_is_worded() -> None:
    """Channels repeat themselves in other words, and round."""
    same = {
        fingerprint(read(text))
        for text in (
            "Long BTCUSDT entry 64000 SL 63000 TP 67000",
            "#BTC/USDT LONG\nEntry: 64,000.1\nTargets: 67000\nStoploss: 63000",
        )
    }
    others = {
        fingerprint(read(text))
        for text in (
            "Long BTCUSDT entry 64100 SL 63000 TP 67000",
            "Long BTCUSDT entry 64000 SL 62000 TP 67000",
            "Long BTCUSDT entry 64000 SL 63000 TP 68000",
            "Long ETHUSDT entry 64000 SL 63000 TP 67000",
            "Short BTCUSDT entry 64000 SL 67000 TP 63000",
            "BUY BTCUSDT 1",
            "BUY BTCUSDT 2",
        )
    }

    assert len(same) == 1
    assert len(others) == 7
    assert not same & others
    assert fingerprint(read("close")) == ""


def test_a_channel_repeats_itself_and_a_program_means_it() -> None:
    """Unless the profile says otherwise."""
    ten_minutes = ChannelProfile(duplicate_window_s=600)

    assert TERMS.window_of("telegram:-1", ChannelProfile()) == 3_600_000
    assert TERMS.window_of("http:default", ChannelProfile()) == 0
    assert TERMS.window_of("tradingview", ten_minutes) == 600_000
