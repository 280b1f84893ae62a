// The main chart: candles, volume, studies, marks and the position's levels.

import { pricePlaces, time as timeText } from "./format.js";
import { Legends } from "./legend.js";
import { Levels } from "./levels.js";
import { Marks } from "./marks.js";
import { candlePoint, indexOf, valuePoint, volumePoint } from "./rows.js";
import { chartOptions, colours, onThemeChange } from "./theme.js";

const MANY = 40; // past this, setting all data is faster than updating one by one
const BAR_PX = 6.5; // width of a candle at first
const RIGHT_ROOM = 12; // candles of empty space, for the labels of the levels
const LONGEST_LATEST = 400;

export class ChartView {
  constructor(library, container) {
    this.library = library;
    this.container = container;
    this.theme = colours();
    this.model = null;
    this.hasView = false; // no range was set yet
    this.studies = []; // {pane, study, lines: [series]}
    this.chart = library.createChart(container, {
      ...chartOptions(this.theme),
      localization: { timeFormatter: (seconds) => `${timeText(seconds * 1000)} UTC` },
    });
    this.chart.timeScale().applyOptions({
      rightOffset: RIGHT_ROOM, minBarSpacing: 0.02, enableConflation: true,
    });
    this.addCandles();
    this.legends = new Legends(this.chart, container);
    this.chart.subscribeCrosshairMove(({ logical }) => this.pointAt(logical));
    container.addEventListener("keydown", (event) => this.onKey(event));
    onThemeChange(() => this.repaint());
  }

  addCandles() {
    const { chart, library } = this;
    this.candles = chart.addSeries(library.CandlestickSeries, {
      autoscaleInfoProvider: (original) => this.levels.autoscale(original()),
    });
    this.candles.priceScale().applyOptions({ scaleMargins: { top: 0.08, bottom: 0.2 } });
    this.volume = chart.addSeries(library.HistogramSeries, {
      priceScaleId: "volume", priceFormat: { type: "volume" },
      lastValueVisible: false, priceLineVisible: false,
    });
    this.volume.priceScale().applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
    this.levels = new Levels(this.candles, library.LineStyle);
    this.marks = new Marks(this.theme, (time) => indexOf(this.model.candles, time));
    this.candles.attachPrimitive(this.marks);
    this.colourCandles();
  }

  colourCandles() {
    const { theme } = this;
    this.candles.applyOptions({
      upColor: theme.up, wickUpColor: theme.up, borderUpColor: theme.up,
      downColor: theme.down, wickDownColor: theme.down, borderDownColor: theme.down,
      priceLineColor: theme.muted,
    });
  }

  /** Show a model; `delta` says what changed since the last time, null means everything. */
  show(model, delta) {
    const kept = this.model ? this.position(delta) : null;
    this.model = model;
    if (!delta || delta.replace.overlays || delta.replace.panes) {
      this.showAll();
      this.restore(kept);
    } else if (delta.trim.candles || (delta.append.candles?.length ?? 0) > MANY) {
      this.setData();
      this.restore(kept);
    } else if (delta.append.candles) {
      this.append(delta.append.candles.length);
    }
    this.levels.show(model.position, this.theme);
    this.marks.theme = this.theme;
    this.marks.update(model);
    this.pointAt(this.pointed);
  }

  showAll() {
    const { candles, symbol, timeframe } = this.model;
    this.places = pricePlaces(candles);
    const priceFormat = { type: "price", precision: this.places, minMove: 10 ** -this.places };
    this.candles.applyOptions({ priceFormat });
    this.container.setAttribute("aria-label", `Candlestick chart of ${symbol}, ${timeframe}`);
    this.buildStudies(priceFormat);
    this.setData();
  }

  buildStudies(priceFormat) {
    for (const { lines } of this.studies) {
      lines.forEach((series) => this.chart.removeSeries(series));
    }
    const overlays = this.model.overlays.map((study) => ({ study, pane: 0 }));
    const panes = this.model.panes.map((study, at) => ({ study, pane: at + 1 }));
    let colour = 0;
    this.studies = [...overlays, ...panes].map(({ study, pane }) => {
      if (pane) {
        colour = 0;
      }
      const lines = study.lines.map((line) => {
        const name = line.style === "histogram" ? "muted" : `line-${(colour++ % 6) + 1}`;
        return this.addLine(line, pane, name, priceFormat);
      });
      this.addStudyLevels(lines[0], study.levels ?? []);
      return { study, pane, lines };
    });
    this.chart.panes().forEach((pane, at) => pane.setStretchFactor(at ? 1 : 3));
    this.legends.build(this.model, this.studies);
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

  addStudyLevels(series, levels) {
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

  setData() {
    const { candles } = this.model;
    this.candles.setData(candles.map(candlePoint));
    this.volume.setData(candles.map(volumePoint(this.theme)));
    this.eachLine((series, { values, style }) => {
      const points = candles.map(([time], at) => valuePoint(time, values[at], this.theme, style));
      series.setData(points);
    });
  }

  append(count) {
    const { candles } = this.model;
    for (let at = candles.length - count; at < candles.length; at += 1) {
      this.candles.update(candlePoint(candles[at]));
      this.volume.update(volumePoint(this.theme)(candles[at]));
      this.eachLine((series, { values, style }) => {
        series.update(valuePoint(candles[at][0], values[at], this.theme, style));
      });
    }
  }

  /** Call `visit` with each study line's series and its present row of the model. */
  eachLine(visit) {
    const rows = new Map(
      [...this.model.overlays, ...this.model.panes].map((study) => [study.id, study]),
    );
    for (const { study, lines } of this.studies) {
      lines.forEach((series, at) => visit(series, rows.get(study.id).lines[at]));
    }
  }

  /**
   * Where the reader looks: as a time, because indices move when old candles go.
   * The model may be ahead of what the chart still shows, by `delta`.
   */
  position(delta) {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    const { candles } = this.model;
    const gone = delta?.trim.candles ?? 0;
    const count = candles.length + gone - (delta?.append.candles?.length ?? 0);
    if (!range || count <= gone) {
      return null;
    }
    const anchor = Math.min(Math.max(Math.round(range.from), gone), count - 1);
    return {
      isLive: range.to >= count - 1, width: range.to - range.from, beyond: range.to - count,
      time: candles[anchor - gone][0], offset: range.from - anchor,
    };
  }

  restore(kept) {
    const count = this.model.candles.length;
    if (!count) {
      return;
    }
    const scale = this.chart.timeScale();
    if (!kept) {
      this.latest();
    } else if (kept.isLive) {
      const to = count + kept.beyond;
      scale.setVisibleLogicalRange({ from: to - kept.width, to });
    } else {
      const from = indexOf(this.model.candles, kept.time) + kept.offset;
      scale.setVisibleLogicalRange({ from, to: from + kept.width });
    }
  }

  fit() {
    this.chart.timeScale().fitContent();
  }

  latest() {
    const count = this.model?.candles.length ?? 0;
    const range = this.chart.timeScale().getVisibleLogicalRange();
    const usual = this.container.clientWidth / BAR_PX;
    const width = this.hasView && range ? Math.min(range.to - range.from, LONGEST_LATEST) : usual;
    const to = count + RIGHT_ROOM;
    this.chart.timeScale().setVisibleLogicalRange({ from: to - width, to });
    this.hasView = true;
  }

  /** Bring a stretch of time into view, with room on both sides. */
  focus(from, to) {
    const [first, last] = [from, to].map((time) => indexOf(this.model.candles, time));
    const room = Math.max(30, (last - first) * 0.5);
    this.chart.timeScale().setVisibleLogicalRange({ from: first - room, to: last + room });
    this.container.scrollIntoView({ block: "nearest" });
  }

  pointAt(logical) {
    this.pointed = logical ?? null;
    const count = this.model?.candles.length ?? 0;
    if (count) {
      const at = this.pointed === null ? count - 1 : Math.round(this.pointed);
      this.legends.point(this.model, Math.min(Math.max(at, 0), count - 1), this.places);
    }
  }

  onKey(event) {
    const scale = this.chart.timeScale();
    const range = scale.getVisibleLogicalRange();
    if (!range || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const step = (range.to - range.from) / 10;
    const moves = {
      ArrowLeft: [-step, -step], ArrowRight: [step, step],
      "+": [step, -step], "-": [-step, step],
    };
    if (event.key === "End") {
      this.latest();
    } else if (moves[event.key]) {
      const [from, to] = moves[event.key];
      scale.setVisibleLogicalRange({ from: range.from + from, to: range.to + to });
    } else {
      return;
    }
    event.preventDefault();
  }

  repaint() {
    this.theme = colours();
    this.chart.applyOptions(chartOptions(this.theme));
    this.colourCandles();
    for (const { lines } of this.studies) {
      lines.forEach((series) => series.applyOptions({ color: this.theme[series.colourName] }));
    }
    if (this.model) {
      this.show(this.model, null);
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
