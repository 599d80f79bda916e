// Panels one above the other that show one window of time, and what moves it: mouse, fingers, keys, buttons.
"use strict";

const GUTTER = 68;

class Stage {
  // `leader` is the axis whose rows the view counts; other axes follow by time.
  constructor(root, format) {
    this.root = root;
    this.format = format;
    this.panels = [];
    this.leader = null;
    this.view = [0, 1];
    this.hover = null;
    this.listeners = [];
    this.asked = false;
    this.frames = 0;
    new ResizeObserver(() => this.resize()).observe(root);
    // What is out of sight is not drawn before it comes into sight.
    this.sight = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        const panel = this.panels.find((one) => one.element === target);
        if (panel) panel.unseen = !isIntersecting;
      }
      this.draw();
    }, { rootMargin: "120px" });
    this.listen();
  }

  get width() {
    return Math.max(this.root.clientWidth, 200);
  }

  lead(axis) {
    const before = this.leader;
    const times = before && [before.knownAt(this.view[0]), before.knownAt(this.view[1])];
    this.leader = axis;
    if (times) this.show(axis.rowKnownAt(times[0]), axis.rowKnownAt(times[1]));
    else this.all();
  }

  add(panel) {
    panel.element = document.createElement("div");
    panel.element.className = "panel";
    panel.element.dataset.panel = panel.key;
    panel.readout = document.createElement("div");
    panel.readout.className = "readout";
    panel.element.append(panel.readout);
    this.root.append(panel.element);
    panel.plot = this.plotOf(panel);
    this.panels.push(panel);
    this.sight.observe(panel.element);
  }

  clear(keep) {
    for (const panel of this.panels) {
      if (keep(panel)) continue;
      this.sight.unobserve(panel.element);
      panel.plot.destroy();
      panel.element.remove();
    }
    this.panels = this.panels.filter(keep);
  }

  plotOf(panel) {
    const stage = this;
    const last = () => panel.dated || stage.panels[stage.panels.length - 1] === panel;
    const options = {
      width: this.width,
      height: panel.height,
      padding: [window.innerWidth < 640 && panel.series.length > 3 ? 44 : 26, 0, 5, 0],
      legend: { show: false },
      cursor: { drag: { x: false, y: false, setScale: false }, points: { size: 6, fill: (u, i) => panel.series[i - 1].color() }, y: panel.crossY !== false },
      scales: {
        x: { time: false, range: () => panel.range },
        y: { distr: panel.log ? 3 : 1, log: 10, range: (u, low, high) => this.heights(panel, u) },
      },
      axes: [
        {
          stroke: () => INK.soft,
          grid: { stroke: () => INK.line, width: 1 },
          ticks: { show: false },
          font: "11px system-ui, sans-serif",
          size: () => (last() ? 26 : 0),
          splits: () => timeTicks(panel.axis, panel.range[0], panel.range[1], this.width - GUTTER).rows,
          values: () => (last() ? timeTicks(panel.axis, panel.range[0], panel.range[1], this.width - GUTTER).words : []),
        },
        {
          side: 1,
          size: GUTTER,
          gap: 6,
          stroke: () => INK.soft,
          grid: { stroke: () => INK.line, width: 1 },
          ticks: { show: false },
          font: "11px system-ui, sans-serif",
          space: 34,
          values: (u, splits) => splits.map((value) => (value === null ? "" : this.format.axis(value, panel.unit))),
        },
      ],
      series: [{}, ...panel.series.map((one) => this.seriesOf(one))],
      hooks: {
        drawSeries: [],
        drawClear: [(u) => panel.below && panel.below(u, panel.part, panel.range)],
        draw: [(u) => panel.above && panel.above(u, panel.part, panel.range)],
      },
    };
    return new uPlot(options, [[], ...panel.series.map(() => [])], panel.element);
  }

  seriesOf(one) {
    const shared = { scale: "y", points: { show: false }, spanGaps: false };
    if (one.draw === "none") return { ...shared, paths: () => null };
    const line = { ...shared, stroke: () => one.color(), width: one.width || 1.75, dash: one.dash };
    if (one.draw === "area") return { ...line, fill: () => faded(one.color(), 18), fillTo: 0 };
    if (one.draw === "steps") return { ...line, fill: () => faded(one.color(), 18), fillTo: 0, paths: uPlot.paths.stepped({ align: -1 }) };
    return line;
  }

  // The window of values, with a little room, that a panel's numbers take.
  heights(panel, u) {
    let low = Infinity;
    let high = -Infinity;
    const [a, b] = panel.range;
    const { xs, f } = panel.part || { xs: [], f: 1 };
    for (const one of panel.series) {
      if (one.hidden || one.scaled === false) continue;
      const values = panel.part ? panel.part.columns[one.column] : [];
      if (!values) continue;
      for (let k = 0; k < xs.length; k++) {
        if (xs[k] < a - f || xs[k] > b + f) continue;
        const value = values[k];
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
    if (panel.zero) {
      low = Math.min(low, 0);
      high = Math.max(high, 0);
    }
    if (!isFinite(low) || !isFinite(high)) return panel.log ? [1, 10] : [0, 1];
    if (panel.log && low > 0) return [low / 1.03, high * 1.03];
    const room = (high - low) * 0.07 || Math.abs(high) * 0.02 || 1;
    return [panel.zero && low >= 0 ? 0 : low - room, panel.zero && high <= 0 ? 0 : high + room];
  }

  resize() {
    const width = this.width;
    if (width === this.drawn) return;
    this.drawn = width;
    for (const panel of this.panels) panel.plot.setSize({ width, height: panel.height });
    this.draw();
  }

  // The view.

  show(a, b) {
    const n = this.leader.n;
    const least = Math.min(8, n);
    let span = Math.min(Math.max(b - a, least), n * 1.06 + 2);
    const middle = (a + b) / 2;
    a = middle - span / 2;
    const edge = span * 0.6;
    a = Math.min(Math.max(a, -0.5 - edge), n - 0.5 - span + edge);
    this.view = [a, a + span];
    this.draw();
  }

  all() {
    const n = this.leader.n;
    const room = Math.max(n * 0.012, 0.5);
    this.show(-0.5 - room, n - 0.5 + room);
  }

  latest(milliseconds) {
    const end = this.leader.n - 0.5;
    const room = milliseconds && (end - this.leader.rowAt(this.leader.timeAt(end) - milliseconds)) * 0.03;
    this.show(Math.max(this.leader.rowAt(this.leader.timeAt(end) - milliseconds), -0.5) , end + room);
  }

  move(share) {
    const span = this.view[1] - this.view[0];
    this.show(this.view[0] + span * share, this.view[1] + span * share);
  }

  zoom(factor, share = 0.5) {
    const span = this.view[1] - this.view[0];
    const at = this.view[0] + span * share;
    const made = Math.min(Math.max(span * factor, Math.min(8, this.leader.n)), this.leader.n * 1.06 + 2);
    this.show(at - made * share, at + made * (1 - share));
  }

  between(from, to, room = 0.35) {
    const [a, b] = [this.leader.rowAt(from), this.leader.rowAt(to)];
    const span = Math.max(b - a, 12);
    this.show(a - span * room, Math.max(b, a + 12) + span * room);
  }

  draw() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.drawNow();
    });
  }

  drawNow(every) {
    if (!this.leader || !this.leader.levels.length) return;
    const from = this.leader.knownAt(this.view[0]);
    const to = this.leader.knownAt(this.view[1]);
    for (const panel of this.panels) {
      if (!panel.axis.levels.length) continue;
      panel.range = panel.axis === this.leader ? this.view : [panel.axis.rowKnownAt(from), panel.axis.rowKnownAt(to)];
      if (panel.unseen && !every) continue;
      const target = (this.width - GUTTER) / (panel.dense || 1.5);
      panel.part = panel.axis.slice(panel.range[0], panel.range[1], Math.max(target, 40));
      const data = [panel.part.xs, ...panel.series.map((one) => (one.hidden ? [] : panel.part.columns[one.column] || []))];
      panel.plot.batch(() => {
        panel.plot.setData(data, false);
        panel.plot.setScale("x", { min: panel.range[0], max: panel.range[1] });
      });
    }
    this.frames++;
    this.readSoon();
    for (const listener of this.listeners) listener(this);
  }

  redraw() {
    for (const panel of this.panels) panel.plot.redraw(true, true);
    this.draw();
  }

  // The numbers under the mouse, or the last ones in view.

  readSoon() {
    if (this.waiting) return;
    this.waiting = true;
    setTimeout(() => {
      this.waiting = false;
      this.read();
    }, 60);
  }

  read() {
    for (const panel of this.panels) {
      const { part } = panel;
      if (!part || !part.xs.length || panel.unseen) continue;
      const share = this.hover === null ? 1 : this.hover;
      const row = panel.range[0] + (panel.range[1] - panel.range[0]) * share;
      let k = Math.round((row - part.xs[0]) / part.f);
      k = Math.min(Math.max(k, 0), part.xs.length - 1);
      const values = panel.series.filter((one) => !one.hidden && part.columns[one.column]).map((one) => {
        const value = part.columns[one.column][k];
        const name = `<i style="background:${one.draw === "none" && !one.swatch ? "none" : one.color()}"></i>${one.label}`;
        return `<span>${name} <b>${this.format.value(value, panel.unit)}</b></span>`;
      });
      const first = (part.first + k) * part.f;
      const time = panel.axis.timeAt(Math.min(first, panel.axis.n - 1));
      const many = part.f > 1 ? ` <em>· ${part.f.toLocaleString("en-US")} rows a point</em>` : "";
      panel.readout.innerHTML = `<strong>${panel.title}</strong>${values.join("")}<span class="when">${timeText(time, panel.axis.daily)}${many}</span>`;
    }
  }

  point(left) {
    this.hover = left === null ? null : Math.min(Math.max(left / Math.max(this.width - GUTTER, 1), 0), 1);
    for (const { plot } of this.panels) if (left === null) plot.setCursor({ left: -10, top: -10 }, false);
    else if (plot !== this.under) plot.setCursor({ left, top: -10 }, false);
    this.read();
  }

  listen() {
    const { root } = this;
    const fingers = new Map();
    let start = null;
    const place = (event) => event.clientX - root.getBoundingClientRect().left;
    const width = () => this.width - GUTTER;
    root.addEventListener("pointerdown", (event) => {
      if (event.button || !event.target.closest(".u-over")) return;
      root.focus({ preventScroll: true });
      fingers.set(event.pointerId, place(event));
      start = { view: this.view.slice(), fingers: new Map(fingers), x: place(event), moved: false };
      root.setPointerCapture(event.pointerId);
    });
    root.addEventListener("pointermove", (event) => {
      const over = event.target.closest && event.target.closest(".u-over");
      const panel = over && this.panels.find((one) => one.element.contains(over));
      this.under = panel ? panel.plot : null;
      if (!fingers.has(event.pointerId)) {
        if (event.pointerType === "mouse" && over) this.point(place(event));
        return;
      }
      fingers.set(event.pointerId, place(event));
      const span = start.view[1] - start.view[0];
      if (fingers.size === 1) {
        const share = (place(event) - start.x) / width();
        if (Math.abs(place(event) - start.x) > 3) start.moved = true;
        if (start.moved) this.show(start.view[0] - span * share, start.view[1] - span * share);
      } else {
        const [one, other] = [...fingers.keys()];
        const before = Math.abs(start.fingers.get(one) - start.fingers.get(other)) || 1;
        const now = Math.max(Math.abs(fingers.get(one) - fingers.get(other)), 8);
        const middle = (fingers.get(one) + fingers.get(other)) / 2 / width();
        const was = (start.fingers.get(one) + start.fingers.get(other)) / 2 / width();
        const at = start.view[0] + span * was;
        const made = (span * before) / now;
        this.show(at - made * middle, at + made * (1 - middle));
      }
    });
    const lift = (event) => {
      if (!fingers.delete(event.pointerId)) return;
      if (start && !start.moved && !fingers.size && event.type === "pointerup" && this.clicked) this.clicked(place(event), event);
      if (fingers.size && start) start = { view: this.view.slice(), fingers: new Map(fingers), x: [...fingers.values()][0], moved: true };
    };
    root.addEventListener("pointerup", lift);
    root.addEventListener("pointercancel", lift);
    root.addEventListener("pointerleave", () => this.point(null));
    root.addEventListener("dblclick", (event) => event.target.closest(".u-over") && this.all());
    root.addEventListener("wheel", (event) => {
      const mine = document.activeElement === root || event.ctrlKey || event.metaKey;
      const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (!mine && !sideways) return;
      event.preventDefault();
      if (sideways) this.move(event.deltaX / width());
      else this.zoom(Math.exp(Math.max(Math.min(event.deltaY, 120), -120) * 0.0022), Math.min(Math.max(place(event) / width(), 0), 1));
    }, { passive: false });
    const keys = {
      ArrowLeft: () => this.move(-0.15),
      ArrowRight: () => this.move(0.15),
      PageUp: () => this.move(-0.9),
      PageDown: () => this.move(0.9),
      "+": () => this.zoom(0.7),
      "=": () => this.zoom(0.7),
      ArrowUp: () => this.zoom(0.7),
      "-": () => this.zoom(1 / 0.7),
      ArrowDown: () => this.zoom(1 / 0.7),
      0: () => this.all(),
      Home: () => this.show(-0.5, this.view[1] - this.view[0] - 0.5),
      End: () => this.show(this.leader.n - 0.5 - (this.view[1] - this.view[0]), this.leader.n - 0.5),
    };
    root.addEventListener("keydown", (event) => {
      const act = keys[event.key] || (this.keys && this.keys[event.key]);
      if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act();
    });
  }
}

// The whole of a column, small, with the window in view; drag it to move.
class Overview {
  constructor(canvas, stage, axis, column) {
    Object.assign(this, { canvas, stage, axis, column });
    stage.listeners.push(() => this.draw());
    new ResizeObserver(() => this.draw()).observe(canvas);
    let grab = null;
    const row = (event) => {
      const box = canvas.getBoundingClientRect();
      return ((event.clientX - box.left) / box.width) * stage.leader.n - 0.5;
    };
    canvas.addEventListener("pointerdown", (event) => {
      const [a, b] = stage.view;
      const at = row(event);
      const near = stage.leader.n * 0.012;
      const span = b - a;
      if (Math.abs(at - a) < near) grab = { edge: 0 };
      else if (Math.abs(at - b) < near) grab = { edge: 1 };
      else {
        if (at < a || at > b) stage.show(at - span / 2, at + span / 2);
        grab = { offset: at - stage.view[0] };
      }
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!grab) return;
      const at = row(event);
      const [a, b] = stage.view;
      if (grab.edge === 0) stage.show(Math.min(at, b - 8), b);
      else if (grab.edge === 1) stage.show(a, Math.max(at, a + 8));
      else stage.show(at - grab.offset, at - grab.offset + (b - a));
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (grab = null));
  }

  draw() {
    const { canvas, stage, axis } = this;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width || !axis.levels.length) return;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const ctx = canvas.getContext("2d");
    ctx.scale(ratio, ratio);
    const level = axis.levels[axis.levels.length - 1];
    const values = level.columns[this.column];
    const step = Math.max(1, Math.floor(values.length / width));
    let low = Infinity;
    let high = -Infinity;
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    const y = (value) => 4 + (1 - (value - low) / (high - low || 1)) * (height - 8);
    const path = new Path2D();
    let begun = false;
    for (let i = 0; i < values.length; i += step) {
      if (isNaN(values[i])) continue;
      const x = (Math.min(i * level.factor, axis.n) / axis.n) * width;
      if (begun) path.lineTo(x, y(values[i]));
      else path.moveTo(x, y(values[i]));
      begun = true;
    }
    ctx.strokeStyle = INK.soft;
    ctx.lineWidth = 1.25;
    ctx.stroke(path);
    const [a, b] = stage.view.map((row) => ((row + 0.5) / stage.leader.n) * width);
    ctx.fillStyle = faded(INK.accent, 14);
    ctx.fillRect(a, 0, b - a, height);
    ctx.fillStyle = INK.accent;
    ctx.fillRect(Math.max(a, 0), 0, 2, height);
    ctx.fillRect(Math.min(b, width) - 2, 0, 2, height);
  }
}
