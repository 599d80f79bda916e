"""What can be traded, and by which rules: ``exchangeInfo``."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from cambist.api import InputError
from cambist.model import Instrument, InstrumentKind, Side
from cambist_binance.hosts import Market
from cambist_binance.wire.answers import LimitUse, window_name
from cambist_ccxt.budget import Window
from cambist_ccxt.symbols import Symbols

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "Abilities",
    "BinanceSymbols",
    "ExchangeInfo",
    "decode_info",
    "instrument_of",
    "symbols_of",
    "windows_of",
]

_NS = {"SECOND": 10**9, "MINUTE": 60 * 10**9, "HOUR": 3600 * 10**9, "DAY": 86400 * 10**9}
_BASIS_POINT = Decimal("0.0001")
#: Of a trailing stop of futures, as the venue documents it: it is in no filter.
_CALLBACK = Decimal("0.001"), Decimal("0.1"), Decimal("0.001")
#: Usual fees, as fractions of the value: maker, taker.
_FEES = {Market.SPOT: (0.001, 0.001), Market.USDM: (0.0002, 0.0005), Market.COINM: (0.0002, 0.0005)}


class _Filter(msgspec.Struct, rename="camel", gc=False):
    filter_type: str
    tick_size: Decimal | None = None
    min_qty: Decimal | None = None
    max_qty: Decimal | None = None
    step_size: Decimal | None = None
    min_notional: Decimal | None = None
    notional: Decimal | None = None
    min_trailing_above_delta: int = 0
    max_trailing_above_delta: int = 0
    min_trailing_below_delta: int = 0
    max_trailing_below_delta: int = 0


class _SymbolInfo(msgspec.Struct, rename="camel", gc=False):
    symbol: str
    base_asset: str
    quote_asset: str
    filters: list[_Filter]
    status: str = ""
    contract_status: str = ""
    contract_type: str = ""
    contract_size: Decimal = Decimal(1)
    margin_asset: str = ""
    order_types: list[str] = []
    oco_allowed: bool = False
    oto_allowed: bool = False
    allow_trailing_stop: bool = False


class Abilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a market works of its own for an instrument, beside single orders.

    Attributes
    ----------
    oco, oto
        Whether it takes two orders of which one ends the other, and orders that wait for another.
    trails
        How far behind the price a stop may stay, as fractions: at least, at most and in steps of, for orders that buy
        and for those that sell. Empty where it has none.
    """

    oco: bool = False
    oto: bool = False
    trails: dict[Side, tuple[Decimal, Decimal, Decimal]] = {}


class BinanceSymbols(Symbols):
    """The names of instruments, and what the market can do with each.

    Parameters
    ----------
    pairs, closed
        See `Symbols`.
    abilities
        By symbol.

    Attributes
    ----------
    by_symbol
        What the market can do, by symbol.
    """

    def __init__(
        self,
        pairs: Iterable[tuple[str, Instrument]],
        closed: Iterable[tuple[str, str, str]],
        abilities: Mapping[str, Abilities],
    ) -> None:
        super().__init__(pairs, closed)
        self.by_symbol = abilities

    def become(self, other: Symbols) -> None:
        """Say from now on what another says."""
        super().become(other)
        if isinstance(other, BinanceSymbols):
            self.by_symbol = other.by_symbol

    def abilities(self, symbol: str) -> Abilities:
        """Return what the market can do with an instrument."""
        return self.by_symbol.get(symbol, Abilities())


class ExchangeInfo(msgspec.Struct, rename="camel", gc=False):
    """The venue's rules of the day."""

    symbols: list[_SymbolInfo]
    rate_limits: list[LimitUse] = []
    server_time: int = 0


decode_info = msgspec.json.Decoder(ExchangeInfo, strict=False).decode


def symbols_of(
    info: ExchangeInfo, market: Market, fees: tuple[float | None, float | None] = (None, None)
) -> BinanceSymbols:
    """Make the instruments that are traded now, and note those that are not."""
    traded: list[tuple[str, Instrument]] = []
    closed: list[tuple[str, str, str]] = []
    for one in info.symbols:
        status = one.status or one.contract_status
        if status != "TRADING":
            closed.append((one.symbol, unified(one, market), status))
            continue
        try:
            traded.append((one.symbol, instrument_of(one, market, fees)))
        except InputError as error:
            closed.append((one.symbol, unified(one, market), f"rules that make no sense ({error})"))
    return BinanceSymbols(traded, closed, {unified(one, market): abilities_of(one, market) for one in info.symbols})


def abilities_of(one: _SymbolInfo, market: Market) -> Abilities:
    """Return what the market can do with a symbol."""
    if market.futures:
        trails = dict.fromkeys(Side, _CALLBACK) if "TRAILING_STOP_MARKET" in one.order_types else {}
        return Abilities(trails=trails)
    bounds = {}
    for rule in one.filters if one.allow_trailing_stop else ():
        if rule.filter_type == "TRAILING_DELTA":
            # A stop that buys lies above the market, one that sells below it.
            above, below = (
                (rule.min_trailing_above_delta, rule.max_trailing_above_delta),
                (rule.min_trailing_below_delta, rule.max_trailing_below_delta),
            )
            for side, (least, most) in ((Side.BUY, above), (Side.SELL, below)):
                bounds[side] = least * _BASIS_POINT, most * _BASIS_POINT, _BASIS_POINT
    return Abilities(oco=one.oco_allowed, oto=one.oto_allowed, trails=bounds)


def unified(one: _SymbolInfo, market: Market) -> str:
    """Return the symbol that is the same at all venues."""
    pair = f"{one.base_asset}/{one.quote_asset}"
    if market is Market.SPOT:
        return pair
    settle = one.margin_asset or (one.quote_asset if market is Market.USDM else one.base_asset)
    _, _, date = one.symbol.partition("_")
    dated = f"-{date}" if date.isdecimal() else ""
    return f"{pair}:{settle}{dated}"


def instrument_of(
    one: _SymbolInfo, market: Market, fees: tuple[float | None, float | None] = (None, None)
) -> Instrument:
    """Make an instrument of a symbol's rules."""
    rules = {rule.filter_type: rule for rule in one.filters}
    empty = _Filter(filter_type="")
    price, size = rules.get("PRICE_FILTER", empty), rules.get("LOT_SIZE", empty)
    notional = rules.get("NOTIONAL") or rules.get("MIN_NOTIONAL") or empty
    usual = _FEES[market]
    symbol = unified(one, market)
    return Instrument(
        symbol=symbol,
        kind=_kind(symbol, market),
        venue=market.venue,
        base=one.base_asset,
        quote=one.quote_asset,
        settle=symbol.partition(":")[2].partition("-")[0] or one.quote_asset,
        tick_size=price.tick_size or None,
        step_size=size.step_size or Decimal("1e-8"),
        min_size=size.min_qty or None,
        max_size=size.max_qty or None,
        min_notional=notional.min_notional or notional.notional or None,
        multiplier=float(one.contract_size) if market is Market.COINM else 1.0,
        margin_rate=1.0 if market is Market.SPOT else 0.05,
        maker_fee=usual[0] if fees[0] is None else fees[0],
        taker_fee=usual[1] if fees[1] is None else fees[1],
    )


def _kind(symbol: str, market: Market) -> InstrumentKind:
    """Return how it settles: a dated contract of COIN-M as its perpetual does, in the coin."""
    if market is Market.SPOT:
        return InstrumentKind.SPOT
    if market is Market.COINM:
        return InstrumentKind.INVERSE_PERPETUAL
    return InstrumentKind.FUTURE if "-" in symbol else InstrumentKind.LINEAR_PERPETUAL


def windows_of(limits: Sequence[LimitUse]) -> list[Window]:
    """Make the windows of the venue's limits."""
    return [
        Window(
            window_name(one.rate_limit_type, one.interval, one.interval_num),
            one.limit,
            one.interval_num * _NS.get(one.interval, _NS["MINUTE"]),
        )
        for one in limits
    ]
