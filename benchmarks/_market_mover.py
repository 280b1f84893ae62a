"""The market of the signals' benchmark, in a process of its own: it costs the measured one nothing.

Run with the address of a local exchange that follows. Each line of its input is a symbol and its
price from now on. It ends when its input does.
"""

import asyncio
import sys
from decimal import Decimal
from time import time_ns

from milobot.app.paper_control import PaperControl, ToldBook
from milobot.domain.reports import BookTicker

_EVERY_S = 2.0
_QUIET_S = 3.0
"""A market that has moved lately is told by its moves; an older price must not overtake them."""


def quote(symbol: str, price: Decimal) -> ToldBook:
    """Return a book around a price."""
    deep = Decimal(10_000)
    return ToldBook(BookTicker(symbol, price, deep, price, deep, time_ns() // 1_000_000), 0)


class Mover:
    """Tells prices when they move, and again and again while they rest.

    A local exchange that is told its prices has no stream of them. What it was told long ago is
    no price for it to fill at.
    """

    def __init__(self, control: PaperControl) -> None:
        """Know no price yet."""
        self._control = control
        self._prices: dict[str, Decimal] = {}
        self._moved: dict[str, float] = {}

    async def move(self, symbol: str, price: Decimal) -> None:
        """Tell a new price."""
        self._prices[symbol] = price
        self._moved[symbol] = asyncio.get_running_loop().time()
        await self._control.tell([quote(symbol, price)])

    async def keep_fresh(self) -> None:
        """Tell again what has not moved lately, until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_S)
            quiet_s = asyncio.get_running_loop().time() - _QUIET_S
            quiet = [one for one in self._prices.items() if self._moved[one[0]] < quiet_s]
            await self._control.tell([quote(*one) for one in quiet])


async def main(url: str) -> None:
    """Move the market as the input says."""
    async with PaperControl(url) as control, asyncio.TaskGroup() as tasks:
        mover = Mover(control)
        fresh = tasks.create_task(mover.keep_fresh())
        while line := await asyncio.to_thread(sys.stdin.readline):
            symbol, price = line.split()
            await mover.move(symbol, Decimal(price))
        fresh.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
