"""One history: a minute of trading in some weather, then time to recover, then the reckoning."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from tests.support.simulated.bot import Bot, Make, World
from tests.support.simulated.laws import Laws
from tests.support.simulated.loop import SimulatedLoop
from tests.support.simulated.reckoning import differences
from tests.support.simulated.records import Disk
from tests.support.simulated.remote import Remote
from tests.support.simulated.venue import Venue
from tests.support.simulated.weather import Chance, Weather, weather_of
from tests.support.simulated.wishes import Wishes

from milobot.domain.slots import Setup

_SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
TRADING_S = 45.0
# Past the longest doubt there is: what is hidden, the delay assumed, two looks, half a minute.
RECOVERY_S = 150.0
_LOOK_S = 0.25


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one history.

    Attributes:
        breaches: Laws that were broken; empty when all held.
        struck: How often each fault struck.
        longest_ms: The longest time that something lay open after it was shown.
    """

    seed: int
    weather: str
    breaches: tuple[str, ...]
    struck: Counter[str]
    longest_ms: int
    checks: int
    entries: int
    recovered_s: float


class History:
    """Plays one history."""

    def __init__(self, seed: int, make: Make = Bot, weather: str = "") -> None:
        """Draw everything from the seed."""
        dice = Random(seed)  # noqa: S311 - a seed that can be played again is what is wanted
        self.seed = seed
        self.weather: Weather = weather_of(dice, weather)
        # Abstract to a type checker: nobody here asks for sockets, signals or processes.
        self.loop = SimulatedLoop(Random(dice.random()))  # type: ignore[abstract]  # noqa: S311
        self.chance = Chance(dice, self.weather)
        self.venue = Venue(self.loop, self.chance, _SYMBOLS[: dice.randint(1, 3)])
        self.disk = Disk()
        self.laws = Laws(self.loop, self.venue, self.disk, self.weather)
        self.world = World(self.loop, self.chance, self.venue, self.disk, self.laws)
        self.wishes = Wishes(self.loop, self.chance, self.venue)
        self.wishes.plan = self._planned
        self.bots: list[Bot] = []
        self._make = make
        self._calls_to_live = 0
        self._foreign: list[Remote] = []
        self.venue.told = self._tell

    def play(self) -> Result:
        """Return what came of it."""
        return self.loop.run(self._play())

    async def _play(self) -> Result:
        self._plan()
        self._lead()
        while self.loop.time() < TRADING_S and not self.laws.breaches:
            await self._pass()
        self._clear_up()
        ended_s = self.loop.time()
        left: list[str] = []
        while self.loop.time() < ended_s + RECOVERY_S and not self.laws.breaches:
            await self._pass()
            left = self._differences()
            if not left:
                break
        for difference in left:
            self.laws.broken(f"in the end {difference}")
        recovered_s = self.loop.time() - ended_s
        for bot in self.bots:
            await bot.bury()
        return Result(
            seed=self.seed,
            weather=self.weather.name,
            breaches=tuple(self.laws.breaches),
            struck=self.chance.struck,
            longest_ms=self.laws.exposures.longest_ms,
            checks=self.laws.checks,
            entries=sum(1 for o in self.disk.first.values() if o.purpose == "entry"),
            recovered_s=recovered_s,
        )

    def _differences(self) -> list[str]:
        bot = self.bots[-1]
        if not (self.laws.exposures.is_ready and bot.runs):
            return ["nobody leads the account"]
        return differences(self.world, bot.engine, self.wishes.made)

    async def _pass(self) -> None:
        await asyncio.sleep(_LOOK_S)
        self.venue.move()
        self.laws.look()
        if self.loop.now_ms() > self.disk.until_ms or not self.bots[-1].runs:
            self._lead()

    def _lead(self) -> None:
        """Let a new process take the lead, once nobody else can have it."""
        if self.loop.now_ms() <= self.disk.until_ms:
            return
        bot = self._make(f"process {len(self.bots) + 1}", self.world)
        bot.client.called = bot.journal.called = self._called
        self.bots.append(bot)
        bot.start()
        for intent in self.wishes.made[-6:]:
            if intent.key not in self.world.answered:
                bot.submit(intent)

    def _tell(self, news: object, remote: Remote | None) -> None:
        for bot in self.bots[-2:]:
            bot.tell(news, remote)  # type: ignore[arg-type]  # a test double

    # --- what happens

    def _plan(self) -> None:
        """Draw when everything happens that is no chance of a single occasion."""
        weather = self.weather
        self._at_times(weather.crashes, "crash", self._crash)
        self._at_times(weather.freezes, "freeze", self._freeze)
        self._at_times(weather.gaps, "gap", self._gap)
        self._at_times(weather.outages, "outage", self._outage)
        self._at_times(weather.ledger_away, "ledger_away", self._ledger_away)
        self._at_times(weather.hand_trades, "hand_trade", self._hand_trade)
        self._at_times(weather.hand_adds, "hand_add", self._hand_add)
        self._at_times(weather.foreign_orders, "foreign_order", self._foreign_order)
        self._at_times(weather.liquidations, "liquidation", self._liquidate)
        time_s = 0.5
        while time_s < TRADING_S:
            self.loop.in_world(time_s, self._wish)
            time_s += self.chance.dice.expovariate(0.9)
        for second in range(2, int(TRADING_S), 3):
            self.loop.in_world(second, self._candle)

    def _at_times(self, most: int, fault: str, strike: Callable[[], None]) -> None:
        for _ in range(self.chance.dice.randint(0, most)):
            self.loop.in_world(self.chance.between(1, TRADING_S - 1), strike)
            self.chance.struck[fault] += 1

    def _planned(self, symbol: str) -> Setup | None:
        return self.bots[-1].engine.slot(symbol).setup

    def _wish(self) -> None:
        bot = self.bots[-1]
        intent = self.wishes.next()
        if bot.runs:
            bot.submit(intent)

    def _candle(self) -> None:
        for symbol in self.venue.symbols:
            if self.bots[-1].runs:
                self.bots[-1].candle_closed(symbol)

    def _called(self) -> None:
        """Count calls of the order path down to a crash."""
        if self._calls_to_live:
            self._calls_to_live -= 1
            if not self._calls_to_live:
                self.loop.in_world(self.chance.between(0, 0.06), self._kill)

    def _crash(self) -> None:
        """Kill the process now, or in the middle of what it does next."""
        if self.chance.dice.random() < 0.4:
            self._kill()
        else:
            self._calls_to_live = self.chance.dice.randint(1, 25)

    def _kill(self) -> None:
        bot = self.bots[-1]
        if bot.runs and not self.chance.is_over:
            bot.kill()
            self.laws.exposures.look()

    def _freeze(self) -> None:
        bot = self.bots[-1]
        if bot.runs and not bot.host.is_stopped:
            self.loop.stop_host(bot.host)
            self.laws.exposures.look()
            self.loop.in_world(self.chance.between(0.2, 9), self._thaw, bot)

    def _thaw(self, bot: Bot) -> None:
        if bot.host.is_stopped and not bot.is_dead:
            self.loop.wake_host(bot.host)
            self.laws.exposures.look()

    def _gap(self) -> None:
        bot = self.bots[-1]
        bot.lose_stream()
        says_so = self.chance.dice.random() < 0.8
        seconds = self.chance.between(0.2, 6)
        self.loop.in_world(seconds, lambda: bot.find_stream(says_so=says_so))

    def _outage(self) -> None:
        self.venue.is_away = True
        self.laws.exposures.look()
        self.loop.in_world(self.chance.between(0.5, 8), self._back)

    def _back(self) -> None:
        self.venue.is_away = False
        self.laws.exposures.look()

    def _ledger_away(self) -> None:
        self.disk.is_away = True
        self.laws.exposures.look()
        self.loop.in_world(self.chance.between(0.5, 8), self._ledger_back)

    def _ledger_back(self) -> None:
        self.disk.is_away = False
        self.laws.exposures.look()

    def _hand_trade(self) -> None:
        symbol = self.chance.dice.choice(self.venue.symbols)
        share = self.chance.dice.choice((Decimal(1), Decimal("0.5")))
        step = self.venue.rules[symbol].quantity_step
        self.venue.trade_by_hand(symbol, -self.venue.held[symbol] * share // step * step)

    def _hand_add(self) -> None:
        symbol = self.chance.dice.choice(self.venue.symbols)
        sign = -1 if self.venue.held[symbol] < 0 else 1
        self.venue.trade_by_hand(symbol, sign * Decimal("0.01"))

    def _foreign_order(self) -> None:
        symbol = self.chance.dice.choice(self.venue.symbols)
        self._foreign.append(self.venue.rest_by_hand(symbol))

    def _liquidate(self) -> None:
        symbol = self.chance.dice.choice(self.venue.symbols)
        self.venue.take_down(symbol, self.chance.dice.choice((Decimal(1), Decimal("0.5"))))

    def _clear_up(self) -> None:
        """Let nothing go wrong any more, and show what was hidden."""
        self.chance.is_over = True
        self._back()
        self._ledger_back()
        self._calls_to_live = 0
        for remote in self._foreign:
            self.venue.cancel(remote)
        for bot in self.bots:
            self._thaw(bot)
            bot.is_stream_up = True
        now_ms = self.loop.now_ms()
        for remotes in self.venue.orders.values():
            for remote in remotes:
                remote.visible_ms = min(remote.visible_ms, now_ms)
                self.venue.speak(remote)
