"""The inbox of one account: takes messages in at any time, acts on them while it may."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import partial

from milobot.ports import Clock
from milobot.signals.door import Incoming, Receipt, SignalHistory
from milobot.signals.inbox.actor import ActorParts, Rhythm, SignalActor, Sleep, Tell
from milobot.signals.inbox.messages import Message, Taken
from milobot.signals.inbox.ports import SignalTrades
from milobot.signals.inbox.rows import history_of
from milobot.signals.inbox.taking import delete, take
from milobot.signals.life.plans import SignalTerms
from milobot.signals.profile import ChannelProfile
from milobot.signals.reader import read
from milobot.signals.reading import ReadingKind
from milobot.storage.leases import Lease
from milobot.storage.ledger import Ledger
from milobot.storage.signal_records import list_events, list_signals, read_signal


def _no_profile(source: str) -> ChannelProfile:
    del source
    return ChannelProfile()


def _anything() -> AbstractSet[str] | None:
    return None


@dataclass(frozen=True, slots=True)
class InboxPlan:
    """Whose messages are taken in, and how they are read.

    Attributes:
        account: Account that they are traded on.
        profile_of: Returns what is fixed for a source.
        known_symbols: Returns what the exchange lists; None while that is not known.
        terms: What holds where neither message nor profile says anything.
    """

    account: str
    profile_of: Callable[[str], ChannelProfile] = _no_profile
    known_symbols: Callable[[], AbstractSet[str] | None] = _anything
    terms: SignalTerms = field(default_factory=SignalTerms)


class SignalInbox:
    """Takes messages in (``SignalDoor``), and has them traded while this process leads."""

    def __init__(self, plan: InboxPlan, ledger: Ledger, clock: Clock) -> None:
        """Take messages in; nothing is traded before ``run``."""
        self._plan = plan
        self._ledger = ledger
        self._clock = clock
        self._actor: SignalActor | None = None

    async def receive(self, incoming: Incoming) -> Receipt:
        """Put a message or a new version of it on record, and have it acted on.

        Raises:
            StorageError: It is not on record: hand it in again.
        """
        plan = self._plan
        profile = plan.profile_of(incoming.source)
        message = Message(
            account=plan.account,
            incoming=incoming,
            reading=read(incoming.text, known_symbols=plan.known_symbols(), profile=profile),
            profile=profile,
            terms=plan.terms,
            now_ms=self._clock.now_ms(),
        )
        unit = partial(take, message=message)
        if message.reading.kind is ReadingKind.SETUP and not incoming.version:
            # Its entry is on record before it leaves, and so is the message then: only who sent
            # the message has to wait until it survives whatever happens.
            taken = await self._ledger.write_early(unit, self._heard)
        else:  # an exit does not wait for a slow ledger: its wish must not be lost and repeated
            taken = await self._ledger.write(unit)
            self._heard(taken)
        return taken.receipt

    async def delete(self, source: str, message_id: str) -> Receipt | None:
        """Take in that a message was deleted; None when it was never handed in.

        Raises:
            StorageError: It is not on record: hand it in again.
        """
        unit = partial(
            delete,
            account=self._plan.account,
            source=source,
            message_id=message_id,
            terms=self._plan.terms,
            now_ms=self._clock.now_ms(),
        )
        taken = await self._ledger.write(unit)
        if taken is None:
            return None
        self._heard(taken)
        return taken.receipt

    async def history(self, signal_id: int) -> SignalHistory | None:
        """Return everything about a signal; None when there is none of that number.

        Raises:
            StorageError: It could not be read.
        """
        row = await self._ledger.read(partial(read_signal, signal_id=signal_id))
        if row is None or row.account != self._plan.account:
            return None
        return history_of(row, await self._ledger.read(partial(list_events, signal_id=signal_id)))

    async def latest(self, limit: int) -> tuple[SignalHistory, ...]:
        """Return the signals that came last, newest first, each without its events.

        Raises:
            StorageError: They could not be read.
        """
        found = partial(list_signals, account=self._plan.account, limit=limit)
        return tuple(history_of(row, ()) for row in await self._ledger.read(found))

    def close(self) -> None:
        """Have nothing more traded until the next ``run``; messages are still put on record."""
        if self._actor is not None:
            self._actor.close()

    async def run(
        self,
        trades: SignalTrades,
        *,
        sleep: Sleep,
        tell: Tell,
        rhythm: Rhythm | None = None,
        lease: Lease | None = None,
    ) -> None:
        """Act on what is on record and on what comes, until cancelled.

        Args:
            trades: The account, which this process leads.
            sleep: Waits for some seconds.
            tell: Takes alerts.
            rhythm: How often it looks.
            lease: The lease on the account; None where no other process can lead it.

        Raises:
            ExceptionGroup: Of ``LeaseLostError`` when another process leads the account now, or
                of ``AuthenticationError`` when the exchange refuses the key.
        """
        parts = ActorParts(
            account=self._plan.account,
            ledger=self._ledger,
            trades=trades,
            clock=self._clock,
            sleep=sleep,
            tell=tell,
            terms=self._plan.terms,
            rhythm=rhythm or Rhythm(),
            lease=lease,
        )
        self._actor = SignalActor(parts)
        try:
            await self._actor.run()
        finally:
            self._actor = None

    def _heard(self, taken: Taken) -> None:
        """Have what is on record acted on, where this process leads."""
        if self._actor is not None:
            self._actor.heard(taken.changed)
