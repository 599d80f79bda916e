"""What the cache knows of a series beside its bars: which times its source was asked for, and what it took back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cambist.data.cache.ranges import Ranges, merged
from cambist.errors import StorageError

if TYPE_CHECKING:
    from cambist.ports.bars import BarKey
    from cambist.ports.storage import StateStore

__all__ = ["FORMAT", "Ledger", "LedgerBook", "Revision"]

#: Of a ledger. It grows when a reader of the older one would misread the newer.
FORMAT = 1


class Revision(msgspec.Struct, frozen=True):
    """The source told something else than before.

    Attributes
    ----------
    number
        From 1 on; its bars are the series of the venue's name with ``~number`` behind it.
    seen
        When, ns, UTC, by this machine's clock.
    bars
        How many bars it told otherwise; each stands in the revision as it is told now.
    withdrawn
        Times of bars that it has no more; they stay where they are.
    """

    number: int
    seen: int
    bars: int = 0
    withdrawn: Ranges = ()


class Ledger(msgspec.Struct, frozen=True):
    """What is known of a series.

    Attributes
    ----------
    format
        See `FORMAT`.
    name
        Of the series.
    origin
        Where its bars were fetched; see `cambist.api.HistoryFetcher.origin`.
    columns
        What the source delivers of a bar.
    rows
        How many bars are there at least: after a crash there may be more.
    covered
        Times of which the source has told everything: where there is no bar in them, it has none.
    revisions
        In the order in which they were seen.
    """

    format: int
    name: str
    origin: str
    columns: tuple[str, ...] = ()
    rows: int = 0
    covered: Ranges = ()
    revisions: tuple[Revision, ...] = ()

    def with_covered(self, start: int, end: int) -> Ledger:
        """Return the ledger after everything in ``[start, end)`` was told."""
        return msgspec.structs.replace(self, covered=merged([*self.covered, (start, end)]))

    def with_bars(self, rows: int, columns: tuple[str, ...]) -> Ledger:
        """Return the ledger with more bars, and with what the source delivers of each, where that is known."""
        return msgspec.structs.replace(self, rows=self.rows + rows, columns=columns or self.columns)

    def with_revision(self, revision: Revision) -> Ledger:
        """Return the ledger with a revision added, or with what another piece adds to its last one."""
        others = tuple(one for one in self.revisions if one.number != revision.number)
        before = next((one for one in self.revisions if one.number == revision.number), Revision(0, 0))
        one = msgspec.structs.replace(
            revision, bars=revision.bars + before.bars, withdrawn=merged([*before.withdrawn, *revision.withdrawn])
        )
        return msgspec.structs.replace(self, revisions=(*others, one))


class LedgerBook:
    """The ledgers of all series, in a state store: each is checksummed there, and replaced as a whole.

    Parameters
    ----------
    state
        Keeps them.
    """

    def __init__(self, state: StateStore) -> None:
        self._state = state

    def get(self, key: BarKey) -> Ledger | None:
        """Return the ledger of a series, or None where there is none.

        Raises
        ------
        StateUnusableError, StorageError
            It is damaged, or was written by a newer version.
        """
        data = self._state.get(_name(key))
        if data is None:
            return None
        try:
            format_ = msgspec.json.decode(data, type=_Head).format
            if format_ > FORMAT:
                raise StorageError(
                    f"{key}: a newer Cambist wrote what the cache knows of this series, in format {format_}; this one "
                    f"reads up to {FORMAT}. Upgrade Cambist, or use another folder."
                )
            return msgspec.json.decode(data, type=Ledger)
        except msgspec.MsgspecError as error:
            raise StorageError(
                f"{key}: what the cache knows of this series cannot be read: {error}. Delete the series "
                "(cambist data delete) and fetch it again."
            ) from error

    def put(self, key: BarKey, ledger: Ledger) -> None:
        """Keep the ledger of a series."""
        self._state.put(_name(key), msgspec.json.encode(ledger))

    def delete(self, key: BarKey) -> None:
        """Forget the ledger of a series."""
        self._state.delete(_name(key))

    def names(self) -> set[str]:
        """Return the names of all series that have one."""
        return set(self._state.names())


class _Head(msgspec.Struct):
    format: int


def _name(key: BarKey) -> str:
    return str(key)
