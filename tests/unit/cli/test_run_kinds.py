"""Which account trades what, before anything is asked of an exchange."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from milobot.app.exchanges import AccountName
from milobot.app.paper_plan import PaperPlan
from milobot.app.preparation import Source
from milobot.cli.run_kinds import Wanted, paper_works, works_of
from milobot.errors import KeystoreError
from milobot.settings import Settings

BINANCE, BINGX = AccountName("binance"), AccountName("bingx")


def _settings(*exchanges: str) -> Settings:
    keys = {
        f"{exchange}_{part}": SecretStr("k" * 16)
        for exchange in exchanges
        for part in ("api_key", "secret_key")
    }
    return Settings(_env_file=None, **keys)  # type: ignore[arg-type,call-arg]  # names made up here


def _source() -> Source:
    return Source(script=Path("x.script"))


def test_scripts_and_signals_go_to_their_own_accounts() -> None:
    """Scripts default to Binance, signals to BingX."""
    wanted = Wanted((_source(),), BINANCE, BINGX)

    works, _ = works_of(wanted, _settings("binance", "bingx"), None)

    told = [(str(w.account), len(w.sources), w.takes_signals) for w in works]
    assert told == [("binance:default", 1, False), ("bingx:default", 0, True)]


def test_one_account_trades_both_when_they_are_the_same() -> None:
    """Two clients of one account would take each other's lease."""
    (work,), left_out = works_of(Wanted((_source(),), BINGX, BINGX), _settings("bingx"), None)

    assert (len(work.sources), work.takes_signals, left_out) == (1, True, ())


def test_without_a_key_for_signals_scripts_trade_alone() -> None:
    """Nobody asked for signals."""
    (work,), left_out = works_of(Wanted((_source(),), BINANCE, BINGX), _settings("binance"), None)

    assert not work.takes_signals
    assert "milobot keys set default --exchange bingx" in left_out[0]


def test_signals_that_were_asked_for_need_their_key() -> None:
    """A run that trades nothing must say why."""
    with pytest.raises(KeystoreError, match="no key of bingx:default"):
        works_of(Wanted((), BINGX, BINGX, needs_signals=True), _settings("binance"), None)


def test_on_paper_one_account_takes_both_unless_they_are_told_apart() -> None:
    """Each exchange named costs a connection to its prices."""
    terms = PaperPlan()
    wanted = Wanted((_source(),), BINANCE, BINANCE)
    apart = Wanted((_source(),), BINANCE, BINGX)

    (both,) = paper_works(wanted, terms, _settings())
    scripts, signals = paper_works(apart, terms, _settings())

    assert (str(both.account), both.takes_signals, len(both.sources)) == ("binance:paper", True, 1)
    assert (str(scripts.account), scripts.takes_signals) == ("binance:paper", False)
    assert (str(signals.account), signals.takes_signals) == ("bingx:paper", True)
    assert both.key is None
    assert both.paper is not None


def test_signals_alone_are_traded_on_paper_too() -> None:
    """What the container's command does when nothing is set."""
    (work,) = paper_works(Wanted((), BINANCE, BINGX), PaperPlan(), _settings())

    assert (str(work.account), work.names) == ("bingx:paper", ["signals"])
