"""Tables of records and their files: everything that goes in comes out, whatever a text or a number is."""

from __future__ import annotations

import json
from collections.abc import Mapping  # noqa: TC003 - looked up when the test runs
from enum import StrEnum
from math import inf, nan
from types import MappingProxyType

import attrs
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cambist.backtest import formats
from cambist.backtest.formats import FORMATS
from cambist.backtest.nested import text_of, value_of
from cambist.backtest.tables import FILLS, NAT, ORDERS, TRADES, Kind, Layout, Table
from cambist.model import Fill, Instrument, Order, Trade

ACME = Instrument(symbol="ACME")
INT64 = st.integers(-(2**63) + 1, 2**63 - 1)
VALUES = {
    Kind.TEXT: st.text(),
    Kind.FLOAT: st.floats(width=64),
    Kind.INTEGER: INT64,
    Kind.FLAG: st.booleans(),
    Kind.TIME: INT64 | st.just(NAT),
}
ARRAYS = {Kind.FLOAT: np.float64, Kind.INTEGER: np.int64, Kind.FLAG: np.bool_, Kind.TIME: np.int64}
tables = st.lists(st.tuples(*VALUES.values()), max_size=20).map(
    lambda rows: Table(
        {f"a {kind}, so": kind for kind in VALUES},
        {
            f"a {kind}, so": column if kind is Kind.TEXT else np.array(column, ARRAYS[kind])
            for kind, column in zip(VALUES, map(list, zip(*rows, strict=True)) if rows else [[]] * 5, strict=True)
        },
    )
)


def plain(table):
    """A table as lists that are equal when every bit is, but for what NaN is made of."""
    return {
        name: column if isinstance(column, list) else np.where(column != column, nan, column).tobytes()  # noqa: PLR0124
        for name, column in table.columns.items()
    }


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("at_once", [65_536, 3])
def test_every_table_comes_back(tmp_path, monkeypatch, name, at_once):
    monkeypatch.setattr(formats, "_ROWS_AT_ONCE", at_once)
    path = tmp_path / f"table.{name}"

    @settings(max_examples=40)
    @given(tables)
    def check(table):
        FORMATS[name].write(table, path)
        assert plain(FORMATS[name].read(path, table.kinds)) == plain(table)

    check()


def test_half_a_letter_is_written_as_its_number(tmp_path):
    table = Table({"id": Kind.INTEGER, "tag": Kind.TEXT}, {"id": np.array([1]), "tag": ["half \udc80"]})
    for name, chosen in FORMATS.items():
        chosen.write(table, tmp_path / name)
        back = chosen.read(tmp_path / name, table.kinds)["tag"]
        assert back == (["half \udc80"] if name == "json" else [r"half \udc80"])


def test_pandas_takes_a_json_table_as_it_is(tmp_path):
    table = Table({"a": Kind.FLOAT, "b": Kind.TEXT}, {"a": np.array([1.5, nan, -inf]), "b": ["x", "", "y"]})
    FORMATS["json"].write(table, tmp_path / "t.json")
    said = json.loads((tmp_path / "t.json").read_text())
    assert said == {"a": [1.5, None, "-Infinity"], "b": ["x", "", "y"]}
    assert pd.DataFrame(said).b.tolist() == ["x", "", "y"]


@pytest.mark.parametrize(("layout", "record"), [(ORDERS, Order), (FILLS, Fill), (TRADES, Trade)])
def test_every_field_of_a_record_has_a_column(layout, record):
    """A field that is added to a record goes into the files by itself; a type that cannot must be told how."""
    beside = {"fee_asset", "fee_paid"} if record is Fill else set()  # which few fills have
    assert {field.fills for field in layout if field.fills} - beside == {field.name for field in attrs.fields(record)}
    columns = [field.column for field in layout]
    assert len(set(columns)) == len(columns)


class Color(StrEnum):
    RED = "red"


NO_NOTES = MappingProxyType({})


@attrs.frozen
class Inner:
    """A part of a record."""

    amount: float = nan
    limit: float = 0.0
    notes: Mapping[str, object] = NO_NOTES


@attrs.define
class Grown:
    """A record as it might be one day."""

    id: int
    instrument: Instrument
    color: Color
    parent: int | None
    trail: float | None
    group: tuple[int, ...]
    seen_at: int
    happy: bool
    inner: Inner | None = None


def test_a_field_of_an_unusual_type_comes_back_too(tmp_path):
    layout = Layout(Grown, {"id": "id"})
    records = [
        Grown(1, ACME, Color.RED, None, 0.1, (), -5, True),
        Grown(2, ACME, Color.RED, 7, None, (3, 4), 10**18, False, Inner(limit=inf)),
        Grown(3, ACME, Color.RED, 0, -inf, (), 0, False, Inner(0.1 + 0.2, notes={"why": [1, None, {"deep": "x"}]})),
        Grown(4, ACME, Color.RED, 0, 1.0, (), 0, False, Inner(notes={"$number": -inf, "$$": nan, "number": 5})),
    ]
    texts = layout.table(records)["inner"]
    assert texts[:2] == ["", '{"limit": {"$number": "inf"}}']  # what is as always is not written
    for name, chosen in FORMATS.items():
        chosen.write(layout.table(records), tmp_path / name)
        back = layout.records(chosen.read(tmp_path / name, layout.kinds), {"ACME": ACME})
        # NaN is not equal to itself, but texts of it are.
        assert repr(back) == repr(records)
        assert layout.table(back).columns["inner"] == texts


PLAIN = st.none() | st.booleans() | INT64 | st.floats() | st.text()
NESTED = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("$number"), inner))


@given(st.dictionaries(st.sampled_from(["$number", "$", "a"]) | st.text(), NESTED))
def test_notes_of_any_kind_come_back(notes):
    assert repr(value_of(text_of(notes), dict[str, object])) == repr(notes)
