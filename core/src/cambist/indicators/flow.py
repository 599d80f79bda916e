"""Order flow at the best prices, from quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.indicators.windowed import Arithmetic, Chained, Windowed, check_period, sum_of, windowed

if TYPE_CHECKING:
    from cambist.indicators.lines import Line

__all__ = ["flow_imbalance", "order_flow_imbalance"]


def _event(arithmetic: Arithmetic, bid: list[Any], bid_size: list[Any], ask: list[Any], ask_size: list[Any]) -> Any:
    """What a quote adds to demand, less what it adds to supply."""
    choose = arithmetic.where
    more = choose(bid[1] >= bid[0], bid_size[1], 0.0) - choose(bid[1] <= bid[0], bid_size[0], 0.0)
    less = choose(ask[1] <= ask[0], ask_size[1], 0.0) - choose(ask[1] >= ask[0], ask_size[0], 0.0)
    return more - less


def _added(arithmetic: Arithmetic, events: list[Any]) -> Any:
    del arithmetic
    return sum_of(events)


def flow_imbalance(period: int = 1) -> Chained:
    """Order-flow imbalance over the last quotes, as a computation.

    sum over n quotes of [Pb >= Pb'] * qb - [Pb <= Pb'] * qb' - [Pa <= Pa'] * qa + [Pa >= Pa'] * qa' of best bid Pb,
    best ask Pa and their sizes. Rama Cont, Arseniy Kukanov and Sasha Stoikov, The Price Impact of Order Book Events,
    Journal of Financial Econometrics 12:1 (2014).

    Parameters
    ----------
    period
        Changes from quote to quote.

    Returns
    -------
    Chained
        A `cambist.indicators.Computation` of bid, bid_size, ask and ask_size: ``batch`` takes the columns of quotes,
        ``open`` gives a stream whose ``update`` takes one quote. In units of size: above 0 demand grew more than
        supply. Lookback: `period` quotes.
    """
    period = check_period("flow_imbalance", period)
    name = f"flow_imbalance({period})"
    return Chained(Windowed(name, _event, 2, 4), Windowed(name, _added, period), name)


def order_flow_imbalance(bid: Line, bid_size: Line, ask: Line, ask_size: Line, period: int = 1) -> Line:
    """Order-flow imbalance of lines of quotes.

    As `flow_imbalance`, for quotes that are lines of one series.

    Parameters
    ----------
    bid, bid_size, ask, ask_size
        Lines of best prices and their sizes.
    period
        Changes from row to row.

    Returns
    -------
    Line
        In units of size. Lookback: `period`.
    """
    return windowed(flow_imbalance(period), bid, bid_size, ask, ask_size)
