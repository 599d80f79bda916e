"""F_FULLFSYNC: what macOS needs for data to survive a loss of power, asked for wherever data is made safe.

The constant is put into ``fcntl`` where the system has none. What Linux answers to it is real: EINVAL, as a file system
answers that does not know it.
"""

from __future__ import annotations

import errno
import fcntl
import os

import pytest

from cambist.ports import Draft
from cambist.storage.journal import Files, Journal

FULL_SYNC = 51  # of macOS, fcntl.h


@pytest.fixture
def full_syncs(monkeypatch):
    """A system that knows F_FULLFSYNC, and no write that is safe at once: the descriptors it was asked for."""
    asked = []
    monkeypatch.setattr(Files, "_writes_safely", False)
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", FULL_SYNC, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", lambda descriptor, command: asked.append((descriptor, command)) or 0)
    return asked


@pytest.fixture
def plain_syncs(monkeypatch):
    """The calls that leave data in the drive's cache on macOS."""
    asked = []

    def counted(function):
        return lambda descriptor: asked.append(function(descriptor))

    for name in ("fsync", "fdatasync"):
        if hasattr(os, name):
            monkeypatch.setattr(os, name, counted(getattr(os, name)))
    return asked


def test_everything_that_is_made_safe_leaves_the_cache_of_the_drive(tmp_path, full_syncs, plain_syncs):
    files = Files()
    descriptor = files.create(tmp_path / "file")
    files.write(descriptor, b"some bytes")
    files.sync(descriptor)
    assert full_syncs == [(descriptor, FULL_SYNC)]
    files.close(descriptor)
    files.sync_folder(tmp_path)
    files.truncate(tmp_path / "file", 4)
    assert [command for _, command in full_syncs] == [FULL_SYNC] * 3
    assert plain_syncs == []
    assert (tmp_path / "file").read_bytes() == b"some"


def test_a_journal_asks_for_it_before_it_promises_anything(tmp_path, full_syncs, plain_syncs):
    with Journal(tmp_path) as journal:
        before = len(full_syncs)
        journal.wait(journal.append([Draft("note", 0, b"safe")]))
        assert len(full_syncs) > before
    assert plain_syncs == []


def test_a_file_system_that_does_not_know_it_gets_the_plain_call(tmp_path, monkeypatch, plain_syncs):
    if hasattr(fcntl, "F_FULLFSYNC"):
        pytest.skip("this system knows the call, and a file system that does not is not at hand")
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", FULL_SYNC, raising=False)
    descriptor = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT)
    with pytest.raises(OSError) as refused:
        fcntl.fcntl(descriptor, FULL_SYNC)
    assert refused.value.errno == errno.EINVAL
    files = Files()
    files.sync(descriptor)
    os.close(descriptor)
    files.sync_folder(tmp_path)
    assert len(plain_syncs) == 2


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC])
def test_a_drive_that_fails_is_not_asked_in_another_way(tmp_path, monkeypatch, full_syncs, plain_syncs, error):
    def fail(_descriptor, _command):
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(fcntl, "fcntl", fail)
    files = Files()
    descriptor = files.create(tmp_path / "file")
    with pytest.raises(OSError) as failed:
        files.sync(descriptor)
    files.close(descriptor)
    assert failed.value.errno == error
    assert plain_syncs == []  # a second call may say that all is well (the kernel forgets what it could not write)
