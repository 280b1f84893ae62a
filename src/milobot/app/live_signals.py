"""Signals of one account: taken in at any time, traded while the account is ours."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from milobot.app.exchanges import ExchangeClient
from milobot.app.live_account import LiveAccount
from milobot.app.profiles import Profiles
from milobot.domain.alerts import Alert
from milobot.errors import ExchangeError, LedgerUnavailableError
from milobot.exchanges.times import Sleep, real_sleep
from milobot.signals.door import Incoming, Receipt, SignalDoor, SignalHistory
from milobot.signals.inbox.account_trades import AccountTrades
from milobot.signals.inbox.inbox import InboxPlan, SignalInbox
from milobot.signals.life.plans import SignalTerms
from milobot.storage.leases import Lease
from milobot.storage.ledger import Ledger
from milobot.telemetry import get_logger

_LISTED_EVERY_S = 3_600.0


@dataclass(frozen=True, slots=True)
class SignalPlan:
    """How signals are traded.

    Attributes:
        profiles: What is fixed for channels.
        terms: What holds where neither message nor profile says anything.
    """

    profiles: Profiles = field(default_factory=Profiles)
    terms: SignalTerms = field(default_factory=SignalTerms)


class LiveSignals:
    """The signals of one account.

    Attributes:
        inbox: Takes messages in.
    """

    def __init__(
        self,
        account: str,
        plan: SignalPlan,
        ledger: Ledger,
        client: ExchangeClient,
        *,
        sleep: Sleep = real_sleep,
    ) -> None:
        """Prepare; messages can be taken in once ``prepare`` is done."""
        self._account = account
        self._ledger = ledger
        self._client = client
        self._sleep = sleep
        self._symbols: frozenset[str] | None = None
        inbox = InboxPlan(account, plan.profiles.of, self._known_symbols, plan.terms)
        self.inbox = SignalInbox(inbox, ledger, client.clock)

    async def prepare(self) -> None:
        """Learn what the exchange lists, before the first message is read.

        What nobody knows to be unlisted would be waited for, and asked about, for a day.

        Raises:
            ExchangeError: It does not say.
        """
        self.learn(await self._client.market.fetch_all_rules())

    def learn(self, symbols: Iterable[str]) -> None:
        """Take over what the exchange lists: a signal for anything else is refused."""
        self._symbols = frozenset(symbols)

    async def work(
        self, live: LiveAccount, tell: Callable[[Alert], None], lease: Lease | None = None
    ) -> None:
        """Trade what is on record and what comes, until cancelled.

        Args:
            live: The account, which is ours.
            tell: Takes alerts.
            lease: What writing about signals needs: a leader that was frozen writes no more.

        Raises:
            AuthenticationError: The exchange refuses the key.
            LeaseLostError: Another process leads the account now.
        """
        trades = AccountTrades(
            self._account, live.trader, live.engine.slot, live.view.fetch_last_price, self._ledger
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_symbols())
            tasks.create_task(self.inbox.run(trades, sleep=self._sleep, tell=tell, lease=lease))

    def close(self) -> None:
        """Ask for no more trades: what comes from now on waits for the next start."""
        self.inbox.close()

    def _known_symbols(self) -> AbstractSet[str] | None:
        return self._symbols

    async def _keep_symbols(self) -> None:
        """Hear of what is listed anew."""
        while True:
            await self._sleep(_LISTED_EVERY_S)
            try:
                await self.prepare()
            except ExchangeError as error:
                get_logger().warning("symbols_not_refreshed", reason=str(error))


class SignalHall:
    """The door of a whole run: to each account its own inbox, once the ledger is open.

    A source belongs to the account of the exchange that its profile names, else to the first.
    """

    def __init__(self, profiles: Profiles) -> None:
        """Begin without accounts: nothing can be taken in yet."""
        self._profiles = profiles
        self._doors: dict[str, SignalDoor] = {}

    def open(self, doors: Mapping[str, SignalDoor]) -> None:
        """Let messages in.

        Args:
            doors: By exchange; the first is for sources whose profile names none.
        """
        self._doors = dict(doors)

    async def receive(self, incoming: Incoming) -> Receipt:
        """Put a message on record at the account that its source is traded on.

        Raises:
            StorageError: It is not on record: hand it in again.
        """
        return await self._door_of(incoming.source).receive(incoming)

    async def delete(self, source: str, message_id: str) -> Receipt | None:
        """Take in that a message was deleted; None when it was never handed in.

        Raises:
            StorageError: It is not on record: hand it in again.
        """
        return await self._door_of(source).delete(source, message_id)

    async def history(self, signal_id: int) -> SignalHistory | None:
        """Return everything about a signal; None when there is none of that number.

        Raises:
            StorageError: It could not be read.
        """
        for door in self._open_doors():
            found = await door.history(signal_id)
            if found is not None:
                return found
        return None

    async def latest(self, limit: int) -> tuple[SignalHistory, ...]:
        """Return the signals that came last, newest first, without their events.

        Raises:
            StorageError: They could not be read.
        """
        found = [one for door in self._open_doors() for one in await door.latest(limit)]
        newest = sorted(found, key=lambda one: one.receipt.signal_id, reverse=True)
        return tuple(newest[:limit])

    def _door_of(self, source: str) -> SignalDoor:
        doors = self._open_doors()
        wanted = self._profiles.of(source).exchange
        return self._doors.get(wanted or "", doors[0])

    def _open_doors(self) -> tuple[SignalDoor, ...]:
        if not self._doors:
            raise LedgerUnavailableError("signals are not taken yet: the run is still starting")
        return tuple(self._doors.values())
