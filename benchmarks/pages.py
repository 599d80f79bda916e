"""Reports of long runs: how long a page and a figure take, and how a browser gets on: ``python -m benchmarks.pages``.

It prints seconds, megabytes and pictures a second, beside a copy of the same bytes by the same machine: what a page
costs says little without it. Needs Chromium and playwright for what is measured in the browser.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import cambist
from cambist.strategies.examples.sma_cross import SmaCross

if TYPE_CHECKING:
    from collections.abc import Callable

BARS = 1_000_000
#: Moves the chart once a picture for this long, ms, and counts the pictures.
PAN = """async () => {
    const {stage} = cambist; stage.show(400000, 480000);
    const began = performance.now(); let pictures = 0, way = 0.01;
    while (performance.now() - began < 3000) {
        stage.move(way); if (pictures % 60 === 59) way = -way;
        await new Promise(requestAnimationFrame); pictures++;
    }
    return pictures / ((performance.now() - began) / 1000);
}"""


def walk(rows: int) -> cambist.Bars:
    """Return minute bars of a random walk."""
    random = np.random.default_rng(5)
    close = np.round(30_000 * np.exp(np.cumsum(random.normal(0.0, 0.0006, rows))), 2)
    open_ = np.concatenate(([30_000.0], close[:-1]))
    reach = 1.0 + np.abs(random.normal(0.0, 0.0003, (2, rows)))
    high, low = np.maximum(open_, close), np.minimum(open_, close)
    high, low = np.maximum(np.round(high * reach[0], 2), high), np.minimum(np.round(low / reach[1], 2), low)
    ts = 1_600_000_020_000_000_000 + np.arange(rows, dtype=np.int64) * 60_000_000_000
    volume = np.round(random.lognormal(1.0, 1.0, rows), 3)
    return cambist.Bars(cambist.Instrument(symbol="BTCUSDT"), "1m", ts, open_, high, low, close, volume)


def timed(act: Callable[[], Any]) -> tuple[float, float]:
    """Return wall and processor seconds."""
    wall, own = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - wall, time.process_time() - own


def look(path: Path) -> None:
    """Print how a browser gets on with a page."""
    place = shutil.which("chromium")
    if place is None:
        print("no Chromium here: nothing is measured in the browser")
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=place, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]", timeout=120_000)
        first = page.evaluate("performance.getEntriesByName('first-picture')[0].startTime / 1000")
        every = page.evaluate("performance.now() / 1000")
        print(f"first picture after {first:.2f} s, all bars after {every:.2f} s")
        print(f"moved at {page.evaluate(PAN):.0f} pictures a second")
        browser.close()


def main() -> None:
    """Measure."""
    result = cambist.backtest(SmaCross(fast=200, slow=600), walk(BARS), cash=1_000_000, fees=0.0002)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.html"
        for name in ("first", "again"):
            wall, own = timed(lambda: result.report(path))
            size = path.stat().st_size / 1e6
            print(f"page of {BARS:,} bars, {name}: {wall:.2f} s, {own:.2f} s of processor, {size:.1f} MB")
        wall, _ = timed(lambda: shutil.copy(path, path.with_suffix(".copy")))
        print(f"a copy of the file: {wall:.3f} s")
        for figure in ("price", "overview"):
            wall, own = timed(lambda name=figure: result.plot(name, path.with_suffix(".png")))
            print(f"PNG of {figure}: {wall:.2f} s, {own:.2f} s of processor")
        look(path)


if __name__ == "__main__":
    main()
