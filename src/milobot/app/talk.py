"""Talking back: what goes by of accounts and signals is told, and what people ask is answered."""

import asyncio
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from milobot.app.happenings import Passing
from milobot.app.talk_elsewhere import Elsewhere
from milobot.app.talk_office import TalkOffice
from milobot.app.talk_signals import SignalFollower
from milobot.domain.alerts import Alert
from milobot.errors import MilobotError, StorageError
from milobot.exchanges.times import Sleep, SteadyClock, real_sleep
from milobot.ports import Clock, Journal
from milobot.signals.talk.desk import Desk, People
from milobot.signals.talk.errands import Office, Plan
from milobot.signals.talk.notices import EVERYTHING, Notice, NoticeKind
from milobot.signals.talk.ports import Chat
from milobot.signals.talk.postman import Postman
from milobot.signals.talk.requests import Request
from milobot.signals.talk.sentences import (
    alert_notice,
    decision_notice,
    fill_notice,
    trip_notice,
)
from milobot.telemetry import get_logger

_LOOK_S = 0.5
_READ_S = 1.0
_AGAIN_S = 5.0
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class TalkPlan:
    """Who is talked to, and about what.

    Attributes:
        admins: Ids of the people that are told things and may ask; others get no answer.
        kinds: What they are told.
        accounts: Accounts of this process; each is named where there are several.
        bot_name: What the bot is called, without ``@``; empty when not known.
    """

    admins: frozenset[int]
    kinds: frozenset[NoticeKind] = EVERYTHING
    accounts: tuple[str, ...] = ()
    bot_name: str = ""


@dataclass(slots=True)
class Ear:
    """Hears of one account. Nothing of it waits for a messenger, or fails with it.

    Attributes:
        account: Named in notices; empty where there is only one.
        passing: What went on record and was not told yet.
    """

    account: str
    postman: Postman
    passing: Passing = field(default_factory=Passing)

    def before(self, journal: Journal) -> Journal:
        """Return a journal of which is heard what goes on record."""
        return self.passing.before(journal)

    def tell(self, alert: Alert) -> None:
        """Hear an alert."""
        self.postman.tell(alert_notice(alert, self.account))

    def notices(self, now_ms: int) -> list[Notice]:
        """Return what has gone by since the last call."""
        happened, account = self.passing.take(), self.account
        decided = [decision_notice(one, now_ms, account) for one in happened.decisions]
        return [
            *(notice for notice in decided if notice is not None),
            *(fill_notice(one.fill, one.purpose, account) for one in happened.executions),
            *(trip_notice(trip, account) for trip in happened.round_trips),
        ]


class Talk:
    """Talks with people about accounts. It hears from the start, and talks while it runs."""

    def __init__(
        self,
        plan: TalkPlan,
        office: TalkOffice,
        *,
        clock: Clock | None = None,
        sleep: Sleep = real_sleep,
    ) -> None:
        """Prepare; nobody is told anything before ``run``.

        Args:
            plan: Who and what.
            office: Answers, and asks leaders.
            clock: Time, which commands are aged by; the machine's own when None.
            sleep: Waits.
        """
        self._plan, self._sleep = plan, sleep
        self._clock = clock or SteadyClock()
        self._postman = Postman(plan.admins, plan.kinds, self._clock, sleep=sleep)
        self._ears: dict[str, Ear] = {}
        self._ledger = office.ledger
        self._elsewhere: list[Elsewhere] = []
        self._signals = SignalFollower(office.ledger)
        people = People(plan.admins, plan.bot_name)
        self._desk = Desk(people, _Guarded(office), self._postman.answer, self._clock)

    @property
    def strangers(self) -> int:
        """Return how many messages came from people who may not ask."""
        return self._desk.strangers

    def ear(self, account: str, holder: str = "") -> Ear:
        """Return what hears of an account.

        Args:
            account: ``exchange:name``.
            holder: As whom this process leads it. While somebody else does, what happens
                there is read from the ledger; empty where there is nobody else.
        """
        if account not in self._ears:
            shown = account if self._names_accounts else ""
            self._ears[account] = Ear(shown, self._postman)
            if holder:
                self._elsewhere.append(Elsewhere(self._ledger, account, holder, shown))
        return self._ears[account]

    @property
    def _names_accounts(self) -> bool:
        return len(self._plan.accounts) > 1

    async def run(self, chat: Chat) -> None:
        """Talk until the chat is closed for good, or until cancelled.

        Whatever fails in here is logged and begun anew: it must not touch trading.
        """
        while True:
            try:
                await self._run(chat)
            except Exception:  # noqa: BLE001 - trading goes on without anybody to talk to
                get_logger().exception("talk_failed")
                await self._sleep(_AGAIN_S)
            else:
                return

    async def _run(self, chat: Chat) -> None:
        async with asyncio.TaskGroup() as tasks:
            others = [
                tasks.create_task(self._postman.run(chat)),
                tasks.create_task(self._listen()),
                tasks.create_task(self._follow()),
            ]
            await self._desk.run(chat.messages())
            for task in others:
                task.cancel()

    async def _listen(self) -> None:
        """Turn what goes by into notices, a few times a second."""
        while True:
            now_ms = self._clock.now_ms()
            for ear in self._ears.values():
                self._tell_all(ear.notices(now_ms))
            await self._sleep(_LOOK_S)

    async def _follow(self) -> None:
        """Tell what is on record alone; apart, since a ledger may keep one waiting."""
        while True:
            with suppress(StorageError):  # alerts tell of a ledger that is away
                self._tell_all(await self._signals.take(names_account=self._names_accounts))
                for account in self._elsewhere:
                    self._tell_all(await account.take(self._clock.now_ms()))
            await self._sleep(_READ_S)

    def _tell_all(self, notices: Iterable[Notice]) -> None:
        for notice in notices:
            self._postman.tell(notice)


class _Guarded:
    """An office whose faults end one answer and nothing else."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def answer(self, request: Request) -> str:
        return await _guarded(self._office.answer(request))

    async def plan(self, request: Request) -> Plan:
        return await _guarded(self._office.plan(request))

    async def carry_out(self, plan: Plan, asked_by: str) -> str:
        return await _guarded(self._office.carry_out(plan, asked_by))


async def _guarded(work: Awaitable[_T]) -> _T:
    try:
        return await work
    except MilobotError:
        raise
    except Exception as error:
        get_logger().exception("answer_failed")
        raise MilobotError("there was a fault; the log of the bot tells more") from error
