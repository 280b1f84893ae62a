"""What a download says of each series: what came, what the exchange lacks, what is not there yet."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.feeds import FakeMarket, candle_at
from tests.support.virtual_time import VirtualTime

from milobot.app.downloads import DownloadRequest, DownloadResult, download
from milobot.domain.market import CandleSeries, LeverageBracket, SymbolRules
from milobot.domain.spans import CandleSpan
from milobot.domain.timeframes import DAY_MS, Timeframe
from milobot.errors import AuthenticationError, ConfigurationError, DataError
from milobot.marketdata.history import EARLIEST_MS
from milobot.ports import CandleKey
from milobot.storage.candles import SqliteCandleStore

D1 = Timeframe.D1
KEY = CandleKey("binance", "BTCUSDT", D1)
BRACKET = LeverageBracket(Decimal(0), Decimal(50_000), 125, Decimal("0.004"), Decimal(0))


@dataclass
class Account:
    """Tells rules with brackets, if it has a key."""

    market: FakeMarket
    has_key: bool = False

    async def fetch_rules(self, symbol: str) -> SymbolRules:
        """Return rules or refuse."""
        if not self.has_key:
            raise AuthenticationError("there is no key")
        return replace((await self.market.fetch_all_rules())[symbol], brackets=(BRACKET,))


@dataclass
class Library:
    """An exchange 400 days after the first that is ever asked for."""

    market: FakeMarket = field(
        default_factory=lambda: FakeMarket(VirtualTime(EARLIEST_MS + 400 * DAY_MS + 5))
    )
    account: Account = field(init=False)
    heard: list[tuple[str, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Open the account."""
        self.account = Account(self.market)

    async def download(
        self, folder: Path, *symbols: str, limit: int = 100, timeframe: Timeframe = D1
    ) -> DownloadResult:
        """Download into the folder's database."""
        named = symbols or ("BTCUSDT",)
        return await download(
            DownloadRequest("binance", named, (timeframe,), limit, batch=50),
            self,
            folder / "candles.db",
            source="binance",
            report=lambda *facts: self.heard.append(facts),
        )


def day(number: int) -> int:
    """Return the open time of a day, counted from the first that is ever asked for."""
    return EARLIEST_MS + number * DAY_MS


async def test_total_is_known_from_the_start_and_reached(tmp_path: Path) -> None:
    """A bar without an end tells nobody whether to wait."""
    library = Library()
    result = await library.download(tmp_path, "BTCUSDT", "ETHUSDT")

    assert [facts for facts in library.heard if facts[2] not in {0, 200}] == []
    assert library.heard[-1][1:] == (200, 200)
    assert [(s.symbol, s.new, s.stored, s.gaps, s.missing) for s in result.series] == [
        ("BTCUSDT", 100, 100, (), ()),
        ("ETHUSDT", 100, 100, (), ()),
    ]


async def test_nothing_before_2019_is_asked_for(tmp_path: Path) -> None:
    """Five thousand days would go back to 2012."""
    library = Library()
    result = await library.download(tmp_path, limit=5000)

    assert result.series[0].wanted == CandleSpan(day(0), day(399))
    assert min(first for _, first, _ in library.market.asked) == EARLIEST_MS


async def test_gap_of_the_exchange_is_told_from_a_late_listing(tmp_path: Path) -> None:
    """One will never come, the other is due."""
    library = Library()
    library.market.listed_ms = day(320)
    library.market.never = {day(350), day(351), day(399)}
    (series,) = (await library.download(tmp_path)).series

    assert (series.new, series.stored, series.unborn) == (77, 77, 20)
    assert series.gaps == (CandleSpan(day(350), day(351)),)
    assert series.missing == (CandleSpan(day(399), day(399)),)


async def test_second_download_asks_for_what_is_still_missing_only(tmp_path: Path) -> None:
    """Known gaps are not asked for again."""
    library = Library()
    library.market.listed_ms = day(320)
    library.market.never = {day(350), day(399)}
    await library.download(tmp_path)
    library.market.asked.clear()
    library.market.never = set()
    (series,) = (await library.download(tmp_path)).series

    assert [first for _, first, _ in library.market.asked] == [day(399)]
    assert (series.new, series.missing) == (1, ())


async def test_series_without_a_candle_has_no_gap(tmp_path: Path) -> None:
    """The first month of a symbol has not closed yet: that is nothing to worry about."""
    library = Library()
    library.market.listed_ms = day(399) + 1
    (series,) = (await library.download(tmp_path)).series

    assert series.is_empty
    assert (series.stored, series.gaps, series.missing) == (0, (), ())


async def test_imported_candles_of_the_source_are_kept(tmp_path: Path) -> None:
    """What is there is not fetched."""
    library = Library()
    there = [candle_at(day(n)) for n in range(300, 390)]
    with SqliteCandleStore(tmp_path / "candles.db") as store:
        store.save_candles(KEY, CandleSeries.from_candles(there))
    (series,) = (await library.download(tmp_path)).series

    assert (series.new, series.stored) == (10, 100)


@pytest.mark.parametrize("has_key", [False, True])
async def test_rules_are_stored_with_brackets_where_a_key_shows_them(
    has_key: bool,  # noqa: FBT001 - a test's case
    tmp_path: Path,
) -> None:
    """Rules need no key and must not wait for one."""
    library = Library()
    library.account.has_key = has_key
    result = await library.download(tmp_path)

    assert result.without_brackets is not has_key
    with SqliteCandleStore(tmp_path / "candles.db") as store:
        rules = store.load_rules("binance", "BTCUSDT")
        assert rules is not None
        assert rules.brackets == ((BRACKET,) if has_key else ())


async def test_unknown_symbol_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    """Half a download under a wrong name helps nobody."""
    library = Library()
    with pytest.raises(DataError, match="did you mean ETHUSDT"):
        await library.download(tmp_path, "BTCUSDT", "ETHUSD")

    assert library.market.asked == []
    assert not (tmp_path / "candles.db").exists()


@pytest.mark.parametrize(("symbols", "limit"), [((), 5), (("BTCUSDT",), 0)])
def test_empty_request_is_refused(symbols: tuple[str, ...], limit: int) -> None:
    """Nothing to do is a mistake, not a success."""
    with pytest.raises(ConfigurationError):
        DownloadRequest("binance", symbols, (D1,), limit)
