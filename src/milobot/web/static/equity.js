// Equity and the drawdown below it: an overview, repainted at most once a second.

import { EmptyNote } from "./empty.js";
import { curves } from "./rows.js";
import { chartOptions, colours, onThemeChange } from "./theme.js";

const PAINT_MS = 1000;
const SHOWN_POINTS = 3000;

export class EquityView {
  constructor(library, container) {
    this.theme = colours();
    this.model = null;
    this.timer = 0;
    this.empty = new EmptyNote(container);
    this.chart = library.createChart(container, chartOptions(this.theme));
    this.chart.timeScale().applyOptions({ minBarSpacing: 0.002 });
    const quiet = { lineWidth: 1.5, priceLineVisible: false };
    this.equity = this.chart.addSeries(library.AreaSeries, {
      ...quiet, priceFormat: { type: "price", precision: 2, minMove: 0.01 },
    });
    this.drawdown = this.chart.addSeries(library.AreaSeries, {
      ...quiet, invertFilledArea: true, priceFormat: { type: "percent", precision: 2 },
    }, 1);
    this.chart.panes().forEach((pane, at) => pane.setStretchFactor(at ? 1 : 2));
    this.colour();
    this.isFollowing = true;
    for (const kind of ["wheel", "pointerdown"]) {
      container.addEventListener(kind, () => { this.isFollowing = false; }, { passive: true });
    }
    container.addEventListener("dblclick", () => { this.isFollowing = true; this.paint(); });
    onThemeChange(() => {
      this.theme = colours();
      this.chart.applyOptions(chartOptions(this.theme));
      this.colour();
    });
  }

  colour() {
    const { theme } = this;
    this.equity.applyOptions({
      lineColor: theme.accent, topColor: `${theme.accent}55`, bottomColor: `${theme.accent}08`,
    });
    this.drawdown.applyOptions({
      lineColor: theme.down, topColor: `${theme.down}08`, bottomColor: `${theme.down}55`,
    });
  }

  show(model, delta) {
    this.model = model;
    this.empty.show(model.notes.equity, model.equity.length);
    if (!delta) {
      this.paint();
    } else if ((delta.append.equity || delta.trim.equity) && !this.timer) {
      this.timer = setTimeout(() => this.paint(), PAINT_MS);
    }
  }

  paint() {
    clearTimeout(this.timer);
    this.timer = 0;
    if (!this.model?.equity.length) {
      return;
    }
    const scale = this.chart.timeScale();
    const range = this.isFollowing ? null : scale.getVisibleRange();
    const { equity, drawdown } = curves(this.model.equity, SHOWN_POINTS);
    this.equity.setData(equity);
    this.drawdown.setData(drawdown);
    if (range) {
      scale.setVisibleRange(range); // as times: thinning out moves the indices
    } else {
      scale.fitContent();
    }
  }
}
