// Rows of times with columns, in coarser and coarser levels; a window of them becomes a few hundred points to draw.
"use strict";

const REDUCERS = {
  first: (values, from) => values[from],
  last: (values, from, to) => values[to - 1],
  sum: (values, from, to) => {
    let total = 0;
    for (let i = from; i < to; i++) total += values[i] || 0;
    return total;
  },
  max: (values, from, to) => {
    let found = NaN;
    for (let i = from; i < to; i++) if (!(values[i] <= found)) found = isNaN(values[i]) ? found : values[i];
    return found;
  },
  min: (values, from, to) => {
    let found = NaN;
    for (let i = from; i < to; i++) if (!(values[i] >= found)) found = isNaN(values[i]) ? found : values[i];
    return found;
  },
};
const CANDLES = { open: "first", high: "max", low: "min", close: "last" };

class Axis {
  constructor(said, barMs) {
    this.name = said.name;
    this.n = said.n;
    this.barMs = barMs || 0;
    this.how = Object.fromEntries(Object.entries(said.columns).map(([name, column]) => [name, column.how]));
    if (said.candles) Object.assign(this.how, CANDLES);
    this.levels = []; // the finest first
    this.cached = null;
  }

  async add(said) {
    const level = { factor: said.factor, times: await unpack(said.times), columns: await unpackAll(said.columns) };
    if (said.candles) Object.assign(level.columns, await unpack(said.candles));
    this.levels.push(level);
    this.levels.sort((a, b) => a.factor - b.factor);
    this.cached = null;
  }

  // Time (ms) at a row, which may be a fraction; past the ends the steps go on.
  timeAt(row) {
    const { factor, times } = this.levels[0];
    const last = times.length - 1;
    if (last < 1) return (times[0] || 0) + row * (this.barMs || 864e5);
    const place = row / factor;
    const k = Math.min(Math.max(Math.floor(place), 0), last - 1);
    return times[k] + (place - k) * (times[k + 1] - times[k]);
  }

  rowAt(time) {
    const { factor, times } = this.levels[0];
    const last = times.length - 1;
    if (last < 1) return (time - (times[0] || 0)) / (this.barMs || 864e5);
    let low = 0;
    let high = last - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (times[middle] <= time) low = middle;
      else high = middle - 1;
    }
    return (low + (time - times[low]) / (times[low + 1] - times[low])) * factor;
  }

  // When a row is known: what two axes are lined up by.
  knownAt(row) {
    return this.timeAt(row) + this.barMs;
  }

  rowKnownAt(time) {
    return this.rowAt(time - this.barMs);
  }

  // Points for rows a to b, about `target` of them: {f, xs, columns}; f rows are one point.
  slice(a, b, target) {
    let f = 1;
    while ((b - a) / f > target) f *= 2;
    let level = this.levels[0];
    for (const one of this.levels) if (one.factor <= f) level = one;
    f = Math.max(f, level.factor);
    const first = Math.max(Math.floor(a / f) - 1, 0);
    const end = Math.min(Math.ceil(b / f) + 1, Math.ceil(this.n / f));
    const key = [level.factor, f, first, end].join();
    if (this.cached && this.cached.key === key) return this.cached;
    const step = f / level.factor;
    const count = Math.max(end - first, 0);
    const xs = new Float64Array(count);
    for (let k = 0; k < count; k++) xs[k] = Math.min((first + k) * f + (f - 1) / 2, this.n - 1);
    const columns = {};
    for (const [name, values] of Object.entries(level.columns)) {
      if (step === 1) {
        columns[name] = values.subarray(first, end);
        continue;
      }
      const reduce = REDUCERS[this.how[name]];
      const made = (columns[name] = new Float64Array(count));
      for (let k = 0; k < count; k++) {
        const from = (first + k) * step;
        made[k] = reduce(values, from, Math.min(from + step, values.length));
      }
    }
    this.cached = { key, f, first, xs, columns };
    return this.cached;
  }
}

const MINUTE = 6e4;
const HOUR = 36e5;
const DAY = 864e5;
const STEPS = [1, 2, 5, 10, 15, 30].map((k) => k * MINUTE)
  .concat([1, 2, 4, 6, 12].map((k) => k * HOUR), [1, 2, 7, 14].map((k) => k * DAY));
const MONTHS = [1, 2, 3, 6, 12, 24, 60, 120, 240];
const NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (value) => String(value).padStart(2, "0");

// Rows at which the time axis has a word, and the words, for a view of `width` pixels.
function timeTicks(axis, a, b, width) {
  const from = axis.timeAt(a);
  const to = axis.timeAt(b);
  const least = ((to - from) / Math.max(width, 1)) * 82;
  const rows = [];
  const words = [];
  const step = STEPS.find((one) => one >= least);
  const put = (time, word) => {
    const row = axis.rowAt(time);
    if (row < a || row > b) return;
    const place = ((row - a) / (b - a)) * width;
    if (rows.length && place - ((rows[rows.length - 1] - a) / (b - a)) * width < 52) return;
    rows.push(row);
    words.push(word);
  };
  if (step && step < 28 * DAY) {
    for (let time = Math.ceil(from / step) * step; time <= to; time += step) {
      const date = new Date(time);
      const day = `${date.getUTCDate()} ${NAMES[date.getUTCMonth()]}`;
      put(time, time % DAY ? `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}` : day);
    }
  } else {
    const months = MONTHS.find((one) => one * 30.4 * DAY >= least) || 240;
    const start = new Date(from);
    let month = Math.floor((start.getUTCFullYear() * 12 + start.getUTCMonth()) / months) * months;
    for (; ; month += months) {
      const time = Date.UTC(Math.floor(month / 12), month % 12, 1);
      if (time > to) break;
      if (time >= from) put(time, month % 12 ? NAMES[month % 12] : String(Math.floor(month / 12)));
    }
  }
  return { rows, words };
}

function timeText(ms, coarse) {
  if (!isFinite(ms)) return "–";
  const text = new Date(ms).toISOString();
  return coarse ? text.slice(0, 10) : text.slice(0, 16).replace("T", " ");
}
