"""Ways to make the facts of a run."""

from __future__ import annotations

import numpy as np
import pytest

from cambist.analysis import EquityRecorder, RunFacts
from cambist.model import Instrument, Trade
from cambist.model.times import DAY_NS, to_ns

INSTRUMENT = Instrument(symbol="SPY")


@pytest.fixture(scope="session")
def make_trade():
    def make(net, *, fees=0.0, is_long=True, opened_at=DAY_NS, closed_at=3 * DAY_NS, is_open=False, number=1):
        return Trade(
            id=number,
            instrument=INSTRUMENT,
            is_long=is_long,
            size=1.0,
            entry_price=100.0,
            exit_price=float("nan") if is_open else 100.0 + net + fees,
            opened_at=opened_at,
            closed_at=0 if is_open else closed_at,
            opened_bar=1,
            closed_bar=-1 if is_open else 3,
            gross=net + fees,
            fees=fees,
            entered=1.0,
            exited=0.0 if is_open else 1.0,
            strategy="s",
            tag="",
        )

    return make


@pytest.fixture(scope="session")
def make_facts():
    """Make facts of a daily curve from 2024-01-01, a Monday: the first value is the initial point."""

    def make(equity, trades=(), *, exposed=None, **more):
        start = to_ns("2024-01-01")
        equity = np.asarray(equity, np.float64)
        recorder = EquityRecorder(equity[0], start)
        times = start + DAY_NS * np.arange(1, len(equity), dtype=np.int64)
        held = np.ones(len(times), bool) if exposed is None else np.asarray(exposed, bool)
        recorder.add(times, equity[1:], held)
        return RunFacts(recorder.finish(), trades, **more)

    return make
