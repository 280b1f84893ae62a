"""What asks the bot for trades: an inbox that delivers again, a load without end, a single wish."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.support.crash.marks import ASKED, DECIDED, FED, SETTLED, MarkWriter, read_marks
from tests.support.crash.spec import DRILL, LOAD, BotSpec
from tests.support.crash.wishes import PRICES, Wish, drill_wish, numbered_wish, wishes_of

from milobot.app.live_account import LiveAccount
from milobot.domain.slots import PositionState
from milobot.execution.doubt import is_in_doubt

_LOOK_S, LOAD_EVERY_MS = 0.05, 400


def feed_of(spec: BotSpec, mark: MarkWriter) -> Callable[[LiveAccount], Awaitable[None]]:
    """Return what asks for trades once the account is led."""
    if spec.feed == LOAD:
        return Load(spec, mark).run
    return Drill(spec, mark).run if spec.feed == DRILL else Inbox(spec, mark).run


class Asking:
    """Asks, and notes what was asked and decided."""

    def __init__(self, spec: BotSpec, mark: MarkWriter) -> None:
        """Prepare."""
        self._spec, self._mark = spec, mark

    @property
    def _now_ms(self) -> int:
        return self._mark.clock.now_ms() if self._mark.clock else 0

    async def _ask(self, account: LiveAccount, wish: Wish) -> None:
        self._mark(ASKED, wish.key)
        decision = await account.trader.submit(wish.intent(self._now_ms))
        self._mark(DECIDED, wish.key, f"{decision.outcome} {decision.code}")

    async def _watch(self, account: LiveAccount) -> None:
        """Tell whether the account is as it should be, until cancelled."""
        self._mark(FED)
        was_settled = False
        while True:
            is_now = is_settled(account)
            if is_now != was_settled:
                self._mark(SETTLED, said="yes" if is_now else "no")
                was_settled = is_now
            await asyncio.sleep(_LOOK_S)

    def _undecided(self) -> list[str]:
        marks = read_marks(Path(self._spec.marks))
        decided = {m.about for m in marks if m.kind == DECIDED}
        return sorted({m.about for m in marks if m.kind == ASKED} - decided)


class Inbox(Asking):
    """Asks for everything that has not been decided about, as an inbox delivers again."""

    async def run(self, account: LiveAccount) -> None:
        """Ask for it all, then watch."""
        spec = self._spec
        dice = random.Random(f"{spec.seed}/{spec.life}")  # noqa: S311 - repeatable on purpose
        decided = {m.about for m in read_marks(Path(spec.marks)) if m.kind == DECIDED}
        async with asyncio.TaskGroup() as tasks:
            for symbol in PRICES:
                wishes = [
                    wish
                    for wish in wishes_of(spec.seed, symbol, spec.wishes)
                    if wish.key not in decided or dice.random() < spec.repeats
                ]
                tasks.create_task(self._ask_all(account, wishes))
        await self._watch(account)

    async def _ask_all(self, account: LiveAccount, wishes: list[Wish]) -> None:
        for wish in wishes:
            await asyncio.sleep(wish.gap_s)
            await self._ask(account, wish)


class Load(Asking):
    """Asks without end, whoever leads; the wishes are numbered by time, so that two leaders clash."""

    async def run(self, account: LiveAccount) -> None:
        """Ask until a file says stop, then ask again for what was lost, then watch."""
        async with asyncio.TaskGroup() as tasks:
            for symbol in PRICES:
                tasks.create_task(self._ask_on(account, symbol))
        for key in self._undecided():
            seed, symbol, number = key.split("|")
            await self._ask(account, numbered_wish(seed, symbol, int(number)))
        await self._watch(account)

    async def _ask_on(self, account: LiveAccount, symbol: str) -> None:
        asked = -1
        while not self._is_stopped():
            number = (self._now_ms - self._spec.since_ms) // LOAD_EVERY_MS
            if number != asked:
                asked = number
                await self._ask(account, numbered_wish(self._spec.seed, symbol, number))
            await asyncio.sleep(_LOOK_S)

    def _is_stopped(self) -> bool:
        return stop_file(self._spec.marks).exists()


def stop_file(marks: str) -> Path:
    """Return the file that ends a load once it is there."""
    return Path(f"{marks}.stop")


class Drill(Asking):
    """Asks for one entry, in a symbol of its own for each process."""

    async def run(self, account: LiveAccount) -> None:
        """Ask, then watch."""
        await self._ask(account, drill_wish(self._spec.seed, self._spec.life))
        await self._watch(account)


def is_settled(account: LiveAccount) -> bool:
    """Return whether every position is protected, no order in doubt and everything on record."""
    recorder = account.engine.recorder
    if recorder.is_behind or any(recorder._held.values()) or any(account.trader._mail.values()):
        return False
    return all(
        ((slot.is_idle and not slot.owner) or state is PositionState.PROTECTED)
        and not slot.closing
        and slot.queued is None
        and not any(is_in_doubt(order) for order in slot.orders)
        for slot, state in account.engine.slots()
    )
