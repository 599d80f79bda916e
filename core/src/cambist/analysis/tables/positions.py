"""What was held, what it was worth beside the account, and what was traded."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

from cambist.analysis.measures.leverage import leverage_of
from cambist.analysis.tables.labels import time_index
from cambist.errors import ResultError

if TYPE_CHECKING:
    import pandas as pd

    from cambist.analysis.facts import RunFacts
    from cambist.analysis.holdings import Holdings

__all__ = ["leverage", "position_sizes", "position_values", "transactions"]


def position_sizes(facts: RunFacts) -> pd.DataFrame:
    """Return the size held of each instrument at each close, negative when short, by ``ts`` (UTC).

    One row per bar, for a run over blocks of bars the last bar of each UTC day; one column for each instrument.

    Raises
    ------
    ResultError
        If nobody wrote down what was held.
    """
    import pandas as pd

    holdings, points = _holdings(facts), facts.curve.points()
    columns = {holding.label: holding.sizes_at(points.times[1:]) for holding in holdings.held}
    return pd.DataFrame(columns, index=time_index(points.times[1:]))


def position_values(facts: RunFacts, *, cash: bool = False) -> pd.DataFrame:
    """Return the signed value of what was held of each instrument at each close, by ``ts`` (UTC).

    Size times price times multiplier in the account's currency, for a margined instrument too, of which equity holds
    the profit alone. One row per bar, for a run over blocks of bars the last bar of each UTC day; one column for each
    instrument.

    Parameters
    ----------
    facts
        Of the run.
    cash
        Add the column ``cash``. With instruments that are paid in full alone, a row then adds up to equity.

    Raises
    ------
    ResultError
        If nobody wrote down what was held.
    """
    import pandas as pd

    holdings, times = _holdings(facts), facts.curve.points().times[1:]
    columns = {holding.label: holding.values_at(times) for holding in holdings.held}
    if cash:
        columns["cash"] = holdings.cash_at(times)
    return pd.DataFrame(columns, index=time_index(times))


def leverage(facts: RunFacts, *, net: bool = False) -> pd.Series[float]:
    """Return the value of everything held over equity at each close, by ``ts`` (UTC).

    Long and short add up, so that 1 long and 1 short of one's equity are 2. NaN where equity is zero or below. One row
    per bar; for a run over blocks of bars the last bar of each UTC day.

    Parameters
    ----------
    facts
        Of the run.
    net
        Take what is short from what is long instead.

    Raises
    ------
    ResultError
        If nobody wrote down what was held.
    """
    import pandas as pd

    _holdings(facts)
    name = "net_leverage" if net else "gross_leverage"
    return pd.Series(leverage_of(facts, net=net), index=time_index(facts.curve.points().times[1:]), name=name)


def transactions(facts: RunFacts) -> pd.DataFrame:
    """Return what was traded: the fills of one instrument, side and moment as one row, by ``ts`` (UTC).

    Columns: ``instrument, size`` (negative when sold)``, price`` (average)``, value`` (what it brought in: negative
    when bought)``, fees``, amounts in the account's currency. Times are those of the fills.
    """
    import pandas as pd

    fills, count = facts.fills, len(facts.fills)
    size = np.fromiter(map(attrgetter("size"), fills), np.float64, count)
    price = np.fromiter(map(attrgetter("price"), fills), np.float64, count)
    signed = size * np.fromiter(map(attrgetter("side.sign"), fills), np.float64, count)
    moved = (-fill.instrument.notional(one, fill.price) for fill, one in zip(fills, signed.tolist(), strict=True))
    each = pd.DataFrame(
        {
            "ts": np.fromiter(map(attrgetter("ts"), fills), np.int64, count),
            "instrument": pd.Series([fill.instrument.symbol for fill in fills], dtype="str"),
            "buys": signed > 0.0,
            "size": signed,
            "price": signed * price,
            "value": np.fromiter(moved, np.float64, count),
            "fees": np.fromiter(map(attrgetter("fee"), fills), np.float64, count),
        }
    )
    table = each.groupby(["ts", "instrument", "buys"], sort=False, as_index=False).sum()
    table["price"] /= table["size"]
    return table.drop(columns=["ts", "buys"]).set_index(time_index(table["ts"].to_numpy(np.int64)))


def _holdings(facts: RunFacts) -> Holdings:
    if facts.holdings is None:
        raise ResultError(
            "nobody wrote down what was held. Take the facts of a backtest's result, or give RunFacts its holdings."
        )
    return facts.holdings
