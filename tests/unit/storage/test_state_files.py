"""State in files: the shipped suite, a machine that dies at every operation, damage, refusals of the disk."""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import random
import shutil
import string
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from cambist.errors import ConfigError, StateUnusableError, StorageError
from cambist.plugins.registry import Registry
from cambist.storage import state_files
from cambist.storage.state_files import FileStateStore, FileStorage
from cambist.storage.state_format import file_name, is_shortened, name_of, pack
from cambist.testing import CrashingFiles, FaultyFiles, StateStoreTests
from cambist.testing.kills import killed_writers


class TestFiles(StateStoreTests):
    @pytest.fixture
    def open_state(self, tmp_path):
        return lambda: FileStateStore(tmp_path / "state")


# Names.


@given(st.text(st.characters(), max_size=300))
@example("con")
@example(".")
@example("x" * 109 + "é")
def test_a_name_becomes_one_file_name_that_every_file_system_takes(name):
    file = file_name(name)
    assert len(file) <= 143 - len(".tmp")
    assert set(file) <= set(string.ascii_lowercase + string.digits + "_-%~.")
    assert file.startswith("_")
    assert file.count(".") == 1
    assert name_of(file) == name or (name_of(file) is None and is_shortened(file))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("BOOK", "book"),
        ("é", "e\u0301"),
        ("a/b", "a%2fb"),
        ("a/b", "a%2Fb"),
        ("x" * 500 + "1", "x" * 500 + "2"),
        ("Ä" * 400, "ä" * 400),
        ("", "_"),
    ],
)
def test_names_that_a_file_system_may_take_for_the_same_are_kept_apart(tmp_path, one, other):
    assert file_name(one).casefold() != file_name(other).casefold()
    state = FileStateStore(tmp_path)
    state.put(one, b"1")
    state.put(other, b"2")
    assert (state.get(one), state.get(other)) == (b"1", b"2")
    assert state.names() == sorted([one, other])
    state.delete(one)
    assert (state.get(one), state.names()) == (None, [other])


def test_files_of_others_are_left_alone(tmp_path):
    others = ["README", "book.state", "_BOOK.state", "_%FF.state", "_%ff.state", "_a.state.tmp", "_%61.state"]
    for other in others:
        (tmp_path / other).write_text("mine")
    state = FileStateStore(tmp_path)
    state.put("book", b"1")
    assert state.names() == ["book"]
    state.delete("book")
    assert [(tmp_path / other).read_text() for other in others] == ["mine"] * len(others)


# Crashes.


def _live(folder, files):
    """Put, replace and delete until the machine dies; return what was promised, and what was under way."""
    state = FileStateStore(folder, files=files)
    promised, under_way = {}, None
    steps = [("a", b"1" * 100), ("long" * 100, b"2" * 100), ("a", b"3" * 200), ("b", b""), ("a", None), ("b", b"4" * 9)]
    try:
        for name, data in steps:
            under_way = name, data
            if data is None:
                state.delete(name)
                del promised[name]
            else:
                state.put(name, data)
                promised[name] = data
            under_way = None
    except StorageError:
        assert files.is_dead
    return promised, under_way


@pytest.mark.parametrize("part", [0.0, 0.5, 1.0], ids="{:.0%} of the write".format)
@pytest.mark.parametrize("power", ["kept", "lost"])
def test_a_crash_at_every_operation_leaves_the_old_bytes_or_the_new(tmp_path, part, power):
    for at in itertools.count(1):
        folder = tmp_path / str(at) / "deep" / "state"
        files = CrashingFiles(at, part)
        promised, under_way = _live(folder, files)
        files.die()
        if power == "lost":
            files.lose_power(random.Random(at))
        state = FileStateStore(folder)
        found = {name: state.get(name) for name in state.names()}
        if under_way is None:
            assert found == promised
        else:
            name, data = under_way
            assert found.pop(name, None) in {promised.pop(name, None), data}, f"died at operation {at}"
            assert found == promised, f"died at operation {at}"
        state.put("after", b"5")
        assert state.get("after") == b"5"
        assert [path.name for path in folder.iterdir() if path.suffix == ".tmp"] == []
        if files.operations < at:
            break
    assert under_way is None
    assert at > 25, "a store that hardly touches the disk is not tested by this"


def test_what_a_writer_that_was_killed_leaves_half_done_is_cleaned_up(tmp_path):
    def begin():
        state = FileStateStore(tmp_path)
        return lambda number: state.put(f"book {number % 5}", b"x" * 500_000)

    assert len(list(killed_writers(begin, rounds=10))) == 10
    assert len(list(tmp_path.glob("*.tmp"))) <= 1
    (tmp_path / "unfinished.tmp").write_bytes(b"half")
    FileStateStore(tmp_path).put("other", b"")
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".state"] == ["lock"]


def test_the_suite_finds_a_store_that_writes_in_place(tmp_path):
    class InPlace(FileStateStore):
        def put(self, name, data):
            self.folder.mkdir(exist_ok=True)
            with (self.folder / file_name(name)).open("wb", buffering=0) as file:
                content = memoryview(pack(name, data))
                for begin in range(0, len(content), 500):
                    file.write(content[begin : begin + 500])

    with pytest.raises((AssertionError, StateUnusableError)):
        StateStoreTests().test_a_killed_writer_leaves_the_old_bytes_or_the_new(lambda: InPlace(tmp_path))


def test_the_suite_finds_a_writer_that_gives_up(tmp_path, capfd):
    class Full(FileStateStore):
        def put(self, name, data):
            if data.startswith(b"2 "):
                raise StorageError("the shelf is full")
            super().put(name, data)

    with pytest.raises(AssertionError, match="ended by itself"):
        StateStoreTests().test_a_killed_writer_leaves_the_old_bytes_or_the_new(lambda: Full(tmp_path))
    assert "StorageError: the shelf is full" in capfd.readouterr().err


# Several at once.


def test_writers_of_several_objects_lose_nothing(tmp_path):
    def write(writer):
        state = FileStateStore(tmp_path)
        for number in range(20):
            state.put(f"{writer} {number}", str(writer).encode() * 1000)
            state.put("shared", str(writer).encode() * 1000)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    state = FileStateStore(tmp_path)
    assert len(state.names()) == 81
    assert all(state.get(f"{writer} 19") == str(writer).encode() * 1000 for writer in range(4))
    assert state.get("shared") in {str(writer).encode() * 1000 for writer in range(4)}


def test_a_writer_that_does_not_let_go_is_named(tmp_path, monkeypatch):
    state = FileStateStore(tmp_path)
    state.put("book", b"1")
    monkeypatch.setattr(state_files, "_WAIT_SECONDS", 0.0)
    holder = state._locked()
    with pytest.raises(StorageError, match=r"lock: another process has been writing state"):
        state.put("book", b"2")
    assert state.get("book") == b"1"  # readers need no lock
    state._files.unlock(holder)
    state.put("book", b"2")
    assert state.get("book") == b"2"


def test_a_process_that_was_forked_holds_no_lock(tmp_path, monkeypatch):
    """Its copy of the descriptor would hold it beyond the end of the write."""
    monkeypatch.setattr(state_files, "_WAIT_SECONDS", 0.0)
    state = FileStateStore(tmp_path)
    state.put("book", b"1")
    copies = []
    unlock = state._files.unlock

    def forked_meanwhile(descriptor):
        copies.append(os.dup(descriptor))  # what a fork makes of it
        unlock(descriptor)

    monkeypatch.setattr(state._files, "unlock", forked_meanwhile)
    state.put("book", b"2")
    state.put("book", b"3")
    assert state.get("book") == b"3"
    for copy in copies:
        os.close(copy)


# Damage.


def _damaged():
    whole = pack("book", b"some bytes")
    for at in range(len(whole)):
        yield f"byte {at} altered", bytes([*whole[:at], whole[at] ^ 0x20, *whole[at + 1 :]])
        yield f"cut after {at}", whole[:at]
    yield "doubled", whole * 2
    yield "a byte more", whole + b"\0"
    yield "zeros", bytes(len(whole))
    yield "another name", pack("look", b"some bytes")


def test_no_damage_is_taken_for_what_was_kept(tmp_path):
    state = FileStateStore(tmp_path)
    state.put("book", b"some bytes")
    path = tmp_path / file_name("book")
    for what, content in _damaged():
        path.write_bytes(content)
        with pytest.raises(StateUnusableError) as refused:
            state.get("book")
        assert str(path) in str(refused.value), what
        assert "emove" in str(refused.value), what
    assert state.names() == ["book"]
    state.put("book", b"anew")
    assert state.get("book") == b"anew"
    path.write_bytes(b"")
    state.delete("book")
    assert state.names() == []


def test_a_newer_version_is_named_and_may_be_replaced(tmp_path):
    state = FileStateStore(tmp_path)
    state.put("book", b"some bytes")
    path = tmp_path / file_name("book")
    content = bytearray(path.read_bytes())
    content[8:10] = (2).to_bytes(2, "little")
    path.write_bytes(content)
    with pytest.raises(StateUnusableError, match=r"format 2, this version of Cambist reads format 1. Use the version"):
        state.get("book")
    assert path.read_bytes() == content
    state.put("book", b"older")
    assert state.get("book") == b"older"


def test_a_long_name_in_a_damaged_file_is_no_secret(tmp_path):
    state = FileStateStore(tmp_path)
    state.put("n" * 300, b"")
    (tmp_path / file_name("n" * 300)).write_bytes(b"nothing")
    with pytest.raises(StateUnusableError, match="no file of Cambist's state"):
        state.names()


# Refusals of the disk.


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOSPC, "Make room"),
        (errno.EDQUOT, "quota"),
        (errno.EIO, "Check the disk"),
        (errno.EROFS, "Make the disk writable"),
        (errno.EFBIG, "Look into it"),
    ],
)
@pytest.mark.parametrize("room", [0, 1, 40])
def test_a_write_that_is_refused_leaves_what_was_there(tmp_path, number, told, room):
    files = FaultyFiles()
    state = FileStateStore(tmp_path, files=files)
    state.put("book", b"old")
    files.room, files.error = room, number
    with pytest.raises(StorageError, match=told) as refused:
        state.put("book", b"new" * 100)
    assert str(tmp_path) in str(refused.value)
    assert not isinstance(refused.value, StateUnusableError)
    assert not (tmp_path / "unfinished.tmp").exists()  # a full disk is not made fuller
    assert FileStateStore(tmp_path).get("book") == b"old"
    files.room = None
    state.put("book", b"new")
    assert state.get("book") == b"new"


def test_a_sync_that_fails_is_no_success(tmp_path):
    files = FaultyFiles()
    state = FileStateStore(tmp_path, files=files)
    state.put("book", b"old")
    files.sync_error = errno.EIO
    with pytest.raises(StorageError, match="Check the disk"):
        state.put("book", b"new")
    assert state.get("book") == b"old"


def test_a_slow_disk_that_takes_a_byte_at_a_time_takes_all(tmp_path):
    files = FaultyFiles()
    files.at_a_time = 1
    state = FileStateStore(tmp_path, files=files)
    state.put("book", bytes(range(256)))
    assert state.get("book") == bytes(range(256))


def test_a_disk_that_turned_read_only_can_be_read(tmp_path):
    files = FaultyFiles()
    state = FileStateStore(tmp_path, files=files)
    state.put("book", b"old")
    files.read_only = True
    with pytest.raises(StorageError, match="Make the disk writable"):
        state.put("book", b"new")
    assert (state.get("book"), state.names()) == (b"old", ["book"])
    with pytest.raises(StorageError, match="Make the disk writable"):
        FileStateStore(tmp_path / "new", files=files).put("book", b"new")


REFUSALS = r"""
import os, sys
from pathlib import Path
import pytest
from cambist.errors import StorageError
from cambist.storage.state_files import FileStateStore
from cambist.storage.state_format import file_name

folder = Path(sys.argv[1])
if os.geteuid() == 0:  # root is refused nothing
    os.setgid(65_534)
    os.setuid(65_534)
state = FileStateStore(folder / "state")
state.put("book", b"old")
path = folder / "state" / file_name("book")
path.chmod(0)
with pytest.raises(StorageError, match=r"_book\.state: state cannot be read.*Grant the permission"):
    state.get("book")
path.chmod(0o400)
(folder / "state").chmod(0o555)
assert state.get("book") == b"old"
with pytest.raises(StorageError, match=r"state cannot be written: Permission denied\. Grant"):
    state.put("book", b"new")
with pytest.raises(StorageError, match="Grant the permission"):
    state.delete("book")
assert (state.get("book"), state.names()) == (b"old", ["book"])
(folder / "state").chmod(0)
for call in (state.names, lambda: state.get("book"), lambda: state.delete("book"), lambda: state.put("book", b"")):
    with pytest.raises(StorageError, match="Grant the permission"):
        call()
(folder / "state").chmod(0o755)
folder.chmod(0)
with pytest.raises(StorageError, match="Grant the permission"):
    FileStateStore(folder / "state")
"""


def test_a_permission_that_is_missing_is_named():
    folder = Path(tempfile.mkdtemp(prefix="cambist-state-"))  # beside pytest's folders, which are closed to others
    if os.geteuid() == 0:
        os.chown(folder, 65_534, 65_534)
    try:
        done = subprocess.run(
            [sys.executable, "-c", REFUSALS, folder], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_a_system_without_such_locks_is_told_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with pytest.raises(StorageError, match=r"does not keep writers apart.*sqlite:///"):
        FileStateStore(tmp_path).put("book", b"")
    assert FileStateStore(tmp_path).get("book") is None


def test_a_file_system_that_gives_no_lock_is_named_and_nothing_stays_open(tmp_path, monkeypatch):
    def refuse(_descriptor, _command):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    state = FileStateStore(tmp_path)
    state.put("book", b"old")
    monkeypatch.setattr(fcntl, "flock", refuse)
    before = len(list(Path("/dev/fd").iterdir()))
    with pytest.raises(StorageError, match=f"{tmp_path}: state cannot be written: No locks available"):
        state.put("book", b"new")
    assert len(list(Path("/dev/fd").iterdir())) == before
    assert state.get("book") == b"old"


# The URL.


def test_looking_makes_nothing(tmp_path):
    state = FileStateStore(tmp_path / "new")
    assert (state.names(), state.get("book")) == ([], None)
    state.delete("book")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "state").write_text("")
    with pytest.raises(StorageError, match="this is a file"):
        FileStateStore(tmp_path / "state")


@pytest.mark.parametrize("form", ["files:{}", "files:///{}"])
def test_the_url_names_a_folder(tmp_path, monkeypatch, form):
    monkeypatch.chdir(tmp_path)
    spec = Registry.discover(environ={"CAMBIST_PLUGINS": ""}).get("storage", "files")
    assert {"durable", "path", "state"} == spec.capabilities
    for path in ("beside", tmp_path / "absolute"):
        storage = spec.load()(form.format(path))
        storage.state.put("book", b"1")
        assert FileStateStore(path).get("book") == b"1"
        storage.close()
        storage.close()


@pytest.mark.parametrize("url", ["files:", "files:///", "files://host/folder", "sqlite:///x"])
def test_a_url_without_a_folder_is_refused(url):
    with pytest.raises(ConfigError, match="names no folder"):
        FileStorage(url)


def test_what_it_does_not_keep_is_told(tmp_path):
    storage = FileStorage(f"files:{tmp_path}")
    with pytest.raises(ConfigError, match=r"not runs.*sqlite:///"):
        _ = storage.runs
    with pytest.raises(ConfigError, match=r"not bars.*parquet:///"):
        _ = storage.bars
