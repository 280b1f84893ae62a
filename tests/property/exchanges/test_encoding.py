"""Encoded parameters: the short way gives what encoding every value by itself gives."""

from urllib.parse import parse_qsl, quote

from hypothesis import example, given
from hypothesis import strategies as st

from milobot.exchanges.wire import encode

NAMES = st.sampled_from(("symbol", "newClientOrderId", "timestamp"))
VALUES = st.text(st.sampled_from('aZ0_.~-&=%+ /{}"币'), max_size=6)


@given(params=st.lists(st.tuples(NAMES, VALUES), max_size=5).map(tuple))
@example(params=(("symbol", "a&timestamp=1"),))
@example(params=(("symbol", "a="), ("timestamp", "&")))
@example(params=())
def test_no_value_becomes_a_parameter_of_its_own(params: tuple[tuple[str, str], ...]) -> None:
    """A value that holds & or = must not change what is signed: it would be another order."""
    encoded = encode(params)

    assert encoded == "&".join(f"{name}={quote(value, safe='')}" for name, value in params)
    assert tuple(parse_qsl(encoded, keep_blank_values=True)) == params
