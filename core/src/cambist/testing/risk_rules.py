"""What a risk rule has to do."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import attrs
import msgspec
import pytest

from cambist.model import Account, Instrument, Order, OrderType, Position, Side, TimeInForce
from cambist.ports.risk import AccountMoment, EquityRule, Refusal, RiskView, StatefulRule, TradingRequest
from cambist.testing.conformance import Suite

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cambist.ports.risk import RiskRule

__all__ = ["RiskRuleTests", "StillView", "order_to"]

_NOW = 1_704_103_200 * 10**9  # Monday, 1 January 2024, 10:00
_ACME = Instrument(symbol="ACME", tick_size="0.01", step_size="1")


@attrs.define
class StillView(RiskView):
    """An account as a test wants it, at one moment.

    Attributes
    ----------
    held
        Signed size that is held of every instrument.
    price
        At which every market stands.
    cash
        Beside what is held.
    at
        The time, ns, UTC.
    working
        Orders that work.
    """

    held: float = 0.0
    price: float = 100.0
    cash: float = 100_000.0
    at: int = _NOW
    working: list[Order] = attrs.field(factory=list)

    def position(self, instrument: Instrument) -> Position:
        """Return the same position of whatever instrument."""
        return Position(instrument, size=self.held)

    def account(self) -> Account:
        """Return the account."""
        worth = self.held * self.price if self.held else 0.0
        return Account("USD", self.cash, self.cash + worth, 0.0, 0.0, 0.0, 0.0)

    def reference_price(self, order: Order) -> float:
        """Return its limit, else its stop, else the market's price."""
        return next((one for one in (order.limit_price, order.stop_price) if not math.isnan(one)), self.price)

    def market_price(self, instrument: Instrument) -> float:  # noqa: ARG002 - the same for all
        """Return the price."""
        return self.price

    def now(self) -> int:
        """Return the time."""
        return self.at

    def order(self, order_id: int) -> Order | None:
        """Return an order that works."""
        return next((one for one in self.working if one.id == order_id), None)

    def missing_funds(self, order: Order) -> float:
        """Return what the order costs beyond the cash."""
        if order.reduce_only or not order.is_buy:
            return 0.0
        return max(0.0, order.size * self.reference_price(order) - self.cash)

    def open_orders(self, instrument: Instrument) -> int:
        """Count those of an instrument."""
        return len(self.working_orders(instrument))

    def total_open_orders(self) -> int:
        """Count all."""
        return len(self.working)

    def working_orders(self, instrument: Instrument) -> Sequence[Order]:
        """Return those of an instrument."""
        return [one for one in self.working if one.instrument.symbol == instrument.symbol]

    def open_size(self, instrument: Instrument, side: Side) -> float:
        """Add up those of a side that do not only reduce."""
        return sum(one.size for one in self.working_orders(instrument) if one.side is side and not one.reduce_only)

    def reducible_size(self, order: Order) -> float:
        """Return what is held on the other side."""
        return max(0.0, -self.held * order.side.sign)


def order_to(side: str, size: float, **terms: Any) -> Order:
    """Make an order for a test.

    Parameters
    ----------
    side
        ``"buy"`` or ``"sell"``.
    size
        In units.
    **terms
        ``limit``, ``stop``, ``reduce_only``, ``instrument``.
    """
    limit, stop = terms.get("limit", math.nan), terms.get("stop", math.nan)
    kind = {
        (False, False): OrderType.MARKET,
        (True, False): OrderType.LIMIT,
        (False, True): OrderType.STOP,
        (True, True): OrderType.STOP_LIMIT,
    }[not math.isnan(limit), not math.isnan(stop)]
    instrument, reduces = terms.get("instrument", _ACME), terms.get("reduce_only", False)
    good = TimeInForce.GTC
    return Order(1, instrument, Side(side), kind, float(size), limit, stop, good, 0, reduces, "test", "", _NOW)


class RiskRuleTests(Suite):
    """Tests of a `RiskRule`.

    The test file or a ``conftest.py`` gives three fixtures: ``rule``; ``allowed`` and ``refused``, each a list of pairs
    of an order and a view (see `order_to` and `StillView`) that the rule lets pass, or not.

    Attributes
    ----------
    name
        Under which the rule is registered.
    """

    prefix = "RSK"
    name = ""

    def test_it_goes_by_its_name(self, rule: RiskRule) -> None:
        """It calls itself what its record calls it."""
        assert self.name, "say in the class how the record calls it: name = 'my-rule'"
        assert rule.name == self.name

    def test_it_says_which_instruments_concern_it(self, rule: RiskRule) -> None:
        """With a truth value, for any instrument, and the same each time."""
        for symbol in ("ACME", "BTC/USDT", "BTC/USDT:USDT", "策略"):
            one = Instrument(symbol=symbol)
            answers = [rule.concerns(one) for _ in range(2)]
            assert answers in ([True, True], [False, False])

    def test_it_lets_pass_what_it_should(self, rule: RiskRule, allowed: Sequence[tuple[Order, RiskView]]) -> None:
        """None is the answer to each order that is allowed."""
        assert allowed
        for order, view in allowed:
            assert _afresh(rule).review(order, view) is None, order

    def test_it_refuses_what_it_should(self, rule: RiskRule, refused: Sequence[tuple[Order, RiskView]]) -> None:
        """A stable code for programs, and a sentence for people, is the answer to each order that is refused."""
        assert refused
        for order, view in refused:
            answer = _afresh(rule).review(order, view)
            assert isinstance(answer, Refusal), order
            assert re.fullmatch(r"[a-z][a-z0-9_]*", answer.code), answer.code
            assert len(answer.message) > len(answer.code), answer.message

    def test_it_has_an_answer_to_every_order(self, rule: RiskRule) -> None:
        """No order, and no account, makes it raise: it passes or refuses."""
        for order, view in _many():
            answer = _afresh(rule).review(order, view)
            assert answer is None or isinstance(answer, Refusal)

    def test_the_same_question_has_the_same_answer(self, rule: RiskRule) -> None:
        """It hangs on what it is shown, and on nothing else."""
        for order, view in _many():
            first, second = (_afresh(rule).review(order, view) for _ in range(2))
            assert (first and (first.code, first.message)) == (second and (second.code, second.message))

    def test_it_changes_nothing(self, rule: RiskRule) -> None:
        """Order and view are left as they are."""
        for order, view in _many():
            before, held = repr(order), repr(view)
            _afresh(rule).review(order, view)
            assert (repr(order), repr(view)) == (before, held)

    def test_what_it_remembers_survives_a_restart(self, rule: RiskRule) -> None:
        """Its state goes through a journal and back; one that took it up answers as the one that saved it."""
        if not isinstance(rule, StatefulRule):
            pytest.skip("this rule remembers nothing")
        first = rule.fresh()
        questions = list(_many())
        for order, view in questions[: len(questions) // 2]:
            first.review(order, view)
            if isinstance(first, EquityRule):
                asked = first.on_equity(AccountMoment(view.now(), "", view.account().equity))
                assert asked is None or isinstance(asked, TradingRequest)
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(first.save_state()))
        second = rule.fresh()
        second.load_state(state)
        for order, view in questions[len(questions) // 2 :]:
            assert str(first.review(order, view)) == str(second.review(order, view))

    def test_a_fresh_one_remembers_nothing(self, rule: RiskRule) -> None:
        """Every run begins anew, whatever an earlier one did."""
        if not isinstance(rule, StatefulRule):
            pytest.skip("this rule remembers nothing")
        before = rule.fresh().save_state()
        used = rule.fresh()
        for order, view in _many():
            used.review(order, view)
        assert used.fresh().save_state() == before
        used.on_resume("")


def _afresh(rule: RiskRule) -> RiskRule:
    return rule.fresh() if isinstance(rule, StatefulRule) else rule


def _many() -> Iterator[tuple[Order, StillView]]:
    """Yield orders of all kinds in accounts of all kinds, the strange ones too."""
    for held in (0.0, 50.0, -50.0, 1e9):
        for price in (math.nan, 0.01, 100.0, 1e9):
            view = StillView(held=held, price=price, cash=10_000.0 if held else 0.0)
            for side in ("buy", "sell"):
                for size in (1.0, 50.0, 51.0, 1e12):
                    yield order_to(side, size), view
                    yield order_to(side, size, limit=100.0, reduce_only=size == 50.0), view
                    yield order_to(side, size, stop=90.0), view
