"""What fills do to money and positions."""

from cambist.portfolio.history import AccountHistory, PositionSteps
from cambist.portfolio.portfolio import Portfolio
from cambist.portfolio.valuation import Valuation, worth

__all__ = ["AccountHistory", "Portfolio", "PositionSteps", "Valuation", "worth"]
