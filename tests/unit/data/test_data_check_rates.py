"""What the rules find in real files, and how often they are wrong: the tables of docs/reference/data-checks.md.

What is wrong in a file is told by its repaired twin (``*-fixed``), by pandas, or by facts about the market, never by
the rules themselves. Print the tables anew with ``python tests/unit/data/test_data_check_rates.py``.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import attrs
import numpy as np
import pandas as pd
import pytest

from cambist.data import BarStream, check, read_raw, repair
from cambist.data.checks.check import is_reversed
from cambist.model import Bar
from cambist.ports.data_rules import Severity

FOLDER = Path(os.environ.get("CAMBIST_TEST_DATA") or ".")
PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "data-checks.md"
pytestmark = pytest.mark.skipif(
    "CAMBIST_TEST_DATA" not in os.environ, reason="CAMBIST_TEST_DATA names no folder of real market data"
)
DEFECTS = "stocks/defects"
COLUMNS = ["Open", "High", "Low", "Close", "Volume"]

#: Files whose prices were repaired by somebody else, and what repairs them here.
PRICES = (
    "AET-L-1d-100x-error",
    "ASAI-L-1h-bad-unit",
    "LA-V-1d-bad-stock-split",
    "4063-T-1d-bad-stock-split",
    "DEX-AX-1d-bad-stock-split",
    "AV-L-1wk-bad-stock-split",
)
POLICY = {"order": "sort", "unit": "rescale", "split": "split-adjust"}
DIVIDENDS = (
    "4063-T-1d-bad-div",
    "8TRA-DE-1d-missing-div-adjust",
    "DODFX-1d-cg-double-count",
    "KEN-TA-1d-bad-div",
    "NVT-L-1d-bad-div",
    "PSH-L-1d-bad-div",
)
CONTROLS = ("CALM-1d-no-bad-divs", "EA-15m-no-bad-divs")

#: Facts: splits of Apple and the Nasdaq fund, days on which a low is far below everything that traded, the days on
#: which a ticker was given to another company, bars that are not on the grid, files with bars stamped by their end.
FACTS = {
    "stocks/us_daily/AAPL.parquet": {
        "jump": {"2000-06-21", "2005-02-28", "2014-06-09", "2020-08-31"},
        "wick": {"2009-09-21", "2010-08-31", "2011-01-03"},
    },
    "stocks/us_daily/QQQ.parquet": {
        "jump": {"2000-03-20", "2011-03-23"},
        "wick": {"2004-11-01"},
        "gap": {"2011-03-23"},
    },
    "stocks/us_daily/FB.parquet": {"gap": {"2012-05-18"}},
    "stocks/us_daily/GOOGL.parquet": {},
    "stocks/us_daily/SPY.parquet": {},
    "stocks/SPY_1m_2011-03_utc.parquet": {"end-label": {"2011-03-01"}},
    "futures/CME_6EH4_1m_2024-01.parquet": {"end-label": {"2024-01-01"}},
    "stocks/cn_daily_qfq/000338_5m_qfq.parquet": {"end-label": {"2007-04-30"}, "off-grid": {"2019-11-04"}},
    "stocks/cn_daily_qfq/000338_1d_qfq.parquet": {},
    "stocks/cn_daily_qfq/000338_1d_hfq.parquet": {},
    "stocks/cn_daily_qfq/000001_1d_qfq.parquet": {},
}
CHINESE = ("SH000001", "SH600000", "SH600004", "SZ000001", "SZ000002")
#: Rules that find the same thing by several sides.
FAMILY = {"split": "jump", "level-shift": "jump", "unit": "wick", "spike": "wick"}


def always_open():
    """Return the files of markets that never close."""
    files = [*FOLDER.glob("crypto/*.parquet"), *FOLDER.glob("crypto/*/*.parquet"), *FOLDER.glob("crypto/defects/*")]
    return sorted(
        str(path.relative_to(FOLDER)) for path in files if "trades" not in path.stem and "funding" not in path.stem
    )


def read(name):
    path = FOLDER / name
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    times = pd.to_datetime(frame.iloc[:, 0], utc=True).dt.as_unit("ns")
    return frame, times.astype("int64").to_numpy()


def day(ts):
    return str(np.datetime64(int(ts), "ns").astype("datetime64[D]"))


def known_of_crypto(name):
    """Return what pandas tells to be missing, doubled, off the grid or empty: (family, time)."""
    frame, ts = read(name)
    times = np.unique(ts)
    step = pd.Series(np.diff(times)).mode()[0]
    grid = times[times % step == 0]
    known = {("gap", int(at)) for at in grid[1:][np.diff(grid) > step]}
    known |= {("duplicate", int(at)) for at in ts[pd.Series(ts).duplicated()]}
    known |= {("off-grid", int(at)) for at in times[times % step != 0]}
    return known | {("missing-value", int(at)) for at in ts[frame.isna().any(axis=1)]}


def known_of_chinese(name):
    """Return the days whose reference price is over a fifth from the close before, by the corporate actions."""
    frame, ts = read(name)
    actions = pd.read_csv(FOLDER / "stocks/cn_daily_raw/corporate_actions.csv", dtype={"date": str})
    known = set()
    for one in actions[actions.symbol == Path(name).stem].itertuples():
        row = int(np.searchsorted(ts, pd.Timestamp(one.date).value))
        if 0 < row < len(ts):
            before = frame["close"].iloc[row - 1]
            shares = (one.countAsGift + one.countOfIncreasement + one.countForSell) / 1e5
            paid_in = one.countForSell / 1e5 * one.priceForSell / 1e3
            reference = (before - one.bonus / 1e4 + paid_in) / (1.0 + shares)
            if abs(np.log(reference / before)) > 0.2:
                known.add(("jump", day(ts[row])))
    return known


def measure(name, known, place):
    """Return how many bars a file has, what is known to be wrong, what of it is found, and false alarms."""
    report = check(FOLDER / name)
    told = {(FAMILY.get(one.rule, one.rule), place(one.ts)) for one in report.at_least(Severity.WARNING)}
    # Pauses of more than a month of a market that closes are what they are: trading was suspended.
    told = {one for one in told if one in known or one[0] != "gap" or "crypto" in name}
    return [f"{report.rows:,}", str(len(known)), str(len(told & known)), str(len(told - known))]


def price_rows():
    for name in PRICES:
        raw, fixed = (pd.read_csv(FOLDER / DEFECTS / f"{name}{end}.csv.gz")[COLUMNS] for end in ("", "-fixed"))
        done = repair(FOLDER / DEFECTS / f"{name}.csv.gz", POLICY)
        mended = np.empty((len(raw), 5))
        mended[done.raw.origin] = np.column_stack([done.raw.columns[column.lower()] for column in COLUMNS])
        wrong = ~np.isclose(raw, fixed, rtol=1e-4).all(axis=1)
        left = ~np.isclose(mended, fixed, rtol=1e-4).all(axis=1)
        twin = check(FOLDER / DEFECTS / f"{name}-fixed.csv.gz").at_least(Severity.WARNING)
        alarms = [one for one in twin if one.rule != "order"]
        yield [f"`{name}`", str(len(raw)), str(wrong.sum()), str((wrong & ~left).sum()), str(len(alarms))]


def dividend_rows():
    def step(frame):
        factor = frame["Adj Close"] / frame["Close"]
        return 1.0 - factor.shift() / factor

    for name in (*DIVIDENDS, *CONTROLS):
        raw = pd.read_csv(FOLDER / DEFECTS / f"{name}.csv.gz")
        twin = FOLDER / DEFECTS / f"{name}-fixed.csv.gz"
        fixed = pd.read_csv(twin) if twin.exists() else raw
        wrong = ~np.isclose(raw["Dividends"], fixed["Dividends"]) | ((step(raw) - step(fixed)).abs() > 1e-3)
        known = set(np.flatnonzero(wrong).tolist())
        found = {one.row for one in check(FOLDER / DEFECTS / f"{name}.csv.gz").of("adjustment")}
        again = check(twin).of("adjustment") if twin.exists() else ()
        yield [
            f"`{name}`",
            str(len(raw)),
            str(len(known)),
            str(len(found & known)),
            str(len(found - known) + len(again)),
        ]


def series_rows():
    for name in always_open():
        yield [f"`{name}`", *measure(name, known_of_crypto(name), int)]
    for name, facts in FACTS.items():
        known = {(family, date) for family, dates in facts.items() for date in dates}
        yield [f"`{name}`", *measure(name, known, day)]
    for symbol in CHINESE:
        name = f"stocks/cn_daily_raw/{symbol}.parquet"
        yield [f"`{name}`", *measure(name, known_of_chinese(name), day)]


TABLES = {"prices": price_rows, "dividends": dividend_rows, "series": series_rows}


def on_page(table):
    """Return the rows of a table of the page, without its head."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(f"<!-- {table} -->\n")
    rows = rest.split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def sums(rows):
    columns = list(zip(*rows, strict=True))[1:]
    return ["all", *(f"{sum(int(cell.replace(',', '')) for cell in column):,}" for column in columns)]


@pytest.mark.parametrize("table", TABLES)
def test_the_page_tells_what_is_found(table):
    measured = list(TABLES[table]())
    shown = on_page(table)
    assert shown[:-1] == measured
    assert shown[-1] == sums(measured)


def test_most_is_found_and_alarms_are_rarely_false():
    def total(rows, column):
        return sum(int(row[column].replace(",", "")) for row in rows)

    for rows, least in ((price_rows, 0.95), (dividend_rows, 1.0), (series_rows, 0.98)):
        measured = list(rows())
        assert total(measured, 3) >= least * total(measured, 2)
        assert total(measured, 4) <= 0.00002 * total(measured, 1)


@pytest.mark.parametrize(
    "name", ["crypto/defects/yahoo_BTC-USD_15m_raw.csv.gz", *(f"{DEFECTS}/{one}.csv.gz" for one in PRICES)]
)
def test_a_stream_comes_to_the_verdicts_of_a_causal_check_and_repair(name):
    raw = attrs.evolve(read_raw(FOLDER / name).rows(slice(0, 4_000)), extra={})  # a stream has no further columns
    if is_reversed(raw):
        raw = raw.rows(slice(None, None, -1))
    policy = {"order": "drop", "duplicate": "drop", "off-grid": "drop", "unit": "rescale", "gap": "fill"}
    for given in ({}, policy):
        stream = BarStream(raw.timeframe, given, always=True)
        out = []
        for row, ts in enumerate(raw.ts.tolist()):
            values = (float(raw.columns[name][row]) for name in raw.columns)
            # A stream numbers what comes in; a file that was turned round has other rows.
            out += stream.push(Bar(ts, *values))
        done = repair(raw, given, always=True, causal=True)
        assert [bar.ts for bar in out] == done.raw.ts.tolist()
        for column, values in done.raw.columns.items():
            assert np.array_equal([getattr(bar, column) for bar in out], values)
        if not given:
            expected = sorted((one.rule, one.ts, one.column) for one in check(raw, always=True, causal=True).defects)
            assert sorted((one.rule, one.ts, one.column) for one in stream.defects) == expected
            assert expected


if __name__ == "__main__":
    for title, rows in TABLES.items():
        print(f"<!-- {title} -->")
        made = list(rows())
        for row in [*made, sums(made)]:
            print("| " + " | ".join(row) + " |")
