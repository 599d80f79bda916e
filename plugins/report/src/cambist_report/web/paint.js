// What is painted on the panels: candles, volumes, areas, fills, trades, waiting orders.
"use strict";

let INK = {};

function readInk() {
  const style = getComputedStyle(document.documentElement);
  const names = ["ink", "soft", "faint", "line", "surface", "up", "down", "accent", "violet", "green", "gold", "rose"];
  INK = Object.fromEntries(names.map((name) => [name, style.getPropertyValue("--" + name).trim()]));
}

function faded(color, share) {
  return `color-mix(in srgb, ${color} ${share}%, transparent)`;
}

function clipped(u, draw) {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  draw(ctx, u.valToPos.bind(u), devicePixelRatio);
  ctx.restore();
}

// Bars of a window: hollow where the price rose, filled where it fell, so that no color is needed to tell.
function paintCandles(u, part) {
  clipped(u, (ctx, pos, ratio) => {
    const { open, high, low, close } = part.columns;
    const wide = Math.abs(pos(part.f, "x", true) - pos(0, "x", true));
    const body = Math.max(Math.min(wide * 0.7, 18 * ratio), 1);
    const thin = body < 3 * ratio;
    const halves = [new Path2D(), new Path2D()];
    const wicks = [new Path2D(), new Path2D()];
    for (let k = 0; k < part.xs.length; k++) {
      const rose = close[k] >= open[k] ? 0 : 1;
      const x = Math.round(pos(part.xs[k], "x", true));
      const top = pos(Math.max(open[k], close[k]), "y", true);
      const bottom = pos(Math.min(open[k], close[k]), "y", true);
      const wick = wicks[rose];
      if (thin) {
        wick.rect(x - body / 2, pos(high[k], "y", true), Math.max(body, 1), Math.max(pos(low[k], "y", true) - pos(high[k], "y", true), 1));
        continue;
      }
      const edge = Math.max(ratio, 1);
      wick.rect(x - edge / 2, pos(high[k], "y", true), edge, top - pos(high[k], "y", true));
      wick.rect(x - edge / 2, bottom, edge, pos(low[k], "y", true) - bottom);
      halves[rose].rect(Math.round(x - body / 2), Math.round(top), Math.round(body), Math.max(Math.round(bottom - top), 1));
    }
    ctx.lineWidth = Math.max(1.25 * ratio, 1);
    [INK.up, INK.down].forEach((color, rose) => {
      ctx.fillStyle = color;
      ctx.strokeStyle = color;
      ctx.fill(wicks[rose]);
      if (thin) return;
      if (rose === 0) {
        ctx.fillStyle = INK.surface;
        ctx.fill(halves[0]);
        ctx.fillStyle = faded(color, 22);
        ctx.fill(halves[0]);
        ctx.stroke(halves[0]);
      } else ctx.fill(halves[1]);
    });
  });
}

function paintBars(u, part, name) {
  clipped(u, (ctx, pos, ratio) => {
    const values = part.columns[name];
    const { open, close } = part.columns;
    const wide = Math.abs(pos(part.f, "x", true) - pos(0, "x", true));
    const body = Math.max(Math.min(wide * 0.7, 18 * ratio), 1);
    const paths = [new Path2D(), new Path2D()];
    const zero = pos(0, "y", true);
    for (let k = 0; k < part.xs.length; k++) {
      const x = Math.round(pos(part.xs[k], "x", true) - body / 2);
      const y = pos(values[k], "y", true);
      paths[!open || close[k] >= open[k] ? 0 : 1].rect(x, y, Math.max(Math.round(body), 1), zero - y);
    }
    ctx.fillStyle = faded(INK.up, 55);
    ctx.fill(paths[0]);
    ctx.fillStyle = faded(INK.down, 55);
    ctx.fill(paths[1]);
  });
}

function firstAtLeast(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Fills of a view, thinned to one a side and so many pixels where there are more than can be told apart.
function visibleFills(u, fills, a, b) {
  const found = [];
  const seen = new Set();
  const many = firstAtLeast(fills.row, b + 1) - firstAtLeast(fills.row, a) > 600;
  for (let i = firstAtLeast(fills.row, a); i < fills.row.length && fills.row[i] <= b; i++) {
    const x = u.valToPos(fills.row[i], "x", true);
    if (many) {
      const place = Math.round(x / (13 * devicePixelRatio)) * 2 + fills.buy[i];
      if (seen.has(place)) continue;
      seen.add(place);
    }
    found.push({ x, y: u.valToPos(fills.price[i], "y", true), buy: fills.buy[i] === 1, index: i });
  }
  return found;
}

function paintFills(u, fills, a, b) {
  const marks = visibleFills(u, fills, a, b);
  clipped(u, (ctx, pos, ratio) => {
    const size = (marks.length > 120 ? 4 : 6.5) * ratio;
    ctx.globalAlpha = marks.length > 120 ? 0.75 : 1;
    ctx.lineWidth = 1.5 * ratio;
    ctx.lineJoin = "round";
    for (const { x, y, buy } of marks) {
      const way = buy ? 1 : -1; // the tip is at the price: bought from below, sold from above
      ctx.beginPath();
      ctx.moveTo(x, y);
      ctx.lineTo(x - size, y + way * size * 1.55);
      ctx.lineTo(x + size, y + way * size * 1.55);
      ctx.closePath();
      ctx.fillStyle = buy ? INK.up : INK.down;
      ctx.strokeStyle = INK.surface;
      ctx.stroke();
      ctx.fill();
    }
  });
  return marks;
}

function paintTrades(u, trades, a, b, chosen) {
  clipped(u, (ctx, pos, ratio) => {
    ctx.lineWidth = 1.5 * ratio;
    const shown = [];
    for (let i = 0; i < trades.n; i++) if (trades.exit[i] >= a && trades.entry[i] <= b) shown.push(i);
    if (chosen !== null && trades.ids.includes(chosen)) {
      const i = trades.ids.indexOf(chosen);
      const left = pos(trades.entry[i] - 0.5, "x", true);
      const right = pos(trades.exit[i] + 0.5, "x", true);
      ctx.fillStyle = faded(INK.accent, 12);
      ctx.fillRect(left, u.bbox.top, right - left, u.bbox.height);
      ctx.fillStyle = faded(INK.accent, 70);
      ctx.fillRect(left, u.bbox.top, Math.max(ratio, 1), u.bbox.height);
      ctx.fillRect(right - ratio, u.bbox.top, Math.max(ratio, 1), u.bbox.height);
    }
    if (shown.length > 300) return;
    ctx.setLineDash([4 * ratio, 3 * ratio]);
    for (const i of shown) {
      ctx.beginPath();
      ctx.moveTo(pos(trades.entry[i], "x", true), pos(trades.paid[i], "y", true));
      ctx.lineTo(pos(trades.exit[i], "x", true), pos(trades.got[i], "y", true));
      ctx.strokeStyle = trades.net[i] > 0 ? INK.up : INK.down;
      ctx.globalAlpha = trades.ids[i] === chosen ? 1 : 0.75;
      ctx.stroke();
    }
  });
}

function paintOrders(u, orders, a, b) {
  clipped(u, (ctx, pos, ratio) => {
    ctx.lineWidth = 1.25 * ratio;
    let count = 0;
    for (let i = 0; i < orders.price.length && count < 400; i++) {
      if (orders.to[i] < a || orders.from[i] > b) continue;
      count++;
      ctx.setLineDash(orders.stop[i] ? [2 * ratio, 3 * ratio] : []);
      ctx.strokeStyle = faded(orders.buy[i] ? INK.up : INK.down, 60);
      const y = pos(orders.price[i], "y", true);
      ctx.beginPath();
      ctx.moveTo(pos(orders.from[i] - 0.4, "x", true), y);
      ctx.lineTo(pos(orders.to[i] + 0.4, "x", true), y);
      ctx.stroke();
    }
  });
}
