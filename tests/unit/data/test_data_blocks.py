from __future__ import annotations

import attrs
import numpy as np
import pytest

from cambist.data import checked_blocks, concatenate, load, open_source
from cambist.errors import DataError, InputError
from cambist.model import Bars, Instrument
from cambist.ports.history import HistorySource


@pytest.fixture
def bars(frame):
    return load(frame)


class Foreign:
    """Somebody's source with nothing but blocks."""

    def __init__(self, *blocks):
        self.pieces = blocks

    def blocks(self, size):
        assert size >= 1
        return iter(self.pieces)


def test_good_blocks_pass_as_they_are(bars):
    pieces = [bars[:2], bars[2:4], bars[4:]]
    assert list(checked_blocks(pieces)) == pieces
    joined = concatenate(pieces)
    assert joined.ts.tolist() == bars.ts.tolist()
    for name, column in bars.columns.items():
        assert joined.columns[name].tolist() == column.tolist()


def test_a_block_that_goes_back_is_refused(bars):
    blocks = checked_blocks([bars[:2], bars[3:], bars[2:3]], "feed")
    assert len(next(blocks)) == 2
    assert len(next(blocks)) == 2
    with pytest.raises(DataError) as caught:
        next(blocks)
    assert str(caught.value).startswith(
        "feed: block 2 (from row 4 on) does not follow the one before it: row 4 (2024-03-01 11:00:00 UTC): its time "
        "comes before that of the bar before it (2024-03-01 13:00:00 UTC)"
    )


def test_a_block_that_overlaps_is_refused(bars):
    with pytest.raises(DataError, match=r"row 3 \(2024-03-01 11:00:00 UTC\): its time repeats"):
        concatenate([bars[:3], bars[2:]])
    shifted = attrs.evolve(bars, ts=bars.ts + 30 * 60 * 10**9)
    with pytest.raises(
        DataError, match=r"row 3 \(2024-03-01 11:30:00 UTC\): it opens before .* \(2024-03-01 11:00:00 UTC\)"
    ):
        concatenate([bars[:3], shifted[2:]])


def test_another_instrument_or_timeframe_is_refused(bars):
    other = attrs.evolve(bars, instrument=Instrument(symbol="OTHER"))
    with pytest.raises(DataError, match=r"block 1 \(from row 2 on\) is of OTHER, the one before it of ASSET"):
        concatenate([bars[:2], other[2:]])
    ticked = attrs.evolve(bars, instrument=Instrument(symbol="ASSET", tick_size="0.5"))
    with pytest.raises(DataError, match=r"is of ASSET, the one before it of ASSET .*tick_size=Decimal\('0\.5'\)"):
        concatenate([bars[:2], ticked[2:]])
    faster = attrs.evolve(bars, timeframe="30m")
    with pytest.raises(DataError, match=r"block 1 .* is of 30m, the one before it of 1h"):
        concatenate([bars[:2], faster[2:]])


def test_no_block_and_no_bars_are_refused(bars, frame):
    with pytest.raises(DataError, match="feed: there are no bars"):
        concatenate([], "feed")
    with pytest.raises(DataError, match=r"block 1 \(from row 2 on\) is DataFrame, not Bars"):
        concatenate([bars[:2], frame])


def test_a_foreign_source_is_checked_and_loaded(bars):
    source = open_source(Foreign(bars[:2], bars[2:]))
    assert isinstance(source, HistorySource)
    assert source.name == "Foreign"
    assert source.notes == ()
    assert [len(block) for block in source.blocks(3)] == [2, 3]
    assert source.load().close.tolist() == bars.close.tolist()
    with pytest.raises(DataError, match="Foreign: block 1"):
        list(open_source(Foreign(bars[2:], bars[:2])).blocks())
    with pytest.raises(InputError, match="blocks of 0 rows"):
        source.blocks(0)


def test_a_foreign_source_keeps_its_name_notes_and_load(bars):
    foreign = Foreign()
    foreign.name, foreign.notes, foreign.load = "mine", ["dropped 3 repeats"], lambda: bars
    source = open_source(foreign)
    assert (source.name, source.notes) == ("mine", ("dropped 3 repeats",))
    assert source.load() is bars
    foreign.load = lambda: np.zeros(3)
    with pytest.raises(DataError, match=r"mine: load\(\) returned ndarray, not Bars"):
        source.load()


def test_bars_in_memory_come_in_blocks(bars):
    source = open_source(bars)
    assert isinstance(source, HistorySource)
    assert source.load() is bars
    assert source.name == "ASSET 1h"
    assert [len(block) for block in source.blocks(2)] == [2, 2, 1]
    with pytest.raises(InputError, match="blocks of 0 rows"):
        source.blocks(0)


def test_every_block_is_bars(bars):
    assert all(isinstance(block, Bars) for block in open_source(bars).blocks(2))
