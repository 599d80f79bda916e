"""What a result has beside the trading: signals, lines, and snapshots of the account."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import attrs

from cambist.backtest.frames import table_frame
from cambist.backtest.signals import NO_SIGNALS
from cambist.backtest.snapshot_tables import NO_SNAPSHOTS, SnapshotTables

if TYPE_CHECKING:
    import pandas as pd

    from cambist.backtest.tables import Table

__all__ = ["Noted"]


@attrs.define(eq=False, slots=True, kw_only=True, repr=False)
class Noted:
    """The part of a `cambist.Result` that nothing is decided by.

    Attributes
    ----------
    signal_records
        What strategies noted and which lines the run kept; see `cambist.backtest.signals.SIGNALS`.
    snapshot_records
        The account on the schedule of ``snapshots=``; see `cambist.backtest.snapshot_tables`.
    """

    signal_records: Table = NO_SIGNALS
    snapshot_records: SnapshotTables = NO_SNAPSHOTS

    @cached_property
    def signals(self) -> pd.DataFrame:
        """What strategies noted by `Strategy.record_signal`, and the lines of ``record_lines``, by ``ts`` (UTC).

        Columns: ``strategy, name, instrument`` (empty where it was about none)``, value`` (NaN where a text was
        noted)``, text``. A value stands at the time at which it was noted, one of a line at the close of its bar; what
        a line did not know yet is left out. Of several values of one name, instrument and time the last one stands.
        ``signals[signals.name == "fast"].value`` is one of them as a series.
        """
        return table_frame(self.signal_records)

    @cached_property
    def snapshots(self) -> pd.DataFrame:
        """The account at the end of each period of ``backtest(..., snapshots="1h")``, and at the end, by ``ts`` (UTC).

        Columns: ``account`` (empty for the whole, its name for each of several)``, asset`` (empty for all of them; each
        of several has a row, counted in itself)``, currency, equity, cash, margin`` (initial margin that open positions
        need)``, free`` (equity less margin)``, drawdown`` (a fraction, 0 or below; NaN of one asset of several).
        """
        return table_frame(self.snapshot_records.accounts)

    @cached_property
    def position_snapshots(self) -> pd.DataFrame:
        """What was held at the times of `snapshots`, one row for each position that was not flat, by ``ts`` (UTC).

        Columns: ``account, instrument, side`` (of a hedged account; else empty)``, size, average_price, price`` (at
        which it was valued)``, unrealized`` (profit at that price, in the settlement asset).
        """
        return table_frame(self.snapshot_records.holdings)
