"""The kernel of a run that cheats on the open: it shows strategies the open of a bar before the bar is played."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any

from cambist.engine.step import Kernel
from cambist.errors import InputError
from cambist.model.events import BarOpened

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.engine.step import Seat
    from cambist.indicators.series import Series, SeriesCursor
    from cambist.model.events import RunStarted

__all__ = ["OpeningKernel"]


class OpeningKernel(Kernel):
    """A kernel that is told when bars open, and calls `on_open`; everything else is the same.

    At one instant: `BarOpened` of every bar that closes at it, in declared order, each shown to every strategy; then
    what `Kernel` says. From there on until a bar closes, its open is the last price of its instrument, by which
    positions, equity, sizers and the risk gate reckon.

    The parameters are those of `Kernel`.

    Attributes
    ----------
    watchers
        The strategies that have an `on_open`.
    opened_at
        When the last bar opened, ns, UTC.

    Raises
    ------
    InputError
        If no strategy has an `on_open`.
    """

    shows_opens = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._handlers[BarOpened] = self._bar_opened
        self.watchers = tuple(seat for seat in self.seats if seat.hook("on_open") is not None)
        if not self.watchers:
            names = ", ".join(seat.strategy.name for seat in self.seats)
            raise InputError(
                f"cheat_on_open is True, and {names} has no on_open that it could call. Write one, "
                "def on_open(self, series, price), or leave cheat_on_open out."
            )
        self.opened_at = -(2**63)
        self._opens: list[_OpenPrice] = []
        self._series: dict[str, tuple[Series, ...]] = {
            seat.strategy.name: tuple(seat.strategy.data) for seat in self.watchers
        }

    def _run_started(self, event: RunStarted) -> None:
        # Not before: who tells the last close of a series is settled when the account is joined to the kernel.
        for cursor, instrument in zip(self.seats[0].cursors, self._instruments, strict=True):
            price = _OpenPrice(cursor, self.portfolio.positions[instrument.symbol].price_source)
            self._opens.append(price)
            self.portfolio.set_price_source(instrument.symbol, price)
        super()._run_started(event)

    def _bar_opened(self, event: BarOpened) -> None:
        number = event.series
        self.note_open(number, event.ts, event.price)
        for seat in self.watchers:
            if seat.seen[number] > seat.warm_after[number]:
                self.show_open(seat, number, event.price)

    def note_open(self, number: int, opened: int, price: float) -> None:
        """Learn that a bar of series `number` opened at `opened` (ns, UTC)."""
        self.own_clock.now = self.opened_at = opened
        self._opens[number].note(price)

    def show_open(self, seat: Seat, number: int, price: float) -> None:
        """Show a strategy that a bar of series `number` opened, the bar before being the last that it has seen."""
        desk = seat.desk
        desk.instrument = self._instruments[number]
        seat.strategy.on_open(self._series[seat.strategy.name][number], price)
        desk.instrument = self._single


class _OpenPrice:
    """Answers the open of the bar that is being played, and what it stands before once that bar has closed."""

    __slots__ = ("_cursor", "_last", "_price", "_row", "_window")

    def __init__(self, cursor: SeriesCursor, last: Callable[[], float]) -> None:
        self._cursor = cursor
        self._last = last
        self._price = nan
        self._row, self._window = -1, cursor.window

    def note(self, price: float) -> None:
        """Take the open of a bar; it holds until the cursor moves on, or into another window."""
        self._price = price
        self._row, self._window = self._cursor.row, self._cursor.window

    def __call__(self) -> float:
        cursor = self._cursor
        return self._price if cursor.row == self._row and cursor.window is self._window else self._last()
