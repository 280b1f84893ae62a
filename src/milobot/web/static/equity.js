// Equity and the drawdown below it.

import { EquityCurve } from "./rows.js";
import { chartOptions, colours, onThemeChange } from "./theme.js";

const MANY = 40;

export class EquityView {
  constructor(library, container) {
    this.theme = colours();
    this.model = null;
    this.chart = library.createChart(container, chartOptions(this.theme));
    this.chart.timeScale().applyOptions({ minBarSpacing: 0.01, enableConflation: true });
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
    container.addEventListener("dblclick", () => { this.isFollowing = true; this.fit(); });
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
    const added = delta?.append.equity;
    if (!delta || delta.trim.equity || (added?.length ?? 0) > MANY) {
      this.curve = new EquityCurve();
      const { equity, drawdown } = this.curve.points(model.equity);
      this.equity.setData(equity);
      this.drawdown.setData(drawdown);
    } else if (added) {
      const { equity, drawdown } = this.curve.points(added);
      equity.forEach((point) => this.equity.update(point));
      drawdown.forEach((point) => this.drawdown.update(point));
    } else {
      return;
    }
    if (this.isFollowing) {
      this.fit();
    }
  }

  fit() {
    this.chart.timeScale().fitContent();
  }
}
