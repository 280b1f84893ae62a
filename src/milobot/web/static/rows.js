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

/**
 * Return points of equity and of drawdown, in percent below the highest so far.
 *
 * Past `most` points, of each stretch only the lowest and the highest are kept, so that
 * no drawdown disappears. Of rows with one time the last counts.
 */
export function curves(rows, most) {
  const points = [];
  let peak = -Infinity;
  for (const [ms, text] of rows) {
    const [time, value] = [ms / 1000, Number(text)];
    if (!Number.isFinite(value) || time < (points.at(-1)?.time ?? -Infinity)) {
      continue;
    }
    if (points.at(-1)?.time === time) {
      points.pop();
    }
    peak = Math.max(peak, value);
    points.push({ time, value, fall: peak > 0 ? (value / peak - 1) * 100 : 0 });
  }
  const kept = thinned(points, most);
  return {
    equity: kept.map(({ time, value }) => ({ time, value })),
    drawdown: kept.map(({ time, fall }) => ({ time, value: fall })),
  };
}

function thinned(points, most) {
  if (points.length <= most) {
    return points;
  }
  let stretch = 2; // a power of two, so that what is kept seldom changes as points are added
  while ((points.length / stretch) * 2 > most) {
    stretch *= 2;
  }
  const kept = [];
  for (let start = 0; start < points.length; start += stretch) {
    const part = points.slice(start, start + stretch);
    const low = part.reduce((a, b) => (b.value < a.value ? b : a));
    const high = part.reduce((a, b) => (b.value > a.value ? b : a));
    const ends = start + stretch < points.length ? [low, high] : [low, high, part.at(-1)];
    kept.push(...new Set(ends.sort((a, b) => a.time - b.time)));
  }
  return kept;
}
