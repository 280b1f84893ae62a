"""A client and a journal that note what they are shown, and at whose calls a process may die."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, cast

from tests.support.crash.marks import SHOWN, MarkWriter
from tests.support.crash.points import ACCOUNT_CALLS, JOURNAL_CALLS, KillSwitch

from milobot.app.exchanges import ExchangeClient
from milobot.domain.orders import Fill, OrderUpdate
from milobot.domain.reports import AccountNews, PositionReport
from milobot.exchanges.account_view import LearnsOrderIds
from milobot.ports import ExchangeAccount, Journal, News, UserStream


class _Passing:
    """Something whose calls pass a kill switch; everything else is passed on."""

    def __init__(
        self,
        inner: object,
        calls: tuple[str, ...],
        switch: KillSwitch,
        seen: Callable[[object], None] = lambda _: None,
    ) -> None:
        self._inner, self._calls, self._switch, self._seen = inner, calls, switch, seen

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in self._calls:
            return found

        async def call(*values: Any, **named: Any) -> Any:
            return await self._switch.passing(name, _told(found(*values, **named), self._seen))

        return call


async def _told(work: Awaitable[Any], seen: Callable[[object], None]) -> Any:
    """Note what an answer shows before the switch may strike."""
    done = await work
    seen(done)
    return done


class _LearningAccount(_Passing):
    """The same of an account that has to be told which orders are ours."""

    def learn_order_ids(self, pairs: Mapping[str, str]) -> None:
        """Pass on."""
        cast(LearnsOrderIds, self._inner).learn_order_ids(pairs)


def watched_journal(journal: Journal, switch: KillSwitch) -> Journal:
    """Return a journal at whose calls the process may die."""
    return cast(Journal, _Passing(journal, JOURNAL_CALLS, switch))


def watched_account(
    account: ExchangeAccount, switch: KillSwitch, mark: MarkWriter
) -> ExchangeAccount:
    """Return an account at whose calls the process may die, and that notes what it shows."""
    kind = _LearningAccount if isinstance(account, LearnsOrderIds) else _Passing
    seen = _noting(mark)
    return cast(ExchangeAccount, kind(account, ACCOUNT_CALLS, switch, seen))


class WatchedClient:
    """An ``ExchangeClient`` with such an account; its stream notes what it tells, too."""

    def __init__(self, client: ExchangeClient, switch: KillSwitch, mark: MarkWriter) -> None:
        """Stand before a client."""
        self._client = client
        self._seen = _noting(mark)
        self.account = watched_account(client.account, switch, mark)

    def __getattr__(self, name: str) -> Any:
        """Pass everything else on."""
        return getattr(self._client, name)

    def user_feed(self) -> UserStream:
        """Return the stream of the account's news."""
        return _WatchedStream(self._client.user_feed(), self._seen)


class _WatchedStream:
    def __init__(self, stream: UserStream, seen: Callable[[object], None]) -> None:
        self._stream, self._seen = stream, seen

    async def run(self) -> None:
        await self._stream.run()

    async def news(self) -> AsyncIterator[News]:
        async for news in self._stream.news():
            self._seen(news)
            yield news


def _noting(mark: MarkWriter) -> Callable[[object], None]:
    def note(answer: object) -> None:
        for symbol in sorted(set(_held_symbols(answer))):
            mark(SHOWN, symbol)

    return note


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
