"""The page of a run: everything in one file of HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cambist.model import format_ns
from cambist_report.account import account_axis, rolling_axis, rolling_window
from cambist_report.arrays import floats, ns_of
from cambist_report.calendars import monthly_map
from cambist_report.distribution import return_distribution
from cambist_report.facts import run_facts
from cambist_report.frame import Frame, stage, write_text
from cambist_report.judgement import REPRICED, RERUN, judged, redrawn, rerun_table, sensitivities
from cambist_report.market import markets_of
from cambist_report.markup import Wording, card, escape
from cambist_report.packing import Packer
from cambist_report.panels import account_panels, market_panels
from cambist_report.tables import cost_table, drawdown_table, instrument_table, measure_table, strategy_table
from cambist_report.tiles import tiles

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from cambist import Result
    from cambist.model import Bars
    from cambist_report.axes import Axis
    from cambist_report.market import Market

__all__ = ["page_of", "write_page"]

#: Bars of all markets together of which the page has every one; of what is beyond it has the coarser levels.
_FINEST_ROWS = 1_500_000
_DAY_MS = 86_400_000
_REDRAWN = "Blocks of the run's own days, drawn again and put together in another order."


def write_page(result: Result, path: Path | None, *, title: str = "", reruns: pd.DataFrame | None = None) -> Path | str:
    """Write the page of a run.

    Parameters
    ----------
    result
        Of the run; one without a trade has a page too.
    path
        Of the file; it is replaced as a whole or not at all. None returns the text instead.
    title
        At the top, instead of strategies and instruments.
    reruns
        The strategy run again with dearer and later fills: what ``cambist_optimize.rerun`` returns.

    Raises
    ------
    ResultError
        If the file cannot be written.
    """
    text = page_of(result, title=title, reruns=reruns)
    return text if path is None else write_text(path, text)


def page_of(result: Result, *, title: str = "", reruns: pd.DataFrame | None = None) -> str:
    """Return the page of a run as text."""
    markets = markets_of(result)
    packer = Packer()
    account = account_axis(result)
    window = rolling_window(result)
    rolling = rolling_axis(result) if len(result.analysis.returns) > window else None
    axes = [market.axis for market in markets] + [account] + ([rolling] if rolling is not None else [])
    data = _data(result, markets, axes, packer)
    data["panels"] = account_panels(account, rolling, window)
    first = len(packer.pieces)
    fine = _fine(axes, packer)
    frame = Frame(title or result.title, _span(result))
    frame.notices = [f"Stopped early: {result.stopped}", *result.warnings] if result.stopped else list(result.warnings)
    frame.content = tiles(result) + '<div class="grid">' + "".join(_cards(result, markets, reruns)) + "</div>"
    frame.data, frame.pieces = data, packer.pieces[:first]
    frame.fine, frame.fine_pieces = fine, packer.pieces[first:]
    return frame.text()


def _cards(result: Result, markets: list[Market], reruns: pd.DataFrame | None) -> list[str]:
    """Return the sections of the page in their order."""
    excursions = any(np.isfinite(market.adverse).any() for market in markets)
    return [
        card("Price, trades and account", _chart(markets), key="chart", wide=True),
        card("Trades", _trades(result, markets), key="trades-card", wide=True),
        card(
            "Skill or luck",
            judged(result),
            key="verdict",
            note="What can be said of this one run. Each test names its numbers; the documentation names its paper.",
        ),
        card("Runs that could have been", redrawn(result), key="redrawn", note=_REDRAWN),
        card("Costs", cost_table(result), key="costs-card"),
        card("Dearer and later", rerun_table(reruns), key="reruns", note=RERUN),
        card("The same trades, dearer and later", sensitivities(result, markets), key="sensitivity", note=REPRICED),
        card("Returns by month", monthly_map(result), key="months", wide=True),
        card("Distribution of daily returns", return_distribution(result), key="distribution"),
        card("Deepest drawdowns", drawdown_table(result), key="drawdowns"),
        card(
            "Excursions of trades",
            _excursions() if excursions else "",
            key="excursions",
            wide=True,
            note="How far each trade ran against its holder (MAE) and for him (MFE) before it ended, beside what it "
            "brought. Click a point and the chart goes there.",
        ),
        card("Instruments", instrument_table(result, markets), key="instruments-card", wide=True),
        card("Strategies", strategy_table(result), key="strategies-card", wide=True),
        card("Measures", measure_table(result), key="measures-card", wide=True),
        card("Run facts", run_facts(result, markets), key="facts-card", wide=True),
    ]


def _span(result: Result) -> str:
    start, end = (
        format_ns(ns).removesuffix(" UTC")[:16].removesuffix(" 00:00") for ns in (result.started, result.ended)
    )
    return f"{start} to {end} UTC · {result.n_bars:,} {result.unit} · {result.currency}"


def _chart(markets: Sequence[Market]) -> str:
    choice = ""
    if len(markets) > 1:
        options = "".join(f'<option value="{escape(one.symbol)}">{escape(one.symbol)}</option>' for one in markets)
        choice = f'<select id="market" aria-label="Instrument">{options}</select>'
    more = "".join(
        f'<button type="button" data-act="{act}" {words}>{name}</button>'
        for act, words, name in (
            ("previous", 'title="Previous trade (p)"', "&lsaquo; Trade"),
            ("next", 'title="Next trade (n)"', "Trade &rsaquo;"),
            ("orders", 'aria-pressed="false" title="Orders that waited at a price"', "Orders"),
            ("log", 'aria-pressed="false" title="Equity on a logarithmic scale"', "Log"),
        )
    )
    return stage(choice, more, "prices, trades and the account")


def _trades(result: Result, markets: Sequence[Market]) -> str:
    if not result.trade_records:
        return '<p class="note">There were no trades.</p>'
    symbols = sorted({market.symbol for market in markets if len(market.trades)})
    which = ""
    if len(symbols) > 1:
        options = "".join(f'<option value="{escape(name)}">{escape(name)}</option>' for name in symbols)
        which = (
            f'<select class="which" aria-label="Instrument"><option value="">All instruments</option>{options}</select>'
        )
    kinds = "".join(
        f'<option value="{kind}">{kind.capitalize()}</option>'
        for kind in ("all", "won", "lost", "long", "short", "open")
    )
    return (
        f'<div id="trades"><div class="filters"><select class="kind" aria-label="Which trades">{kinds}</select>{which}'
        '<span class="count" aria-live="polite"></span></div><div class="frame"><div class="tabled" role="table" '
        'aria-label="Trades"><div class="head" role="row"></div><div class="rows"><div class="inner"></div></div></div>'
        "</div></div>"
    )


def _excursions() -> str:
    return "".join(
        [
            '<div class="twice">',
            *(
                f'<div class="points"><canvas data-scatter="{name}" data-label="{label}" role="img" '
                f'aria-label="{label} and return of each trade"></canvas><div class="tip" hidden></div></div>'
                for name, label in (("adverse", "Adverse excursion"), ("favorable", "Favorable excursion"))
            ),
            "</div>",
        ]
    )


def _data(result: Result, markets: list[Market], axes: list[Axis], packer: Packer) -> dict[str, Any]:
    """Return what the scripts of the page need, without the finest levels."""
    words = Wording.of(result)
    bars = {market.axis.name: market.bars for market in markets}
    said = []
    for axis in axes:
        own = bars.get(axis.name)
        length = 0 if own is None else own.timeframe.shortest // 1_000_000
        said.append(
            axis.described()
            | {"barMs": length, "daily": _is_daily(axis.times), "levels": axis.packed(packer, finest=False)}
        )
    return {
        "currency": result.currency,
        "places": words.places,
        "daily": all(one["daily"] for one in said),
        "axes": said,
        "lead": "account",
        "overview": _overview(markets),
        "markets": [_market(market, packer) for market in markets],
        "trades": _trade_data(markets, packer) if result.trade_records else None,
    }


def _overview(markets: list[Market]) -> dict[str, str]:
    return {"axis": "account", "column": "equity"} if not markets else {"axis": markets[0].axis.name, "column": "close"}


def _is_daily(times: NDArray[Any]) -> bool:
    return not (times // 1_000_000 % _DAY_MS).any()


def _market(market: Market, packer: Packer) -> dict[str, Any]:
    return {
        "symbol": market.symbol,
        "axis": market.axis.name,
        "digits": 2 if market.bars is None else price_digits(market.bars),
        "panels": market_panels(market.axis, market.symbol, market.timeframe),
        "fills": {name: packer.exact(values) for name, values in market.fills.items()},
        "orders": {name: packer.exact(values) for name, values in market.orders.items()},
    }


def price_digits(bars: Bars) -> int:
    """Return how many decimals prices are shown with, from two to eight."""
    some = bars.close[:: max(1, len(bars) // 1000)]
    for digits in range(2, 8):
        if np.allclose(some, np.round(some, digits), rtol=0.0, atol=1e-9):
            return digits
    return 4 if float(some.max()) > 1 else 8


def _trade_data(markets: list[Market], packer: Packer) -> dict[str, Any]:
    """Return the trades of all markets by id, as columns."""
    words: dict[str, int] = {}

    def coded(values: Any) -> NDArray[Any]:
        return np.array([words.setdefault(str(value), len(words)) for value in values], np.int32)

    frame = pd.concat(
        [
            market.trades.assign(
                entry_row=market.rows[0],
                exit_row=market.rows[1],
                adverse=market.adverse,
                favorable=market.favorable,
                last=np.nan if market.bars is None else market.bars.close[-1],
            )
            for market in markets
        ]
    ).sort_index()
    ended = frame["exit_price"].fillna(frame["last"]).fillna(frame["entry_price"])
    why = [reason or tag for reason, tag in zip(frame["reason"], frame["tag"], strict=True)]
    columns = {
        "id": packer.exact(floats(frame.index)),
        "instrument": packer.whole(coded(frame["instrument"])),
        "side": packer.whole(coded(frame["side"])),
        "why": packer.whole(coded(why)),
        "entered": packer.exact(_milliseconds(frame["entry_time"])),
        "left": packer.exact(_milliseconds(frame["exit_time"])),
        "from": packer.exact(floats(frame["entry_row"])),
        "to": packer.exact(floats(frame["exit_row"])),
        "ended": packer.exact(floats(ended)),
        "bars": packer.exact(floats(frame["bars"])),
    }
    for name, column in (
        ("paid", "entry_price"),
        ("got", "exit_price"),
        ("size", "size"),
        ("net", "net"),
        ("return", "return"),
    ):
        columns[name] = packer.exact(floats(frame[column]))
    if frame["adverse"].notna().any():
        columns |= {name: packer.exact(floats(frame[name])) for name in ("adverse", "favorable")}
    return {"columns": columns, "words": list(words), "several": len(set(frame["instrument"])) > 1}


def _milliseconds(times: pd.Series[Any]) -> NDArray[Any]:
    made = ns_of(times).astype(np.float64) / 1e6
    made[times.isna().to_numpy()] = np.nan
    return made


def _fine(axes: list[Axis], packer: Packer) -> dict[str, Any]:
    """Return the finest levels of the axes that have coarser ones, as long as there is room."""
    found, room = {}, _FINEST_ROWS
    for axis in sorted(axes, key=lambda one: one.bars is not None):
        if axis.bars is not None:
            room -= len(axis.times)
            if room < 0 and len(axis.times) != _FINEST_ROWS + room + len(axis.times):
                continue
        levels = axis.packed(packer, finest=True)
        if levels:
            found[axis.name] = levels[0]
    return found
