"""The outbox: gathered, bounded, urgent things first, and what is lost is counted."""

from collections import Counter

from tests.support.trading import dec

from milobot.signals.talk.notices import Notice, NoticeKind
from milobot.signals.talk.outbox import BETWEEN_MS, GATHER_MS, Outbox

NOW = 1_700_000_000_000


def notice(
    text: str = "entry filled: bought",
    kind: NoticeKind = NoticeKind.SIGNALS,
    about: str = "BTCUSDT",
    time_ms: int = NOW,
) -> Notice:
    """Return a notice."""
    return Notice(kind, about, text, time_ms)


def text_after(box: Outbox, wait_ms: int = GATHER_MS) -> str:
    """Return what is told some time after the notices came."""
    parcel = box.take(NOW + wait_ms)
    assert parcel is not None
    return parcel.text


def test_notices_are_gathered_for_two_seconds() -> None:
    """Entry, stop and targets of one set-up are one message."""
    box = Outbox()
    box.put(notice("stop hit"), NOW)
    box.put(notice("closed", NoticeKind.RESULTS), NOW + 1_000)

    assert box.take(NOW + GATHER_MS - 1) is None
    assert text_after(box) == "BTCUSDT\n  stop hit\n  closed"
    assert box.take(NOW + 2 * GATHER_MS) is None


def test_messages_of_calm_notices_keep_their_distance() -> None:
    """Else nothing is left of twenty a minute for an answer."""
    box = Outbox()
    box.put(notice(), NOW)
    assert box.take(NOW + GATHER_MS) is not None
    box.put(notice(), NOW + GATHER_MS)

    assert box.take(NOW + GATHER_MS + BETWEEN_MS - 1) is None
    assert box.take(NOW + GATHER_MS + BETWEEN_MS) is not None


def test_urgent_notices_wait_for_nothing() -> None:
    """A position without a stop is told before the entries that came first."""
    box = Outbox()
    box.put(notice("entry"), NOW)
    box.put(notice("⚠ no stop", NoticeKind.PROTECTION), NOW)

    parcel = box.take_urgent(NOW)

    assert parcel is not None
    assert parcel.is_urgent
    assert parcel.text == "BTCUSDT: ⚠ no stop"
    assert box.take_urgent(NOW) is None
    assert text_after(box) == "BTCUSDT: entry"


def test_calm_messages_hold_no_urgent_notice() -> None:
    """Each is told by its own way, and once."""
    box = Outbox()
    box.put(notice("entry"), NOW)
    box.put(notice("⚠ no stop", NoticeKind.PROTECTION), NOW)

    assert text_after(box) == "BTCUSDT: entry"
    assert box.take_urgent(NOW + GATHER_MS) is not None


def test_a_burst_is_summed_up() -> None:
    """Fifteen reasons for one symbol are three and a number."""
    box = Outbox()
    for number in range(15):
        box.put(notice(f"not traded {number}", NoticeKind.REFUSALS), NOW)

    assert text_after(box) == (
        "BTCUSDT\n  not traded 0\n  not traded 1\n  not traded 2\n…and 12 more (12 refusals)"
    )


def test_many_symbols_are_summed_up_too_the_most_important_kept() -> None:
    """A telephone shows twelve lines; results come before entries."""
    box = Outbox()
    for number in range(20):
        box.put(notice("entry", NoticeKind.ENTRIES, f"A{number}USDT"), NOW)
    for number in range(3):
        box.put(notice("closed", NoticeKind.RESULTS, f"B{number}USDT"), NOW)

    lines = text_after(box).split("\n")

    assert lines[:4] == ["B0USDT: closed", "B1USDT: closed", "B2USDT: closed", "A0USDT: entry"]
    assert lines[-1] == "…and 11 more (11 entries)"
    assert len(lines) == 13


def test_the_same_again_is_counted() -> None:
    """Five connections lost in a row are one line."""
    box = Outbox()
    for _ in range(5):
        box.put(notice("away", NoticeKind.CONNECTION, ""), NOW)

    assert text_after(box) == "away (5 times)"


def test_fills_add_up() -> None:
    """Hundreds of fills of one order are one line with their average."""
    box = Outbox()
    for number in range(100):
        fill = Notice(NoticeKind.ENTRIES, "BTCUSDT", "bought", NOW, dec("0.1"), dec(number) / 10)
        box.put(fill, NOW)

    assert text_after(box) == "BTCUSDT: bought 10 at 49.5"


def test_noise_is_given_up_first_and_counted() -> None:
    """While nobody can be reached, a stop that was hit is kept rather than what was refused."""
    box = Outbox(most=3)
    for number in range(5):
        box.put(notice(f"refused {number}", NoticeKind.REFUSALS), NOW)
    for number in range(2):
        box.put(notice(f"stop {number}", NoticeKind.EXITS), NOW)
    for number in range(9):
        box.put(notice(f"⚠ {number}", NoticeKind.PROTECTION), NOW)

    assert box.missed == 4
    assert text_after(box) == (
        "BTCUSDT\n  refused 4\n  stop 0\n  stop 1\n"
        "not told while you could not be reached: 4 refusals"
    )
    urgent = box.take_urgent(NOW)
    assert urgent is not None
    assert len(urgent.notices) == 9


def test_more_urgent_notices_than_one_message_holds_follow_in_the_next() -> None:
    """None of them is summed up: each names a position in danger."""
    box = Outbox()
    for number in range(30):
        box.put(notice("⚠", NoticeKind.PROTECTION, f"A{number}USDT"), NOW)

    told = []
    while (parcel := box.take_urgent(NOW)) is not None:
        told += parcel.text.split("\n")

    assert told == [f"A{number}USDT: ⚠" for number in range(30)]


def test_urgent_notices_are_bounded_by_what_they_are_about() -> None:
    """A week without a connection: of each symbol the last word is kept, however often it changed."""
    box = Outbox()
    for number in range(2_000):
        box.put(notice(f"⚠ {number}", NoticeKind.PROTECTION, f"A{number % 7}USDT"), NOW)

    kept: list[Notice] = []
    while (parcel := box.take_urgent(NOW)) is not None:
        kept += parcel.notices

    assert {n.about for n in kept} == {f"A{number}USDT" for number in range(7)}
    assert kept[-1].text == "⚠ 1999"
    assert len(kept) == 500
    assert box.missed == 1_500


def test_what_was_not_told_waits_again_before_what_came_since() -> None:
    """Order is kept, and what was missed stays counted."""
    box = Outbox(most=1)
    box.put(notice("a"), NOW)
    box.put(notice("b"), NOW)
    parcel = box.take(NOW + GATHER_MS)
    assert parcel is not None
    assert parcel.missed == Counter({NoticeKind.SIGNALS: 1})

    box.put(notice("urgent", NoticeKind.GOVERNOR), NOW)
    box.put_back(parcel, NOW + GATHER_MS)

    assert box.take_urgent(NOW) is not None
    assert text_after(box) == parcel.text


def test_an_urgent_notice_that_was_not_told_is_urgent_still() -> None:
    """It goes first at the next try."""
    box = Outbox()
    box.put(notice("⚠", NoticeKind.PROTECTION), NOW)
    parcel = box.take_urgent(NOW)
    assert parcel is not None

    box.put_back(parcel, NOW)

    assert box.take_urgent(NOW) == parcel


def test_what_is_told_late_says_when_it_was() -> None:
    """A stop that was hit an hour ago must not look like one of now."""
    box = Outbox()
    box.put(notice("stop hit", time_ms=NOW - 3_600_000), NOW)

    assert text_after(box) == "BTCUSDT: (2023-11-14 21:13 UTC) stop hit"
