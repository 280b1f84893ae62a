"""The governor's memory: a limit reached by open loss alone outlives restarts, but not the day."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.crash.market import environment_of, exchange_for
from tests.support.crash.marks import DECIDED, read_marks
from tests.support.crash.nursery import Nursery
from tests.support.crash.runs import shared_tools, tools_of
from tests.support.crash.spec import DRILL, BotSpec

from milobot.domain.timeframes import DAY_MS
from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import DEFAULT_KEY

_LEASE_MS, _DECIDED_WITHIN_S = 4_100, 20.0
# 0.1 BTC at 40,000 on a wallet of 2,000: 1 % of the price is 2 % of the equity.
_WALLET, _LOSS_LIMIT, _DOWN, _UP = 2_000, "0.02", Decimal(39_400), Decimal(40_000)


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Path, Path, str]]:
    """Give what bots need."""
    with shared_tools(has_server=False) as found:
        yield found


@dataclass
class Drill:
    """A bot that is started again and again, and asks for one entry each time."""

    exchange: LocalExchange
    nursery: Nursery
    spec: BotSpec

    async def once(self) -> str:
        """Start it, let it ask, kill it; return what was decided."""
        self.spec = replace(self.spec, life=self.spec.life + 1)
        bot = await self.nursery.bear(self.spec)
        try:
            async with asyncio.timeout(_DECIDED_WITHIN_S):
                while not (said := self._decided()):
                    await bot.gone(0.05)
            await asyncio.sleep(0.3)  # an entry gets its stop
        finally:
            await bot.kill()
        await self.exchange.elapse(_LEASE_MS)
        return said

    def _decided(self) -> str:
        marks = read_marks(Path(self.spec.marks))
        said = [m.said for m in marks if (m.kind, m.life) == (DECIDED, self.spec.life)]
        return said[0] if said else ""


async def test_open_loss_halts_entries_through_restarts_until_the_next_day(
    shared: tuple[Path, Path, str],
) -> None:
    """A script that is restarted after a bad morning must not begin the day anew."""
    folder = shared[0] / "governor"
    folder.mkdir()
    shutil.copy(shared[1], folder / "ledger.db")
    async with (
        exchange_for("binance", 1, wallet=_WALLET) as exchange,
        tools_of(*shared) as tools,
    ):
        drill = Drill(exchange, tools.nursery, _spec(folder, exchange))

        entered = await drill.once()
        await exchange.move_price("BTCUSDT", _DOWN)
        while_down = await drill.once()
        await exchange.move_price("BTCUSDT", _UP)
        after_restarts = [await drill.once() for _ in range(3)]
        now_ms = exchange.clock.now_ms()
        await exchange.elapse(DAY_MS - now_ms % DAY_MS + 1_000)
        next_day = await drill.once()

        fills = exchange.ledger()["accounts"][0]["fills"]
    assert entered == next_day == "accepted accepted"
    assert [while_down, *after_restarts] == ["denied governor_daily_loss"] * 4
    assert [fill["symbol"] for fill in fills] == ["BTCUSDT", "ETHUSDT"]


def _spec(folder: Path, exchange: LocalExchange) -> BotSpec:
    return BotSpec(
        seed="governor",
        exchange="binance",
        account="binance:governor",
        database=f"sqlite:///{folder / 'ledger.db'}",
        marks=str(folder / "marks"),
        life=0,
        kill="",
        environment=environment_of("binance", exchange.url, DEFAULT_KEY),
        feed=DRILL,
        daily_loss=_LOSS_LIMIT,
    )
