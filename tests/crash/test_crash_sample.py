"""A seeded sample of the crash proof: real bots over the wire, killed and judged.

The whole of it is ``make prove-crash``.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.crash.loops import run_measured
from tests.support.crash.plan import parse_case
from tests.support.crash.run import Verdict
from tests.support.crash.runs import describe, prove, shared_tools, tools_of

# Each where the order path is most delicate: between record and request, between request and
# record of the answer, at the second commit of a reversal, within a restart, and at an instant.
ON_A_FILE = (
    "binance/sqlite/none/place_order:1:start/1",
    "bingx/sqlite/late_execution:seconds=2/instant:600/4",
    "binance/sqlite/partial_fill:fraction=0.4,times=3/commit:25:start+commit:3:end/5",
)
ON_A_SERVER = (
    "bingx/postgres/none/place_order:4:end+fetch_positions:1:end/2",
    "binance/postgres/drop_after:times=2/commit:12:end/3",
    "bingx/postgres/events_missing:times=6/cancel_order:1:end/6",
)


@pytest.fixture
def shared() -> Iterator[tuple[Path, Path, str]]:
    """Give what runs share, without a server."""
    with shared_tools(has_server=False) as found:
        yield found


def _hold_to_the_laws(names: tuple[str, ...], shared: tuple[Path, Path, str]) -> None:
    cases = [parse_case(name) for name in names]
    verdicts: list[Verdict] = []

    async def run() -> None:
        async with tools_of(*shared) as tools:
            await prove(cases, replace(tools, failures=None), len(cases), verdicts.append)

    run_measured(run())
    assert not "\n".join(describe(v) for v in verdicts if not v.is_good)
    assert sum(v.figures["entries"] for v in verdicts) > len(cases)
    assert all(v.figures["lives"] > len(v.case.kills) for v in verdicts)


def test_nothing_is_lost_doubled_or_left_open_when_a_bot_on_sqlite_is_killed(
    shared: tuple[Path, Path, str],
) -> None:
    """The promise of the product, held to on every change: the four laws of the crash proof."""
    _hold_to_the_laws(ON_A_FILE, shared)


def test_nothing_is_lost_doubled_or_left_open_when_a_bot_on_postgresql_is_killed(
    shared: tuple[Path, Path, str], ledger_on_postgres: str
) -> None:
    """The same on a server, whose transactions end otherwise when a process dies."""
    _hold_to_the_laws(ON_A_SERVER, (shared[0], shared[1], ledger_on_postgres))
