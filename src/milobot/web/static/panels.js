// Everything that is not a canvas: heading, positions, signals, summary, round trips, log.

import { byId, element, setText } from "./dom.js";
import { decimal, number, price, pricePlaces, time, timeOfDay, tone } from "./format.js";
import { InboxPanel } from "./inbox.js";
import { PositionsPanel } from "./positions.js";
import { indexOf } from "./rows.js";

const MODES = { demo: "DEMO", paper: "PAPER", backtest: "BACK-TEST", testnet: "TESTNET", live: "LIVE" };
const SHOWN_ROWS = 500;
const DAY_MS = 86400000;

export class Panels {
  /**
   * @param focus called with (from, to) when a round trip is chosen
   * @param choose called with a symbol whose chart is wished for
   */
  constructor(focus, choose) {
    this.focus = focus;
    this.positions = new PositionsPanel(choose);
    this.inbox = new InboxPanel();
  }

  show(model, delta) {
    const has = (key) => !delta || key in delta.replace || key in delta.append || key in delta.trim;
    if (!delta || has("symbol") || delta.replace.candles) {
      this.places = pricePlaces(model.candles);
      this.showHeading(model);
    }
    if (has("candles")) {
      this.places ||= pricePlaces(model.candles);
      this.showQuote(model);
    }
    if (has("status")) {
      setText(byId("status"), model.status.text);
      byId("status").classList.toggle("is-running", model.status.running);
    }
    if (has("positions")) {
      this.positions.show(model.positions, model.follows);
      this.showTitle(model);
    }
    if (has("inbox")) {
      this.inbox.show(model.inbox);
    }
    if (has("summary")) {
      byId("summary").replaceChildren(...figures(Object.entries(model.summary)));
    }
    if (has("round_trips")) {
      this.showTrips(model, delta);
    }
    if (has("log")) {
      this.showLog(model, delta);
    }
  }

  showHeading(model) {
    this.symbol = model.symbol;
    const mode = byId("mode");
    setText(mode, MODES[model.mode] ?? model.mode);
    mode.dataset.mode = model.mode;
    setText(byId("symbol"), model.symbol);
    setText(byId("timeframe"), model.timeframe);
    setText(byId("script"), model.script);
    byId("script").title = model.script;
    this.showTitle(model);
  }

  /** A tab in the background has its title only: what has no stop stands there first. */
  showTitle({ symbol, timeframe, mode, positions }) {
    const bare = positions.rows.filter(({ state }) => state === "UNPROTECTED");
    const parts = [`${symbol} ${timeframe}`.trim(), MODES[mode] ?? mode, "milobot"];
    if (bare.length) {
      parts.unshift(`\u26a0 UNPROTECTED ${bare.map((row) => row.symbol).join(", ")}`);
    }
    document.title = parts.join(" \u00b7 ");
  }

  showQuote({ candles }) {
    const last = candles.at(-1);
    if (!last) {
      ["last", "change", "clock"].forEach((id) => setText(byId(id), ""));
      return;
    }
    const before = candles[indexOf(candles, last[0] - DAY_MS)];
    const change = ((last[4] / before[4] - 1) * 100).toFixed(2);
    setText(byId("last"), number(last[4], this.places));
    setText(byId("change"), `${decimal(change, 2, { sign: true, fixed: true })} %`);
    byId("change").className = tone(change);
    byId("change").title = `since ${time(before[0])} UTC`;
    setText(byId("clock"), `${time(last[0])} UTC`);
    byId("clock").dateTime = new Date(last[0]).toISOString();
  }

  showTrips(model, delta) {
    const body = byId("trips").tBodies[0];
    const all = model.round_trips;
    const isAppend = delta && !("round_trips" in delta.replace);
    const fresh = isAppend ? delta.append.round_trips ?? [] : all.slice(-SHOWN_ROWS);
    const rows = fresh.map((trip) => this.tripRow(trip)).reverse();
    if (isAppend) {
      body.prepend(...rows);
    } else {
      body.replaceChildren(...rows);
    }
    cut(body);
    const shown = all.length > SHOWN_ROWS ? `, the last ${SHOWN_ROWS} shown` : "";
    setText(byId("trips-count"), all.length ? `${all.length.toLocaleString("en")}${shown}` : "");
    byId("trips-empty").hidden = all.length > 0;
  }

  tripRow(trip) {
    const cells = [
      ["", trip.symbol ?? ""],
      ["", trip.side, trip.side === "LONG" ? "gain" : "loss"],
      ["number", decimal(trip.quantity)],
      ["number", price(trip.entry_price, this.places)],
      ["number", price(trip.exit_price, this.places)],
      ["", trip.exit_reason],
      ["number", decimal(trip.pnl, 2, { sign: true, fixed: true }), tone(trip.pnl)],
    ].map(([kind, text, mood = ""]) => element("td", `${kind} ${mood}`.trim(), text));
    const go = element("button", "link", time(trip.entry_time));
    go.type = "button";
    go.title = "Show on the chart";
    go.addEventListener("click", () => {
      if (!trip.symbol || trip.symbol === this.symbol) {
        this.focus(trip.entry_time, trip.exit_time);
      }
    });
    return element("tr", "", null, [element("td", "", null, [go]), ...cells]);
  }

  showLog(model, delta) {
    const list = byId("log");
    const isAppend = delta && !("log" in delta.replace);
    const fresh = isAppend ? delta.append.log ?? [] : model.log.slice(-SHOWN_ROWS);
    const lines = fresh.map(logLine).reverse();
    if (isAppend) {
      list.prepend(...lines);
    } else {
      list.replaceChildren(...lines);
    }
    cut(list);
  }
}

function cut(parent) {
  while (parent.children.length > SHOWN_ROWS) {
    parent.lastElementChild.remove();
  }
}

function logLine({ time: ms, level, text }) {
  const when = element("time", "", timeOfDay(ms));
  when.dateTime = new Date(ms).toISOString();
  when.title = time(ms);
  const known = ["debug", "info", "script", "warning", "error"].includes(level) ? level : "info";
  return element("li", known, null, [when, element("span", "", text)]);
}

function figures(entries) {
  return entries.map(([name, text]) => {
    const mood = /^[+]/.test(text) ? "gain" : /^[-\u2212]\d/.test(text) ? "loss" : "";
    return element("div", "", null, [element("dt", "", name), element("dd", mood, text)]);
  });
}
