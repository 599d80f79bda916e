"""What stands between a strategy's wish and the market."""

from cambist.risk.gate import DEFAULT_RULES, RiskGate, fresh_rules
from cambist.risk.holds import Holds

__all__ = ["DEFAULT_RULES", "Holds", "RiskGate", "fresh_rules"]
