"""What the shared flags mean, and how their mistakes are answered."""

from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.candle_files import START_MS, write_rows

from milobot.app.preparation import Source
from milobot.cli.run_source import parse_source
from milobot.cli.run_terms import parse_terms
from milobot.errors import ConfigurationError
from milobot.settings import Settings

SETTINGS = Settings.model_construct()


def terms_of(
    *, equity: str = "10000", fee: str = "0", slippage: str = "0", funding: Path | None = None
) -> tuple[Decimal, Decimal, Decimal]:
    """Return equity, fee and slippage as the application takes them."""
    terms = parse_terms(
        equity=equity, fee=fee, slippage=slippage, funding=funding, settings=SETTINGS
    )
    return terms.equity, terms.fee, terms.slippage


@pytest.mark.parametrize(
    ("text", "fraction"),
    [("0.0005", "0.0005"), ("0.05%", "0.0005"), (" 0.05 % ", "0.0005"), ("0", "0"), ("10%", "0.1")],
)
def test_fee_is_a_fraction_or_percent(text: str, fraction: str) -> None:
    """Exchanges state fees in percent, programs as fractions: both are typed, neither guessed."""
    assert terms_of(fee=text)[1] == Decimal(fraction)
    assert terms_of(slippage=text)[2] == Decimal(fraction)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0", "is out of range: it is a balance in USDT above 0"),
        ("-1", "is out of range"),
        ("1e999", "is out of range"),
        ("1000000000001", "up to 1,000,000,000,000, such as 10000"),
        ("nan", "is not a number: write --equity 10000"),
        ("inf", "is not a number"),
        ("", "is not a number"),
        ("50%", "is not a number"),
        ("ten", "is not a number"),
        ("1e-13", "has more than 12 decimal places: round it"),
    ],
)
def test_equity_that_nobody_has_is_refused(text: str, reason: str) -> None:
    """A balance of zero or NaN would make every ratio of the report a riddle."""
    with pytest.raises(ConfigurationError, match="--equity") as caught:
        terms_of(equity=text)

    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2", "is out of range: it is a fraction from 0 to 0.1, such as 0.0005"),
        ("-0.0001", "is out of range"),
        ("11%", "is out of range"),
        ("nan", "is not a number: write --fee 0.0005"),
        ("%", "--fee '%' is not a number"),
        ("1e-999999", "has more than 12 decimal places"),
    ],
)
def test_fee_that_nobody_takes_is_refused(text: str, reason: str) -> None:
    """``--fee 5`` for 5 basis points would eat the account; a negative one would feed it."""
    with pytest.raises(ConfigurationError) as caught:
        terms_of(fee=text)

    assert reason in str(caught.value)


def test_slippage_names_its_own_flag() -> None:
    """Two flags take fractions: the user must learn which of them is wrong."""
    with pytest.raises(ConfigurationError, match="--slippage 1 is out of range"):
        terms_of(slippage="1")


def test_funding_comes_from_its_file(tmp_path: Path) -> None:
    """Rates are only used where the user has some."""
    path = write_rows(
        tmp_path / "rates.csv", [f"{START_MS},0.0001"], header="open_time,funding_rate"
    )

    terms = parse_terms(equity="1", fee="0", slippage="0", funding=path, settings=SETTINGS)

    assert (terms.funding.time.tolist(), terms.funding.rate.tolist()) == ([START_MS], [0.0001])


def test_symbol_is_taken_in_upper_case_and_the_database_from_the_settings() -> None:
    """``--symbol btcusdt`` means BTCUSDT everywhere, and one setting names the database."""
    source = parse_source(Source(Path("s"), symbol="btcusdt"), None, SETTINGS)

    assert source.symbol == "BTCUSDT"
    assert source.database == SETTINGS.candle_database
    assert parse_source(Source(Path("s")), Path("x.db"), SETTINGS).database == Path("x.db")


@pytest.mark.parametrize("text", ["", "  "])
def test_empty_names_are_refused(text: str) -> None:
    """``--symbol $SYMBOL`` with nothing in it must not quietly run another market."""
    with pytest.raises(ConfigurationError, match="--symbol is empty: leave it out"):
        parse_source(Source(Path("s"), symbol=text), None, SETTINGS)
    with pytest.raises(ConfigurationError, match="--timeframe is empty: leave it out"):
        parse_source(Source(Path("s"), timeframe=text), None, SETTINGS)
