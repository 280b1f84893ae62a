"""The fault matrix: what a client says became of an order, against the exchange's own ledger.

    python -m tests.support.fault_runs              # everything
    python -m tests.support.fault_runs --only NAME  # one run, as a failure names it

Each run has an exchange and a client of its own. A fault strikes one call; afterwards the
client asks again, and repeats what may be repeated, as its caller would.
"""

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal

from tests.support.fault_cases import (
    CALLS,
    CANCEL,
    DIALECTS,
    MARKET,
    QUERY,
    STOP,
    TARGET,
    Case,
    all_cases,
    parse_case,
)
from tests.support.fault_judge import (
    HIDES,
    NO_ANSWER,
    NOT_FOUND,
    NOT_TAKEN,
    is_open,
    judge_cancel,
    judge_placing,
    judge_query,
    may_be_missing,
)
from tests.support.fault_orders import (
    PRICE,
    SYMBOL,
    Bench,
    known_order,
    order_for,
    resting_order,
)
from tests.support.local_clients import client_for, options_for, plain_client
from tests.support.wire import flat_bars

from milobot.domain.intents import Side
from milobot.domain.money import ZERO
from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderType, OrderUpdate
from milobot.domain.timeframes import Timeframe
from milobot.errors import ExchangeError
from milobot.exchanges.bingx.client import BingxClient
from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import ExchangeSetup
from milobot.telemetry import configure_logging

S = OrderStatus
SEEDS = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a run.

    Attributes:
        outcome: What the client said of the call.
        executed: How many orders the call made, or how many it ended.
        problem: What is wrong; empty when nothing is.
    """

    case: Case
    outcome: str
    executed: int
    problem: str = ""


async def run(case: Case) -> Verdict:
    """Carry out one run."""
    dice = case.chance()
    setup = ExchangeSetup(
        candles={SYMBOL: flat_bars(4, PRICE)},
        timeframe=Timeframe.M1,
        dialects=(case.dialect,),
        has_limits=False,
    )
    setup.faults.seed = case.seed
    async with LocalExchange(setup) as local:
        await local.advance(1)
        # Long enough for this machine to answer, short against what a fault holds back.
        options = options_for(local, order_s=0.15, query_s=0.25)
        client = client_for(case.dialect, local, options)
        bench = Bench(case, dice, local, options, client)
        try:
            await client.market.fetch_server_time()
            async with _listening(bench):
                return await _RUNS.get(case.call, _place)(bench)
        except ExchangeError as error:
            return Verdict(case, "raised", 0, f"raised {type(error).__name__}: {error}")
        finally:
            await bench.client.close()


@asynccontextmanager
async def _listening(bench: Bench) -> AsyncIterator[None]:
    """Keep a user stream open where the fault is about streams."""
    if not bench.case.needs_stream:
        yield
        return
    async with plain_client(bench.case.dialect, bench.local) as other:
        feed = other.user_feed()

        async def collect() -> None:
            async for news in feed.news():
                if isinstance(news, OrderUpdate):
                    bench.news.append(news)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(feed.run()), group.create_task(collect())]
            await asyncio.sleep(0.05)
            yield
            await asyncio.sleep(0.05)
            for task in tasks:
                task.cancel()


# Placing.


async def _place(bench: Bench) -> Verdict:
    order = order_for(bench)
    before = bench.ids()
    bench.strike()
    updates = await _sent(bench, order)
    status = updates[-1].status if updates else None
    await bench.settle()
    made = bench.made(before)
    problem = judge_placing(bench.case, updates, made)
    if not problem:
        problem = await _ask_again(bench, order, status, before)
    return Verdict(bench.case, status.value if status else "nothing", len(made), problem)


async def _sent(bench: Bench, order: Order) -> tuple[OrderUpdate, ...]:
    attaches = bench.case.fault.startswith("attached_") and order.purpose is OrderPurpose.ENTRY
    if attaches and isinstance(bench.client, BingxClient):
        level = Decimal(38_000 if order.side is Side.BUY else 42_000)
        order = replace(order, attached=(_stop_of(order, level),))
    updates = await bench.client.account.place_order(order)
    return tuple(one for one in updates if one.client_order_id == order.client_order_id)


def _stop_of(entry: Order, level: Decimal) -> Order:
    return replace(
        entry,
        client_order_id=f"{entry.client_order_id}s",
        side=Side.SELL if entry.side is Side.BUY else Side.BUY,
        type=OrderType.STOP_MARKET,
        purpose=OrderPurpose.STOP,
        reduce_only=True,
        trigger_price=level,
    )


async def _ask_again(
    bench: Bench, order: Order, status: OrderStatus | None, before: set[int]
) -> str:
    """Ask for the order after the fence, and repeat an exit that is in doubt."""
    found = await bench.client.account.fetch_update(order)
    made = bench.made(before)
    if found is None and made and status not in NOT_TAKEN and bench.case.fault not in HIDES:
        return "is not found after the fence although it was executed"
    if found is not None and not made:
        return f"is found as {found.status} although it was not executed"
    if found is not None and found.status is S.UNKNOWN:
        return "is found, and still UNKNOWN"
    if order.type.is_conditional and status is S.UNKNOWN:
        await bench.client.account.place_order(order)
        await bench.client.account.place_order(order)
        if len(bench.made(before)) > 1:
            return "rests twice after it was repeated"
    return _judge_news(bench, order)


def _judge_news(bench: Bench, order: Order) -> str:
    """Check that a stream tells each fill under one name, and none that was not."""
    fills = {f.fill_id: f.quantity for n in bench.news for f in n.fills}
    true = {str(e.id): e.quantity for e in bench.account.executions}
    if sum(fills.values(), ZERO) > sum(true.values(), ZERO):
        return f"the stream told of {fills}, true are {true}, for {order.client_order_id}"
    return ""


# Cancelling.


async def _cancel(bench: Bench) -> Verdict:
    order = await resting_order(bench)
    item = bench.made(set())[-1] if bench.made(set()) else None
    if item is None:
        return Verdict(bench.case, "nothing to cancel", 0, "" if bench.case.strikes_before else "x")
    client = bench.client
    if not bench.case.strikes_before:
        bench.strike()
    updates = await client.account.cancel_order(order)
    status = updates[-1].status if updates else S.UNKNOWN
    was_open = is_open(item)
    await bench.settle()
    problem = judge_cancel(bench.case, status, item)
    if not problem:
        await client.account.cancel_order(order)
        if is_open(item) and bench.case.fault not in HIDES:
            problem = "still rests after a second cancel without a fault"
    return Verdict(bench.case, status.value, int(not was_open), problem)


# Asking.


async def _query(bench: Bench) -> Verdict:
    order = await known_order(bench)
    found = bench.made(set())
    if not bench.case.strikes_before:
        bench.strike()
    try:
        update = await bench.client.account.fetch_update(order)
    except ExchangeError:
        await bench.settle()
        again = await bench.client.account.fetch_update(order)
        lost = again is None and bool(found) and bench.case.fault not in HIDES
        return Verdict(bench.case, NO_ANSWER, len(found), "lost after the fault" if lost else "")
    if update is None:
        is_lost = bool(found) and bench.case.fault not in HIDES and not may_be_missing(bench.case)
        return Verdict(bench.case, NOT_FOUND, len(found), "not found" if is_lost else "")
    return Verdict(
        bench.case, update.status.value, len(found), judge_query(bench.case, update, found)
    )


# All of them.

_RUNS = {CANCEL: _cancel, QUERY: _query}


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(words: list[str]) -> int:
    """Run the matrix and print what came of it; 1 when anything is wrong."""
    parser = argparse.ArgumentParser(description="Hold both clients to their word under faults.")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--only", default="")
    chosen = parser.parse_args(words)
    configure_logging("ERROR")
    cases = [parse_case(chosen.only)] if chosen.only else list(all_cases(chosen.seeds))
    started = time.monotonic()
    verdicts = []
    for number, case in enumerate(cases, 1):
        verdicts.append(asyncio.run(run(case)))
        if verdicts[-1].problem:
            say(f"WRONG {case.name}: {verdicts[-1].outcome}: {verdicts[-1].problem}")
        if number % 250 == 0:
            say(f"{number} of {len(cases)}, {time.monotonic() - started:.0f} s")
    _report(verdicts, time.monotonic() - started)
    return int(any(v.problem for v in verdicts))


def _report(verdicts: list[Verdict], seconds: float) -> None:
    for dialect in DIALECTS:
        for call in CALLS:
            mine = [v for v in verdicts if (v.case.dialect, v.case.call) == (dialect, call)]
            counts = Counter(v.outcome for v in mine)
            shown = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
            if mine:
                say(f"{dialect} {call}: {len(mine)} runs: {shown}")
    wrong = sum(bool(v.problem) for v in verdicts)
    placings = [v for v in verdicts if v.case.call in {MARKET, STOP, TARGET}]
    twice = sum(v.executed > 1 for v in placings)
    say(
        f"{len(verdicts)} runs in {seconds:.0f} s: {len(verdicts) - wrong} agree with the ledger,"
        f" {wrong} do not; orders executed twice: {twice}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
