"""The desk: who asks, whether they may, and that nothing is done without a fresh confirmation."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from milobot.errors import MilobotError
from milobot.ports import Clock
from milobot.signals.talk.codes import VALID_MS, Codes
from milobot.signals.talk.errands import Office, Plan
from milobot.signals.talk.plain import cut_lines, plain
from milobot.signals.talk.ports import PersonSays
from milobot.signals.talk.requests import USAGE, Misread, Request, Verb, parse_request
from milobot.telemetry import get_logger

FRESH_MS = 60_000
"""A message that is older when it arrives is not acted on."""
_MOST_AT_ONCE = 4
_REMEMBERED = 1_000
_MOST_ASKED = 3_000
_CONFIRMED = frozenset({Verb.CLOSE, Verb.HALT, Verb.RESUME})
_HELP = {
    Verb.STATUS: "how the accounts stand",
    Verb.POSITIONS: "what is open, with its stop",
    Verb.ORDERS: "what rests at the exchange",
    Verb.PROFIT: "results, 1 is today",
    Verb.BALANCE: "equity and what is free",
    Verb.WHY: "the last decisions and their reasons",
    Verb.PAUSE: "nothing enters any more, at once",
    Verb.RESUME: "entries pass again",
    Verb.CLOSE: "close what is open there",
    Verb.HALT: "nothing enters; with flatten all is closed",
    Verb.YES: "confirm what you were asked",
}

Work = Coroutine[Any, Any, None]


@dataclass(frozen=True, slots=True)
class People:
    """Who may ask.

    Attributes:
        admins: Their ids.
        bot_name: What the bot is called, without ``@``; empty when not known.
    """

    admins: frozenset[int]
    bot_name: str = ""


class Desk:
    """Takes what people say and answers those who may ask; others get no answer.

    Attributes:
        strangers: How many messages came from people who may not ask.
    """

    def __init__(
        self,
        people: People,
        office: Office,
        answer: Callable[[int, str], None],
        clock: Clock,
        codes: Codes | None = None,
    ) -> None:
        """Open with nothing asked.

        Args:
            people: Who may ask.
            office: Answers, and does what is confirmed.
            answer: Takes a person's answer and does not wait.
            clock: Time; its own age is what a message is judged by.
            codes: What confirms.
        """
        self._people, self._office, self._answer, self._clock = people, office, answer, clock
        self._codes = codes or Codes()
        self._busy: Counter[int] = Counter()
        self._seen: OrderedDict[tuple[int, int, int], None] = OrderedDict()
        self.strangers = 0

    async def run(self, messages: AsyncIterator[PersonSays]) -> None:
        """Serve until no more messages come; one slow answer delays no other."""
        async with asyncio.TaskGroup() as tasks:
            async for said in messages:
                work = self.hear(said)
                if work is not None:
                    tasks.create_task(work)

    def hear(self, said: PersonSays) -> Work | None:
        """Take in a message. Return what is still to be done for it, if anything."""
        if said.person not in self._people.admins:
            self._count_stranger(said.person)
            return None
        request = parse_request(said.text, self._people.bot_name)
        if request is None or self._is_known(said):
            return None
        refusal = self._refusal(said, request)
        if refusal or isinstance(request, Misread):
            self._answer(said.person, refusal)
            return None
        return self._work(said.person, request)

    def _refusal(self, said: PersonSays, request: Request | Misread) -> str:
        """Return why a message is not acted on; empty when it is."""
        if isinstance(request, Misread):
            return f"{request.reason}; /help shows what there is"
        if stale := self._staleness(said, request):
            return stale
        if self._busy[said.person] >= _MOST_AT_ONCE:
            return "still at your earlier requests: ask again in a moment"
        return ""

    def _work(self, person: int, request: Request) -> Work | None:
        """Return what has to be done for a request that is to be answered."""
        if request.verb is Verb.HELP:
            self._answer(person, help_text())
            return None
        if request.verb is not Verb.YES:
            return self._begin(person, self._respond(person, request))
        plan = self._codes.redeem(person, request.code, self._clock.now_ms())
        if plan is None:
            self._answer(
                person, "nothing waits for that code (any more): send the command itself again"
            )
            return None
        return self._begin(person, self._office.carry_out(plan, asked_by(person)))

    def _begin(self, person: int, answer: Coroutine[Any, Any, str]) -> Work:
        self._busy[person] += 1
        return self._serve(person, answer)

    async def _serve(self, person: int, answer: Coroutine[Any, Any, str]) -> None:
        try:
            said = await answer
        except MilobotError as error:
            said = f"that did not work: {plain(str(error))}"
        finally:
            self._busy[person] -= 1
        self._answer(person, said)

    async def _respond(self, person: int, request: Request) -> str:
        if request.verb is Verb.PAUSE:
            plan = await self._office.plan(request)
            return (
                await self._office.carry_out(plan, asked_by(person)) if plan.errands else plan.said
            )
        if request.verb in _CONFIRMED:
            self._codes.void(person)  # what was asked before is not meant by the next code
            return self._ask_back(person, await self._office.plan(request))
        return await self._office.answer(request)

    def _ask_back(self, person: int, plan: Plan) -> str:
        if not plan.errands:
            return plan.said
        code = self._codes.issue(person, plan, self._clock.now_ms())
        return f"{cut_lines(plan.said, _MOST_ASKED)}\nTo confirm, within {VALID_MS // 1000} s:\n/yes {code}"

    def _staleness(self, said: PersonSays, request: Request) -> str:
        """Return why a message is not acted on, as it was not written now; empty when it is."""
        age_ms = self._clock.now_ms() - said.time_ms
        if age_ms > FRESH_MS:
            how = f"was written {age_ms // 1000} s ago"
        elif age_ms < -FRESH_MS:
            how = f"is dated {-age_ms // 1000} s ahead of this machine's clock"
        else:
            return ""
        return f"not done: /{request.verb.value} {how}. Send it again if you still want it"

    def _is_known(self, said: PersonSays) -> bool:
        """Return whether a message came before: after an outage some are told twice."""
        # Ids are counted in each chat; a person may write in several, hardly in one second.
        key = (said.person, said.message_id, said.time_ms)
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return False

    def _count_stranger(self, person: int) -> None:
        self.strangers += 1
        if self.strangers.bit_count() == 1:  # the 1st, 2nd, 4th, 8th …: a flood floods no log
            get_logger().warning("stranger_unanswered", person=person, so_far=self.strangers)


def asked_by(person: int) -> str:
    """Return who asks, for the record."""
    return f"telegram:{person}"


def help_text() -> str:
    """Return what can be asked."""
    lines = [f"/{verb.value} {USAGE[verb]}".rstrip() + f" - {said}" for verb, said in _HELP.items()]
    return "\n".join(lines)
