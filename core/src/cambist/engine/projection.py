"""The records of a journal as rows of a database: what a storage shows of a run is made of its journal alone."""

from __future__ import annotations

from decimal import Decimal  # noqa: TC003 - msgspec reads the types of what is saved
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import msgspec

from cambist.engine.codec import CODEC
from cambist.engine.conversions import decimal_of
from cambist.engine.daily import DailyLog
from cambist.engine.document import decode_run, encode_run
from cambist.engine.fold import RunState
from cambist.engine.notices import NOTICES, venue_closing
from cambist.engine.rows import account_rows, order_row, trade_row
from cambist.engine.valued import record_rows
from cambist.model.legs import leg_key
from cambist.model.times import DAY_NS
from cambist.portfolio.exact import exact
from cambist.ports.rows import (
    CashFlowRow,
    FillRow,
    OrderEventRow,
    PositionRow,
    SignalRow,
    StateRow,
)
from cambist.ports.storage import RunRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cambist.engine.codec import Codec
    from cambist.engine.records import FillEntry
    from cambist.model import Order, Trade
    from cambist.model.portfolio import CashFlow
    from cambist.ports.journal import JournalEntry
    from cambist.ports.rows import Row

__all__ = ["Projection"]

#: Records of an order by the name of the event that they stand for.
_ORDER_EVENTS = {
    "order_submitted": "OrderSubmitted",
    "order_refused": "OrderRefused",
    "order_adopted": "OrderAdopted",
    "order_accepted": "OrderAccepted",
    "order_rejected": "OrderRejected",
    "order_triggered": "OrderTriggered",
    "order_filled": "OrderFilled",
    "order_canceled": "OrderCanceled",
    "order_expired": "OrderExpired",
    "order_amended": "OrderAmended",
    "stop_trailed": "StopTrailed",
    "order_resent": "OrderResent",
    "orders_entrusted": "OrdersEntrusted",
    "cancel_requested": "CancelRequested",
    "cancel_rejected": "CancelRejected",
    "amend_requested": "AmendRequested",
    "amend_refused": "AmendRefused",
    "amend_rejected": "AmendRejected",
    "outcome_unknown": "OutcomeUnknown",
    "order_not_found": "OrderNotFound",
}
_MONEY = frozenset({"cash_moved", "dividend_paid", "shares_split"})


class _Saved(msgspec.Struct):
    run_id: str
    started_at: int
    stored_at: int
    ended_at: int | None
    state: bytes
    valued: bool = False
    days: Any = ()
    decided: dict[int, Decimal] = {}


class Projection:
    """Makes rows of records, in their order.

    The same records always make the same rows, so whatever was cut off can be made again.

    Parameters
    ----------
    mode
        Of the run; see `RunRecord`.
    stored_at
        When the run was first told to its store, by the wall clock, ns, UTC.
    codec
        The types of records.

    Attributes
    ----------
    state
        The run after the last record.
    run_id
        The run's token; ``""`` before it began.
    valued
        Whether the journal says what the account is worth; else it is reckoned at the prices of executions.
    """

    def __init__(self, mode: str, stored_at: int = 0, codec: Codec = CODEC) -> None:
        self.mode = mode
        self.state = RunState(codec)
        self.run_id = ""
        self._codec = codec
        self._stored_at = stored_at
        self._started_at = 0
        self._ended_at: int | None = None
        self._day: int | None = None
        self.valued = False
        self._days = DailyLog()
        self._decided: dict[int, Decimal] = {}  # last prices when orders were made, of those that the state keeps

    @property
    def sequence(self) -> int:
        """Number of the last record."""
        return self.state.sequence

    @property
    def run(self) -> RunRecord:
        """What is known of the run itself."""
        state = self.state
        symbols = ", ".join(list(state.instruments)[:3])
        names = ", ".join(one.name for one in state.strategies)
        return RunRecord(
            id=self.run_id,
            mode=self.mode,
            title=f"{names} on {symbols}",
            started_at=self._started_at,
            ended_at=self._ended_at,
            stored_at=self._stored_at,
            strategies=[
                {"name": one.name, "class": one.type, "parameters": dict(one.parameters)} for one in state.strategies
            ],
            instruments=[one.to_fields() for one in state.instruments.values()],
            currency=next((one.currency for one in state.opened.values()), ""),
            initial_cash=sum((one.cash for one in state.opened.values()), exact(0.0)),
            settings={"seed": state.seed},
            stopped=state.stopped or "",
            version=version("cambist"),
        )

    def rows(self, entries: Sequence[JournalEntry]) -> list[Row]:
        """Take records that follow the last ones; return what they make.

        Raises
        ------
        RecordError
            As `RunState.apply_all`.
        """
        made: list[Row] = []
        touched: dict[int, None] = {}
        for entry in entries:
            made += self._turn_of_day(entry)
            made += self._take(entry, touched)
        book = self.state.book
        for number in touched:
            order = book.find(number)
            if order is not None:
                client_id = book.client_id(order) if book.token.isalnum() else ""
                info = msgspec.to_builtins(dict(order.info))
                made.append(order_row(order, info, client_id, self._decided.get(number)))
        if len(self._decided) > 2 * len(book.orders):
            self._decided = {number: price for number, price in self._decided.items() if book.find(number) is not None}
        made += self._days.rows()
        return made

    def save(self) -> bytes:
        """Return all of this as bytes, to go on from later."""
        return msgspec.msgpack.encode(
            _Saved(
                self.run_id,
                self._started_at,
                self._stored_at,
                self._ended_at,
                encode_run(self.state),
                self.valued,
                self._days.save(),
                self._decided,
            )
        )

    def restore(self, data: bytes) -> None:
        """Go on from what `save` has returned.

        Raises
        ------
        RecordError
            The bytes are of another version of a state.
        msgspec.MsgspecError
            They are no such bytes.
        """
        saved = msgspec.msgpack.decode(data, type=_Saved)
        self.state = decode_run(saved.state, self._codec)
        self.run_id, self._started_at, self._stored_at = saved.run_id, saved.started_at, saved.stored_at
        self._ended_at, self.valued = saved.ended_at, saved.valued
        self._decided = saved.decided
        if saved.days:
            self._days.restore(saved.days)
        self._day = self.state.ts // DAY_NS

    def _take(self, entry: JournalEntry, touched: dict[int, None]) -> Iterator[Row]:
        """Apply one record, and yield what it makes, orders excepted: of those the last standing counts."""
        kind, state, fields = entry.kind, self.state, self._codec.decode(entry)
        trade, flow = self._open_trade(kind, fields), self._last_flow
        state.apply(entry)
        if kind in _ORDER_EVENTS:
            yield self._order_event(entry, fields, touched)
        if kind == "order_filled":
            yield from self._filled(entry, fields, trade)
            yield from self._moved(entry, fields, flow)
            order = state.book.find(fields.order_id)
            if fields.closed_by and order is not None:
                yield venue_closing(entry, fields, order)
        elif kind in _MONEY:
            yield from self._moved(entry, fields, flow)
        elif kind == "run_started":
            self._begin(entry)
            self.valued = fields.valued
        elif kind == "run_stopped":
            self._ended_at = entry.ts
            yield from self._snapshot()
        elif kind == "account_valued":
            assert state.portfolio is not None
            yield from record_rows(fields, entry.ts, state.portfolio.currency)
            yield from self._days.take(fields)
        elif kind == "strategy_state":
            yield StateRow(strategy=fields.strategy, sequence=entry.sequence, ts=entry.ts, data=fields.state)
        elif kind == "signal_noted":
            yield SignalRow(ts=entry.ts, **msgspec.structs.asdict(fields))
        elif kind in NOTICES:
            yield NOTICES[kind](entry, fields)

    def _begin(self, entry: JournalEntry) -> None:
        if not self.run_id:  # a run that goes on after a restart stays the one it is
            self.run_id, self._started_at = self.state.token, entry.ts
        self._ended_at = None

    @property
    def _last_flow(self) -> CashFlow | None:
        portfolio = self.state.portfolio
        return portfolio.cash_flows[-1] if portfolio is not None and portfolio.cash_flows else None

    def _flows_after(self, last: CashFlow | None) -> list[CashFlow]:
        """Return the movements of money behind one, however many before it are forgotten."""
        portfolio = self.state.portfolio
        flows: list[CashFlow] = []
        for flow in [] if portfolio is None else reversed(portfolio.cash_flows):
            if flow is last:
                break
            flows.insert(0, flow)
        return flows

    def _open_trade(self, kind: str, fields: Any) -> Trade | None:
        """Return the trade that an execution is about to change."""
        order = self.state.book.find(fields.order_id) if kind == "order_filled" else None
        return None if order is None else self._trade_of(order)

    def _trade_of(self, order: Order) -> Trade | None:
        """Return the open trade in the position that an order is of."""
        trades, symbol = self.state.books_of(order.strategy).trades.open, order.instrument.symbol
        return trades.get(leg_key(symbol, order.position_side)) or trades.get(symbol)

    def _order_event(self, entry: JournalEntry, fields: Any, touched: dict[int, None]) -> OrderEventRow:
        number = fields.id if entry.kind in _TERMS else fields.order_id
        touched[number] = None
        if entry.kind in _TERMS and fields.decided is not None:
            self._decided[number] = fields.decided
        order = self.state.book.find(number)
        detail = {
            name: value
            for name, value in msgspec.to_builtins(fields).items()
            if name not in {"order_id", "id"} and value not in (None, "", {})
        }
        return OrderEventRow(
            sequence=entry.sequence,
            order_id=number,
            ts=entry.ts,
            kind=_ORDER_EVENTS[entry.kind],
            status="" if order is None else str(order.status),
            detail=detail,
        )

    def _filled(self, entry: JournalEntry, filled: FillEntry, before: Trade | None) -> Iterator[Row]:
        order = self.state.book.find(filled.order_id)
        if order is None:
            return
        instrument = order.instrument
        yield FillRow(
            id=str(filled.id),
            order_id=filled.order_id,
            symbol=instrument.symbol,
            side=str(order.side),
            size=filled.size,
            price=filled.price,
            fee=filled.fee,
            fee_asset=filled.fee_asset or instrument.settle,
            liquidity=filled.liquidity,
            ts=filled.filled_at,
        )
        after = self._trade_of(order)
        if before is not None:
            yield trade_row(before)
        if after is not None and after is not before:
            yield trade_row(after)
        yield self._position(self.state.owners.get(order.strategy, ""), instrument.symbol, entry.ts)

    def _position(self, account: str, symbol: str, ts: int) -> PositionRow:
        position = self.state.accounts[account].positions[symbol]
        size, average = exact(position.size), decimal_of(position.average_price)
        return PositionRow(account=account, symbol=symbol, ts=ts, size=size, average_price=average)

    def _moved(self, entry: JournalEntry, fields: Any, last: CashFlow | None) -> Iterator[Row]:
        """Yield the movements of money that a record made, and what a split made of a position."""
        for flow in self._flows_after(last):
            if flow.kind == "fee":  # which the fill tells
                continue
            yield CashFlowRow(
                number=entry.sequence,
                account=flow.account,
                ts=flow.ts,
                kind=flow.kind,
                symbol=flow.symbol,
                asset=flow.asset,
                amount=fields.amount if entry.kind == "cash_moved" else exact(flow.amount),
            )
        if entry.kind == "shares_split":
            for name, books in self.state.accounts.items():
                trade = books.trades.open.get(fields.symbol)
                if trade is not None:
                    yield trade_row(trade)
                yield self._position(name, fields.symbol, entry.ts)

    def _turn_of_day(self, entry: JournalEntry) -> Iterator[Row]:
        """Yield the account as it stood when a UTC day was over."""
        day = entry.ts // DAY_NS
        if self._day is not None and day > self._day:
            yield from self._snapshot()
        self._day = day if self._day is None else max(day, self._day)

    def _snapshot(self) -> Iterator[Row]:
        """Yield the accounts after the last record, at prices of the last fills and rates of when money moved last.

        They stand in for a journal that does not say what the accounts are worth, because an older version wrote it.
        """
        if not self.valued:
            yield from account_rows(self.state.accounts, self.state.ts)


_TERMS = frozenset({"order_submitted", "order_refused", "order_adopted"})
