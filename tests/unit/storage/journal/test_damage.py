"""Each way in which a journal can be damaged is detected, named with its place, and answered by the policy."""

from __future__ import annotations

import os
import shutil
import zlib

import msgspec
import pytest

from cambist.errors import (
    JournalDamagedError,
    JournalError,
    JournalVersionError,
)
from cambist.ports import Draft
from cambist.storage.journal import Journal, JournalFolder, JournalOptions, OnDamage
from cambist.storage.journal.frames import FRAME, HEADER_SIZE, MARK

SMALL = {"segment_bytes": 400, "compress": None}


def write(folder, count=30, **options):
    """One record a write, so that every one but the last is proven to have been safe."""
    with Journal(folder, JournalOptions(**{**SMALL, **options})) as journal:
        for number in range(count):
            journal.append([Draft("note", number, f"record {number + 1}".encode())])
            journal.wait()
    return sorted(folder.glob("*.cbj"))


def flip(path, offset, bit=0):
    data = bytearray(path.read_bytes())
    data[offset] ^= 1 << bit
    path.write_bytes(data)


def problems(folder):
    return [checked.error for checked in JournalFolder(folder).check() if checked.error]


def frame_of(path, number):
    """Where the frame of a record begins and ends."""
    data = path.read_bytes()
    at = HEADER_SIZE
    while True:
        _, size, sequence, _, _, _, kind = FRAME.unpack_from(data, at)
        end = at + FRAME.size + kind + size + 16
        if sequence == number:
            return at, end
        at = end


def reopen(folder, **options):
    return Journal(folder, JournalOptions(**{**SMALL, **options}))


def bodies(journal):
    return [entry.body for entry in journal.read(journal.first)]


def first_bodies(count):
    return [f"record {number + 1}".encode() for number in range(count)]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "journal"


def test_whole_journals_have_no_problem(folder):
    assert len(write(folder)) > 3
    assert problems(folder) == []


@pytest.mark.parametrize("missing", [1, 3, 17, 40])
def test_a_torn_last_record_is_set_aside(folder, missing):
    last = write(folder)[-1]
    start, end = frame_of(last, 30)
    whole = last.read_bytes()
    os.truncate(last, end - missing)
    [error] = problems(folder)
    assert isinstance(error, JournalDamagedError)
    assert (error.code, error.path, error.offset, error.sequence) == ("torn_record", str(last), start, 30)
    assert "sets it aside" in str(error)
    with pytest.raises(JournalDamagedError, match="record 30"):
        reopen(folder, on_damage="refuse")
    with reopen(folder) as journal:
        assert journal.recovery.problem.code == "torn_record"
        [aside] = journal.recovery.quarantined
        assert aside.read_bytes() == whole[start : end - missing]
        assert bodies(journal) == first_bodies(29)
        assert journal.append([Draft("note", 0, b"again")]) == 30
    assert problems(folder) == []


def test_a_commit_that_is_not_whole_goes_as_a_whole(folder):
    with reopen(folder) as journal:
        journal.append([Draft("a", 0, b"1")])
        journal.wait()
        journal.append([Draft("b", 0, b"2"), Draft("c", 0, b"3")])
    [segment] = folder.glob("*.cbj")
    start, _ = frame_of(segment, 3)
    os.truncate(segment, start)
    assert [error.code for error in problems(folder)] == ["torn_commit"]
    with reopen(folder) as journal:
        assert bodies(journal) == [b"1"]


@pytest.mark.parametrize("where", ["size", "number", "time", "kind", "body", "digest", "mark"])
def test_a_flipped_bit_in_a_safe_record_is_no_torn_write(folder, where):
    segments = write(folder)
    start, end = frame_of(segments[-1], 29)
    offset = {"mark": 0, "size": 5, "number": 9, "time": 20, "kind": 29, "body": 33, "digest": end - start - 3}[where]
    flip(segments[-1], start + offset, 2)
    [error] = problems(folder)
    assert (error.offset, error.sequence) == (start, 29)
    assert "proves that it was safe once" in str(error)
    with pytest.raises(JournalDamagedError, match="last_good"):
        reopen(folder)
    before = segments[-1].read_bytes()
    with reopen(folder, on_damage=OnDamage.LAST_GOOD) as journal:
        assert bodies(journal) == first_bodies(28)
        [aside] = journal.recovery.quarantined
        assert aside.read_bytes() == before[start:]


def test_a_flipped_bit_in_the_middle_is_found_where_it_is_read(folder):
    segments = write(folder)
    start, _ = frame_of(segments[0], 2)
    flip(segments[0], start + 33)
    [error] = problems(folder)
    assert (error.code, error.path, error.sequence) == ("bad_checksum", str(segments[0]), 2)
    with reopen(folder) as journal:  # a start reads the end alone
        with pytest.raises(JournalDamagedError) as caught:
            bodies(journal)
        assert (caught.value.code, caught.value.sequence) == ("bad_checksum", 2)
    with reopen(folder, on_damage="last_good") as journal:
        assert bodies(journal) == first_bodies(1)
        assert len(journal.recovery.quarantined) == len(segments)
        assert journal.append([Draft("note", 0, b"new")]) == 2
    assert problems(folder) == []


def test_a_missing_segment_is_named_with_its_records(folder):
    segments = write(folder)
    first = int(segments[1].stem)
    aside = segments[1].rename(folder / "elsewhere")
    [error] = problems(folder)
    assert (error.code, error.sequence) == ("missing_segment", first)
    assert f"records {first} to {int(segments[2].stem) - 1}" in str(error)
    with pytest.raises(JournalDamagedError, match="is missing"):
        reopen(folder)
    with pytest.raises(JournalDamagedError, match="is missing"):
        list(JournalFolder(folder).read())
    aside.rename(segments[1])
    assert problems(folder) == []


@pytest.mark.parametrize("which", [0, -1])
def test_a_missing_end_is_found_by_what_has_passed_it(folder, which):
    segments = write(folder)
    with reopen(folder) as journal:
        journal.cursor("reader").advance(30)
        journal.snapshots.save(30, b"state")
    segments[which].unlink()
    if which == 0:
        with pytest.raises(JournalDamagedError, match="is missing"):
            reopen(folder)
        return
    with pytest.raises(JournalDamagedError) as caught:
        reopen(folder)
    assert (caught.value.code, caught.value.sequence) == ("missing_end", int(segments[-1].stem))
    with reopen(folder, on_damage="last_good") as journal:
        assert journal.recovery.rewound == ("reader",)
        cursor = journal.cursor("reader")
        assert (cursor.sequence, cursor.rewound_from) == (journal.last, 30)
        assert journal.snapshots.sequences() == []


def test_no_segment_at_all(folder):
    for segment in write(folder):
        segment.unlink()
    with pytest.raises(JournalDamagedError, match="record 1 is missing"):
        reopen(folder)
    with pytest.raises(JournalDamagedError, match="record 1 is missing"):
        problems(folder)


def test_swapped_names(folder):
    one, other = write(folder)[1:3]
    one.rename(folder / "x")
    other.rename(one)
    (folder / "x").rename(other)
    assert [error.code for error in problems(folder)] == ["wrong_order", "wrong_order"]
    with pytest.raises(JournalDamagedError, match="was renamed"):
        reopen(folder)


def test_a_foreign_file_by_the_name_of_a_segment(folder):
    segments = write(folder)
    segments[1].write_bytes(b"a letter to somebody else " * 20)
    error = problems(folder)[0]
    assert (error.code, error.path) == ("foreign_file", str(segments[1]))
    with pytest.raises(JournalDamagedError, match="no segment of a journal"):
        reopen(folder)


def test_a_segment_of_another_journal(folder, tmp_path):
    segments = write(folder)
    foreign = write(tmp_path / "other")
    assert foreign[-1].name == segments[-1].name
    shutil.copy(foreign[-1], segments[-1])
    assert [error.code for error in problems(folder)] == ["foreign_segment"]
    with pytest.raises(JournalDamagedError, match="of another journal"):
        reopen(folder)


def test_a_segment_of_another_history_of_the_same_journal(folder, tmp_path):
    write(folder, 25)
    shutil.copytree(folder, tmp_path / "copy")
    write(folder, 30)
    with reopen(tmp_path / "copy") as journal:
        for _ in range(30):
            journal.append([Draft("note", 0, b"another thing")])
            journal.wait()
    shared = sorted({path.name for path in folder.glob("*.cbj")} & {path.name for path in tmp_path.glob("copy/*.cbj")})
    heads = {one: [(where / one).read_bytes()[:HEADER_SIZE] for where in (folder, tmp_path / "copy")] for one in shared}
    name = next(one for one in reversed(shared) if heads[one][0] != heads[one][1])
    shutil.copy(tmp_path / "copy" / name, folder / name)
    assert "bad_chain" in [error.code for error in problems(folder)]


def test_a_newer_format_is_no_damage(folder):
    segments = write(folder)
    header = bytearray(segments[-1].read_bytes())
    header[8] = 9
    header[HEADER_SIZE - 4 : HEADER_SIZE] = zlib.crc32(header[: HEADER_SIZE - 4]).to_bytes(4, "little")
    segments[-1].write_bytes(header)
    for policy in OnDamage:
        with pytest.raises(JournalVersionError, match="format 9, this version reads format 1"):
            reopen(folder, on_damage=policy)
    assert segments[-1].read_bytes() == header


def test_an_altered_header(folder):
    segments = write(folder)
    flip(segments[1], 20)
    assert problems(folder)[0].code == "bad_header"
    with reopen(folder, on_damage="last_good") as journal:
        assert journal.last == int(segments[1].stem) - 1
        assert len(journal.recovery.quarantined) == len(segments) - 1


@pytest.mark.parametrize("content", [b"", b"\0" * HEADER_SIZE, b"CAMBJ", b"CAMBJRNL" + b"\0" * 60])
def test_a_segment_that_a_crash_left_without_a_header(folder, content):
    write(folder)
    (folder / f"{31:020d}.cbj").write_bytes(content)
    with reopen(folder) as journal:
        assert bodies(journal) == first_bodies(30)
        assert len(journal.recovery.quarantined) == 1


def test_the_only_segment_without_its_header(folder):
    [segment] = write(folder, 2)
    os.truncate(segment, 10)
    with pytest.raises(JournalDamagedError, match="ends inside its header"):
        reopen(folder)
    with reopen(folder, on_damage="last_good") as journal:
        assert journal.last == 0


def test_a_missing_identity(folder):
    segments = write(folder)
    (folder / "journal.json").unlink()
    for door in (reopen, JournalFolder):
        with pytest.raises(JournalDamagedError) as caught:
            door(folder)
        assert caught.value.code == "missing_identity"
    with reopen(folder, on_damage="last_good") as journal:
        assert bodies(journal) == first_bodies(30)
    assert len(segments) == len(list(folder.glob("*.cbj")))


def test_an_identity_that_is_none(folder):
    write(folder)
    (folder / "journal.json").write_text("{}")
    with pytest.raises(JournalDamagedError, match="cannot be read") as caught:
        reopen(folder)
    assert caught.value.code == "bad_identity"


def test_a_beginning_that_was_cut_short_begins_again(folder):
    folder.mkdir()
    (folder / f"{1:020d}.cbj").write_bytes(b"CAMB")
    with reopen(folder) as journal:
        assert journal.append([Draft("note", 0, b"x")]) == 1
    assert problems(folder) == []


def test_an_altered_packed_segment(folder):
    write(folder, compress="zlib")
    with reopen(folder, compress="zlib") as journal:
        journal.tidy()
    packed = sorted(folder.glob("*.cbjz"))[1]
    flip(packed, 200)
    error = problems(folder)[0]
    assert (error.code, error.path) == ("bad_packing", str(packed))
    with reopen(folder) as journal, pytest.raises(JournalDamagedError, match="compressed segment"):
        bodies(journal)


def test_a_plain_file_whose_compressed_copy_was_being_made_wins(folder):
    segments = write(folder)
    segments[0].with_suffix(".cbjz").write_bytes(b"half of it")
    assert [entry.body for entry in JournalFolder(folder).read()] == first_bodies(30)
    with reopen(folder) as journal:
        assert bodies(journal) == first_bodies(30)
    assert not segments[0].with_suffix(".cbjz").exists()


def test_a_cursor_that_cannot_be_read_is_named(folder):
    with reopen(folder) as journal:
        journal.append([Draft("note", 0, b"x")])
        journal.wait()
        journal.cursor("sql").advance(1)
        (folder / "cursors" / "sql.json").write_text("?")
        with pytest.raises(JournalDamagedError, match="begins anew"):
            journal.cursor("sql")


def test_a_snapshot_that_is_not_what_was_written_is_passed_over(folder):
    write(folder, 10)
    with reopen(folder) as journal:
        journal.snapshots.save(4, b"four")
        journal.snapshots.save(8, b"eight")
        path = folder / "snapshots" / f"{8:020d}.cbs"
        flip(path, 40)
        assert journal.snapshots.newest(1).data == b"four"
        assert journal.snapshots.newest(2) is None
        with pytest.raises(JournalDamagedError, match="Remove it"):
            journal.snapshots.read(8)


def test_no_journal_here(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(JournalError, match="there is no journal") as caught:
            JournalFolder(path)
        assert caught.value.code == "no_journal"


def test_a_body_may_hold_what_marks_a_record(folder):
    with reopen(folder) as journal:
        journal.append([Draft("note", 0, MARK * 30)])
        journal.wait()
        journal.append([Draft("note", 0, MARK * 40)])
    [segment] = folder.glob("*.cbj")
    os.truncate(segment, segment.stat().st_size - 5)
    with reopen(folder) as journal:
        assert bodies(journal) == [MARK * 30]


def test_errors_can_be_read_by_programs(folder):
    segments = write(folder)
    os.truncate(segments[-1], segments[-1].stat().st_size - 1)
    [error] = problems(folder)
    fields = {name: getattr(error, name) for name in ("code", "path", "offset", "sequence", "remedy")}
    assert msgspec.json.decode(msgspec.json.encode(fields)) == fields


def test_the_last_segment_that_is_left_may_be_a_compressed_one(folder):
    write(folder, compress="zlib")
    with reopen(folder, compress="zlib") as journal:
        journal.tidy()
    last = max(folder.glob("*.cbj"))
    packed = max(folder.glob("*.cbjz"))
    flip(last, 20)
    with reopen(folder, on_damage="last_good") as journal:
        assert journal.append([Draft("note", 0, b"new")]) == int(last.stem)
    assert not packed.exists()
    assert problems(folder) == []
    assert bodies(JournalFolder(folder)) == [*first_bodies(int(last.stem) - 1), b"new"]
