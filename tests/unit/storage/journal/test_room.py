"""The zeros behind the last record: room for the next ones, which no reader takes for damage, nor damage for room."""

from __future__ import annotations

import errno
import os
import shutil

import pytest

from cambist.errors import JournalDamagedError, JournalWriteError
from cambist.ports import Draft
from cambist.storage.journal import Files, Journal, JournalFolder, JournalOptions
from cambist.storage.journal.appending import ROOM
from cambist.storage.journal.frames import FRAME, HEADER_SIZE
from cambist.testing import FaultyFiles

NOTE = Draft("note", 1, b"a body of some length")
FRAME_SIZE = FRAME.size + len(b"note") + len(NOTE.body) + 16


def append(journal, count):
    """One record a write."""
    for _ in range(count):
        journal.wait(journal.append([NOTE]))


def segment(folder):
    [path] = folder.glob("*.cbj")
    return path


def problems(folder):
    return [checked.error.code for checked in JournalFolder(folder).check() if checked.error]


def overwrite(path, offset, data):
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


@pytest.fixture
def left(tmp_path):
    """What a process leaves that dies when three records are safe: the folder, and where the records end."""
    with Journal(tmp_path / "running") as journal:
        append(journal, 3)
        while segment(tmp_path / "running").stat().st_size < ROOM:
            pass
        assert problems(tmp_path / "running") == []
        assert len(list(JournalFolder(tmp_path / "running").read())) == 3
        shutil.copytree(tmp_path / "running", tmp_path / "left")
    assert segment(tmp_path / "running").stat().st_size == HEADER_SIZE + 3 * FRAME_SIZE
    return tmp_path / "left", HEADER_SIZE + 3 * FRAME_SIZE


def test_room_is_no_damage_and_goes_when_the_journal_is_opened_again(left):
    folder, end = left
    path = segment(folder)
    assert set(path.read_bytes()[end:]) == {0}
    assert problems(folder) == []
    with Journal(folder, JournalOptions(on_damage="refuse")) as journal:
        assert (journal.recovery.problem, journal.recovery.quarantined) == (None, ())
        assert path.stat().st_size == end
        assert journal.append([NOTE]) == 4
    assert [entry.sequence for entry in JournalFolder(folder).read()] == [1, 2, 3, 4]


@pytest.mark.parametrize(("begin", "size"), [(0, 1), (0, 40), (0, FRAME_SIZE - 1), (50, 19), (FRAME_SIZE - 1, 1)])
def test_a_write_that_was_torn_in_it_is_set_aside(left, begin, size):
    folder, end = left
    whole = segment(folder).read_bytes()[HEADER_SIZE : HEADER_SIZE + FRAME_SIZE]
    overwrite(segment(folder), end + begin, whole[begin : begin + size])
    assert problems(folder) == ["torn_record"]
    assert len(list(JournalFolder(folder).read())) == 3
    with pytest.raises(JournalDamagedError, match="record 4"):
        Journal(folder, JournalOptions(on_damage="refuse"))
    with Journal(folder) as journal:
        assert journal.recovery.problem.code == "torn_record"
        assert journal.last == 3
        append(journal, 1)
    assert problems(folder) == []


def test_a_safe_record_that_became_zeros_is_damage(left):
    folder, _ = left
    overwrite(segment(folder), HEADER_SIZE, bytes(FRAME_SIZE))
    assert problems(folder) == ["bad_record"]
    with pytest.raises(JournalDamagedError, match="record 3 behind it proves that it was safe once"):
        Journal(folder)


def test_room_is_made_ahead_and_ends_with_the_segment(tmp_path):
    wanted = 3 * ROOM // 2
    with Journal(tmp_path, JournalOptions(segment_bytes=wanted, compress=None)) as journal:
        sizes = set()
        for _ in range(wanted // 1_000):
            journal.wait(journal.append([Draft("note", 1, bytes(1_000))]))
            sizes.add(max(tmp_path.glob("*.cbj")).stat().st_size)
        journal.append([NOTE] * 2_000)
        append(journal, 1)
        assert len(list(journal.read())) == journal.last
        closed = min(tmp_path.glob("*.cbj"))
        assert wanted <= closed.stat().st_size < wanted + 150_000
        assert closed.read_bytes()[-1_000:].strip(b"\0")
    assert len(sizes) < 20, "the file grows in steps, and not with every record"
    assert problems(tmp_path) == []


def test_a_disk_without_room_takes_records_as_long_as_they_fit(tmp_path):
    files = FaultyFiles()
    journal = Journal(tmp_path, files=files)
    files.room = 2 * FRAME_SIZE
    append(journal, 1)
    with pytest.raises(JournalWriteError) as caught:
        append(journal, 2)
    assert caught.value.code == "disk_full"
    journal.close()
    with Journal(tmp_path) as again:
        assert again.recovery.problem is None
        assert again.last == 1


def test_room_that_cannot_be_made_safe_ends_the_journal(tmp_path):
    class FailingRoom(Files):
        def write_safely(self, descriptor, data, offset):
            if not any(data):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return super().write_safely(descriptor, data, offset)

    journal = Journal(tmp_path, files=FailingRoom())
    append(journal, 1)
    while journal.failure is None:
        pass
    assert journal.failure.code == "io_error"
    journal.close()


@pytest.mark.skipif(not hasattr(os, "RWF_DSYNC"), reason="this system has no write that is safe at once")
@pytest.mark.parametrize("error", [0, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS])
def test_what_is_written_is_synced_in_one_call_or_in_two(tmp_path, monkeypatch, error):
    flags, syncs = [], []

    def write(descriptor, buffers, offset, how):
        flags.append(how)
        if error:
            raise OSError(error, os.strerror(error))
        return os.pwrite(descriptor, b"".join(buffers), offset)

    monkeypatch.setattr(os, "pwritev", write)
    monkeypatch.setattr(os, "fdatasync", syncs.append)
    files = Files()
    descriptor = files.create(tmp_path / "file")
    assert [files.write_safely(descriptor, b"12345678", at) for at in (0, 8)] == [8, 8]
    files.close(descriptor)
    assert flags == [os.RWF_DSYNC] * (1 if error else 2)
    assert syncs == ([descriptor] * 2 if error else [])
    assert (tmp_path / "file").read_bytes() == b"12345678" * 2


@pytest.mark.skipif(not hasattr(os, "RWF_DSYNC"), reason="this system has no write that is safe at once")
def test_a_disk_that_fails_is_not_asked_again(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "pwritev", fail)
    files = Files()
    descriptor = files.create(tmp_path / "file")
    with pytest.raises(OSError, match="error") as caught:
        files.write_safely(descriptor, b"12345678", 0)
    files.close(descriptor)
    assert caught.value.errno == errno.EIO
    assert (tmp_path / "file").read_bytes() == b""
