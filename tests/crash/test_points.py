"""Places to die and cases: their names say all that is needed to repeat a run."""

import asyncio

from tests.support.crash.plan import all_cases, all_points, parse_case
from tests.support.crash.points import KillPoint, KillSwitch, parse_point


def test_a_case_is_what_its_name_says() -> None:
    """A failure is repeated by its name alone."""
    cases = all_cases(300)

    assert [parse_case(case.name) for case in cases] == cases
    assert {parse_point(str(point)) for point in all_points()} == set(all_points())


def test_a_campaign_visits_every_place_under_every_database_and_fault() -> None:
    """A plan that leaves a call out proves nothing about it."""
    cases = all_cases(1_056)

    assert {kill for case in cases for kill in case.kills} >= set(all_points())
    assert len({(c.dialect, c.database, c.fault) for c in cases}) == 2 * 2 * 25
    assert len({case.account for case in cases}) == len(cases)


async def test_a_switch_that_is_not_reached_lets_every_call_pass() -> None:
    """Only the chosen moment of the chosen call is deadly."""
    switch = KillSwitch(KillPoint("commit", 3, "start"))

    async def work() -> int:
        await asyncio.sleep(0)
        return 7

    assert [await switch.passing("commit", work()) for _ in range(2)] == [7, 7]
    assert await switch.passing("place_order", work()) == 7
