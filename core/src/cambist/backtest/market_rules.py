"""The rules of its markets, as a run keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.backtest.previous_closes import PreviousCloses
from cambist.errors import ParameterError
from cambist.model.trading_days import trading_days
from cambist.simulation.by_symbol import check_symbols
from cambist.simulation.market_rules import MarketRules, MarketRulesBySymbol, RuledMarket, RuledMarkets, market_rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cambist.backtest.actions import ActionCalendar
    from cambist.backtest.calendars import Calendars
    from cambist.backtest.feeds import Feed
    from cambist.backtest.settings import BacktestSettings

__all__ = ["ruled_markets", "rules_by_symbol"]


def rules_by_symbol(settings: BacktestSettings, symbols: Sequence[str]) -> dict[str, MarketRules]:
    """Return the rules of each instrument that has some.

    Raises
    ------
    ParameterError
        They name an instrument that the run does not have, or do not go with the other options.
    """
    said = market_rules(settings.market_rules)
    if said is None:
        return {}
    if settings.margin is not None:
        raise ParameterError(
            "market_rules are those of stocks that are paid in full, and margin is given too. Leave one of them out, "
            "or run the two accounts apart."
        )
    if isinstance(said, MarketRulesBySymbol):
        check_symbols("market_rules", said, symbols)
        chosen = {symbol: said.rules_of(symbol) for symbol in symbols}
    else:
        chosen = dict.fromkeys(symbols, said)
    return {symbol: rules for symbol, rules in chosen.items() if rules is not None}


def ruled_markets(
    rules: Mapping[str, MarketRules], feeds: Sequence[Feed], calendars: Calendars, actions: ActionCalendar | None
) -> RuledMarkets:
    """Return what the run remembers to keep these rules.

    Raises
    ------
    ParameterError
        Rules about sessions, and there is no calendar.
    """
    markets = {}
    for feed in feeds:
        instrument = feed.instrument
        own = rules.get(instrument.symbol)
        if own is None:
            continue
        calendar = calendars(instrument)
        if own.sessions != "any" and calendar is None:
            raise ParameterError(
                f"market_rules of {instrument.symbol}: sessions is {own.sessions!r}, and no calendar says when it "
                "trades. Give one, such as calendar='XSHG', or leave sessions out."
            )
        days = trading_days(calendar)
        closes = PreviousCloses(feed, days, own.previous_close, actions) if own.has_limits else _unknown
        markets[instrument.symbol] = RuledMarket(instrument, own, days, closes)
    return RuledMarkets(markets)


def _unknown(_ts: int, _day: int) -> float:
    """Answer for rules that ask for no reference price."""
    return float("nan")
