"""What a backtest returns."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import attrs

from cambist.analysis import Analysis, Holdings, RunFacts, Summary, summarize
from cambist.backtest.shown import Shown
from cambist.errors import ResultError

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

    import pandas as pd

    from cambist.analysis import EquityCurve, Measure
    from cambist.backtest.history import RunHistory
    from cambist.backtest.series import AccountSeries
    from cambist.model import Account, Fill, Instrument, Order, Trade
    from cambist.model.portfolio import CashFlow, StockSplit

__all__ = ["Result", "StrategyRecord"]


@attrs.frozen(eq=False, slots=True)
class StrategyRecord:
    """A strategy as it ran.

    Attributes
    ----------
    name
        Within the run; orders and trades carry it.
    class_name
        Of its class.
    parameters
        Values it ran with.
    """

    name: str
    class_name: str
    parameters: Mapping[str, object]


@attrs.define(eq=False, slots=True, kw_only=True, repr=False)
class Result(Shown):
    """Everything a backtest found out.

    Frames and summary are made when first asked for, then kept.

    Attributes
    ----------
    settings
        How the run was set up, fit for JSON.
    strategies, instruments, timeframes
        What ran on what.
    run_id
        Unique to this run.
    currency
        Of the account.
    initial_cash
        Money at the start.
    started, ended
        Open of the first and close of the last bar, or first and last event, ns, UTC.
    n_bars, unit
        Bars of all instruments, or trades and quotes where `unit` is ``"events"``.
    wall_seconds
        How long it took.
    stopped
        Why it ended early; ``""`` when it saw every bar.
    curve, benchmark
        Equity of the run, and of buying and holding, where that was asked for.
    fund
        What the account's shares were worth, beginning at the initial cash, where money was brought in or taken out;
        else None.
    order_records, fill_records, trade_records
        What happened, in order of their ids; the trades include those still open.
    flow_records
        Money that moved without a fill, in the order in which it was booked.
    warnings
        What the user should know.
    account
        As it stood at the end.
    history
        What `series` are computed from; None for a result that was put together without.
    split_records
        Splits that took effect, in order.
    accounts
        The result of each account by name, in a run that has several: equity, cash, positions and measures of its own.
    assets
        How each asset of an account that holds several stood at the end, in the asset, by name; else empty.
    measured
        Measures that the run file named beside those of the core; they stand in `summary`, too.
    last_prices
        What each instrument was valued at at the end, by symbol; NaN for one that had no price.
    """

    settings: dict[str, object]
    strategies: tuple[StrategyRecord, ...]
    instruments: tuple[Instrument, ...]
    timeframes: tuple[str, ...]
    run_id: str
    currency: str
    initial_cash: float
    started: int
    ended: int
    n_bars: int
    wall_seconds: float
    stopped: str
    curve: EquityCurve
    benchmark: EquityCurve | None
    order_records: list[Order]
    fill_records: list[Fill]
    trade_records: list[Trade]
    warnings: tuple[str, ...]
    account: Account
    history: RunHistory | None = None
    unit: str = "bars"
    fund: EquityCurve | None = None
    flow_records: list[CashFlow] = attrs.field(factory=list)
    split_records: list[StockSplit] = attrs.field(factory=list)
    last_prices: Mapping[str, float] = attrs.field(factory=dict)
    assets: Mapping[str, Account] = attrs.field(factory=dict)
    accounts: Mapping[str, Result] = attrs.field(factory=dict)
    measured: tuple[Measure, ...] = ()

    @cached_property
    def orders(self) -> pd.DataFrame:
        """Every order, one row each, by ``id``.

        Columns: ``strategy, instrument, side, type, size, limit_price, stop_price, time_in_force, expires_at,
        reduce_only, status, filled, average_price, fees, created_at, updated_at, reason, tag, fee_asset``. Prices that
        do not exist are NaN, times NaT. Fees count in the last column's asset, in which the instrument settles. Orders
        of a hedged account have the column ``position_side`` after ``side``.
        """
        from cambist.backtest.frames import record_frame, with_sides
        from cambist.backtest.tables import ORDERS

        return with_sides(record_frame(ORDERS, self.order_records), self._sides.values(), after="side")

    @cached_property
    def fills(self) -> pd.DataFrame:
        """Every fill, one row each, by ``id``.

        Columns: ``order_id, ts, instrument, side, size, price, fee, liquidity, fee_asset, fee_paid``. `size` is
        positive, `fee` in the settlement asset; `fee_asset` is what was taken for it, and `fee_paid` how much. Fills of
        a hedged account have the column ``position_side`` after ``side``.
        """
        from cambist.backtest.frames import record_frame, with_sides
        from cambist.backtest.tables import FILLS

        sides = self._sides
        of_fills = [sides[fill.order_id] for fill in self.fill_records] if sides else ()
        return with_sides(record_frame(FILLS, self.fill_records), of_fills, after="side")

    @cached_property
    def _sides(self) -> dict[int, str]:
        """The position side of each order by id, ``""`` for none; empty where no order has one."""
        sides = {order.id: str(order.position_side or "") for order in self.order_records}
        return sides if any(sides.values()) else {}

    @cached_property
    def trades(self) -> pd.DataFrame:
        """Every closed trade, one row each, by ``id``.

        Columns: ``strategy, instrument, side`` (long or short)``, size`` (the largest held)``, entry_time, exit_time,
        entry_price, exit_price`` (averages)``, gross, fees, net`` (money)``, return`` (net over the value of all that
        was entered)``, bars, tag, reason`` (``"liquidation"`` where the venue closed it)``, fee_asset`` (in which the
        money counts).
        """
        from cambist.backtest.frames import record_frame
        from cambist.backtest.tables import TRADES

        return record_frame(TRADES, [trade for trade in self.trade_records if not trade.is_open])

    @cached_property
    def open_trades(self) -> pd.DataFrame:
        """The trades still open at the end, with the columns of `trades`.

        ``exit_time`` is NaT; ``gross`` counts what has been closed of them, ``fees`` what has been paid.
        """
        from cambist.backtest.frames import record_frame
        from cambist.backtest.tables import TRADES

        return record_frame(TRADES, [trade for trade in self.trade_records if trade.is_open])

    @cached_property
    def by_strategy(self) -> pd.DataFrame:
        """What each strategy's own fills come to, one row for each instrument that it traded, by ``strategy``.

        Columns: ``instrument, size`` (its share of the position)``, average_price, trades`` (closed round trips of its
        share)``, realized, unrealized, fees, net, asset`` (in which the money counts). Sizes add up to the account's
        position exactly, ``net`` to what it made of fills; what came without a fill is the account's alone. In a hedged
        account each side has a row, and the column ``position_side`` stands after ``instrument``.
        """
        from cambist.backtest.by_strategy import share_frame

        return share_frame(self)

    @cached_property
    def equity(self) -> pd.DataFrame:
        """Worth of the account at each close, by ``ts`` (UTC).

        Columns: ``equity`` (money) and ``drawdown`` (fraction below the highest equity of any bar so far, 0 or below).
        One row per bar; for a run over blocks of bars the last bar of each UTC day. In a run on trades or quotes one
        row per UTC minute in which anything happened, by its last event, and one per event with a fill. Where money was
        brought in or taken out there is a third column, ``nav``, the value of a share that began at 100, and drawdowns
        are its.
        """
        from cambist.backtest.frames import equity_frame

        return equity_frame(self.curve, self.fund)

    @cached_property
    def cash_flows(self) -> pd.DataFrame:
        """Money that moved without a fill, one row each, by ``ts`` (UTC) of when it was due.

        Columns: ``kind`` (see `CashFlow`)``, symbol, asset, amount`` (positive where the account got it)``, account``
        (its name, in a run that has several); in a hedged account also ``position_side``, after ``symbol``.
        """
        from cambist.backtest.frames import cash_flow_frame, with_sides

        sides = [flow.position_side for flow in self.flow_records]
        return with_sides(cash_flow_frame(self.flow_records), sides, after="symbol")

    @cached_property
    def series(self) -> AccountSeries:
        """What the account looked like at each close: ``result.series.cash``, ``.positions``, ``.leverage`` and more.

        Raises
        ------
        ResultError
            If the result was put together without a history, or is of several accounts.
        """
        from cambist.backtest.series import AccountSeries

        if self.accounts:
            name = next(iter(self.accounts))
            raise ResultError(
                f"positions differ by account: take the series of each, as result.accounts[{name!r}].series."
            )
        if self.history is None:
            raise ResultError("this result has no history: take one that a run has returned.")
        return AccountSeries(
            curve=self.curve,
            benchmark_curve=self.benchmark,
            instruments=self.instruments,
            fill_records=self.fill_records,
            trade_records=self.trade_records,
            history=self.history,
            strategies=tuple(strategy.name for strategy in self.strategies),
            order_records=self.order_records,
            split_records=self.split_records,
            held_as=self.held_as,
        )

    @cached_property
    def facts(self) -> RunFacts:
        """What the measures are computed from, for measures of your own."""
        from cambist.backtest.money import facts_of

        return facts_of(self)

    @cached_property
    def holdings(self) -> Holdings | None:
        """What was held when, and at which prices; None for a result that was put together without a history."""
        from cambist.backtest.money import holdings_of

        return holdings_of(self)

    @property
    def held_as(self) -> Mapping[str, str]:
        """By symbol, the instrument whose position its orders changed; empty unless the run compensated some."""
        said = self.settings.get("compensates")
        return said if isinstance(said, Mapping) else {}

    @property
    def account_names(self) -> dict[str, str]:
        """In which account each strategy traded, by its name; all in one named ``""`` unless the run had several."""
        found = {strategy.name: name for name, one in self.accounts.items() for strategy in one.strategies}
        return {strategy.name: found.get(strategy.name, "") for strategy in self.strategies}

    @cached_property
    def analysis(self) -> Analysis:
        """Everything beyond the table: returns by period, drawdowns, statistics of trades, positions, and more."""
        return Analysis(self.facts)

    @cached_property
    def summary(self) -> Summary:
        """Every measure, buying and holding beside it. ``print(result.summary)`` shows the table."""
        beside = RunFacts(self.benchmark) if self.benchmark is not None else None
        made = summarize(self.facts, beside, self.currency)
        return Summary([*made.measures, *self.measured], self.currency) if self.measured else made

    def save(self, folder: str | PathLike[str], format: str = "csv") -> Path:  # noqa: A002 - the field's word
        """Write the result to a folder, complete enough for `cambist.load_result`.

        ``cash_flows.csv`` is written where money moved without a fill.

        Parameters
        ----------
        folder
            Where to; made when missing. Files of an earlier result are replaced, others left alone.
        format
            Of the tables: ``"csv"``, ``"parquet"`` (needs pyarrow) or ``"json"``. The tables are ``orders``, ``fills``,
            ``trades``, ``open_trades``, ``equity``, ``benchmark``, and the steps of ``cash`` and ``positions`` with the
            ``closes`` that `series` are computed from. Everything else is in ``result.json``.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        ResultError
            If it cannot be written to. What was there before is then still there.
        ParameterError
            For an unknown format.
        MissingDependencyError
            For Parquet without pyarrow.
        """
        from cambist.backtest.export import save

        return save(self, folder, format)
