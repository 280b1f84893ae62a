"""Laws of the action grammar."""

from contextlib import suppress
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from milobot.domain.intents import (
    Action,
    Close,
    Distance,
    DistanceKind,
    DoNothing,
    Enter,
    PositionSide,
    Size,
    SizeKind,
)
from milobot.errors import ActionFormatError
from milobot.scripting.actions import format_action, parse_action


def _numbers(largest: str) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal("0.000001"), Decimal(largest), allow_nan=False, places=6)


_prices = st.builds(Distance, st.just(DistanceKind.PRICE), _numbers("1000000"))
_multiples = st.builds(Distance, st.just(DistanceKind.ATR), _numbers("50"))
_fractions = st.builds(Distance, st.just(DistanceKind.PERCENT), _numbers("0.99"))
_distances = _prices | _multiples | _fractions


@st.composite
def _entries(draw: st.DrawFn) -> Enter:
    kind = draw(st.sampled_from(SizeKind))
    stop = draw(_distances if kind is SizeKind.RISK else st.none() | _distances)
    unprotected = stop is None and draw(st.booleans())
    target = draw(st.none() | _distances)
    allows_ratio = stop is not None and target is None
    return Enter(
        side=draw(st.sampled_from(PositionSide)),
        size=Size(kind, draw(_numbers("1"))),
        leverage=draw(st.integers(1, 150)),
        stop=stop,
        unprotected=unprotected,
        target=target,
        reward_ratio=draw(st.none() | _numbers("20")) if allows_ratio else None,
        trail=draw(st.none() | _multiples | _fractions),
        break_even=None if unprotected else draw(st.none() | _numbers("20")),
    )


_actions = st.just(DoNothing()) | st.just(Close()) | _entries()


@given(_actions)
def test_written_action_reads_back_equal(action: Action) -> None:
    """What is journalled as text is the action itself, to the last digit."""
    assert parse_action(format_action(action)) == action


@given(_actions, st.data())
def test_spaces_between_tokens_do_not_matter(action: Action, data: st.DataObject) -> None:
    """Traders space their actions as they like."""
    text = format_action(action)
    for symbol in "(),=@%":
        spaces = " " * data.draw(st.integers(0, 2))
        text = text.replace(symbol, f"{spaces}{symbol}{spaces}")

    assert parse_action(text) == action


@given(st.text(max_size=60) | st.text(alphabet="longshrt()1%iske@x,=.2apbu ", max_size=40))
def test_any_text_is_an_action_or_one_clear_error(text: str) -> None:
    """The parser faces text from strangers: nothing but its own error may come out."""
    with suppress(ActionFormatError):
        assert parse_action(format_action(parse_action(text))) == parse_action(text)
