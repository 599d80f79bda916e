"""The tables of a run file about the account: cash, margin, interest, movements of cash."""

from __future__ import annotations

from math import inf
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from cambist.config.values import Moment, Name, Number, Positive, Share, Table, Unit

__all__ = [
    "AccountTable",
    "CashFlowTable",
    "DeleveragedTable",
    "DeleveragingTable",
    "InterestTable",
    "MarginTable",
    "PlannedMarginTable",
    "TierTable",
]

Part = Annotated[float, Field(gt=0, le=1), Unit("fraction")]
Probability = Annotated[float, Field(ge=0, le=1), Unit("fraction")]
Yearly = Annotated[float, Field(gt=-10, lt=10), Unit("fraction a year")]


class TierTable(Table):
    """``[[account.margin.tiers]]``; see `cambist.MarginTier`."""

    up_to: Annotated[float, Field(gt=0), Unit("money")] = Field(
        default=inf, description="notional of the position to which the tier reaches"
    )
    maintenance_rate: Share = Field(description="maintenance margin of the part of the notional in this tier")
    max_leverage: Positive | None = Field(default=None, description="most leverage in it; the instrument's by default")


class DeleveragedTable(Table):
    """``[[account.margin.deleveraging.events]]``: a position in profit that the venue closed."""

    date: Moment = Field(description="in the bar that is open then, or closes then")
    symbol: str = Field(min_length=1, description="of the position")
    share: Part = Field(description="how much of the position is closed")
    price: Annotated[Positive, Unit("price")] | None = Field(
        default=None, description="at which it is closed; by default told by `distance`"
    )


class DeleveragingTable(Table):
    """``[account.margin.deleveraging]``; see `cambist.model.Deleveraging`."""

    events: list[DeleveragedTable] = Field(default=[], description="what is known of a day")
    probability: Probability = Field(default=0.0, description="of a closing in a bar that moved at least `move`")
    move: Probability = Field(default=0.05, description="least move of such a bar in favor of the position")
    share: Part = Field(default=1.0, description="how much of the position is closed then")
    distance: Probability = Field(default=0.0, description="of the price of a closing from the mark price")


class PlannedMarginTable(Table):
    """``[[account.margin.planned]]``: margin to be added to a position, or with a negative amount taken out."""

    date: Moment = Field(description="when")
    symbol: str = Field(min_length=1, description="of the position; 'BTCUSDT long' for one side of a hedged one")
    amount: Annotated[Number, Unit("money")] = Field(description="what is added, or if negative taken out")


class MarginTable(Table):
    """``[account.margin]``; see `cambist.Margin`."""

    mode: Literal["cross", "isolated"] = Field(default="cross", description="what backs a position: account, or itself")
    leverage: Positive | None = Field(default=None, description="of margined instruments; 1 / margin_rate by default")
    leverages: dict[str, Positive] = Field(default_factory=dict, description="by symbol, in place of `leverage`")
    maintenance: Share | None = Field(default=None, description="maintenance margin rate; half of margin_rate if unset")
    tiers: list[TierTable] = Field(default_factory=list, description="in place of `maintenance`")
    maintenance_on: Literal["mark", "entry"] = Field(
        default="mark", description="by which price notionals are reckoned"
    )
    closing_fee: Share = Field(default=0.0, description="fee for closing that counts as maintenance margin")
    liquidation_fee: Share = Field(default=0.0, description="of the notional that a liquidation closes")
    liquidate_at: Literal["mark", "bankruptcy"] = Field(default="mark", description="price of a liquidation")
    position_mode: Literal["one-way", "hedge"] = Field(
        default="one-way", description="one position, or a long and a short one side by side"
    )
    liquidation: Literal["full", "by_tier"] = Field(
        default="full", description="all of a position, or as little as brings it into a lower tier"
    )
    deleveraging: DeleveragingTable | None = Field(
        default=None, description="when positions in profit are closed to pay for others"
    )
    planned: list[PlannedMarginTable] = Field(default=[], description="margin added to isolated positions")


class InterestTable(Table):
    """``[account.interest]``: rates a year; see `cambist.Interest`."""

    short: Yearly = Field(default=0.0, description="paid for what is held short")
    long: Yearly = Field(default=0.0, description="paid for what is held long")
    cash: Yearly = Field(default=0.0, description="earned on cash")
    debit: Yearly = Field(default=0.0, description="paid for cash below zero")
    day_count: Annotated[float, Field(gt=0, lt=1000), Unit("days")] = Field(
        default=365.0, description="in a year: 365 or 360"
    )
    value: Literal["market", "entry"] = Field(
        default="market", description="positions count at the last close, or at their average price"
    )


class CashFlowTable(Table):
    """``[[account.cash_flows]]``: a deposit, or with a negative amount a withdrawal."""

    date: Moment = Field(description="when")
    amount: Annotated[Number, Unit("money")] = Field(description="what comes in, or if negative goes out")
    account: Name | None = Field(default=None, description="which account, where there are several")
    asset: Name | None = Field(default=None, description="which asset, of an account that holds several")


Cash = Annotated[
    Annotated[Positive, Tag("<amount")]
    | Annotated[dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]], Tag("<assets")],
    Discriminator(lambda value: "<assets" if isinstance(value, dict) else "<amount"),
]


class AccountTable(Table):
    """``[account]``: the account of a backtest or a paper run."""

    cash: Annotated[Cash, Unit("money")] = Field(
        default=100_000.0, description="at the start: a number, or one for each asset"
    )
    currency: Name | None = Field(
        default=None, description="in which it reckons; the first that `cash` names by default"
    )
    rates: dict[str, Positive] | None = Field(
        default=None, description="what an asset is worth, beyond what instruments tell: numbers that stay, by asset"
    )
    conversion_fee: Share = Field(default=0.0, description="of what a strategy converts")
    leverage: Positive = Field(default=1.0, description="how many times its equity it may hold of what is paid in full")
    margin: MarginTable | None = Field(default=None, description="how margined instruments are traded")
    interest: InterestTable | None = Field(default=None, description="what borrowing costs and cash earns")
    cash_flows: list[CashFlowTable] = Field(default=[], description="deposits and withdrawals")
    accounts: dict[str, Annotated[Cash, Unit("money")]] | None = Field(
        default=None, min_length=1, description="cash of accounts of their own, by name of the strategy"
    )
    compensates: dict[str, Name] | None = Field(
        default=None, description="by symbol the instrument whose position its orders change"
    )
