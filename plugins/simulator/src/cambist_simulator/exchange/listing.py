"""What an exchange lists: a symbol with its rules."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from cambist.simulation import SelfTrade

__all__ = ["Bracket", "Listing", "Segment", "SymbolStatus"]

_ZERO, _ONE = Decimal(0), Decimal(1)


class Segment(StrEnum):
    """What kind of market an exchange is."""

    SPOT = "spot"
    #: Futures and perpetuals settled in quote money.
    LINEAR = "linear"
    #: Those settled in coin.
    INVERSE = "inverse"


class SymbolStatus(StrEnum):
    """Whether a symbol trades."""

    TRADING = "trading"
    #: Nothing goes.
    HALT = "halt"
    #: Orders may be canceled.
    CANCEL_ONLY = "cancel_only"
    #: A planned pause.
    BREAK = "break"


class Bracket(msgspec.Struct, frozen=True, kw_only=True):
    """A tier of positions by notional value: `floor` (exclusive) to `cap` (inclusive).

    Attributes
    ----------
    maintenance_rate, cumulative
        Maintenance margin is notional x rate - cumulative.
    """

    bracket: int
    max_leverage: int
    floor: Decimal
    cap: Decimal
    maintenance_rate: Decimal
    cumulative: Decimal


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A symbol and its rules; a rule of None does not apply.

    Attributes
    ----------
    symbol
        As the venue names it.
    base, quote, settle
        Assets; `settle` is the quote on spot.
    contract_size
        Base units in a contract (linear), quote units in a contract (inverse); 1 on spot.
    market_step_size, market_min_size, market_max_size
        For market orders, where they have limits of their own.
    min_notional, max_notional
        Of price x size, in quote money; market orders are valued at the last price where `notional_at_market`.
    up_multiplier, down_multiplier
        A limit price is between `down` and `up` times the last (or mark) price; by side where the venue does so:
        ``(bid, ask)``.
    max_orders, max_conditional_orders
        Open at a time for each user.
    trailing_range
        Least and most distance of a trailing stop, shares of the price.
    maker_fee, taker_fee
        Shares of the money traded, where the user has none of his own.
    brackets
        Of futures, ascending.
    funding_interval
        ns between payments of a perpetual; 0 where it pays none.
    liquidation_fee
        Share of the money traded in a liquidation.
    market_bound
        How far from the mark price a market order may trade, as a share of it.
    """

    symbol: str
    base: str
    quote: str
    settle: str
    contract_size: Decimal = _ONE
    tick_size: Decimal
    step_size: Decimal
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    min_size: Decimal = _ZERO
    max_size: Decimal | None = None
    market_step_size: Decimal | None = None
    market_min_size: Decimal | None = None
    market_max_size: Decimal | None = None
    min_notional: Decimal | None = None
    max_notional: Decimal | None = None
    notional_at_market: bool = True
    up_multiplier: tuple[Decimal, Decimal] | None = None
    down_multiplier: tuple[Decimal, Decimal] | None = None
    max_orders: int | None = 200
    max_conditional_orders: int | None = 5
    max_iceberg_parts: int | None = None
    max_position: Decimal | None = None
    max_amends: int | None = None
    trailing_range: tuple[Decimal, Decimal] | None = None
    maker_fee: Decimal = Decimal("0.001")
    taker_fee: Decimal = Decimal("0.001")
    liquidation_fee: Decimal = _ZERO
    market_bound: Decimal | None = None
    brackets: tuple[Bracket, ...] = ()
    funding_interval: int = 0
    delivers_at: int = 0
    self_trade: SelfTrade = SelfTrade.CANCEL_OLDEST
    status: SymbolStatus = SymbolStatus.TRADING
