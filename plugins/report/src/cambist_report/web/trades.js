// The table of trades: sorted, filtered, and only the rows in sight are made.
"use strict";

const ROW = 34;

class TradeTable {
  constructor(root, trades, format, go) {
    Object.assign(this, { root, trades, format, go });
    this.order = Array.from(trades.id, (_, i) => i);
    this.rows = this.order;
    this.sorted = { column: "id", down: false };
    this.chosen = null;
    this.body = root.querySelector(".rows");
    this.inner = root.querySelector(".inner");
    this.head = root.querySelector(".head");
    this.count = root.querySelector(".count");
    this.columns = this.columnsOf();
    this.makeHead();
    this.body.addEventListener("scroll", () => this.draw(), { passive: true });
    this.body.addEventListener("click", (event) => {
      const row = event.target.closest("[data-row]");
      if (row) this.choose(Number(row.dataset.row));
    });
    this.body.addEventListener("keydown", (event) => this.key(event));
    for (const control of root.querySelectorAll("select, input")) control.addEventListener("input", () => this.filter());
    new ResizeObserver(() => this.draw()).observe(this.body);
    this.filter();
  }

  columnsOf() {
    const { trades, format } = this;
    const number = (name, unit, label, more) => ({ name, label, text: (i) => format.value(trades[name][i], unit), number: true, ...more });
    const time = (name, label) => ({ name, label, text: (i) => timeText(trades[name][i], format.daily) });
    const word = (name, label) => ({ name, label, text: (i) => trades.words[trades[name][i]] });
    const signed = { sign: true };
    return [
      { name: "id", label: "#", text: (i) => String(trades.id[i]), number: true },
      ...(trades.several ? [word("instrument", "Instrument")] : []),
      word("side", "Side"),
      time("entered", "Entry"),
      number("paid", "price", "Price"),
      time("left", "Exit"),
      number("got", "price", "Price"),
      number("size", "size", "Size"),
      number("net", "money+", "Net", signed),
      number("return", "percent+", "Return", signed),
      ...(trades.adverse ? [number("adverse", "percent", "MAE"), number("favorable", "percent", "MFE")] : []),
      number("bars", "count", "Bars"),
      word("why", "Note"),
    ];
  }

  makeHead() {
    this.root.style.setProperty("--columns", this.columns.map((one) => ({ id: "0.55fr", why: "1.1fr", entered: "1.35fr", left: "1.35fr" })[one.name] || "1fr").join(" "));
    this.head.innerHTML = this.columns.map((one) => `<button type="button" role="columnheader" data-column="${one.name}" class="${one.number ? "num" : ""}">${one.label}</button>`).join("");
    this.head.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      const column = button.dataset.column;
      this.sorted = { column, down: this.sorted.column === column ? !this.sorted.down : column !== "id" };
      this.sort();
    });
  }

  filter() {
    const { trades, root } = this;
    const kind = root.querySelector(".kind").value;
    const instrument = root.querySelector(".which") ? root.querySelector(".which").value : "";
    const tests = { all: () => true, won: (i) => trades.net[i] > 0, lost: (i) => trades.net[i] < 0, long: (i) => trades.words[trades.side[i]] === "long", short: (i) => trades.words[trades.side[i]] === "short", open: (i) => isNaN(trades.left[i]) };
    this.rows = this.order.filter((i) => tests[kind](i) && (!instrument || trades.words[trades.instrument[i]] === instrument));
    this.sort();
  }

  sort() {
    const { column, down } = this.sorted;
    const values = this.trades[column];
    const words = ["side", "instrument", "why"].includes(column);
    const key = words ? (i) => this.trades.words[values[i]] : (i) => (isNaN(values[i]) ? -Infinity : values[i]);
    this.rows.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a - b) * (down ? -1 : 1));
    for (const button of this.head.children) {
      const mine = button.dataset.column === column;
      button.setAttribute("aria-sort", mine ? (down ? "descending" : "ascending") : "none");
    }
    this.inner.style.height = this.rows.length * ROW + "px";
    this.count.textContent = `${this.rows.length.toLocaleString("en-US")} of ${this.order.length.toLocaleString("en-US")} trades`;
    this.draw();
  }

  draw(every) {
    const first = every ? 0 : Math.max(Math.floor(this.body.scrollTop / ROW) - 4, 0);
    const end = every ? Math.min(this.rows.length, 2000) : Math.min(this.rows.length, Math.ceil((this.body.scrollTop + this.body.clientHeight) / ROW) + 4);
    const focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.row : undefined;
    let text = "";
    for (let place = first; place < end; place++) {
      const i = this.rows[place];
      const cells = this.columns.map((one) => {
        const value = this.trades[one.name][i];
        const sign = one.sign && value ? (value > 0 ? " gain" : " loss") : "";
        return `<span role="cell" class="${one.number ? "num" : ""}${sign}">${one.text(i)}</span>`;
      });
      text += `<div role="row" tabindex="${i === this.chosen || (this.chosen === null && place === first) ? 0 : -1}" data-row="${i}" aria-rowindex="${place + 1}" class="${i === this.chosen ? "chosen" : ""}" style="top:${place * ROW}px">${cells.join("")}</div>`;
    }
    this.inner.innerHTML = text;
    if (focused !== undefined) {
      const row = this.inner.querySelector(`[data-row="${focused}"]`);
      if (row) row.focus({ preventScroll: true });
    }
  }

  choose(i, { silent = false } = {}) {
    this.chosen = i;
    this.draw();
    if (!silent) this.go(i);
  }

  see(i) {
    const place = this.rows.indexOf(i);
    if (place < 0) return;
    const top = place * ROW;
    if (top < this.body.scrollTop || top + ROW > this.body.scrollTop + this.body.clientHeight) this.body.scrollTop = top - this.body.clientHeight / 3;
    this.draw();
  }

  step(way) {
    const place = this.rows.indexOf(this.chosen);
    const next = place < 0 ? (way > 0 ? 0 : this.rows.length - 1) : place + way;
    if (next < 0 || next >= this.rows.length) return;
    this.choose(this.rows[next]);
    this.see(this.rows[next]);
  }

  key(event) {
    const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = event.target.closest("[data-row]");
    if (!row) return;
    if (way) {
      event.preventDefault();
      const place = this.rows.indexOf(Number(row.dataset.row)) + way;
      if (place < 0 || place >= this.rows.length) return;
      this.see(this.rows[place]);
      const next = this.inner.querySelector(`[data-row="${this.rows[place]}"]`);
      if (next) next.focus({ preventScroll: true });
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.choose(Number(row.dataset.row));
    }
  }
}
