"""Where an order of ours stands in a line that others leave without telling who they were."""

from __future__ import annotations

from collections.abc import Callable

from cambist.errors import ParameterError, did_you_mean

__all__ = ["CancelModel", "cancel_model", "cancels_behind", "cancels_spread"]

#: ``(ahead, canceled, size) -> ahead``: lots ahead of ours after `canceled` of the level's `size` lots were withdrawn.
#: ``0 <= ahead <= size`` and ``0 < canceled <= size`` going in.
CancelModel = Callable[[int, int, int], int]


def cancels_behind(ahead: int, canceled: int, size: int) -> int:
    """Take everybody who leaves to have stood behind us, for as long as there is anybody: the pessimistic model."""
    return min(ahead, size - canceled)


def cancels_spread(ahead: int, canceled: int, size: int) -> int:
    """Take those who leave to have stood anywhere in the line with equal chance; rounded to our disadvantage.

    Notes
    -----
    The share of the level that stands ahead stays the same through cancels; see E. Rigtorp, "Estimating order queue
    position" (2013), the case f(x) = x.
    """
    return ahead - ahead * canceled // size


_NAMED: dict[str, CancelModel] = {"behind": cancels_behind, "spread": cancels_spread}


def cancel_model(said: str | CancelModel) -> CancelModel:
    """Return what was meant: ``"behind"``, ``"spread"``, or a function.

    Raises
    ------
    ParameterError
        If it is none of these.
    """
    if callable(said):
        return said
    if said not in _NAMED:
        raise ParameterError(f"book_cancels is {said!r}.{did_you_mean(str(said), _NAMED)}")
    return _NAMED[said]
