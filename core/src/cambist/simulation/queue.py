"""Where an order of ours stands in a line that others leave without telling who they were."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["CancelModel", "cancels_behind", "cancels_spread"]

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
