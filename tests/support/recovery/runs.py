"""The recovery proof: five kinds of faults befall real bots, and how soon they trade again.

    python -m tests.support.recovery.runs                  # 30 of each; goes on where it stopped
    python -m tests.support.recovery.runs --fresh          # from the start
    python -m tests.support.recovery.runs --only binance/postgres/7
    python -m tests.support.recovery.runs --again          # batches with anything wrong once more

Nothing is shortened: lease, receive window, delays and intervals are the product's.
"""

import argparse
import asyncio
import json
import logging
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from tests.support.crash.loops import run_measured
from tests.support.crash.runs import current_commit
from tests.support.own_postgres import find_programs
from tests.support.recovery.batch import Batch, Recovery, Verdict, carry_out
from tests.support.recovery.faults import DATABASE, FREEZE, KILL, OUTAGE, STREAMS
from tests.support.recovery.summary import misses, recovery_table, summary_table

from milobot.telemetry import configure_logging

COUNT, LANES = 30, 2
RESULTS = Path("build/recovery-proof.jsonl")
FAILURES = Path("build/recovery-failures")
_ANYWHERE = (KILL, FREEZE, OUTAGE, STREAMS)
_AT_SERVER = (*_ANYWHERE, DATABASE, DATABASE)
_PLACES = (
    ("binance", "postgres"),
    ("bingx", "sqlite"),
    ("bingx", "postgres"),
    ("binance", "sqlite"),
)
Row = dict[str, Any]


def all_batches(count: int, *, first_seed: int = 1, has_server: bool = True) -> list[Batch]:
    """Return batches with ``count`` faults of each kind, on both exchanges and databases.

    Only a server can be restarted: half of the batches have one, and two restarts each.
    """
    batches = []
    for number in range(count):
        dialect, database = _PLACES[number % len(_PLACES)]
        if not has_server:
            database = "sqlite"
        kinds = _AT_SERVER if database == "postgres" else _ANYWHERE
        batches.append(Batch(dialect, database, first_seed + number, kinds))
    return batches


def load_rows(results: Path, wanted: set[str]) -> list[Row]:
    """Return the latest row of each batch that was carried out."""
    if not results.exists():
        return []
    rows: list[Row] = [json.loads(line) for line in results.read_text().splitlines()]
    return list({row["name"]: row for row in rows if row["name"] in wanted}.values())


class Told:
    """Keeps verdicts in a file, so that a campaign goes on where it was stopped; shows progress."""

    def __init__(self, progress: Progress, results: Path, total: int) -> None:
        """Begin."""
        self._progress, self._results, self._commit = progress, results, current_commit()
        self._bar = progress.add_task("faults", total=total)

    def recovered(self, recovery: Recovery) -> None:
        """Note that a fault is got over."""
        self._progress.advance(self._bar)

    def judged(self, verdict: Verdict) -> None:
        """Keep what came of a batch."""
        row = {**verdict.to_row(), "commit": self._commit}
        self._results.parent.mkdir(parents=True, exist_ok=True)
        with self._results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        for sentence in verdict.wrong[:8]:
            self._progress.console.print(f"WRONG {verdict.name}: {sentence}", markup=False)


async def prove(batches: list[Batch], folder: Path, lanes: int, told: Told) -> None:
    """Carry out the batches, several at a time."""
    waiting = iter(batches)

    async def lane() -> None:
        for batch in waiting:
            try:
                verdict = await carry_out(batch, folder, told.recovered, FAILURES)
            except Exception as error:  # noqa: BLE001 - one broken batch must not end the campaign
                verdict = Verdict(batch.name, wrong=[f"the batch itself broke: {error!r}"])
            told.judged(verdict)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(lanes):
            tasks.create_task(lane())


def main(words: list[str]) -> int:
    """Run the campaign; 1 when anything was not as promised."""
    parser = argparse.ArgumentParser(description="Let faults befall the bot and time its recovery.")
    parser.add_argument("--count", type=int, default=COUNT, help="faults of each kind")
    parser.add_argument("--seed", type=int, default=1, help="of the first batch")
    parser.add_argument("--lanes", type=int, default=LANES, help="batches at a time")
    parser.add_argument("--only", default="", help="one batch, by its name")
    parser.add_argument("--fresh", action="store_true", help="forget earlier results")
    parser.add_argument("--again", action="store_true", help="repeat batches with anything wrong")
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args(words)
    configure_logging("ERROR")
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # clients that die are the point
    console = Console(width=max(Console().width, 110))
    has_server = find_programs() is not None
    if not has_server:
        console.print("without PostgreSQL: install one or set PG_BIN; no database is restarted")
    batches = all_batches(chosen.count, first_seed=chosen.seed, has_server=has_server)
    if chosen.only:
        batches = [batch for batch in batches if batch.name == chosen.only]
    if chosen.fresh:
        chosen.results.unlink(missing_ok=True)
    names = {batch.name for batch in batches}
    done = load_rows(chosen.results, names)
    if chosen.again or chosen.only:
        done = [row for row in done if not (row["wrong"] or chosen.only)]
    missing = [b for b in batches if b.name not in {row["name"] for row in done}]
    began = time.monotonic()
    _carry_out(missing, chosen, console)
    rows = load_rows(chosen.results, names)
    found = misses(rows)
    console.print(recovery_table(rows))
    console.print(summary_table(rows, Counter(str(row["commit"]) for row in rows)))
    for miss in found:
        console.print(f"MISSED {miss}", markup=False)
    verdict = "every limit is kept" if not found else f"{len(found)} things are not as promised"
    console.print(f"{verdict}; {len(missing)} batches now, in {time.monotonic() - began:.0f} s")
    return int(bool(found) or not rows or not has_server)


def _carry_out(batches: list[Batch], chosen: argparse.Namespace, console: Console) -> None:
    columns = (TextColumn("faults"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        tempfile.TemporaryDirectory(prefix="milobot-recovery-") as folder,
        Progress(*columns, console=console) as progress,
    ):
        told = Told(progress, chosen.results, sum(len(batch.kinds) for batch in batches))
        run_measured(prove(batches, Path(folder), chosen.lanes, told))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
