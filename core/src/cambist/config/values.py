"""What the tables of a run file are made of: strict tables, and the types of their values."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from cambist.model.timeframe import Timeframe
from cambist.model.times import to_ns

__all__ = [
    "ByName",
    "Exact",
    "ModelName",
    "ModelTable",
    "Moment",
    "Name",
    "Number",
    "OpenTable",
    "Positive",
    "Rate",
    "Seconds",
    "SecondsOrNone",
    "Share",
    "Table",
    "TimeframeText",
    "Unit",
    "model_kind",
]


class Unit(str):
    """In what a number of a run file is counted: an annotation for the reference page and for editors."""

    __slots__ = ()


class Table(BaseModel):
    """A table that takes the keys it declares and no others, and does not turn texts into numbers."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class OpenTable(BaseModel):
    """A table that also holds the settings of the component it names; `extra` has those, checked elsewhere."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    @property
    def extra(self) -> dict[str, Any]:
        """The keys that are not declared here."""
        return dict(self.model_extra or {})


def _decimal(value: Any) -> Any:
    """Take what a person wrote: ``0.1`` means the decimal 0.1."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise ValueError("it takes a number, such as 0.01") from None


def _timeframe(value: str) -> str:
    Timeframe.parse(value)
    return value


def _moment(value: Any) -> Any:
    to_ns(value)
    return value


Exact = Annotated[Decimal, BeforeValidator(_decimal), Field(gt=0, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False), Unit("seconds")]
SecondsOrNone = Annotated[float, Field(ge=0, allow_inf_nan=False), Unit("seconds")]
Rate = Annotated[float, Field(gt=-1, lt=1), Unit("fraction")]
Share = Annotated[float, Field(ge=0, lt=1), Unit("fraction")]
Moment = Annotated[Any, AfterValidator(_moment), Unit("date or time")]
Name = Annotated[str, Field(min_length=1)]
ModelName = Name
TimeframeText = Annotated[str, AfterValidator(_timeframe), Unit("timeframe")]


class ModelTable(OpenTable):
    """``{ use = "per-order", minimum = 1.0 }``: a simulation model by name, and its settings."""

    use: str = Field(min_length=1, description="the name of the model; its settings stand beside it")


# A union is told apart here, so that a mistake is told once, and not once for each member of the union. The tags begin
# with a sign that no key has, which takes them out of the way to a value.
def model_kind(value: Any) -> str:
    """Return the tag of a simulation model by its name, alone or in a table with settings; ``""`` for anything else."""
    return "<name" if isinstance(value, str) else "<model" if isinstance(value, dict) else ""


ByName = Annotated[
    Annotated[ModelName, Tag("<name")] | Annotated[ModelTable, Tag("<model")],
    Discriminator(lambda value: model_kind(value) or "<name"),
]
