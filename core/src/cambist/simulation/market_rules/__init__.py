"""What a stock market demands of orders: the rules by name, and the run that keeps to them."""

from cambist.model.market_rules import MarketRules
from cambist.simulation.market_rules.by_symbol import MarketRulesBySymbol
from cambist.simulation.market_rules.choice import market_rules
from cambist.simulation.market_rules.gate import MarketRulesRule
from cambist.simulation.market_rules.presets import a_shares, no_rules, us_cash, us_equities
from cambist.simulation.market_rules.state import RuledMarket, RuledMarkets
from cambist.simulation.market_rules.venue import RuledVenue

__all__ = [
    "MarketRules",
    "MarketRulesBySymbol",
    "MarketRulesRule",
    "RuledMarket",
    "RuledMarkets",
    "RuledVenue",
    "a_shares",
    "market_rules",
    "no_rules",
    "us_cash",
    "us_equities",
]
