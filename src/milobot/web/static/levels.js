// Entry, stop, target and liquidation as labelled lines across the candles.

import { decimal } from "./format.js";

const NAMES = ["entry", "stop", "target", "liquidation"];

export class Levels {
  constructor(series, lineStyle) {
    this.series = series;
    this.lineStyle = lineStyle;
    this.lines = new Map();
    this.prices = [];
  }

  /** Show the levels of a position, or none. */
  show(position, theme) {
    for (const name of NAMES) {
      this.draw(name, position, theme);
    }
    // Liquidation is far away as a rule: stretching to it would flatten the candles.
    this.prices = position
      ? [position.entry, position.stop, position.target].filter(Boolean).map(Number)
      : [];
  }

  draw(name, position, theme) {
    const price = position?.[name];
    const line = this.lines.get(name);
    if (!price) {
      if (line) {
        this.series.removePriceLine(line);
        this.lines.delete(name);
      }
      return;
    }
    const options = {
      price: Number(price), color: theme[name], lineWidth: 1, axisLabelVisible: true,
      axisLabelColor: theme[name], axisLabelTextColor: theme.bg,
      lineStyle: name === "entry" ? this.lineStyle.Solid : this.lineStyle.Dashed,
      title: name === "entry" ? `${position.side} ${decimal(position.quantity)}` : name.toUpperCase(),
    };
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
