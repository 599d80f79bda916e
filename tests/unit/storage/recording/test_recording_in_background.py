"""A recording that nobody waits for, and one that goes on after its process was killed."""

from __future__ import annotations

import threading

import pytest

from cambist.errors import JournalError
from cambist.storage.recording import FOLDER, BackgroundRecording, RecordingFolder, RecordingWriter

JOURNAL = "0123456789abcdef" * 2


def rows_of(folder):
    recording = RecordingFolder(folder)
    return list(recording.rows()), recording.flaw


def written(folder, count: int, first: int = 0, **settings) -> None:
    writer = RecordingWriter(folder, JOURNAL, {}, block_rows=4, goes_on=True, **settings)
    assert writer.count == first
    for number in range(first, first + count):
        writer.add((0, number, number * 0.5))
    writer.close()


def test_a_recording_goes_on_in_a_file_of_its_own(tmp_path):
    written(tmp_path, 10)
    written(tmp_path, 7, first=10)
    rows, flaw = rows_of(tmp_path)
    assert [row[1] for row in rows] == list(range(17))
    assert flaw == ""
    assert len(list((tmp_path / FOLDER).glob("*.cbr"))) == 2


@pytest.mark.parametrize("cut", [1, 5, 30])
def test_what_was_not_written_to_its_end_is_cut_off(tmp_path, cut):
    written(tmp_path, 10)
    file = next((tmp_path / FOLDER).glob("*.cbr"))
    file.write_bytes(file.read_bytes()[:-cut])
    whole = len(rows_of(tmp_path)[0])
    assert whole < 10
    written(tmp_path, 5, first=whole)
    rows, flaw = rows_of(tmp_path)
    assert [row[1] for row in rows] == list(range(whole + 5))
    assert flaw == ""


def test_a_file_whose_header_is_torn_is_replaced(tmp_path):
    written(tmp_path, 3)
    file = next((tmp_path / FOLDER).glob("*.cbr"))
    file.write_bytes(file.read_bytes()[:7])
    written(tmp_path, 2)
    assert len(rows_of(tmp_path)[0]) == 2


def test_the_recording_of_another_journal_is_left_alone(tmp_path):
    written(tmp_path, 3)
    with pytest.raises(JournalError, match="the recording is of another journal"):
        RecordingWriter(tmp_path, "f" * 32, {}, goes_on=True)
    assert len(rows_of(tmp_path)[0]) == 3


def test_rows_are_written_in_the_background_in_order(tmp_path):
    troubles = []
    kept = BackgroundRecording(RecordingWriter(tmp_path, JOURNAL, {}), troubles.append)
    for number in range(10_000):
        kept.add((0, number, 0.25))
    kept.close()
    kept.close()
    assert [row[1] for row in rows_of(tmp_path)[0]] == list(range(10_000))
    assert troubles == []


def test_a_disk_that_is_too_slow_costs_the_rest_of_the_recording_and_no_time(tmp_path):
    go_on, troubles = threading.Event(), []

    class SlowDisk(RecordingWriter):
        def add(self, row):
            go_on.wait(60)
            super().add(row)

    kept = BackgroundRecording(SlowDisk(tmp_path, JOURNAL, {}), troubles.append, room=100)
    for number in range(500):
        kept.add((0, number, 0.25))
    assert kept.lost >= 399
    assert len(troubles) == 1
    assert "more came than could be written" in troubles[0]
    go_on.set()
    kept.close()
    rows, _ = rows_of(tmp_path)
    assert [row[1] for row in rows] == list(range(500 - kept.lost))


def test_a_disk_that_is_full_is_told_of_once(tmp_path):
    troubles = []
    writer = RecordingWriter(tmp_path, JOURNAL, {}, block_rows=1)
    for file in (tmp_path / FOLDER).iterdir():
        file.unlink()
    (tmp_path / FOLDER).rmdir()
    kept = BackgroundRecording(writer, troubles.append)
    kept.add((0, 1, 0.5))
    kept.close()
    assert len(troubles) == 1
    assert "the recording ends before its event 1" in troubles[0]
