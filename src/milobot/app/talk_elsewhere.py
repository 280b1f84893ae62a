"""An account that another replica leads, as its ledger tells: what goes by there is told as well."""

from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from milobot.app.halt_alerts import halt_alerts
from milobot.domain.alerts import Alert
from milobot.domain.governor import Halt, parse_state
from milobot.domain.orders import Fill, OrderPurpose
from milobot.execution.exposure_watch import ExposureWatch
from milobot.signals.talk.notices import Notice
from milobot.signals.talk.sentences import (
    alert_notice,
    decision_notice,
    fill_notice,
    trip_notice,
)
from milobot.storage.leases import read_lease
from milobot.storage.ledger import Ledger, lease_name
from milobot.storage.trading_news import Marks, TradingNews, latest_marks, trading_after


@dataclass(slots=True)
class Elsewhere:
    """Follows one account for as long as somebody else leads it.

    Attributes:
        account: ``exchange:name``.
        holder: As whom this process leads it, when it does.
        shown: What it is called in notices; empty where there is only one.
    """

    ledger: Ledger
    account: str
    holder: str
    shown: str = ""
    _marks: Marks | None = None
    _halts: tuple[Halt, ...] = ()
    _fills: set[tuple[str, str]] = field(default_factory=set)
    _exposure: ExposureWatch = field(default_factory=ExposureWatch)

    async def take(self, now_ms: int) -> list[Notice]:
        """Return notices of what is new; none while this process leads: then it hears by itself.

        Raises:
            LedgerError: The ledger cannot be read now: what is new comes later.
        """
        lease = await self.ledger.read(lambda c: read_lease(c, lease_name(self.account)))
        if lease is None or lease.holder in {"", self.holder}:
            self._marks, self._exposure = None, ExposureWatch()
            return []
        is_begun = self._marks is not None
        news = await self.ledger.read(self._read)
        alerts = await self._alerts(news, now_ms, is_begun=is_begun)
        self._marks = news.marks
        fresh = self._fresh(news)
        warnings = [alert_notice(alert, self.shown) for alert in alerts]
        if not is_begun:
            return warnings
        decided = [decision_notice(one, now_ms, self.shown) for one in news.decisions]
        return [
            *warnings,
            *(notice for notice in decided if notice is not None),
            *(fill_notice(fill, purpose, self.shown) for fill, purpose in fresh),
            *(trip_notice(trip, self.shown) for trip in news.trips),
        ]

    def _read(self, connection: Connection) -> TradingNews:
        marks = self._marks or latest_marks(connection, self.account)
        return trading_after(connection, self.account, marks)

    def _fresh(self, news: TradingNews) -> list[tuple[Fill, OrderPurpose]]:
        """Return the fills that were not seen before; remember those that may come again."""
        fresh = [(f, p) for f, p in news.fills if (f.symbol, f.fill_id) not in self._fills]
        self._fills = {(fill.symbol, fill.fill_id) for fill, _ in news.fills}
        return fresh

    async def _alerts(self, news: TradingNews, now_ms: int, *, is_begun: bool) -> list[Alert]:
        """Return halts and positions without a stop, as far as the ledger tells."""
        halts = parse_state(news.governor).halts if news.governor else ()
        before = self._halts if is_begun else halts
        self._halts = halts
        alerts = list(halt_alerts(before, halts, now_ms))
        for slot in (await self.ledger.journal(self.account).load()).slots:
            found = self._exposure.look(slot, now_ms)
            alerts += [found] if found is not None else []
        return [replace(alert, time_ms=now_ms) for alert in alerts]
