"""What dearer and later trading takes: the strategy run again, so that it decides anew by what it then has."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs

import cambist
from cambist import BacktestSettings
from cambist.analysis import MEASURES
from cambist.api import ParameterError
from cambist.simulation import NoFee, NoSlippage, OrderFeeModel
from cambist_optimize.evaluation import failure
from cambist_optimize.objectives import measured

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from cambist import Bars, Instrument, Strategy
    from cambist.model import Liquidity
    from cambist.simulation import FeeModel, SlippageModel

__all__ = ["DELAYS", "FACTORS", "SHOWN", "rerun"]

FACTORS = (0.0, 1.5, 2.0, 3.0)
DELAYS = (1, 2, 5)
#: Measures of each run.
SHOWN = ("net_profit", "total_return", "sharpe", "max_drawdown", "trades", "fees_paid")


@attrs.frozen
class _ScaledFees:
    """So many times the fees of another model."""

    model: FeeModel
    factor: float

    def fee(self, instrument: Instrument, size: float, price: float, liquidity: Liquidity) -> float:
        return self.factor * self.model.fee(instrument, size, price, liquidity)


@attrs.frozen
class _ScaledSlippage:
    """So many times as far from the price as another model."""

    model: SlippageModel
    factor: float

    def slip(self, instrument: Instrument, price: float, size: float, is_buy: bool) -> float:
        moved = price + self.factor * (self.model.slip(instrument, price, size, is_buy) - price)
        if instrument.price_grid is not None:
            on_grid = instrument.price_grid.above(moved) if is_buy else instrument.price_grid.below(moved)
            return on_grid if on_grid > 0.0 else price
        return moved if moved > 0.0 else price


def rerun(
    strategy: Strategy,
    bars: Sequence[Bars],
    options: Mapping[str, Any],
    *,
    fees: Sequence[float] = FACTORS,
    slippage: Sequence[float] = FACTORS,
    delays: Sequence[int] = DELAYS,
    measures: Sequence[str] = SHOWN,
) -> pd.DataFrame:
    """Run a strategy again with dearer and with later fills, in the event engine.

    Parameters
    ----------
    strategy, bars, options
        As `cambist.backtest` takes them.
    fees, slippage
        How many times those of `options`. Where there are none nothing is run again.
    delays
        By how many bars, of the shortest timeframe, orders, cancels and changes arrive later.
    measures
        Columns of the table.

    Returns
    -------
    DataFrame
        The run as it was first. Columns: ``change`` (in words), ``fees``, ``slippage`` (factors), ``delay`` (bars), one
        for each measure, and ``error``.

    Raises
    ------
    ParameterError
        For a negative factor or delay, an unknown measure, or fees, slippage or a latency that cannot be scaled.
    """
    import pandas as pd

    for name in measures:
        if name not in MEASURES:
            raise ParameterError(f"there is no measure {name!r}; take some of {', '.join(SHOWN)}.")
    if min([*fees, *slippage, *delays], default=0) < 0:
        raise ParameterError(
            f"fees {list(fees)}, slippage {list(slippage)}, delays {list(delays)}: none may be negative."
        )
    rows = []
    for change, changed in _changes(bars, options, fees, slippage, delays):
        found: dict[str, float] = {}
        error = ""
        try:
            result = cambist.backtest(strategy, list(bars), **{**options, **changed["options"]})
            found = measured(result.facts, measures, ())
        except Exception as raised:  # noqa: BLE001 - one run that failed is a row, as in a sweep
            error = failure(raised)
        told = {name: changed[name] for name in ("fees", "slippage", "delay")}
        rows.append(
            {"change": change, **told, **{name: found.get(name, float("nan")) for name in measures}, "error": error}
        )
    return pd.DataFrame(rows)


def _changes(
    bars: Sequence[Bars],
    options: Mapping[str, Any],
    fees: Sequence[float],
    slippage: Sequence[float],
    delays: Sequence[int],
) -> Iterator[tuple[str, dict[str, Any]]]:
    as_it_was: dict[str, Any] = {"fees": 1.0, "slippage": 1.0, "delay": 0, "options": {}}
    yield "as it was", as_it_was
    rules = BacktestSettings.of(**options).venue_rules()
    if not isinstance(rules.fees, NoFee):
        _plain("fees", rules.fees, not isinstance(rules.fees, OrderFeeModel))
        for factor in fees:
            if factor != 1.0:
                yield (
                    f"fees x {factor:g}",
                    {
                        **as_it_was,
                        "fees": factor,
                        "options": {"fees": _ScaledFees(rules.fees, factor)},
                    },
                )
    if not isinstance(rules.slippage, NoSlippage):
        _plain("slippage", rules.slippage, hasattr(rules.slippage, "slip"))
        for factor in slippage:
            if factor != 1.0:
                scaled = _ScaledSlippage(rules.slippage, factor)  # type: ignore[arg-type]  # `_plain` says so
                yield f"slippage x {factor:g}", {**as_it_was, "slippage": factor, "options": {"slippage": scaled}}
    before = options.get("latency")
    if any(delays) and before is not None and not isinstance(before, int | timedelta):
        raise ParameterError(f"latency is {before!r}: only integer nanoseconds or a timedelta can be made longer.")
    base = before // timedelta(microseconds=1) * 1_000 if isinstance(before, timedelta) else before or 0
    step = min(one.timeframe.ns for one in bars)
    for delay in delays:
        if delay:
            late = {"latency": base + delay * step}
            yield f"{delay} bar{'' if delay == 1 else 's'} later", {**as_it_was, "delay": delay, "options": late}


def _plain(name: str, model: object, can_be: bool) -> None:
    if not can_be:
        raise ParameterError(
            f"{name}: {type(model).__name__} cannot be scaled from outside. Leave it out, {name}=(), and run with a "
            "dearer model of your own."
        )
