"""An order as the simulated venue works it, and the orders of one instrument."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

import msgspec

from cambist.model.orders import TimeInForce

if TYPE_CHECKING:
    from collections.abc import Sized

    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.model.trading_days import TradingDays

__all__ = ["EVERY_BAR", "FLEETING", "LONG_AGO", "NEVER", "NEXT_BAR", "NO_BAR", "EveryBar", "Market", "Working"]

FLEETING = frozenset({TimeInForce.IOC, TimeInForce.FOK})
#: Before and after any bar. Times before 1970 are negative, so that no small number can stand for "not yet".
LONG_AGO, NEVER = -(2**63), 2**63 - 1
#: A low at or below the one, or a high at or above the other, matters: always, and never.
EVERY_BAR, NO_BAR = (inf, -inf), (-inf, inf)
#: Equal to `EVERY_BAR`, and known: an order trades at any price. They are told apart by identity.
NEXT_BAR = (inf, -inf)


class Working(msgspec.Struct, eq=False):
    """One order in the venue's hands.

    Attributes
    ----------
    order, market
        Its terms, and where it works.
    remaining
        What is still to trade.
    since
        When the venue got it, ns.
    level
        Price at which it acts: its limit, its untriggered stop; infinite for what trades at any price.
    falling
        Whether it acts when the price falls to `level` (buy limits, sell stops) rather than rises to it.
    triggered
        Whether its stop was reached.
    expires
        Last moment at which it may trade, ns: `NEVER` for no end, `LONG_AGO` for a day order that has met no bar yet.
    session_end
        Last moment of the session at whose close it trades, ns; `LONG_AGO` before it has met a bar.
    """

    order: Order
    market: Market
    remaining: float
    since: int
    level: float
    falling: bool
    triggered: bool
    expires: int
    session_end: int = LONG_AGO

    def follows(self, *, on_closes: bool) -> bool:
        """Tell whether its stop follows closes, or every price."""
        trail = self.order.trail
        return trail is not None and trail.on_closes is on_closes


class EveryBar:
    """The orders of an instrument all of whose bars matter to what stands before its venue."""

    reach = EVERY_BAR
    last_open = LONG_AGO

    def __init__(self, working: Sized) -> None:
        self.working = working


class Market:
    """The orders of one instrument at the venue.

    Attributes
    ----------
    working
        By order id, oldest first.
    timed
        How many of them may expire or are immediate-or-cancel, so that most bars need not look.
    trailing, closing
        Those whose stop follows the price, and those that trade at the close of the session.
    last_open
        Open time of the last bar that was matched.
    newest
        When the last order came, or was given new terms.
    skips_bars
        Whether bars that reach no order need not be matched.
    reach
        Prices down to which, or up to which, a bar must reach to matter to an order: `NO_BAR` where there is none,
        `NEXT_BAR` where one trades at any price, `EVERY_BAR` where it is not known, or more than prices matters.
    close, closed_at
        Last close and its time, kept only where orders may trade at it.
    playing, opened
        Whether a bar is being walked through, and its open time; orders that come meanwhile wait in `joined`.
    blocked
        Orders that take no further part in this bar: they came too late for it, or got less than they wanted.
    volume_left
        What the bar's volume still allows; below any size where a filler is asked at each fill.
    bar
        The bar being matched; kept only where a model looks at it.
    days
        Its trading days, once somebody had to know them.
    """

    __slots__ = (
        "bar",
        "blocked",
        "close",
        "closed_at",
        "closing",
        "days",
        "instrument",
        "joined",
        "last_open",
        "newest",
        "opened",
        "playing",
        "reach",
        "skips_bars",
        "timed",
        "trailing",
        "volume_left",
        "working",
    )

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.working: dict[int, Working] = {}
        self.timed = 0
        self.trailing: dict[int, Working] = {}
        self.closing: dict[int, Working] = {}
        self.last_open = LONG_AGO
        self.newest = LONG_AGO
        self.skips_bars = False
        self.reach = EVERY_BAR
        self.close = float("nan")
        self.closed_at = LONG_AGO
        self.playing = False
        self.opened = LONG_AGO
        self.joined: list[Working] = []
        self.blocked: set[int] = set()
        self.volume_left = inf
        self.bar: Any = None
        self.days: TradingDays | None = None

    def skip_bars(self) -> None:
        """Let bars that reach no order be left out, from the start."""
        self.skips_bars = True
        self.reach = NO_BAR

    def enter(self, working: Working) -> None:
        """Let an order meet the bars from here on; its level is known."""
        self.working[working.order.id] = working
        if self.reach is EVERY_BAR:
            return
        floor, ceiling = self.reach
        level = working.level
        if self.timed or self.trailing or self.closing:
            self.reach = EVERY_BAR
        elif working.falling:
            if level > floor:
                self.reach = level, ceiling
        elif level < ceiling:
            self.reach = floor, level

    def look(self) -> tuple[float, float]:
        """Return the highest price that makes an order act by falling to it, and the lowest by rising to it."""
        if self.reach is not EVERY_BAR:
            return self.reach
        floor, ceiling = NO_BAR
        for working in self.working.values():
            level = working.level
            if working.falling:
                if level > floor:  # noqa: PLR1730 - a call costs more than the rest of this
                    floor = level
            elif level < ceiling:
                ceiling = level
        if self.skips_bars and not (self.timed or self.trailing or self.closing):
            self.reach = floor, ceiling
        return floor, ceiling
