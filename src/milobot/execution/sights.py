"""Positions that are shown beside what was asked for: none of them is shown to nobody.

Time runs from the moment at which a position is shown in whatever answer. So those beside the one
that a question was about are kept, and compared with our books when nothing explains them soon.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from milobot.domain.orders import Order
from milobot.domain.reports import PositionNews, PositionReport
from milobot.execution.engine import ExecutionEngine
from milobot.execution.look import CLOCK_SLACK_MS
from milobot.execution.told_positions import ToldPositions
from milobot.ports import Clock


@dataclass(slots=True)
class Sights:
    """Keeps every position that is shown, for as long as it may have to be compared."""

    engine: ExecutionEngine
    clock: Clock
    told: ToldPositions = field(default_factory=ToldPositions)

    def keep(self, position: PositionNews | PositionReport, told_ms: int) -> None:
        """Keep a position as it was told."""
        self.told.keep(position, told_ms, self.clock.now_ms())

    def beside(self, order: Order, positions: Iterable[PositionReport]) -> list[PositionReport]:
        """Return the position that an order may have led to, and keep all others.

        One that last changed before the order was made is an old picture of another.
        """
        own: list[PositionReport] = []
        first_ms = order.created_ms - CLOCK_SLACK_MS
        for position in positions:
            is_old = 0 < position.time_ms < first_ms
            if position.symbol == order.symbol and not is_old:
                own.append(position)
            elif not self.engine.slot(position.symbol).blocked:
                self.keep(position, position.time_ms)
        return own
