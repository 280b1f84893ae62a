"""The tables of outcomes, sorted by code: they say what reading them from the top says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milobot.exchanges.binance.outcomes import DIALECT as BINANCE
from milobot.exchanges.bingx.outcomes import DIALECT as BINGX
from milobot.exchanges.outcomes import Dialect, Reply, Row

DIALECTS = (BINANCE, BINGX)
STATUSES = (200, 204, 400, 401, 403, 404, 408, 418, 429, 451, 500, 502, 503, 504)
CODES = sorted({code for one in DIALECTS for row in one.table for code in row.codes})
TEXTS = sorted({row.text for one in DIALECTS for row in one.table})


def from_the_top(dialect: Dialect, reply: Reply) -> Row | None:
    return next((row for row in dialect.table if row.matches(reply)), None)


def reply(status: int, code: str, text: str) -> Reply:
    return Reply(status, code, text, None, is_success=False)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda one: one.name)
def test_every_row_is_found_as_from_the_top(dialect: Dialect) -> None:
    """A code at its row's place, below its row's neighbours, with and without its words."""
    for row in dialect.table:
        for code in {*sorted(row.codes)[:3], *sorted(row.codes)[-1:], ""}:
            for status in STATUSES:
                for text in (row.text, row.text.upper(), "something else"):
                    said = reply(status, code, text)
                    assert dialect.row_for(said) is from_the_top(dialect, said)


@given(
    dialect=st.sampled_from(DIALECTS),
    status=st.sampled_from(STATUSES) | st.integers(100, 599),
    code=st.sampled_from(CODES) | st.integers(-9999, 9999).map(str) | st.just(""),
    text=st.sampled_from(TEXTS) | st.text(max_size=20),
)
def test_any_answer_means_what_it_means_from_the_top(
    dialect: Dialect, status: int, code: str, text: str
) -> None:
    """First match counts, also for codes and words that no row knows."""
    said = reply(status, code, text)

    assert dialect.row_for(said) is from_the_top(dialect, said)
