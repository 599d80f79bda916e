"""Runs to report on, and a browser to look at the pages with: the system's Chromium, driven by playwright."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest

import cambist
from cambist.strategies.examples.sma_cross import SmaCross


def walk(rows, seed=7, timeframe="1h", symbol="BTCUSDT"):
    """Return bars of a random walk with two decimals."""
    rng = np.random.default_rng(seed)
    close = np.round(20_000 * np.exp(np.cumsum(rng.normal(0.0, 0.004, rows))), 2)
    open_ = np.concatenate(([20_000.0], close[:-1]))
    high = np.round(np.maximum(open_, close) * (1 + np.abs(rng.normal(0.0, 0.002, rows))), 2)
    low = np.round(np.minimum(open_, close) * (1 - np.abs(rng.normal(0.0, 0.002, rows))), 2)
    high, low = np.maximum(high, np.maximum(open_, close)), np.minimum(low, np.minimum(open_, close))
    step = cambist.Timeframe.parse(timeframe).ns
    ts = 1_600_000_000_000_000_000 // step * step + np.arange(rows, dtype=np.int64) * step
    volume = np.round(rng.lognormal(1.0, 1.0, rows), 3)
    return cambist.Bars(cambist.Instrument(symbol=symbol), timeframe, ts, open_, high, low, close, volume)


@pytest.fixture(scope="session")
def make_bars():
    return walk


@pytest.fixture(scope="session")
def result():
    return cambist.backtest(SmaCross(), walk(3_000), cash=100_000, fees=0.001)


@pytest.fixture(scope="module")
def browser():
    # While the driver is there its event loop runs in this thread, and no other test could run one of its own.
    place = os.environ.get("CAMBIST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if place is None:
        pytest.skip("needs Chromium: apt-get install chromium, or name it in CAMBIST_CHROMIUM")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, to drive Chromium")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=place, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def look(browser):
    """Return a function that opens a page and waits for all of its numbers; nothing may be wrong with it."""
    pages, wrong = [], []

    def opened(path, **options):
        page = browser.new_page(viewport={"width": 1280, "height": 900}, **options)
        pages.append(page)
        page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.resolve().as_uri())
        page.wait_for_selector("html[data-ready]", timeout=60_000)
        assert asked == [path.resolve().as_uri()], "a request left the page"
        return page

    yield opened
    for page in pages:
        page.close()
    assert wrong == []
