"""A sample of what ``make prove-simulation`` plays by the thousand: histories, and bugs put in."""

import asyncio
from random import Random

import pytest
from tests.support.simulated.history import History
from tests.support.simulated.loop import Host, SimulatedLoop
from tests.support.simulated.mutants import MUTANTS, hunt
from tests.support.simulated.weather import KINDS

_SAMPLE = 8


@pytest.mark.parametrize("weather", sorted({kind.name for kind in KINDS}))
def test_laws_hold_in_every_weather(weather: str) -> None:
    """Never twice, protected or flat, books that agree in the end: whatever goes wrong."""
    for seed in range(_SAMPLE):
        result = History(seed, weather=weather).play()

        assert result.breaches == (), f"seed {seed}, weather {weather}"
        assert result.checks > 0


def test_same_seed_is_the_same_history() -> None:
    """A failure that cannot be played again cannot be understood."""
    first, second = (History(11).play() for _ in range(2))

    assert first == second


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_bug_put_into_the_engine_is_caught(name: str) -> None:
    """Laws that no bug can break would prove nothing."""
    assert hunt(name, most=100).breach


def test_stopped_process_does_nothing_until_it_is_woken() -> None:
    """What came meanwhile is served then, in the order in which it came."""
    loop = SimulatedLoop(Random(1))  # type: ignore[abstract]  # noqa: S311 - to be played again
    host, done = Host("one"), list[int]()

    async def work() -> None:
        for number in range(4):
            done.append(number)
            await asyncio.sleep(1)

    async def world() -> None:
        task = loop.create_task(work(), context=host.context)
        await asyncio.sleep(1.5)
        loop.stop_host(host)
        await asyncio.sleep(60)
        assert done == [0, 1]
        loop.wake_host(host)
        await task

    loop.run(world())

    assert done == [0, 1, 2, 3]
    assert 63 < loop.time() < 64
