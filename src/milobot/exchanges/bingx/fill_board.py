"""The executions of all symbols in one listing, for when orders are too many to ask for each.

BingX lists the executions of a symbol no more than five times a second. Its listing of all of
them (``allFillOrders``) takes no symbol, and older descriptions of it show neither side nor
``tradeId``. So it is used under two conditions: only while the other listing has no room, and
only once it has shown executions that the other one had shown before, under the same ids.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from milobot.domain.orders import Fill
from milobot.errors import ExchangeError, ProtocolError
from milobot.exchanges.bingx import mapping, requests
from milobot.exchanges.gateway import Gateway
from milobot.exchanges.order_news import sum_of
from milobot.exchanges.shared_question import SharedQuestion
from milobot.exchanges.times import Sleep
from milobot.telemetry import get_logger

# Our picture of BingX's clock must not cut off what has just happened.
_AHEAD_MS = 60_000
_SLACK_MS = 3_000
# Executions this old prove nothing any more: the listing that would show them grows long.
_PROOF_MS = 30_000
_MOST_PROOFS = 20

_Listed = dict[str, tuple[Fill, ...]]


@dataclass(eq=False, slots=True)
class _Want:
    """Somebody who waits for the executions of an order, made since a time."""

    order_id: str
    since_ms: int


class FillBoard:
    """Lists executions for everybody who waits for those of some order."""

    def __init__(self, gateway: Gateway, sleep: Sleep) -> None:
        """Ask through a gateway; nothing is believed yet."""
        self._gateway = gateway
        self._wanted: set[_Want] = set()
        self._shown: _Listed = {}
        self._is_believed: bool | None = None
        call = requests.fetch_all_fills(first_ms=0, last_ms=0)
        self._listing = SharedQuestion(self._list, lambda: gateway.has_room(call), sleep)

    def learn(self, fills: Iterable[Fill], order_id: str) -> None:
        """Keep what the other listing has shown of an order, to hold this one against it."""
        if self._is_believed is not None:
            return
        self._shown.pop(order_id, None)
        told = tuple(fills)
        if told:
            self._shown[order_id] = told
        if len(self._shown) > _MOST_PROOFS:
            del self._shown[next(iter(self._shown))]

    async def of_order(self, order_id: str, *, since_ms: int) -> list[Fill] | None:
        """Return what is listed of an order since a time; None where it is not to be believed.

        An order that was executed in parts before may have more: whoever knows how much is filled
        has to compare. It never raises ``ExchangeError``: there is another listing to ask.
        """
        if self._is_believed is False:
            return None
        want = _Want(order_id, since_ms)
        self._wanted.add(want)
        try:
            listed = await self._listing.answer()
        except ExchangeError:
            return None
        finally:
            self._wanted.discard(want)
        return list(listed.get(order_id, ())) if self._is_believed else None

    async def _list(self) -> _Listed:
        now_ms = self._gateway.clock.now_ms()
        shown = self._proofs(now_ms)
        since = [want.since_ms for want in self._wanted]
        since += [fills[0].time_ms for fills in shown.values()]
        call = requests.fetch_all_fills(
            first_ms=min(since, default=now_ms) - _SLACK_MS, last_ms=now_ms + _AHEAD_MS
        )
        ids = {want.order_id for want in self._wanted} | shown.keys()
        data = await self._gateway.read(call)
        try:
            listed = mapping.parse_fills_of(data, ids)
        except ProtocolError as failed:
            self._disbelieve(str(failed))
            return {}
        for order_id, fills in shown.items():
            self._compare(fills, listed.get(order_id, ()))
        return listed

    def _proofs(self, now_ms: int) -> _Listed:
        if self._is_believed is not None:
            return {}
        first_ms = now_ms - _PROOF_MS
        return {name: fills for name, fills in self._shown.items() if fills[0].time_ms >= first_ms}

    def _compare(self, known: tuple[Fill, ...], listed: tuple[Fill, ...]) -> None:
        """Believe the listing, or never more, by what it shows of executions that are known."""
        if sum_of(listed) < sum_of(known) or self._is_believed is False:
            return  # it may be behind, which proves nothing
        found = {fill.fill_id: _facts(fill) for fill in listed}
        if all(found.get(fill.fill_id) == _facts(fill) for fill in known):
            self._is_believed = True
        else:
            self._disbelieve("it shows executions differently")
        self._shown.clear()

    def _disbelieve(self, reason: str) -> None:
        self._is_believed = False
        get_logger().warning("fills_of_all_symbols_not_used", exchange="BingX", reason=reason)


def _facts(fill: Fill) -> tuple[object, ...]:
    """Return what an execution is, whoever is named as the one it belongs to."""
    return (fill.symbol, fill.side, fill.quantity, fill.price, fill.fee, fill.time_ms)
