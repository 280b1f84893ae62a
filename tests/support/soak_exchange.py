"""An exchange for soaks: one true candle a minute, told over a bad network by a bad clock.

It speaks either dialect. Frames come late, twice, out of order or not at all; connections
drop or go silent; requests fail, for a moment or for a while; listings lag behind the close
and a quiet symbol's next row takes its time; clocks drift and jump; listen keys end.
"""

from collections.abc import Callable, Iterator, Sequence
from random import Random
from urllib.parse import parse_qsl, urlsplit

from tests.support.fake_sockets import FakeConnector, FakeSocket
from tests.support.fake_transport import TIMEOUT, reply
from tests.support.soak_words import MOST_OFF_MS, WORDS, Words, listen_key_of
from tests.support.soak_world import START_MS, Badness, Met, ShiftedClock, final, formed
from tests.support.virtual_time import VirtualTime

from milobot.domain.timeframes import MINUTE_MS, Timeframe
from milobot.exchanges.wire import Answer, Facts, SignedCall

KEY_LIFE_MS = 3_600_000
_LONGEST_LAG_MS = 300
_LISTEN_KEY_PATHS = ("/listenKey", "/userDataStream")


class SoakExchange:
    """One exchange.

    Attributes:
        clock: Its clock.
        client_clock: That of the client's machine, which jumps too.
    """

    def __init__(self, dialect: str, symbols: Sequence[str], bad: Badness, seed: int) -> None:
        """Stand at the start; ``play`` makes a minute pass."""
        self.time = VirtualTime(START_MS)
        self.clock = ShiftedClock(self.time, 5000)
        self.client_clock = ShiftedClock(self.time)
        self.connector = FakeConnector(self.time)
        self.words: Words = WORDS[dialect]()
        self.met = Met()
        self.bad = bad
        # What happens is planned with dice of its own: how often the client asks changes none.
        self.chance = Random(f"plan {seed}")  # noqa: S311 - a test's dice
        self._answers = Random(f"answers {seed}")  # noqa: S311 - a test's dice
        self.keys = ListenKeys(self)
        self._symbols = symbols
        self._carried: dict[int, frozenset[str]] = {}
        self._forming_ms = START_MS
        self._turned_ms = START_MS
        self._down_until_ms = 0

    async def play(self, open_ms: int) -> None:
        """Let one candle of every symbol form and close."""
        close_ms = open_ms + MINUTE_MS
        self._plan_trouble(close_ms)
        skipped = self._fates()
        await self._wait_until(close_ms - self.chance.randint(5_000, 50_000))
        for symbol in self._symbols[:: self.chance.randint(20, 40)]:
            if symbol not in skipped:
                self._push(symbol, [self.words.forming(formed(symbol, open_ms), symbol)])
        await self._wait_until(close_ms)
        self._turn()
        self._close_candles(open_ms, skipped)

    async def send(self, request: SignedCall) -> Facts:
        """Answer a request (port ``Transport``)."""
        chance = self._answers
        await self.time.sleep(chance.uniform(0.005, 0.1))
        if self.time.now_ms() < self._down_until_ms or chance.random() < self.bad.failures:
            self.met.failed += 1
            return TIMEOUT if chance.random() < 0.5 else reply({}, 503)
        answer = self._answer(request)
        await self.time.sleep(chance.uniform(0.005, 0.1))
        return answer

    def end(self, socket: FakeSocket) -> None:
        """Let the other side drop a connection."""
        self._carried.pop(id(socket), None)
        self.time.call_later(0, _closing(socket))

    def _turn(self) -> None:
        """Close what has closed by the exchange's clock; it stays so if that jumps back."""
        opened_ms = Timeframe.M1.open_of(self.clock.now_ms())
        if opened_ms > self._forming_ms:
            self._forming_ms, self._turned_ms = opened_ms, self.time.now_ms()

    def _answer(self, request: SignedCall) -> Answer:
        self._turn()
        url = urlsplit(request.url)
        params = dict(parse_qsl(request.body or url.query))
        if "signature" in params:
            off_ms = int(params["timestamp"]) - self.clock.now_ms()
            if abs(off_ms) > MOST_OFF_MS:
                return self.words.too_far_off()
        if url.path == self.words.candles_path:
            return self._list(params)
        if url.path == self.words.time_path:
            self.met.times_asked += 1
            return self.words.told_time(self.clock.now_ms())
        if url.path.endswith(_LISTEN_KEY_PATHS):
            return self.keys.answer(request.method, params)
        return reply({"symbol": "BNBUSDT", "price": "600"})

    def _list(self, params: dict[str, str]) -> Answer:
        """List candles; the machine that does lags behind, a quiet symbol's next row more."""
        self.met.listings += 1
        symbol = self.words.symbol_of(params["symbol"])
        forming_ms = self._forming_ms
        age_ms = self.time.now_ms() - self._turned_ms
        lag_ms = self._answers.randint(0, _LONGEST_LAG_MS)
        quiet = Random(f"{symbol}{forming_ms}")  # noqa: S311 - the same for every listing
        if quiet.random() < self.bad.quiet:
            lag_ms = max(lag_ms, quiet.randint(300, 20_000))
        first_ms = -(-int(params["startTime"]) // MINUTE_MS) * MINUTE_MS
        last_ms = min(forming_ms, int(params.get("endTime", forming_ms)))
        rows = [final(symbol, t) for t in range(first_ms, last_ms + 1, MINUTE_MS)]
        if rows and rows[-1].time == forming_ms:
            rows[-1] = formed(symbol, forming_ms)
            if age_ms < lag_ms:
                rows.pop()
        if (
            rows
            and age_ms < min(lag_ms, _LONGEST_LAG_MS)
            and rows[-1].time == forming_ms - MINUTE_MS
        ):
            rows[-1] = formed(symbol, rows[-1].time)
        return self.words.listing(rows[: int(params["limit"])])

    def _fates(self) -> dict[str, float | None]:
        """Return which symbols' frames are lost this minute (None), or late by how long."""
        found: dict[str, float | None] = {}
        for symbol in self._symbols:
            dice = self.chance.random()
            if dice < self.bad.lost:
                found[symbol] = None
            elif dice < self.bad.lost + self.bad.late:
                found[symbol] = self.chance.uniform(1, 50)
        return found

    def _close_candles(self, open_ms: int, fates: dict[str, float | None]) -> None:
        for symbol in self._symbols:
            delay_s = fates.get(symbol, self.chance.choice((0.02, 0.13, 0.26)))
            if delay_s is not None:
                self._close_later(delay_s, symbol, open_ms)
            if self.chance.random() < self.bad.twice:
                self._close_later(self.chance.uniform(0.5, 50), symbol, open_ms)

    def _close_later(self, delay_s: float, symbol: str, open_ms: int) -> None:
        def close() -> None:
            last, before = final(symbol, open_ms), formed(symbol, open_ms)
            self._push(symbol, self.words.closing(last, before, symbol))

        self.time.call_later(delay_s, close)

    def _push(self, symbol: str, frames: Sequence[str | bytes]) -> None:
        for socket in self._market_sockets():
            if symbol in self._carries(socket):
                for frame in frames if socket.answers_pings else ():
                    socket.push(frame)
                return

    def _market_sockets(self) -> Iterator[FakeSocket]:
        return (s for s in self.connector.sockets if s.is_open and not listen_key_of(s))

    def _carries(self, socket: FakeSocket) -> frozenset[str]:
        known = self._carried.get(id(socket))
        if not known:
            known = self._carried[id(socket)] = self.words.subscribed(socket)
        return known

    def _plan_trouble(self, close_ms: int) -> None:
        """Decide what goes wrong in the minute that begins."""
        bad, chance = self.bad, self.chance
        self.connector.sockets = [s for s in self.connector.sockets if s.is_open]
        self.clock.shift_ms += chance.randint(-bad.drift_ms, bad.drift_ms)
        left_s = (close_ms - self.clock.now_ms()) / 1000
        at_s = chance.uniform(0, left_s)
        dice = Random(chance.random())  # noqa: S311 - a test's dice
        self.time.call_later(at_s, lambda: self._disturb_sockets(dice))
        if chance.random() < bad.outages:
            lasts_ms = chance.randint(5_000, 90_000)
            self.time.call_later(at_s, lambda: self._go_down(lasts_ms))
        if chance.random() < bad.key_ends:
            how = chance.choice(("event", "drop", "silence"))
            self.time.call_later(at_s, lambda: self.keys.end(how))
        if chance.random() < bad.jumps:
            is_at_close = chance.random() < 0.5
            self.met.jumps += 1
            self.met.jumps_at_close += is_at_close
            at_s = left_s + chance.uniform(-0.3, 0.3) if is_at_close else at_s
            clock = chance.choice((self.clock, self.client_clock))
            by_ms = chance.choice((-1, 1)) * chance.randint(500, bad.most_jump_ms)
            self.time.call_later(at_s, lambda: self._jump(clock, by_ms))

    def _disturb_sockets(self, chance: Random) -> None:
        for socket in list(self._market_sockets()):
            dice = chance.random()
            if dice < self.bad.drops:
                self.met.dropped += 1
                self.connector.refusals += chance.choice((0, 1, 2))
                self.end(socket)
            elif dice < self.bad.drops + self.bad.silences:
                self.met.silenced += 1
                socket.answers_pings = False

    def _go_down(self, lasts_ms: int) -> None:
        self._down_until_ms = self.time.now_ms() + lasts_ms

    def _jump(self, clock: ShiftedClock, by_ms: int) -> None:
        self._turn()
        clock.shift_ms += by_ms
        self._turn()  # a jump over a close closes
        apart_ms = abs(self.clock.shift_ms - self.client_clock.shift_ms)
        self.met.most_skew_ms = max(self.met.most_skew_ms, apart_ms)

    async def _wait_until(self, exchange_ms: int) -> None:
        """Wait until the exchange's clock shows a time, or has jumped past it."""
        while (left_ms := exchange_ms - self.clock.now_ms()) > 0:
            await self.time.sleep(min(left_ms, 1000) / 1000)


class ListenKeys:
    """The listen key of the one account: who ends it, and who gets a new one."""

    def __init__(self, exchange: SoakExchange) -> None:
        """Know of no key."""
        self._exchange = exchange
        self._number = 0
        self._valid_until_ms = 0

    @property
    def active(self) -> str:
        """Return the key that is good now; empty for none."""
        is_good = self._exchange.time.now_ms() < self._valid_until_ms
        return f"key{self._number}" if is_good else ""

    def answer(self, method: str, params: dict[str, str]) -> Answer:
        """Answer a call about it."""
        words = self._exchange.words
        if method == "POST":
            self._number += words.gives_new_keys or not self.active
        elif not self.active or params.get("listenKey", self.active) != self.active:
            return words.key_gone()
        self._valid_until_ms = self._exchange.time.now_ms() + KEY_LIFE_MS
        return reply({"listenKey": self.active} if method == "POST" else {})

    def end(self, how: str) -> None:
        """End it: with an event, with the connection, or without a word (``silence``)."""
        exchange, key = self._exchange, self.active
        if not key:
            return
        exchange.met.keys_ended += 1
        self._valid_until_ms = 0
        for socket in [s for s in exchange.connector.sockets if s.is_open]:
            if listen_key_of(socket) == key and how == "event":
                socket.push(exchange.words.key_expired(key))
            elif listen_key_of(socket) == key and how == "drop":
                exchange.end(socket)


def _closing(socket: FakeSocket) -> Callable[[], None]:
    def close() -> None:
        coroutine = socket.close()
        try:
            coroutine.send(None)
        except StopIteration:
            return

    return close
