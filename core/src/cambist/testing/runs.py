"""What a store of runs has to do."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from cambist.errors import ResultError
from cambist.ports.rows import (
    ROWS,
    AccountRow,
    CashFlowRow,
    DailyRow,
    EventRow,
    FillRow,
    MeasureRow,
    OrderEventRow,
    OrderRow,
    PositionRow,
    PositionSnapshotRow,
    Row,
    SignalRow,
    StateRow,
    TradeRow,
)
from cambist.ports.storage import RunRecord
from cambist.testing.conformance import Suite
from cambist.testing.kills import killed_writers
from cambist.testing.opening import closed_at_the_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cambist.ports.storage import RunStore, Storage

__all__ = ["RunStoreTests"]

_NOW = 1_735_689_600_123_456_789
_RUN = RunRecord(
    id="20250101-live-1",
    mode="live",
    title="trend on BTC/USDT 1m, 比特币",
    started_at=_NOW,
    stored_at=_NOW + 1,
    strategies=({"name": "trend", "class": "Trend", "parameters": {"fast": 5, "threshold": 0.1, "tags": ["a", None]}},),
    instruments=({"symbol": "BTC/USDT", "tick_size": "0.01"},),
    currency="USDT",
    initial_cash=Decimal("100000.000000000000000001"),
    settings={"fees": 0.001, "nested": {"on": True}},
    version="0.1.0",
)


def _order(number: int, **changes: Any) -> OrderRow:
    row = OrderRow(
        id=number,
        client_id=f"c{number}",
        strategy="trend",
        symbol="BTC/USDT",
        side="buy",
        type="limit",
        status="accepted",
        size=Decimal("0.00013"),
        limit_price=Decimal("42000.10"),
        time_in_force="gtc",
        filled=Decimal(0),
        fees=Decimal(0),
        created_at=_NOW + number,
        updated_at=_NOW + number,
        info={"note": "因", "levels": [1, 2.5]},
    )
    return attrs.evolve(row, **changes)


def _fill(number: int) -> FillRow:
    return FillRow(
        id=f"t{number:06d}",
        order_id=number,
        symbol="BTC/USDT",
        side="buy",
        size=Decimal("0.00012987"),
        price=Decimal("42000.10"),
        fee=Decimal("0.000000130000000000000001"),
        fee_asset="BNB",
        liquidity="maker",
        ts=_NOW + number,
    )


#: One of each kind, with what there can be of None, signs, digits and letters.
_ONE_OF_EACH: tuple[Row, ...] = (
    _order(1),
    _order(2, limit_price=None, stop_price=Decimal("1E-18"), expires_at=_NOW, reduce_only=True, parent=1, oco=1),
    OrderEventRow(
        sequence=7, order_id=1, ts=_NOW, kind="OrderAccepted", status="accepted", detail={"venue_id": "9" * 40}
    ),
    _fill(1),
    TradeRow(
        id=1,
        strategy="trend",
        symbol="BTC/USDT",
        side="short",
        size=Decimal("123456789012345678.123456789012345678"),
        opened_at=_NOW,
        entry_price=Decimal("0.1"),
        gross=Decimal("-0.30"),
        fees=Decimal(0),
        net=Decimal("-0.30"),
    ),
    PositionRow(symbol="BTC/USDT", ts=_NOW, size=Decimal("-0.5"), average_price=None),
    AccountRow(
        ts=_NOW, currency="USDT", equity=Decimal("99.99"), cash=Decimal(-1), free=Decimal("0.01"), drawdown=-0.1
    ),
    PositionSnapshotRow(
        symbol="BTC/USDT", side="long", ts=_NOW, size=Decimal("0.5"), price=Decimal("1E-18"), unrealized=Decimal("-0.1")
    ),
    DailyRow(day="2024-12-31", ts=_NOW, equity=Decimal("99.99"), daily_return=-0.1, sharpe=None, max_drawdown=-0.1),
    CashFlowRow(number=1, ts=_NOW, kind="funding", symbol="BTC/USDT", asset="USDT", amount=Decimal("-0.0001")),
    # Of one symbol, time and number, in an account and an asset of their own.
    PositionRow(account="main", symbol="BTC/USDT", ts=_NOW, size=Decimal(1), average_price=Decimal(42_000)),
    AccountRow(asset="BTC", ts=_NOW, currency="BTC", equity=Decimal("1E-8"), cash=Decimal(0), margin=Decimal(0)),
    AccountRow(account="main", ts=_NOW, currency="USDT", equity=Decimal(7)),
    CashFlowRow(number=1, account="main", ts=_NOW, kind="dividend", symbol="ACME", asset="USDT", amount=Decimal("0.3")),
    MeasureRow(name="sharpe", value=1.0 / 3.0, unit="ratio"),
    MeasureRow(name="sortino", value=None),
    EventRow(
        number=1, ts=_NOW, kind="risk", level="warning", source="MaxLoss", message="halted\n'; --", detail={"a": 1}
    ),
    StateRow(strategy="trend", sequence=3, ts=_NOW, data=bytes(range(256))),
    SignalRow(strategy="trend", name="fast", ts=_NOW, value=5e-324),
    SignalRow(strategy="trend", name="why", symbol="BTC/USDT", ts=_NOW, value=None, text="趋势 '; --"),
)


class RunStoreTests(Suite):
    """Tests of a `RunStore`.

    The test file or a ``conftest.py`` gives the fixture ``open_storage``: a function without arguments that opens the
    same storage each time it is called, empty at the first call of a test. A subclass may give ``open_runs`` instead,
    which opens the store alone. A store that does not outlive its object sets ``durable = False``.
    """

    prefix = "RUN"
    durable = True
    #: Rows of the largest batch.
    many = 5_000

    @pytest.fixture
    def open_runs(self, open_storage: Callable[[], Storage]) -> Iterator[Callable[[], RunStore]]:
        """Return what opens the store."""
        with closed_at_the_end(open_storage) as open_one:
            yield lambda: open_one().runs

    @pytest.fixture
    def runs(self, open_runs: Callable[[], RunStore]) -> RunStore:
        """Open the store."""
        return open_runs()

    def test_an_empty_store_has_nothing(self, runs: RunStore) -> None:
        """Nothing is found; to ask for it by name is an error that names it."""
        assert runs.runs() == []
        assert runs.cursor("nothing") == -1
        runs.delete("nothing")
        with pytest.raises(ResultError, match="nothing"):
            runs.get("nothing")
        with pytest.raises(ResultError, match="nothing"):
            list(runs.rows("nothing", OrderRow))
        with pytest.raises(ResultError, match="nothing"):
            runs.write("nothing", [_order(1)], 0)

    def test_a_run_comes_back_as_it_was(self, runs: RunStore) -> None:
        """Every field of its record."""
        runs.begin(_RUN)
        assert runs.get(_RUN.id) == _RUN
        assert runs.runs() == [_RUN]

    def test_what_is_known_of_a_run_can_be_replaced(self, runs: RunStore) -> None:
        """Its rows and its cursor stay."""
        runs.begin(_RUN)
        runs.write(_RUN.id, [_order(1)], 5)
        ended = attrs.evolve(_RUN, ended_at=_NOW + 10, stopped="asked to")
        runs.begin(ended)
        assert runs.runs() == [ended]
        assert runs.cursor(_RUN.id) == 5
        assert list(runs.rows(_RUN.id, OrderRow)) == [_order(1)]

    def test_runs_come_in_the_order_in_which_they_were_stored(self, runs: RunStore) -> None:
        """Not sorted by id."""
        for name in ("b", "a", "c"):
            runs.begin(attrs.evolve(_RUN, id=name))
        assert [run.id for run in runs.runs()] == ["b", "a", "c"]

    def test_every_kind_of_row_comes_back_exactly(self, runs: RunStore) -> None:
        """Money to the last digit, text in any script, None where there was None."""
        assert {type(row) for row in _ONE_OF_EACH} == set(ROWS)
        runs.begin(_RUN)
        assert runs.write(_RUN.id, _ONE_OF_EACH, 1)
        for kind in ROWS:
            assert list(runs.rows(_RUN.id, kind)) == [row for row in _ONE_OF_EACH if type(row) is kind]

    def test_decimals_keep_their_value(self, runs: RunStore) -> None:
        """Sums of what was read are exact."""
        runs.begin(_RUN)
        texts = ("0.1", "0.2", "1E+3", "1E-18", "-0", "0.30000000000000004", "99999999999999999999.000000000000000001")
        fills = [attrs.evolve(_fill(number), price=Decimal(text)) for number, text in enumerate(texts)]
        runs.write(_RUN.id, fills, 1)
        found = [row.price for row in runs.rows(_RUN.id, FillRow)]
        assert found == [Decimal(text) for text in texts]
        assert sum(found) == sum(map(Decimal, texts))

    def test_a_row_of_equal_key_replaces_the_one_before(self, runs: RunStore) -> None:
        """In a later write, and within one."""
        runs.begin(_RUN)
        runs.write(_RUN.id, [_order(1), _order(2), _order(1, status="triggered")], 1)
        runs.write(_RUN.id, [_order(1, status="filled", filled=Decimal("0.00013"))], 2)
        found = list(runs.rows(_RUN.id, OrderRow))
        assert [(row.id, row.status) for row in found] == [(1, "filled"), (2, "accepted")]

    def test_a_write_that_is_known_changes_nothing(self, runs: RunStore) -> None:
        """Told by its sequence number."""
        runs.begin(_RUN)
        assert runs.write(_RUN.id, [_order(1)], 4)
        for sequence in (4, 3, -1):
            assert not runs.write(_RUN.id, [_order(1, status="canceled"), _order(9)], sequence)
        assert list(runs.rows(_RUN.id, OrderRow)) == [_order(1)]
        assert runs.cursor(_RUN.id) == 4
        assert runs.write(_RUN.id, [], 10)
        assert runs.cursor(_RUN.id) == 10

    def test_a_write_that_fails_changes_nothing(self, runs: RunStore) -> None:
        """A row that cannot be one takes its whole batch back."""
        runs.begin(_RUN)
        runs.write(_RUN.id, [_order(1)], 1)
        wrong: Any = object()
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the store makes of it
            runs.write(_RUN.id, [_order(2), wrong], 2)
        assert list(runs.rows(_RUN.id, OrderRow)) == [_order(1)]
        assert runs.cursor(_RUN.id) == 1

    def test_runs_are_kept_apart(self, runs: RunStore) -> None:
        """Rows of equal keys in two runs, and deleting one of them."""
        for name in ("a", "b"):
            runs.begin(attrs.evolve(_RUN, id=name))
            runs.write(name, [_order(1, tag=name)], 1)
        runs.delete("a")
        assert [run.id for run in runs.runs()] == ["b"]
        assert [row.tag for row in runs.rows("b", OrderRow)] == ["b"]
        assert runs.cursor("a") == -1
        runs.begin(attrs.evolve(_RUN, id="a"))
        assert list(runs.rows("a", OrderRow)) == []

    def test_many_rows(self, runs: RunStore) -> None:
        """More than a page."""
        runs.begin(_RUN)
        fills = [_fill(number) for number in range(self.many)]
        runs.write(_RUN.id, fills, 1)
        assert list(runs.rows(_RUN.id, FillRow)) == fills

    def test_what_was_written_outlives_the_object(self, open_runs: Callable[[], RunStore]) -> None:
        """A store that is opened again has it all."""
        if not self.durable:
            pytest.skip("this store says that it does not outlive its object")
        first = open_runs()
        first.begin(_RUN)
        first.write(_RUN.id, _ONE_OF_EACH, 7)
        second = open_runs()
        assert second.get(_RUN.id) == _RUN
        assert second.cursor(_RUN.id) == 7
        assert list(second.rows(_RUN.id, FillRow)) == [_fill(1)]

    def test_a_batch_is_seen_whole_or_not_at_all(self, open_runs: Callable[[], RunStore]) -> None:
        """While one writes, rows and cursor move together for whoever reads."""
        if not self.durable:
            pytest.skip("this store cannot be opened twice")
        writer, reader = open_runs(), open_runs()
        writer.begin(_RUN)
        seen: list[Sequence[FillRow]] = []
        done = threading.Event()

        def read() -> None:
            while not done.is_set():
                seen.append(list(reader.rows(_RUN.id, FillRow)))

        thread = threading.Thread(target=read)
        thread.start()
        for batch in range(20):
            writer.write(_RUN.id, [_fill(10 * batch + number) for number in range(10)], batch)
        done.set()
        thread.join()
        assert seen
        assert all(len(rows) % 10 == 0 for rows in seen)
        assert len(list(reader.rows(_RUN.id, FillRow))) == 200

    def test_a_killed_writer_leaves_whole_batches(self, open_runs: Callable[[], RunStore]) -> None:
        """Rows and cursor say the same, and what a write that returned has kept is there."""
        if not self.durable:
            pytest.skip("this store says that it does not outlive its object")

        def batch(number: int) -> list[FillRow]:
            return [_fill(50 * number + one) for one in range(50)]

        def begin() -> Callable[[int], object]:
            runs = open_runs()
            runs.begin(_RUN)
            return lambda number: runs.write(_RUN.id, batch(number), number)

        for promised in killed_writers(begin):
            runs = open_runs()
            last = runs.cursor(_RUN.id)
            assert last in {promised, promised + 1}
            assert list(runs.rows(_RUN.id, FillRow)) == [row for number in range(last + 1) for row in batch(number)]
