"""An exchange on a market that is followed: what it is told, and what it keeps of its account."""

from aiohttp import web

from milobot.domain.market import Candle, SymbolRules
from milobot.local_exchange.control import Fields, answering, decimal_of, whole_of
from milobot.local_exchange.core.accounts import Account
from milobot.local_exchange.core.events import AccountEvent
from milobot.local_exchange.core.following import Following, Quote
from milobot.local_exchange.core.venue import Venue
from milobot.local_exchange.plain import from_plain, to_plain
from milobot.local_exchange.setup import ExchangeSetup
from milobot.local_exchange.state import read_state, write_state
from milobot.local_exchange.state_file import StateFile


class Follow:
    """Serves the control endpoints by which a market is told; looks after the state file."""

    def __init__(self, setup: ExchangeSetup, venue: Venue) -> None:
        """Prepare for the one venue that there is; nothing is read yet."""
        self._dialect = setup.dialects[0]
        self._path = setup.state
        self._venue = venue
        self._following = Following(venue, stale_after_ms=round(setup.stale_after_s * 1000))
        self._file: StateFile | None = None

    def routes(self) -> list[web.RouteDef]:
        """Return the control endpoints."""
        return [
            web.post("/control/contracts", answering(self._contracts)),
            web.post("/control/quotes", answering(self._quotes)),
            web.post("/control/replay", answering(self._replay)),
            web.post("/control/funding", answering(self._funding)),
            web.get("/control/followed", answering(self._followed)),
        ]

    def open(self) -> None:
        """Take up what the file holds and keep it from here on.

        Raises:
            ConfigurationError: The file is damaged, another's, or in use.
        """
        if self._path is None:
            return
        file = StateFile(
            self._path, lambda: write_state(self._dialect, self._venue, self._following)
        )
        content = file.open()
        try:
            if content is not None:
                name = self._path.name
                read_state(content, name, self._dialect, self._venue, self._following)
        except BaseException:
            file.release()
            raise
        self._venue.listeners.append(self._note)
        self._file = file
        file.start()

    def close(self) -> None:
        """Keep everything a last time."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _note(self, _account: Account, _event: AccountEvent) -> None:
        if self._file is not None:
            self._file.change()

    async def _contracts(self, fields: Fields) -> Fields:
        self._following.learn([from_plain(SymbolRules, one) for one in fields.get("rules", [])])
        return {"listed": len(self._venue.contracts)}

    async def _quotes(self, fields: Fields) -> Fields:
        for one in fields.get("quotes", []):
            self._following.quote(_quote(one))
        return {}

    async def _replay(self, fields: Fields) -> Fields:
        candles = [
            Candle(int(time_ms), float(open_), float(high), float(low), float(close), 0.0)
            for time_ms, open_, high, low, close in fields.get("bars", [])
        ]
        self._following.replay(str(fields.get("symbol")), candles)
        return {}

    async def _funding(self, fields: Fields) -> Fields:
        self._following.charge(
            str(fields.get("symbol")), decimal_of(fields, "rate"), whole_of(fields, "time_ms", 0)
        )
        return {}

    async def _followed(self, fields: Fields) -> Fields:
        return {"symbols": [to_plain(one) for one in self._following.followed()]}


def _quote(fields: Fields) -> Quote:
    return Quote(
        symbol=str(fields.get("symbol")),
        bid=decimal_of(fields, "bid"),
        ask=decimal_of(fields, "ask"),
        age_ms=max(0, whole_of(fields, "age_ms", 0)),
    )
