// From rows of the model to the points of lightweight-charts, whose times are seconds.

export const candlePoint = ([time, open, high, low, close]) => ({
  time: time / 1000, open, high, low, close,
});

export const volumePoint = (theme) => ([time, open, , , close, value]) => ({
  time: time / 1000, value, color: close >= open ? theme["up-soft"] : theme["down-soft"],
});

/** A point of a study; a candle without a value leaves a gap. */
export function valuePoint(time, value, theme, style) {
  const point = { time: time / 1000 };
  if (value === null || value === undefined) {
    return point;
  }
  point.value = value;
  if (style === "histogram") {
    point.color = value >= 0 ? theme["up-soft"] : theme["down-soft"];
  }
  return point;
}

/** Return the index of the last candle that opens at or before `time`; 0 before the first. */
export function indexOf(candles, time) {
  let [low, high] = [0, candles.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (candles[middle][0] <= time) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

/** Return the equity curve's points and the drawdown in percent below the highest so far. */
export class EquityCurve {
  constructor() {
    this.peak = -Infinity;
    this.last = -Infinity;
  }

  /** Points for these rows; of rows with one time the last counts when they come in one call. */
  points(rows) {
    const equity = [];
    const drawdown = [];
    for (const [ms, text] of rows) {
      const [time, value] = [ms / 1000, Number(text)];
      if (time < this.last || !Number.isFinite(value)) {
        continue;
      }
      if (time === this.last && equity.length) {
        equity.pop();
        drawdown.pop();
      }
      this.last = time;
      this.peak = Math.max(this.peak, value);
      equity.push({ time, value });
      drawdown.push({ time, value: this.peak > 0 ? (value / this.peak - 1) * 100 : 0 });
    }
    return { equity, drawdown };
  }
}
