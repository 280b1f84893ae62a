"""Somebody who posts signals to a bot, each until it is answered, as programs should."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

import httpx
from tests.support.crash.wishes import PRICES

from milobot.local_exchange.core.accounts import Account

RESERVE = "SOLUSDT"
"""Asked for nothing while a fault lasts: a slot whose orders are all known when it ends."""
_ANSWERED_S, _AGAIN_S, _LOOK_S, _LOOKS = 2.0, 0.05, 0.02, 30
# As often as the exchange's budget of requests bears beside starts and comparisons.
_REST_S, _HURRIES_S = (0.6, 1.4), 0.05
_FIRST = {"BTCUSDT": Decimal("0.010"), "ETHUSDT": Decimal("0.200"), "SOLUSDT": Decimal(4)}
_STEP = Decimal("0.001")


@dataclass(slots=True)
class Load:
    """Enters and closes each symbol in turn, by what the exchange itself says is held.

    Attributes:
        wished: Symbol and quantity of each entry asked for, by key; no two are alike.
        taken: Ids of the signals that were answered with success.
        posts: How many messages were handed in.
        is_done: Whether all is answered and nothing more will be asked.
    """

    client: httpx.AsyncClient
    account: Account
    dice: random.Random
    name: str
    wished: dict[str, tuple[str, Decimal]] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)
    posts: int = 0
    is_done: bool = False
    _is_held_back: bool = False
    _hurries: bool = False
    _is_over: bool = False

    def hold_back(self) -> None:
        """Ask for nothing in the reserve from now on."""
        self._is_held_back = True

    def go_on(self) -> None:
        """Ask for everything again, and without a rest until the next order is accepted."""
        self._is_held_back, self._hurries = False, True

    def calm(self) -> None:
        """Ask no more often than before the fault."""
        self._hurries = False

    def end(self) -> None:
        """Ask for nothing new."""
        self._is_over = True

    def holds(self, symbol: str) -> bool:
        """Return whether the exchange holds a position for us."""
        book = self.account.books.get(symbol)
        return book is not None and not book.position.is_flat

    async def run(self) -> None:
        """Ask until the end, then until everything was answered."""
        async with asyncio.TaskGroup() as tasks:
            for symbol in PRICES:
                tasks.create_task(self._ask_on(symbol))
        self.is_done = True

    async def _ask_on(self, symbol: str) -> None:
        number = 0
        while not self._is_over:
            # The reserve is left flat before it is held back.
            if self._is_held_back and symbol == RESERVE and not self.holds(symbol):
                await asyncio.sleep(_LOOK_S)
                continue
            number += 1
            was_held, key = self.holds(symbol), f"{self.name}-{symbol}-{number}"
            message = f"close {symbol}" if was_held else self._entry(symbol, number, key)
            await self._post(key, message)
            for _ in range(_LOOKS):
                if self.holds(symbol) != was_held:
                    break
                await asyncio.sleep(_LOOK_S)
            await asyncio.sleep(_HURRIES_S if self._hurries else self.dice.uniform(*_REST_S))

    def _entry(self, symbol: str, number: int, key: str) -> str:
        quantity = _FIRST[symbol] + number * _STEP
        self.wished[key] = (symbol, quantity)
        return f"BUY {symbol} {quantity}"

    async def _post(self, key: str, message: str) -> None:
        """Hand a message in until there is an answer that is final."""
        self.posts += 1
        body, headers = {"message": message}, {"Idempotency-Key": key}
        while True:
            try:
                answer = await self.client.post("/signal", json=body, headers=headers)
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.status_code < 500:
                break
            await asyncio.sleep(_AGAIN_S)
        if answer.status_code in {200, 202}:
            self.taken.add(answer.json()["id"])


@asynccontextmanager
async def loading(
    url: str, account: Account, dice: random.Random, name: str
) -> AsyncIterator[Load]:
    """Give a load that has begun; it is broken off at the block's end."""
    async with httpx.AsyncClient(base_url=url, timeout=_ANSWERED_S, trust_env=False) as client:
        load = Load(client, account, dice, name)
        async with asyncio.TaskGroup() as tasks:
            asking = tasks.create_task(load.run())
            try:
                yield load
            finally:
                asking.cancel()


async def is_ready(load: Load) -> bool:
    """Return whether the bot says that it is."""
    try:
        return (await load.client.get("/ready")).status_code == 200
    except httpx.HTTPError:
        return False
