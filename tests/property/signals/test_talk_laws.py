"""Whatever people write: nothing raises, nothing moves without a fresh confirmation."""

import asyncio
import re

from hypothesis import given
from hypothesis import strategies as st
from tests.support.chats import ADMIN, OTHER_ADMIN, STRANGER, FakeOffice
from tests.support.virtual_time import VirtualTime

from milobot.signals.talk.codes import VALID_MS, Codes
from milobot.signals.talk.desk import FRESH_MS, Desk, People
from milobot.signals.talk.plain import cut_lines, plain
from milobot.signals.talk.ports import PersonSays
from milobot.signals.talk.requests import Misread, Request, Verb, parse_request
from milobot.storage.commands import CommandKind

COMMANDS = st.sampled_from(
    [
        *("/close BTC", "/close eth binance", "/halt", "/HALT flatten", "/resume", "/pause"),
        *("/status", "/yes", "/yes 0000", "/yes 0001", "/yes 0002", "/yes 9999", "/help"),
    ]
)
WORDS = st.sampled_from(["/", "close", "halt", "yes", "0000", "BTC", "@", " ", "\n", "flatten"])
TEXTS = COMMANDS | st.text(max_size=60) | st.lists(WORDS, max_size=8).map("".join)
PEOPLE = st.sampled_from([ADMIN, OTHER_ADMIN, STRANGER])
_CAN_BE_TAPPED = re.compile(r"[@/]\w|\w\.[^\W\d]")
AGES = st.sampled_from([0, 1_000, FRESH_MS, FRESH_MS + 1, 86_400_000, -FRESH_MS - 1])
PAUSES = st.sampled_from([0, 1_000, VALID_MS - 1, VALID_MS, 3_600_000])


def work_of(desk: Desk, person: int, text: str, time_ms: int, number: int) -> None:
    """Let a person say something and do what comes of it."""
    work = desk.hear(PersonSays(person, text, time_ms, number))
    if work is not None:
        asyncio.run(work)


@given(st.lists(st.tuples(PEOPLE, TEXTS, AGES, PAUSES), max_size=12))
def test_nothing_moves_without_a_fresh_confirmation(
    said: list[tuple[int, str, int, int]],
) -> None:
    """Codes that nobody was shown confirm nothing; pausing alone needs none, and is fresh."""
    office, time = FakeOffice(), VirtualTime()
    answers: list[tuple[int, str]] = []
    desk = Desk(
        People(frozenset({ADMIN, OTHER_ADMIN})),
        office,
        lambda person, text: answers.append((person, text)),
        time,
        Codes(lambda: "7777"),
    )
    pauses = 0

    for number, (person, text, age_ms, pause_ms) in enumerate(said):
        time.step(pause_ms)
        request = parse_request(text)
        is_pause = isinstance(request, Request) and request.verb is Verb.PAUSE
        pauses += is_pause and person != STRANGER and abs(age_ms) <= FRESH_MS
        if "7777" not in text:
            work_of(desk, person, text, time.now_ms() - age_ms, number)

    assert office.kinds == [CommandKind.HALT] * pauses
    assert all(person != STRANGER for person, _ in answers)


@given(
    asker=st.sampled_from([ADMIN, OTHER_ADMIN]),
    confirmer=PEOPLE,
    wait_ms=PAUSES,
    age_ms=AGES,
    between=st.none() | TEXTS,
)
def test_a_confirmation_counts_when_it_is_of_the_asker_and_in_time(
    *, asker: int, confirmer: int, wait_ms: int, age_ms: int, between: str | None
) -> None:
    """And in no other case, whatever is said in between."""
    office, time = FakeOffice(), VirtualTime()
    people = People(frozenset({ADMIN, OTHER_ADMIN}))
    codes = iter(("7777", *map(str, range(8_000, 9_000))))
    desk = Desk(people, office, lambda _person, _text: None, time, Codes(codes.__next__))
    other = parse_request(between) if between is not None else None
    is_other_plan = isinstance(other, Request) and other.verb in {
        Verb.CLOSE,
        Verb.HALT,
        Verb.RESUME,
    }

    work_of(desk, asker, "/close BTC", time.now_ms(), 1)
    if between is not None:
        work_of(desk, asker, between, time.now_ms(), 2)
    office.done.clear()
    time.step(wait_ms)
    work_of(desk, confirmer, "/yes 7777", time.now_ms() - age_ms, 3)

    counts = (
        asker == confirmer and wait_ms < VALID_MS and abs(age_ms) <= FRESH_MS and not is_other_plan
    )
    assert office.kinds == [CommandKind.CLOSE] * counts


@given(st.text(max_size=300))
def test_any_text_is_a_request_or_is_said_not_to_be(text: str) -> None:
    """Parsing raises nothing, and what it reads back is what it was given."""
    request = parse_request(text)

    assert isinstance(request, Request | Misread)
    if isinstance(request, Request):
        named = text.split(maxsplit=1)[0].lower().removeprefix("/").partition("@")[0]
        assert named in {request.verb.value, "start"}


@given(st.text(), st.integers(2, 300))
def test_plain_text_is_one_line_and_bounded(text: str, most: int) -> None:
    """Whatever a stranger wrote, and whatever it does to a screen."""
    shown = plain(text, most)

    assert "\n" not in shown
    assert len(shown.replace("\u2060", "")) <= most
    assert _CAN_BE_TAPPED.search(shown) is None
    shown.encode()


@given(st.text(max_size=400), st.integers(60, 300))
def test_what_is_cut_fits(text: str, most: int) -> None:
    """Counted as messengers count."""
    assert len(cut_lines(text, most).encode("utf-16-le", "surrogatepass")) // 2 <= most
