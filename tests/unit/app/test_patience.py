"""An exchange that is away at the start is waited for, and whoever asks learns why."""

import asyncio

import pytest

from milobot.app.patience import MOST_S, FirstTries, Patience
from milobot.errors import AuthenticationError, CircuitOpenError, ExchangeUnavailableError


class Asked:
    """An exchange that fails in the given ways before it answers."""

    def __init__(self, *failures: Exception) -> None:
        """Take what happens first."""
        self._failures = list(failures)
        self.slept: list[float] = []
        self.told: list[str] = []

    def patience(self) -> Patience:
        """Return somebody who waits for it without waiting."""
        return Patience("binance", self.told.append, sleep=self._sleep)

    async def answer(self) -> int:
        """Fail as often as was given, then answer."""
        if self._failures:
            raise self._failures.pop(0)
        return 42

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def _gone() -> ExchangeUnavailableError:
    return ExchangeUnavailableError("no connection")


async def test_an_exchange_that_is_away_is_asked_until_it_answers() -> None:
    """Each reason is told once, and that it is over; tries grow apart, but not by much."""
    asked = Asked(*(_gone() for _ in range(6)))

    answer = await asked.patience().ask(asked.answer)

    assert answer == 42
    assert asked.told == ["binance does not answer (no connection)", ""]
    assert asked.slept == [0.5, 1.0, 2.0, MOST_S, MOST_S, MOST_S]


async def test_one_that_answers_at_once_is_no_news() -> None:
    """Nothing is told where nothing is waited for."""
    asked = Asked()

    await asked.patience().ask(asked.answer)

    assert (asked.told, asked.slept) == ([], [])


async def test_a_rest_that_we_give_it_does_not_hide_why() -> None:
    """Whoever reads wants to know what the exchange did, not what our breaker does about it."""
    asked = Asked(_gone(), CircuitOpenError("nothing but exits is sent"), _gone())

    await asked.patience().ask(asked.answer)

    assert asked.told == ["binance does not answer (no connection)", ""]


async def test_a_key_that_is_refused_ends_the_wait() -> None:
    """No waiting helps, and asking on would have the address banned."""
    asked = Asked(_gone(), AuthenticationError("the key is wrong"))

    with pytest.raises(AuthenticationError):
        await asked.patience().ask(asked.answer)

    assert len(asked.slept) == 1


async def test_no_account_begins_before_the_others_were_asked() -> None:
    """A second key that is refused would end a run that has just entered by the first."""
    tries = FirstTries(["binance:default", "bingx:default"])
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(tries.pass_by("binance:default"))
        await asyncio.sleep(0)
        assert not first.done()
        tries.note("bingx:default")
        await first


async def test_an_exchange_that_hangs_holds_up_the_others_for_seconds_only() -> None:
    """What is open at the one has to be looked after."""
    tries = FirstTries(["binance:default", "bingx:default"], within_s=0.01)

    async with asyncio.timeout(5):
        await tries.pass_by("binance:default")
