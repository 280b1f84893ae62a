"""Whatever is logged and whatever is secret: each line is JSON, and the secret is not in it."""

import io
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from milobot.telemetry import configure_logging, get_logger, hide

_SIGNS = "0123456789\"'\\/+%é漢\U0001f511"
_secrets = st.one_of(
    st.text("0123456789", min_size=6, max_size=9),
    st.text(_SIGNS, min_size=6, max_size=12),
    st.text('"\\0', min_size=6, max_size=8),
)


def _leaves(secret: str) -> st.SearchStrategy[object]:
    """Return values, among them some that tell a secret, in any form."""
    forms = [secret, json.dumps(secret), orjson.dumps(secret).decode(), repr(secret), quote(secret)]
    telling: list[object] = [*forms, *(f"a{form}b" for form in forms), f"token={secret}&b"]
    if secret.isdecimal():
        telling += [int(secret), int(f"7{secret}7"), float(secret), Decimal(secret), -int(secret)]
    return st.one_of(
        st.sampled_from(telling),
        st.text(max_size=8),
        st.text(_SIGNS, max_size=14),
        st.integers(),
        st.floats(),
        st.booleans(),
        st.none(),
    )


@st.composite
def _cases(draw: st.DrawFn) -> tuple[str, object]:
    """Return a secret and something to log."""
    secret = draw(_secrets)
    leaves = _leaves(secret)
    names = st.one_of(st.text(max_size=6), st.just(secret), st.just(f"k{secret}"))
    data = st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)
        ),
        max_leaves=8,
    )
    return secret, draw(data)


def _line_of(secret: str, data: object) -> str:
    """Return the line that is logged where nothing else is secret."""
    stream = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("milobot.telemetry._hidden", [])
        hide(secret)
        configure_logging("INFO", stream)
        get_logger().info("x", frames=data)
    return stream.getvalue()


def _texts(value: Any) -> Iterator[str]:
    """Return every text, name and number in what was parsed."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    else:
        yield str(value)


@given(_cases())
@example(("100000", 100000))
@example(("100000", [{"a": 100000.0}, True, None]))
@example(("100000", 10**30))
@example(('"12345"', ["12345"]))
@example(('a"b\\c1', json.dumps(json.dumps('a"b\\c1'))))
@example(("\\" * 6, "\\" * 5))
def test_each_line_is_json_without_the_secret(case: tuple[str, object]) -> None:
    """A collector drops a line that it cannot parse, and with it perhaps what an order did."""
    secret, data = case
    written = _line_of(secret, data)

    line = orjson.loads(written)
    assert list(line) == ["timestamp", "level", "event_type", "data"]
    assert isinstance(line["data"], dict)
    assert written.count("\n") == 1
    forms = {secret, quote(secret, safe=""), json.dumps(secret)[1:-1]}
    forms.add(orjson.dumps(secret).decode()[1:-1])
    for form in forms:
        assert form not in written
        assert not any(form in text for text in _texts(line))


@pytest.mark.parametrize("data", ["\ud800 text", {"a": [2**70]}, {("a", "b"): 1}])
def test_what_json_cannot_say_is_still_a_line(data: object) -> None:
    """Whoever logs is on the way to an order, and must not fail there."""
    line = orjson.loads(_line_of("secret-1", data))

    assert "frames" in line["data"]["text"]


class _Broken:
    """An object of somebody's that cannot even be written."""

    def __repr__(self) -> str:
        """Fail."""
        raise ZeroDivisionError

    __str__ = __repr__


def test_an_object_that_cannot_be_written_costs_no_more_than_its_text() -> None:
    """What is logged beside an order must not keep the order back."""
    line = orjson.loads(_line_of("secret-1", _Broken()))

    assert "text" in line["data"]


@pytest.mark.parametrize("text", ["x \" it's-pass-1", "x it's-pass-1", "x \" ' it's-pass-1"])
def test_an_apostrophe_is_found_however_python_writes_it(text: str) -> None:
    """An error often quotes what it was given, and picks its quotes by what is in it."""
    told = str(ValueError(repr(text)))

    assert "s-pass-1" not in _line_of("it's-pass-1", told)


@pytest.mark.parametrize("more", [1, 2**70])
def test_what_stands_under_the_name_of_a_secret_is_cut_however_it_is_written(more: int) -> None:
    """A number too large for JSON has the whole written as Python does."""
    written = _line_of("another-secret", {"d": {"api_key": "KEY-ABC"}, "n": more})

    assert "KEY-ABC" not in written


def test_a_secret_that_is_no_text_can_be_hidden() -> None:
    """A variable may hold any bytes; a start must not end in a traceback over them."""
    secret = b"\xff\xfepassphrase".decode(errors="surrogateescape")

    assert "passphrase" not in _line_of(secret, f"is {secret}!")


@pytest.mark.parametrize("secret", ["timestamp", "event_type"])
def test_a_secret_that_is_a_word_of_every_line_takes_nothing_else_away(secret: str) -> None:
    """A password like that would leave no log at all."""
    line = orjson.loads(_line_of(secret, {"a": f"is {secret}!"}))

    assert line["data"] == {"frames": {"a": "is [hidden]!"}}
