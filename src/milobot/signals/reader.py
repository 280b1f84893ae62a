"""The reader: from the text of a message to one frozen reading of it."""

from collections.abc import Set as AbstractSet

from milobot.errors import SignalFormatError
from milobot.signals.commands import read_command, refuse_unclear_command
from milobot.signals.naming import Symbols
from milobot.signals.orders import read_order
from milobot.signals.profile import ChannelProfile, apply_profile
from milobot.signals.reading import ReadingKind, SignalReading
from milobot.signals.refusals import Reason, refuse
from milobot.signals.scan import scan
from milobot.signals.setup import read_setup
from milobot.signals.text import LONGEST, fold, is_forbidden

_NO_SIGNAL = frozenset({Reason.CHAT.value, Reason.RESULT.value})


def read(
    text: str,
    *,
    known_symbols: AbstractSet[str] | None = None,
    profile: ChannelProfile | None = None,
) -> SignalReading:
    """Return what a message says; the same text always gives the same reading.

    A message that is not certain comes back REFUSED, chat and results as
    NOT_A_SIGNAL, both with a reason code and a sentence; nothing is raised.

    Args:
        text: The message as it came.
        known_symbols: What the exchange lists; another symbol is refused. None: all pass.
        profile: What the channel's owner has fixed; it may refuse what the reader took.
    """
    try:
        reading = _read(text, known_symbols)
    except SignalFormatError as refusal:
        kind = ReadingKind.NOT_A_SIGNAL if refusal.code in _NO_SIGNAL else ReadingKind.REFUSED
        return SignalReading(text=text, kind=kind, code=refusal.code, reason=str(refusal))
    return reading if profile is None else apply_profile(reading, profile)


def _read(text: str, known: Symbols) -> SignalReading:
    _check_text(text)
    folded = fold(text)
    order = read_order(folded, known, text)
    if order is not None:
        return order
    lines = scan(folded.text)
    if not any(lines):
        refuse(Reason.CHAT, "It holds no words.")
    reading = read_command(folded, lines, known, text) or read_setup(folded, lines, known, text)
    if reading is None:
        refuse_unclear_command(folded, known)
        refuse(Reason.CHAT, "It is no order, no set-up and no command.")
    return reading


def _check_text(text: str) -> None:
    if not text.strip():
        refuse(Reason.EMPTY, "The message is empty.")
    if len(text) > LONGEST:
        refuse(Reason.TOO_LONG, f"The message has {len(text)} characters; {LONGEST} are the most.")
    if is_forbidden(text):
        refuse(
            Reason.CONTROL_CHARACTERS,
            "The message holds control characters, or ones that show text in another order.",
        )
