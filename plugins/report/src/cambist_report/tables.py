"""The tables of a page: measures, drawdowns, instruments, strategies, costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cambist.analysis import MEASURES, Unit, format_value
from cambist_report.markup import Markup, Wording, signed, table

if TYPE_CHECKING:
    from cambist import Result
    from cambist_report.market import Market

__all__ = ["cost_table", "drawdown_table", "instrument_table", "measure_table", "strategy_table"]

_DEEPEST = 8
#: Tables of measures side by side.
_COLUMNS = 3


def measure_table(result: Result) -> str:
    """Return every measure, those beyond the summary too, with the benchmark's beside it."""
    words = Wording.of(result)
    analysis, beside = result.analysis, result.analysis.benchmark
    rows = [(label, own, other) for label, own, other in result.summary.rows()]
    for key, spec in MEASURES.items():
        if spec.in_summary:
            continue
        other = beside.measure(key) if beside is not None and spec.benchmarked else None
        rows.append(
            (
                f"{spec.label} ({result.currency})" if spec.unit is Unit.MONEY else spec.label,
                format_value(analysis.measure(key), spec.unit, words.places),
                format_value(other, spec.unit, words.places) if other is not None else "",
            )
        )
    beside_it = result.summary.has_benchmark
    headers = ("Measure", "Strategy", "Buy and hold") if beside_it else ("Measure", "Strategy")
    each = -(-len(rows) // _COLUMNS)
    parts = (rows[start : start + each] for start in range(0, len(rows), each))
    made = (table(headers, [row[: len(headers)] for row in part], caption="Measures") for part in parts)
    return f'<div class="triple">{"".join(made)}</div>'


def drawdown_table(result: Result) -> str:
    """Return the deepest stretches under water; empty where equity never fell."""
    frame = result.analysis.drawdowns.head(_DEEPEST)
    if frame.empty:
        return ""
    rows = []
    row: Any
    for row in frame.itertuples():
        recovered = "not yet" if pd.isna(row.recovery) else _day(row.recovery)
        length = (row.recovery if not pd.isna(row.recovery) else pd.Timestamp(result.ended, tz="UTC")) - row.peak
        rows.append(
            (
                _link(row.peak, row.peak + length),
                _day(row.trough),
                recovered,
                signed(f"{100 * row.depth:+.2f} %", row.depth),
                f"{max(length.days, 0):,} d",
            )
        )
    return table(("Peak", "Trough", "Recovery", "Depth", "Length"), rows, caption="The deepest drawdowns", texts=3)


def _link(start: pd.Timestamp, end: pd.Timestamp) -> Markup:
    """Return the day of a time as a button by which the chart goes to what follows it."""
    span = f'data-from="{_ms(start)}" data-to="{_ms(end)}"'
    return Markup(f'<button type="button" class="go" {span}>{_day(start)}</button>')


def _day(time: pd.Timestamp) -> str:
    return f"{time - pd.Timedelta(1, 'ns'):%Y-%m-%d}" if time == time.normalize() else f"{time:%Y-%m-%d}"


def _ms(time: pd.Timestamp) -> int:
    return int(time.timestamp() * 1000)


def instrument_table(result: Result, markets: list[Market]) -> str:
    """Return what each instrument brought."""
    words = Wording.of(result)
    rows = []
    for market in sorted(markets, key=lambda one: [each.symbol for each in result.instruments].index(one.symbol)):
        closed = market.trades[market.trades["exit_time"].notna()]
        net, open_ = closed["net"], len(market.trades) - len(closed)
        rows.append(
            (
                market.symbol,
                f"{len(closed):,}" + (f" + {open_} open" if open_ else ""),
                words.share(float((net > 0).mean()) if len(net) else None),
                signed(words.money(float(closed["gross"].sum()), signed=True), float(closed["gross"].sum())),
                words.money(float(market.trades["fees"].sum())),
                signed(words.money(float(net.sum()), signed=True), float(net.sum())),
                words.change(float(closed["return"].mean()) if len(closed) else None),
                words.share(_time_held(market)),
                words.change(_held(market)),
            )
        )
    headers = ("Instrument", "Trades", "Won", "Gross", "Fees", "Net", "Average return", "Time held", "Price moved")
    return table(headers, rows, caption="By instrument", key="instruments")


def _time_held(market: Market) -> float | None:
    """Return the share of rows on which something was held."""
    n = len(market.closes)
    if not n:
        return None
    steps = np.zeros(n + 1)
    np.add.at(steps, market.rows[0], 1.0)
    over = market.trades["exit_time"].notna().to_numpy()
    np.add.at(steps, np.where(over, market.rows[1], n), -1.0)
    return float((np.cumsum(steps)[:-1] > 0).mean())


def _held(market: Market) -> float | None:
    if market.bars is None or not len(market.bars):
        return None
    return float(market.bars.close[-1] / market.bars.open[0] - 1.0)


def strategy_table(result: Result) -> str:
    """Return what each strategy brought, where there are several."""
    if len(result.strategies) < 2:
        return ""
    words = Wording.of(result)
    rows = []
    row: Any
    for row in result.by_strategy.reset_index().itertuples():
        money = (signed(words.money(value, signed=True), value) for value in (row.realized, row.unrealized, row.net))
        realized, unrealized, net = money
        rows.append((row.strategy, row.instrument, f"{row.trades:,}", realized, unrealized, words.money(row.fees), net))
    headers = ("Strategy", "Instrument", "Trades", "Realized", "Unrealized", "Fees", "Net")
    return table(headers, rows, caption="By strategy", texts=2, key="strategies")


def cost_table(result: Result) -> str:
    """Return what trading cost, and what came and went without a fill."""
    words = Wording.of(result)
    gross = float(result.trades["gross"].sum())
    fees, count = result.facts.fees, len(result.trades)
    traded = result.facts.notional_traded
    rows: list[tuple[object, ...]] = [
        ("Profit of closed trades before fees", signed(words.money(gross, signed=True), gross), ""),
        (
            "Fees",
            signed(words.money(-fees if fees else 0.0, signed=True), -fees),
            _of(fees, traded, "of what was traded"),
        ),
        ("Fees for each closed trade", words.money(fees / count) if count else "-", ""),
        ("Traded", words.money(traded), _of(traded, result.initial_cash, "times the initial cash", times=True)),
    ]
    if gross > 0:
        rows.append(("Fees as a share of that profit", words.share(fees / gross), ""))
    flows = result.cash_flows
    if len(flows):
        for kind, amount in flows[flows["kind"] != "fee"].groupby("kind")["amount"].sum().items():
            rows.append((str(kind).capitalize(), signed(words.money(float(amount), signed=True), float(amount)), ""))
    slippage = result.settings.get("slippage")
    rows.append(("Slippage in the fills", _setting(slippage), "as the run was set up"))
    return table(("Cost", f"{result.currency}", ""), rows, caption="Costs", texts=1, key="costs")


def _setting(value: object) -> str:
    if value is None:
        return "none"
    return f"{100 * value:.3g} %" if isinstance(value, float) else str(value)


def _of(part: float, whole: float, words: str, *, times: bool = False) -> str:
    if not whole:
        return ""
    return f"{part / whole:,.1f} {words}" if times else f"{100 * part / whole:.3f} % {words}"
