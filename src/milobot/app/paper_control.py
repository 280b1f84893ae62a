"""What the paper exchange is told: contracts, prices, candles it has missed, fundings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

import aiohttp
import orjson

from milobot.domain.market import CandleSeries, SymbolRules
from milobot.domain.reports import BookTicker, FundingRate
from milobot.errors import ConfigurationError, DataError, ExchangeUnavailableError
from milobot.local_exchange.core.following import Followed
from milobot.local_exchange.plain import from_plain, to_plain

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_RULES_A_CALL = 250
_OK = 200


@dataclass(frozen=True, slots=True)
class ToldBook:
    """A best bid and ask, and how long ago the real exchange said so."""

    book: BookTicker
    age_ms: int


class PaperControl:
    """The control calls of one local exchange that follows a market."""

    def __init__(self, url: str) -> None:
        """Keep the address; ``async with`` opens and closes the connection."""
        self._url = url
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open."""
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        if self._session is not None:
            await self._session.close()

    async def set_time(self, ahead_ms: int) -> None:
        """Let the paper exchange's clock be ahead of this machine's, as the real one's is."""
        await self._post("skew", {"ms": ahead_ms})

    async def list_contracts(self, rules: Iterable[SymbolRules]) -> None:
        """Tell the rules of symbols."""
        plain = [to_plain(one) for one in rules]
        for first in range(0, len(plain), _RULES_A_CALL):
            await self._post("contracts", {"rules": plain[first : first + _RULES_A_CALL]})

    async def tell(self, books: Sequence[ToldBook]) -> None:
        """Tell prices; when this returns what they trigger has happened."""
        quotes = [
            {
                "symbol": told.book.symbol,
                "bid": str(told.book.bid_price),
                "ask": str(told.book.ask_price),
                "age_ms": told.age_ms,
            }
            for told in books
        ]
        if quotes:
            await self._post("quotes", {"quotes": quotes})

    async def replay(self, symbol: str, candles: CandleSeries) -> None:
        """Tell one-minute candles that have passed unseen, oldest first."""
        bars = [[c.time, c.open, c.high, c.low, c.close] for c in candles]
        await self._post("replay", {"symbol": symbol, "bars": bars})

    async def charge(self, paid: FundingRate) -> None:
        """Tell a funding; one that was told already changes nothing."""
        rate: Decimal = paid.rate
        await self._post(
            "funding", {"symbol": paid.symbol, "rate": str(rate), "time_ms": paid.time_ms}
        )

    async def followed(self) -> dict[str, Followed]:
        """Return what the paper exchange has followed so far, by symbol."""
        answer = await self._send("GET", "followed", None)
        try:
            found = [from_plain(Followed, one) for one in answer["symbols"]]
        except (DataError, KeyError) as error:
            raise ExchangeUnavailableError("the paper exchange answers strangely") from error
        return {one.symbol: one for one in found}

    async def _post(self, call: str, fields: dict[str, Any]) -> None:
        await self._send("POST", call, fields)

    async def _send(self, method: str, call: str, fields: dict[str, Any] | None) -> dict[str, Any]:
        if self._session is None:
            raise ConfigurationError("the paper exchange was told something before it was opened")
        body = None if fields is None else orjson.dumps(fields)
        try:
            url = f"{self._url}/control/{call}"
            async with self._session.request(method, url, data=body) as answer:
                content = await answer.read()
                if answer.status != _OK:
                    said = content.decode(errors="replace")[:200]
                    raise ExchangeUnavailableError(f"the paper exchange refuses {call}: {said}")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ExchangeUnavailableError(
                f"the paper exchange on this machine does not answer ({type(error).__name__}): start"
                " again, the account is kept"
            ) from error
        found: dict[str, Any] = orjson.loads(content)
        return found
