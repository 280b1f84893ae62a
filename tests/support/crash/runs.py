"""The crash proof: real processes die anywhere, and nothing is lost, doubled or left unprotected.

    python -m tests.support.crash.runs                 # everything; goes on where it stopped
    python -m tests.support.crash.runs --only NAME     # one run, as a failure names it
    python -m tests.support.crash.runs --again         # those that went wrong once more
    python -m tests.support.crash.runs --count 50 --seed 7000 --fresh

Times that are shorter than those of DESIGN.md: ENGINE_DELAY 1 s, two looks 0.5 s apart, answers
waited for 1 s, reconciliation every 5 s. The promise of 2 s is held to as it is.
"""

import argparse
import asyncio
import json
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from tests.support.crash.judge import LAWS, STATELESS
from tests.support.crash.nursery import Nursery
from tests.support.crash.plan import Case, all_cases, parse_case
from tests.support.crash.run import Tools, Verdict, carry_out
from tests.support.postgres import fresh_database, ledger_template, running_server

from milobot.storage.ledger import open_ledger
from milobot.telemetry import configure_logging

COUNT, LANES = 1_056, 8
RESULTS = Path("build/crash-proof.jsonl")
FAILURES = Path("build/crash-failures")


async def prove(
    cases: list[Case], tools: Tools, lanes: int, told: Callable[[Verdict], None]
) -> None:
    """Carry out the cases, several at a time; ``told`` hears of each."""
    waiting = iter(cases)

    async def lane() -> None:
        for case in waiting:
            try:
                told(await carry_out(case, tools))
            except Exception as error:  # noqa: BLE001 - one broken run must not end the campaign
                told(Verdict(case, {STATELESS: [f"the run itself broke: {error!r}"]}))

    async with asyncio.TaskGroup() as tasks:
        for _ in range(lanes):
            tasks.create_task(lane())


class Told:
    """Keeps verdicts: in a file, so that a campaign goes on where it was stopped."""

    def __init__(self, results: Path | None) -> None:
        """Append to ``results``; None keeps them in memory only."""
        self.rows: list[dict[str, object]] = []
        self._results = results

    def __call__(self, verdict: Verdict) -> None:
        """Keep a verdict."""
        row: dict[str, object] = {
            "name": verdict.case.name,
            "wrong": verdict.wrong,
            "figures": verdict.figures,
        }
        self.rows.append(row)
        if self._results is not None:
            self._results.parent.mkdir(parents=True, exist_ok=True)
            with self._results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")


@contextmanager
def shared_tools(*, has_server: bool = True) -> Iterator[tuple[Path, Path, str]]:
    """Give a folder, an empty SQLite ledger, and the URL of a PostgreSQL one (empty without)."""
    # A client that dies within its request is what is asked for here, and no news.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="milobot-crash-")))
        template = folder / "template.db"
        asyncio.run(_make_ledger(f"sqlite:///{template}"))
        url = ""
        if not has_server:
            yield folder, template, url
            return
        try:
            server = stack.enter_context(running_server())
        except pytest.skip.Exception as reason:
            Console(stderr=True).print(f"without PostgreSQL: {reason}")
        else:
            template_name = stack.enter_context(ledger_template(server))
            url = stack.enter_context(fresh_database(server, template=template_name))
        yield folder, template, url


async def _make_ledger(url: str) -> None:
    async with await open_ledger(url):
        pass


@asynccontextmanager
async def tools_of(folder: Path, template: Path, postgres: str) -> AsyncIterator[Tools]:
    """Give what runs need, with a nursery that bears bots."""
    async with Nursery() as nursery:
        yield Tools(nursery, folder, template, postgres, FAILURES)


def main(words: list[str]) -> int:
    """Run the campaign; 1 when a law was broken."""
    parser = argparse.ArgumentParser(description="Kill the bot anywhere and judge what is left.")
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--seed", type=int, default=1, help="of the first run")
    parser.add_argument("--lanes", type=int, default=LANES, help="runs at a time")
    parser.add_argument("--only", default="", help="one run, by its name")
    parser.add_argument("--fresh", action="store_true", help="forget earlier results")
    parser.add_argument("--again", action="store_true", help="repeat those that went wrong")
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args(words)
    configure_logging("ERROR")
    if chosen.only:
        return _one(parse_case(chosen.only))
    if chosen.fresh:
        chosen.results.unlink(missing_ok=True)
    cases = all_cases(chosen.count, first_seed=chosen.seed)
    before = _load(chosen.results, {case.name for case in cases})
    if chosen.again:
        before = [row for row in before if not any(row["wrong"].values())]  # type: ignore[attr-defined]  # a dict
    told = Told(chosen.results)
    missing = [case for case in cases if case.name not in {row["name"] for row in before}]
    started = time.monotonic()
    with shared_tools() as shared:
        usable = [c for c in missing if shared[2] or c.database != "postgres"]
        asyncio.run(_with_progress(usable, shared, chosen.lanes, told))
    return report(before + told.rows, time.monotonic() - started, len(told.rows))


def _load(results: Path, wanted: set[str]) -> list[dict[str, object]]:
    if not results.exists():
        return []
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    latest = {row["name"]: row for row in rows}
    return [row for name, row in latest.items() if name in wanted]


async def _with_progress(
    cases: list[Case], shared: tuple[Path, Path, str], lanes: int, told: Told
) -> None:
    columns = (TextColumn("killing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console()
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("killing", total=len(cases))

        class Shown(Told):
            def __call__(self, verdict: Verdict) -> None:
                told(verdict)
                progress.advance(bar)
                if not verdict.is_good:
                    progress.console.print(describe(verdict), markup=False)

        async with tools_of(*shared) as tools:
            await prove(cases, tools, lanes, Shown(None))


def describe(verdict: Verdict) -> str:
    """Return what is wrong with a run and how to repeat it."""
    lines = [f"WRONG {verdict.case.name}"]
    lines += [f"  {law}: {s}" for law, found in verdict.wrong.items() for s in found[:6]]
    lines.append(f"  what it left: {FAILURES / f'run{verdict.case.seed}'}")
    lines.append(f"  repeat: python -m tests.support.crash.runs --only '{verdict.case.name}'")
    return "\n".join(lines)


def _one(case: Case) -> int:
    async def run(shared: tuple[Path, Path, str]) -> Verdict:
        async with tools_of(*shared) as tools:
            return await carry_out(case, tools)

    with shared_tools() as shared:
        verdict = asyncio.run(run(shared))
    Console().print(describe(verdict) if not verdict.is_good else "no law was broken")
    Console().print(verdict.figures)
    return int(not verdict.is_good)


def report(rows: list[dict[str, object]], seconds: float, new: int) -> int:
    """Print what came of all runs; 1 when a law was broken."""
    totals: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    longest = 0
    for row in rows:
        figures, wrong = row["figures"], row["wrong"]
        assert isinstance(figures, dict)
        assert isinstance(wrong, dict)
        totals.update({name: figures[name] for name in figures if name != "exposed_ms"})
        longest = max(longest, figures.get("exposed_ms", 0))
        broken.update({law: len(found) for law, found in wrong.items()})
    bad = sum(any(row["wrong"].values()) for row in rows)  # type: ignore[attr-defined]  # a dict
    drifted = sum(bool(row["wrong"].get("drifted")) for row in rows)  # type: ignore[attr-defined]  # a dict
    table = Table(title=f"{len(rows)} runs, {new} of them now in {seconds:.0f} s")
    table.add_column("what")
    table.add_column("figure", justify="right")
    shown = {
        "processes killed": totals["lives"],
        "of them where it was planned": totals["planned_deaths"],
        "intents": totals["intents"],
        "entries executed": totals["entries"],
        "fills compared": totals["fills"],
        "entries executed twice": broken[LAWS[0]],
        "intents without a final state": broken[LAWS[1]],
        "positions unprotected for more than 2 s": broken[LAWS[2]],
        "longest without a stop, ms": longest,
        "exchange too busy to answer, s": round(totals["stalled_ms"] / 1000),
        "bots without a processor, s": round(totals["starved_ms"] / 1000),
        "books equal to the exchange's": f"{(len(rows) - drifted) / max(1, len(rows)):.2%}",
        "runs with anything wrong": bad,
    }
    for what, figure in shown.items():
        table.add_row(what, str(figure))
    if new:
        table.add_row("runs a minute", f"{new / seconds * 60:.1f}")
    Console().print(table)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
