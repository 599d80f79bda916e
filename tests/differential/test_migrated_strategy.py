"""The strategy that the page about moving from backtrader shows in both forms trades alike in both."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "move-from-backtrader.md"

with warnings.catch_warnings():
    warnings.simplefilter("ignore", (SyntaxWarning, DeprecationWarning))
    pytest.importorskip("backtrader", reason="backtrader, the oracle, is not installed")


def module_of(name, folder):
    """Return the module that the page writes under a name."""
    for token in MarkdownIt("commonmark").parse(PAGE.read_text(encoding="utf-8")):
        if token.type == "fence" and f'file="{name}.py"' in token.info:
            file = folder / f"{name}.py"
            file.write_text(token.content, encoding="utf-8")
            spec = importlib.util.spec_from_file_location(name, file)
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module
            spec.loader.exec_module(module)
            return module
    raise AssertionError(f"{PAGE.name} writes no {name}.py")


def walk(seed):
    chance = np.random.default_rng(seed)
    close = (100 * np.exp(np.cumsum(chance.normal(0.0004, 0.015, 700)))).round(2)
    open_ = np.concatenate(([100.0], close[:-1])) + chance.normal(0, 0.3, 700).round(2)
    spread = np.abs(chance.normal(0, 0.6, (2, 700))).round(2)
    high, low = np.maximum(open_, close) + spread[0], np.minimum(open_, close) - spread[1]
    index = pd.date_range("2020-01-01", periods=700, freq="D")
    return pd.DataFrame({"open": open_, "high": high, "low": low, "close": close, "volume": 1_000.0}, index=index)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_both_forms_trade_alike(seed, tmp_path):
    before, after = module_of("breakout_before", tmp_path), module_of("breakout_after", tmp_path)
    bars = walk(seed)
    theirs, value = before.run(bars)
    ours = after.run(bars)
    fills = [(size, price) for of_bar in theirs.values() for size, price, *_ in of_bar]
    signed = [fill.size if fill.side == "buy" else -fill.size for fill in ours.fill_records]
    assert len(fills) > 20
    assert signed == [size for size, _ in fills]
    assert [fill.price for fill in ours.fill_records] == pytest.approx([price for _, price in fills], rel=1e-12)
    assert float(ours.series.equity.iloc[-1]) == pytest.approx(value, rel=1e-12)
    stopped = sum(1 for order in ours.order_records if order.type == "stop" and order.status == "filled")
    assert stopped, "no stop was reached: the comparison says nothing about them"
