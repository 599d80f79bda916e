"""What the gate refuses: each code and message, what it lets pass, and that nobody else approves anything."""

from __future__ import annotations

import ast
from itertools import product
from math import inf, isnan, nan
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cambist
from cambist.errors import ParameterError
from cambist.model import ApprovedOrder, Instructions, Instrument, Order, OrderType, Position, Side, TimeInForce
from cambist.ports.risk import Refusal, RiskView
from cambist.risk import DEFAULT_RULES, RiskGate
from cambist.risk.rules.funds import FundsRule
from cambist.risk.rules.open_orders import MaxOpenOrdersRule
from cambist.risk.rules.order_value import MaxOrderValueRule
from cambist.risk.rules.position import MaxPositionRule

NOW = 1_700_000_000 * 10**9
ACME = Instrument(
    symbol="ACME",
    tick_size="0.05",
    step_size="0.1",
    min_size="0.5",
    max_size="100",
    min_notional="10",
)


@attrs.define
class View(RiskView):
    """An account as the test wants it."""

    held: float = 0.0
    price: float = 20.0
    missing: float = 0.0
    working: int = 0
    buying: float = 0.0
    selling: float = 0.0
    orders: dict[int, Order] = attrs.field(factory=dict)

    def position(self, instrument):
        return Position(instrument, size=self.held)

    def account(self):
        raise NotImplementedError

    def reference_price(self, order):
        for price in (order.limit_price, order.stop_price):
            if not isnan(price):
                return price
        return self.price

    def market_price(self, instrument):
        return self.price

    def now(self):
        return NOW

    def order(self, order_id):
        return self.orders.get(order_id)

    def missing_funds(self, order):
        return 0.0 if order.reduce_only else self.missing

    def open_orders(self, instrument):
        return self.working

    def total_open_orders(self):
        return self.working

    def working_orders(self, instrument):
        return [one for one in self.orders.values() if one.instrument is instrument]

    def open_size(self, instrument, side):
        return self.buying if side is Side.BUY else self.selling


def order(size=1.0, *, side=Side.BUY, limit=nan, stop=nan, reduce_only=False, instrument=ACME):
    kind = {
        (False, False): OrderType.MARKET,
        (True, False): OrderType.LIMIT,
        (False, True): OrderType.STOP,
        (True, True): OrderType.STOP_LIMIT,
    }[not isnan(limit), not isnan(stop)]
    return Order(1, instrument, side, kind, size, limit, stop, TimeInForce.GTC, 0, reduce_only, "s", "", 0)


REFUSED = [
    (
        {"size": 0.0},
        {},
        "size_not_positive",
        "size 0.0 is no positive multiple of the step 0.1 of ACME; ask for at least one step.",
    ),
    ({"size": -1.0}, {}, "size_not_positive", "size -1.0 is no positive"),
    ({"size": nan}, {}, "size_not_positive", "size nan is no positive"),
    ({"size": inf}, {}, "size_not_positive", "size inf is no positive"),
    ({"size": 1.05}, {}, "size_off_grid", "size 1.05 is off the step 0.1 of ACME; the nearest below is 1.0."),
    (
        {"limit": 20.01},
        {},
        "price_off_grid",
        "the limit price 20.01 is off the tick 0.05 of ACME; the nearest is 20.0.",
    ),
    ({"stop": 20.03}, {}, "price_off_grid", "the stop price 20.03 is off the tick 0.05 of ACME; the nearest is 20.05."),
    ({"stop": 20.0, "limit": 20.01}, {}, "price_off_grid", "the limit price 20.01"),
    ({"stop": 20.01, "limit": 20.0}, {}, "price_off_grid", "the stop price 20.01"),
    ({"limit": -20.0}, {}, "price_not_positive", "the limit price -20.0 is no positive number."),
    ({"limit": inf}, {}, "price_not_positive", "the limit price inf is no positive number."),
    ({"stop": 0.0}, {}, "price_not_positive", "the stop price 0.0 is no positive number."),
    ({"size": 0.4}, {}, "size_below_minimum", "size 0.4 is below the minimum 0.5 of ACME"),
    ({"size": 100.1}, {}, "size_above_maximum", "size 100.1 is above the maximum 100 of ACME; split the order."),
    ({"reduce_only": True}, {}, "nothing_to_reduce", "a reduce-only buy of ACME has nothing to reduce: 0.0 is held."),
    ({"reduce_only": True}, {"held": 5.0}, "nothing_to_reduce", "5.0 is held"),
    ({"reduce_only": True, "side": Side.SELL}, {"held": -5.0}, "nothing_to_reduce", "reduce-only sell"),
    ({"size": 0.5, "limit": 19.95}, {}, "notional_below_minimum", "0.5 ACME is worth 9.975 USD, below the minimum 10;"),
    ({"size": 0.5}, {"price": 15.0}, "notional_below_minimum", "0.5 ACME is worth 7.5 USD"),
    (
        {"size": 2.0},
        {"missing": 12.5},
        "insufficient_funds",
        "buy 2.0 ACME at 20 lacks 12.5 USD; ask for less, or close something first.",
    ),
]


@pytest.mark.parametrize(("terms", "account", "code", "message"), REFUSED)
def test_refusals(terms, account, code, message):
    verdict = RiskGate().review(order(**terms), View(**account))
    assert isinstance(verdict, Refusal)
    assert verdict.code == code
    assert message in verdict.message


@pytest.mark.parametrize(
    ("terms", "account"),
    [
        ({}, {}),
        ({"size": 0.5}, {}),
        ({"size": 100.0}, {}),
        ({"size": 0.30000000000000004 * 2}, {}),  # float noise is not off the grid
        ({"limit": 20.05}, {}),
        ({"stop": 20.05, "limit": 20.1}, {}),
        ({"size": 0.5, "limit": 20.0}, {}),
        ({"size": 0.5, "reduce_only": True, "limit": 5.0}, {"held": -3.0}),  # the rest of a position is always sold
        ({"reduce_only": True, "side": Side.SELL}, {"held": 0.1}),
        ({"size": 0.5}, {"price": nan}),  # before the first close nothing can be valued: the venue looks again
    ],
)
def test_what_passes(terms, account):
    asked = order(**terms)
    verdict = RiskGate().review(asked, View(**account))
    assert isinstance(verdict, ApprovedOrder)
    assert verdict.order is asked


def test_rules_that_an_instrument_does_not_need_are_not_asked():
    plain = Instrument(symbol="PLAIN", step_size="0.1")
    assert isinstance(RiskGate().review(order(0.1, instrument=plain), View(price=0.01)), ApprovedOrder)
    assert isinstance(RiskGate().review(order(1e9, instrument=plain), View()), ApprovedOrder)


def test_funds_may_be_left_to_the_broker():
    assert isinstance(RiskGate(without=(FundsRule,)).review(order(), View(missing=1e9)), ApprovedOrder)
    assert [type(rule) for rule in RiskGate().rules] == list(DEFAULT_RULES)
    assert len(RiskGate(without=(FundsRule,)).rules) == len(DEFAULT_RULES) - 1


@pytest.mark.parametrize(
    ("rule", "terms", "account", "code", "message"),
    [
        (
            MaxOpenOrdersRule(3),
            {},
            {"working": 3},
            "too_many_open_orders",
            "3 orders of ACME work already, the limit is 3; cancel one first.",
        ),
        (MaxOpenOrdersRule(3), {}, {"working": 2}, None, ""),
        (
            MaxOrderValueRule(50.0),
            {"size": 2.6},
            {},
            "order_value_above_limit",
            "2.6 ACME is worth 52 USD, above the limit 50 for one order.",
        ),
        (MaxOrderValueRule(50.0), {"size": 2.5}, {}, None, ""),
        (MaxOrderValueRule(50.0), {"size": 2.6, "limit": 19.0}, {}, None, ""),
        (MaxOrderValueRule(50.0), {"size": 2.6, "stop": 21.0, "limit": 21.0}, {}, "order_value_above_limit", "54.6"),
        (MaxOrderValueRule(50.0), {"size": 90.0, "reduce_only": True, "side": Side.SELL}, {"held": 90.0}, None, ""),
        (
            MaxPositionRule(5.0),
            {"size": 5.1},
            {},
            "position_above_limit",
            "buy 5.1 ACME could bring the position to 5.1, above the limit 5.",
        ),
        (MaxPositionRule(5.0), {"size": 3.0}, {"held": 2.0}, None, ""),
        (MaxPositionRule(5.0), {"size": 3.0}, {"held": 2.1}, "position_above_limit", "to 5.1"),
        (MaxPositionRule(5.0), {"size": 2.0}, {"held": 2.0, "buying": 1.5}, "position_above_limit", "to 5.5"),
        (MaxPositionRule(5.0), {"size": 2.0}, {"held": 2.0, "selling": 9.0}, None, ""),
        (MaxPositionRule(5.0), {"size": 7.0, "side": Side.SELL}, {"held": 2.0}, None, ""),
        (MaxPositionRule(5.0), {"size": 7.1, "side": Side.SELL}, {"held": 2.0}, "position_above_limit", "to 5.1"),
        (MaxPositionRule(5.0), {"size": 2.0, "side": Side.SELL}, {"held": -4.0}, "position_above_limit", "to 6"),
        (MaxPositionRule(5.0), {"size": 50.0, "reduce_only": True}, {"held": -50.0}, None, ""),
    ],
)
def test_limits_of_the_account(rule, terms, account, code, message):
    verdict = RiskGate([rule]).review(order(**terms), View(**account))
    if code is None:
        assert isinstance(verdict, ApprovedOrder)
    else:
        assert (verdict.code, message in verdict.message) == (code, True), verdict


@pytest.mark.parametrize(
    "make", [lambda: MaxOpenOrdersRule(0), lambda: MaxOrderValueRule(-1.0), lambda: MaxPositionRule(nan)]
)
def test_limits_must_be_limits(make):
    with pytest.raises(ParameterError, match=r"limit is .*; it must be"):
        make()


@given(
    size=st.floats(-10.0, 1_000.0) | st.integers(-5, 1_500).map(lambda steps: steps / 10),
    limit=st.none() | st.integers(-5, 2_000).map(lambda ticks: ticks / 20) | st.floats(-1.0, 100.0),
    side=st.sampled_from(list(Side)),
    reduce_only=st.booleans(),
    account=st.builds(
        View,
        held=st.integers(-500, 500).map(lambda steps: steps / 10),
        price=st.floats(0.01, 1_000.0),
        missing=st.sampled_from([0.0, 0.0, 0.0, 1.0]),
        working=st.integers(0, 5),
        buying=st.integers(0, 100).map(float),
        selling=st.integers(0, 100).map(float),
    ),
)
def test_the_gate_never_approves_above_a_limit(size, limit, side, reduce_only, account):
    gate = RiskGate([MaxOpenOrdersRule(4), MaxOrderValueRule(2_000.0), MaxPositionRule(60.0)])
    asked = order(size, side=side, limit=nan if limit is None else limit, reduce_only=reduce_only)
    verdict = gate.review(asked, account)
    if isinstance(verdict, Refusal):
        assert verdict.code
        assert verdict.message[-1] in ".;"
        return
    price = account.price if limit is None else limit
    assert 0.5 <= size <= 100.0
    assert size * 10 == pytest.approx(round(size * 10), abs=1e-5)
    assert price > 0.0
    assert account.working < 4
    if reduce_only:
        assert account.held * (1 if side is Side.SELL else -1) > 0.0
    else:
        assert account.missing == 0.0
        assert 10.0 <= size * price <= 2_000.0
        same_way = account.held if side is Side.BUY else -account.held
        assert same_way + account.open_size(ACME, side) + size <= 60.0


def test_the_first_refusal_stands_and_stranger_rules_come_last():
    class Never:
        name = "never"

        def concerns(self, instrument):
            return True

        def review(self, order, view):
            return Refusal("never", "not today.")

    gate = RiskGate([Never()])
    assert gate.review(order(), View()).code == "never"
    assert gate.review(order(0.0), View()).code == "size_not_positive"


# Approval is a type.


def test_nobody_else_makes_an_approved_order():
    with pytest.raises(TypeError, match=r"only the risk gate approves an order; send it through RiskGate.review"):
        ApprovedOrder(order(), object())


def test_only_the_gate_holds_the_seal():
    core = Path(cambist.__file__).parent
    using = {}
    for file in core.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
        calls = {
            getattr(node.func, "id", getattr(node.func, "attr", None))
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
        }
        for name in ({"GATE_SEAL", "_GateSeal"} & names) | ({"ApprovedOrder"} & calls):
            using.setdefault(name, set()).add(file.relative_to(core).as_posix())
    assert using == {
        "GATE_SEAL": {"model/orders.py", "risk/gate.py"},
        "_GateSeal": {"model/orders.py"},
        "ApprovedOrder": {"risk/gate.py"},
    }


def every_order():
    """Yield orders of every kind, most of which some rule refuses."""
    prices = ((nan, nan), (20.0, nan), (20.01, nan), (nan, 25.0), (nan, 15.0), (20.0, 25.0))
    ties = (None, Instructions(parent=7), Instructions(parent=8), Instructions(oco=7), Instructions(post_only=True))
    for size, (limit, stop), reduce_only, tif, tie in product(
        (0.2, 0.4, 1.0, 1.05, 200.0), prices, (False, True), (TimeInForce.GTC, TimeInForce.GTD), ties
    ):
        made = order(size, limit=limit, stop=stop, reduce_only=reduce_only)
        yield attrs.evolve(made, id=9, time_in_force=tif, expires_at=1, instructions=tie)


@pytest.mark.parametrize(("held", "missing"), [(0.0, 0.0), (-5.0, 0.0), (-5.0, 3.0), (5.0, 3.0)])
def test_no_rule_that_is_left_out_would_have_refused(held, missing):
    gate = RiskGate([MaxPositionRule(3.0), MaxOrderValueRule(30.0), MaxOpenOrdersRule(9)])
    view = View(held=held, missing=missing, orders={7: order(), 8: attrs.evolve(order(), filled=0.5)})
    asked = [rule for rule in gate.rules if rule.concerns(ACME)]
    codes = set()
    for one in every_order():
        refusals = (rule.review(one, view) for rule in asked)
        first = next((refusal for refusal in refusals if refusal is not None), None)
        verdict = gate.review(one, view)
        if first is None:
            assert type(verdict) is ApprovedOrder, one
        else:
            assert verdict == first, one
        codes.add(first and first.code)
    assert len(codes) > 5


def test_a_rule_of_ones_own_is_asked_whatever_it_is_made_of():
    class Strict(FundsRule):
        def review(self, order, view):
            return Refusal("strict", "no")

    gate = RiskGate([Strict()])
    assert gate.review(order(reduce_only=True, side=Side.SELL), View(held=5.0)).code == "strict"
