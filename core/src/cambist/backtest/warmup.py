"""How a strategy sees the bars before its indicators are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.engine.step import WARMING

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.engine.step import Seat
    from cambist.indicators.series import BarView

__all__ = ["warmup_hook"]


def warmup_hook(seat: Seat, number: int) -> Callable[[BarView], None]:
    """Return what shows a strategy such a bar of a series, with its orders refused."""
    if seat.hook("on_warmup_bar") is None:
        return _ignore
    hook = seat.on_warmup_bar[number]

    def show(bar: BarView) -> None:
        seat.desk.refusing = WARMING
        hook(bar)
        seat.desk.refusing = ""

    return show


def _ignore(_bar: BarView) -> None:
    """Take a bar that nobody wants."""
