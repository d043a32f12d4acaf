// Parallel coordinates of combinations: one axis a parameter and one the metric. A range dragged on an axis keeps the
// lines that pass through it; ranges of several axes are linked. The ranges go to the page, which filters its table.
const TOP = 34, BOTTOM = 22, LEFT = 46, RIGHT = 46, HEIGHT = 300, LEAST = 92;
const drawn = new WeakMap();

export default function (component) {
  const root = component.parentElement.querySelector(".parallel");
  let chart = drawn.get(root);
  if (!chart) drawn.set(root, (chart = new Parallel(root)));
  chart.show(component.data, component.setStateValue);
  return () => { chart.remove(); drawn.delete(root); };
}

export function inside(values, ranges) {
  return Object.entries(ranges).every(([axis, [low, high]]) => values[axis] >= low && values[axis] <= high);
}

export function moved(range, axis, key) {
  // The range after an arrow key: a tenth of the axis, up or down; none before the first key is the lowest third.
  const span = axis.high - axis.low;
  if (!range) return [axis.low, axis.low + span / 3];
  const step = key === "ArrowUp" ? span / 10 : -span / 10;
  const low = Math.min(Math.max(range[0] + step, axis.low), axis.high - (range[1] - range[0]));
  return [low, low + (range[1] - range[0])];
}

function fitted(pen, text, most) {
  // The text, cut where it is wider than ``most`` pixels.
  let cut = text;
  while (cut.length > 2 && pen.measureText(cut === text ? text : cut + "…").width > most) cut = cut.slice(0, -1);
  return cut === text ? text : cut.trimEnd() + "…";
}

class Parallel {
  constructor(root) {
    this.root = root;
    this.plot = root.querySelector(".plot");
    this.canvas = root.querySelector("canvas");
    this.ranges = {};
    this.observer = new ResizeObserver(() => this.paint());
    this.observer.observe(this.plot);
  }

  remove() {
    this.observer.disconnect();
    clearTimeout(this.timer);
    this.plot.querySelectorAll(".axis").forEach((handle) => handle.remove());     // they report to this chart, and the next may be drawn in the same elements
  }

  show(data, report) {
    this.report = report;
    if (this.question !== data.question) { this.question = data.question; this.ranges = {}; }
    this.data = data;
    this.root.querySelector(".title").textContent = data.title;
    this.paint();
  }

  x(k) { return LEFT + (this.width - LEFT - RIGHT) * (this.data.axes.length > 1 ? k / (this.data.axes.length - 1) : 0.5); }
  y(axis, value) { return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (axis.high > axis.low ? (value - axis.low) / (axis.high - axis.low) : 0.5); }
  value(axis, y) { return axis.low + (axis.high - axis.low) * Math.min(Math.max((HEIGHT - BOTTOM - y) / (HEIGHT - TOP - BOTTOM), 0), 1); }

  paint() {
    if (!this.data) return;
    const style = getComputedStyle(this.root), colour = (name) => style.getPropertyValue(name).trim();
    const ratio = window.devicePixelRatio || 1;
    this.width = Math.max(this.plot.clientWidth, LEFT + RIGHT + LEAST * (this.data.axes.length - 1));
    Object.assign(this.canvas, { width: this.width * ratio, height: HEIGHT * ratio });
    Object.assign(this.canvas.style, { width: this.width + "px", height: HEIGHT + "px" });
    const pen = this.canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, this.width, HEIGHT);
    const rows = this.data.rows, kept = rows.map((row) => inside(row, this.ranges));
    const count = kept.filter(Boolean).length;
    this.lines(pen, rows.filter((_, k) => !kept[k]), colour("--st-gray-color") || colour("--st-text-color"), Math.max(0.01, Math.min(0.07, 8 / Math.max(rows.length - count, 1))));
    this.lines(pen, rows.filter((_, k) => kept[k]), colour("--st-primary-color"), Math.max(0.06, Math.min(0.7, 60 / Math.max(count, 1))));
    const best = rows.findIndex((_, k) => kept[k]);
    if (best >= 0) this.lines(pen, [rows[best]], colour("--st-orange-color") || colour("--st-text-color"), 1, 2);
    this.axes(pen, colour("--st-text-color"), style.fontFamily, colour("--st-background-color"));
    this.handles();
    const total = this.data.every.toLocaleString("en-GB");
    this.root.querySelector(".readout").textContent = Object.keys(this.ranges).length
      ? `${count.toLocaleString("en-GB")} of ${rows.length.toLocaleString("en-GB")} drawn combinations are inside the ranges. Click an axis to clear its range.`
      : rows.length < this.data.every ? `The best ${rows.length.toLocaleString("en-GB")} of ${total} combinations; orange: the best.` : `All ${total} combinations; orange: the best.`;
  }

  lines(pen, rows, colour, alpha, width = 1) {
    pen.strokeStyle = colour; pen.globalAlpha = alpha; pen.lineWidth = width;
    for (const row of rows) {
      pen.beginPath();
      row.forEach((value, k) => {
        const at = [this.x(k), this.y(this.data.axes[k], value)];
        if (k) pen.lineTo(...at); else pen.moveTo(...at);
      });
      pen.stroke();
    }
    pen.globalAlpha = 1;
  }

  axes(pen, colour, family, back) {
    pen.fillStyle = pen.strokeStyle = colour; pen.lineWidth = 1;
    this.data.axes.forEach((axis, k) => {
      const x = this.x(k);
      pen.textAlign = k === 0 ? "left" : k === this.data.axes.length - 1 ? "right" : "center";
      const side = k === 0 ? x - LEFT + 4 : k === this.data.axes.length - 1 ? x + RIGHT - 4 : x;
      const space = this.data.axes.length > 1 ? this.x(1) - this.x(0) : this.width, most = pen.textAlign === "center" ? space - 12 : space / 2 + LEFT - 14;
      pen.font = `600 12px ${family}`; pen.fillText(fitted(pen, axis.title, most), side, 12);
      pen.font = `11px ${family}`; pen.globalAlpha = 0.8; pen.fillText(fitted(pen, axis.unit, most), side, 26);
      pen.globalAlpha = 0.6; pen.beginPath(); pen.moveTo(x, TOP); pen.lineTo(x, HEIGHT - BOTTOM); pen.stroke();
      pen.globalAlpha = 0.85; pen.textAlign = "right";
      for (const [value, text] of axis.ticks) {
        pen.strokeStyle = back; pen.lineWidth = 3; pen.strokeText(text, x - 5, this.y(axis, value) + 4, 44);
        pen.fillText(text, x - 5, this.y(axis, value) + 4, 44);
      }
      pen.strokeStyle = colour; pen.lineWidth = 1;
      pen.globalAlpha = 1;
    });
  }

  handles() {
    const axes = this.data.axes;
    while (this.plot.querySelectorAll(".axis").length > axes.length) this.plot.querySelector(".axis").remove();
    while (this.plot.querySelectorAll(".axis").length < axes.length) this.plot.append(this.handle());
    this.plot.querySelectorAll(".axis").forEach((handle, k) => {
      handle.dataset.k = k;
      handle.style.left = this.x(k) + "px";
      handle.style.height = HEIGHT + "px";
      const range = this.ranges[k], brush = handle.querySelector(".brush"), axis = axes[k];
      brush.hidden = !range;
      handle.setAttribute("aria-label", `${axis.title}${range ? `, from ${range[0].toPrecision(4)} to ${range[1].toPrecision(4)}` : ", all values"}. Arrow keys move a range, Delete clears it.`);
      if (range) {
        const high = this.y(axis, range[1]), low = this.y(axis, range[0]);
        Object.assign(brush.style, { top: high - 2 + "px", height: Math.max(low - high, 1) + 4 + "px" });
      }
    });
  }

  handle() {
    const handle = document.createElement("button"), brush = document.createElement("span");
    handle.className = "axis"; handle.type = "button"; brush.className = "brush"; brush.hidden = true;
    handle.append(brush);
    handle.addEventListener("pointerdown", (event) => this.drag(handle, event));
    handle.addEventListener("keydown", (event) => this.key(Number(handle.dataset.k), event));
    return handle;
  }

  drag(handle, event) {
    const k = Number(handle.dataset.k), axis = this.data.axes[k], top = this.plot.getBoundingClientRect().top, from = event.clientY - top;
    handle.setPointerCapture(event.pointerId);
    const move = (next) => {
      const ends = [this.value(axis, from), this.value(axis, next.clientY - top)];
      this.set(k, Math.abs(next.clientY - top - from) < 4 ? null : [Math.min(...ends), Math.max(...ends)]);
    };
    const end = (last) => { move(last); handle.removeEventListener("pointermove", move); this.send(); };
    handle.addEventListener("pointermove", move);
    handle.addEventListener("pointerup", end, { once: true });
  }

  key(k, event) {
    if (!["ArrowUp", "ArrowDown", "Delete", "Backspace"].includes(event.key)) return;
    event.preventDefault();
    this.set(k, event.key.startsWith("Arrow") ? moved(this.ranges[k], this.data.axes[k], event.key) : null);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), 300);
  }

  set(k, range) {
    if (range) this.ranges[k] = range; else delete this.ranges[k];
    this.paint();
  }

  send() {
    this.report("ranges", Object.fromEntries(Object.entries(this.ranges).map(([k, range]) => [this.data.axes[k].name, range])));
  }
}
