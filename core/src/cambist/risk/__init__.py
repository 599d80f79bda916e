"""What stands between a strategy's wish and the market."""

from cambist.risk.gate import DEFAULT_RULES, RiskGate

__all__ = ["DEFAULT_RULES", "RiskGate"]
