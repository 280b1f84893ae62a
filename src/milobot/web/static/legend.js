// What stands at the upper left of each pane: names, and values under the crosshair.

import { element, setText } from "./dom.js";
import { decimal, number, price, short, time } from "./format.js";

export class Legends {
  constructor(chart, container) {
    this.chart = chart;
    this.container = container;
    this.boxes = [];
    this.cells = [];
    this.observer = new ResizeObserver(() => this.place());
  }

  /** Make the legends of a model's studies; `studies` are those of the chart. */
  build(model, studies) {
    this.observer.disconnect();
    this.boxes.forEach((box) => box.remove());
    this.boxes = this.chart.panes().map(() => element("div", "legend"));
    this.ohlc = element("span", "legend-candle");
    this.events = element("div", "legend-events");
    this.boxes[0].append(this.ohlc);
    this.cells = [];
    for (const { study, pane, lines } of studies) {
      const row = element("div", "legend-study", null, [element("b", "", study.title)]);
      study.lines.forEach((line, at) => {
        const cell = element("span", `legend-value ${lines[at].colourName}`);
        cell.title = line.name;
        row.append(cell);
        this.cells.push({ cell, id: study.id, at, pane });
      });
      this.boxes[pane]?.append(row);
    }
    this.boxes[0].append(this.events);
    this.container.append(...this.boxes);
    this.watch();
  }

  /** Follow the panes when they are resized; they exist one frame after they are added. */
  watch() {
    requestAnimationFrame(() => {
      this.chart.panes().forEach((pane) => {
        const node = pane.getHTMLElement();
        if (node) {
          this.observer.observe(node);
        }
      });
      this.place();
    });
  }

  place() {
    const top = this.container.getBoundingClientRect().top;
    this.chart.panes().forEach((pane, at) => {
      const node = pane.getHTMLElement();
      if (node && this.boxes[at]) {
        this.boxes[at].style.top = `${Math.round(node.getBoundingClientRect().top - top) + 4}px`;
      }
    });
  }

  /** Show the values at candle `at`. */
  point(model, at, places) {
    const [ms, open, high, low, close, volume] = model.candles[at];
    const [o, h, l, c] = [open, high, low, close].map((value) => number(value, places));
    setText(this.ohlc, `O ${o}  H ${h}  L ${l}  C ${c}  V ${short(volume)}`);
    this.ohlc.classList.toggle("gain", close >= open);
    this.ohlc.classList.toggle("loss", close < open);
    const rows = new Map([...model.overlays, ...model.panes].map((study) => [study.id, study]));
    for (const { cell, id, at: line, pane } of this.cells) {
      const value = rows.get(id).lines[line].values[at];
      setText(cell, value === null || value === undefined ? "\u2013" : pane ? short(value) : number(value, places));
    }
    setText(this.events, eventsAt(model, ms, places).join("   "));
    this.events.title = time(ms);
  }
}

/** Return what happened in the candle that opens at `ms`, in words. */
function eventsAt(model, ms, places) {
  const signals = at(model.signals, ms).map((s) => `signal ${s.side} ${s.note}`);
  const fills = at(model.fills, ms).map((f) => {
    const pnl = f.pnl === null ? "" : `, ${decimal(f.pnl, 2, { sign: true })} USDT`;
    return `${f.side} ${decimal(f.quantity)} @ ${price(f.price, places)} (${f.reason}${pnl})`;
  });
  return [...signals, ...fills];
}

/** Rows of a list in order of time that have this time: the last ones are looked at first. */
function at(rows, ms) {
  const found = [];
  for (let i = rows.length - 1; i >= 0 && rows[i].time >= ms; i -= 1) {
    if (rows[i].time === ms) {
      found.unshift(rows[i]);
    }
  }
  return found;
}
