"""Telling a signal what has happened to it, on record."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from milobot.errors import LeaseLostError, StorageError
from milobot.ports import Clock
from milobot.signals.inbox.live import LiveSignal, LiveSignals
from milobot.signals.inbox.messages import happen
from milobot.signals.life.happenings import Decided, Failed, Happening, NotSent
from milobot.signals.life.plans import SignalTerms
from milobot.signals.life.steps import step
from milobot.storage.leases import Lease, require_lease
from milobot.storage.ledger import Ledger
from milobot.storage.signal_records import SignalRow

_ANSWERS = (Decided, NotSent)


@dataclass(slots=True)
class Telling:
    """Puts on record what happens to live signals.

    Attributes:
        lease: What has to be held while it is written; None where nobody else can write.
        heard: Takes a signal as it stands on record afterwards.
        say: Says what went wrong with the signals of a symbol.
    """

    ledger: Ledger
    clock: Clock
    terms: SignalTerms
    lease: Lease | None
    live: LiveSignals
    heard: Callable[[Iterable[SignalRow]], None]
    say: Callable[[str, str], None]

    async def tell(self, told: LiveSignal, happening: Happening) -> bool:
        """Let something happen to a signal. Return whether that is on record, or needs not be.

        Raises:
            LeaseLostError: Another process leads the account now.
        """
        now_ms, known = self.clock.now_ms(), self.live.find(told.signal_id)
        if known is None and not isinstance(happening, _ANSWERS):
            return True  # it is over
        try:
            if known is not None:
                stepped = step(known.signal, happening, self.terms, now_ms)
                if stepped.signal == known.signal and not stepped.notes:
                    return True
        except Exception as error:  # noqa: BLE001 - one bad signal never stops the others
            self.say(told.signal.symbol, f"signal {told.signal_id} went wrong: {error!r}")
            self.live.set_aside(told.signal_id)
            happening = Failed(f"It went wrong: {error!r}")
        try:
            row = await self.ledger.write(
                partial(self._write, signal_id=told.signal_id, happening=happening, now_ms=now_ms)
            )
        except LeaseLostError:
            raise
        except StorageError:
            return False
        if row is None:
            self.live.forget(told.signal_id)
        else:
            self.heard((row,))
        return True

    def _write(
        self, connection: Connection, signal_id: int, happening: Happening, now_ms: int
    ) -> SignalRow | None:
        if self.lease is not None:
            require_lease(connection, self.lease)
        done = happen(connection, signal_id, happening, self.terms, now_ms)
        return None if done is None else done[0]
