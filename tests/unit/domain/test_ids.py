"""Derived order ids."""

import itertools
import re

from milobot.domain.ids import client_order_id


def test_ids_keep_to_what_both_exchanges_take() -> None:
    """BingX lower-cases ids and cuts nothing; Binance takes 36 characters, we send 32 at most."""
    made = client_order_id("binance:default", "tg:-100123|" + "x" * 500, "stop", 12345)

    assert re.fullmatch(r"[a-z0-9]{1,32}", made)


def test_every_part_changes_the_id() -> None:
    """Two legs, revisions, intents or accounts must never share an id: the second would be lost."""
    accounts, keys, legs, revisions = ("a", "b"), ("k1", "k2"), ("entry", "stop"), (0, 1)
    parts = list(itertools.product(accounts, keys, legs, revisions))

    assert len({client_order_id(*part) for part in parts}) == len(parts)


def test_parts_do_not_run_into_each_other() -> None:
    """('ab', 'c') and ('a', 'bc') are different orders."""
    assert client_order_id("ab", "c", "x", 0) != client_order_id("a", "bc", "x", 0)


def test_the_same_order_has_the_same_id() -> None:
    """After a restart the id is how the order is found at the exchange."""
    assert client_order_id("a", "k", "entry", 0) == client_order_id("a", "k", "entry", 0)
