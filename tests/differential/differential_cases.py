"""The differences that a scenario can show: what is played, and what each engine makes of it."""

from __future__ import annotations

from typing import Any

import attrs
from differential_engines import Report, differences, play_backtrader, play_cambist
from differential_scenarios import (
    LIMIT,
    MARKET,
    ON_CLOSE,
    STOP,
    STOP_LIMIT,
    TRAIL,
    Ask,
    Bar,
    Bracket,
    Cancel,
    Close,
    Family,
    Scenario,
)

FLAT = Bar(100.0, 101.0, 99.0, 100.0)
BUY, SELL = True, False


def facts(report: Report) -> list[tuple[int, int, float, float]]:
    """Return bar, order, size and price of each fill."""
    return [(done.bar, done.order, done.size, round(done.price, 9)) for done in report.fills]


@attrs.frozen(kw_only=True)
class Case:
    """One row: what is played, the fills in backtrader and by the default rules, and what else of them is different.

    ``ends`` are of orders, ``first_equity`` is that at the first close, of backtrader and of the default rules.
    ``reproduced`` is whether ``rules="backtrader"`` does what backtrader does.
    """

    scenario: Scenario
    theirs: list[tuple[int, int, float, float]]
    ours: list[tuple[int, int, float, float]]
    their_ends: dict[int, tuple[str, int]] = attrs.field(factory=dict)
    our_ends: dict[int, tuple[str, int]] = attrs.field(factory=dict)
    first_equity: tuple[float, float] = (10_000.0, 10_000.0)
    reproduced: bool = True

    def check(self) -> None:
        theirs, ours = play_backtrader(self.scenario), play_cambist(self.scenario)
        assert facts(theirs) == self.theirs
        assert facts(ours) == self.ours
        assert {number: theirs.outcomes[number] for number in self.their_ends} == self.their_ends
        assert {number: ours.outcomes[number] for number in self.our_ends} == self.our_ends
        assert (theirs.equity[0], ours.equity[0]) == self.first_equity
        assert differences(theirs, ours)
        assert (not differences(theirs, play_cambist(self.scenario, rules="backtrader"))) is self.reproduced


def play(bars: list[Bar], *asks: list[Any], **options: Any) -> Scenario:
    """Return a scenario that asks for one list of actions at each of the first closes."""
    options.setdefault("cash", 10_000.0)
    return Scenario(bars=bars, script=dict(enumerate(asks)), **options)


WIDE = Bar(100.0, 104.0, 97.0, 101.0)
THIN = attrs.evolve(FLAT, volume=50.0)
STEPS = [Bar(price, price + 1.0, price - 1.0, price) for price in (100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 106.0)]
LOSS = [FLAT, FLAT, Bar(400.0, 401.0, 399.0, 400.0), Bar(400.0, 401.0, 399.0, 400.0)]

CASES: dict[str, Case] = {
    "several orders in one bar": Case(
        scenario=play([FLAT, WIDE], [Ask(BUY, STOP, 1, stop=103.0), Ask(BUY, LIMIT, 2, limit=98.0)]),
        theirs=[(1, 0, 1.0, 103.0), (1, 1, 2.0, 98.0)],
        ours=[(1, 1, 2.0, 98.0), (1, 0, 1.0, 103.0)],
    ),
    "an order sent when a fill is heard of": Case(
        scenario=play([FLAT, WIDE, WIDE], [Ask(BUY, MARKET, 1)], reactions={0: [Ask(SELL, LIMIT, 1, limit=103.0)]}),
        theirs=[(1, 0, 1.0, 100.0), (2, 1, 1.0, 103.0)],
        ours=[(1, 0, 1.0, 100.0), (1, 1, 1.0, 103.0)],
    ),
    "a cancel at the close at which the order was sent": Case(
        scenario=play([FLAT, FLAT], [Ask(BUY, LIMIT, 1, limit=99.5), Cancel()]),
        theirs=[(1, 0, 1.0, 99.5)],
        ours=[],
        our_ends={0: ("canceled", -1)},
    ),
    "when a refusal is known": Case(
        scenario=play([FLAT, FLAT], [Ask(BUY, MARKET, 200)]),
        theirs=[],
        ours=[],
        their_ends={0: ("no money", 1)},
        our_ends={0: ("no money", 0)},
    ),
    "slippage at the edge of the bar": Case(
        scenario=play([FLAT, FLAT], [Ask(BUY, MARKET, 1)], percent_slippage=0.02),
        theirs=[(1, 0, 1.0, 101.0)],
        ours=[(1, 0, 1.0, 102.0)],
    ),
    "slippage of a limit passed by a gap": Case(
        scenario=play(
            [FLAT, FLAT, Bar(95.0, 97.0, 94.0, 95.0)], [Ask(BUY, LIMIT, 1, limit=98.0)], percent_slippage=0.01
        ),
        theirs=[(2, 0, 1.0, 95.95)],
        ours=[(2, 0, 1.0, 95.0)],
    ),
    "a stop-limit and its limit": Case(
        scenario=play([FLAT, WIDE], [Ask(BUY, STOP_LIMIT, 1, stop=103.0, limit=103.2)], fixed_slippage=0.5),
        theirs=[(1, 0, 1.0, 103.5)],
        ours=[(1, 0, 1.0, 103.2)],
    ),
    "a stop-limit that comes back to its limit": Case(
        scenario=play(
            [FLAT, WIDE, Bar(102.0, 103.0, 102.0, 102.0)], [Ask(BUY, STOP_LIMIT, 1, stop=103.0, limit=101.5)]
        ),
        theirs=[],
        ours=[(1, 0, 1.0, 101.5)],
        their_ends={0: ("working", -1)},
    ),
    "a stop that traded in part": Case(
        scenario=play(
            [FLAT, Bar(100.0, 104.0, 99.0, 103.0, 50.0), FLAT, FLAT], [Ask(BUY, STOP, 8, stop=103.0)], volume_limit=0.1
        ),
        theirs=[(1, 0, 5.0, 103.0)],
        ours=[(1, 0, 5.0, 103.0), (2, 0, 3.0, 100.0)],
        their_ends={0: ("working", -1)},
    ),
    "two orders and the volume of a bar": Case(
        scenario=play(
            [FLAT, attrs.evolve(FLAT, volume=100.0), FLAT], [Ask(BUY, MARKET, 8), Ask(BUY, MARKET, 8)], volume_limit=0.1
        ),
        theirs=[(1, 0, 8.0, 100.0), (1, 1, 8.0, 100.0)],
        ours=[(1, 0, 8.0, 100.0), (1, 1, 2.0, 100.0), (2, 1, 6.0, 100.0)],
    ),
    "the share of a small volume": Case(
        scenario=play([FLAT, attrs.evolve(FLAT, volume=55.0)], [Ask(BUY, MARKET, 8)], volume_limit=0.1),
        theirs=[(1, 0, 5.0, 100.0)],
        ours=[(1, 0, 5.5, 100.0)],
    ),
    "an order beside one that cannot be paid": Case(
        scenario=play([FLAT, FLAT], [Ask(BUY, MARKET, 200), Ask(BUY, MARKET, 1)]),
        theirs=[],
        ours=[(1, 1, 1.0, 100.0)],
        their_ends={1: ("no money", 1)},
    ),
    "selling short": Case(
        scenario=play([FLAT, FLAT], [Ask(SELL, MARKET, 1_000)]),
        theirs=[(1, 0, 1_000.0, 100.0)],
        ours=[],
        our_ends={0: ("no money", 0)},
    ),
    "turning a position without money for the new side": Case(
        scenario=play(
            [FLAT, FLAT, Bar(250.0, 251.0, 249.0, 250.0)],
            [Ask(SELL, MARKET, 50)],
            [Ask(BUY, STOP, 70, stop=110.0)],
        ),
        theirs=[(1, 0, 50.0, 100.0), (2, 1, 50.0, 250.0)],
        ours=[(1, 0, 50.0, 100.0)],
        their_ends={1: ("no money", 2)},
        our_ends={1: ("no money", 2)},
    ),
    "closing a short that lost more than there is cash": Case(
        scenario=play(LOSS, [Ask(SELL, MARKET, 50)], [], [Ask(BUY, MARKET, 50)]),
        theirs=[(1, 0, 50.0, 100.0)],
        ours=[(1, 0, 50.0, 100.0), (3, 1, 50.0, 400.0)],
        their_ends={1: ("no money", 3)},
    ),
    "a market order with an end": Case(
        scenario=play(
            [FLAT, attrs.evolve(FLAT, volume=50.0), FLAT], [Ask(BUY, MARKET, 8, last_bar=1)], volume_limit=0.1
        ),
        theirs=[(1, 0, 5.0, 100.0), (2, 0, 3.0, 100.0)],
        ours=[(1, 0, 5.0, 100.0)],
        our_ends={0: ("expired", 2)},
    ),
    "a day order on daily bars": Case(
        scenario=play([FLAT, FLAT], [Ask(BUY, LIMIT, 1, limit=99.5, last_bar="day")], daily=True),
        theirs=[],
        ours=[(1, 0, 1.0, 99.5)],
        their_ends={0: ("expired", 1)},
    ),
    "market orders at this close": Case(
        # The strategy has done with the first bar when it trades, so both hear of it as of the second.
        scenario=play([FLAT, FLAT], [Ask(BUY, MARKET, 1)], this_close=True, unit_fee=0.5),
        theirs=[(1, 0, 1.0, 100.0)],
        ours=[(1, 0, 1.0, 100.0)],
        first_equity=(10_000.0, 9_999.5),
    ),
    "closing what a stop has closed already": Case(
        scenario=play(
            [FLAT, FLAT, Bar(98.0, 99.0, 97.0, 98.0)], [Ask(BUY, MARKET, 1)], [Ask(SELL, STOP, 1, stop=98.5), Close()]
        ),
        theirs=[(1, 0, 1.0, 100.0), (2, 1, 1.0, 98.0), (2, 2, 1.0, 98.0)],
        ours=[(1, 0, 1.0, 100.0), (2, 1, 1.0, 98.0)],
        our_ends={2: ("canceled", -1)},
        reproduced=False,
    ),
    "a stop that the market has reached": Case(
        scenario=play([FLAT, FLAT], [Ask(BUY, STOP, 1, stop=99.5)]),
        theirs=[(1, 0, 1.0, 100.0)],
        ours=[],
        our_ends={0: ("rejected", 0)},
    ),
    "what a trailing stop follows": Case(
        scenario=play(
            [FLAT, Bar(100.0, 110.0, 100.0, 104.0), Bar(103.0, 104.0, 99.0, 101.0)], [Ask(SELL, TRAIL, 1, trail=4.0)]
        ),
        theirs=[(2, 0, 1.0, 100.0)],
        ours=[(1, 0, 1.0, 106.0)],
    ),
    "when an order for the close trades": Case(
        scenario=play(STEPS, [Ask(BUY, ON_CLOSE, 1)], every="4h"),  # of 12:00, so the third is the last of the day
        theirs=[(3, 0, 1.0, 102.0)],
        ours=[(2, 0, 1.0, 102.0)],
    ),
    "an order for the close, sent at the close": Case(
        scenario=play([*STEPS, *STEPS], [], [], [Ask(BUY, ON_CLOSE, 1)], every="4h"),
        theirs=[(3, 0, 1.0, 103.0)],
        ours=[(8, 0, 1.0, 101.0)],
    ),
    "slippage of an order for the close": Case(
        scenario=play([FLAT, FLAT], [Ask(BUY, ON_CLOSE, 1)], fixed_slippage=0.5, daily=True),
        theirs=[(1, 0, 1.0, 100.0)],
        ours=[(1, 0, 1.0, 100.5)],
    ),
    "what the volume leaves of an order for the close": Case(
        scenario=play([FLAT, THIN, FLAT], [Ask(BUY, ON_CLOSE, 8)], volume_limit=0.1, daily=True),
        theirs=[(1, 0, 5.0, 100.0), (2, 0, 3.0, 100.0)],
        ours=[(1, 0, 5.0, 100.0)],
        our_ends={0: ("canceled", -1)},
    ),
    "joining a group of which one has traded": Case(
        scenario=play([FLAT, FLAT, FLAT], [Ask(BUY, LIMIT, 1, limit=99.5)], [Ask(SELL, LIMIT, 1, limit=100.5, oco=0)]),
        theirs=[(1, 0, 1.0, 99.5), (2, 1, 1.0, 100.5)],
        ours=[(1, 0, 1.0, 99.5)],
        our_ends={1: ("rejected", 1)},
    ),
    "the children of an order that its group cancels": Case(
        scenario=play(
            [FLAT, FLAT],
            [
                Ask(BUY, LIMIT, 1, limit=99.5),
                Family(Ask(BUY, STOP, 1, stop=110.0, oco=0), (Ask(SELL, LIMIT, 1, limit=120.0),)),
            ],
        ),
        theirs=[(1, 0, 1.0, 99.5)],
        ours=[(1, 0, 1.0, 99.5)],
        their_ends={1: ("canceled", -1), 2: ("working", -1)},
        our_ends={1: ("canceled", -1), 2: ("canceled", -1)},
    ),
    "when children wake": Case(
        scenario=play(
            [FLAT, WIDE, Bar(101.0, 105.0, 100.0, 104.0)],
            [Family(Ask(BUY, MARKET, 1), (Ask(SELL, LIMIT, 1, limit=103.0),))],
        ),
        theirs=[(1, 0, 1.0, 100.0), (2, 1, 1.0, 103.0)],
        ours=[(1, 0, 1.0, 100.0), (1, 1, 1.0, 103.0)],
    ),
    "the children of an order that traded in part": Case(
        scenario=play(
            [FLAT, THIN, Bar(100.0, 103.0, 99.5, 101.0)],
            [Family(Ask(BUY, LIMIT, 8, limit=99.0), (Ask(SELL, LIMIT, 8, limit=102.0),))],
            volume_limit=0.1,
        ),
        theirs=[(1, 0, 5.0, 99.0)],
        ours=[(1, 0, 5.0, 99.0), (2, 1, 5.0, 102.0)],
        their_ends={1: ("working", -1)},
    ),
    "canceling the rest of an entry": Case(
        scenario=play(
            [FLAT, THIN, Bar(100.0, 100.5, 94.0, 96.0)],
            [Family(Ask(BUY, LIMIT, 8, limit=99.0), (Ask(SELL, STOP, 8, stop=95.0),))],
            [Cancel(1)],
            volume_limit=0.1,
        ),
        theirs=[(1, 0, 5.0, 99.0)],
        ours=[(1, 0, 5.0, 99.0), (2, 1, 5.0, 95.0)],
        their_ends={1: ("canceled", -1)},
    ),
    "where the trailing stop of a child begins": Case(
        scenario=play(
            [FLAT, Bar(97.0, 98.0, 95.0, 96.0), Bar(95.5, 96.0, 94.0, 95.0)],
            [Family(Ask(BUY, LIMIT, 1, limit=95.0), (Ask(SELL, TRAIL, 1, trail=4.0),))],
        ),
        theirs=[(1, 0, 1.0, 95.0), (2, 1, 1.0, 95.5)],
        ours=[(1, 0, 1.0, 95.0)],
        our_ends={1: ("working", -1)},
    ),
    "where a trailing stop that is sent at an open begins": Case(
        # Of 108 there, which is above the open: it trades at once.
        scenario=play([FLAT, Bar(100.0, 110.0, 100.0, 108.0)], openings={1: [Ask(SELL, TRAIL, 1, trail=4.0)]}),
        theirs=[(1, 0, 1.0, 100.0)],
        ours=[],
        our_ends={0: ("working", -1)},
    ),
    "a leg of a bracket that traded in part": Case(
        scenario=play(
            [FLAT, FLAT, Bar(100.0, 103.0, 99.0, 101.0, 50.0), Bar(100.0, 101.0, 94.0, 95.0)],
            [Bracket(Ask(BUY, MARKET, 8), Ask(SELL, STOP, 8, stop=95.0), Ask(SELL, LIMIT, 8, limit=102.0))],
            volume_limit=0.1,
        ),
        theirs=[(1, 0, 8.0, 100.0), (2, 2, 5.0, 102.0), (3, 1, 8.0, 95.0)],
        ours=[(1, 0, 8.0, 100.0), (2, 2, 5.0, 102.0)],
        their_ends={2: ("canceled", -1)},
        our_ends={1: ("canceled", -1), 2: ("working", -1)},
    ),
    "a leg of a bracket whose position is gone": Case(
        scenario=play(
            [FLAT, FLAT, FLAT, Bar(100.0, 101.0, 94.0, 95.0)],
            [Bracket(Ask(BUY, MARKET, 2), Ask(SELL, STOP, 2, stop=95.0), None)],
            [Ask(SELL, MARKET, 2)],
        ),
        theirs=[(1, 0, 2.0, 100.0), (2, 2, 2.0, 100.0), (3, 1, 2.0, 95.0)],
        ours=[(1, 0, 2.0, 100.0), (2, 2, 2.0, 100.0)],
        our_ends={1: ("canceled", -1)},
    ),
    "an order that names a leg of a bracket": Case(
        scenario=play(
            [FLAT, FLAT, FLAT, Bar(100.0, 101.0, 94.0, 95.0)],
            [Bracket(Ask(BUY, MARKET, 2), Ask(SELL, STOP, 2, stop=95.0), Ask(SELL, LIMIT, 2, limit=105.0))],
            [Ask(SELL, LIMIT, 1, limit=100.5, oco=0)],
        ),
        theirs=[(1, 0, 2.0, 100.0), (2, 3, 1.0, 100.5), (3, 1, 2.0, 95.0)],
        ours=[(1, 0, 2.0, 100.0), (2, 3, 1.0, 100.5)],
        their_ends={2: ("canceled", -1)},
        our_ends={1: ("canceled", -1), 2: ("canceled", -1)},
    ),
    "a child of a child": Case(
        scenario=play(
            [FLAT, FLAT, FLAT, FLAT],
            [
                Family(Ask(BUY, MARKET, 1), (Ask(SELL, LIMIT, 1, limit=100.5),)),
                Ask(BUY, LIMIT, 1, limit=99.5, parent=0),
            ],
        ),
        theirs=[(1, 0, 1.0, 100.0), (2, 1, 1.0, 100.5)],
        ours=[(1, 0, 1.0, 100.0), (1, 1, 1.0, 100.5), (2, 2, 1.0, 99.5)],
        their_ends={2: ("rejected", 1)},
    ),
    "a child that is sent later": Case(
        scenario=play(
            [FLAT, Bar(100.0, 101.0, 99.5, 100.0), Bar(100.0, 100.4, 99.0, 100.0), FLAT],
            [Ask(BUY, LIMIT, 1, limit=99.0)],
            [Ask(SELL, LIMIT, 1, limit=100.5, parent=0)],
        ),
        theirs=[(2, 0, 1.0, 99.0)],
        ours=[(2, 0, 1.0, 99.0), (3, 1, 1.0, 100.5)],
        their_ends={0: ("canceled", -1), 1: ("working", -1)},
        reproduced=False,
    ),
    "a child of an order that has traded": Case(
        scenario=play([FLAT, FLAT, FLAT], [Ask(BUY, MARKET, 1)], [Ask(SELL, LIMIT, 1, limit=100.5, parent=0)]),
        theirs=[(1, 0, 1.0, 100.0)],
        ours=[(1, 0, 1.0, 100.0), (2, 1, 1.0, 100.5)],
        their_ends={1: ("working", -1)},
        reproduced=False,
    ),
}
