from __future__ import annotations

import bz2
import gzip
import re
import tracemalloc
import zipfile

import pytest

from cambist.data import load, open_source
from cambist.errors import DataError, InputError
from cambist.model import Timeframe, to_ns

FIRST = to_ns("2024-03-01T09:30:00")
MINUTE = 60_000_000_000


@pytest.fixture
def write(tmp_path):
    def write(lines, name="SPY.csv", end="\n"):
        path = tmp_path / name
        path.write_text("\n".join(lines) + end, encoding="utf-8")
        return path

    return write


def read_both_ways(path, **options):
    """Read a file at once and in blocks of two; both must say the same."""
    outcomes = []
    for read in (
        lambda: load(path, **options),
        lambda: list(open_source(path, **options).blocks(2)),
    ):
        with pytest.raises(DataError) as caught:
            read()
        outcomes.append(str(caught.value))
    return outcomes


def test_a_file_gives_its_bars(write, csv_lines):
    bars = load(write(csv_lines))
    assert bars.ts.tolist() == [FIRST + row * MINUTE for row in range(4)]
    assert bars.open.tolist() == [10.0, 10.5, 11.5, 11.25]
    assert bars.high.tolist() == [11.0, 12.0, 12.0, 11.5]
    assert bars.low.tolist() == [9.0, 10.0, 11.0, 10.0]
    assert bars.close.tolist() == [10.5, 11.5, 11.25, 10.1]
    assert bars.volume.tolist() == [100.0, 200.0, 300.0, 400.0]
    assert (bars.instrument.symbol, bars.timeframe) == ("SPY", Timeframe.parse("1m"))


def test_packed_files_give_the_same(write, csv_lines, tmp_path):
    plain = write(csv_lines)
    data = plain.read_bytes()
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(data))
    (tmp_path / "a.csv.bz2").write_bytes(bz2.compress(data))
    with zipfile.ZipFile(tmp_path / "a.csv.zip", "w") as archive:
        archive.writestr("inside.csv", data)
    for name in ("a.csv.gz", "a.csv.bz2", "a.csv.zip"):
        bars = load(tmp_path / name)
        assert bars.close.tolist() == [10.5, 11.5, 11.25, 10.1]
        assert [len(block) for block in open_source(tmp_path / name).blocks(3)] == [3, 1]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters(write, csv_lines, delimiter):
    bars = load(write([line.replace(",", delimiter) for line in csv_lines]))
    assert bars.close.tolist() == [10.5, 11.5, 11.25, 10.1]


def test_spreadsheet_habits_do_no_harm(write, csv_lines):
    """A byte-order mark, CR LF, blank lines, quotes, spaces, a delimiter at the end, no last line end."""
    lines = ["\ufeff" + csv_lines[0], ""]
    lines += [", ".join(f'"{field}"' for field in line.split(",")) + "," for line in csv_lines[1:]]
    path = write([], end="")
    path.write_bytes("\r\n".join(lines).encode())
    assert load(path).close.tolist() == [10.5, 11.5, 11.25, 10.1]


def test_an_index_without_a_name_is_the_times(frame, tmp_path):
    frame.to_csv(tmp_path / "bars.csv")
    assert load(tmp_path / "bars.csv").ts.tolist() == load(frame).ts.tolist()


def test_row_numbers_are_not_taken_for_times(frame, tmp_path):
    frame.reset_index(drop=True).to_csv(tmp_path / "bars.csv")
    with pytest.raises(DataError, match=r"bars\.csv: the file: no column for time\. Found: '', 'open'"):
        load(tmp_path / "bars.csv")


def test_blocks_have_at_most_the_size_asked_for(write, csv_lines):
    source = open_source(write(csv_lines))
    blocks = list(source.blocks(3))
    assert [len(block) for block in blocks] == [3, 1]
    assert [block.timeframe for block in blocks] == [Timeframe.parse("1m")] * 2
    assert [close for block in blocks for close in block.close.tolist()] == [10.5, 11.5, 11.25, 10.1]
    assert [len(block) for block in source.blocks(3)] == [3, 1]
    with pytest.raises(InputError, match="blocks of 0 rows"):
        source.blocks(0)


def test_blocks_are_read_as_they_are_asked_for(write, csv_lines):
    """A fault late in the file does not keep the blocks before it."""
    blocks = open_source(
        write([*csv_lines[:4], "2024-03-01 09:33:00,11.25,11.5,10,nonsense,400"]), timeframe="1m"
    ).blocks(2)
    assert next(blocks).close.tolist() == [10.5, 11.5]
    with pytest.raises(DataError, match=r"line 5 \(2024-03-01 09:33:00\): close is 'nonsense', which is no number"):
        next(blocks)


@pytest.mark.parametrize(
    ("line", "replacement", "message"),
    [
        (3, "2024-03-01 09:32:00,11.5,12,11,,300", r"line 4 \(2024-03-01 09:32:00\): close is missing\. Repair"),
        (3, "2024-03-01 09:32:00,11.5,12,11,null,300", r"line 4 \(2024-03-01 09:32:00\): close is 'null', which is no"),
        (3, "2024-03-01 09:32:00,11.5,12,11,NaN,300", r"line 4 \(2024-03-01 09:32:00\): close is 'NaN', which is no"),
        (3, "2024-03-01 09:32:00,11.5,12,11,inf,300", r"line 4 \(2024-03-01 09:32:00 UTC\): close is inf"),
        (
            3,
            "2024-03-01 09:32:00,11.5,12,11,11_25,300",
            r"line 4 \(2024-03-01 09:32:00\): close is '11_25', which is no",
        ),
        (
            3,
            "2024-03-01 09:32:00,11.5,12,-11,11.25,300",
            r"line 4 \(2024-03-01 09:32:00 UTC\): low is -11\.0, and a price",
        ),
        (
            3,
            "2024-03-01 09:32:00,11.5,11,11,11.25,300",
            r"line 4 \(2024-03-01 09:32:00 UTC\): high 11\.0 is below open 11\.5",
        ),
        (3, "2024-03-01 09:32:00,11.5,12,11,11.25,-3", r"line 4 \(2024-03-01 09:32:00 UTC\): volume is -3\.0"),
        (3, "2024-03-01 09:31:00,11.5,12,11,11.25,300", r"line 4 \(2024-03-01 09:31:00 UTC\): its time repeats"),
        (3, "2024-03-01 09:29:00,11.5,12,11,11.25,300", r"line 4 \(2024-03-01 09:29:00 UTC\): its time comes before"),
        (
            3,
            "2024-03-01 09:31:30,11.5,12,11,11.25,300",
            r"line 4 \(2024-03-01 09:31:30 UTC\)( opens|: it opens) before",
        ),
        (
            3,
            "03/01/2024 9:32,11.5,12,11,11.25,300",
            r"line 4: the time '03/01/2024 9:32' cannot be read\. Write times like",
        ),
        (3, ",11.5,12,11,11.25,300", r"line 4: the time is missing"),
        (3, "2024-03-01 09:32:00,11.5,12,11,11.25,300,7", r"line 4 has 7 fields where the first line names 6"),
        (1, "2024-03-01 09:30:00,10,11,9,10.5,100,7", r"line 2 has 7 fields where the first line names 6"),
        (2, "2024-03-01 09:31:00,10.5,12", r"line 3 has 3 fields where the first line names 6: .* Repair or delete"),
    ],
)
def test_a_bad_line_is_named_at_once_and_in_blocks(write, csv_lines, line, replacement, message):
    csv_lines[line] = replacement
    path = write(csv_lines)
    for outcome in read_both_ways(path, timeframe="1m"):
        assert outcome.startswith(f"{path}: ")
        assert re.search(message, outcome), outcome


def test_lines_are_counted_as_an_editor_does(write, csv_lines):
    lines = [csv_lines[0], "", *csv_lines[1:3], "", "2024-03-01 09:32:00,11.5,12,11,99,300", csv_lines[4]]
    for outcome in read_both_ways(write(lines), timeframe="1m"):
        assert "line 6 (2024-03-01 09:32:00 UTC): high 12.0 is below close 99.0" in outcome


@pytest.mark.parametrize(
    "keep",
    ["2024-03-0", "2024-03-01 09:33:00", "2024-03-01 09:33:00,11.25,11", "2024-03-01 09:33:00,11.25,11.5,10,10.1"],
)
def test_a_file_cut_off_inside_its_last_line_is_refused(write, csv_lines, keep):
    path = write([*csv_lines[:4], keep], end="")
    fields = keep.count(",") + 1
    for outcome in read_both_ways(path, timeframe="1m"):
        assert f"{path}: line 5 has {fields} field{'s' if fields > 1 else ''} where the first line names 6" in outcome
        assert "cut off while it was written or fetched" in outcome


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.bz2", "a.csv.zip"])
def test_a_packed_file_cut_off_is_refused(tmp_path, csv_lines, name):
    lines = [
        csv_lines[0],
        *(
            f"2024-03-01 {h:02d}:{m:02d}:00,10,11,9,{9 + (h * 7 + m * 13) % 20 / 10},5"
            for h in range(24)
            for m in range(60)
        ),
    ]
    data = "\n".join(lines).encode()
    path = tmp_path / name
    if name.endswith("zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inside.csv", data)
        packed = path.read_bytes()
    else:
        packed = gzip.compress(data) if name.endswith("gz") else bz2.compress(data)
    path.write_bytes(packed[: len(packed) // 2])
    for outcome in read_both_ways(path):
        assert outcome.startswith(f"{path}: the file cannot be read: ")
        assert "cut off: do that again" in outcome


def test_an_archive_of_two_files_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.csv.zip", "w") as archive:
        archive.writestr("one.csv", "x")
        archive.writestr("two.csv", "y")
    with pytest.raises(DataError, match="the archive holds 2 files, not one"):
        load(tmp_path / "a.csv.zip")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("ts,open,high,low,close,volume\n", "nothing below the first line"),
        ("1502942400000,4261.48,4313.62,4261.32,4308.83,47.18\n", "the first line must name the columns"),
        ("ts,open,high,low,closing\n1,2,3,4,5\n", "no column for close.*did you mean 'closing'"),
    ],
)
def test_a_file_without_bars_is_refused(write, text, message):
    path = write([text], end="")
    for outcome in read_both_ways(path):
        assert outcome.startswith(f"{path}: ")
        assert re.search(message, outcome), outcome


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_bytes("ts,open,high,low,close\n".encode("utf-16"))
    for outcome in read_both_ways(path):
        assert f"{path}: this is no UTF-8 text (byte 0xff at 0)" in outcome


def test_a_broken_number_late_in_a_column_of_times(write, csv_lines):
    lines = [csv_lines[0], *(f"{1_700_000_000 + 60 * row},10,11,9,10,1" for row in range(4)), "17000x0240,10,11,9,10,1"]
    with pytest.raises(DataError, match=r"line 6: the time '17000x0240' is no number"):
        load(write(lines))


def test_blocks_keep_the_unit_of_the_times(write, csv_lines):
    times = [1_735_603_200_000, 1_735_603_260_000, 1_735_603_320_000_000, 1_735_603_380_000_000]
    path = write([csv_lines[0], *(f"{time},10,11,9,10,1" for time in times)])
    for outcome in read_both_ways(path, timeframe="1m"):
        assert "line 4: the time 1735603320000000" in outcome
        assert "is of another unit than the rows before it" in outcome


def test_blocks_take_no_more_memory_from_a_longer_file(write, csv_lines):
    peaks = []
    for rows in (40_000, 200_000):
        path = write([csv_lines[0], *(f"{1_500_000_000 + 60 * row},10,11,9,10,{row}" for row in range(rows))])
        list(open_source(path).blocks(rows))
        tracemalloc.start()
        assert sum(len(block) for block in open_source(path).blocks(5_000)) == rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (
            ["2024-03-01T09:30+01:00,1,1,1,1", "2024-03-01T10:31+02:00,1,1,1,1", "2024-03-01T08:32,1,1,1,1"],
            "line 4: the time '2024-03-01T08:32' has no offset from UTC, unlike those before it",
        ),
        (
            ["2024-03-01T09:30,1,1,1,1", "2024-03-01T09:31,1,1,1,1", "01/03/2024 09:32,1,1,1,1"],
            "time_format='%d/%m/%Y'",
        ),
        (["2024-03-01T09:30,1,1,1,1", '2024-03-01T09:31,1,"1,5",1,1'], "pass decimal=','"),
    ],
    ids=["mixed zones", "a date that could be two", "a decimal comma"],
)
def test_what_cannot_be_told_is_refused_with_what_would_tell_it(write, lines, told):
    path = write(["time,open,high,low,close", *lines])
    for outcome in read_both_ways(path, timeframe="1m"):
        assert told in outcome


def test_a_file_in_utf_16_is_told_by_its_mark(tmp_path):
    path = tmp_path / "SPY.csv"
    path.write_text("time,open,high,low,close\n2024-03-01,1,1,1,1\n", encoding="utf-16")
    for outcome in read_both_ways(path, timeframe="1d"):
        assert "encoding='utf-16'" in outcome
