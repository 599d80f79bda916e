"""Which column is which: times, prices and volume by the names people give them."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import DataError, did_you_mean
from cambist.model.bars import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["TIME_NAMES", "Layout", "find_columns", "pick_column"]

#: What a column of open times may be called, upper or lower case.
TIME_NAMES = ("ts", "time", "timestamp", "date", "datetime", "open_time")

_ALIASES = {
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "v", "vol"),
}
_MOST_SHOWN = 20


@attrs.frozen
class Layout:
    """Where to find what a bar needs.

    Attributes
    ----------
    time
        Position of the column of open times; None if they are in the index.
    prices
        Positions of open, high, low and close.
    volume
        Position of the volume, or None where there is none.
    """

    time: int | None
    prices: tuple[int, int, int, int]
    volume: int | None

    @property
    def fields(self) -> dict[str, int]:
        """Positions by the field's name, without those that are missing."""
        found = dict(zip(COLUMNS[:4], self.prices, strict=True))
        if self.volume is not None:
            found["volume"] = self.volume
        return found


def find_columns(
    labels: Sequence[Any], where: str, *, times_in_index: bool = False, unnamed: int | None = None
) -> Layout:
    """Find the columns of a bar among `labels`; the others are nobody's business.

    Parameters
    ----------
    labels
        The column labels, in their order.
    where
        What to call the data in messages.
    times_in_index
        No column of times is needed.
    unnamed
        Position of a nameless column that holds times if no other does: an index that was written to a file.

    Raises
    ------
    DataError
        A column is missing, or two could be meant; lists what is there and what is needed.
    """
    names = [str(label).strip().lower() for label in labels]

    time = None if times_in_index else pick_column(labels, "time", TIME_NAMES, where)
    if time is None and not times_in_index:
        time = unnamed
    found = {field: pick_column(labels, field, accepted, where) for field, accepted in _ALIASES.items()}
    missing = [field for field in COLUMNS[:4] if found[field] is None]
    if time is None and not times_in_index:
        missing.insert(0, "time")
    if missing:
        raise DataError(_missing(labels, names, missing, where))
    if found["volume"] is None:
        near = get_close_matches("volume", names, n=1, cutoff=0.8)
        if near:
            raise DataError(
                f"{where}: there is no column 'volume', but one called {near[0]!r}. Rename it to 'volume' if that is "
                "what it holds, or drop it: without a volume it is taken to be 0."
            )
    prices = (found["open"], found["high"], found["low"], found["close"])
    return Layout(time, prices, found["volume"])  # type: ignore[arg-type]  # none is missing


def pick_column(labels: Sequence[Any], field: str, accepted: Sequence[str], where: str) -> int | None:
    """Return the position of the column that has one of the `accepted` names, upper or lower case; None without one.

    Raises
    ------
    DataError
        Two have.
    """
    places = [place for place, label in enumerate(labels) if str(label).strip().lower() in accepted]
    if len(places) > 1:
        both = " and ".join(repr(labels[place]) for place in places)
        raise DataError(f"{where}: the columns {both} could all be the {field}. Keep the one that is meant.")
    return places[0] if places else None


def _missing(labels: Sequence[Any], names: list[str], missing: list[str], where: str) -> str:
    shown = ", ".join(repr(label) for label in labels[:_MOST_SHOWN]) or "none"
    if len(labels) > _MOST_SHOWN:
        shown += f" and {len(labels) - _MOST_SHOWN} more"
    hint = ""
    if any(isinstance(label, tuple) for label in labels):
        hint = " These have several levels: select one symbol first, such as frame['AAPL'] or frame.xs('AAPL', axis=1)."
    elif labels and all(_is_number(name) for name in names):
        hint = " These are numbers: the first line must name the columns."
    else:
        for field in missing:
            suggestion = did_you_mean(field, names)
            if "Did you mean" in suggestion:
                hint += suggestion.replace("Did you mean", f"For {field!r}, did you mean")
    times = f"a time ({', '.join(TIME_NAMES)})"
    return (
        f"{where}: no column for {', '.join(missing)}. Found: {shown}. Needed: {times}, open, high, low, close, and "
        f"volume if there is one; upper or lower case.{hint}"
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
