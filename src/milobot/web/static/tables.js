// Instead of charts, when the chart library is not in the package.

import { byId, element } from "./dom.js";
import { decimal, number, pricePlaces, short, time } from "./format.js";

const SHOWN_CANDLES = 60;
const SHOWN_EQUITY = 30;

export class Tables {
  constructor() {
    const notice = element("p", "notice",
      "The charts are missing because the chart library was not fetched when milobot was " +
      "installed: install Node.js with npm and install milobot again. Here are the same figures as tables.");
    notice.setAttribute("role", "note");
    this.candles = element("div", "scroll fallback");
    byId("chart").replaceChildren(notice, this.candles);
    this.equity = element("div", "scroll fallback");
    byId("equity").replaceChildren(this.equity);
    byId("equity").removeAttribute("role");
  }

  show(model, delta) {
    const { append, replace } = delta ?? { append: {}, replace: {} };
    if (delta && !append.candles && !append.equity && !replace.panes && !replace.notes) {
      return;
    }
    this.candles.replaceChildren(model.candles.length
      ? candleTable(model) : element("p", "empty", model.notes.chart ?? "No candle yet."));
    const rows = model.equity.slice(-SHOWN_EQUITY).reverse()
      .map(([ms, value]) => [time(ms), decimal(value, 2, { fixed: true })]);
    this.equity.replaceChildren(table(["Time (UTC)", "Equity, USDT"], rows));
  }

  focus() {}
}

function candleTable(model) {
  const places = pricePlaces(model.candles);
  const inPrices = (value) => number(value, places);
  const columns = (studies, write) => studies.flatMap((study) =>
    study.lines.map((line) => ({ values: line.values, title: titleOf(study, line), write })));
  const lines = [...columns(model.overlays, inPrices), ...columns(model.panes, short)];
  const first = Math.max(0, model.candles.length - SHOWN_CANDLES);
  const rows = model.candles.slice(first).map(([ms, ...prices], at) => [
    time(ms), ...prices.slice(0, 4).map(inPrices), short(prices[4]),
    ...lines.map(({ values, write }) => write(values[first + at] ?? NaN)),
  ]);
  const names = ["Time (UTC)", "Open", "High", "Low", "Close", "Volume"];
  return table([...names, ...lines.map(({ title }) => title)], rows.reverse());
}

function titleOf(study, line) {
  return study.lines.length > 1 ? `${study.title}: ${line.name}` : study.title;
}

function table(names, rows) {
  const kind = (at) => (at ? "number" : "");
  const heads = names.map((name, at) => {
    const head = element("th", kind(at), name);
    head.scope = "col";
    return head;
  });
  const lines = rows.map((cells) =>
    element("tr", "", null, cells.map((text, at) => element("td", kind(at), text))));
  return element("table", "", null, [
    element("thead", "", null, [element("tr", "", null, heads)]),
    element("tbody", "", null, lines),
  ]);
}
