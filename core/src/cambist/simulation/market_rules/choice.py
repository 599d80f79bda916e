"""From what a user says to market rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cambist.errors import ParameterError
from cambist.model.market_rules import MarketRules
from cambist.simulation.catalog import make_model
from cambist.simulation.market_rules.by_symbol import MarketRulesBySymbol

if TYPE_CHECKING:
    Said = MarketRules | MarketRulesBySymbol | str | Mapping[str, Any] | None

__all__ = ["market_rules"]


def market_rules(said: Said) -> MarketRules | MarketRulesBySymbol | None:
    """Return the rules that the option ``market_rules`` means; None where there are none.

    Parameters
    ----------
    said
        `MarketRules`; a name of the catalog, such as ``"us-equities"``; a table with ``use`` and settings, such as
        ``{"use": "a-shares", "board": "star"}``; a dict of these by symbol; None.

    Raises
    ------
    ParameterError
        For anything else.
    """
    if said is None or isinstance(said, MarketRules | MarketRulesBySymbol):
        return said
    if isinstance(said, Mapping) and "use" not in said:
        return MarketRulesBySymbol(said)
    if isinstance(said, str | Mapping):
        made = make_model("market-rules", said, "market_rules")
        if isinstance(made, MarketRules | MarketRulesBySymbol):
            return made
    raise ParameterError(
        f"market_rules is {said!r}; give MarketRules(...), a name such as 'us-equities', a table such as "
        "{'use': 'a-shares', 'board': 'star'}, or a dict of these by symbol."
    )
