// Trades as points: how far they ran one way, and what they brought in the end.
"use strict";

class Scatter {
  constructor(canvas, { xs, ys, won, xLabel, yLabel, names, go, unit }) {
    Object.assign(this, { canvas, xs, ys, won, xLabel, yLabel, names, go, unit });
    this.tip = canvas.parentElement.querySelector(".tip");
    this.near = -1;
    new ResizeObserver(() => this.draw()).observe(canvas);
    canvas.addEventListener("pointermove", (event) => this.seek(event));
    canvas.addEventListener("pointerleave", () => this.leave());
    canvas.addEventListener("click", () => this.near >= 0 && this.go(this.near));
  }

  scaleOf(values, room) {
    let low = 0;
    let high = 0;
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    const span = high - low || 0.01;
    return [low - (low < 0 ? span * room : 0), high + span * room];
  }

  draw() {
    const { canvas } = this;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width) return;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const ctx = canvas.getContext("2d");
    ctx.scale(ratio, ratio);
    ctx.font = "11px system-ui, sans-serif";
    const box = (this.box = { left: 52, top: 10, right: width - 10, bottom: height - 34 });
    const [x0, x1] = this.scaleOf(this.xs, 0.05);
    const [y0, y1] = this.scaleOf(this.ys, 0.06);
    this.x = (value) => box.left + ((value - x0) / (x1 - x0)) * (box.right - box.left);
    this.y = (value) => box.bottom - ((value - y0) / (y1 - y0)) * (box.bottom - box.top);
    ctx.strokeStyle = INK.line;
    ctx.fillStyle = INK.soft;
    ctx.lineWidth = 1;
    const percent = (value) => (100 * value).toFixed(Math.abs(x1) < 0.02 ? 1 : 0) + " %";
    ctx.textAlign = "center";
    for (const value of ticksOf(x0, x1, width / 90)) {
      const x = this.x(value);
      ctx.strokeRect(x, box.top, 0, box.bottom - box.top);
      ctx.fillText(percent(value), x, box.bottom + 14);
    }
    ctx.textAlign = "right";
    for (const value of ticksOf(y0, y1, height / 45)) {
      const y = this.y(value);
      ctx.strokeRect(box.left, y, box.right - box.left, 0);
      ctx.fillText(percent(value), box.left - 6, y + 4);
    }
    ctx.strokeStyle = INK.soft;
    ctx.strokeRect(box.left, this.y(0), box.right - box.left, 0);
    ctx.textAlign = "center";
    ctx.fillText(this.xLabel, (box.left + box.right) / 2, height - 5);
    const size = this.xs.length > 3000 ? 2 : this.xs.length > 400 ? 3 : 4.2;
    ctx.globalAlpha = this.xs.length > 3000 ? 0.45 : 0.8;
    for (let i = 0; i < this.xs.length; i++) this.dot(ctx, i, size);
    ctx.globalAlpha = 1;
    if (this.near >= 0) {
      ctx.lineWidth = 2;
      ctx.strokeStyle = INK.ink;
      ctx.beginPath();
      ctx.arc(this.x(this.xs[this.near]), this.y(this.ys[this.near]), size + 3, 0, 7);
      ctx.stroke();
    }
  }

  dot(ctx, i, size) {
    const x = this.x(this.xs[i]);
    const y = this.y(this.ys[i]);
    ctx.beginPath();
    if (this.won[i]) ctx.arc(x, y, size, 0, 7);
    else {
      ctx.moveTo(x, y - size * 1.2);
      ctx.lineTo(x + size * 1.2, y);
      ctx.lineTo(x, y + size * 1.2);
      ctx.lineTo(x - size * 1.2, y);
      ctx.closePath();
    }
    ctx.fillStyle = this.won[i] ? INK.up : INK.down;
    ctx.fill();
  }

  seek(event) {
    if (!this.x) return;
    const area = this.canvas.getBoundingClientRect();
    const [mx, my] = [event.clientX - area.left, event.clientY - area.top];
    let best = 18 * 18;
    let found = -1;
    for (let i = 0; i < this.xs.length; i++) {
      const far = (this.x(this.xs[i]) - mx) ** 2 + (this.y(this.ys[i]) - my) ** 2;
      if (far < best) [best, found] = [far, i];
    }
    this.canvas.style.cursor = found < 0 ? "" : "pointer";
    if (found === this.near) return;
    this.near = found;
    this.draw();
    if (found < 0) return this.leave();
    this.tip.hidden = false;
    this.tip.innerHTML = this.names(found);
    const x = this.x(this.xs[found]);
    this.tip.style.left = Math.min(Math.max(x, 70), area.width - 70) + "px";
    this.tip.style.top = this.y(this.ys[found]) + "px";
  }

  leave() {
    this.tip.hidden = true;
    if (this.near < 0) return;
    this.near = -1;
    this.draw();
  }
}

function ticksOf(low, high, many) {
  const raw = (high - low) / Math.max(many, 2);
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * size).find((one) => one >= raw);
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) found.push(k * step);
  return found;
}
