// The chart of a run: candles of one window of its bars. The page sends the window; this asks for another when the view
// leaves it or needs candles of another size. Drawn by TradingView Lightweight Charts, which the server ships.
import "../lightweight.charts/lightweight-charts.standalone.production.js";

const REST = 160; // milliseconds without movement before the view is reported
const REACH = matchMedia("(pointer: coarse)").matches ? 22 : 12; // pixels from the middle of a marker that are a click on it
const drawn = new WeakMap();
const L = () => window.LightweightCharts;

export default function (component) {
  const root = component.parentElement.querySelector(".chart");
  let chart = drawn.get(root);
  if (!chart) drawn.set(root, (chart = new PriceChart(root)));
  chart.show(component.data, component.setStateValue, component.setTriggerValue);
  return () => { chart.remove(); drawn.delete(root); };
}

export function sizeFor(bars, budget) {
  let size = 1;
  while (Math.ceil(bars / size) > budget) size *= 2;
  return size;
}

class PriceChart {
  constructor(root) {
    this.root = root;
    this.at = (name) => root.querySelector("." + name);
    this.canvas = this.at("canvas");
    this.series = {};
    this.levels = [];
    this.signature = "";
    this.probe = () => this.paint();
    this.at("probe").addEventListener("transitionend", this.probe);
    this.pressed = (event) => this.key(event);
    this.canvas.addEventListener("keydown", this.pressed);
  }

  remove() {
    clearTimeout(this.timer);
    this.at("probe").removeEventListener("transitionend", this.probe);      // the next chart may be drawn in the same elements
    this.canvas.removeEventListener("keydown", this.pressed);
    if (this.chart) this.chart.remove();
    this.chart = null;
  }

  // -- data

  show(data, setState, setTrigger) {
    this.setState = setState;
    this.setTrigger = setTrigger;
    const same = this.data && this.data.key === data.key;
    if (!same || this.data.first !== data.first || this.data.size !== data.size) this.cursor = undefined;
    const seen = same && this.chart ? this.seen() : null;
    this.data = data;
    const signature = JSON.stringify([data.key, data.height, data.digits, !!data.v, data.features.map((each) => [each.name, each.pane])]);
    if (!this.chart || signature !== this.signature) this.build(signature);
    this.moving = true;
    this.fill();
    this.paint();
    const goes = data.go.seq !== this.went;
    this.went = data.go.seq;
    const to = goes || !seen ? data.go : seen;
    this.look(to.first, to.last);
    this.moving = false;
    this.at("title").textContent = data.title;
    this.at("unit").textContent = data.unit;
    this.canvas.setAttribute("aria-label", data.label);
    this.reserve();
    this.read(null);
    this.report();
  }

  build(signature) {
    if (this.chart) this.chart.remove();
    this.signature = signature;
    this.levels = [];
    const { createChart, CandlestickSeries, LineSeries, HistogramSeries, createSeriesMarkers, CrosshairMode } = L();
    this.canvas.style.height = this.data.height + "px";
    this.chart = createChart(this.canvas, {
      autoSize: true,
      handleScroll: { vertTouchDrag: false }, // a finger that moves up or down scrolls the page
      crosshair: { mode: CrosshairMode.Normal },
      localization: { locale: "en-GB", dateFormat: "yyyy-MM-dd", timeFormatter: (time) => clock(time) },
      timeScale: { timeVisible: true, secondsVisible: false, minBarSpacing: 0.3, rightOffset: 0, borderVisible: false },
      rightPriceScale: { borderVisible: false, minimumWidth: 58 },
    });
    const format = { type: "price", precision: this.data.digits, minMove: 10 ** -this.data.digits };
    const line = { lineWidth: 1, priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false };
    this.series = { candles: this.chart.addSeries(CandlestickSeries, { priceFormat: format, priceLineVisible: false, lastValueVisible: false }) };
    this.marks = createSeriesMarkers(this.series.candles, []);
    const panes = this.data.panes;
    if (this.data.v) this.series.volume = this.chart.addSeries(HistogramSeries, { ...line, priceFormat: { type: "volume" }, title: "Volume", lastValueVisible: true }, panes.indexOf("volume") + 1);
    this.series.features = this.data.features.map((each) =>
      each.pane
        ? this.chart.addSeries(LineSeries, { ...line, title: each.name, lastValueVisible: true, priceFormat: { type: "price", precision: each.digits, minMove: 10 ** -each.digits } }, panes.indexOf(each.pane) + 1)
        : this.chart.addSeries(LineSeries, { ...line, priceFormat: format }));
    this.chart.panes().forEach((pane, index) => pane.setStretchFactor(index ? 1 : 4));
    this.chart.timeScale().subscribeVisibleLogicalRangeChange(() => this.report());
    this.chart.subscribeCrosshairMove((point) => {
      this.hovering = point.logical !== undefined && point.logical !== null;
      this.read(point);
    });
    this.chart.subscribeClick((point) => this.click(point));
  }

  fill() {
    const d = this.data;
    this.series.candles.setData(d.t.map((time, i) => ({ time, open: d.o[i], high: d.h[i], low: d.l[i], close: d.c[i] })));
    if (this.series.volume) this.series.volume.setData(d.t.map((time, i) => (d.v[i] === null ? { time } : { time, value: d.v[i] })));
    this.series.features.forEach((series, k) => series.setData(d.t.map((time, i) => (d.features[k].v[i] === null ? { time } : { time, value: d.features[k].v[i] }))));
    this.levels.forEach((series) => this.chart.removeSeries(series));
    this.levels = d.levels.map((level) => {
      const stop = level.name === "stop";
      const series = this.chart.addSeries(L().LineSeries, {
        lineWidth: stop ? 2 : 1, lineStyle: stop ? 0 : 2, lineType: stop ? 1 : 0, priceLineVisible: false, crosshairMarkerVisible: false,
        lastValueVisible: level.i.length > 1 || d.size === 1, title: level.name, pointMarkersVisible: level.i.length === 1,
        priceFormat: { type: "price", precision: d.digits, minMove: 10 ** -d.digits },
      });
      series.setData(level.i.map((i, k) => ({ time: d.t[i], value: level.p[k] })));
      return series;
    });
    this.chart.timeScale().applyOptions({ fixLeftEdge: d.first === 0, fixRightEdge: d.last === d.rows });
  }

  // -- colours: of the theme, read where it stands, so that a switch needs no answer of the server

  paint() {
    if (!this.chart) return;
    const style = getComputedStyle(this.root);
    const of = (name) => style.getPropertyValue("--st-" + name).trim();
    const [line, up, down, quiet, other, warn] = of("chart-categorical-colors").split(",").map((colour) => colour.trim());
    const ink = of("text-color"), back = of("background-color"), faint = of("border-color") || quiet;
    this.chart.applyOptions({
      layout: { background: { color: back }, textColor: ink, fontFamily: style.fontFamily, fontSize: 11, attributionLogo: true, panes: { separatorColor: faint, separatorHoverColor: faint } },
      grid: { vertLines: { visible: false }, horzLines: { color: faint } },
      crosshair: { vertLine: { color: quiet, labelBackgroundColor: ink }, horzLine: { color: quiet, labelBackgroundColor: ink } },
    });
    this.series.candles.applyOptions({ upColor: back, borderUpColor: up, wickUpColor: up, downColor: down, borderDownColor: down, wickDownColor: down });
    if (this.series.volume) this.series.volume.applyOptions({ color: quiet });
    const tones = [line, other, warn, quiet, up, down];
    this.series.features.forEach((series, k) => series.applyOptions({ color: tones[k % tones.length] }));
    this.levels.forEach((series, k) => series.applyOptions({ color: { entry: ink, "initial stop": down, stop: down }[this.data.levels[k].name] || up }));
    this.mark(ink, up, down, quiet);
  }

  mark(ink, up, down, quiet) {
    const d = this.data, own = d.marks.filter((each) => each.trade === d.trade).map((each) => each.i);
    const near = Math.max(...own) - Math.min(...own) < 5;      // two labels would lie on one another
    const single = d.marks.map((each) => {
      const chosen = each.trade === d.trade;
      return {
        time: d.t[each.i], position: "atPriceMiddle", price: each.price, id: "trade:" + each.trade, size: chosen ? 2 : 1,
        shape: each.entry ? (each.buy ? "arrowUp" : "arrowDown") : "square",
        color: each.entry ? ink : each.won ? up : down, text: chosen ? (each.entry ? "trade " + each.trade : near ? "" : "exit") : "",
      };
    });
    const grouped = d.groups.map((each) => ({ time: d.t[each.i], position: "aboveBar", shape: "circle", size: 0.6, color: quiet, text: String(each.trades), id: "rows:" + each.first + ":" + each.last }));
    this.marks.setMarkers([...single, ...grouped].sort((one, two) => one.time - two.time));
  }

  // -- the view, in rows of the run

  seen() {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (!range || !this.data) return null;
    const { first, size } = this.data;
    return { first: first + (range.from + 0.5) * size, last: first + (range.to + 0.5) * size };
  }

  look(first, last) {
    const d = this.data;
    this.chart.timeScale().setVisibleLogicalRange({ from: (first - d.first) / d.size - 0.5, to: (last - d.first) / d.size - 0.5 });
  }

  report() {
    if (this.moving) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tell(), REST);
  }

  tell() {
    const d = this.data, seen = this.chart && this.seen();
    if (!seen) return;
    if (!this.hovering) this.read(null);
    const first = Math.max(Math.round(seen.first), 0), last = Math.min(Math.round(seen.last), d.rows);
    const budget = Math.min(Math.max(Math.round(this.canvas.clientWidth / 2.5), 120), 480);
    const wanted = sizeFor(Math.max(last - first, 1), budget);
    const outside = (first < d.first && d.first > 0) || (last > d.last && d.last < d.rows);
    const needs = outside || wanted < d.size || wanted > 2 * d.size;
    const view = { first, last, budget, load: needs ? [first, last] : null, key: d.key };
    const text = JSON.stringify(view);
    if (text === this.announced) return;
    this.announced = text;
    this.root.dataset.size = d.size;
    this.root.dataset.marks = JSON.stringify(this.marksInView(seen));
    this.setState("view", view);
  }

  // Where the markers in view stand, in pixels of the canvas: what a mouse may be sent to without seeing them.
  marksInView(seen) {
    const d = this.data, scale = this.chart.timeScale();
    const inside = d.marks.filter((each) => d.first + each.i * d.size >= seen.first && d.first + each.i * d.size < seen.last);
    return inside.slice(0, 60).map((each) => ({ trade: each.trade, x: scale.timeToCoordinate(d.t[each.i]), y: this.series.candles.priceToCoordinate(each.price) }));
  }

  // -- reading and choosing

  read(point) {
    let i = point && point.logical !== undefined && point.logical !== null ? Math.round(point.logical) : this.cursor;
    if (i === undefined || i === null || i < 0 || i >= this.data.t.length) i = this.lastSeen();
    if (i < 0) return;
    const hovered = point && point.hoveredObjectId ? String(point.hoveredObjectId) : "";
    this.write(i, hovered.startsWith("trade:") && this.data.marks.find((each) => "trade:" + each.trade === hovered && each.i === i));
  }

  // The lines that the longest reading takes: were they added under the pointer, the chart would move away from it.
  reserve() {
    const d = this.data, line = this.at("readout");
    if (!d.t.length) return;
    line.style.minHeight = "";
    const widest = d.v ? d.v.reduce((best, volume, i) => (volume > d.v[best] ? i : best), 0) : d.t.length - 1;
    this.write(widest, d.marks.reduce((best, each) => (best && this.markText(best).length >= this.markText(each).length ? best : each), null));
    line.style.minHeight = line.offsetHeight + "px";
  }

  write(i, mark) {
    const d = this.data;
    const parts = [["", clock(d.t[i]) + " UTC"], ["O", decimal(d.o[i], d.digits)], ["H", decimal(d.h[i], d.digits)], ["L", decimal(d.l[i], d.digits)], ["C", decimal(d.c[i], d.digits)]];
    if (d.v) parts.push(["Volume", decimal(d.v[i], 0)]);
    if (d.n[i] > 1) parts.push(["Bars", decimal(d.n[i], 0)]);
    d.features.forEach((each) => parts.push([each.name, decimal(each.v[i], each.digits)]));
    if (mark) parts.push(["", this.markText(mark)]);
    this.at("readout").replaceChildren(...parts.map(([name, text]) => {
      const part = document.createElement("span"), label = document.createElement("b");
      label.textContent = name ? name + " " : "";
      part.append(label, text);
      return part;
    }));
  }

  markText(mark) {
    return `trade ${mark.trade}: ${mark.what} ${decimal(mark.lots, 2)} lots at ${decimal(mark.price, this.data.digits)}`;
  }

  lastSeen() {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    return range ? Math.min(Math.max(Math.floor(range.to), 0), this.data.t.length - 1) : this.data.t.length - 1;
  }

  click(point) {
    const mark = this.markerAt(point);
    if (mark) return this.choose(mark.trade);
    const id = point && point.hoveredObjectId ? String(point.hoveredObjectId) : "";
    if (id.startsWith("trade:")) this.choose(Number(id.slice(6)));
    if (id.startsWith("rows:")) {
      const [first, last] = id.slice(5).split(":").map(Number);
      this.look(first, last);
    }
  }

  // The marker nearest to a point of the candles: the library names the line of a level that lies on it instead, and nothing under a finger.
  markerAt(point) {
    if (!point || !point.point || point.paneIndex) return null;
    const { x, y } = point.point, scale = this.chart.timeScale();
    const off = (each) => Math.hypot(scale.timeToCoordinate(this.data.t[each.i]) - x, this.series.candles.priceToCoordinate(each.price) - y);
    return this.data.marks.map((each) => ({ trade: each.trade, off: off(each) })).reduce((best, each) => (each.off <= (best ? best.off : REACH) ? each : best), null);
  }

  choose(trade) {
    this.setTrigger("picked", trade);
  }

  key(event) {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (!range || event.ctrlKey || event.metaKey || event.altKey) return;
    const width = range.to - range.from, middle = (range.to + range.from) / 2;
    const to = (from, until) => this.chart.timeScale().setVisibleLogicalRange({ from, to: until });
    const act = {
      ArrowLeft: () => (event.shiftKey ? to(range.from - width / 2, range.to - width / 2) : this.step(-1, range)),
      ArrowRight: () => (event.shiftKey ? to(range.from + width / 2, range.to + width / 2) : this.step(1, range)),
      "+": () => to(middle - width / 4, middle + width / 4),
      "=": () => to(middle - width / 4, middle + width / 4),
      "-": () => to(middle - width, middle + width),
      Home: () => this.look(0, this.data.last - this.data.first),
      End: () => this.look(this.data.rows - (this.data.last - this.data.first), this.data.rows),
      n: () => this.next(1),
      p: () => this.next(-1),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  step(by, range) {
    const count = this.data.t.length;
    const from = this.cursor === undefined ? Math.round((range.from + range.to) / 2) : this.cursor + by;
    this.cursor = Math.min(Math.max(from, 0), count - 1);
    this.chart.setCrosshairPosition(this.data.c[this.cursor], this.data.t[this.cursor], this.series.candles);
    if (this.cursor <= range.from || this.cursor >= range.to) this.chart.timeScale().setVisibleLogicalRange({ from: range.from + by * 10, to: range.to + by * 10 });
    this.read(null);
  }

  next(by) {
    const to = this.data.trade ? this.data.trade + by : 1;
    if (to >= 1 && to <= this.data.trades) this.choose(to);
  }
}

function decimal(x, digits) {
  return x === null || x === undefined ? "—" : Number(x).toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
}

function clock(seconds) {
  return new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");
}
