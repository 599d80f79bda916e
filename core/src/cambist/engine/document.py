"""The state of a run as bytes, for snapshots and to compare: equal states give equal bytes."""

from __future__ import annotations

from decimal import Decimal
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

from cambist.engine import conversions as to
from cambist.engine.codec import CODEC
from cambist.engine.fold import RunState
from cambist.engine.records import AccountOpened, InstrumentDefined, MarginEntry, StrategyRun
from cambist.errors import RecordError
from cambist.model.orders import Fill, Liquidity, Order, OrderStatus, OrderType, Side, TimeInForce
from cambist.model.portfolio import StockSplit
from cambist.model.trading_state import TradingChange, TradingState
from cambist.orders.book import Anomaly, OrderBook
from cambist.orders.state import OrderInput
from cambist.portfolio.saved import load_account, save_account

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cambist.engine.codec import Codec
    from cambist.model.instrument import Instrument
    from cambist.portfolio import AccountGroup, Books

__all__ = ["STATE_VERSION", "decode_run", "digest_of", "encode_run", "trading_of"]

#: Of the bytes: a snapshot of another version is passed over, and the journal read in its place.
STATE_VERSION = 2

_encoder = msgspec.msgpack.Encoder(order="deterministic", decimal_format="string")
_ORDER = [field.name for field in attrs.fields(Order) if field.name not in ("instrument", "instructions")]
_ENUMS: dict[str, Any] = {"side": Side, "type": OrderType, "time_in_force": TimeInForce, "status": OrderStatus}
_HOLD = [field.name for field in attrs.fields(TradingChange)]
_AS_THEY_ARE = (*("sequence", "ts", "token", "seed", "states", "rules", "timers", "anchors", "stopping", "stopped"),)
_FILL = [field.name for field in attrs.fields(Fill) if field.name != "instrument"]
_ANOMALY = [field.name for field in attrs.fields(Anomaly)]
#: How MessagePack begins an array whose length takes four bytes.
_ARRAY = b"\xdd"
#: Rows that are made without a pause.
_AT_A_TIME = 100


def trading_of(
    book: OrderBook, fills: Iterable[Fill], portfolio: Books | AccountGroup | None, timers: Mapping[str, int]
) -> dict[str, Any]:
    """Return orders, fills, account and timers as plain values; of a kernel or of a state, which must be equal."""
    return {
        "orders": [_order_row(order) for order in book.orders],
        "fills": [_fill_row(fill) for fill in fills],
        "anomalies": _anomaly_rows(book),
        "portfolio": None if portfolio is None else save_account(portfolio),
        "timers": dict(timers),
        **({"resent": [[number, *said] for number, said in book.resent.items()]} if book.resent else {}),
        **({"entrusted": [[number, *said] for number, said in book.entrusted.items()]} if book.entrusted else {}),
    }


def _anomaly_rows(book: OrderBook) -> list[list[Any]]:
    return [_plain(one, _ANOMALY) for one in book.anomalies]


def _plain(value: Any, names: Iterable[str]) -> list[Any]:
    fields = (getattr(value, name) for name in names)
    return [str(one) if isinstance(one, str) else one for one in fields]


def _order_row(order: Order) -> list[Any]:
    given = order.instructions
    return [order.instrument.symbol, None if given is None else to.instructions_fields(given), *_plain(order, _ORDER)]


def _fill_row(fill: Fill) -> list[Any]:
    row = [fill.instrument.symbol, *_plain(fill, _FILL)]
    return row if fill.fee_asset == fill.instrument.settle else [*row, fill.fee_asset, fill.fee_paid]


def _at_once() -> None:
    """Do not pause."""


def _array(rows: Iterable[Any], count: int, breathe: Callable[[], None]) -> msgspec.Raw:
    """Return rows as an array of the document, encoded one by one: while one call encodes all, nothing else runs."""
    parts = bytearray(_ARRAY + count.to_bytes(4))
    for number, row in enumerate(rows):
        parts += _encoder.encode(row)
        if number % _AT_A_TIME == 0:
            breathe()
    return msgspec.Raw(parts)


def encode_run(state: RunState, breathe: Callable[[], None] = _at_once) -> bytes:
    """Return a state as bytes.

    Parameters
    ----------
    breathe
        Called often while that goes on, by who does it in a thread beside others.
    """
    return _encoder.encode(
        {
            **trading_of(OrderBook(), (), state.portfolio, state.timers),
            "anomalies": _anomaly_rows(state.book),
            "orders": _array(map(_order_row, state.book.orders), len(state.book.orders), breathe),
            "fills": _array(map(_fill_row, state.fills), len(state.fills), breathe),
            "sequence": state.sequence,
            "ts": state.ts,
            "keep": state.keep,
            "token": state.token,
            "seed": state.seed,
            "strategies": state.strategies,
            "instruments": [to.instrument_record(one) for one in state.instruments.values()],
            **_account_parts(state),
            **_share_parts(state),
            "states": state.states,
            "trading": [_plain(hold, _HOLD) for hold in state.trading],
            "rules": state.rules,
            "refusals": dict(state.refusals),
            "counts": dict(state.counts),
            "anchors": state.anchors,
            "leaving": [[*key, amount] for key, amount in state.leaving.items() if amount],
            **({"references": state.references} if state.references else {}),
            **({"asked_margin": state.asked_margin} if state.asked_margin else {}),
            "stopping": state.stopping,
            "stopped": state.stopped,
        }
    )


def _account_parts(state: RunState) -> dict[str, Any]:
    """Return what accounts were opened with, and their ledgers; of a sole one without its name."""
    ledgers = {
        name: {part: getattr(ledger, part) for part in ("balances", "contracts", "costs")}
        for name, ledger in state.ledgers.items()
    }
    if "" not in state.accounts:
        return {"accounts": list(state.opened.values()), "ledgers": ledgers, **_rates(state)}
    return {"account": state.opened[""], "ledger": ledgers[""], **_rates(state)}


def _share_parts(state: RunState) -> dict[str, Any]:
    """Return what strategies held of fills that are kept no more, and splits: few runs have either."""
    splits = [attrs.astuple(split) for split in state.splits]
    shares = None if state.shares is None else state.shares.save()
    return {name: part for name, part in (("splits", splits), ("shares", shares)) if part}


def _rates(state: RunState) -> dict[str, Any]:
    return {} if state.rates is None else {"rates": state.rates.noted}


def digest_of(state: RunState) -> str:
    """Return 32 hexadecimal digits that equal states share, and others do not."""
    return blake2b(encode_run(state), digest_size=16).hexdigest()


def decode_run(data: bytes, codec: Codec = CODEC) -> RunState:
    """Return the state that `encode_run` was given.

    Raises
    ------
    RecordError
        If the bytes are not of a state of this version.
    """
    try:
        return _state_of(msgspec.msgpack.decode(data), codec)
    except (msgspec.MsgspecError, LookupError, TypeError, ValueError) as error:
        raise RecordError(
            f"these bytes are no state of a run: {error!r}",
            code="bad_state",
            remedy="Remove the snapshot; the state is made of the journal again.",
        ) from error


def _state_of(document: dict[str, Any], codec: Codec) -> RunState:
    state = RunState(codec, document["keep"])
    for name in _AS_THEY_ARE:
        setattr(state, name, document[name])
    state.strategies = [msgspec.convert(one, StrategyRun) for one in document["strategies"]]
    for one in document["instruments"]:
        instrument = to.instrument_of(msgspec.convert(one, InstrumentDefined))
        state.instruments[instrument.symbol] = instrument
    for ts, kept, *names in document["trading"]:
        state.trading.take(TradingChange(ts, TradingState(kept), *names))
    state.refusals.update(document["refusals"])
    state.counts.update(document["counts"])
    orders = [_order_of(row, state.instruments) for row in document["orders"]]
    state.fills = [_fill_of(row, state.instruments) for row in document["fills"]]
    state.book = OrderBook.restore(state.token, orders, state.fills)
    state.book.resent.update({number: (count, carried) for number, count, carried in document.get("resent", [])})
    for number, group, kept in document.get("entrusted", []):
        state.book.entrust([number], group, kept)
    state.book.anomalies.extend(_anomaly_of(row) for row in document["anomalies"])
    _open_accounts(state, document)
    state.splits.extend(StockSplit(*row) for row in document.get("splits", ()))
    if "shares" in document:
        state.shares = state.begin_shares()
        state.shares.load(document["shares"])
    return state


def _open_accounts(state: RunState, document: dict[str, Any]) -> None:
    sole = document.get("account")
    for one in document.get("accounts", []) if sole is None else [sole]:
        state.open(msgspec.convert(one, AccountOpened))
    for name, parts in (document.get("ledgers", {}) if sole is None else {"": document["ledger"]}).items():
        for part, kept in parts.items():
            amounts = {asset: Decimal(amount) for asset, amount in kept.items()}
            getattr(state.ledgers[name], part).update(amounts)
    if state.rates is not None:
        state.rates.noted = document["rates"]
    if state.portfolio is not None:
        load_account(state.portfolio, document["portfolio"])
    state.references.update(document.get("references", {}))
    state.asked_margin = [msgspec.convert(one, MarginEntry) for one in document.get("asked_margin", ())]
    leaving = document["leaving"]
    if isinstance(leaving, float):  # as it was kept while there was one account, in one asset
        leaving = [["", state.opened[""].currency, leaving]] if leaving else []
    state.leaving.update({(account, asset): amount for account, asset, amount in leaving})


def _order_of(row: list[Any], instruments: Mapping[str, Instrument]) -> Order:
    symbol, instructions, *values = row
    fields = dict(zip(_ORDER, values, strict=True))
    for name, kind in _ENUMS.items():
        fields[name] = kind(fields[name])
    order = Order(instrument=instruments[symbol], **fields)
    if instructions is not None:
        order.instructions = to.instructions_of(instructions)
    return order


def _fill_of(row: list[Any], instruments: Mapping[str, Instrument]) -> Fill:
    symbol, values, payment = row[0], row[1 : len(_FILL) + 1], row[len(_FILL) + 1 :]
    fields = dict(zip(_FILL, values, strict=True))
    fields["side"], fields["liquidity"] = Side(fields["side"]), Liquidity(fields["liquidity"])
    fill = Fill(instrument=instruments[symbol], **fields)
    if payment:
        fill.pay_fee_in(*payment)
    return fill


def _anomaly_of(row: list[Any]) -> Anomaly:
    ts, order_id, status, kind, message = row
    return Anomaly(ts, order_id, None if status is None else OrderStatus(status), OrderInput(kind), message)
