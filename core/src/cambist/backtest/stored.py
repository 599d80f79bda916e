"""A run that a storage keeps, as a result again: a backtest, or what paper and live runs have told so far."""

from __future__ import annotations

from collections import Counter
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.analysis.curve import EquityRecorder
from cambist.backtest.history import Closes, RunHistory
from cambist.backtest.played import PlayedSeries
from cambist.backtest.result import Result, StrategyRecord
from cambist.backtest.signals import signal_table
from cambist.backtest.snapshot_tables import SnapshotTables
from cambist.backtest.stored_fills import FilledPosition, filled_positions
from cambist.engine.valued import AccountSnapshot, HeldAt
from cambist.errors import ResultError
from cambist.model import Account, Fill, Instrument, Order, Trade
from cambist.model.orders import Instructions, Liquidity, OrderStatus, OrderType, Side, TimeInForce
from cambist.model.portfolio import CashFlow
from cambist.model.signals import Signal
from cambist.portfolio import AccountHistory
from cambist.ports.rows import (
    AccountRow,
    CashFlowRow,
    DailyRow,
    EventRow,
    FillRow,
    OrderRow,
    PositionRow,
    PositionSnapshotRow,
    SignalRow,
    TradeRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from numpy.typing import NDArray

    from cambist.analysis import EquityCurve
    from cambist.model import Bars
    from cambist.ports.storage import RunRecord, RunStore

__all__ = ["result_of_run"]

#: Modes in which executions are numbered through; elsewhere they have the numbers of a venue, an instrument each.
_NUMBERED = frozenset({"backtest", "replay"})
_CREATED = (OrderStatus.CREATED, OrderStatus.REJECTED)


def result_of_run(store: RunStore, run_id: str, bars: Iterable[Bars] = (), notes: Iterable[str] = ()) -> Result:
    """Return a run that a storage keeps; a page of it can be written as of any result.

    A storage keeps what an account was worth at its snapshots, not at each bar. So the curve has a point for each
    snapshot, and what lies between two of them is in no measure; `warnings` says so. Of a run with several accounts it
    is that of all together. Prices are those that snapshots and executions were at, unless the bars are given. A run
    that goes on is shown as far as it got.

    Parameters
    ----------
    store
        Of a storage: ``storage.runs``.
    run_id
        Which run; `store.runs` lists them.
    bars
        Series of its instruments, for charts.
    notes
        Further warnings.

    Raises
    ------
    ResultError
        The store has no such run, or nothing yet that a result is made of.
    StorageError
        It cannot be read.

    Examples
    --------
    >>> import cambist
    >>> from cambist.backtest.rows import store_result
    >>> from cambist.storage.memory import MemoryRunStore
    >>> from cambist.strategies.examples.sma_cross import SmaCross
    >>> result, store = cambist.backtest(SmaCross(fast=5), bars), MemoryRunStore()
    >>> store_result(result, store)
    >>> result_of_run(store, result.run_id).trades["net"].equals(result.trades["net"])
    True
    """
    return _StoredRun(store, store.get(run_id)).result(bars, notes)


class _StoredRun:
    """The rows of a run, and what is made of them."""

    def __init__(self, store: RunStore, record: RunRecord) -> None:
        self._store, self._record = store, record
        self._instruments = {one["symbol"]: Instrument(**one) for one in record.instruments}
        self._snapshots = sorted(self._snapshots_in_store(), key=lambda one: one.ts)
        self._whole = [one for one in self._snapshots if not one.account and not one.asset]
        if not self._whole and len(names := {one.account for one in self._snapshots if not one.asset}) == 1:
            self._whole = [one for one in self._snapshots if one.account in names and not one.asset]
        if not self._whole:
            raise ResultError(
                f"the run {record.id!r} has no snapshot of its account yet, of which a result is made. "
                "Wait for the first: every UTC day, and the end of the run, has one."
            )
        self._orders = [self._order(row) for row in sorted(self._rows(OrderRow), key=lambda row: row.id)]
        self._fills = self._fills_in_store()
        self._round_trips = sorted(self._rows(TradeRow), key=lambda row: row.id)
        self._flows = [self._flow(row) for row in self._rows(CashFlowRow)]
        self._positions = filled_positions(self._fills, self._rows(PositionRow))
        if any(one.held for one in self._whole):  # else nobody noted what was held
            for symbol, position in self._positions.items():
                position.agree({one.ts: sum(at.size for at in one.held if at.symbol == symbol) for one in self._whole})

    def result(self, bars: Iterable[Bars], notes: Iterable[str]) -> Result:
        """Put the result together."""
        record, curve = self._record, self._curve()
        history = self._history(tuple(bars))
        trades = self._trades(history)
        return Result(
            settings=dict(record.settings) | {"mode": record.mode},
            strategies=tuple(StrategyRecord(one["name"], one["class"], one["parameters"]) for one in record.strategies),
            instruments=tuple(self._instruments.values()),
            timeframes=tuple(dict.fromkeys(str(one.bars.timeframe) for one in history.played)),
            run_id=record.id,
            currency=record.currency,
            initial_cash=curve.initial,
            started=record.started_at,
            ended=record.ended_at or self._whole[-1].ts,
            n_bars=curve.n_bars,
            unit="snapshots",
            wall_seconds=0.0,
            stopped=record.stopped,
            curve=curve,
            benchmark=None,
            fund=self._fund(curve),
            order_records=self._orders,
            fill_records=self._fills,
            trade_records=trades,
            flow_records=self._flows,
            warnings=(*self._warnings(), *notes),
            account=self._account(trades),
            history=history,
            last_prices={
                symbol: float(one.prices[-1]) if len(one.prices) else nan for symbol, one in history.closes.items()
            },
            snapshot_records=SnapshotTables.of(self._snapshots),
            signal_records=signal_table([_signal(row) for row in self._rows(SignalRow)]),
        )

    def _rows(self, kind: type[Any]) -> list[Any]:
        return list(self._store.rows(self._record.id, kind))

    # Records.

    def _order(self, row: OrderRow) -> Order:
        status = OrderStatus(row.status)
        plain = not (row.oco or row.parent or row.info)
        return Order(
            id=row.id,
            instrument=self._instruments[row.symbol],
            side=Side(row.side),
            type=OrderType(row.type),
            size=float(row.size),
            limit_price=_number(row.limit_price),
            stop_price=_number(row.stop_price),
            time_in_force=TimeInForce(row.time_in_force),
            expires_at=row.expires_at or 0,
            reduce_only=row.reduce_only,
            strategy=row.strategy,
            tag=row.tag,
            created_at=row.created_at,
            updated_at=row.updated_at,
            status=status,
            reason=row.reason,
            filled=float(row.filled),
            average_price=_number(row.average_price),
            fees=float(row.fees),
            accepted=bool(row.filled) or status not in _CREATED,
            instructions=None if plain else Instructions(oco=row.oco, parent=row.parent, info=row.info),
        )

    def _fills_in_store(self) -> list[Fill]:
        """Return the executions in the order in which they were booked.

        What a fee in another asset was worth is known of an order as a whole: its fills share it by size.
        """
        rows = self._rows(FillRow)
        numbered = self._record.mode in _NUMBERED
        rows.sort(key=lambda row: int(row.id) if numbered else (row.ts, row.order_id))
        orders, found = {order.id: order for order in self._orders}, []
        for place, row in enumerate(rows, 1):
            instrument, order = self._instruments[row.symbol], orders[row.order_id]
            elsewhere = row.fee_asset != instrument.settle
            fee = order.fees * float(row.size) / order.filled if elsewhere and order.filled else float(row.fee)
            size, price = float(row.size), float(row.price)
            number = int(row.id) if numbered else place
            kind = Liquidity(row.liquidity)
            fill = Fill(number, row.order_id, instrument, Side(row.side), size, price, fee, kind, row.ts)
            if elsewhere:
                fill.pay_fee_in(row.fee_asset, float(row.fee))
            found.append(fill)
        return found

    def _flow(self, row: CashFlowRow) -> CashFlow:
        return CashFlow(row.ts, row.kind, row.symbol, row.asset, float(row.amount), row.reason, account=row.account)

    def _trades(self, history: RunHistory) -> list[Trade]:
        """Return the round trips; `entered` is what their fills bought into, as far as these tell."""
        instants, positions = history.account.times, self._positions
        entered = {symbol: iter(one.entered) for symbol, one in positions.items()}
        known = Counter(row.symbol for row in self._round_trips)
        found = []
        for row in self._round_trips:
            size, told = float(row.size), 0.0
            if row.symbol in positions and known[row.symbol] == len(positions[row.symbol].entered):
                told = next(entered[row.symbol])
            is_open, bought = row.closed_at is None, max(told, size)
            found.append(
                Trade(
                    id=row.id,
                    instrument=self._instruments[row.symbol],
                    is_long=row.side == "long",
                    size=size,
                    entry_price=float(row.entry_price),
                    exit_price=_number(row.exit_price),
                    opened_at=row.opened_at,
                    closed_at=row.closed_at or 0,
                    opened_bar=int(np.searchsorted(instants, row.opened_at)),
                    closed_bar=-1 if row.closed_at is None else int(np.searchsorted(instants, row.closed_at)),
                    gross=float(row.gross),
                    fees=float(row.fees),
                    entered=bought,
                    exited=0.0 if is_open else bought,
                    strategy=row.strategy,
                    tag=row.tag,
                    reason=row.reason,
                )
            )
        return found

    # The account.

    def _snapshots_in_store(self) -> list[AccountSnapshot]:
        held: dict[tuple[str, int], list[HeldAt]] = {}
        for row in self._rows(PositionSnapshotRow):
            prices = (_number(one) for one in (row.average_price, row.price, row.unrealized))
            held.setdefault((row.account, row.ts), []).append(HeldAt(row.symbol, row.side, float(row.size), *prices))
        found = []
        for row in self._rows(AccountRow):
            equity, cash, margin, free = (_number(one) for one in (row.equity, row.cash, row.margin, row.free))
            fall = nan if row.drawdown is None else row.drawdown
            positions = () if row.asset else tuple(held.get((row.account, row.ts), ()))
            named = (row.ts, row.account, row.asset, row.currency)
            found.append(AccountSnapshot(*named, equity, cash, margin, free, fall, positions))
        return found

    def _curve(self) -> EquityCurve:
        start = self._record.started_at
        points = {one.ts: one for one in self._whole if one.ts >= start}  # the last of those of one time
        recorder = EquityRecorder(float(self._record.initial_cash) or self._whole[0].equity, start, keep_all=True)
        exposed = [
            bool(one.held) or any(held.holds(ts) for held in self._positions.values()) for ts, one in points.items()
        ]
        equity = np.array([one.equity for one in points.values()], np.float64)
        recorder.add(np.array(list(points), np.int64), equity, np.array(exposed, np.bool_))
        return recorder.finish(self._per_year)

    @property
    def _per_year(self) -> float | None:
        given = self._record.settings.get("periods_per_year")
        return float(given) if isinstance(given, int | float) else None

    def _fund(self, curve: EquityCurve) -> EquityCurve | None:
        """Return what shares were worth at each snapshot, where money was brought in or taken out.

        At the ends of days it is what the storage says; between them money counts as if it had come just before the
        snapshot that shows it.
        """
        moved = [flow for flow in self._flows if flow.kind in {"deposit", "withdrawal"}]
        if not moved or curve.all_times is None or curve.all_equity is None:
            return None
        days = sorted((row for row in self._rows(DailyRow) if not row.account), key=lambda row: row.ts)
        told = dict(
            zip([row.ts for row in days], np.cumprod([1.0 + (row.daily_return or 0.0) for row in days]), strict=True)
        )
        moved.sort(key=lambda flow: flow.ts)
        sums = np.concatenate(([0.0], np.cumsum([flow.amount for flow in moved])))
        points = np.concatenate(([curve.start], curve.all_times))
        came = np.diff(sums[np.searchsorted([flow.ts for flow in moved], points, side="right")])
        worth, values, before = curve.initial, [], curve.initial
        for ts, equity, new in zip(*(one.tolist() for one in (curve.all_times, curve.all_equity, came)), strict=True):
            worth = curve.initial * told[ts] if ts in told else worth * (equity - new) / before
            values.append(worth)
            before = equity
        recorder = EquityRecorder(curve.initial, curve.start, keep_all=True)
        recorder.add(curve.all_times, np.array(values, np.float64), np.ones(len(values), np.bool_))
        return recorder.finish(self._per_year)

    def _account(self, trades: Sequence[Trade]) -> Account:
        last = self._whole[-1]
        moved = {kind: sum(flow.amount for flow in self._flows if flow.kind == kind) for kind in _MOVES}
        return Account(
            currency=last.currency,
            cash=last.cash,
            equity=last.equity,
            margin=last.margin,
            fees=sum(order.fees for order in self._orders),
            realized=sum(trade.gross for trade in trades),
            unrealized=sum(one.unrealized for one in last.held),
            flows=moved["deposit"] + moved["withdrawal"],
            carry=moved["funding"] + moved["interest"] + moved["dividend"] + moved["insurance"],
        )

    def _history(self, bars: Sequence[Bars]) -> RunHistory:
        """Return cash as of each snapshot, a step for each execution, and the prices that the rows tell."""
        cash = {one.ts: one.cash for one in self._whole}
        ends = (row.closed_at for row in self._round_trips if row.closed_at is not None)
        booked = (ts for one in self._positions.values() for ts in one.times)
        instants = sorted({*cash, *booked, *ends})
        steps, now = [], float(self._record.initial_cash)
        for ts in instants:
            now = cash.get(ts, now)
            steps.append(now)
        nothing = FilledPosition()
        account = AccountHistory(
            float(self._record.initial_cash),
            np.arange(len(instants), dtype=np.int64),
            np.array(instants, np.int64),
            np.array(steps, np.float64),
            {symbol: self._positions.get(symbol, nothing).steps(one) for symbol, one in self._instruments.items()},
        )
        played = tuple(PlayedSeries(one) for one in bars)
        closes = self._prices() | {
            one.bars.instrument.symbol: Closes(one.bars.close_times, one.bars.close) for one in played
        }
        return RunHistory(account, closes, {}, played=played)

    def _prices(self) -> dict[str, Closes]:
        """Return at which prices each instrument was known to stand: of a time that has several, the snapshot's."""
        known: dict[str, dict[int, float]] = {symbol: {} for symbol in self._instruments}
        for fill in self._fills:
            known[fill.instrument.symbol][fill.ts] = fill.price
        for snapshot in self._snapshots:
            for one in snapshot.held:
                if one.price == one.price:
                    known[one.symbol][snapshot.ts] = one.price
        found = {}
        for symbol, prices in known.items():
            times: NDArray[np.int64] = np.array(sorted(prices), np.int64)
            found[symbol] = Closes(times, np.array([prices[ts] for ts in times.tolist()], np.float64))
        return found

    def _warnings(self) -> Iterable[str]:
        yield (
            f"made of {len(self._whole):,} snapshots of the account: what lies between two of them is in no measure."
        )
        if self._record.ended_at is None:
            yield "the run goes on, or its end was never told."
        for symbol in sorted(symbol for symbol, one in self._positions.items() if not one.is_followed):
            yield f"{symbol}: its position is not what executions alone come to; its series and marks show those."
        if len({one.settle for one in self._instruments.values()}) > 1:
            yield "instruments settle in several assets: the money of trades and fees counts in the asset of each."
        for row in self._rows(EventRow):
            if row.kind == "warning":
                yield row.message


_MOVES = ("deposit", "withdrawal", "funding", "interest", "dividend", "insurance")


def _signal(row: SignalRow) -> Signal:
    return Signal(row.ts, row.strategy, row.name, row.symbol, row.text if row.value is None else row.value)


def _number(value: Decimal | None) -> float:
    return nan if value is None else float(value)
