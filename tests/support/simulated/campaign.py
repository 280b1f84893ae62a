"""Histories by the thousand: what traders rely on, in every weather, on two cores.

Replay one, as a failure names it: ``python -m tests.support.simulated.campaign --seed 4711``.
"""

import argparse
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from tests.support.simulated.history import History, Result
from tests.support.simulated.mutants import MUTANTS, hunt_all

_BATCH = 50
_REPLAY = "python -m tests.support.simulated.campaign --seed"


@dataclass
class Summary:
    """What a campaign has come to so far."""

    histories: int = 0
    weathers: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    checks: int = 0
    entries: int = 0
    longest_ms: int = 0
    slowest_s: float = 0.0
    failed: list[Result] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """Count one history."""
        self.histories += 1
        self.weathers[result.weather] += 1
        self.struck.update(result.struck)
        self.checks += result.checks
        self.entries += result.entries
        if result.breaches:
            self.failed.append(result)
            return
        self.longest_ms = max(self.longest_ms, result.longest_ms)
        self.slowest_s = max(self.slowest_s, result.recovered_s)


def play_all(seeds: range) -> list[Result]:
    """Play some histories, one after the other."""
    return [History(seed).play() for seed in seeds]


def campaign(first: int, count: int, workers: int) -> Iterator[Result]:
    """Yield what came of each history, in any order."""
    starts = range(first, first + count, _BATCH)
    batches = [range(start, min(start + _BATCH, first + count)) for start in starts]
    with ProcessPoolExecutor(workers) as pool:
        for done in as_completed([pool.submit(play_all, batch) for batch in batches]):
            yield from done.result()


def show_failure(result: Result, console: Console) -> None:
    """Print what was broken, and how to see it again."""
    console.print(f"[red]seed {result.seed} ({result.weather})[/red]: {result.breaches[0]}")
    console.print(f"    again: {_REPLAY} {result.seed}", soft_wrap=True)


def show(summary: Summary, seconds: float, console: Console) -> None:
    """Print what a campaign came to."""
    table = Table("fault", "struck", title="Faults")
    for fault, times in summary.struck.most_common():
        table.add_row(fault, f"{times:,}")
    console.print(table)
    weathers = ", ".join(f"{name} {count:,}" for name, count in summary.weathers.most_common())
    console.print(f"weather: {weathers}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = used.ru_utime + used.ru_stime
    console.print(
        f"{summary.histories:,} histories in {seconds:.0f} s"
        f" ({summary.histories / seconds:.0f}/s; {cpu_s:.0f} s of processor time), {summary.entries:,} entries sent,"
        f" the truth looked at {summary.checks:,} times; longest time open after it was shown:"
        f" {summary.longest_ms} ms; slowest recovery: {summary.slowest_s:.0f} s"
    )
    verdict = f"[red]{len(summary.failed)} failed" if summary.failed else "[green]all laws held"
    console.print(verdict)


def replay(seed: int, console: Console) -> bool:
    """Play one history again and print what it came to. Return whether all laws held."""
    result = History(seed).play()
    console.print(f"seed {seed}, weather {result.weather}, faults {dict(result.struck)}")
    for breach in result.breaches:
        console.print(f"[red]{breach}[/red]", soft_wrap=True)
    console.print("all laws held" if not result.breaches else f"{len(result.breaches)} broken")
    return not result.breaches


def main() -> int:
    """Run a campaign; return 1 when a law was broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, help="play this history only")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--histories", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-mutants", action="store_true", help="put no bugs in afterwards")
    words = parser.parse_args()
    console = Console()
    if words.seed is not None:
        return 0 if replay(words.seed, console) else 1
    console.print(f"seeds {words.first} to {words.first + words.histories - 1}")
    summary, began_s = Summary(), time.monotonic()
    with Progress(console=console) as progress:
        bar = progress.add_task("histories", total=words.histories)
        for result in campaign(words.first, words.histories, words.workers):
            summary.add(result)
            progress.advance(bar)
            if result.breaches:
                show_failure(result, progress.console)
    show(summary, time.monotonic() - began_s, console)
    are_caught = words.no_mutants or hunt_all(list(MUTANTS), console)
    return 1 if summary.failed or not are_caught else 0


if __name__ == "__main__":
    sys.exit(main())
