"""Rows go into blocks and files and come back; what is torn or altered ends the reading, and is told."""

from __future__ import annotations

import random
import zlib
from struct import Struct

import msgspec
import pytest

from cambist.errors import JournalDamagedError, JournalError, JournalVersionError
from cambist.storage.recording import FOLDER, RecordingFolder, RecordingWriter

ID = "0123456789abcdef" * 2


def some_rows(seed, count):
    rng = random.Random(seed)
    values = [None, 1, -(2**63), 2**63 - 1, 0.1 + 0.2, -0.0, 1e-300, "äöü", "", True]
    return [[rng.randrange(5), rng.randrange(100), *rng.choices(values, k=rng.randrange(6))] for _ in range(count)]


def written(folder, rows, **sizes):
    folder.mkdir(exist_ok=True)
    writer = RecordingWriter(folder, ID, {"series": []}, **sizes)
    for row in rows:
        writer.add(row)
    writer.close()
    return sorted((folder / FOLDER).glob("*.cbr"))


@pytest.mark.parametrize("seed", range(6))
def test_rows_come_back_bit_for_bit(seed, tmp_path):
    rng = random.Random(seed)
    rows = some_rows(seed, rng.randrange(400))
    files = written(tmp_path, rows, block_rows=rng.randrange(1, 40), file_bytes=rng.choice([1, 300, 10**6]))
    recording = RecordingFolder(tmp_path)
    assert repr(list(recording.rows())) == repr(rows)
    assert recording.flaw == ""
    assert recording.head.journal == ID
    assert all(file.stat().st_size < 300 + 2_000 for file in files if len(files) > 1)


def test_a_file_that_is_long_enough_is_followed_by_another(tmp_path):
    files = written(tmp_path, some_rows(1, 400), block_rows=10, file_bytes=500)
    assert len(files) > 5
    assert [int(file.stem) for file in files][:2] == [1, int(files[1].stem)]


@pytest.mark.parametrize("seed", range(4))
def test_wherever_it_is_torn_the_whole_blocks_before_stand(seed, tmp_path):
    rows = some_rows(seed, 120)
    *_, last = written(tmp_path, rows, block_rows=7, file_bytes=400)
    data, before = last.read_bytes(), int(last.stem) - 1
    seen = set()
    for cut in range(len(data)):
        last.write_bytes(data[:cut])
        recording = RecordingFolder(tmp_path)
        found = list(recording.rows())
        assert repr(found) == repr(rows[: len(found)])
        assert len(found) >= before
        assert len(found) < len(rows)
        seen.add(bool(recording.flaw))
    assert True in seen


@pytest.mark.parametrize("seed", range(3))
def test_no_byte_can_be_altered_unseen(seed, tmp_path):
    rows = some_rows(seed, 60)
    first, *_ = written(tmp_path, rows, block_rows=7, file_bytes=300)
    data = first.read_bytes()
    for at in range(len(data)):
        first.write_bytes(data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :])
        recording = RecordingFolder(tmp_path)
        found = list(recording.rows())
        assert recording.flaw
        assert repr(found) == repr(rows[: len(found)])
        assert len(found) < len(rows)


def test_a_file_that_is_gone_ends_the_reading(tmp_path):
    rows = some_rows(5, 200)
    files = written(tmp_path, rows, block_rows=10, file_bytes=300)
    files[1].unlink()
    recording = RecordingFolder(tmp_path)
    found = list(recording.rows())
    assert len(found) == int(files[1].stem) - 1
    assert f"event {files[1].stem.lstrip('0')}" in recording.flaw


def test_a_disk_that_is_full_ends_the_recording_and_not_the_run(tmp_path, monkeypatch, caplog):
    rows = some_rows(3, 100)
    writer = RecordingWriter(tmp_path, ID, {}, block_rows=10)
    for row in rows[:30]:
        writer.add(row)

    def full(_block, _first):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer, "_write", full)
    for row in rows[30:]:
        writer.add(row)
    writer.close()
    assert writer.failure == "the recording ends before its event 31: No space left on device"
    assert "No space left" in caplog.text
    assert list(RecordingFolder(tmp_path).rows()) == rows[:30]


@pytest.mark.parametrize(
    ("content", "error", "code"),
    [
        (None, JournalError, "no_recording"),
        (b"{", JournalDamagedError, "bad_recording"),
        (b'{"journal": "00", "format": 9}', JournalVersionError, "foreign_version"),
    ],
)
def test_a_head_that_cannot_be_used_is_an_error(content, error, code, tmp_path):
    written(tmp_path, [])
    head = tmp_path / FOLDER / "recording.json"
    head.unlink()
    if content is not None:
        head.write_bytes(content)
    with pytest.raises(error) as raised:
        RecordingFolder(tmp_path)
    assert raised.value.code == code
    assert raised.value.remedy


@pytest.mark.parametrize("seed", range(8))
def test_market_data_comes_back_bit_for_bit_and_small(seed, tmp_path):
    """Times, prices on a grid and sizes, among them what no grid holds, what is no number, and what wraps around."""
    rng, rows, ts, price = random.Random(seed), [], 1_709_251_200_000_000_000, 60_000_00
    odd = [float("nan"), float("inf"), -0.0, 1e308, 0.1 + 0.2, 5e-324, 2.0**53]
    for number in range(2_000):
        ts += rng.randrange(10**6, 10**9)
        price += rng.randrange(-50, 51)
        rows.append([7, number // 9, ts, 0, price / 100, rng.randrange(10**6) / 10**5, rng.choice([-1, 0, 1])])
        if seed and rng.random() < 0.01:
            rows[-1][4 + rng.randrange(2)] = rng.choice(odd)
        if seed > 4 and rng.random() < 0.01:
            rows[-1][2] = rng.choice([-(2**63), 2**63 - 1, 2**64 - 1])
    files = written(tmp_path, rows)
    assert repr(list(RecordingFolder(tmp_path).rows())) == repr(rows)
    if not seed:
        as_rows = len(zlib.compress(msgspec.msgpack.encode(rows), 1))
        assert sum(file.stat().st_size for file in files) < 0.8 * as_rows


def test_a_recording_of_the_first_format_is_read(tmp_path):
    """Its blocks are rows, packed as they are."""
    rows = some_rows(3, 50)
    [file] = written(tmp_path, rows)
    packed = zlib.compress(msgspec.msgpack.encode(rows))
    head = Struct("<IIQ").pack(len(packed), len(rows), 1)
    block = head + Struct("<I").pack(zlib.crc32(packed, zlib.crc32(head))) + packed
    file.write_bytes(Struct("<8sI16sQ").pack(b"CAMBREC\0", 1, bytes.fromhex(ID), 1) + block)
    about = tmp_path / FOLDER / "recording.json"
    about.write_text(about.read_text().replace('"format": 2', '"format": 1'))
    recording = RecordingFolder(tmp_path)
    assert repr(list(recording.rows())) == repr(rows)
    assert (recording.flaw, recording.head.format) == ("", 1)
