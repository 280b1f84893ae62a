// The curves of the studies: over the candles, and in panes below them.

import { valuePoint } from "./rows.js";

const COLOURS = 6;

export class StudyLines {
  constructor(library, chart) {
    this.library = library;
    this.chart = chart;
    this.studies = []; // {study, pane, lines: [series]}
  }

  /** Replace all curves by those of a model. */
  build(model, priceFormat, theme) {
    this.theme = theme;
    for (const { lines } of this.studies) {
      lines.forEach((series) => this.chart.removeSeries(series));
    }
    const overlays = model.overlays.map((study) => ({ study, pane: 0 }));
    const panes = model.panes.map((study, at) => ({ study, pane: at + 1 }));
    let colour = 0;
    this.studies = [...overlays, ...panes].map(({ study, pane }) => {
      colour = pane ? 0 : colour;
      const lines = study.lines.map((line) => {
        const name = line.style === "histogram" ? "muted" : `line-${(colour++ % COLOURS) + 1}`;
        return this.addLine(line, pane, name, priceFormat);
      });
      this.addLevels(lines[0], study.levels ?? []);
      return { study, pane, lines };
    });
    this.chart.panes().forEach((pane, at) => pane.setStretchFactor(at ? 1 : 3));
  }

  addLine(line, pane, colour, priceFormat) {
    const { library, chart, theme } = this;
    const isHistogram = line.style === "histogram";
    const series = chart.addSeries(isHistogram ? library.HistogramSeries : library.LineSeries, {
      color: theme[colour], lineWidth: 1.5, priceLineVisible: false,
      lastValueVisible: pane > 0 && !isHistogram, crosshairMarkerVisible: false,
      priceFormat: pane ? { type: "price", precision: 2, minMove: 0.01 } : priceFormat,
    }, pane);
    series.colourName = colour;
    return series;
  }

  addLevels(series, levels) {
    if (levels.length) {
      series.applyOptions({ autoscaleInfoProvider: (original) => including(original(), levels) });
    }
    for (const price of levels) {
      series.createPriceLine({
        price, color: this.theme.muted, lineWidth: 1, axisLabelVisible: false, title: "",
        lineStyle: this.library.LineStyle.Dotted,
      });
    }
  }

  /** Show the values of the model's candles from `first` on. */
  setData(model, first) {
    this.each(model, (series, { values, style }) => {
      const points = [];
      for (let at = first; at < model.candles.length; at += 1) {
        points.push(valuePoint(model.candles[at][0], values[at], this.theme, style));
      }
      series.setData(points);
    });
  }

  clear() {
    this.studies.forEach(({ lines }) => lines.forEach((series) => series.setData([])));
  }

  /** Add the values of one candle. */
  update(model, at) {
    this.each(model, (series, { values, style }) => {
      series.update(valuePoint(model.candles[at][0], values[at], this.theme, style));
    });
  }

  /** Call `visit` with each series and its present row of the model. */
  each(model, visit) {
    const rows = new Map([...model.overlays, ...model.panes].map((study) => [study.id, study]));
    for (const { study, lines } of this.studies) {
      lines.forEach((series, at) => visit(series, rows.get(study.id).lines[at]));
    }
  }
}

/** Widen a price range so that these values are in it. */
function including(info, values) {
  if (info?.priceRange) {
    info.priceRange.minValue = Math.min(info.priceRange.minValue, ...values);
    info.priceRange.maxValue = Math.max(info.priceRange.maxValue, ...values);
  }
  return info;
}
