// Numbers of the page: base64, deflate, byte planes, differences. `cambist_report/packing.py` packs them.
"use strict";

const MISSING = -2147483648;

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

async function inflate(number) {
  const element = document.getElementById("piece-" + number);
  const stream = new Blob([bytesOf(element.textContent)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Put the byte planes of n numbers of `width` bytes side by side again.
function joined(planes, width) {
  const n = planes.length / width;
  const bytes = new Uint8Array(planes.length);
  for (let plane = 0; plane < width; plane++) {
    const from = plane * n;
    for (let i = 0, to = plane; i < n; i++, to += width) bytes[to] = planes[from + i];
  }
  return bytes.buffer;
}

async function integers(number) {
  return new Int32Array(joined(await inflate(number), 4));
}

function summed(values) {
  for (let i = 1; i < values.length; i++) values[i] = (values[i] + values[i - 1]) | 0;
  return values;
}

const unpackers = {
  async times(said) {
    const steps = summed(await integers(said.piece));
    const times = new Float64Array(said.n);
    let now = said.first;
    for (let i = 0; i < said.n; i++) {
      if (i) now += steps[i - 1];
      times[i] = now * said.unit;
    }
    return times;
  },
  async numbers(said) {
    const whole = summed(await integers(said.piece));
    const values = new Float64Array(said.n);
    for (let i = 0; i < said.n; i++) values[i] = whole[i] === MISSING ? NaN : whole[i] / said.scale;
    return values;
  },
  async whole(said) {
    return summed(await integers(said.piece));
  },
  async exact(said) {
    return new Float64Array(joined(await inflate(said.piece), 8));
  },
  async candles(said) {
    const [closes, opens, highs, lows] = await Promise.all(said.pieces.map(integers));
    summed(closes);
    const n = said.n;
    const [open, high, low, close] = [0, 1, 2, 3].map(() => new Float64Array(n));
    for (let i = 0; i < n; i++) {
      const o = opens[i] + closes[i ? i - 1 : 0];
      const c = closes[i];
      open[i] = o / said.scale;
      close[i] = c / said.scale;
      high[i] = (Math.max(o, c) + highs[i]) / said.scale;
      low[i] = (Math.min(o, c) - lows[i]) / said.scale;
    }
    return { open, high, low, close };
  },
};

function unpack(said) {
  return unpackers[said.as](said);
}

async function unpackAll(columns) {
  const names = Object.keys(columns);
  const values = await Promise.all(names.map((name) => unpack(columns[name])));
  return Object.fromEntries(names.map((name, i) => [name, values[i]]));
}
