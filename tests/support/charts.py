"""Charts with something on them, made from a generated market."""

from dataclasses import replace
from decimal import Decimal

import numpy as np

from milobot.domain.intents import PositionSide, Side
from milobot.domain.market import CandleSeries
from milobot.domain.money import decimal_from_float
from milobot.web.state import GROWING, ChartState, Heading, Limits
from milobot.web.studies import IndicatorCall, Studies
from milobot.web.views import FillView, PositionView, SignalView

FIRST_MS = 1_704_067_200_000
MINUTE_MS = 60_000
ALL_CALLS: tuple[IndicatorCall, ...] = (
    ("calculate_ema", (20,)),
    ("calculate_sma", (50,)),
    ("calculate_rsi", (14,)),
    ("calculate_macd", (12, 26, 9)),
    ("calculate_zigzag", (1.0, 10)),
    ("detect_divergences", (20, 0)),
)


def random_candles(count: int, *, seed: int = 7, price: float = 40_000.0) -> CandleSeries:
    """Return one-minute candles of a random walk with moods, prices in steps of 0.1."""
    chance = np.random.default_rng(seed)
    mood = np.repeat(chance.normal(0, 0.0006, count // 40 + 1), 40)[:count]
    close = price * np.exp(np.cumsum(chance.normal(0, 0.0011, count) + mood))
    opened = np.concatenate([[price], close[:-1]])
    reach = np.abs(chance.normal(0, 0.0006, (2, count))) * close
    high = np.maximum(opened, close) + reach[0]
    low = np.minimum(opened, close) - reach[1]
    volume = np.round(chance.gamma(2.0, 4.0, count) * (1 + 400 * np.abs(close / opened - 1)), 3)
    times = FIRST_MS + MINUTE_MS * np.arange(count, dtype=np.int64)
    opened, high, low, close = (np.round(column, 1) for column in (opened, high, low, close))
    return CandleSeries(times, opened, high, low, close, volume)


class ChartPlayer:
    """Feeds a chart candle by candle and trades it in a simple, visible way."""

    def __init__(
        self,
        candles: CandleSeries,
        *,
        heading: Heading | None = None,
        calls: tuple[IndicatorCall, ...] = ALL_CALLS,
        limits: Limits = GROWING,
    ) -> None:
        """Begin with an empty chart."""
        self.candles = candles
        self.state = ChartState(
            heading or Heading("demo", "BTCUSDT", "1m", "macd_crossover.script"), limits=limits
        )
        self.played = 0
        self._studies = Studies(calls)
        self._equity = Decimal(10_000)
        self._held: PositionView | None = None
        self._since = 0

    def play(self, count: int) -> None:
        """Show the next ``count`` candles and publish once."""
        stop = min(self.played + count, len(self.candles))
        for at in range(self.played, stop):
            self.state.add_candles(self.candles.part(at, at + 1))
            self._trade(at)
        self.played = stop
        self.state.set_studies(self._studies.update(self.candles.part(0, stop)))
        self.state.set_status(running=True, text=f"replaying, candle {stop}")
        self.state.publish()

    def _trade(self, at: int) -> None:
        """Enter every 90 candles, leave 60 later; long and short in turn."""
        candle, phase = self.candles[at], at % 90
        price = decimal_from_float(candle.close)
        if phase == 28:
            self._signal(at, price)
        elif phase == 29:
            self._enter(at, decimal_from_float(candle.open))
        elif phase == 89 and self._held:
            self._leave(at, decimal_from_float(candle.open))
        if self._held:
            self._value(price)
        open_pnl = _gain(self._held, price) if self._held else Decimal(0)
        self.state.add_equity(candle.time, self._equity + open_pnl)

    def _signal(self, at: int, price: Decimal) -> None:
        side = PositionSide.LONG if at // 90 % 2 == 0 else PositionSide.SHORT
        time_ms = int(self.candles.time[at])
        note = f"{side.lower()}(1%risk@10x,sl=0.8%,rr=2)"
        self.state.add_signal(SignalView(time_ms, side, price, note))
        self.state.add_log(time_ms, "info", f"signal {note}")

    def _enter(self, at: int, price: Decimal) -> None:
        side = PositionSide.LONG if at // 90 % 2 == 0 else PositionSide.SHORT
        quantity = Decimal("0.311")
        time_ms = int(self.candles.time[at])
        self._held = PositionView(
            symbol="BTCUSDT",
            side=side,
            quantity=quantity,
            entry=price,
            state="PROTECTED",
            unrealized_pnl=Decimal(0),
            stop=(price * (1 - side.sign * Decimal("0.008"))).quantize(Decimal("0.1")),
            targets=((price * (1 + side.sign * Decimal("0.016"))).quantize(Decimal("0.1")),),
            liquidation=(price * (1 - side.sign * Decimal("0.095"))).quantize(Decimal("0.1")),
            on_chart=True,
        )
        self._since = time_ms
        self.state.add_fill(FillView(time_ms, side.entry, price, quantity, "entry"))
        self.state.add_log(time_ms, "info", f"filled {side.entry} {quantity} at {price}")

    def _value(self, price: Decimal) -> None:
        held = self._held
        if held is None:
            return
        self._held = replace(held, unrealized_pnl=_gain(held, price))
        self.state.set_positions([self._held])

    def _leave(self, at: int, price: Decimal) -> None:
        held = self._held
        if held is None:
            return
        time_ms = int(self.candles.time[at])
        pnl = _gain(held, price)
        self._equity += pnl
        self._held = None
        self.state.add_fill(
            FillView(time_ms, _side(held).exit, price, held.quantity, "script", pnl)
        )
        self.state.add_round_trip(
            {
                "symbol": held.symbol,
                "side": _side(held).value,
                "quantity": held.quantity,
                "signal_time": self._since - MINUTE_MS,
                "entry_time": self._since,
                "entry_price": held.entry,
                "stop": held.stop,
                "target": held.targets[0],
                "exit_time": time_ms,
                "exit_price": price,
                "exit_reason": "script",
                "fees": Decimal("12.44"),
                "funding": Decimal(0),
                "pnl": pnl,
            }
        )
        self.state.set_positions([])
        gain = self._equity / 100 - 100
        self.state.set_summary(
            {
                "Equity": f"{self._equity:,.2f} USDT",
                "Return": f"{gain:+.2f} %",
                "Fees": "12.44 USDT",
            }
        )
        level = "info" if pnl > 0 else "warning"
        self.state.add_log(time_ms, level, f"closed {Side(_side(held).exit)} {pnl:+.2f} USDT")


def _side(held: PositionView) -> PositionSide:
    assert held.side is not None
    return held.side


def _gain(held: PositionView, price: Decimal) -> Decimal:
    assert held.entry is not None
    return (price - held.entry) * held.quantity * _side(held).sign


def demo_chart(count: int = 1_500) -> ChartPlayer:
    """Return a player that has shown ``count`` candles of a market three times as long."""
    player = ChartPlayer(random_candles(count * 3))
    player.play(count)
    return player
