"""How well the reader reads the recorded messages; ``python -m tests.support.signal_score``.

Counted are the messages whose label states a direction. A message is *exact* when
symbol, direction, entries, stop and targets all equal the label (entries as a set: the
labels sort some of them and not others), *refused* when no set-up was read, *wrong*
otherwise. What cannot be traded here (metals, currencies, coins against the dollar) is
exact when it is refused as such. Leverage is not scored, its labels are unreliable. Where
a label contradicts its own message, ``OVERLAY`` says what the message says, and why.

A third of the messages, fixed by a hash of their identity, took no part in writing the rules.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

from tests.support.shared_data import SHARED

from milobot.signals.reader import read
from milobot.signals.reading import ReadingKind, SignalReading
from milobot.signals.refusals import Reason
from milobot.signals.symbols import is_elsewhere

MESSAGES = SHARED / "data" / "signals" / "signals.jsonl"
_NO_SIGNALS = frozenset({"update", "close", "move_stop", "details"})
_PARTS = 3


class Outcome(StrEnum):
    """What became of a message."""

    EXACT = "exact"
    REFUSED = "refused"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Correction:
    """What a label should have said.

    Attributes:
        reason: What in the message contradicts the label.
        fields: The right values of single fields.
        is_refused: A careful trader would not trade this message.
    """

    reason: str
    fields: dict[str, Any]
    is_refused: bool = False


OVERLAY = {
    "ad4b357e62": Correction(
        "the label leaves entries out when a message says CMP; this one names 0.09810 and 0.10512",
        {"entries": [0.09810, 0.10512]},
    ),
    "7cd5c28a36": Correction(
        "the label keeps the first end of the zone 2,201.43 - 2,253.58 alone",
        {"entries": [2201.43, 2253.58]},
    ),
    "240cf23c04": Correction(
        "the label keeps the first end of the zone 0.206 - 0.195 alone",
        {"entries": [0.206, 0.195]},
    ),
    "cf1e1b94de": Correction(
        "the label was left open; entries and targets stand in the message",
        {"entries": [27.65, 29.89], "targets": [26.45, 25.67, 24.79, 22.80, 20.78]},
    ),
    "b62e8e75fc": Correction(
        "only the direction was labelled; symbol, entry, stop and target stand in the message",
        {"symbol": "BTCUSDT", "entries": [27461.5], "targets": [26000], "stop": 28000},
    ),
    "e2bba41420": Correction(
        "it reports a first target and moves the stop to entry; it names neither symbol nor levels",
        {},
        is_refused=True,
    ),
    "6345c24fc1": Correction(
        "both entries are ticked as filled: a trade under way; the label drops the second entry",
        {},
        is_refused=True,
    ),
    "8b4c015c45": Correction(
        "the first target, 0.008530, lies within the entry zone 0.008412 - 0.008539; "
        "the label drops the second target",
        {},
        is_refused=True,
    ),
    "f7a12f6745": Correction(
        "the label says that there is no stop; the message says 25-30 %, at twenty times leverage",
        {},
        is_refused=True,
    ),
    "2afe2d9226": Correction(
        "the label ends with the first line of the targets; the message has a second one",
        {"targets": [6.2, 6.1, 6.0, 5.79, 5.56, 5.345, 4.99, 4.55]},
    ),
    "8a494d9716": Correction(
        "the label keeps the first end of the zone 319.95 - 331.7336 alone",
        {"entries": [319.95, 331.7336]},
    ),
    "10f30c8c01": Correction(
        "the label leaves both entries out and keeps the first of four targets",
        {"entries": [0.8571, 0.816], "targets": [0.9073, 0.9844, 1.0825, 1.1968]},
    ),
    "c52224e56a": Correction(
        "the message says short, with the stop and the targets of a long, which is its label",
        {},
        is_refused=True,
    ),
    "719622495f": Correction(
        "the message has a buy zone and sells below it, at a loss; the label says short",
        {},
        is_refused=True,
    ),
    "140554c1d6": Correction(
        "its first entry is marked as filled: a later state of the set-up 068d2191f0, under way",
        {},
        is_refused=True,
    ),
    "bf24ddf3ee": Correction(
        "it reports that a trade was left at its entry price; it names no level at all",
        {},
        is_refused=True,
    ),
}
"""Labels that contradict their own message, by the message's identity."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One message with its label and its reading."""

    identity: str
    family: str
    outcome: Outcome
    reading: SignalReading
    detail: str = ""


def load_messages(path: Path = MESSAGES) -> list[dict[str, Any]]:
    """Return the recorded messages with their labels."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def is_held_out(identity: str) -> bool:
    """Tell whether a message took no part in writing the rules."""
    return int(hashlib.sha256(identity.encode()).hexdigest(), 16) % _PARTS == 0


def score(rows: Iterable[dict[str, Any]]) -> list[Scored]:
    """Return the outcome of each message whose label states a direction."""
    return [_score_one(row) for row in rows if (row["expected"] or {}).get("side")]


def traded_no_signals(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Return the identities of messages that are no signal and were read as a set-up or order."""
    return [
        row["id"]
        for row in rows
        if _is_no_signal(row) and read(row["text"]).kind in {ReadingKind.SETUP, ReadingKind.ORDER}
    ]


def count_no_signals(rows: Iterable[dict[str, Any]]) -> int:
    """Return how many messages are no signal: updates, replies, commands, refused results."""
    return sum(map(_is_no_signal, rows))


def _is_no_signal(row: dict[str, Any]) -> bool:
    correction = OVERLAY.get(row["id"])
    return row["kind"] in _NO_SIGNALS or (correction is not None and correction.is_refused)


def _score_one(row: dict[str, Any]) -> Scored:
    reading = read(row["text"])
    correction = OVERLAY.get(row["id"])
    expected = {**row["expected"], **(correction.fields if correction else {})}
    is_set_up = reading.kind is ReadingKind.SETUP
    if (correction is not None and correction.is_refused) or not _is_tradable(expected):
        wanted = correction is not None or reading.code == Reason.NOT_TRADABLE
        outcome = Outcome.WRONG if is_set_up else (Outcome.EXACT if wanted else Outcome.REFUSED)
        return Scored(row["id"], row["family"], outcome, reading, reading.code)
    if not is_set_up:
        detail = f"{reading.kind.value} {reading.code}"
        return Scored(row["id"], row["family"], Outcome.REFUSED, reading, detail)
    differences = list(_differences(reading, expected))
    outcome = Outcome.WRONG if differences else Outcome.EXACT
    return Scored(row["id"], row["family"], outcome, reading, "; ".join(differences))


def _is_tradable(expected: dict[str, Any]) -> bool:
    symbol = expected["symbol"]
    return symbol is None or (symbol.endswith("USDT") and not is_elsewhere(symbol))


def _differences(reading: SignalReading, expected: dict[str, Any]) -> Iterable[str]:
    entry, stop = reading.entry, reading.stop
    found = {
        "symbol": reading.symbol,
        "side": str(reading.position_side),
        "entries": sorted(entry.prices) if entry else [],
        "targets": [target.price for target in reading.targets],
        "stop": stop.price if stop else None,
    }
    wanted = {
        "symbol": expected["symbol"],
        "side": expected["side"],
        "entries": sorted(_decimals(expected["entries"])),
        "targets": _decimals(expected["targets"]),
        "stop": None if expected["stop"] is None else Decimal(str(expected["stop"])),
    }
    for name, value in wanted.items():
        if found[name] != value:
            yield f"{name}: {found[name]} instead of {value}"


def _decimals(values: Sequence[float] | None) -> list[Decimal]:
    return [Decimal(str(value)) for value in values or ()]


def exact_share(scored: Sequence[Scored]) -> float:
    """Return the share that was read exactly."""
    return sum(s.outcome is Outcome.EXACT for s in scored) / len(scored)


def table(scored: Sequence[Scored]) -> str:
    """Return exact, refused and wrong of each family, and the sums."""
    families = sorted({s.family for s in scored})
    lines = [f"{'family':40} {'exact':>6} {'refused':>8} {'wrong':>6}"]
    lines += [_row(family, [s for s in scored if s.family == family]) for family in families]
    held_out = [s for s in scored if is_held_out(s.identity)]
    developed = [s for s in scored if not is_held_out(s.identity)]
    for name, part in (("developed on", developed), ("held out", held_out), ("all", scored)):
        lines.append(f"{_row(name, part)}  {exact_share(part):7.1%}")
    return "\n".join(lines)


def _row(name: str, scored: Sequence[Scored]) -> str:
    counts = Counter(s.outcome for s in scored)
    exact, refused, wrong = (counts[outcome] for outcome in Outcome)
    return f"{name:40} {exact:6} {refused:8} {wrong:6}"


def main() -> None:
    """Print the table, what was not exact, and what is no signal and was read as one."""
    rows = load_messages()
    scored = score(rows)
    print(table(scored))  # noqa: T201 - the report of a program
    for one in scored:
        if one.outcome is not Outcome.EXACT:
            mark = "held out" if is_held_out(one.identity) else ""
            print(one.identity, one.family, one.outcome, one.detail, mark)  # noqa: T201 - as above
    print(f"no signal: {count_no_signals(rows)}, read as one: {traded_no_signals(rows)}")  # noqa: T201 - as above


if __name__ == "__main__":
    main()
