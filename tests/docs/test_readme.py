"""README tells a stranger what this is, how to begin, what it costs to trade for real, whose it is."""

import re

import pytest
from tests.docs.pages import commands_of
from tests.support.process import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
HEADINGS = re.findall(r"^## (.+)$", README, re.MULTILINE)
WAY = [
    "make demo",
    "milobot backtest first.script --data market.csv.gz",
    "milobot demo --script first.script --data market.csv.gz",
    "milobot run --script first.script",
    "milobot keys set --exchange binance",
    "milobot doctor --exchange binance",
    "TRADING_ENABLED=true milobot run --script first.script",
]


def test_the_way_leads_from_nothing_to_a_demo_to_paper_to_play_money() -> None:
    """In this order, and the switch to real money is never part of a line to copy here."""
    commands = commands_of("README.md")

    assert [command for command in commands if command in WAY] == WAY
    assert not [c for c in commands if re.search(r"_TESTNET=false", c)]


def test_the_risk_is_named_before_the_first_command_and_where_money_begins() -> None:
    """Nobody should find it behind what they have done already."""
    risk = README.index("Risk notice")
    live = README.split("## Trading live")[1]

    assert risk < README.index("```bash")
    assert "you can lose everything" in live[: live.index("```bash")].replace("\n", " ")


@pytest.mark.parametrize("switch", ["TRADING_ENABLED", "BINANCE_TESTNET", "BINGX_TESTNET"])
def test_each_switch_of_live_trading_is_named_with_what_it_does(switch: str) -> None:
    """Three of them decide about money."""
    table = README.split("## Trading live")[1].split("```bash")[0]

    assert f"`{switch}`" in table
    assert "**real money**" in table


def test_headings_say_where_to_begin() -> None:
    """A newcomer reads headings first."""
    assert HEADINGS[:2] == ["Two commands", "Your first strategy in five minutes"]
    assert {"Trading live", "Settings", "Licence"} <= set(HEADINGS)
    assert "[MIT](LICENSE)" in README


def test_every_page_of_the_manual_can_be_reached_from_readme() -> None:
    """A page that nothing leads to is read by nobody."""
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}

    assert {name for name in pages if f"(docs/{name}" not in README} == set()
