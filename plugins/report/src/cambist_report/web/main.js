// Puts the page together: theme, numbers, panels, table, points.
"use strict";

const said = JSON.parse(document.getElementById("page-data").textContent);

const format = {
  daily: said.daily,
  places: said.places,
  price: 2,
  number(value, low, high) {
    if (value === null || value === undefined || isNaN(value)) return "–";
    return value.toLocaleString("en-US", { minimumFractionDigits: low, maximumFractionDigits: high });
  },
  value(value, unit) {
    if (isNaN(value)) return "–";
    const plus = unit.endsWith("+") && value > 0 ? "+" : "";
    switch (unit.replace("+", "")) {
      case "money": return plus + this.number(value, this.places, this.places);
      case "price": return this.number(value, this.price, this.price);
      case "percent": return plus + this.number(100 * value, 2, 2) + " %";
      case "count": return this.number(value, 0, 0);
      case "size": return this.number(value, 0, 8);
      case "ratio": return this.number(value, 2, 2);
      default: return this.number(value, 2, 4);
    }
  },
  axis(value, unit) {
    const size = Math.abs(value);
    if (unit.startsWith("percent")) return this.number(100 * value, 0, size < 0.02 ? 2 : size < 0.1 ? 1 : 0) + " %";
    if (unit === "price") return this.number(value, size >= 1000 ? 0 : Math.min(this.price, 2), size >= 1000 ? 1 : this.price);
    for (const [limit, word] of [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e4, "k"]]) if (size >= limit) return this.number(value / (limit === 1e4 ? 1e3 : limit), 0, 2) + " " + word;
    return this.number(value, 0, size < 10 ? 2 : 0);
  },
};

// Theme: that of the system until somebody chooses.
const themes = {
  now() {
    const own = document.documentElement.dataset.theme;
    return own || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  },
  set(name) {
    if (name) document.documentElement.dataset.theme = name;
    else delete document.documentElement.dataset.theme;
    readInk();
    for (const redraw of this.watchers) redraw();
  },
  watchers: [],
};

async function fillAxis(axis, levels) {
  for (const level of levels) await axis.add(level);
}

class Page {
  constructor() {
    this.axes = new Map();
    this.chosen = null;
    this.showOrders = false;
    this.ready = this.start();
  }

  async start() {
    readInk();
    for (const one of said.axes) {
      const axis = new Axis(one, one.barMs);
      axis.daily = one.daily;
      this.axes.set(one.name, axis);
    }
    await Promise.all(said.axes.map((one) => fillAxis(this.axes.get(one.name), one.levels)));
    if (document.getElementById("stage")) this.makeStage();
    this.controls();
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    performance.mark("first-picture");
    if (said.trades) await this.makeTrades();
    if (said.sweep) this.sweep = new SweepPage(await unpackAll(said.sweep.columns), said.sweep);
    await this.whole();
    const fine = document.getElementById("fine-data");
    const levels = fine ? JSON.parse(fine.textContent) : {};
    for (const [name, level] of Object.entries(levels)) {
      await this.axes.get(name).add(level);
      if (this.stage) this.stage.draw();
    }
    document.documentElement.dataset.ready = "true";
  }

  // Resolves once the rest of the file is there.
  whole() {
    if (document.readyState !== "loading") return Promise.resolve();
    return new Promise((done) => document.addEventListener("DOMContentLoaded", done, { once: true }));
  }

  makeStage() {
    const root = document.getElementById("stage");
    this.stage = new Stage(root, format);
    this.market = said.markets.length ? said.markets[0] : null;
    themes.watchers.push(() => this.stage.redraw());
    this.stage.keys = { n: () => this.table && this.table.step(1), p: () => this.table && this.table.step(-1) };
    this.stage.clicked = (x, event) => this.pick(x, event);
    this.build();
    const canvas = document.getElementById("overview");
    const axis = this.axes.get(said.overview.axis);
    this.overview = new Overview(canvas, this.stage, axis, said.overview.column);
    const choice = document.getElementById("market");
    if (choice) choice.addEventListener("input", () => this.toMarket(choice.value));
    this.stage.drawNow();
  }

  async build() {
    const panels = [...(this.market ? this.market.panels : []), ...said.panels];
    format.price = this.market ? this.market.digits : 2;
    if (this.market && !this.market.ready) {
      const { fills, orders } = this.market;
      this.market.ready = Promise.all([unpackAll(fills), unpackAll(orders)]).then(([one, other]) => {
        Object.assign(this.market, { fills: one, orders: other, open: true });
        this.stage.draw();
      });
    }
    this.stage.clear(() => false);
    for (const panel of panels) this.stage.add(this.panelOf(panel));
    this.stage.lead(this.axes.get(this.market ? this.market.axis : said.lead));
  }

  panelOf(one) {
    const panel = { ...one, axis: this.axes.get(one.axis), range: [0, 1], part: null };
    panel.series = one.series.map((line) => ({ ...line, color: () => INK[line.color] || line.color }));
    if (window.innerWidth < 640) panel.height = Math.round(panel.height * 0.82);
    if (one.kind === "candles") {
      panel.dense = 5;
      panel.above = (u, part, [a, b]) => {
        if (!part) return;
        const { trades, market } = this;
        if (one.candles) paintCandles(u, part);
        if (!market || !market.open) return;
        if (trades) paintTrades(u, trades.by[market.symbol] || NONE, a, b, this.chosen);
        if (this.showOrders) paintOrders(u, market.orders, a, b);
        this.marks = paintFills(u, market.fills, a, b);
      };
    }
    if (one.kind === "volume") {
      panel.dense = 5;
      panel.above = (u, part) => part && paintBars(u, part, "volume");
    }
    return panel;
  }

  toMarket(symbol) {
    this.market = said.markets.find((one) => one.symbol === symbol);
    document.getElementById("market").value = symbol;
    return this.build();
  }

  controls() {
    const act = {
      "zoom-in": () => this.stage.zoom(0.6),
      "zoom-out": () => this.stage.zoom(1 / 0.6),
      earlier: () => this.stage.move(-0.4),
      later: () => this.stage.move(0.4),
      all: () => this.stage.all(),
      next: () => this.table && this.table.step(1),
      previous: () => this.table && this.table.step(-1),
      orders: (button) => {
        this.showOrders = !this.showOrders;
        button.setAttribute("aria-pressed", this.showOrders);
        this.stage.redraw();
      },
      log: (button) => {
        const panel = this.stage.panels.find((one) => one.key === "equity");
        panel.log = !panel.log;
        button.setAttribute("aria-pressed", panel.log);
        const made = panel.plot;
        panel.plot = this.stage.plotOf(panel);
        made.destroy();
        this.stage.drawNow();
      },
      theme: () => themes.set(themes.now() === "dark" ? "light" : "dark"),
      print: () => print(),
      help: () => document.getElementById("help").showModal(),
    };
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-act]");
      if (button && act[button.dataset.act]) act[button.dataset.act](button);
      const span = event.target.closest("[data-days]");
      if (span) this.stage.latest(Number(span.dataset.days) * DAY);
      const go = event.target.closest("[data-from]");
      if (go && this.stage) {
        this.stage.between(Number(go.dataset.from), Number(go.dataset.to));
        this.look();
      }
    });
    document.addEventListener("keydown", (event) => {
      if (event.target.closest("input, select, textarea, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "t") act.theme();
      if (event.key === "?") act.help();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => themes.set(document.documentElement.dataset.theme));
    let before = null;
    addEventListener("beforeprint", () => {
      before = document.documentElement.dataset.theme || "";
      themes.set("light");
      if (this.stage) this.stage.drawNow(true);
      if (this.table) this.table.draw(true);
    });
    addEventListener("afterprint", () => {
      themes.set(before);
      if (this.table) this.table.draw();
    });
  }

  async makeTrades() {
    const { words, several } = said.trades;
    const trades = (this.all = { ...(await unpackAll(said.trades.columns)), words, several });
    const by = {};
    for (const market of said.markets) {
      const mine = [];
      trades.instrument.forEach((word, i) => words[word] === market.symbol && mine.push(i));
      const take = (values) => mine.map((i) => values[i]);
      by[market.symbol] = { n: mine.length, ids: mine, entry: take(trades.from), exit: take(trades.to), paid: take(trades.paid), got: take(trades.ended), net: take(trades.net) };
    }
    this.trades = { by };
    this.table = new TradeTable(document.getElementById("trades"), trades, format, (i) => this.goTo(i));
    for (const canvas of document.querySelectorAll("canvas[data-scatter]")) {
      const name = canvas.dataset.scatter;
      const plot = new Scatter(canvas, {
        xs: trades[name],
        ys: trades.return,
        won: Array.from(trades.net, (net) => net > 0),
        xLabel: canvas.dataset.label,
        yLabel: "Return",
        names: (i) => `<b>Trade ${trades.id[i]}</b> ${words[trades.side[i]]} ${words[trades.instrument[i]]}<br>${canvas.dataset.label}: ${format.value(trades[name][i], "percent")}<br>Return: ${format.value(trades.return[i], "percent+")}`,
        go: (i) => {
          this.table.choose(i);
          this.table.see(i);
        },
      });
      themes.watchers.push(() => plot.draw());
    }
    if (this.stage) this.stage.redraw();
  }

  // Bring the chart to a trade.
  async goTo(i) {
    const { all } = this;
    const symbol = all.words[all.instrument[i]];
    if (this.market && symbol !== this.market.symbol) await this.toMarket(symbol);
    this.chosen = i;
    const [from, to] = [all.from[i], all.to[i]];
    const span = Math.max(to - from, 1);
    const room = Math.max(span * 0.6, 20);
    this.stage.show(from - room, to + room);
    this.look();
  }

  look() {
    const box = document.getElementById("chart").getBoundingClientRect();
    if (box.top < -20 || box.top > innerHeight * 0.5) document.getElementById("chart").scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth", block: "start" });
  }

  // A click near a mark chooses its trade.
  pick(x) {
    if (!this.trades || !this.market) return;
    const mine = this.trades.by[this.market.symbol];
    const [a, b] = this.stage.view;
    const row = a + ((b - a) * x) / (this.stage.width - GUTTER);
    let best = ((b - a) * 12) / this.stage.width;
    let found = -1;
    for (let k = 0; k < mine.n; k++) {
      const far = Math.min(Math.abs(mine.entry[k] - row), Math.abs(mine.exit[k] - row));
      if (far <= best) [best, found] = [far, mine.ids[k]];
    }
    if (found < 0) return;
    this.chosen = found;
    this.table.choose(found, { silent: true });
    this.table.see(found);
    this.stage.redraw();
  }
}

const NONE = { n: 0, ids: [], entry: [], exit: [], paid: [], got: [], net: [] };
window.cambist = new Page();
