"""What a reader needs to trust a run and to repeat it."""

from __future__ import annotations

import platform
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import numpy as np

from cambist.analysis import iso_time
from cambist_report.markup import Markup, escape, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist import Result
    from cambist.model import Bars
    from cambist_report.market import Market

__all__ = ["data_checks", "fingerprint", "run_facts"]

_PACKAGES = ("cambist", "cambist-report", "numpy", "pandas", "TA-Lib", "numba")
#: What settings mean that decide at which price something is filled.
_FILLS = {
    "next_open": "market orders fill at the next open",
    "this_close": "market orders fill at the close of the bar that decides",
    "nearer_first": "inside a bar the price goes to the nearer of high and low first",
    "pessimistic": "inside a bar the price goes first where it hurts",
}


def run_facts(result: Result, markets: list[Market]) -> str:
    """Return the facts of a run: what ran, on which data, by which rules, with which versions."""
    settings = result.settings
    rows: list[tuple[object, object]] = [
        ("Run", result.run_id),
        (
            "Strategies",
            Markup("<br>".join(_strategy(one.class_name, one.name, one.parameters) for one in result.strategies)),
        ),
        ("From, to", f"{_utc(result.started)} to {_utc(result.ended)}"),
        ("Played", result.played_as),
        ("Fill rule", fill_rule(settings)),
        ("Rules", f"{settings.get('rules', 'cambist')}"),
        ("Fees", _text(settings.get("fees"))),
        ("Slippage", _text(settings.get("slippage"))),
        ("Leverage", _text(settings.get("leverage"))),
        ("Seed", _text(settings.get("seed"))),
        ("Ended early", result.stopped or "no"),
        ("Versions", ", ".join(_versions())),
    ]
    shown = {"rules", "market_fill", "path", "fees", "slippage", "leverage", "seed"}
    more = [(name, _text(value)) for name, value in settings.items() if name not in shown]
    return "".join(
        [
            table(("", ""), rows, caption="Run facts", texts=2, key="facts"),
            "<h3>Data</h3>",
            data_checks(markets),
            "<h3>Again</h3>",
            f"<pre><code>{escape(again(result))}</code></pre>",
            "<details><summary>All settings</summary>",
            table(("Setting", "Value"), more, caption="All settings", texts=2),
            "</details>",
        ]
    )


def data_checks(markets: list[Market]) -> str:
    """Return range, gaps and fingerprint of the bars of each series."""
    rows = []
    for market in markets:
        bars = market.bars
        if bars is None:
            rows.append(
                (market.symbol, market.timeframe, f"{len(market.closes):,}", "-", "-", "-", "not kept by the run")
            )
            continue
        still = int(np.count_nonzero(bars.volume == 0.0))
        rows.append(
            (
                market.symbol,
                market.timeframe,
                f"{len(bars):,}",
                f"{_utc(int(bars.ts[0]))} to {_utc(int(bars.close_times[-1]))}",
                gaps_in(bars),
                f"{still:,}",
                fingerprint(bars),
            )
        )
    headers = ("Series", "Timeframe", "Bars", "Range", "Gaps", "Without volume", "Fingerprint")
    return table(headers, rows, caption="Data: its range and checks", texts=2, key="data-checks")


def gaps_in(bars: Bars) -> str:
    """Say how often more time passes between two bars than between most."""
    steps = np.diff(bars.ts)
    if not len(steps):
        return "none"
    usual = int(np.median(steps))
    wide = steps[steps > 1.5 * usual]
    if not len(wide):
        return "none"
    return f"{len(wide):,}, the longest {wide.max() / 3.6e12:,.1f} h"


def fingerprint(bars: Bars) -> str:
    """Return a short sum of all times, prices and volumes: equal for equal bars alone."""
    total = blake2b(digest_size=6)
    for column in (bars.ts, *bars.columns.values()):
        total.update(np.ascontiguousarray(column).data)
    return total.hexdigest()


def fill_rule(settings: Mapping[str, object]) -> str:
    """Say in words how orders were filled."""
    said = [
        _FILLS.get(str(settings.get(name)), f"{name.replace('_', ' ')}: {settings.get(name)}")
        for name in ("market_fill", "path")
    ]
    if settings.get("volume_limit") is not None:
        said.append(f"at most {settings['volume_limit']} of a bar's volume")
    return "; ".join(said)


def again(result: Result) -> str:
    """Return Python that runs it once more, given the same bars."""
    one = result.strategies[0]
    parameters = ", ".join(f"{name}={value!r}" for name, value in one.parameters.items())
    names = ("cash", "fees", "slippage", "leverage", "market_fill", "seed")
    plain = {name: result.settings.get(name) for name in names}
    said = ", ".join(f"{name}={value!r}" for name, value in plain.items() if isinstance(value, int | float | str))
    strategies = f"{one.class_name}({parameters})"
    if len(result.strategies) > 1:
        strategies = f"[{strategies}, ...]"
    return f"cambist.backtest({strategies}, bars, {said})"


def _strategy(class_name: str, name: str, parameters: Mapping[str, object]) -> str:
    said = ", ".join(f"{key}={value}" for key, value in parameters.items())
    named = "" if name == class_name else f" as {name}"
    return escape(f"{class_name}({said}){named}")


def _versions() -> list[str]:
    found = [f"Python {platform.python_version()}"]
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return found


def _utc(ns: int) -> str:
    return iso_time(ns).replace("T", " ").removesuffix("Z").removesuffix(":00").removesuffix(" 00:00")


def _text(value: object) -> str:
    return "none" if value is None or value in ([], {}, "") else str(value)
