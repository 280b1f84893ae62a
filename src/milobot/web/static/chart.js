// The main chart: candles, volume, studies, marks and the position's levels.
//
// The library repaints all data it holds for each new candle, so it holds only
// the part from candle `first` on, and gets more when the reader goes back.

import { pricePlaces, time as timeText } from "./format.js";
import { EmptyNote } from "./empty.js";
import { Legends } from "./legend.js";
import { Levels } from "./levels.js";
import { Marks } from "./marks.js";
import { candlePoint, indexOf, volumePoint } from "./rows.js";
import { StudyLines } from "./study_lines.js";
import { chartOptions, colours, onThemeChange } from "./theme.js";

const MANY = 40; // past this, setting all data is faster than updating one by one
const PART = 2000; // candles held at first
const HEAVY = 5000; // candles held past which new ones are shown twice a second only
const HEAVY_MS = 500;
const NEAR = 150; // candles left of the view at which more are fetched
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
    this.first = 0; // of the model's candles the chart holds those from here
    this.end = 0; // up to, not including, here
    this.flushTimer = 0;
    this.holdTimer = 0;
    this.chart = library.createChart(container, {
      ...chartOptions(this.theme),
      localization: { timeFormatter: (seconds) => `${timeText(seconds * 1000)} UTC` },
    });
    const scale = this.chart.timeScale();
    scale.applyOptions({ rightOffset: RIGHT_ROOM, minBarSpacing: 0.002, enableConflation: true });
    this.empty = new EmptyNote(container);
    this.addCandles();
    this.studies = new StudyLines(library, this.chart);
    this.legends = new Legends(this.chart, container);
    this.chart.subscribeCrosshairMove(({ logical }) => this.pointAt(logical));
    // Later: while the library reports a range it must not be given other data.
    scale.subscribeVisibleLogicalRangeChange(() => {
      clearTimeout(this.holdTimer);
      this.holdTimer = setTimeout(() => this.holdMore(), 0);
    });
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
    this.marks = new Marks(this.theme, (time) => this.logicalOf(time));
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
    const isOther = !delta || ["overlays", "panes", "candles"].some((key) => delta.replace[key]);
    if (isOther || !this.end) { // prices of the first candles say how many digits there are
      // Another market begins where its own candles end.
      const kept = delta?.replace.candles ? null : this.position();
      this.model = model;
      this.showAll(kept);
    } else {
      const gone = delta.trim.candles ?? 0;
      this.first -= gone;
      this.end -= gone;
      this.flushSoon();
    }
    this.levels.show(model.positions.rows.find((row) => row.on_chart), this.theme);
    this.empty.show(model.notes.chart, model.candles.length);
    this.marks.update(model, this.theme);
    this.pointAt(this.pointed);
  }

  showAll(kept) {
    const { candles, symbol, timeframe } = this.model;
    this.places = pricePlaces(candles);
    const priceFormat = { type: "price", precision: this.places, minMove: 10 ** -this.places };
    this.candles.applyOptions({ priceFormat });
    this.container.setAttribute("aria-label", `Candlestick chart of ${symbol}, ${timeframe}`);
    this.studies.build(this.model, priceFormat, this.theme);
    this.legends.build(this.model, this.studies.studies);
    this.first = Math.max(0, candles.length - PART);
    if (kept && !kept.isLive) {
      this.first = Math.max(0, Math.min(this.first, indexOf(candles, kept.time) - NEAR));
    }
    this.setData();
    this.restore(kept);
  }

  setData() {
    // Emptied first: older candles move the indices of all series, but conflation remembers
    // the old ones of those whose data is not yet replaced, and fails on them.
    [this.candles, this.volume].forEach((series) => series.setData([]));
    this.studies.clear();
    const candles = this.model.candles.slice(this.first);
    this.candles.setData(candles.map(candlePoint));
    this.volume.setData(candles.map(volumePoint(this.theme)));
    this.studies.setData(this.model, this.first);
    this.end = this.model.candles.length;
  }

  flushSoon() {
    if (this.end - this.first <= HEAVY) {
      this.flush();
    } else if (!this.flushTimer) {
      this.flushTimer = setTimeout(() => this.flush(), HEAVY_MS);
    }
  }

  /** Give the chart the candles that it lacks, and take away those that the model lost. */
  flush() {
    clearTimeout(this.flushTimer);
    this.flushTimer = 0;
    const { candles } = this.model;
    const isShort = this.canForget();
    if (this.first < 0 || isShort || candles.length - this.end > MANY) {
      const kept = this.position();
      this.first = isShort ? candles.length - PART : Math.max(0, this.first);
      this.setData();
      this.restore(kept);
      return;
    }
    for (; this.end < candles.length; this.end += 1) {
      this.candles.update(candlePoint(candles[this.end]));
      this.volume.update(volumePoint(this.theme)(candles[this.end]));
      this.studies.update(this.model, this.end);
    }
  }

  /** Return whether the chart holds too much and the reader looks at the latest part only. */
  canForget() {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    const held = this.end - this.first;
    return held > HEAVY && range && range.from > held - PART + NEAR;
  }

  /** Hold older candles too when the reader comes near the oldest held. */
  holdMore() {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (!range || this.first <= 0 || range.from > NEAR || !this.model) {
      return;
    }
    const kept = this.position();
    this.first = Math.max(0, this.first - Math.max(2 * PART, this.end - this.first));
    this.setData();
    this.restore(kept);
  }

  logicalOf(time) {
    return indexOf(this.model.candles, time) - this.first;
  }

  /** Where the reader looks: as a time, because indices move when old candles go. */
  position() {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    const candles = this.model?.candles ?? [];
    if (!range || this.end <= this.first || !candles.length) {
      return null;
    }
    const held = this.end - this.first;
    const index = Math.round(range.from) + this.first;
    const anchor = Math.min(Math.max(index, this.first, 0), this.end - 1, candles.length - 1);
    return {
      isLive: range.to >= held - 1, width: range.to - range.from, beyond: range.to - held,
      time: candles[Math.max(anchor, 0)][0], offset: range.from + this.first - anchor,
    };
  }

  restore(kept) {
    const held = this.end - this.first;
    const scale = this.chart.timeScale();
    if (!held) {
      return;
    }
    if (!kept) {
      this.latest();
    } else if (kept.isLive) {
      const to = held + kept.beyond;
      scale.setVisibleLogicalRange({ from: to - kept.width, to });
    } else {
      const from = this.logicalOf(kept.time) + kept.offset;
      scale.setVisibleLogicalRange({ from, to: from + kept.width });
    }
  }

  fit() {
    this.first = 0;
    this.setData();
    this.chart.timeScale().fitContent();
  }

  latest() {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    const usual = this.container.clientWidth / BAR_PX;
    const width = this.hasView && range ? Math.min(range.to - range.from, LONGEST_LATEST) : usual;
    const to = this.end - this.first + RIGHT_ROOM;
    this.chart.timeScale().setVisibleLogicalRange({ from: to - width, to });
    this.hasView = true;
  }

  /** Bring a stretch of time into view, with room on both sides. */
  focus(from, to) {
    const start = indexOf(this.model.candles, from);
    const room = Math.max(30, (indexOf(this.model.candles, to) - start) * 0.5);
    if (start - room - NEAR < this.first) {
      this.first = Math.max(0, Math.floor(start - room) - PART);
      this.setData();
    }
    this.chart.timeScale().setVisibleLogicalRange({
      from: this.logicalOf(from) - room, to: this.logicalOf(to) + room,
    });
    this.container.scrollIntoView({ block: "nearest" });
  }

  pointAt(logical) {
    this.pointed = logical ?? null;
    const last = (this.model?.candles.length ?? 0) - 1;
    if (last >= 0) {
      const at = this.pointed === null ? last : Math.round(this.pointed) + this.first;
      this.legends.point(this.model, Math.min(Math.max(at, 0), last), this.places);
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
    if (this.model) {
      this.show(this.model, null);
    }
  }
}
