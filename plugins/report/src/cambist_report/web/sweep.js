// A sweep: two parameters as a heat map, all of them as parallel coordinates.
"use strict";

const MOST_CELLS = 40;
const MOST_LINES = 4000;

class SweepPage {
  constructor(columns, about) {
    Object.assign(this, { columns, about });
    this.measure = about.measure;
    this.n = columns[this.measure].length;
    this.ranges = new Map();
    this.makeHeat();
    this.makeLines();
    themes.watchers.push(() => this.drawLines());
  }

  text(name, value) {
    const words = this.about.words[name];
    if (words) return words[value];
    return isNaN(value) ? "–" : Number(value.toPrecision(6)).toLocaleString("en-US", { maximumFractionDigits: 6 });
  }

  better(a, b) {
    return this.about.up[this.measure] === false ? a < b : a > b;
  }

  // The values of a column as steps: themselves, or bins where there are too many.
  steps(name) {
    const values = this.columns[name];
    const every = [...new Set(values)].filter((value) => !isNaN(value)).sort((a, b) => a - b);
    if (every.length <= MOST_CELLS) return { labels: every.map((value) => this.text(name, value)), of: new Map(every.map((value, k) => [value, k])), place(value) { return this.of.get(value); } };
    const [low, high] = [every[0], every[every.length - 1]];
    const width = (high - low) / 24;
    const labels = Array.from({ length: 24 }, (_, k) => `${this.text(name, low + k * width)}…`);
    return { labels, place: (value) => Math.min(Math.floor((value - low) / width), 23) };
  }

  makeHeat() {
    const root = document.getElementById("heat");
    if (!root) return;
    this.controls = Object.fromEntries(["across", "down", "shown", "how"].map((name) => [name, root.querySelector(`[name=${name}]`)]));
    root.addEventListener("input", () => this.drawHeat());
    root.addEventListener("click", (event) => {
      const cell = event.target.closest("td[data-cell]");
      if (cell) root.querySelector(".said").textContent = cell.title;
    });
    this.drawHeat();
  }

  drawHeat() {
    const { across, down, shown, how } = this.controls;
    this.measure = shown.value;
    const xs = this.steps(across.value);
    const ys = this.steps(down.value);
    const cells = new Map();
    const values = this.columns[this.measure];
    for (let i = 0; i < this.n; i++) {
      const [x, y] = [xs.place(this.columns[across.value][i]), ys.place(this.columns[down.value][i])];
      if (isNaN(values[i]) || x === undefined || y === undefined || isNaN(x) || isNaN(y)) continue;
      const key = y * 1000 + x;
      const cell = cells.get(key) || { sum: 0, count: 0, best: values[i], worst: values[i] };
      cell.sum += values[i];
      cell.count++;
      if (this.better(values[i], cell.best)) cell.best = values[i];
      if (this.better(cell.worst, values[i])) cell.worst = values[i];
      cells.set(key, cell);
    }
    const value = (cell) => (how.value === "mean" ? cell.sum / cell.count : cell[how.value]);
    const all = [...cells.values()].map(value).sort((a, b) => a - b);
    const [low, high] = [all[0], all[all.length - 1]];
    const crosses = low < 0 && high > 0;
    let best = null;
    for (const cell of cells.values()) if (best === null || this.better(value(cell), best)) best = value(cell);
    const rows = ys.labels.map((label, y) => {
      const made = xs.labels.map((other, x) => {
        const cell = cells.get(y * 1000 + x);
        if (!cell) return '<td class="none"></td>';
        const number = value(cell);
        const heat = crosses ? (100 * Math.abs(number)) / (number > 0 ? high : -low) : 10 + (90 * (number - low)) / (high - low || 1);
        const words = `${across.value} ${other}, ${down.value} ${label}: ${this.measure} ${format.number(number, 3, 3)}` + (cell.count > 1 ? ` (${how.value} of ${cell.count})` : "");
        return `<td data-cell class="num ${crosses && number < 0 ? "down" : "up"}${number === best ? " best" : ""}" style="--heat:${heat.toFixed(0)}%" title="${escaped(words)}">${xs.labels.length <= 20 ? format.number(number, 2, 2) : ""}</td>`;
      });
      return `<tr><th scope="row" class="num">${escaped(label)}</th>${made.join("")}</tr>`;
    });
    const every = Math.ceil(xs.labels.length / 20);
    const head = xs.labels.map((label, k) => `<th scope="col" class="num">${k % every ? "" : escaped(label)}</th>`).join("");
    document.querySelector("#heat .map").innerHTML = `<table class="heat dense"><caption>${escaped(this.measure)} by ${escaped(across.value)} and ${escaped(down.value)}</caption><thead><tr><th class="num corner">${escaped(down.value)} ↓ ${escaped(across.value)} →</th>${head}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
    this.drawLines();
  }

  makeLines() {
    this.canvas = document.getElementById("lines");
    if (!this.canvas) return;
    this.axes = this.about.lines;
    this.scales = this.axes.map((name) => {
      const known = Array.from(this.columns[name]).filter((value) => !isNaN(value));
      const low = known.reduce((a, b) => Math.min(a, b), Infinity);
      const high = known.reduce((a, b) => Math.max(a, b), -Infinity);
      return { low, span: high - low || 1 };
    });
    new ResizeObserver(() => this.drawLines()).observe(this.canvas);
    let grab = null;
    const at = (event) => {
      const box = this.canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    const nearest = (x) => this.axes.map((_, k) => [Math.abs(this.x(k) - x), k]).sort((a, b) => a[0] - b[0])[0];
    this.canvas.addEventListener("pointerdown", (event) => {
      const [x, y] = at(event);
      const [far, axis] = nearest(x);
      if (far > 34) return;
      grab = { axis, from: y };
      this.canvas.setPointerCapture(event.pointerId);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      const [x, y] = at(event);
      this.canvas.style.cursor = nearest(x)[0] < 34 ? "ns-resize" : "";
      if (!grab) return;
      if (Math.abs(y - grab.from) < 4) this.ranges.delete(grab.axis);
      else this.ranges.set(grab.axis, [this.valueAt(grab.axis, Math.max(y, grab.from)), this.valueAt(grab.axis, Math.min(y, grab.from))]);
      this.drawLines();
    });
    this.canvas.addEventListener("pointerup", (event) => {
      if (grab && Math.abs(at(event)[1] - grab.from) < 4) {
        this.ranges.delete(grab.axis);
        this.drawLines();
      }
      grab = null;
    });
    this.drawLines();
  }

  x(k) {
    return 56 + (k * (this.canvas.clientWidth - 112)) / Math.max(this.axes.length - 1, 1);
  }

  y(k, value) {
    return 34 + (1 - (value - this.scales[k].low) / this.scales[k].span) * (this.canvas.clientHeight - 62);
  }

  valueAt(k, y) {
    return this.scales[k].low + (1 - (y - 34) / (this.canvas.clientHeight - 62)) * this.scales[k].span;
  }

  drawLines() {
    const { canvas } = this;
    if (!canvas || !canvas.clientWidth || !this.axes) return;
    const ratio = devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    const ctx = canvas.getContext("2d");
    ctx.scale(ratio, ratio);
    const values = this.columns[this.measure];
    let order = Array.from({ length: this.n }, (_, i) => i).filter((i) => this.axes.every((name) => !isNaN(this.columns[name][i])));
    order.sort((a, b) => (this.better(values[b], values[a]) ? -1 : 1)); // the best last, on top
    const total = order.length;
    const chosen = order.filter((i) => [...this.ranges].every(([k, [low, high]]) => this.columns[this.axes[k]][i] >= low && this.columns[this.axes[k]][i] <= high));
    const kept = new Set(chosen);
    if (order.length > MOST_LINES) {
      const step = order.length / MOST_LINES;
      order = Array.from({ length: MOST_LINES }, (_, k) => order[Math.floor((k + 1) * step) - 1]);
    }
    const base = Math.max(Math.min(14 / Math.sqrt(order.length), 0.8), 0.06);
    ctx.lineWidth = 1.2;
    order.forEach((i, place) => {
      const rank = place / Math.max(order.length - 1, 1);
      const inside = kept.has(i);
      ctx.strokeStyle = !inside ? INK.line : rank > 0.95 ? INK.up : rank > 0.5 ? INK.accent : INK.down;
      ctx.globalAlpha = !inside ? 0.35 : rank > 0.95 ? Math.max(base * 2.5, 0.45) : base;
      ctx.beginPath();
      this.axes.forEach((name, k) => ctx[k ? "lineTo" : "moveTo"](this.x(k), this.y(k, this.columns[name][i])));
      ctx.stroke();
    });
    ctx.globalAlpha = 1;
    ctx.font = "11.5px system-ui, sans-serif";
    ctx.textAlign = "center";
    this.axes.forEach((name, k) => {
      const [x, top, bottom] = [this.x(k), 34, canvas.clientHeight - 28];
      ctx.fillStyle = INK.soft;
      ctx.fillRect(x - 0.5, top, 1, bottom - top);
      ctx.fillStyle = INK.ink;
      ctx.fillText(name, x, 14);
      ctx.fillStyle = INK.soft;
      ctx.fillText(this.text(name, this.scales[k].low + this.scales[k].span), x, 28);
      ctx.fillText(this.text(name, this.scales[k].low), x, canvas.clientHeight - 12);
      const range = this.ranges.get(k);
      if (!range) return;
      ctx.fillStyle = faded(INK.accent, 30);
      ctx.fillRect(x - 7, this.y(k, range[1]), 14, this.y(k, range[0]) - this.y(k, range[1]));
      ctx.strokeStyle = INK.accent;
      ctx.strokeRect(x - 7, this.y(k, range[1]), 14, this.y(k, range[0]) - this.y(k, range[1]));
    });
    const best = chosen.length ? chosen[chosen.length - 1] : null;
    document.querySelector("#lines-said").textContent = `${chosen.length.toLocaleString("en-US")} of ${total.toLocaleString("en-US")} configurations` + (best === null ? "" : `; the best: ${this.axes.map((name) => `${name} ${this.text(name, this.columns[name][best])}`).join(", ")}`);
    this.chosen = chosen.length;
  }
}

function escaped(text) {
  return String(text).replace(/[&<>"]/g, (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[one]);
}
