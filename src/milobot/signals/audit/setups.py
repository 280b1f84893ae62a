"""What the messages of an export say: set-ups, what changes them, refusals and chat."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from milobot.signals.audit.messages import PostedMessage
from milobot.signals.life.plans import SignalTerms, fingerprint, plan_of
from milobot.signals.life.record import Plan
from milobot.signals.profile import ChannelProfile
from milobot.signals.reader import read
from milobot.signals.reading import ReadingKind, SignalReading

_CHANNEL = "telegram:"
_CHANGES = frozenset(
    {ReadingKind.CLOSE, ReadingKind.MOVE_STOP, ReadingKind.CANCEL, ReadingKind.CHANGE}
)
_CONCERNS_ALL = frozenset({ReadingKind.CLOSE, ReadingKind.CANCEL})


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """A message with its reading."""

    message: PostedMessage
    reading: SignalReading


@dataclass(frozen=True, slots=True)
class SetUp:
    """A set-up of the channel.

    Attributes:
        changes: Replies and commands that concern it, in order of time.
    """

    message: PostedMessage
    reading: SignalReading
    plan: Plan
    changes: tuple[ReadMessage, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """All messages of an export, sorted by what they are.

    Attributes:
        kinds: How many messages there are of each kind.
        refusals: How many were refused for each reason code.
        samples: A sentence for each reason code.
        setups: In order of time.
        duplicates: Set-ups that repeat an earlier one within the window for that.
        orders: Plain orders (side, symbol, quantity): they name no levels to be judged by.
        unmatched: Commands that concern no set-up that can be told.
        quiet: Messages that are no signal; claims of results are among them.
    """

    kinds: Mapping[ReadingKind, int]
    refusals: Mapping[str, int]
    samples: Mapping[str, str]
    setups: tuple[SetUp, ...]
    duplicates: int = 0
    orders: int = 0
    unmatched: int = 0
    quiet: tuple[PostedMessage, ...] = ()


@dataclass(slots=True)
class _Sorting:
    profile: ChannelProfile
    terms: SignalTerms
    setups: list[SetUp] = field(default_factory=list)
    by_id: dict[str, int] = field(default_factory=dict)
    by_symbol: dict[str, list[int]] = field(default_factory=dict)
    changes: dict[int, list[ReadMessage]] = field(default_factory=dict)
    latest: dict[str, tuple[int, int]] = field(default_factory=dict)
    refusals: dict[str, int] = field(default_factory=dict)
    samples: dict[str, str] = field(default_factory=dict)
    kinds: dict[ReadingKind, int] = field(default_factory=dict)
    quiet: list[PostedMessage] = field(default_factory=list)
    duplicates: int = 0
    orders: int = 0
    unmatched: int = 0

    def take(self, message: PostedMessage, reading: SignalReading) -> None:
        """Sort one message in."""
        self.kinds[reading.kind] = self.kinds.get(reading.kind, 0) + 1
        if reading.kind is ReadingKind.SETUP:
            self._take_setup(message, reading)
        elif reading.kind in _CHANGES:
            self._take_change(ReadMessage(message, reading))
        elif reading.kind is ReadingKind.REFUSED:
            self._refuse(reading.code, reading.reason)
        elif reading.kind is ReadingKind.NOT_A_SIGNAL:
            self.quiet.append(message)
        else:
            self.orders += 1
        if message.reply_to in self.by_id:  # a reply to this one concerns the same set-up
            self.by_id.setdefault(message.message_id, self.by_id[message.reply_to])

    def _take_setup(self, message: PostedMessage, reading: SignalReading) -> None:
        time_ms = message.time_ms
        plan = plan_of(reading, self.profile, self.terms, posted_ms=time_ms or 0)
        if plan is None:  # pragma: no cover - a set-up that was read always has one
            return
        mark = fingerprint(reading)
        known = self.latest.get(mark)
        window_ms = self.terms.window_of(_CHANNEL, self.profile)
        if known is not None and time_ms is not None and time_ms - known[0] <= window_ms:
            self.duplicates += 1
            self.by_id[message.message_id] = known[1]
            return
        place = len(self.setups)
        self.setups.append(SetUp(message, reading, plan))
        self.by_id[message.message_id] = place
        if time_ms is not None:
            self.latest[mark] = (time_ms, place)
            self.by_symbol.setdefault(plan.symbol, []).append(place)

    def _take_change(self, change: ReadMessage) -> None:
        found = self._concerned(change)
        if not found:
            self.unmatched += 1
        for place in found:
            self.changes.setdefault(place, []).append(change)

    def _concerned(self, change: ReadMessage) -> Sequence[int]:
        """Return the set-ups that a command concerns, as a bot would have it.

        What it answers, also through replies to replies; all of a symbol that is closed or
        cancelled without an address, of which those that are over take no notice; for other
        commands the last of the symbol. Without address and symbol nobody can tell here.
        """
        reading = change.reading
        if change.message.time_ms is None:
            return ()
        answered = self.by_id.get(change.message.reply_to)
        if answered is not None and not reading.is_everything:
            is_same = reading.symbol in {None, self.setups[answered].plan.symbol}
            return (answered,) if is_same else ()
        if reading.is_everything:
            return [place for places in self.by_symbol.values() for place in places]
        same = self.by_symbol.get(reading.symbol or "", [])
        return same if reading.kind in _CONCERNS_ALL and reading.share is None else same[-1:]

    def _refuse(self, code: str, reason: str) -> None:
        self.refusals[code] = self.refusals.get(code, 0) + 1
        self.samples.setdefault(code, reason)


def read_messages(
    messages: Sequence[PostedMessage],
    profile: ChannelProfile,
    terms: SignalTerms,
    *,
    progress: Callable[[float], None] | None = None,
) -> Conversation:
    """Return what every message says, commands beside the set-ups they concern."""
    sorting = _Sorting(profile, terms)
    for place, message in enumerate(messages, 1):
        reading = read(message.text, profile=profile)
        sorting.take(message, reading)
        if progress is not None:
            progress(place / len(messages))
    setups = [
        SetUp(s.message, s.reading, s.plan, tuple(sorting.changes.get(n, ())))
        for n, s in enumerate(sorting.setups)
    ]
    return Conversation(
        kinds=sorting.kinds,
        refusals=dict(sorted(sorting.refusals.items(), key=lambda item: (-item[1], item[0]))),
        samples=sorting.samples,
        setups=tuple(setups),
        duplicates=sorting.duplicates,
        orders=sorting.orders,
        unmatched=sorting.unmatched,
        quiet=tuple(sorting.quiet),
    )
