"""Where recorded fills and orders belong among the bars of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.errors import DataError, did_you_mean
from cambist.model.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from cambist.backtest.feeds import Feed
    from cambist.backtest.records.fills import RecordedFill
    from cambist.backtest.records.orders import RecordedOrder
    from cambist.model.instrument import Instrument

__all__ = ["Calendar", "DueFill", "Step"]


@attrs.frozen(eq=False, slots=True)
class DueFill:
    """A recorded fill, and when the account has it.

    Attributes
    ----------
    due
        Close of the bar with which it is booked, ns.
    instrument, fill
        Of what, and the record, its size on the grid.
    owner
        The strategy whose it is.
    """

    due: int
    instrument: Instrument
    fill: RecordedFill
    owner: str


@attrs.frozen(eq=False, slots=True)
class Step:
    """One thing that an `OrderHistory` does.

    Attributes
    ----------
    due
        When, ns: the close of a bar, or the open of the first.
    order, symbol
        What it does it with, and for which instrument.
    withdraws
        Whether it cancels the order, or sends it.
    """

    due: int
    order: RecordedOrder
    symbol: str
    withdraws: bool


class Calendar:
    """The bars of a run, as far as records must know them.

    Parameters
    ----------
    feeds
        Its series, whole.
    opens_first
        A fill goes with the first bar that opens at or after it, as in backtrader, and not with the one around it.

    Attributes
    ----------
    off_tick
        Records with prices off the tick of their instrument, by symbol.
    """

    def __init__(self, feeds: Sequence[Feed], *, opens_first: bool) -> None:
        self._opens_first = opens_first
        self._instruments = {feed.instrument.symbol: feed.instrument for feed in feeds}
        self._opens: dict[str, NDArray[np.int64]] = {feed.instrument.symbol: feed.block.ts for feed in feeds}
        self._closes: dict[str, NDArray[np.int64]] = {feed.instrument.symbol: feed.closes for feed in feeds}
        self._instants = np.unique(np.concatenate([feed.closes for feed in feeds]))
        self._start = min(int(feed.block.ts[0]) for feed in feeds)
        self.off_tick: dict[str, list[RecordedFill]] = {}

    # Fills.

    def fills(self, records: Sequence[RecordedFill], owner: str) -> Iterator[DueFill]:
        """Yield recorded fills with the bars they belong to.

        Raises
        ------
        DataError
            For an instrument that the run does not have, a time outside its bars, or a size off its step.
        """
        for record in records:
            instrument = self._instrument(record)
            due = self._due(record, instrument.symbol)
            size = self._on_step(record, instrument)
            grid = instrument.price_grid
            if grid is not None and not grid.holds(record.price):
                self.off_tick.setdefault(instrument.symbol, []).append(record)
            yield DueFill(due, instrument, attrs.evolve(record, size=size), owner)

    def _due(self, record: RecordedFill, symbol: str) -> int:
        opens, closes = self._opens[symbol], self._closes[symbol]
        inside = opens[0] <= record.ts <= closes[-1]
        if record.known_at is not None:
            # Of any instrument: what is sent from word of a fill may trade while another one's bar is matched.
            closes = self._instants
            row = int(np.searchsorted(closes, record.known_at))
        elif self._opens_first:
            row = int(np.searchsorted(opens, record.ts))
        else:
            row = int(np.searchsorted(opens, record.ts, side="right")) - 1
            row += bool(record.ts > closes[row])
        if not inside or row >= len(closes):
            last = opens[-1] if self._opens_first and record.known_at is None else self._closes[symbol][-1]
            raise self._outside(record, symbol, int(opens[0]), int(last))
        return int(closes[row])

    def _on_step(self, record: RecordedFill, instrument: Instrument) -> float:
        grid = instrument.size_grid
        if not grid.holds(record.size):
            raise DataError(
                f"{record.where}: the size {record.size:g} is off the step {instrument.step_size} of "
                f"{instrument.symbol}, so that no position could hold it. Give the instrument its real step_size, or "
                "correct the record."
            )
        return grid.nearest(record.size)

    # Orders.

    def steps(self, records: Sequence[RecordedOrder]) -> list[Step]:
        """Return what is to be done to send recorded orders again, and to withdraw them, in that order.

        Raises
        ------
        DataError
            For an instrument that the run does not have, or a time outside its bars.
        """
        steps: list[tuple[tuple[int, int, int], Step]] = []
        for record in records:
            symbol = self._instrument(record).symbol
            if not self._start <= record.ts <= self._instants[-1]:
                raise self._outside(record, "the run", self._start, int(self._instants[-1]))
            sent = self._instant(record.ts, symbol)
            steps.append(((sent, 1, record.place), Step(sent, record, symbol, withdraws=False)))
            if record.canceled_at is not None:
                due = max(sent, self._instant(record.canceled_at, symbol))
                # What is sent and withdrawn at one time is sent first; else room is made for what is sent.
                rank = 2 if due == sent else 0
                steps.append(((due, rank, record.place), Step(due, record, symbol, withdraws=True)))
        return [step for _, step in sorted(steps, key=lambda one: one[0])]

    def _instant(self, ts: int, symbol: str) -> int:
        """Return the time at which to do what was done at `ts`.

        That is the first close not before it, unless a bar of the instrument opens in between: then the last close
        before that bar, or the start of the run.
        """
        opens, instants = self._opens[symbol], self._instants
        following = int(np.searchsorted(instants, ts))
        coming = int(np.searchsorted(opens, ts))
        if coming == len(opens):
            return int(instants[following]) if following < len(instants) else ts
        if following < len(instants) and instants[following] <= opens[coming]:
            return int(instants[following])
        before = int(np.searchsorted(instants, opens[coming], side="right")) - 1
        return self._start if before < 0 else int(instants[before])

    # Both.

    def _instrument(self, record: RecordedFill | RecordedOrder) -> Instrument:
        known, said = self._instruments, record.symbol
        if said in known:
            return known[said]
        listed = list(known.values())
        if not said:
            if len(listed) == 1:
                return listed[0]
            raise DataError(
                f"{record.where}: it does not say of which instrument it is, and the run has {', '.join(known)}. "
                "Add a column symbol."
            )
        if said.isdecimal() and int(said) < len(listed):  # backtrader's number of a data feed
            return listed[int(said)]
        raise DataError(f"{record.where}: the run has no instrument {said!r}.{did_you_mean(said, list(known))}")

    def _outside(self, record: RecordedFill | RecordedOrder, whose: str, first: int, last: int) -> DataError:
        return DataError(
            f"{record.where}: its time lies outside the bars of {whose}, which take records from {format_ns(first)} to "
            f"{format_ns(last)}. Give more bars, or leave it out."
        )
