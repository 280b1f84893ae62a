// Everything that is not a canvas: heading, position, summary, round trips, log.

import { byId, element, setText } from "./dom.js";
import { decimal, number, price, pricePlaces, time, timeOfDay, tone } from "./format.js";
import { indexOf } from "./rows.js";

const MODES = { demo: "DEMO", paper: "PAPER", backtest: "BACK-TEST", testnet: "TESTNET", live: "LIVE" };
const SHOWN_ROWS = 500;
const DAY_MS = 86400000;

export class Panels {
  /** @param focus called with (from, to) when a round trip is chosen */
  constructor(focus) {
    this.focus = focus;
  }

  show(model, delta) {
    const has = (key) => !delta || key in delta.replace || key in delta.append || key in delta.trim;
    if (!delta) {
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
    if (has("position")) {
      byId("position").replaceChildren(...positionCard(model.position, this.places));
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
    const mode = byId("mode");
    setText(mode, MODES[model.mode] ?? model.mode);
    mode.dataset.mode = model.mode;
    setText(byId("symbol"), model.symbol);
    setText(byId("timeframe"), model.timeframe);
    setText(byId("script"), model.script);
    byId("script").title = model.script;
    document.title = `${model.symbol} ${model.timeframe} \u00b7 ${MODES[model.mode] ?? model.mode} \u00b7 milobot`;
  }

  showQuote({ candles }) {
    const last = candles.at(-1);
    if (!last) {
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
    go.addEventListener("click", () => this.focus(trip.entry_time, trip.exit_time));
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
    const mood = /^[+]/.test(text) ? "gain" : /^[-\u2212]/.test(text) ? "loss" : "";
    return element("div", "", null, [element("dt", "", name), element("dd", mood, text)]);
  });
}

function positionCard(position, places) {
  if (!position) {
    return [element("p", "flat", "Flat")];
  }
  const level = (text) => (text === null ? "none" : price(text, places));
  const side = element("strong", position.side === "LONG" ? "gain" : "loss", position.side);
  const pnl = element("span", `pnl ${tone(position.unrealized_pnl)}`,
    `${decimal(position.unrealized_pnl, 2, { sign: true, fixed: true })} USDT`);
  const head = element("div", "position-head", null,
    [side, element("span", "", decimal(position.quantity)), pnl]);
  const rows = figures([
    ["Entry", level(position.entry)], ["Stop", level(position.stop)],
    ["Target", level(position.target)], ["Liquidation", level(position.liquidation)],
  ]);
  return [stateBadge(position.state), head, element("dl", "figures levels", null, rows)];
}

/** A position without a stop is the one thing that must never be overlooked. */
function stateBadge(state) {
  const badge = element("div", "state", state);
  badge.dataset.state = state;
  if (state === "UNPROTECTED") {
    badge.setAttribute("role", "alert");
    badge.append(element("small", "", "no stop is in place"));
  }
  return badge;
}
