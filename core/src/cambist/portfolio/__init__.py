"""What fills do to money and positions."""

from cambist.portfolio.margin import MarginPortfolio
from cambist.portfolio.portfolio import Portfolio
from cambist.portfolio.valuation import Valuation

__all__ = ["MarginPortfolio", "Portfolio", "Valuation"]
