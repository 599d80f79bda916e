"""The table of a run file about the simulated venue: what it charges, and how it matches."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from cambist.config.values import ByName, ModelName, ModelTable, Number, Rate, Table, Unit, model_kind

__all__ = ["FixedFees", "MakerTakerFees", "VenueTable"]


class MakerTakerFees(Table):
    """``fees = { maker = 0.0002, taker = 0.0005 }``: fractions of the value traded."""

    maker: Rate = Field(description="of orders that rested at their price")
    taker: Rate = Field(description="of all others")


class FixedFees(Table):
    """``fees = { per_unit = 0.005, per_fill = 1.0 }``: amounts of money."""

    per_unit: Annotated[Number, Unit("money")] = Field(default=0.0, description="for each unit that trades")
    per_fill: Annotated[Number, Unit("money")] = Field(default=0.0, description="for each fill")


class PercentSlippageTable(Table):
    """``slippage = { rate = 0.0005 }``: a fraction of the price."""

    rate: Annotated[float, Field(ge=0, lt=1), Unit("fraction")] = Field(description="of the price")


class FixedSlippageTable(Table):
    """``slippage = { amount = 0.01 }``: an amount of money for each unit."""

    amount: Annotated[float, Field(ge=0, allow_inf_nan=False), Unit("price")] = Field(description="for each unit")


def _fees_kind(value: Any) -> str:
    if isinstance(value, dict) and "use" not in value:
        return "<maker-taker" if {"maker", "taker"} & set(value) else "<fixed"
    return model_kind(value) or "<rate"


def _slippage_kind(value: Any) -> str:
    if isinstance(value, dict) and "use" not in value:
        return "<percent" if "rate" in value else "<fixed"
    return model_kind(value) or "<rate"


Fees = Annotated[
    Annotated[Rate, Tag("<rate")]
    | Annotated[MakerTakerFees, Tag("<maker-taker")]
    | Annotated[FixedFees, Tag("<fixed")]
    | Annotated[ModelName, Tag("<name")]
    | Annotated[ModelTable, Tag("<model")],
    Discriminator(_fees_kind),
]
Slippage = Annotated[
    Annotated[Annotated[float, Field(ge=0, lt=1), Unit("fraction")], Tag("<rate")]
    | Annotated[PercentSlippageTable, Tag("<percent")]
    | Annotated[FixedSlippageTable, Tag("<fixed")]
    | Annotated[ModelName, Tag("<name")]
    | Annotated[ModelTable, Tag("<model")],
    Discriminator(_slippage_kind),
]
VolumeLimit = Annotated[
    Annotated[Annotated[float, Field(gt=0, le=1), Unit("fraction")], Tag("<rate")]
    | Annotated[ModelName, Tag("<name")]
    | Annotated[ModelTable, Tag("<model")],
    Discriminator(lambda value: model_kind(value) or "<rate"),
]
Rejection = Annotated[
    Annotated[Annotated[float, Field(ge=0, le=1), Unit("fraction")], Tag("<rate")]
    | Annotated[ModelName, Tag("<name")]
    | Annotated[ModelTable, Tag("<model")],
    Discriminator(lambda value: model_kind(value) or "<rate"),
]


class VenueTable(Table):
    """``[venue]``: what the simulated venue charges and how it matches; see `cambist.BacktestSettings`."""

    fees: Fees = Field(default=0.0, description="a fraction, {maker, taker}, {per_unit, per_fill}, or a model")
    slippage: Slippage = Field(default=0.0, description="a fraction of the price, {rate}, {amount}, or a model")
    rules: Literal["cambist", "backtrader"] = Field(default="cambist", description="by which orders are matched")
    market_fill: Literal["next_open", "this_close"] = Field(
        default="next_open", description="where market orders trade that are sent when a bar closes"
    )
    cheat_on_open: bool = Field(default=False, description="call on_open with the open of each bar, before it trades")
    path: ByName = Field(default="nearer_first", description="the way of the price through a bar: a model by name")
    volume_limit: VolumeLimit | None = Field(default=None, description="a fraction of each bar's volume, or a model")
    fill_on_touch: bool = Field(default=True, description="whether a limit trades when the price only touches it")
    latency: ByName | None = Field(default=None, description='a length of time such as "50ms", or a model')
    rejection: Rejection | None = Field(default=None, description="the fraction of new orders refused, or a model")
    market_rules: ByName | None = Field(default=None, description="what the market of a stock demands, by name")
