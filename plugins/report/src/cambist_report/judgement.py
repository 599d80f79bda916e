"""Whether a run is more than luck: findings in words, bands of redrawn runs, and what costs and delays would take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cambist.analysis import validation
from cambist.api import ParameterError
from cambist_report.arrays import floats
from cambist_report.markup import Wording, escape, signed, table

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from cambist import Result
    from cambist_report.market import Market

__all__ = ["REPRICED", "RERUN", "bands_picture", "findings_list", "judged", "redrawn", "rerun_table", "sensitivities"]

#: What a table of costs and delays was made of.
REPRICED = (
    "Repriced: the same trades with dearer or later fills. What the strategy would have decided otherwise is not in "
    "it; run it again for that, as sweep.rerun() and cambist_optimize.rerun do."
)
RERUN = "Run again: the strategy decided anew with dearer or later fills, by the same bars and all other settings."

_SIGNS = {"good": "+", "bad": "\u2212", "open": "?"}
_EXTRA = (0.0, 0.0005, 0.001, 0.002, 0.005)
_DELAYS = (0, 1, 2, 5)
_WIDTH, _HEIGHT, _RIGHT, _BOTTOM = 640.0, 250.0, 60.0, 22.0


def judged(result: Result) -> str:
    """Return what there is to say about whether a run is more than luck."""
    return findings_list(validation.verdict(result.facts))


def findings_list(findings: Iterable[validation.Finding]) -> str:
    """Return findings as a list, each with the sign of what it speaks for."""
    items = "".join(
        f'<li class="{one.tone}" data-sign="{_SIGNS[one.tone]}"><div><b>{escape(one.claim)}</b>'
        f"<small>{escape(one.reason)}</small></div></li>"
        for one in findings
    )
    return f'<ul class="verdict">{items}</ul>'


def redrawn(result: Result) -> str:
    """Return the bands in which runs lie that are drawn from the days of this one; empty where there are too few."""
    returns = result.facts.returns
    try:
        bands = validation.block_bootstrap(returns)
    except ParameterError:
        return ""
    if not np.ptp(returns):
        return ""
    words = Wording.of(result)
    equity = result.facts.curve.equity / result.facts.curve.initial
    low, high = bands.interval("growth")
    fall, _ = bands.interval("drawdown")
    per_year = np.sqrt(result.facts.periods_per_year("day"))
    sharpe = [per_year * bound for bound in bands.interval("sharpe")]
    said = {
        "return, nine in ten": f"{words.change(low)} to {words.change(high)}",
        "Sharpe ratio, nine in ten": f"{sharpe[0]:.2f} to {sharpe[1]:.2f}",
        "deepest fall, one in twenty": words.change(fall),
        "runs that lost": words.share(bands.loss_probability),
    }
    facts = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in said.items())
    return bands_picture(bands, equity) + f'<dl class="pairs roomy">{facts}</dl>'


def bands_picture(bands: validation.Bands, equity: np.ndarray) -> str:
    """Return the bands as SVG, with what the run itself was worth, its start as 1, over them."""
    low = float(min(bands.paths.min(), equity.min()))
    high = float(max(bands.paths.max(), equity.max()))

    def x(step: float) -> float:
        return step * (_WIDTH - _RIGHT)

    def y(worth: float) -> float:
        return 8.0 + (1.0 - (worth - low) / ((high - low) or 1.0)) * (_HEIGHT - _BOTTOM - 8.0)

    def points(steps: np.ndarray, values: np.ndarray) -> list[str]:
        return [f"{x(step):.1f},{y(value):.1f}" for step, value in zip(steps.tolist(), values.tolist(), strict=True)]

    steps, paths = bands.steps, bands.paths
    areas = "".join(
        f'<polygon points="{" ".join(points(steps, paths[:, outer]) + points(steps, paths[:, -1 - outer])[::-1])}" '
        f'fill="var(--accent)" opacity="{opacity}"/>'
        for outer, opacity in ((0, 0.14), (1, 0.2))
    )
    some = np.unique(np.linspace(0, len(equity) - 1, min(400, len(equity))).astype(int))
    own = points(some / max(len(equity) - 1, 1), equity[some])
    words = "".join(
        f'<text x="{_WIDTH - _RIGHT + 5:.0f}" y="{y(float(value)) + 4:.1f}">{100 * (value - 1):+.0f} %</text>'
        for value in (paths[-1, 0], paths[-1, len(bands.levels) // 2], paths[-1, -1])
    )
    return (
        f'<svg class="band" viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" role="img" '
        f'aria-label="Bands of redrawn runs, and the run itself">{areas}'
        f'<polyline points="{" ".join(points(steps, paths[:, len(bands.levels) // 2]))}" fill="none" '
        'stroke="var(--accent)" stroke-dasharray="4 3" stroke-width="1.25"/>'
        f'<polyline points="{" ".join(own)}" fill="none" stroke="var(--ink)" stroke-width="1.75"/>'
        f'<line x1="0" x2="{_WIDTH - _RIGHT:.0f}" y1="{y(1.0):.1f}" y2="{y(1.0):.1f}" stroke="var(--faint)" '
        f'stroke-dasharray="2 4"/>{words}'
        f'<text x="0" y="{_HEIGHT - 5:.0f}">bands: 5 to 95 % and 25 to 75 % of 1,000 redrawn runs; solid: this one'
        "</text></svg>"
    )


def sensitivities(result: Result, markets: list[Market]) -> str:
    """Return what the closed trades would have made with dearer and with later fills; empty without a trade."""
    if not result.facts.closed:
        return ""
    words = Wording.of(result)
    made = validation.cost_sensitivity(result.facts, _EXTRA).tolist()
    base = made[0]
    rows = [
        (f"{1e4 * extra:g} basis points more on each fill" if extra else "As it was", *_left(words, net, base))
        for extra, net in zip(_EXTRA, made, strict=True)
    ]
    later = _delayed(markets)
    if later is not None:
        rows += [
            (
                f"Filled {late} bar{'' if late == 1 else 's'} later" if late else "Filled at the opens",
                *_left(words, net, base),
            )
            for late, net in zip(_DELAYS, later.tolist(), strict=True)
        ]
    return table(("The same trades", f"Net ({result.currency})", "Left"), rows, caption="Costs and delays")


def _left(words: Wording, net: float, base: float) -> tuple[object, str]:
    return signed(words.money(net, signed=True), net), words.share(net / base) if base > 0 else "-"


def _delayed(markets: list[Market]) -> np.ndarray | None:
    """Return the net profit of closed trades for each delay, where all markets have bars and plain sizes."""
    total = np.zeros(len(_DELAYS))
    for market in markets:
        closed = market.trades["exit_time"].notna().to_numpy()
        if not closed.any():
            continue
        if market.bars is None or market.bars.instrument.is_inverse:
            return None
        trades = market.trades[closed]
        sizes = floats(trades["size"]) * np.where(trades["side"] == "long", 1.0, -1.0)
        rows = market.rows[0][closed], market.rows[1][closed]
        units = sizes * market.bars.instrument.multiplier
        total += validation.delay_sensitivity(market.bars.open, rows, units, floats(trades["fees"]), _DELAYS)
    return total


def rerun_table(reruns: pd.DataFrame | None) -> str:
    """Return runs with dearer and later fills, the first as it was; empty where there are none."""
    if reruns is None or not len(reruns):
        return ""
    names = [name for name in reruns.columns if name not in {"change", "fees", "slippage", "delay", "error"}]
    rows = [
        (str(row["change"]), *(f"{row[name]:,.4g}" if np.isfinite(row[name]) else "-" for name in names))
        for _, row in reruns.iterrows()
    ]
    return table(("Change", *names), rows, caption="Runs with other costs and delays", key="rerun-table")
