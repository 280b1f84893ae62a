// The newest signals: what strangers wrote, and what became of it.

import { byId, element, setText } from "./dom.js";
import { time, timeOfDay } from "./format.js";

const TONES = {
  open: "gain", entering: "gain", waiting: "waiting",
  refused: "loss", denied: "loss", late: "loss",
};

export class InboxPanel {
  show(rows) {
    byId("inbox-panel").hidden = !rows;
    document.body.classList.toggle("has-inbox", Boolean(rows));
    if (!rows) {
      return;
    }
    byId("inbox").tBodies[0].replaceChildren(...rows.map(line));
    byId("inbox-empty").hidden = rows.length > 0;
    setText(byId("inbox-count"), rows.length ? `the newest ${rows.length}, UTC` : "");
  }
}

function line(row) {
  const when = element("time", "", timeOfDay(row.time));
  when.dateTime = new Date(row.time).toISOString();
  when.title = time(row.time);
  const state = element("td", `nowrap ${TONES[row.state] ?? ""}`.trim(), row.state.replaceAll("_", " "));
  return element("tr", "", null, [
    element("td", "", null, [when]), cell("nowrap", row.source), cell("foreign", row.text),
    cell("", row.read), state, cell("", row.reason || row.code, row.code),
  ]);
}

/** A cell whose text is a stranger's: a text node, cut by the style, whole in its title. */
function cell(kind, text, title = text) {
  const node = element("td", kind, null, [element("div", "cut", text)]);
  node.title = title;
  return node;
}
