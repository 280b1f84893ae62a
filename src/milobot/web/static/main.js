// Starts the page: charts when the library is there, tables when it is not.

import { ChartView } from "./chart.js";
import { byId, setText } from "./dom.js";
import { EquityView } from "./equity.js";
import { Feed } from "./feed.js";
import { time } from "./format.js";
import { Panels } from "./panels.js";
import { Tables } from "./tables.js";

const library = await import("./vendor/lightweight-charts.js").catch(() => null);
const views = library ? charts() : [new Tables()];
const feed = new Feed(show, showConnection);
const panels = new Panels((from, to) => views[0].focus(from, to), (symbol) => feed.wishFor(symbol));
await feed.start();

function charts() {
  const chart = new ChartView(library, byId("chart"));
  byId("tools").hidden = false;
  byId("fit").addEventListener("click", () => chart.fit());
  byId("latest").addEventListener("click", () => chart.latest());
  return [chart, new EquityView(library, byId("equity"))];
}

function show(model, delta) {
  panels.show(model, delta);
  for (const view of views) {
    view.show(model, delta);
  }
}

function showConnection(state, since) {
  const node = byId("connection");
  const lost = since ? `disconnected since ${time(since - (since % 1000))} UTC` : "";
  node.dataset.state = state;
  // Beside BACK-TEST the word live would say something else.
  const open = feed.model?.mode === "backtest" ? "connected" : "live";
  setText(node, { live: open, polling: "polling every 5 s", lost }[state]);
}
