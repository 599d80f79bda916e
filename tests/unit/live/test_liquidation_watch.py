"""When a person is told that a position comes close to its liquidation price."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cambist.errors import ParameterError
from cambist.live.liquidation_watch import LiquidationWatch
from cambist.live.settings import LiveSettings
from cambist.model.reports import AccountReport, PositionReport


class Desk:
    def __init__(self, levels=(0.05, 0.2, 0.1)) -> None:
        self.prices = {"B": 100.0}
        self.alarms: list[str] = []
        self.watch = LiquidationWatch(
            levels, lambda symbol: self.prices.get(symbol, float("nan")), lambda word, text: self.alarms.append(text)
        )

    def held(self, size="1", level="80", side="", symbol="B"):
        price = None if level is None else Decimal(level)
        return PositionReport(
            ts=0,
            symbol=symbol,
            size=Decimal(size),
            entry_price=Decimal(100),
            position_side=side,
            liquidation_price=price,
        )

    def told(self, *positions):
        self.watch.told(AccountReport(ts=0, positions=positions))

    def at(self, price):
        self.prices["B"] = price
        self.watch.look()
        return len(self.alarms)


def test_each_level_is_told_once_on_the_way_down():
    desk = Desk()
    desk.told(desk.held())
    assert len(desk.alarms) == 1  # 20 % away
    assert [desk.at(price) for price in (95.0, 90.0, 89.0, 88.0, 85.0, 84.0, 81.0)] == [1, 1, 1, 2, 2, 3, 3]
    assert desk.alarms[1] == (
        "B is 9.09% away from its liquidation price; warned below 10%. Add margin, or make the position smaller."
    )


def test_a_fall_through_several_levels_is_one_word_and_the_last_counts():
    desk = Desk()
    desk.told(desk.held(level="50"))
    assert desk.at(52.0) == 1
    assert "warned below 5%" in desk.alarms[0]


def test_it_is_told_again_only_after_a_recovery():
    desk = Desk()
    desk.told(desk.held())
    assert [desk.at(price) for price in (95.0, 104.0, 95.0, 101.0, 95.0)] == [1, 1, 2, 2, 2]


def test_a_short_position_and_both_sides_of_a_hedge_are_watched_each_for_itself():
    desk = Desk()
    desk.told(desk.held("-1", "130", "short"), desk.held("1", "70", "long"))
    assert desk.watch.distances == {("B", "short"): pytest.approx(0.3), ("B", "long"): pytest.approx(0.3)}
    desk.at(120.0)
    assert [text.split(" is ")[0] for text in desk.alarms] == ["B (short)"]


@pytest.mark.parametrize("given", [{"level": None}, {"size": "0"}, {"symbol": "unpriced"}])
def test_what_has_no_liquidation_price_or_no_price_is_left_alone(given):
    desk = Desk()
    desk.told(desk.held(**given))
    assert desk.watch.distances == {}
    assert desk.alarms == []


def test_a_position_that_is_gone_starts_anew():
    desk = Desk()
    desk.told(desk.held(level="99"))
    desk.told()
    desk.told(desk.held(level="99"))
    assert len(desk.alarms) == 2


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"liquidation_warnings": (0.1, 1.5)}, "fractions of the price"),
        ({"on_balance": "close"}, "money cannot be closed"),
        ({"tolerances": {"USDT": -1.0}}, "the tolerance of USDT is -1.0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given, told):
    with pytest.raises(ParameterError, match=told):
        LiveSettings(**given)
