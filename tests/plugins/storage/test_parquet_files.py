"""What a folder of Parquet files goes through: crashes at every step of a write, kills, damage, full disks."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cambist.api import BarKey, ConfigError, StorageError
from cambist.model import Bars, Instrument
from cambist_storage.parquet import files
from cambist_storage.parquet.store import ParquetBarStore, ParquetStorage

_MINUTE = 60_000_000_000
#: An hour before the end of a month.
_START = pd.Timestamp("2024-01-31 23:00", tz="UTC").value
_KEY = BarKey("BTC/USDT", "1m")


def bars(count, close, first=0):
    ts = _START + np.arange(first, first + count) * _MINUTE
    return Bars(Instrument(symbol="BTC/USDT"), "1m", ts, *([np.full(count, close)] * 5))


def folder_of(root):
    return root / "_" / "BTC%2FUSDT" / "1m"


class _Killed(BaseException):
    """The process ends here."""


class _Steps:
    """Ends the process at the n-th step that leaves a mark on the disk."""

    def __init__(self, monkeypatch, last):
        self.left = last
        self.taken = 0
        for owner, name in ((os, "fsync"), (Path, "replace"), (Path, "unlink")):
            monkeypatch.setattr(owner, name, self._counted(getattr(owner, name)))

    def _counted(self, function):
        def call(*args, **kwargs):
            if self.left == 0:
                raise _Killed
            self.left -= 1
            self.taken += 1
            return function(*args, **kwargs)

        return call


def _steps_of_a_revision(tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        store = ParquetBarStore(tmp_path)
        store.write(bars(120, 1.0))
        counter = _Steps(patch, 10_000)
        store.write(bars(120, 2.0))
        return counter.taken


def test_a_crash_at_any_step_leaves_the_old_bars_or_the_new_ones(tmp_path):
    steps = _steps_of_a_revision(tmp_path / "count")
    assert steps >= 9  # two files, two folder entries, the manifest, two old files
    found = []
    for last in range(steps):
        root = tmp_path / str(last)
        ParquetBarStore(root).write(bars(120, 1.0))
        with pytest.MonkeyPatch.context() as patch:
            _Steps(patch, last)
            with pytest.raises(_Killed):
                ParquetBarStore(root).write(bars(120, 2.0))
        store = ParquetBarStore(root)
        (close,) = set(store.read(_KEY).close.tolist())
        found.append(close)
        # The next writer finishes, and clears away what the crash left.
        store.write(bars(120, 3.0))
        assert set(store.read(_KEY).close.tolist()) == {3.0}
        names = {path.name for path in folder_of(root).iterdir()}
        assert len(names) == 4, names  # manifest, lock, two months
    assert found == sorted(found)  # once new, never old again
    assert set(found) == {1.0, 2.0}


_WRITER = """
import sys
from pathlib import Path
import numpy as np
from cambist.model import Bars, Instrument
from cambist_storage.parquet.store import ParquetBarStore
store = ParquetBarStore(Path(sys.argv[1]))
start, version = int(sys.argv[2]), 1.0
while True:
    ts = start + np.arange(120) * 60_000_000_000
    store.write(Bars(Instrument(symbol="BTC/USDT"), "1m", ts, *([np.full(120, version)] * 5)))
    print(version, flush=True)
    version += 1.0
"""


def test_killed_writers_leave_whole_versions(tmp_path):
    last = 0.0
    for number in range(4):
        child = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path / "bars"), str(_START)], stdout=subprocess.PIPE, text=True
        )
        acknowledged = [float(child.stdout.readline()) for _ in range(5)]
        time.sleep(0.003 * number)
        child.kill()
        acknowledged += [float(line) for line in child.stdout.read().split("\n")[:-1]]
        child.wait()
        child.stdout.close()
        found = ParquetBarStore(tmp_path / "bars").read(_KEY)
        assert len(found) == 120
        (close,) = set(found.close.tolist())
        assert acknowledged[-1] <= close <= acknowledged[-1] + 1.0
        last = max(last, close)
    assert last >= 5.0


def test_any_reader_of_parquet_reads_the_files(tmp_path):
    ParquetBarStore(tmp_path).write(bars(120, 2.5))
    paths = sorted(folder_of(tmp_path).glob("*.parquet"))
    assert [path.name[:7] for path in paths] == ["2024-01", "2024-02"]
    frame = pd.concat([pd.read_parquet(path) for path in paths])
    assert frame["ts"].tolist() == bars(120, 2.5).ts.tolist()
    assert frame.columns.tolist() == ["ts", "open", "high", "low", "close", "volume"]


def test_bars_of_a_day_share_a_file_a_year(tmp_path):
    ts = pd.date_range("2019-01-01", "2024-12-31", freq="D", tz="UTC").as_unit("ns").asi8
    series = Bars(Instrument(symbol="AAPL"), "1d", ts, *([np.full(len(ts), 7.0)] * 5))
    store = ParquetBarStore(tmp_path)
    store.write(series)
    assert len(list(tmp_path.rglob("*.parquet"))) == 6
    assert np.array_equal(store.read(BarKey.of(series)).ts, ts)


def _first_file(root):
    return min(folder_of(root).glob("*.parquet"))


def _flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _cut(path):
    path.write_bytes(path.read_bytes()[:-10])


def _exchange(path):
    pd.DataFrame({"a": [1]}).to_parquet(path)


@pytest.mark.parametrize("harm", [_flip, _cut, _exchange, Path.unlink])
def test_a_damaged_file_is_named_and_never_read(tmp_path, harm):
    store = ParquetBarStore(tmp_path)
    store.write(bars(120, 1.0))
    path = _first_file(tmp_path)
    harm(path)
    with pytest.raises(StorageError, match="damaged") as caught:
        store.read(_KEY)
    assert str(path) in str(caught.value)
    with pytest.raises(StorageError):
        store.write(bars(120, 2.0))
    # The month that is whole can still be had.
    february = pd.Timestamp("2024-02-01", tz="UTC").value
    assert len(store.read(_KEY, start=february)) == 60


def test_a_damaged_manifest_is_named(tmp_path):
    store = ParquetBarStore(tmp_path)
    store.write(bars(120, 1.0))
    path = folder_of(tmp_path) / "manifest.json"
    path.write_text(path.read_text().replace('"rows":60', '"rows":61', 1))
    with pytest.raises(StorageError, match="checksum") as caught:
        store.read(_KEY)
    assert str(path) in str(caught.value)
    path.write_text("{")
    with pytest.raises(StorageError, match="damaged"):
        store.series()


def test_a_newer_format_is_not_guessed_at(tmp_path):
    store = ParquetBarStore(tmp_path)
    store.write(bars(120, 1.0))
    path = folder_of(tmp_path) / "manifest.json"
    document = json.loads(path.read_text())
    document["format"] = 2
    path.write_text(json.dumps(document))
    with pytest.raises(StorageError, match="Upgrade cambist-storage"):
        store.read(_KEY)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_disk_that_refuses_loses_nothing(tmp_path, monkeypatch, code):
    store = ParquetBarStore(tmp_path)
    store.write(bars(120, 1.0))

    def refuse(_handle):
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", refuse)
        with pytest.raises(StorageError, match=os.strerror(code)) as caught:
            store.write(bars(120, 2.0))
    assert str(tmp_path) in str(caught.value)
    assert set(store.read(_KEY).close.tolist()) == {1.0}
    store.write(bars(120, 2.0))
    assert set(store.read(_KEY).close.tolist()) == {2.0}


def test_a_writer_waits_for_another_and_says_for_which(tmp_path, monkeypatch):
    store = ParquetBarStore(tmp_path)
    store.write(bars(10, 1.0))
    monkeypatch.setattr(files, "_WAIT_SECONDS", 0.0)
    lock = folder_of(tmp_path) / "lock"
    with files.locked(lock), pytest.raises(StorageError, match="another process") as caught:
        store.write(bars(10, 2.0))
    assert str(lock) in str(caught.value)
    store.write(bars(10, 2.0))


def test_where_there_is_no_fcntl_the_lock_of_windows_keeps_writers_apart(tmp_path, monkeypatch):
    """The interface is that of Windows, and a real lock is behind it, which the system lets go of with the file."""
    import fcntl

    class Windows:
        LK_NBLCK = 2

        @staticmethod
        def locking(descriptor, mode, count):
            assert (mode, count) == (Windows.LK_NBLCK, 1)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OSError(errno.EACCES, os.strerror(errno.EACCES)) from None

    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", Windows)
    monkeypatch.setattr(files, "_WAIT_SECONDS", 0.0)
    store = ParquetBarStore(tmp_path)
    store.write(bars(10, 1.0))
    with files.locked(folder_of(tmp_path) / "lock"), pytest.raises(StorageError, match="another process"):
        store.write(bars(10, 2.0))
    store.write(bars(10, 2.0))
    assert store.read(_KEY).close[0] == 2.0


def test_registering_the_plugin_and_its_parquet_store_needs_no_fcntl():
    code = (
        "import sys; sys.modules['fcntl'] = None\n"
        "import cambist_storage.plugin, cambist_storage.parquet.store, cambist.storage.journal\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_file_is_no_folder(tmp_path):
    path = tmp_path / "bars"
    path.write_text("")
    with pytest.raises(StorageError, match="this is a file"):
        ParquetBarStore(path)


@pytest.mark.parametrize("url", ["parquet://", "parquet:///", "parquet:folder", "csv:///folder"])
def test_a_url_without_a_folder_is_refused(url):
    with pytest.raises(ConfigError, match="parquet:///folder"):
        ParquetStorage(url)


def test_the_url_gives_relative_and_absolute_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ParquetStorage("parquet:///here").bars.write(bars(3, 1.0))
    assert (tmp_path / "here" / "_").is_dir()
    assert len(ParquetStorage(f"parquet:///{tmp_path / 'here'}").bars.read(_KEY)) == 3
    with pytest.raises(ConfigError, match="sqlite"):
        ParquetStorage("parquet:///here").runs  # noqa: B018
    with pytest.raises(ConfigError, match="sqlite"):
        ParquetStorage("parquet:///here").state  # noqa: B018
