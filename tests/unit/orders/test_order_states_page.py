"""The page on order states and the code hold the same table."""

from __future__ import annotations

from pathlib import Path

from cambist.model import OrderStatus
from cambist.orders import TABLE, TERMINAL, Marker, OrderInput
from cambist.orders.machine import INPUTS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "order-states.md"


def tables():
    """Return each table of the page as a list of rows, a row as a list of cells without their marks."""
    found, last = [], False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        is_row = line.startswith("|")
        if is_row and not last:
            found.append([])
        if is_row and not line.startswith("|---"):
            found[-1].append([cell.strip() for cell in line.strip("|").split("|")])
        last = is_row
    return found


def target(cell):
    if cell == "-":
        return None
    return Marker(cell.strip("*")) if cell.startswith("*") else OrderStatus(cell)


def test_the_page_has_the_whole_table_and_the_same():
    page = {}
    for header, *rows in tables()[2:]:
        states = [OrderStatus(cell.strip("`")) for cell in header[1:]]
        assert [OrderInput(row[0].strip("`")) for row in rows] == list(OrderInput)
        for row in rows:
            for state, cell in zip(states, row[1:], strict=True):
                assert (state, OrderInput(row[0].strip("`"))) not in page
                page[state, OrderInput(row[0].strip("`"))] = target(cell)
    assert page == {(state, kind): TABLE[state].get(kind) for state in OrderStatus for kind in OrderInput}


def test_the_page_explains_every_state_and_which_of_them_end_an_order():
    _, *rows = tables()[0]
    assert {row[0].strip("`"): row[2] for row in rows} == {
        state: "yes" if state in TERMINAL else "" for state in OrderStatus
    }


def test_the_page_explains_every_input_and_the_events_that_bring_it():
    _, *rows = tables()[1]
    assert [row[0].strip("`") for row in rows] == list(OrderInput)
    events = {(event.strip(" `"), row[0].strip("`")) for row in rows for event in row[2].split(",") if event}
    assert events == {(event.__name__, kind) for event, kind in INPUTS.items()}


def test_the_page_explains_every_marker():
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for marker in Marker:
        at = lines.index(f"*{marker.value}*")
        assert lines[at + 1].startswith(": ")
