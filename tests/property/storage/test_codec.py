"""Whatever the engine can know must come back from the ledger as it was."""

from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milobot.domain.decisions import Gate
from milobot.domain.intents import Change, Close, Enter, TradeIntent
from milobot.domain.orders import Order
from milobot.domain.positions import Position
from milobot.domain.slots import Setup, Slot, Tally
from milobot.storage.codec import codec_of

_AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False)
# Numbers are moments, counts and leverages: the databases hold 64 bits of them.
# Half a surrogate pair is no text; NUL is replaced on its way (tested apart).
_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
st.register_type_strategy(Decimal, _AMOUNTS)
st.register_type_strategy(str, _TEXTS)
st.register_type_strategy(int, st.integers(-(2**63), 2**63 - 1))


@pytest.mark.parametrize("kind", [TradeIntent, Setup, Tally, Gate, Position])
@settings(max_examples=40)
@given(data=st.data())
def test_a_value_comes_back_as_it_was(kind: type[Any], data: st.DataObject) -> None:
    """Every field counts: a plan that lost its trail would trade another plan after a restart."""
    value = data.draw(st.from_type(kind))
    codec = codec_of(kind)

    back = codec.decode(codec.encode(value))

    assert back == value
    assert codec.encode(back) == codec.encode(value)


# Orders are left out of the row, and most of what a slot takes to make up.
_ORDERS = st.lists(st.from_type(Order), max_size=1).map(tuple)
_SLOTS = st.builds(Slot, **{f.name: ... for f in fields(Slot)} | {"orders": _ORDERS})


@settings(max_examples=40)
@given(slot=_SLOTS)
def test_a_slot_comes_back_with_what_is_kept_elsewhere(slot: Slot) -> None:
    """Position and orders have tables of their own; everything else is in the slot's row."""
    codec = codec_of(Slot, without=("position", "orders"))

    back = codec.decode(codec.encode(slot), position=slot.position)

    assert replace(back, orders=slot.orders) == slot


@given(value=_AMOUNTS)
def test_a_decimal_keeps_every_digit(value: Decimal) -> None:
    """Also the digits behind the last that counts: 1.50 stays 1.50."""
    codec = codec_of(Position)

    back = codec.decode(codec.encode(Position("X", cost=value)))

    assert back.cost.as_tuple() == value.as_tuple()


@given(action=st.from_type(Enter) | st.builds(Close) | st.from_type(Change))  # type: ignore[arg-type]  # a union
def test_a_close_is_never_taken_for_an_entry(action: Enter | Close | Change) -> None:
    """A close has no fields and would fit any: what it is must be said."""
    intent = TradeIntent("k", "o", "BTCUSDT", 1, action, Decimal(1))
    codec = codec_of(TradeIntent)

    assert type(codec.decode(codec.encode(intent)).action) is type(action)
