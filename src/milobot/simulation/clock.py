"""The clock of a replay: it shows the time of the candle being played."""


class ReplayClock:
    """A Clock that stands still until it is moved."""

    def __init__(self, time_ms: int = 0) -> None:
        """Start at ``time_ms``, UTC milliseconds."""
        self.time_ms = time_ms

    def now_ms(self) -> int:
        """Return the time of the candle being played."""
        return self.time_ms
