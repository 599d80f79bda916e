"""The full product of states and inputs, against an expectation written by hand."""

from __future__ import annotations

from itertools import product
from math import nan

import pytest

from cambist.errors import OrderStateError
from cambist.model import Fill, Instrument, Liquidity, Order, OrderStatus, OrderType, Side, TimeInForce
from cambist.model.events import (
    AmendRejected,
    CancelRejected,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderTriggered,
    OutcomeUnknown,
    StopTrailed,
)
from cambist.orders import (
    TABLE,
    TERMINAL,
    Marker,
    OrderInput,
    apply_event,
    next_status,
    not_found,
    request_amend,
    request_cancel,
    submit,
)
from cambist.orders.state import column

S = OrderStatus

#: What a cell says. `-` is an anomaly. `facts` goes back to what the order's fields tell. `unk?` is UNKNOWN, unless the
#: venue ever confirmed the order: then the pending state stays. `rej?` is REJECTED, or CANCELED if something traded.
WORDS = {
    "SUB": S.SUBMITTED, "ACC": S.ACCEPTED, "TRI": S.TRIGGERED, "PAR": S.PARTIALLY_FILLED, "P_C": S.PENDING_CANCEL,
    "P_R": S.PENDING_REPLACE, "UNK": S.UNKNOWN, "FIL": S.FILLED, "CAN": S.CANCELED, "REJ": S.REJECTED, "EXP": S.EXPIRED,
    "facts": Marker.FACTS, "unk?": Marker.UNKNOWN_UNLESS_ACCEPTED, "rej?": Marker.REJECTED_UNLESS_FILLED,
}  # fmt: skip

COLUMNS = (
    S.CREATED, S.SUBMITTED, S.ACCEPTED, S.TRIGGERED, S.PARTIALLY_FILLED, S.PENDING_CANCEL, S.PENDING_REPLACE, S.UNKNOWN,
    S.FILLED, S.CANCELED, S.REJECTED, S.EXPIRED,
)  # fmt: skip

EXPECTED = """
                 created submit. accept. trigg.  partly  p.canc. p.repl. unknown | filled  cancel. reject. expired
submit           SUB     -       -       -       -       -       -       -       | -       -       -       -
accept           -       ACC     ACC     TRI     PAR     P_C     P_R     ACC     | FIL     CAN     -       EXP
reject           REJ     REJ     REJ     REJ     CAN     rej?    rej?    REJ     | -       CAN     REJ     EXP
trigger          -       TRI     TRI     TRI     PAR     P_C     P_R     TRI     | FIL     CAN     -       EXP
fill             -       PAR     PAR     PAR     PAR     P_C     P_R     PAR     | -       CAN     CAN     EXP
cancel_request   -       P_C     P_C     P_C     P_C     P_C     P_C     UNK     | -       -       -       -
cancel           CAN     CAN     CAN     CAN     CAN     CAN     CAN     CAN     | -       CAN     REJ     EXP
cancel_reject    -       SUB     ACC     TRI     PAR     facts   P_R     UNK     | FIL     CAN     REJ     EXP
amend_request    -       P_R     P_R     P_R     P_R     -       -       -       | -       -       -       -
amend            -       ACC     ACC     TRI     PAR     P_C     facts   ACC     | facts   CAN     -       EXP
amend_reject     -       SUB     ACC     TRI     PAR     P_C     facts   UNK     | FIL     CAN     REJ     EXP
trail            -       ACC     ACC     TRI     PAR     P_C     P_R     ACC     | FIL     CAN     -       EXP
expire           -       EXP     EXP     EXP     EXP     EXP     EXP     EXP     | -       CAN     REJ     EXP
outcome_unknown  -       UNK     ACC     TRI     PAR     unk?    unk?    UNK     | FIL     CAN     REJ     EXP
not_found        -       -       -       -       -       -       -       REJ     | -       -       REJ     -
"""


def read(grid):
    """Yield ((state, input), cell) for every cell of the grid; the cell of an anomaly is None."""
    for line in grid.strip().splitlines()[1:]:
        name, *cells = line.replace("|", " ").split()
        for state, cell in zip(COLUMNS, cells, strict=True):
            yield (state, OrderInput(name)), WORDS.get(cell) if cell != "-" else None


CELLS = dict(read(EXPECTED))
ALL = list(product(OrderStatus, OrderInput))
COIN = Instrument(symbol="COIN", step_size="0.1")

#: Fields an order may have in each state: (accepted, triggered, filled), of a size of 10.
FACTS = {
    S.CREATED: [(False, False, 0.0)],
    S.SUBMITTED: [(False, False, 0.0)],
    S.ACCEPTED: [(True, False, 0.0)],
    S.TRIGGERED: [(True, True, 0.0)],
    S.PARTIALLY_FILLED: [(True, False, 4.0), (True, True, 4.0)],
    S.PENDING_CANCEL: [(False, False, 0.0), (True, False, 0.0), (True, True, 0.0), (True, True, 4.0)],
    S.PENDING_REPLACE: [(False, False, 0.0), (True, False, 0.0), (True, True, 0.0), (True, True, 4.0)],
    S.UNKNOWN: [(False, False, 0.0)],
    S.FILLED: [(True, False, 10.0), (True, True, 10.0)],
    S.CANCELED: [(False, False, 0.0), (True, False, 0.0), (True, True, 4.0)],
    S.REJECTED: [(False, False, 0.0), (True, True, 0.0)],
    S.EXPIRED: [(False, False, 0.0), (True, True, 4.0)],
}
CASES = [(state, kind, facts) for state, kind in ALL for facts in FACTS[state]]


def order_in(state, facts):
    accepted, triggered, filled = facts
    return Order(
        7, COIN, Side.BUY, OrderType.STOP_LIMIT, 10.0, 100.0, 90.0, TimeInForce.GTC, 0, False, "s", "", 1, 2,
        state, "before", filled, 99.0 if filled else nan, 0.5, accepted, triggered,
    )  # fmt: skip


def put(order, kind, *, size=3.0, terms=(20.0, 101.0, 90.0)):
    """Put an input into the machine the way it comes in life."""
    if kind is OrderInput.SUBMIT:
        return submit(order, 9)
    if kind is OrderInput.CANCEL_REQUEST:
        return request_cancel(order, 9)
    if kind is OrderInput.AMEND_REQUEST:
        return request_amend(order, 9)
    if kind is OrderInput.NOT_FOUND:
        return not_found(order, 9)
    fill = Fill(1, 7, COIN, Side.BUY, size, 101.0, 0.1, Liquidity.TAKER, 9)
    event = {
        OrderInput.ACCEPT: lambda: OrderAccepted(9, 7),
        OrderInput.REJECT: lambda: OrderRejected(9, 7, "after"),
        OrderInput.TRIGGER: lambda: OrderTriggered(9, 7),
        OrderInput.FILL: lambda: OrderFilled(9, 7, fill),
        OrderInput.CANCEL: lambda: OrderCanceled(9, 7, "after"),
        OrderInput.CANCEL_REJECT: lambda: CancelRejected(9, 7, "after"),
        OrderInput.AMEND: lambda: OrderAmended(9, 7, *terms),
        OrderInput.AMEND_REJECT: lambda: AmendRejected(9, 7, "after"),
        OrderInput.TRAIL: lambda: StopTrailed(9, 7, 91.0, 101.0),
        OrderInput.EXPIRE: lambda: OrderExpired(9, 7, "after"),
        OrderInput.OUTCOME_UNKNOWN: lambda: OutcomeUnknown(9, 7, "after"),
    }[kind]()
    return apply_event(order, event)


def snapshot(order):
    return repr([getattr(order, name) for name in Order.__slots__ if name != "__weakref__"])


def resolved(cell, state, facts, kind):
    """The expected state after a fill of 3 or new terms of size 20, by the meaning of the cell."""
    accepted, triggered, filled = facts
    accepted = accepted or kind is OrderInput.AMEND
    if cell is Marker.FACTS:
        if filled:
            return S.PARTIALLY_FILLED
        return S.TRIGGERED if triggered else S.ACCEPTED if accepted else S.SUBMITTED
    if cell is Marker.UNKNOWN_UNLESS_ACCEPTED:
        return state if accepted else S.UNKNOWN
    if cell is Marker.REJECTED_UNLESS_FILLED:
        return S.CANCELED if filled else S.REJECTED
    return cell


def test_the_grid_covers_the_full_product():
    assert set(CELLS) == set(ALL)
    assert len(ALL) == 180


@pytest.mark.parametrize(("state", "kind"), ALL)
def test_every_pair_is_as_expected(state, kind):
    assert TABLE[state].get(kind) == CELLS[state, kind]


@pytest.mark.parametrize(("state", "kind", "facts"), [case for case in CASES if CELLS[case[0], case[1]] is not None])
def test_a_legal_input_leads_where_the_cell_says(state, kind, facts):
    order = order_in(state, facts)
    put(order, kind)
    assert order.status is resolved(CELLS[state, kind], state, facts, kind)


@pytest.mark.parametrize(("state", "kind", "facts"), [case for case in CASES if CELLS[case[0], case[1]] is None])
def test_an_illegal_input_raises_and_changes_nothing(state, kind, facts):
    order = order_in(state, facts)
    before = snapshot(order)
    with pytest.raises(OrderStateError) as caught:
        put(order, kind)
    assert snapshot(order) == before
    message = str(caught.value)
    assert "order 7" in message
    assert f"is {state}" in message
    assert f"got {kind}" in message


@pytest.mark.parametrize(
    ("state", "facts"),
    [(case[0], case[2]) for case in CASES if case[1] is OrderInput.FILL and CELLS[case[:2]] is not None],
)
def test_fills_that_add_up_to_the_size_end_every_order_as_filled(state, facts):
    order = order_in(state, facts)
    put(order, OrderInput.FILL, size=order.size - order.filled)
    assert order.status is S.FILLED
    assert order.filled == 10.0


@pytest.mark.parametrize("state", [S.PARTIALLY_FILLED, S.PENDING_CANCEL, S.PENDING_REPLACE, S.CANCELED, S.EXPIRED])
def test_an_amend_down_to_what_is_filled_ends_every_order_as_filled(state):
    order = order_in(state, (True, True, 4.0))
    put(order, OrderInput.AMEND, terms=(4.0, 100.0, 90.0))
    assert order.status is S.FILLED


def test_an_ended_order_stays_ended_save_for_an_amend_that_makes_room():
    leaves = {
        (state, kind) for state, kind, facts in CASES if state in TERMINAL and CELLS[state, kind] is not None
        for order in [order_in(state, facts)] if put(order, kind) and order.status not in TERMINAL
    }  # fmt: skip
    assert leaves == {(S.FILLED, OrderInput.AMEND)}


def test_looking_ahead_changes_nothing():
    order = order_in(S.PENDING_CANCEL, (True, True, 4.0))
    before = snapshot(order)
    assert next_status(order, OrderInput.CANCEL_REJECT) is S.PARTIALLY_FILLED
    assert snapshot(order) == before


def test_a_column_with_a_marker_cannot_be_read_as_states():
    with pytest.raises(TypeError, match="FACTS"):
        column(OrderInput.AMEND_REJECT)


def test_the_table_agrees_with_the_model_on_what_is_open():
    for state in OrderStatus:
        assert order_in(state, FACTS[state][0]).is_open == (state not in TERMINAL)
