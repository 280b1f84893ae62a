"""What a campaign says at its end: one table over all of its runs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from tests.support.crash.judge import DRIFTED, EXPOSED, LAWS, PROMISE_MS, STATELESS, TWICE
from tests.support.crash.plan import Case, parse_case
from tests.support.crash.points import INSTANT, KillPoint, parse_point

# A run as it is kept: name, commit, wrong, figures, hit.
Row = dict[str, Any]
REPEAT = "make prove-crash ARGS=\"--only 'NAME'\""
_LINE = tuple[str, str]
_MEASURES = (
    ("raw", "raw_ms"),
    ("while orders were taken", "served_ms"),
    ("and there was time", "judged_ms"),
)


@dataclass(frozen=True, slots=True)
class Campaign:
    """Runs and how they came about.

    Attributes:
        rows: Every run that belongs to the campaign, the latest of each.
        new: How many of them were carried out now.
        seconds: How long that took.
        commit: What is being proved now.
        left_out: Runs that could not be carried out for want of PostgreSQL.
        missed: Laws that a bot broke on purpose, and the judge did not see it.
    """

    rows: Sequence[Row]
    new: int
    seconds: float
    commit: str
    left_out: int = 0
    missed: tuple[str, ...] = ()


def summary(campaign: Campaign) -> Table:
    """Return the table."""
    rows = campaign.rows
    title = f"{len(rows)} runs, {campaign.new} of them now in {campaign.seconds:.0f} s"
    table = Table(title=title, min_width=72)
    table.add_column("what")
    table.add_column("figure", justify="right")
    parts = (_carried_out(campaign), _laws(rows), _times(rows), _judge(campaign.missed),
             _places(rows), _points(rows), _faults(rows), _seeds(rows))  # fmt: skip
    for lines in parts:
        for what, figure in lines:
            table.add_row(what, figure)
        table.add_section()
    return table


def is_wrong(row: Row) -> bool:
    """Return whether a run broke a law."""
    return any(row["wrong"].values())


def commits(rows: Sequence[Row]) -> Counter[str]:
    """Return how many runs were carried out at which commit."""
    return Counter(str(row.get("commit", "unknown")) for row in rows)


def _carried_out(campaign: Campaign) -> Iterator[_LINE]:
    rows = campaign.rows
    for name, count in commits(rows).most_common():
        yield f"runs at commit {name}", str(count)
    if set(commits(rows)) - {campaign.commit}:
        yield "NOT ALL OF THEM OF ONE COMMIT", f"now {campaign.commit}; --fresh begins anew"
    if campaign.left_out:
        yield "NOT CARRIED OUT: THERE IS NO POSTGRESQL", str(campaign.left_out)
    repeated = sum(bool(row.get("was_wrong")) for row in rows)
    if repeated:
        yield "once wrong, and then repeated", str(repeated)
    yield "processes killed", str(_sum(rows, "lives"))
    yield "of them where it was planned", str(sum(len(row.get("hit", ())) for row in rows))
    yield "intents", str(_sum(rows, "intents"))
    yield "entries executed", str(_sum(rows, "entries"))
    yield "fills compared", str(_sum(rows, "fills"))


def _laws(rows: Sequence[Row]) -> Iterator[_LINE]:
    broken = {law: sum(len(row["wrong"].get(law, ())) for row in rows) for law in LAWS}
    equal = sum(not row["wrong"].get(DRIFTED) for row in rows)
    yield "entries executed twice", str(broken[TWICE])
    yield "intents without a final state", str(broken[STATELESS])
    yield "positions unprotected beyond the promise", str(broken[EXPOSED])
    yield "books equal to the exchange's ledger", f"{equal / max(1, len(rows)):.2%}"
    yield "runs with anything wrong", str(sum(map(is_wrong, rows)))


def _times(rows: Sequence[Row]) -> Iterator[_LINE]:
    for words, name in _MEASURES:
        found = [row["figures"][name] for row in rows if name in row["figures"]]
        beyond = sum(ms > PROMISE_MS for ms in found)
        yield f"unprotected at most, {words}", f"{max(found, default=0)} ms"
        yield "   runs beyond the promise of 2 s", f"{beyond} of {len(found)}"
    yield "bots without a processor", f"{_sum(rows, 'starved_ms') / 1000:.0f} s"
    yield "exchange too busy to look", f"{_sum(rows, 'stalled_ms') / 1000:.0f} s"


def _judge(missed: Sequence[str]) -> Iterator[_LINE]:
    for law in LAWS:
        seen = "NOT SEEN" if law in missed else "called wrong"
        yield f"bot that breaks a law, {law}", seen


def _places(rows: Sequence[Row]) -> Iterator[_LINE]:
    places: dict[str, list[Row]] = {}
    for row in rows:
        case = _case(row)
        places.setdefault(f"{case.dialect} on {case.database}", []).append(row)
    for place, found in sorted(places.items()):
        wrong = sum(map(is_wrong, found))
        raw, judged = (
            max(row["figures"].get(name, 0) for row in found) for name in ("raw_ms", "judged_ms")
        )
        yield (
            f"{place}; longest judged, raw",
            f"{len(found)} runs, {wrong} wrong; {judged}, {raw} ms",
        )


def _points(rows: Sequence[Row]) -> Iterator[_LINE]:
    planned = {kill for row in rows for kill in _case(row).kills}
    hits = [parse_point(text) for row in rows for text in row.get("hit", ())]
    for call in sorted({kill.call for kill in planned}, key=lambda name: (name == INSTANT, name)):
        for moment in sorted({kill.moment for kill in planned if kill.call == call}, reverse=True):
            yield _point_line(call, moment, planned, hits)


def _point_line(call: str, moment: str, planned: set[KillPoint], hits: list[KillPoint]) -> _LINE:
    places = [kill for kill in planned if (kill.call, kill.moment) == (call, moment)]
    here = [kill for kill in hits if (kill.call, kill.moment) == (call, moment)]
    return (
        f"killed at {f'{moment} of {call}' if moment else 'an instant'}",
        f"{len(here)} times, {len(set(here))} of {len(places)} places",
    )


def _faults(rows: Sequence[Row]) -> Iterator[_LINE]:
    runs = Counter(_case(row).fault for row in rows)
    wrong = Counter(_case(row).fault for row in rows if is_wrong(row))
    for fault, count in sorted(runs.items()):
        bad = f", {wrong[fault]} wrong" if wrong[fault] else ""
        yield f"fault {fault}", f"{count} runs{bad}"


def _seeds(rows: Sequence[Row]) -> Iterator[_LINE]:
    seeds = sorted(_case(row).seed for row in rows)
    if seeds:
        yield "seeds", f"{seeds[0]} to {seeds[-1]}"
    yield "repeat a run", REPEAT


def _sum(rows: Sequence[Row], name: str) -> int:
    return sum(row["figures"].get(name, 0) for row in rows)


def _case(row: Row) -> Case:
    return parse_case(row["name"])
