"""Token buckets: how often, how much at once, how many are remembered."""

from hypothesis import given
from hypothesis import strategies as st

from milobot.web.rate_limit import RateLimit


class Seconds:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        """Begin anywhere."""
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_a_burst_and_then_the_rate() -> None:
    """After silence twice the rate, then one for each interval."""
    clock = Seconds()
    limit = RateLimit(4.0, monotonic=clock)

    assert [limit.take("a") == 0 for _ in range(9)] == [True] * 8 + [False]
    assert limit.take("a") == 0.25
    clock.now += 0.25
    assert limit.take("a") == 0
    assert limit.take("a") > 0


def test_a_slow_rate_allows_the_first() -> None:
    """A bucket that holds less than one would never allow any."""
    assert RateLimit(0.1, monotonic=Seconds()).take("a") == 0


def test_no_more_names_are_kept_than_said() -> None:
    """An attacker with many addresses must not fill the memory."""
    limit = RateLimit(1.0, most_names=3, monotonic=Seconds())

    for number in range(100):
        limit.take(str(number))

    assert len(limit) == 3


@given(
    st.lists(st.floats(0, 3), max_size=60),
    st.floats(0.1, 50),
)
def test_never_more_than_burst_and_rate_allow(pauses: list[float], rate: float) -> None:
    """Whatever the rhythm: allowed <= burst + rate * time."""
    clock = Seconds()
    limit = RateLimit(rate, monotonic=clock)
    allowed = 0

    for pause in pauses:
        clock.now += pause
        allowed += limit.take("a") == 0

    assert allowed <= max(1.0, 2 * rate) + rate * sum(pauses) + 1e-6
