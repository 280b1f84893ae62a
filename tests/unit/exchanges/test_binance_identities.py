"""What orders that are not ours go by: one identity from events, listings and queries."""

import pytest

from milobot.exchanges.binance.mapping import identity_of


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("adl_autoclose", "adl_autoclose-77"),
        ("autoclose-1700000000000", "autoclose-1700000000000"),
        ("web_abc", "web_abc"),
        ("milox32igpqve7ljsgh4rrhw2azp", "milox32igpqve7ljsgh4rrhw2azp"),
    ],
)
def test_a_name_that_many_orders_share_is_made_an_identity(named: str, expected: str) -> None:
    """Two partial auto-deleveragings are two orders, whoever tells of them."""
    assert identity_of(named, "77") == expected
