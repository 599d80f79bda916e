"""The page of a run in Chromium: what it shows is what the result says, and it moves as people expect."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest

import cambist
from cambist.strategies.examples.sma_cross import SmaCross

VIEW = "cambist.stage.view.slice()"


@pytest.fixture(scope="module")
def path(result, tmp_path_factory):
    return result.report(tmp_path_factory.mktemp("pages") / "run.html")


@pytest.fixture
def page(look, path):
    return look(path)


def until(page, what):
    """Wait until something is so, at most half a minute; the page's own policy forbids playwright's way to."""
    page.evaluate(
        f"(async () => {{ const end = performance.now() + 30_000; while (!({what})) {{"
        f" if (performance.now() > end) throw Error({json.dumps(what)} + ' is never so');"
        " await new Promise(requestAnimationFrame) } })()"
    )


def settled(page):
    """Wait until what was asked for is drawn."""
    until(page, "!cambist.stage.asked")


def test_numbers_on_the_page_are_those_of_the_result(page, result):
    shown = page.evaluate(
        "[...document.querySelectorAll('[data-measure]')].map(e => [e.dataset.measure, e.firstChild.textContent])"
    )
    texts = dict(zip(result.summary, result.summary.rows(), strict=True))
    assert len(shown) == 10
    assert all(text == texts[key][1] for key, text in shown)
    columns = page.evaluate(
        "['id', 'paid', 'got', 'size', 'net', 'return', 'bars'].map(name =>"
        " Array.from(cambist.all[name]).map(v => isNaN(v) ? null : v))"
    )
    trades = result.trades
    closed = len(trades)
    assert columns[0][:closed] == trades.index.tolist()
    for values, name in zip(columns[1:], ("entry_price", "exit_price", "size", "net", "return", "bars"), strict=True):
        assert values[:closed] == trades[name].tolist(), name
    every = page.evaluate(
        "(() => { const axis = cambist.axes.get('account'); const level = axis.levels[0];"
        " return [Array.from(level.columns.equity), Array.from(level.columns.drawdown), Array.from(level.times)] })()"
    )
    assert np.allclose(every[0], result.equity["equity"], rtol=0, atol=0.00501)
    assert np.allclose(every[1], result.equity["drawdown"], rtol=0, atol=5.01e-7)
    assert every[2] == (result.equity.index.as_unit("ns").asi8 / 1e6).tolist()


def test_prices_on_the_page_are_the_bars_exactly(page, result):
    bars = result.played[0].bars
    shown = page.evaluate(
        "(() => { const c = cambist.axes.get('market0').levels[0].columns;"
        " return ['open', 'high', 'low', 'close', 'volume'].map(name => Array.from(c[name])) })()"
    )
    for values, name in zip(shown, bars.columns, strict=True):
        assert values == bars.columns[name].tolist(), name
    lines = page.evaluate(
        "Object.keys(cambist.axes.get('market0').levels[0].columns).filter(n => n.startsWith('line'))"
    )
    assert len(lines) == 2


def test_marks_stand_where_the_fills_are(page, result):
    bars = result.played[0].bars
    page.evaluate("cambist.stage.show(200, 500)")
    settled(page)
    marks = page.evaluate(
        "(() => { const u = cambist.stage.panels[0].plot; return cambist.marks.map(m =>"
        " [m.buy, u.posToVal(m.x / devicePixelRatio - u.bbox.left / devicePixelRatio, 'x'),"
        " u.posToVal(m.y / devicePixelRatio - u.bbox.top / devicePixelRatio, 'y')]) })()"
    )
    fills = result.fills
    rows = np.searchsorted(bars.ts, pd.DatetimeIndex(fills["ts"]).as_unit("ns").asi8, side="right") - 1
    seen = [
        (side == "buy", row, price)
        for side, row, price in zip(fills["side"], rows, fills["price"], strict=True)
        if 200 <= row <= 500
    ]
    assert len(marks) == len(seen) > 4
    for (buy, row, price), (bought, x, y) in zip(seen, marks, strict=True):
        assert bought == buy
        assert x == pytest.approx(row, abs=0.01)
        assert y == pytest.approx(price, rel=1e-6)


def test_a_click_in_the_table_brings_the_chart_to_the_trade(page, result):
    bars = result.played[0].bars
    page.locator("#trades [data-row]").nth(3).click()
    settled(page)
    a, b = page.evaluate(VIEW)
    trade = result.trades.iloc[3]
    row = int(np.searchsorted(bars.ts, trade["entry_time"].value))
    assert a < row < row + trade["bars"] < b
    assert b - a < trade["bars"] * 4 + 60
    assert page.locator("#trades .chosen").get_attribute("data-row") == "3"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.locator("#trades .chosen").get_attribute("data-row") == "4"


def test_the_table_sorts_and_filters(page, result):
    page.locator("#trades .kind").select_option("won")
    won = result.trades[result.trades["net"] > 0]
    assert page.locator("#trades .count").text_content().startswith(f"{len(won)} of ")
    page.locator("#trades [data-column=net]").click()
    first = page.locator("#trades [data-row]").first
    assert first.locator("span").first.text_content() == str(won["net"].idxmax())


def test_keys_wheel_and_drag_move_the_view(page):
    stage = page.locator("#stage")
    over = page.locator("[data-panel=price] .u-over")
    page.evaluate("cambist.stage.show(1000, 2000)")
    stage.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate(VIEW) == pytest.approx([1150, 2150])
    page.keyboard.press("+")
    assert page.evaluate("cambist.stage.view[1] - cambist.stage.view[0]") == pytest.approx(700)
    page.keyboard.press("0")
    a, b = page.evaluate(VIEW)
    assert a < 0
    assert b > 2_999
    page.evaluate("cambist.stage.show(1000, 2000)")
    settled(page)
    over.hover()  # waits until the chart stays where it is
    box = over.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    until(page, "cambist.stage.hover !== null")
    page.mouse.down()
    page.mouse.move(middle[0] + box["width"] / 4, middle[1], steps=3)
    page.mouse.up()
    until(page, "Math.abs(cambist.stage.view[0] - 750) < 3 && Math.abs(cambist.stage.view[1] - 1750) < 3")
    page.mouse.wheel(0, -100)  # the click has given the chart the focus
    until(page, "cambist.stage.view[1] - cambist.stage.view[0] < 900")


def test_panels_show_the_same_time(page):
    page.evaluate("cambist.stage.show(400, 700)")
    settled(page)
    spans = page.evaluate("cambist.stage.panels.map(p => [p.axis.knownAt(p.range[0]), p.axis.knownAt(p.range[1])])")
    assert len(spans) >= 6
    hour = 3.6e6
    for start, end in spans:
        assert start == pytest.approx(spans[0][0], abs=hour)
        assert end == pytest.approx(spans[0][1], abs=hour)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_needs_no_sideways_scrolling(look, path, scheme):
    page = look(path, color_scheme=scheme)
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, dark[4:-1].split(","))) < 120) == (scheme == "dark")
    page.locator("[data-act=theme]").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark
    page.emulate_media(media="print")
    assert not page.locator(".controls").is_visible()


def test_several_instruments_have_a_choice_and_trades_know_theirs(look, tmp_path, make_bars):
    bars = [make_bars(600, seed, symbol=symbol) for seed, symbol in ((1, "AAA"), (2, "BBB"))]
    result = cambist.backtest(SmaCross(), bars, cash=1_000_000, fees=0.001)
    page = look(result.report(tmp_path / "two.html"))
    first = page.evaluate("cambist.market.symbol")
    other = next(i for i, name in enumerate(result.trades["instrument"]) if name != first)
    page.evaluate(f"cambist.goTo({other})")
    until(page, f"cambist.market.symbol !== {json.dumps(first)}")
    assert page.locator("#instruments tbody tr").count() == 2


def test_a_million_bars_are_drawn_from_coarser_levels(look, tmp_path, make_bars):
    bars = make_bars(1_000_000, timeframe="1m")
    result = cambist.backtest(SmaCross(fast=200, slow=900), bars, cash=1_000_000)
    path = result.report(tmp_path / "million.html")
    assert path.stat().st_size < 45_000_000
    page = look(path)
    factors = page.evaluate("cambist.axes.get('market0').levels.map(level => level.factor)")
    assert factors == [1, 8, 64, 512]
    points = "Math.max(...cambist.stage.panels.map(p => p.part.xs.length))"
    assert page.evaluate(points) < 4_000
    highest = page.evaluate("Math.max(...cambist.stage.panels[0].part.columns.high)")
    assert highest == bars.high.max()
    page.evaluate("cambist.stage.show(500000, 500100)")
    settled(page)
    part = page.evaluate(
        "(() => { const p = cambist.stage.panels[0].part;"
        " return [p.f, Array.from(p.xs), Array.from(p.columns.close)] })()"
    )
    assert part[0] == 1
    assert part[2] == bars.close[np.array(part[1], int)].tolist()
    before = page.evaluate("cambist.stage.frames")
    page.evaluate(
        "(async () => { for (let k = 0; k < 12; k++) {"
        " cambist.stage.move(0.2); await new Promise(requestAnimationFrame); } })()"
    )
    assert page.evaluate("cambist.stage.frames") > before


def test_a_run_without_a_trade_and_one_over_blocks_have_pages(look, tmp_path, make_bars):
    bars = make_bars(400)
    idle = cambist.backtest(SmaCross(fast=100, slow=399), bars, cash=100_000)
    assert not idle.trade_records
    page = look(idle.report(tmp_path / "idle.html"))
    assert "There were no trades" in page.locator("#trades-card").text_content()
    blocks = cambist.backtest(SmaCross(), make_bars(1_000), cash=100_000, blocks=True)
    assert blocks.played == ()
    page = look(blocks.report(tmp_path / "blocks.html"))
    assert page.evaluate("cambist.market.axis") == "market0"
    assert math.isfinite(page.evaluate("cambist.axes.get('market0').levels[0].columns.close[5]"))


def test_a_name_of_html_is_shown_as_it_is(look, tmp_path, result):
    page = look(result.report(tmp_path / "named.html", title="<img src=x onerror=alert(1)></script>"))
    assert page.locator("h1").text_content() == "<img src=x onerror=alert(1)></script>"
    assert page.locator("h1 img").count() == 0
