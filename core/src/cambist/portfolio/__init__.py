"""What fills, and all else that moves money, do to an account."""

from cambist.portfolio.compensating import CompensatedAccount, CompensatingPortfolio
from cambist.portfolio.entries import Bookkeeper, Funding, Transfers
from cambist.portfolio.fund import FundValue
from cambist.portfolio.hedge import HedgePortfolio, LegAccount
from cambist.portfolio.history import AccountHistory, PositionSteps
from cambist.portfolio.interest import Interest, InterestCharges
from cambist.portfolio.margin import MarginPortfolio
from cambist.portfolio.margin_changes import PlannedMargin, book_change, checked_change
from cambist.portfolio.portfolio import Portfolio
from cambist.portfolio.settling import SettlingPortfolio
from cambist.portfolio.valuation import Valuation, worth

__all__ = [
    "AccountHistory",
    "Bookkeeper",
    "CompensatedAccount",
    "CompensatingPortfolio",
    "FundValue",
    "Funding",
    "HedgePortfolio",
    "Interest",
    "InterestCharges",
    "LegAccount",
    "MarginPortfolio",
    "PlannedMargin",
    "Portfolio",
    "PositionSteps",
    "SettlingPortfolio",
    "Transfers",
    "Valuation",
    "book_change",
    "checked_change",
    "worth",
]
