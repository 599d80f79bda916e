"""Rules of markets by name, as their rule books have them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import ParameterError, did_you_mean
from cambist.model.dated import read_date
from cambist.model.market_rules import MarketRules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["a_shares", "no_rules", "us_cash", "us_equities"]

#: Registration of new stocks took the place of approval: on ChiNext, and on the main boards.
_CHINEXT_REFORM, _MAIN_REFORM = date(2020, 8, 24), date(2023, 4, 10)
#: From here on stocks under risk warning on the main boards move as far as all others.
_ST_REFORM = date(2026, 7, 6)
#: The first day of a new stock before those reforms, from 2014 on: -36 %, +44 % of the price of issue.
_FIRST_DAY_FROM, _FIRST_DAY = date(2014, 1, 1), (0.36, 0.44)


@attrs.frozen
class _Board:
    """What differs between the boards.

    Attributes
    ----------
    title, lot, least
        ``lot`` 1 and ``least`` 200: from 200 shares on, each number.
    limits
        Price limit by date.
    warned
        Price limit of stocks under risk warning by date; those of no date have none of their own.
    """

    title: str
    lot: float
    least: float
    limits: Mapping[date, float | None]
    warned: Mapping[date, float | None] = attrs.field(factory=dict)

    def limit(self, day: date, *, is_warned: bool) -> float | None:
        """Return the price limit on a day."""
        table = self.warned if is_warned and self.warned else self.limits
        dates = sorted(table)
        known = [one for one in dates if one <= day] or dates[:1]
        return table[known[-1]]


_MAIN_LIMITS: Mapping[date, float | None] = {date(1990, 12, 19): None, date(1996, 12, 16): 0.10}
_MAIN_WARNED: Mapping[date, float | None] = {
    date(1990, 12, 19): None,
    date(1996, 12, 16): 0.10,
    date(1998, 4, 22): 0.05,
    _ST_REFORM: 0.10,
}
_BOARDS = {
    "main": _Board("main board", 100, 100, _MAIN_LIMITS, _MAIN_WARNED),
    "chinext": _Board("ChiNext", 100, 100, {date(2009, 10, 30): 0.10, _CHINEXT_REFORM: 0.20}),
    "star": _Board("STAR Market", 1, 200, {date(2019, 7, 22): 0.20}),
    "bse": _Board("Beijing Stock Exchange", 1, 100, {date(2021, 11, 15): 0.30}),
}


def a_shares(
    board: str = "main",
    *,
    listed: str | date | None = None,
    st: Sequence[Sequence[str | date | None]] = (),
    at_limit: str = "never",
    sessions: str = "any",
    previous_close: Any = None,
) -> MarketRules:
    r"""Return the rules for a stock of mainland China, quoted in yuan.

    Parameters
    ----------
    board
        ``"main"`` (of Shanghai or Shenzhen), ``"chinext"``, ``"star"`` or ``"bse"``.
    listed
        Date of its first trading day, if that lies in the run: the first days have other limits.
    st
        When it stood under risk warning (ST, \\*ST): pairs of the first day and the first day without, None for none.
    at_limit, sessions, previous_close
        See `MarketRules`.

    Notes
    -----
    *Lots.* Main boards and ChiNext: buys in multiples of 100 shares; STAR: 200 shares or more; Beijing: 100 or more. Of
    a holding, what is less than that is sold in one order (Shanghai Stock Exchange, "Stock Trading Mechanism", 1.1.2,
    english.sse.com.cn/start/trading/mechanism; STAR Market, "Special Trading Arrangements", star.sse.com.cn; Trading
    Rules of the Shenzhen Stock Exchange, 3.3; Trading Rules of the Beijing Stock Exchange).

    *Settlement.* What was bought on a day cannot be sold on it; the proceeds of a sale pay for purchases at once
    (Trading Rules of both exchanges, chapter 3). Selling short needs a margin account and is not allowed here.

    *Price limits*, from the previous close, rounded half up to 0.01 yuan (the same rules): main boards 10 % since
    1996-12-16, 5 % for stocks under risk warning since 1998-04-22 and 10 % again from 2026-07-06 on; ChiNext 10 %, and
    20 % since 2020-08-24; STAR 20 % since 2019-07-22; Beijing 30 % since 2021-11-15. The first five trading days of a
    new stock are free on STAR, on ChiNext since 2020-08-24 and on the main boards since 2023-04-10; before that the
    first day had -36 % and +44 % from 2014 on, and none earlier; in Beijing the first day is free.
    """
    if board not in _BOARDS:
        raise ParameterError(f"a_shares: board is {board!r}.{did_you_mean(str(board), _BOARDS)}")
    terms, first = _BOARDS[board], None if listed is None else read_date(listed)
    return MarketRules(
        name=f"A shares, {terms.title}",
        lot=terms.lot,
        least=terms.least,
        odd_lots="rest",
        sell_after=1,
        short=False,
        price_limit=_limits(terms, _periods(st)),
        listed=first,
        first_days=() if first is None else _first_days(board, first),
        at_limit=at_limit,
        ticks="0.01",
        sessions=sessions,
        previous_close=previous_close,
    )


def _periods(said: Any) -> list[tuple[date, date]]:
    """Read when a stock stood under risk warning."""
    periods = []
    for pair in said if isinstance(said, list | tuple) else [said]:
        if not isinstance(pair, list | tuple) or len(pair) not in (1, 2):
            raise ParameterError(
                f"a_shares: st holds {pair!r}; give pairs of dates, the first day and the first day without: "
                "[('2023-05-04', '2024-06-03')], None or nothing for no end."
            )
        ends = pair[1] if len(pair) == 2 and pair[1] is not None else date.max
        begin, end = read_date(pair[0]), read_date(ends)
        if begin >= end:
            raise ParameterError(f"a_shares: st holds {pair!r}, which ends before it begins. Exchange the dates.")
        periods.append((begin, end))
    return periods


def _limits(board: _Board, warned: list[tuple[date, date]]) -> dict[date, float | None]:
    """Return the price limit from each date on which it may change."""
    dates = {*board.limits, *(board.warned if warned else ()), *(day for pair in warned for day in pair)} - {date.max}
    return {day: board.limit(day, is_warned=any(one <= day < end for one, end in warned)) for day in dates}


def _first_days(board: str, listed: date) -> list[Any]:
    """Return the limits of the first trading days of a stock."""
    if board == "bse":
        return [None]
    reform = {"main": _MAIN_REFORM, "chinext": _CHINEXT_REFORM}.get(board, date.min)
    if listed >= reform:
        return [None] * 5
    return [_FIRST_DAY if listed >= _FIRST_DAY_FROM else None]


def us_equities(*, sessions: str = "any") -> MarketRules:
    """Return the rules for a stock listed in the United States, in a margin account.

    Notes
    -----
    Prices of a dollar and more move by 0.01, lower ones by 0.0001 (SEC, Regulation NMS, Rule 612, as in force before
    its amendment of 2024). No lots, no wait before a sale, and no daily limit: the limit-up-limit-down bands and the
    halts of single stocks, which move with the price, are not modeled.

    Parameters
    ----------
    sessions
        See `MarketRules`.
    """
    return MarketRules(name="US equities", ticks={0: "0.0001", 1: "0.01"}, sessions=sessions)


def us_cash(*, sessions: str = "any") -> MarketRules:
    """Return the rules for a stock listed in the United States, in a cash account that spends settled money alone.

    Notes
    -----
    Those of `us_equities`; nothing is sold short, and the proceeds of a sale pay for purchases once they have settled:
    one trading day after it since 2024-05-28, two since 2017-09-05, three since 1995-06-07 (SEC, Exchange Act Rule
    15c6-1). Regulation T lets a customer buy with unsettled proceeds, and punishes selling that purchase before they
    settle; who waits breaks no rule.

    Parameters
    ----------
    sessions
        See `MarketRules`.
    """
    return attrs.evolve(
        us_equities(sessions=sessions),
        name="US equities, cash account",
        short=False,
        cash_after={"1995-06-07": 3, "2017-09-05": 2, "2024-05-28": 1},
    )


def no_rules() -> MarketRules:
    """Return rules that demand nothing, for instruments to be left alone."""
    return MarketRules(name="none")
