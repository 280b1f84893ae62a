"""Laws of the strict side: any answer of a worker is read or refused, never a crash."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from milobot.errors import MilobotError
from milobot.scripting.answers import read_error, read_evaluation, read_info
from milobot.scripting.protocol import decode_header
from milobot.scripting.text import clean

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
_FIELDS = [
    "start",
    "errors",
    "prints",
    "print_count",
    "indicators",
    "timeframe",
    "coin",
    "texts",
    "parameters",
    "name",
    "settings",
    "index",
    "line",
    "column",
    "reason",
    "kind",
]
_answers = st.dictionaries(st.sampled_from(_FIELDS), _json)


@given(_answers, st.binary(max_size=8))
def test_any_answer_is_read_or_refused(answer: dict[str, object], body: bytes) -> None:
    """A worker in a stranger's hands may send anything."""
    for read in (
        lambda: read_info(answer),
        lambda: read_evaluation(answer, body, 0, len(body)),
        lambda: read_error(answer),
    ):
        with suppress(MilobotError):
            read()


@given(st.binary(max_size=60))
def test_any_header_is_read_or_refused(text: bytes) -> None:
    """The first parser that hostile bytes meet."""
    with suppress(MilobotError):
        decode_header(text)


@given(st.text(), st.integers(1, 50))
def test_clean_text_is_short_and_shows_as_it_is(text: str, limit: int) -> None:
    """Nothing that a script prints can command a terminal or turn a line around."""
    cleaned = clean(text, limit)

    assert len(cleaned) <= limit
    assert all(char.isprintable() or char == "\u3000" or char.isspace() for char in cleaned)
    assert not any(char in cleaned for char in "\n\r\x1b\u202e\u2066\u2028")
