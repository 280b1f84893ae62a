// Drawn over the candles: ZigZag, divergences, signals (hollow) and fills (solid).

import { indexOf } from "./rows.js";

const SIGN = 6; // half the width of a sign, in pixels
const SMALLEST_SIGN = 2;
const DENSE = 3; // pixels a candle: below this, text would only cover text
const PACKED = 0.6; // below this, only fills are worth their space
const LABELS = {
  bullish: "bull div",
  hidden_bullish: "hidden bull",
  bearish: "bear div",
  hidden_bearish: "hidden bear",
};

/**
 * A series primitive of lightweight-charts that paints the model's marks.
 * `logicalOf` turns a time into the chart's index.
 */
export class Marks {
  constructor(theme, logicalOf) {
    this.theme = theme;
    this.logicalOf = logicalOf;
    this.model = null;
    this.view = { zOrder: () => "top", renderer: () => ({ draw: (target) => this.draw(target) }) };
  }

  attached({ chart, series, requestUpdate }) {
    this.chart = chart;
    this.series = series;
    this.requestUpdate = requestUpdate;
  }

  detached() {
    this.requestUpdate = null;
  }

  paneViews() {
    return [this.view];
  }

  update(model, theme) {
    this.model = model;
    this.theme = theme;
    this.requestUpdate?.();
  }

  draw(target) {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (!this.model?.candles.length || !range) {
      return;
    }
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      context.save();
      context.font = "10px system-ui, sans-serif";
      context.textAlign = "center";
      context.lineJoin = "round";
      const spacing = mediaSize.width / (range.to - range.from);
      this.sign = Math.max(SMALLEST_SIGN, Math.min(SIGN, spacing * 1.5));
      this.isDense = spacing < DENSE;
      this.span = this.times(range);
      this.drawZigZag(context);
      this.drawDivergences(context);
      if (spacing > PACKED) {
        this.drawSignals(context);
      }
      this.drawFills(context);
      context.restore();
    });
  }

  x(time) {
    return this.chart.timeScale().logicalToCoordinate(this.logicalOf(time));
  }

  y(price) {
    return this.series.priceToCoordinate(Number(price));
  }

  /** Return the times between which a mark can be seen. */
  times(range) {
    const { candles } = this.model;
    const first = this.logicalOf(candles[0][0]);
    const at = (logical) => candles[Math.min(Math.max(logical - first, 0), candles.length - 1)][0];
    return { from: at(Math.floor(range.from) - 1), to: at(Math.ceil(range.to) + 1) };
  }

  isSeen(from, to = from) {
    return to >= this.span.from && from <= this.span.to;
  }

  drawZigZag(context) {
    const points = this.model.zigzag;
    context.strokeStyle = this.theme.zigzag;
    context.lineWidth = 1.5;
    for (let at = 1; at < points.length; at += 1) {
      const [from, to] = [points[at - 1], points[at]];
      if (this.isSeen(from.time, to.time)) {
        context.setLineDash(to.confirmed ? [] : [5, 4]);
        this.line(context, from, to);
      }
    }
    context.setLineDash([]);
  }

  drawDivergences(context) {
    for (const { type, from, to } of this.model.divergences) {
      if (!this.isSeen(from.time, to.time)) {
        continue;
      }
      const isBullish = type.includes("bullish");
      const colour = isBullish ? this.theme.up : this.theme.down;
      context.strokeStyle = colour;
      context.lineWidth = 2;
      this.line(context, from, to);
      const [x, y] = [this.x(to.time), this.y(to.price)];
      if (x !== null && y !== null && !this.isDense) {
        this.label(context, LABELS[type] ?? type, x, y + (isBullish ? 16 : -10), colour);
      }
    }
  }

  drawSignals(context) {
    const { sign } = this;
    context.lineWidth = this.isDense ? 1 : 1.6;
    for (const { time, side } of this.model.signals) {
      if (!this.isSeen(time)) {
        continue;
      }
      const candle = this.model.candles[indexOf(this.model.candles, time)];
      const isUp = side === "LONG";
      const x = this.x(time);
      const y = this.y(isUp ? candle[3] : candle[2]) + (isUp ? 8 + sign : -8 - sign);
      context.strokeStyle = isUp ? this.theme.up : side === "SHORT" ? this.theme.down : this.theme.signal;
      context.fillStyle = this.theme.panel;
      context.beginPath();
      if (side === "CLOSE") {
        context.rect(x - sign + 1, y - sign + 1, 2 * sign - 2, 2 * sign - 2);
      } else {
        triangle(context, x, y, isUp ? -sign : sign);
      }
      context.fill();
      context.stroke();
    }
  }

  drawFills(context) {
    const { sign } = this;
    for (const { time, side, price } of this.model.fills) {
      const y = this.y(price);
      if (!this.isSeen(time) || y === null) {
        continue;
      }
      const isBuy = side === "BUY";
      // The tip is the price: a buy points up at it from below, a sell down from above.
      context.beginPath();
      triangle(context, this.x(time), y + (isBuy ? sign : -sign), isBuy ? -sign : sign);
      context.fillStyle = isBuy ? this.theme.up : this.theme.down;
      context.strokeStyle = this.isDense ? this.theme.panel : this.theme.text;
      context.lineWidth = this.isDense ? 0.5 : 1;
      context.fill();
      context.stroke();
    }
  }

  line(context, from, to) {
    const [x1, y1, x2, y2] = [this.x(from.time), this.y(from.price), this.x(to.time), this.y(to.price)];
    if ([x1, y1, x2, y2].includes(null)) {
      return;
    }
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.stroke();
  }

  label(context, text, x, y, colour) {
    context.lineWidth = 3;
    context.strokeStyle = this.theme.panel;
    context.strokeText(text, x, y);
    context.fillStyle = colour;
    context.fillText(text, x, y);
  }
}

/** Add a triangle around (x, y) whose tip is `rise` away: negative points up. */
function triangle(context, x, y, rise) {
  const half = Math.abs(rise);
  context.moveTo(x, y + rise);
  context.lineTo(x + half, y - rise);
  context.lineTo(x - half, y - rise);
  context.closePath();
}
