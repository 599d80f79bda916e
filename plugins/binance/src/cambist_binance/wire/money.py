"""Money that moved without a trade: rows of ``income`` on futures, ``balanceUpdate`` on spot; margin calls."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import msgspec

from cambist.model import CashReport, NoticeReport
from cambist_binance.wire.words import MS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist_ccxt.symbols import Symbols

__all__ = ["Income", "balance_update_of", "cash_of", "decode_incomes", "leverage_change_of", "margin_call_of"]

#: Executions tell of these themselves.
_OF_TRADES: Final = frozenset({"REALIZED_PNL", "COMMISSION", "DELIVERED_SETTELMENT"})
_TRANSFERS: Final = frozenset(
    {
        "TRANSFER",
        "INTERNAL_TRANSFER",
        "CROSS_COLLATERAL_TRANSFER",
        "STRATEGY_UMFUTURES_TRANSFER",
        "COIN_SWAP_DEPOSIT",
        "COIN_SWAP_WITHDRAW",
    }
)
_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "FUNDING_FEE": "funding",
        "INSURANCE_CLEAR": "insurance",
        "REFERRAL_KICKBACK": "rebate",
        "COMMISSION_REBATE": "rebate",
        "API_REBATE": "rebate",
        "FEE_RETURN": "rebate",
    }
)


class Income(msgspec.Struct, rename="camel", gc=False):
    """A row of ``income``."""

    income_type: str
    income: Decimal
    asset: str
    time: int
    tran_id: int | str
    symbol: str = ""


class _BalanceUpdate(msgspec.Struct, gc=False):
    """``balanceUpdate``."""

    a: str
    d: Decimal
    T: int
    E: int = 0


class _Margined(msgspec.Struct, gc=False):
    s: str
    ps: str = "BOTH"
    pa: Decimal = Decimal(0)
    mp: Decimal = Decimal(0)
    mm: Decimal = Decimal(0)


class _MarginCall(msgspec.Struct, gc=False):
    """``MARGIN_CALL``."""

    p: list[_Margined] = []
    E: int = 0


class _Leverage(msgspec.Struct, gc=False):
    s: str
    l: int  # noqa: E741 - the venue's name


class _ConfigUpdate(msgspec.Struct, gc=False):
    """``ACCOUNT_CONFIG_UPDATE``."""

    T: int = 0
    ac: _Leverage | None = None


decode_incomes = msgspec.json.Decoder(list[Income], strict=False).decode
_balance_update = msgspec.json.Decoder(_BalanceUpdate, strict=False).decode
_margin_call = msgspec.json.Decoder(_MarginCall, strict=False).decode
_config_update = msgspec.json.Decoder(_ConfigUpdate, strict=False).decode


def cash_of(one: Income, symbols: Symbols) -> CashReport | None:
    """Tell of a row; None for what executions tell of.

    The venue counts its rows by kind ("unique transaction id in the same incomeType").
    """
    kind = one.income_type
    if kind in _OF_TRADES:
        return None
    moved = "deposit" if one.income > 0 else "withdrawal"
    return CashReport(
        ts=one.time * MS,
        symbol=symbols.ours(one.symbol) if one.symbol else "",
        reference=f"{kind} {one.tran_id}",
        kind=moved if kind in _TRANSFERS else _KINDS.get(kind, "adjustment"),
        asset=one.asset,
        amount=one.income,
        text=kind,
    )


def balance_update_of(data: bytes | msgspec.Raw) -> CashReport:
    """Read ``balanceUpdate``: a deposit, withdrawal or transfer; the venue gives it no number."""
    one = _balance_update(data)
    return CashReport(
        ts=one.T * MS,
        reference=f"balanceUpdate {one.a} {one.T} {one.d}",
        kind="deposit" if one.d > 0 else "withdrawal",
        asset=one.a,
        amount=one.d,
        text="balanceUpdate",
    )


def margin_call_of(data: bytes | msgspec.Raw, symbols: Symbols) -> NoticeReport:
    """Read ``MARGIN_CALL``."""
    call = _margin_call(data)
    held = ", ".join(
        f"{one.pa} {symbols.ours(one.s)} at a mark price of {one.mp}, which needs {one.mm}" for one in call.p
    )
    return NoticeReport(
        ts=call.E * MS, word="margin_call", text=f"the venue is about to close for want of margin: {held}."
    )


def leverage_change_of(data: bytes | msgspec.Raw, symbols: Symbols) -> NoticeReport | None:
    """Read ``ACCOUNT_CONFIG_UPDATE``; None for other settings than leverage."""
    update = _config_update(data)
    if update.ac is None:
        return None
    symbol = symbols.ours(update.ac.s)
    return NoticeReport(
        ts=update.T * MS, symbol=symbol, word="leverage_set", text=f"{symbol} is traded at {update.ac.l} times now."
    )
