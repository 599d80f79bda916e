"""Readers, retention, snapshots and the lock."""

from __future__ import annotations

import inspect
import os
import socket
import subprocess
import sys

import msgspec
import pytest

from cambist.errors import InputError, JournalError, JournalLockedError, JournalWriteError
from cambist.ports import Draft, JournalCursor, JournalReader
from cambist.storage.journal import Journal, JournalFolder, JournalOptions
from cambist.storage.journal.cursors import Cursor

PACKED = JournalOptions(segment_bytes=300, compress="zlib")


def fill(journal, count):
    for number in range(count):
        journal.append([Draft("note", number, b"x" * 50)])
        journal.wait()


def numbers(entries):
    return [entry.sequence for entry in entries]


def test_the_promise_to_projections_is_kept():
    for promise, maker in ((JournalReader, Journal), (JournalCursor, Cursor)):
        promised = {name: one for name, one in vars(promise).items() if not name.startswith("_")}
        assert len(promised) >= 3
        for name, one in promised.items():
            given = getattr(maker, name)
            if isinstance(one, property):
                assert isinstance(given, property)
            else:
                assert list(inspect.signature(given).parameters) == list(inspect.signature(one).parameters)


def test_a_projection_reads_on_where_it_was(tmp_path):
    with Journal(tmp_path, PACKED) as journal:
        cursor = journal.cursor("sql")
        assert (cursor.sequence, cursor.rewound_from) == (0, None)
        fill(journal, 7)
        seen = numbers(journal.read(cursor.sequence + 1))
        cursor.advance(seen[-1])
        assert numbers(journal.read(cursor.sequence + 1)) == []
        fill(journal, 7)
        seen += numbers(journal.read(cursor.sequence + 1))
        cursor.advance(seen[-1])
    with Journal(tmp_path) as journal:
        assert seen == list(range(1, 15))
        assert journal.cursor("sql").sequence == 14


def test_reading_on_reads_only_what_is_new(tmp_path, monkeypatch):
    with Journal(tmp_path) as journal:
        fill(journal, 20)
        assert len(list(journal.read(1))) == 20
        read = []
        original = type(journal._files).read
        monkeypatch.setattr(
            type(journal._files),
            "read",
            lambda self, path, offset=0, size=-1: (read.append(offset), original(self, path, offset, size))[1],
        )
        fill(journal, 1)
        assert numbers(journal.read(21)) == [21]
        assert min(read) > 20 * 50, "it began at the start of the segment again"


def test_what_is_not_there_is_an_error(tmp_path):
    with Journal(tmp_path) as journal:
        assert list(journal.read()) == []
        fill(journal, 3)
        assert list(journal.read(4)) == []
        for start, error in ((5, JournalError), (0, InputError)):
            with pytest.raises(error):
                journal.read(start)
    beside = JournalFolder(tmp_path)
    assert list(beside.read(4)) == []
    with pytest.raises(JournalError, match="the newest is 3"):
        list(beside.read(9))


def test_a_cursor_moves_forward_and_never_beyond_what_is_safe(tmp_path):
    with Journal(tmp_path) as journal:
        fill(journal, 5)
        cursor = journal.cursor("sql")
        cursor.advance(3)
        for wrong in (2, 6):
            with pytest.raises(InputError, match="moves forward alone"):
                cursor.advance(wrong)
        for name in ("", "Sql", "a/b", "../x", "a" * 65):
            with pytest.raises(InputError, match="cannot be called"):
                journal.cursor(name)
        assert [(state.name, state.sequence) for state in JournalFolder(tmp_path).cursors()] == [("sql", 3)]
        cursor.forget()
        assert JournalFolder(tmp_path).cursors() == []


def test_old_segments_are_compressed_and_read_as_before(tmp_path):
    for how in ("zlib", "lzma"):
        folder = tmp_path / how
        with Journal(folder, JournalOptions(segment_bytes=2_000, compress=None)) as journal:
            fill(journal, 60)
        before = sum(path.stat().st_size for path in folder.glob("*.cbj*"))
        with Journal(folder, JournalOptions(compress=how)) as journal:
            journal.tidy()
            assert len(list(folder.glob("*.cbjz"))) >= 2
            assert len(list(folder.glob("*.cbj"))) == 1
            assert numbers(journal.read()) == list(range(1, 61))
        assert sum(path.stat().st_size for path in folder.glob("*.cbj*")) < 0.7 * before
        assert [checked.error for checked in JournalFolder(folder).check() if checked.error] == []


def test_retention_waits_for_readers_and_snapshots(tmp_path):
    with Journal(tmp_path, PACKED) as journal:
        fill(journal, 30)
        assert journal.prune(before=25) == 1, "no snapshot holds what would go"
        journal.snapshots.save(20, b"state")
        journal.cursor("slow").advance(10)
        journal.snapshots.save(28, b"state")
        first = journal.prune()
        assert 1 < first <= 11
        journal.cursor("slow").advance(30)
        assert first < journal.prune(before=15) <= 15
        assert 15 < journal.prune() <= 21
        first = journal.first
        assert numbers(journal.read(first)) == list(range(first, 31))
        with pytest.raises(JournalError, match=f"the oldest is {first}"):
            journal.read(first - 1)
        assert journal.cursor("new").sequence == first - 1
    with Journal(tmp_path, PACKED) as journal:
        assert journal.first == first
        assert JournalFolder(tmp_path).first == first
        assert [checked.error for checked in JournalFolder(tmp_path).check() if checked.error] == []


def test_a_removal_that_was_cut_short_is_finished(tmp_path):
    with Journal(tmp_path, JournalOptions(segment_bytes=300, compress=None)) as journal:
        fill(journal, 30)
        journal.snapshots.save(30, b"state")
        oldest = min(tmp_path.glob("*.cbj"))
        content = oldest.read_bytes()
        journal.prune()
    oldest.write_bytes(content)
    with Journal(tmp_path) as journal:
        assert not oldest.exists()
        assert journal.first > 1


def test_snapshots_are_of_what_is_safe_and_the_newest_stay(tmp_path):
    with Journal(tmp_path) as journal:
        fill(journal, 9)
        with pytest.raises(InputError, match="Wait for it first"):
            journal.snapshots.save(10, b"")
        for number in (3, 5, 8):
            journal.snapshots.save(number, b"state" * number, version=number)
        assert journal.snapshots.sequences() == [5, 8]
        assert journal.snapshots.newest(5).data == b"state" * 5
        assert journal.snapshots.newest(8, up_to=7) is None
    assert JournalFolder(tmp_path).snapshots.read(8).sequence == 8


HOLD = """
import sys
from cambist.storage.journal import Journal
journal = Journal(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_refused_until_the_first_is_dead(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(JournalLockedError) as caught:
            Journal(tmp_path)
        message = str(caught.value)
        assert f"process {holder.pid} on {socket.gethostname()}, for " in message
        assert caught.value.code == "locked"
        assert list(JournalFolder(tmp_path).read()) == [], "who only reads needs no lock"
    finally:
        holder.kill()
        holder.wait()
        holder.stdin.close()
        holder.stdout.close()
    with Journal(tmp_path) as journal:
        assert journal.recovery.left_by.pid == holder.pid
    with Journal(tmp_path) as journal:
        assert journal.recovery.left_by is None


def test_one_process_opens_a_journal_once(tmp_path):
    with Journal(tmp_path):
        with pytest.raises(JournalLockedError, match=f"process {os.getpid()} "):
            Journal(tmp_path)
        owner = msgspec.json.decode((tmp_path / "lock").read_bytes())
        assert owner["pid"] == os.getpid()
    Journal(tmp_path).close()


FORK = """
import os, sys
from cambist.errors import JournalWriteError
from cambist.ports import Draft
from cambist.storage.journal import Journal
journal = Journal(sys.argv[1])
child = os.fork()
if child == 0:
    try:
        journal.append([Draft("k", 0, b"")])
    except JournalWriteError as error:
        print(error, flush=True)
    sys.stdin.read()
    os._exit(0)
print(child, flush=True)
os._exit(0)
"""


def test_a_forked_child_neither_writes_nor_keeps_the_lock(tmp_path):
    parent = subprocess.Popen(
        [sys.executable, "-c", FORK, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    lines = {parent.stdout.readline(), parent.stdout.readline()}
    parent.wait()
    assert any("this one forked" in line for line in lines)
    with Journal(tmp_path) as journal:  # the child still lives
        assert journal.last == 0
        assert journal.recovery.left_by.pid == parent.pid
    parent.stdin.close()
    parent.stdout.close()


def test_a_journal_that_was_not_closed_is_no_failure(tmp_path):
    journal = Journal(tmp_path)
    fill(journal, 2)
    journal._lock.drop()
    with Journal(tmp_path) as again:
        assert again.last == 2
        assert again.recovery.left_by.pid == os.getpid()
    journal.close()
    with pytest.raises(JournalWriteError):
        journal.append([Draft("k", 0, b"")])
