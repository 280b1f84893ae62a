"""Faults x order calls x dialects: what a client says of an order agrees with the ledger.

A seeded sample of ``make prove-faults``, and proof that the judge can condemn.
"""

import pytest
from tests.support.fault_cases import CALLS, DIALECTS, LIE, Case, all_cases, parse_case
from tests.support.fault_judge import judge_placing
from tests.support.fault_runs import run

from milobot.domain.orders import OrderStatus, OrderUpdate
from milobot.local_exchange.fault_kinds import KINDS

SAMPLE = 22


def sample(dialect: str, call: str) -> list[Case]:
    """Return some of the cases of one call, other faults for each call."""
    mine = [c for c in all_cases(3) if (c.dialect, c.call) == (dialect, call)]
    start = CALLS.index(call)
    return mine[start :: len(mine) // SAMPLE]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_outcome_agrees_with_the_ledger(dialect: str, call: str) -> None:
    """Never REJECTED what was executed, never taken what was not, never twice."""
    wrong = [v for v in [await run(case) for case in sample(dialect, call)] if v.problem]

    assert [f"{v.case.name}: {v.outcome}: {v.problem}" for v in wrong] == []


def test_matrix_is_whole() -> None:
    """Every kind of fault and every call, in both dialects, and more than 2,000 runs."""
    cases = list(all_cases(4))

    tried = {(c.dialect, c.call, c.fault) for c in cases}
    wanted = {
        (dialect, call, kind)
        for dialect in DIALECTS
        for call in CALLS
        for kind in KINDS
        if kind != "reject"  # stands for the error codes, which are tried one by one
    }
    assert wanted <= tried
    assert len(cases) > 2000
    assert all(parse_case(case.name) == case for case in cases)


@pytest.mark.parametrize("call", CALLS[:3])
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_judge_condemns_a_refusal_of_what_was_executed(dialect: str, call: str) -> None:
    """An exchange that lies makes the client wrong; a judge that agrees would judge nothing."""
    verdict = await run(Case(dialect, call, LIE, 1))

    assert verdict.problem == "said REJECTED of an order that was executed"
    assert verdict.executed == 1


@pytest.mark.parametrize(
    ("status", "fault", "problem"),
    [
        (OrderStatus.SUBMITTED, "drop_before", "said SUBMITTED of an order that is not there"),
        (OrderStatus.UNKNOWN, "-2019", "said UNKNOWN although the answer was clear"),
        (OrderStatus.UNKNOWN, "drop_before", ""),
        (OrderStatus.NOT_EXECUTED, "rate_limited", ""),
    ],
)
def test_judge_weighs_what_was_said_of_nothing(
    status: OrderStatus, fault: str, problem: str
) -> None:
    """Taken but not there is wrong, doubt without a reason too; doubt with a reason is not."""
    update = OrderUpdate("x", "BTCUSDT", status, 0)

    assert judge_placing(Case("binance", "market", fault, 0), (update,), []) == problem
    assert judge_placing(Case("binance", "market", fault, 0), (), []) != ""
