"""Profiles: defaults, bounds and refusals, and what is wrong in the file that holds them."""

from decimal import Decimal

import pytest

from milobot.domain.intents import PositionSide, Size, SizeKind
from milobot.errors import ConfigurationError
from milobot.signals.profile import ChannelProfile, EntryRule
from milobot.signals.profile_toml import parse_profile
from milobot.signals.reader import read
from milobot.signals.reading import EntryKind, ReadingKind

SET_UP = "Long BTCUSDT 20x\nEntry: 65000 - 64000\nSL: 63000\nTP: 66000, 67000, 68000"
UNPROTECTED = "Long BTCUSDT\nEntry: 65000\nTP: 66000"


@pytest.mark.parametrize(
    ("text", "profile", "code"),
    [
        (UNPROTECTED, ChannelProfile(needs_stop=True), "no_stop"),
        (SET_UP, ChannelProfile(symbols=frozenset({"ETHUSDT"})), "symbol_not_allowed"),
        (SET_UP, ChannelProfile(sides=frozenset({PositionSide.SHORT})), "side_not_allowed"),
        ("SELL BTCUSDT 1", ChannelProfile(sides=frozenset({PositionSide.LONG})), "side_not_allowed"),
        ("BUY BTCUSDT 1", ChannelProfile(symbols=frozenset({"ETHUSDT"})), "symbol_not_allowed"),
        (UNPROTECTED, ChannelProfile(target_shares=(Decimal("0.5"),) * 2), "shares_do_not_fit"),
    ],
)  # fmt: skip
def test_profile_refuses(text: str, profile: ChannelProfile, code: str) -> None:
    """What the owner of the account ruled out is not traded, and says so."""
    reading = read(text, profile=profile)

    assert (reading.kind, reading.code) == (ReadingKind.REFUSED, code)
    assert reading.entry is None


def test_profile_completes_and_bounds() -> None:
    """It fixes the size, caps the leverage, splits the targets, and gives a stop to what has none."""
    profile = ChannelProfile(
        size=Size(SizeKind.RISK, Decimal("0.01")),
        default_stop=Decimal("0.03"),
        leverage_cap=10,
        target_shares=(Decimal("0.6"), Decimal("0.4")),
    )

    bounded, completed = (
        read(SET_UP, profile=profile),
        read(UNPROTECTED, profile=ChannelProfile(default_stop=Decimal("0.03"))),
    )

    assert bounded.leverage == 10
    assert bounded.size == Size(SizeKind.RISK, Decimal("0.01"))
    assert [(int(t.price), str(t.share)) for t in bounded.targets] == [
        (66000, "0.6"),
        (67000, "0.4"),
    ]
    assert bounded.stop is not None
    assert bounded.stop.price == 63000
    assert completed.stop is not None
    assert completed.stop.fraction == Decimal("0.03")


@pytest.mark.parametrize(
    ("rule", "kind", "prices"),
    [
        (EntryRule.AS_WRITTEN, EntryKind.ZONE, ["65000", "64000"]),
        (EntryRule.FIRST, EntryKind.LIMIT, ["65000"]),
        (EntryRule.MARKET, EntryKind.MARKET, ["65000"]),
    ],
)
def test_entry_rule_chooses(rule: EntryRule, kind: EntryKind, prices: list[str]) -> None:
    """Some channels name zones that nobody means to wait for."""
    entry = read(SET_UP, profile=ChannelProfile(entry_rule=rule)).entry

    assert entry is not None
    assert entry.kind is kind
    assert [str(price) for price in entry.prices] == prices


def test_profile_leaves_commands_and_refusals_alone() -> None:
    """It bounds what enters; a close must pass whatever it says."""
    profile = ChannelProfile(symbols=frozenset({"ETHUSDT"}), needs_stop=True)

    assert read("Close BTC", profile=profile).kind is ReadingKind.CLOSE
    assert read("hello", profile=profile).code == "chat"


def test_fixed_quantity_replaces_that_of_an_order() -> None:
    """A quantity in the profile is the size of each entry; a risk needs a stop, so an order keeps its own."""
    fixed = ChannelProfile(size=Size(SizeKind.BASE, Decimal(2)))
    risked = ChannelProfile(size=Size(SizeKind.RISK, Decimal("0.01")))

    assert read("BUY BTCUSDT 1", profile=fixed).quantity == 2
    assert read("BUY BTCUSDT 1", profile=risked).quantity == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("risk 1%", "is no TOML"),
        ('rsk = "1%"', "did you mean 'risk'?"),
        ("zzz = 1", "there are risk, usdt"),
        ('risk = "101%"', 'such as "1%"'),
        ("risk = 1", "risk = 1 is wrong; write a per cent"),
        ('risk = "1%"\nusdt = 5', "exclude each other"),
        ("usdt = -5", "a number above 0"),
        ('usdt = "much"', "a number above 0"),
        ("usdt = nan", "a number above 0"),
        ("needs_stop = 1", "true or false"),
        ('needs_stop = true\ndefault_stop = "3%"', "exclude each other"),
        ('default_stop = "100%"', "up to 99"),
        ("leverage_cap = 0", "from 1 to 150"),
        ("leverage_cap = true", "from 1 to 150"),
        ('entry = "last"', '"as_written" or "first" or "market"'),
        ('target_shares = ["50%", "30%"]', "make 100"),
        ("target_shares = [50, 50]", "a list of words"),
        ('symbols = ["BTC-USDT"]', "as the exchange lists them"),
        ("symbols = []", "a list of words"),
        ('sides = ["up"]', '"long" and "short"'),
        ("max_age_s = 1.5", "a whole number"),
        ('max_drift = "0%"', "above 0"),
        ('exchange = "kraken"', '"binance" or "bingx"'),
        ("break_even_after = 11", "from 1 to 10"),
        ("expiry_s = 0", "from 1 to 2592000"),
        ("duplicate_window_s = -1", "from 0 to 86400"),
    ],
)  # fmt: skip
def test_wrong_profile_says_what_to_write(text: str, said: str) -> None:
    """A profile that is half understood would trade by rules nobody chose."""
    with pytest.raises(ConfigurationError) as refused:
        parse_profile(text, "channel.toml")

    assert str(refused.value).startswith("channel.toml: ")
    assert said in str(refused.value)


def test_profile_file_gives_its_values() -> None:
    """Per cents become fractions, words become what they name."""
    profile = parse_profile(
        'usdt = 100\ndefault_stop = "3%"\nentry = "First"\nsymbols = ["BTCUSDT"]\nsides = ["Long"]\n'
        'target_shares = ["50%", "50%"]\nmax_drift = "0.5%"\nexchange = "BingX"',
        "channel.toml",
    )

    assert profile == ChannelProfile(
        size=Size(SizeKind.QUOTE, Decimal(100)),
        default_stop=Decimal("0.03"),
        entry_rule=EntryRule.FIRST,
        target_shares=(Decimal("0.5"), Decimal("0.5")),
        symbols=frozenset({"BTCUSDT"}),
        sides=frozenset({PositionSide.LONG}),
        max_drift=Decimal("0.005"),
        exchange="bingx",
    )
    assert parse_profile("", "channel.toml") == ChannelProfile()
