// Everything that is held, the least safe first, and an alarm for what has no stop.

import { byId, element, setText } from "./dom.js";
import { decimal, price, tone } from "./format.js";

const LONGEST_TARGETS = 4;
const LONGEST_HALF = 11; // characters of a price that stand beside another

export class PositionsPanel {
  /** @param choose called with the symbol whose chart is wished for */
  constructor(choose) {
    this.choose = choose;
    this.cards = new Map();
    this.shown = [];
    this.words = null;
  }

  show({ rows, hidden, unknown }, canChoose) {
    this.canChoose = canChoose;
    const notes = unknown.map((name) => element("p", "unknown",
      `${name || "The account"}: what it holds is not known here, this process does not trade it now.`));
    const more = hidden ? [element("p", "flat", `And ${hidden} more, none of them less safe.`)] : [];
    const isFlat = !rows.length && !unknown.length;
    const flat = isFlat ? [element("p", "flat", "Flat")] : [];
    const cards = this.cardsOf(rows);
    if (this.isAnother(cards, notes, more, flat)) {
      byId("position").replaceChildren(...notes, ...cards, ...more, ...flat);
    }
    const held = rows.length + hidden;
    setText(byId("position-count"), held > 1 ? `${held}` : "");
    showAlarm(rows.filter(({ state }) => state === "UNPROTECTED"));
  }

  /** Return a card for each row: the same as before where nothing but the gain has changed. */
  cardsOf(rows) {
    const kept = new Map();
    for (const row of rows) {
      const { unrealized_pnl: gain, ...rest } = row;
      const key = JSON.stringify(rest);
      const card = this.cards.get(key) ?? this.card(row);
      kept.set(key, card);
      showGain(card.querySelector(".pnl"), gain);
    }
    this.cards = kept;
    return [...kept.values()];
  }

  /** Return whether the list has to be built anew: a button that is replaced loses its click. */
  isAnother(cards, ...others) {
    const words = others.flat().map((node) => node.textContent).join("\n");
    const isSame = words === this.words && cards.length === this.shown.length
      && cards.every((card, at) => card === this.shown[at]);
    [this.words, this.shown] = [words, cards];
    return !isSame;
  }

  card(row) {
    const side = element("span", row.side === "LONG" ? "gain" : "loss", row.side ?? "");
    const head = element("div", "position-head", null, [
      this.symbol(row), side, element("span", "", row.side ? decimal(row.quantity) : ""),
      element("span", "pnl"),
    ]);
    const badge = stateBadge(row.state);
    const isSafe = row.state === "PROTECTED"; // stands below: what is not safe comes first
    const card = element("article", "position", null, isSafe ? [head] : [badge, head]);
    card.dataset.state = row.state;
    if (row.side) {
      card.append(element("dl", "figures levels", null, levels(row)));
    }
    const from = [row.owner && `of ${row.owner}`, row.account && `on ${row.account}`, row.note];
    const words = element("span", "", from.filter(Boolean).join(", "));
    words.title = words.textContent;
    card.append(element("div", "owner", null, isSafe ? [words, badge] : [words]));
    return card;
  }

  symbol({ symbol, on_chart: isOnChart }) {
    if (isOnChart || !this.canChoose) {
      return element("strong", "", symbol);
    }
    const go = element("button", "link", symbol);
    go.type = "button";
    go.title = "Show on the chart";
    go.addEventListener("click", () => this.choose(symbol));
    return go;
  }
}

function showGain(node, gain) {
  setText(node, gain === null ? "" : `${decimal(gain, 2, { sign: true, fixed: true })} USDT`);
  node.className = `pnl ${tone(gain)}`.trim();
}

function levels({ entry, stop, targets, liquidation }) {
  const places = Math.max(-1, ...[stop, ...targets].map(placesOf));
  const level = (text) => (text === null ? "none" : places < 0 ? decimal(text) : price(text, places));
  const shown = targets.slice(0, LONGEST_TARGETS).map(level);
  if (targets.length > shown.length) {
    shown.push(`+${targets.length - shown.length}`);
  }
  const names = [
    ["Entry", entry === null ? "\u2013" : level(entry)], ["Stop", level(stop)],
    [targets.length > 1 ? "Targets" : "Target", shown.join(" / ") || "none"],
    ["Liquidation", level(liquidation)],
  ];
  return names.map(([name, text]) =>
    element("div", text.length > LONGEST_HALF ? "whole" : "", null, [element("dt", "", name), element("dd", "", text)]));
}

/** Return how many decimal places a price has; -1 without one. */
const placesOf = (text) => (text === null ? -1 : (text.split(".")[1] ?? "").length);

/** A position without a stop is the one thing that must never be overlooked. */
function stateBadge(state) {
  const badge = element("div", "state", state);
  badge.dataset.state = state;
  if (state === "UNPROTECTED") {
    badge.append(element("small", "", "no stop is in place"));
  }
  return badge;
}

/** Say across the whole page what has no stop: on a phone the list is further down. */
function showAlarm(bare) {
  const names = bare.map(({ symbol, side, quantity }) => `${symbol} ${side} ${decimal(quantity)}`);
  const alarm = byId("alarm");
  alarm.hidden = !bare.length;
  setText(alarm, bare.length ? `UNPROTECTED, no stop is in place: ${names.join(", ")}` : "");
}
