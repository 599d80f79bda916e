"""Other rules for each instrument."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.simulation.by_symbol import models_by_symbol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist.model.market_rules import MarketRules

__all__ = ["MarketRulesBySymbol"]


def _made(said: Any) -> MarketRules | None:
    from cambist.errors import ParameterError
    from cambist.simulation.market_rules.choice import market_rules  # which knows this table too

    made = market_rules(said)
    if isinstance(made, MarketRulesBySymbol):
        raise ParameterError(f"market_rules of one instrument are {said!r}; give rules, a name or None.")
    return made


def _by_symbol(said: Any) -> Mapping[str, Any]:
    return models_by_symbol("market_rules", said, _made)


@attrs.frozen
class MarketRulesBySymbol:
    """Other rules for each instrument, and some for those that are not named.

    Parameters
    ----------
    models
        By symbol, whatever the option ``market_rules`` takes: `MarketRules`, a name, None for no rules.
    default
        For the others.
    """

    models: Mapping[str, Any] = attrs.field(converter=_by_symbol)
    default: Any = attrs.field(default=None, converter=_made)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that are named."""
        return tuple(self.models)

    def rules_of(self, symbol: str) -> MarketRules | None:
        """Return the rules of an instrument."""
        found: MarketRules | None = self.models.get(symbol, self.default)
        return found
