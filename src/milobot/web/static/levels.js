// Entry, stop, target and liquidation as labelled lines across the candles.

import { decimal } from "./format.js";

export class Levels {
  constructor(series, lineStyle) {
    this.series = series;
    this.lineStyle = lineStyle;
    this.lines = new Map();
    this.prices = [];
  }

  /** Show the levels of a position, or none. */
  show(position, theme) {
    const wanted = position ? levelsOf(position) : [];
    const names = new Set(wanted.map(({ name }) => name));
    for (const [name, line] of this.lines) {
      if (!names.has(name)) {
        this.series.removePriceLine(line);
        this.lines.delete(name);
      }
    }
    wanted.forEach((level) => this.draw(level, theme));
    // Liquidation is far away as a rule: stretching to it would flatten the candles.
    this.prices = wanted.filter(({ kind }) => kind !== "liquidation").map(({ price }) => price);
  }

  draw({ name, kind, price, title }, theme) {
    const options = {
      price, color: theme[kind], lineWidth: 1, axisLabelVisible: true,
      axisLabelColor: theme[kind], axisLabelTextColor: theme.bg,
      lineStyle: kind === "entry" ? this.lineStyle.Solid : this.lineStyle.Dashed, title,
    };
    const line = this.lines.get(name);
    if (line) {
      line.applyOptions(options);
    } else {
      this.lines.set(name, this.series.createPriceLine(options));
    }
  }

  /** Widen the price range to the levels as long as the candles stay readable. */
  autoscale(info) {
    if (!info?.priceRange || !this.prices.length) {
      return info;
    }
    const { minValue, maxValue } = info.priceRange;
    const reach = (maxValue - minValue) * 1.2;
    const near = this.prices.filter((p) => p > minValue - reach && p < maxValue + reach);
    info.priceRange.minValue = Math.min(minValue, ...near);
    info.priceRange.maxValue = Math.max(maxValue, ...near);
    return info;
  }
}

/** Return the levels that a position has, each with a name of its own. */
function levelsOf({ side, quantity, entry, stop, targets, liquidation }) {
  const numbered = targets.length > 1;
  const levels = [
    { kind: "entry", text: entry, title: `${side} ${decimal(quantity)}` },
    { kind: "stop", text: stop, title: "STOP" },
    { kind: "liquidation", text: liquidation, title: "LIQUIDATION" },
    ...targets.map((text, at) => ({
      kind: "target", text, name: `target ${at}`, title: numbered ? `TARGET ${at + 1}` : "TARGET",
    })),
  ];
  return levels.filter(({ text }) => text !== null)
    .map((level) => ({ ...level, name: level.name ?? level.kind, price: Number(level.text) }));
}
