"""What a feed of recorded data has to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cambist.errors import DataError
from cambist.ports.history import HistorySource
from cambist.testing.conformance import Suite

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.model.bars import Bars

__all__ = ["HistoryTests"]


class HistoryTests(Suite):
    """Tests of the factory of a `FeedSpec` whose sources are bars.

    The test file or a ``conftest.py`` gives two fixtures: ``open_feed``, a function without arguments that opens a
    source with some hundred bars, the same at each call; and ``open_nothing``, one that opens something this feed
    cannot read, or that is not there.
    """

    prefix = "HIS"

    @pytest.fixture
    def source(self, open_feed: Callable[[], HistorySource]) -> HistorySource:
        """Open what the test file gives."""
        return open_feed()

    def test_it_is_a_source_with_a_name(self, source: HistorySource) -> None:
        """It has what every source has, and a name for messages."""
        assert isinstance(source, HistorySource)
        assert source.name.strip()

    def test_bars_are_in_order(self, source: HistorySource) -> None:
        """Open times ascend, none twice; at least a hundred, so that the other tests mean something."""
        bars = source.load()
        assert len(bars) >= 100
        assert (np.diff(bars.ts) > 0).all()

    def test_bars_are_possible(self, source: HistorySource) -> None:
        """Prices are positive numbers, the high is the highest and the low the lowest, volumes are not negative."""
        bars = source.load()
        prices = np.stack([bars.open, bars.high, bars.low, bars.close])
        assert np.isfinite(prices).all()
        assert (prices > 0).all()
        assert (bars.high == prices.max(axis=0)).all()
        assert (bars.low == prices.min(axis=0)).all()
        assert not (bars.volume < 0).any()

    @pytest.mark.parametrize("size", [1, 7, 100, 65_536])
    def test_blocks_are_the_whole(self, source: HistorySource, size: int) -> None:
        """The pieces, put together, are what `load` returns; none is larger than was asked for, none is empty."""
        whole, pieces = source.load(), list(source.blocks(size))
        assert [len(piece) for piece in pieces if not 0 < len(piece) <= size] == []
        for column, values in _columns(whole).items():
            joined = np.concatenate([_columns(piece)[column] for piece in pieces])
            assert np.array_equal(joined, values, equal_nan=True), column

    def test_it_can_be_read_again(self, source: HistorySource, open_feed: Callable[[], HistorySource]) -> None:
        """A second reading, and a second source, give the same."""
        first = _columns(source.load())
        for again in (source.load(), open_feed().load()):
            assert all(np.array_equal(values, first[name], equal_nan=True) for name, values in _columns(again).items())

    def test_a_reading_that_is_broken_off_leaves_nothing(self, source: HistorySource) -> None:
        """Whoever reads one block and goes away does not disturb the next reader."""
        first = next(iter(source.blocks(10)))
        assert np.array_equal(next(iter(source.blocks(10))).ts, first.ts)
        assert len(source.load()) >= 100

    def test_what_cannot_be_read_is_refused(self, open_nothing: Callable[[], Any]) -> None:
        """A `DataError` says so, when it is opened or when it is read, and names what was asked for."""
        with pytest.raises(DataError) as caught:
            open_nothing().load()
        assert str(caught.value).strip()


def _columns(bars: Bars) -> dict[str, Any]:
    return {"ts": bars.ts, **bars.columns}
