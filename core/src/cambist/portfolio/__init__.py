"""What fills, and all else that moves money, do to an account."""

from cambist.portfolio.entries import Bookkeeper, Funding, Transfers
from cambist.portfolio.fund import FundValue
from cambist.portfolio.group import AccountGroup
from cambist.portfolio.history import AccountHistory, PositionSteps
from cambist.portfolio.interest import Interest, InterestCharges
from cambist.portfolio.margin import MarginPortfolio
from cambist.portfolio.portfolio import Portfolio
from cambist.portfolio.shares import Share, StrategyShares
from cambist.portfolio.valuation import Valuation, worth

__all__ = [
    "AccountGroup",
    "AccountHistory",
    "Bookkeeper",
    "FundValue",
    "Funding",
    "Interest",
    "InterestCharges",
    "MarginPortfolio",
    "Portfolio",
    "PositionSteps",
    "Share",
    "StrategyShares",
    "Transfers",
    "Valuation",
    "worth",
]
