"""Series of a run, one row a bar: cash, positions, exposure, drawdown, returns, and marks for a chart."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.analysis.periods import day_numbers
from cambist.backtest.asset_frames import balance_frame, bought_and_held, rate_frame
from cambist.backtest.frames import utc_index
from cambist.backtest.history import curve_rows
from cambist.backtest.marks import fill_marks, trade_marks
from cambist.errors import ParameterError, ResultError, did_you_mean
from cambist.model import Side
from cambist.portfolio import worth

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    import pandas as pd
    from numpy.typing import NDArray

    from cambist.analysis import EquityCurve
    from cambist.backtest.history import RunHistory
    from cambist.model import Fill, Instrument, Order, Trade
    from cambist.model.portfolio import StockSplit

__all__ = ["AccountSeries"]


@attrs.frozen(eq=False, slots=True, kw_only=True, repr=False)
class AccountSeries:
    """What the account looked like at each close: computed when first asked for, from fills and closes.

    Each series has the rows of `cambist.Result.equity`, by ``ts`` (close times, UTC): one a bar (at each time at which
    a bar of any instrument closes), or the samples of a run on trades and quotes. **A run over blocks keeps one row a
    UTC day**, its last, and so have its series. Money is in the account's currency. What a strategy saw as
    ``self.cash`` and ``self.equity`` after the last `on_bar` of a time is the row of that time, to the last bit, unless
    it traded at that very close.

    Attributes
    ----------
    curve, benchmark_curve
        Equity of the run, and of buying and holding, where that was asked for.
    instruments
        In declared order: the columns of frames by instrument.
    fill_records, trade_records, order_records, split_records
        What happened.
    history
        What the run kept.
    strategies
        Names of those that traded in the account.
    held_as
        By symbol, the symbol of the instrument whose position its orders changed.
    """

    curve: EquityCurve
    benchmark_curve: EquityCurve | None
    instruments: Sequence[Instrument]
    fill_records: Sequence[Fill]
    trade_records: Sequence[Trade]
    history: RunHistory
    strategies: Sequence[str] = ()
    order_records: Sequence[Order] = ()
    split_records: Sequence[StockSplit] = ()
    held_as: Mapping[str, str] = attrs.field(factory=dict)

    @cached_property
    def index(self) -> pd.DatetimeIndex:
        """The rows: close times, UTC, named ``ts``."""
        return utc_index(self._times, "ts")

    @cached_property
    def equity(self) -> pd.Series[float]:
        """Worth of the account: `cash` plus the sum of `position_values`, instruments added in their order."""
        return self._series(self._equity, "equity")

    @cached_property
    def cash(self) -> pd.Series[float]:
        """Cash; what an instrument paid in full cost is taken off, posted margin is not."""
        return self._series(self.history.cash_at(self._times), "cash")

    @cached_property
    def balances(self) -> pd.DataFrame:
        """Cash by asset, one column each, in an account that holds several; else one column."""
        return balance_frame(self)

    @cached_property
    def rates(self) -> pd.DataFrame:
        """What a unit of each asset was worth in the account's currency; no column for a single asset."""
        return rate_frame(self)

    @cached_property
    def closes(self) -> pd.DataFrame:
        """Last close of each instrument, one column each; NaN before its first bar."""
        closes = self.history.closes
        return self._by_instrument(lambda one: closes[one.symbol].at(self._times))

    @cached_property
    def positions(self) -> pd.DataFrame:
        """Size held of each instrument, one column each: positive long, negative short, 0 flat.

        A hedged account has two columns for a margined one, ``"BTCUSDT long"`` and ``"BTCUSDT short"``, here and in
        what follows from it.
        """
        held = self.history.account.positions
        return self._by_leg(lambda key, _: held[key].sizes_at(self._times))

    @cached_property
    def position_values(self) -> pd.DataFrame:
        """What each position adds to equity, one column each.

        Its value for an instrument paid in full (negative when short), its open profit for a margined one.
        """
        return self._by_leg(partial(_worth, self.history, self._times))

    @cached_property
    def by_strategy(self) -> pd.DataFrame:
        """What each strategy has added to equity so far, one column each: the worth of its share less what it cost.

        Realized and open profit less fees of its own fills, see `cambist.Result.by_strategy`; together they are equity
        less the initial cash and less what came and went without a fill.
        """
        from cambist.backtest.by_strategy import contribution_frame

        return contribution_frame(self)

    @cached_property
    def exposures(self) -> pd.DataFrame:
        """Value of what is held of each instrument, margined or not, one column each; negative when short."""
        return self._by_leg(partial(_exposure, self.history, self._times))

    @cached_property
    def gross_exposure(self) -> pd.Series[float]:
        """Value of everything held, long and short ones added."""
        return self._sum(np.abs(self.exposures.to_numpy()), "gross_exposure")

    @cached_property
    def net_exposure(self) -> pd.Series[float]:
        """Value of everything held, short ones taken off."""
        return self._sum(self.exposures.to_numpy(), "net_exposure")

    @cached_property
    def leverage(self) -> pd.Series[float]:
        """`gross_exposure` over `equity`: 1 is all of it; NaN where there is no equity left."""
        equity = self._equity
        gross = self.gross_exposure.to_numpy()
        return self._series(np.divide(gross, equity, out=_nans(equity), where=equity > 0.0), "leverage")

    @cached_property
    def drawdown(self) -> pd.Series[float]:
        """Fraction below the highest equity of any bar so far, 0 or below, the start counted in.

        ``.cummin()`` is the deepest so far.
        """
        return self._series(self._equity / self._peaks - 1.0, "drawdown")

    @cached_property
    def drawdown_length(self) -> pd.Series[int]:
        """Rows since the highest equity so far, 0 at it; ``.cummax()`` is the longest so far.

        Of a run over blocks they are days; a peak inside a day counts as the end of the day before.
        """
        equity, peaks = self._equity, self._peaks
        rows = np.arange(len(equity))
        risen = peaks > np.concatenate(([self.curve.initial], peaks[:-1]))
        newest = np.where(equity == peaks, rows, np.where(risen, rows - 1, -1))
        return self._series(rows - np.maximum.accumulate(newest), "drawdown_length")

    @cached_property
    def returns(self) -> pd.Series[float]:
        """Simple return from row to row, the first one from the start; NaN from equity of zero or below."""
        return self._series(_returns(self._equity, self.curve.initial), "returns")

    @cached_property
    def log_returns(self) -> pd.Series[float]:
        """Natural logarithm of one plus `returns`; NaN where equity is zero or below."""
        grown = 1.0 + _returns(self._equity, self.curve.initial)
        return self._series(np.log(grown, out=_nans(grown), where=grown > 0.0), "log_returns")

    def returns_to_date(self, period: str) -> pd.Series[float]:
        """Return made so far in the calendar period of each row; its last row is the return of the period.

        Parameters
        ----------
        period
            ``"day"``, ``"week"`` (from Monday), ``"month"``, ``"quarter"`` or ``"year"``, UTC. A bar that closes at
            midnight belongs to the day that ends there.

        Raises
        ------
        ParameterError
            For another period.
        """
        if period not in _PERIODS:
            raise ParameterError(f"period is {period!r}.{did_you_mean(period, _PERIODS)}")
        equity = self._equity
        keys = _PERIODS[period](day_numbers(self._times))
        starts = np.flatnonzero(keys[1:] != keys[:-1]) + 1
        bases = np.concatenate(([self.curve.initial], equity[starts - 1]))
        lengths = np.diff(np.concatenate(([0], starts, [len(equity)])))
        return self._series(_over(equity, np.repeat(bases, lengths)), f"returns_to_date_{period}")

    @cached_property
    def benchmark(self) -> pd.Series[float]:
        """Equity of buying and holding, see `cambist.analysis.BuyAndHold`.

        Raises
        ------
        ResultError
            If the run was made with ``benchmark=False``.
        """
        return self._series(self._benchmark, "benchmark")

    @cached_property
    def benchmark_returns(self) -> pd.Series[float]:
        """`returns` of `benchmark`.

        Raises
        ------
        ResultError
            As `benchmark`.
        """
        return self._series(_returns(self._benchmark, self.curve.initial), "benchmark_returns")

    @cached_property
    def buys(self) -> pd.DataFrame:
        """Every fill that bought, at the close of the bar in which it was booked; a bar may have several.

        Columns: ``fill`` (its id)``, instrument, size, price``. The times are of bars also for a run over blocks.
        """
        return fill_marks(self, Side.BUY)

    @cached_property
    def sells(self) -> pd.DataFrame:
        """Every fill that sold, as `buys`; `size` is positive."""
        return fill_marks(self, Side.SELL)

    @cached_property
    def trades(self) -> pd.DataFrame:
        """Every closed trade at the close of the bar in which it ended; the sign of `net` says whether it won.

        Columns: ``trade`` (its id)``, instrument, gross, net``. The times are of bars also for a run over blocks.
        """
        return trade_marks(self.trade_records, self.history.account)

    def to_frame(self) -> pd.DataFrame:
        """Return the series in one frame, with columns ``position SYMBOL`` and ``value SYMBOL`` for each instrument.

        The other columns are ``equity, cash, drawdown, drawdown_length, gross_exposure, net_exposure, leverage,
        returns``, and ``benchmark`` where there is one. ``result.series.to_frame().to_csv(path)`` writes it.
        """
        import pandas as pd

        names = [
            "equity",
            "cash",
            "drawdown",
            "drawdown_length",
            "gross_exposure",
            "net_exposure",
            "leverage",
            "returns",
        ]
        columns = {name: getattr(self, name) for name in names}
        if self.benchmark_curve is not None:
            columns["benchmark"] = self.benchmark
        for key in self.positions:
            columns[f"position {key}"] = self.positions[key]
            columns[f"value {key}"] = self.position_values[key]
        return pd.DataFrame(columns, index=self.index)

    def __repr__(self) -> str:
        names = [name for name in dir(type(self)) if not name.startswith("_")]
        return f"<AccountSeries of {len(self._times):,} rows: {', '.join(names)}>"

    # The rows.

    @cached_property
    def _rows(self) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        return curve_rows(self.curve)

    @property
    def row_times(self) -> NDArray[np.int64]:
        """Close time of each row, int64 ns UTC, shape ``(n,)``."""
        return self._rows[0]

    @property
    def _times(self) -> NDArray[np.int64]:
        return self._rows[0]

    @property
    def _equity(self) -> NDArray[np.float64]:
        return self._rows[1]

    @property
    def _peaks(self) -> NDArray[np.float64]:
        return self._rows[2]

    @cached_property
    def _benchmark(self) -> NDArray[np.float64]:
        if self.benchmark_curve is None:
            raise ResultError("this run has no benchmark. Run it with benchmark=True, which is the default.")
        return bought_and_held(self.benchmark_curve, self.curve, self.instruments, self.history)

    def _series(self, values: Any, name: str) -> pd.Series[Any]:
        import pandas as pd

        return pd.Series(values, index=self.index, name=name)

    def _by_instrument(self, compute: Callable[[Instrument], NDArray[np.float64]]) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame({one.symbol: compute(one) for one in self.instruments}, index=self.index)

    def _by_leg(self, compute: Callable[[str, Instrument], NDArray[np.float64]]) -> pd.DataFrame:
        import pandas as pd

        legs = self.history.account.legs(self.instruments)
        return pd.DataFrame({key: compute(key, one) for key, one in legs}, index=self.index)

    def _sum(self, by_instrument: NDArray[np.float64], name: str) -> pd.Series[float]:
        """Add the columns one after the other: the order of additions must not depend on how arrays lie in memory."""
        total = np.zeros(len(by_instrument))
        for column in by_instrument.T:
            total += column
        return self._series(total, name)


def _worth(history: RunHistory, times: NDArray[np.int64], key: str, instrument: Instrument) -> NDArray[np.float64]:
    steps, closes = history.account.positions[key], history.closes[instrument.symbol]
    averages = None if instrument.is_cash else steps.average_prices_at(times)
    values = worth(instrument, steps.sizes_at(times), averages, closes.at(times))
    return history.in_currency(instrument.settle, values, times)


def _exposure(history: RunHistory, times: NDArray[np.int64], key: str, instrument: Instrument) -> NDArray[np.float64]:
    sizes, prices = history.account.positions[key].sizes_at(times), history.closes[instrument.symbol].at(times)
    units = sizes * instrument.multiplier
    values = np.where(sizes == 0.0, 0.0, units / prices if instrument.is_inverse else units * prices)
    return history.in_currency(instrument.settle, values, times)


def _months(days: NDArray[np.int64]) -> NDArray[np.int64]:
    return days.view("datetime64[D]").astype("datetime64[M]").view(np.int64)


#: What tells one period from the next, of day numbers since 1970-01-01, a Thursday; months since then.
_PERIODS: dict[str, Callable[[NDArray[np.int64]], NDArray[np.int64]]] = {
    "day": lambda days: days,
    "week": lambda days: (days + 3) // 7,
    "month": _months,
    "quarter": lambda days: _months(days) // 3,
    "year": lambda days: _months(days) // 12,
}


def _returns(equity: NDArray[np.float64], initial: float) -> NDArray[np.float64]:
    return _over(equity, np.concatenate(([initial], equity))[:-1])


def _over(equity: NDArray[np.float64], base: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the simple return from `base` to `equity`; NaN where there was nothing to make a return on."""
    return np.divide(equity, base, out=_nans(base), where=base > 0.0) - 1.0


def _nans(like: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.full(len(like), np.nan)
