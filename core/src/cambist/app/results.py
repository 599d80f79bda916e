"""A run by what people call it: the folder of a result or of a journal, or a storage and the run in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cambist.app.storage import opened_storage, project, storage_keeps
from cambist.errors import InputError, ResultError

if TYPE_CHECKING:
    from os import PathLike

    from cambist.backtest.result import Result
    from cambist.model import Bars
    from cambist.plugins.registry import Registry
    from cambist.ports.storage import RunRecord, Storage

__all__ = ["is_stored", "load_run"]

_SHOWN = 10


def is_stored(name: str | PathLike[str]) -> bool:
    """Tell whether a name is that of a run in a storage, and not of a folder."""
    return isinstance(name, str) and ":" in name and not Path(name).exists()


def load_run(name: str | PathLike[str], registry: Registry | None = None) -> Result:
    """Return a run of which a folder or a storage tells: a backtest, or a paper or live run as far as it got.

    What storages and journals have is less than a saved result: see `cambist.backtest.stored.result_of_run`. Bars that
    the same storage keeps of the run's instruments come with it.

    Parameters
    ----------
    name
        A folder that a result was saved in, or that of a journal, which may be in use; or ``URL#RUN``: a storage and
        the id of a run in it, which may be left out where there is one.
    registry
        Knows the storages; what is installed when left out.

    Raises
    ------
    InputError
        There is no such folder.
    ResultError
        There is no such result or run, or several where one was meant; names what there is.
    ConfigError, PluginError, StorageError, JournalError
        The URL cannot be read, nobody offers its scheme, or it cannot be opened; the journal cannot be read.

    Examples
    --------
    >>> import cambist
    >>> from cambist.strategies.examples.sma_cross import SmaCross
    >>> result = cambist.backtest(SmaCross(fast=5), bars)
    >>> folder = result.save("kept")
    >>> cambist.load_run("kept").run_id == result.run_id
    True
    """
    if not is_stored(name):
        from cambist.backtest.load import load_result
        from cambist.storage.journal import JournalFolder

        folder = Path(name)
        if not folder.is_dir():
            raise InputError(
                f"there is no folder {str(name)!r}. Give one with a result or a journal in it, or a storage and a run "
                "in it, as sqlite:///runs.db#RUN."
            )
        return _of_journal(folder) if JournalFolder.is_at(folder) else load_result(folder)
    from cambist.backtest.stored import result_of_run
    from cambist.plugins.registry import Registry

    known = registry or Registry.discover()
    url, _, wanted = str(name).partition("#")
    with opened_storage(url, known, "runs", existing=True) as storage:
        record = _chosen(storage.runs.runs(), wanted)
        bars = _bars_of(record, storage) if storage_keeps(url, known, "bars") else []
        return result_of_run(storage.runs, record.id, bars)


def _of_journal(folder: Path) -> Result:
    """Return the run that a journal tells of; one that has no snapshot yet as it stands at the last record."""
    from cambist.backtest.stored import result_of_run
    from cambist.engine.rows import account_rows
    from cambist.ports.rows import AccountRow
    from cambist.storage.memory import MemoryRunStore

    store = MemoryRunStore()
    maker = project(folder, store, "journal")
    priced = maker.valued and next(store.rows(maker.run_id, AccountRow), None) is not None
    if not priced:
        store.write(maker.run_id, list(account_rows(maker.state.accounts, maker.state.ts)), maker.sequence + 1)
    notes = () if priced else ("no snapshot yet: what is held counts at the price of its last execution.",)
    return result_of_run(store, maker.run_id, notes=notes)


def _chosen(runs: list[RunRecord], wanted: str) -> RunRecord:
    found = [run for run in runs if run.id == wanted or not wanted]
    if len(found) == 1:
        return found[0]
    newest = sorted(runs, key=lambda run: (run.stored_at, run.started_at), reverse=True)[:_SHOWN]
    known = "; ".join(f"{run.id} ({run.mode}: {run.title})" for run in newest)
    more = f" and {len(runs) - _SHOWN} older ones" if len(runs) > _SHOWN else ""
    if not runs:
        raise ResultError("this storage holds no run yet.")
    if wanted:
        raise ResultError(f"this storage holds no run {wanted!r}. There are: {known}{more}.")
    raise ResultError(
        f"this storage holds {len(runs)} runs. Add which one to its URL, as #{newest[0].id}: {known}{more}."
    )


def _bars_of(record: RunRecord, storage: Storage) -> list[Bars]:
    """Return the bars of a run's time that the storage keeps beside it, of each instrument the finest."""
    venues = {str(one["symbol"]): one.get("venue") or "" for one in record.instruments}
    finest = {}
    for series in sorted(storage.bars.series(), key=lambda one: one.key.timeframe.shortest, reverse=True):
        if venues.get(series.key.symbol) == series.key.venue:
            finest[series.key.symbol] = series.key
    found = (storage.bars.read(key, record.started_at, record.ended_at) for key in finest.values())
    return [bars for bars in found if bars is not None]
