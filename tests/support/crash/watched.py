"""A client and a journal that note what they are shown, and at whose calls a process may die."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, cast

from tests.support.crash.marks import CALLED, SHOWN, MarkWriter
from tests.support.crash.points import ACCOUNT_CALLS, JOURNAL_CALLS, KillSwitch

from milobot.app.exchanges import ExchangeClient
from milobot.domain.orders import Fill, OrderUpdate
from milobot.domain.reports import AccountNews, PositionReport
from milobot.exchanges.account_view import LearnsOrderIds
from milobot.ports import ExchangeAccount, Journal, News, UserStream


class Witness:
    """Notes which positions a process was shown, and when it was waiting for the exchange.

    Args:
        mark: Where to.
        look: Called at every moment that matters, so that what was lost until then is known.
    """

    def __init__(self, mark: MarkWriter, look: Callable[[], None]) -> None:
        """Begin."""
        self._mark, self._look = mark, look

    async def of_call(self, name: str, work: Awaitable[Any]) -> Any:
        """Note how long a call took and what it shows, before the switch may strike."""
        began_ms = self._mark.now_ms()
        try:
            done = await work
        finally:
            self._look()
            self._mark(CALLED, str(began_ms), name)
        self.of_answer(done)
        return done

    def of_answer(self, answer: object) -> None:
        """Note the symbols of which an answer, or news, shows a position."""
        symbols = sorted(set(_held_symbols(answer)))
        if symbols:
            self._look()
        for symbol in symbols:
            self._mark(SHOWN, symbol)


class _Passing:
    """Something whose calls pass a kill switch; everything else is passed on."""

    def __init__(
        self,
        inner: object,
        calls: tuple[str, ...],
        switch: KillSwitch,
        witness: Witness | None = None,
    ) -> None:
        self._inner, self._calls, self._switch, self._witness = inner, calls, switch, witness

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in self._calls:
            return found

        async def call(*values: Any, **named: Any) -> Any:
            work = found(*values, **named)
            if self._witness is not None:
                work = self._witness.of_call(name, work)
            return await self._switch.passing(name, work)

        return call


class _LearningAccount(_Passing):
    """The same of an account that has to be told which orders are ours."""

    def learn_order_ids(self, pairs: Mapping[str, str]) -> None:
        """Pass on."""
        cast(LearnsOrderIds, self._inner).learn_order_ids(pairs)


def watched_journal(journal: Journal, switch: KillSwitch) -> Journal:
    """Return a journal at whose calls the process may die."""
    return cast(Journal, _Passing(journal, JOURNAL_CALLS, switch))


def watched_account(
    account: ExchangeAccount, switch: KillSwitch, witness: Witness
) -> ExchangeAccount:
    """Return an account at whose calls the process may die, and that notes what it shows."""
    kind = _LearningAccount if isinstance(account, LearnsOrderIds) else _Passing
    return cast(ExchangeAccount, kind(account, ACCOUNT_CALLS, switch, witness))


class WatchedClient:
    """An ``ExchangeClient`` with such an account; its stream notes what it tells, too."""

    def __init__(self, client: ExchangeClient, switch: KillSwitch, witness: Witness) -> None:
        """Stand before a client."""
        self._client, self._witness = client, witness
        self.account = watched_account(client.account, switch, witness)

    def __getattr__(self, name: str) -> Any:
        """Pass everything else on."""
        return getattr(self._client, name)

    def user_feed(self) -> UserStream:
        """Return the stream of the account's news."""
        return _WatchedStream(self._client.user_feed(), self._witness)


class _WatchedStream:
    def __init__(self, stream: UserStream, witness: Witness) -> None:
        self._stream, self._witness = stream, witness

    async def run(self) -> None:
        await self._stream.run()

    async def news(self) -> AsyncIterator[News]:
        async for news in self._stream.news():
            self._witness.of_answer(news)
            yield news


def _held_symbols(answer: object) -> list[str]:
    """Return the symbols of which an answer shows fills or a position."""
    match answer:
        case list() | tuple():
            return [symbol for item in answer for symbol in _held_symbols(item)]
        case OrderUpdate(symbol=symbol, fills=fills) if fills:
            return [symbol]
        case AccountNews(positions=positions):
            return _held_symbols(positions)
        case PositionReport(symbol=symbol, quantity=quantity) if quantity:
            return [symbol]
        case Fill(symbol=symbol):
            return [symbol]
        case _:
            return []
