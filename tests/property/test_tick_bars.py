"""Bars made of trades and quotes, against ``pandas.DataFrame.resample``, and however the data is cut."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist import Instrument, Quotes, Ticks, tick_bars
from cambist.model.times import to_ns

ACME = Instrument(symbol="ACME")
#: Ours, pandas', and where pandas is told to begin.
FRAMES = [("1s", "1s"), ("7s", "7s"), ("1m", "1min"), ("4h", "4h"), ("1d", "1D"), ("1w", "W-MON")]
#: 7 s divide no day: pandas counts from the first midnight unless told the epoch, as we count.
ROWS = st.lists(
    st.tuples(st.integers(0, 10**12), st.integers(1, 10**6), st.integers(0, 10**6)), min_size=1, max_size=60
)


class Cut:
    """Rows in blocks that end where it is said, whatever is asked for."""

    def __init__(self, history, cuts):
        self.history, self.kind, self.name = history, history.kind, history.name
        self.edges = sorted({0, len(history), *(cut % len(history) for cut in cuts)})

    def blocks(self, size=65_536):
        for start, stop in zip(self.edges, self.edges[1:], strict=False):
            yield self.history[start:stop]


def made(rows, start):
    gaps, price, size = map(np.array, zip(*rows, strict=True))
    return to_ns(start) + np.cumsum(gaps), price / 100.0, size / 1000.0


@given(ROWS, st.sampled_from(FRAMES), st.sampled_from(["2024-02-28 23:59:58.5", "1969-12-31 23:00"]))
def test_they_are_what_pandas_makes(rows, frame, start):
    ts, price, size = made(rows, start)
    ours, theirs = frame
    bars = tick_bars(Ticks(ACME, ts, price, size), ours).load()
    table = pd.DataFrame({"price": price, "size": size}, index=pd.DatetimeIndex(ts.view("datetime64[ns]")))
    weekly = {"closed": "left", "label": "left"} if theirs == "W-MON" else {"origin": "epoch"}
    grouped = table.resample(theirs, **weekly)
    wanted = grouped["price"].ohlc().assign(volume=grouped["size"].sum()).dropna()
    assert bars.ts.tolist() == wanted.index.as_unit("ns").asi8.tolist()
    for name in ("open", "high", "low", "close"):
        assert getattr(bars, name).tolist() == wanted[name].tolist()
    assert bars.volume == pytest.approx(wanted["volume"].to_numpy(), rel=1e-12, abs=1e-12)


@given(ROWS, st.lists(st.integers(0, 60), max_size=12), st.integers(1, 5), st.booleans())
def test_how_the_data_is_cut_makes_no_difference(rows, cuts, size, quoted):
    ts, price, sizes = made(rows, "2024-02-28 23:59:58.5")
    history = Quotes(ACME, ts, price, price + 0.01) if quoted else Ticks(ACME, ts, price, sizes)
    whole = tick_bars(history, "1m").load()
    pieces = list(tick_bars(Cut(history, cuts), "1m").blocks(size))
    assert all(len(piece) <= size for piece in pieces)
    assert np.concatenate([piece.ts for piece in pieces]).tolist() == whole.ts.tolist()
    for name in whole.columns:
        assert np.concatenate([getattr(piece, name) for piece in pieces]).tolist() == getattr(whole, name).tolist()


@given(ROWS)
def test_bars_of_quotes_are_of_their_middle(rows):
    ts, bid, spread = made(rows, "2024-02-28")
    quotes = tick_bars(Quotes(ACME, ts, bid, bid + spread), "1m").load()
    trades = tick_bars(Ticks(ACME, ts, (bid + (bid + spread)) / 2.0, np.zeros(len(ts))), "1m").load()
    assert quotes.ts.tolist() == trades.ts.tolist()
    assert all(getattr(quotes, name).tolist() == column.tolist() for name, column in trades.columns.items())
