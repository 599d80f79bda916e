"""Which curves stand on which panel of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cambist_report.axes import Axis

__all__ = ["account_panels", "line", "market_panels", "panel"]

#: Of lines on one panel, one after the other; names of the style sheet.
COLORS = ("gold", "violet", "green", "rose", "accent", "up", "down", "soft")


def line(column: str, label: str, color: str, **more: Any) -> dict[str, Any]:
    """Return one curve of a panel."""
    return {"column": column, "label": label, "color": color, **more}


def panel(key: str, title: str, axis: str, series: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Return one panel."""
    return {"key": key, "title": title, "axis": axis, "kind": "lines", "unit": "number", "height": 130} | {
        "series": series,
        **more,
    }


def market_panels(axis: Axis, symbol: str, timeframe: str) -> list[dict[str, Any]]:
    """Return prices with what lies among them, volume, and a panel for each kind of other line."""
    candles = axis.bars is not None
    hidden = {"draw": "none"}
    prices = [line(name, name[0].upper(), "ink", **hidden) for name in ("open", "high", "low", "close")]
    if not candles:
        prices = [line("close", "Close", "accent")]
    below: dict[str, list[dict[str, Any]]] = {}
    for name, column in axis.columns.items():
        if name in {"volume", "close"}:
            continue
        group = prices if column.panel == "price" else below.setdefault(column.panel, [])
        number = sum(one["column"].startswith("line") for one in group)
        group.append(line(name, column.label, COLORS[number % len(COLORS)]))
    made = [
        panel(
            "price",
            f"{symbol} {timeframe}".strip(),
            axis.name,
            prices,
            kind="candles",
            candles=candles,
            unit="price",
            height=380,
        )
    ]
    if "volume" in axis.columns:
        volume = [line("volume", "", "up", draw="none")]
        made.append(panel("volume", "Volume", axis.name, volume, kind="volume", unit="size", height=76, zero=True))
    made[-1]["dated"] = True
    made[-1]["height"] += 22
    made += [panel(f"lines-{key}", key, axis.name, lines, height=110) for key, lines in below.items()]
    return made


def account_panels(account: Axis, rolling: Axis | None, window: int) -> list[dict[str, Any]]:
    """Return the panels of the account."""
    equity = [line("equity", "Strategy", "accent", width=2)]
    if "benchmark" in account.columns:
        equity.append(line("benchmark", "Buy and hold", "faint", width=1.5, dash=[5, 4]))
    made = [
        panel("equity", "Equity", account.name, equity, unit="money", height=210),
        panel(
            "underwater",
            "Drawdown",
            account.name,
            [line("drawdown", "", "down", draw="area")],
            unit="percent",
            height=110,
            zero=True,
        ),
    ]
    if "net" in account.columns:
        made.append(
            panel(
                "exposure",
                "Exposure",
                account.name,
                [
                    line("net", "Net", "green", draw="steps", width=1.25),
                    line("gross", "Gross", "faint", dash=[3, 3], width=1),
                ],
                unit="percent",
                height=100,
                zero=True,
            )
        )
    if rolling is not None:
        beside = "benchmark_sharpe" in rolling.columns
        for key, title, unit, color in (
            ("sharpe", f"Sharpe ratio over {window} days", "ratio", "violet"),
            ("volatility", f"Volatility over {window} days, a year", "percent", "gold"),
        ):
            series = [line(key, "Strategy", color)]
            if beside:
                series.append(line(f"benchmark_{key}", "Buy and hold", "faint", width=1.25, dash=[5, 4]))
            made.append(panel(f"rolling-{key}", title, rolling.name, series, unit=unit, height=115, zero=True))
    return made
