"""What fills, and all else that moves money, do to an account."""

from cambist.portfolio.by_venue import (
    VenueBooks,
    VenueHedge,
    VenueInKind,
    VenueMargin,
    VenuePortfolio,
    open_spot,
)
from cambist.portfolio.compensating import CompensatedAccount, CompensatingPortfolio
from cambist.portfolio.entries import Bookkeeper, Funding, Transfers
from cambist.portfolio.fund import FundValue
from cambist.portfolio.group import AccountGroup
from cambist.portfolio.hedge import HedgePortfolio, LegAccount
from cambist.portfolio.history import AccountHistory, PositionSteps
from cambist.portfolio.in_kind import InKindPortfolio
from cambist.portfolio.interest import Interest, InterestCharges
from cambist.portfolio.margin import MarginPortfolio
from cambist.portfolio.margin_changes import PlannedMargin, book_change, checked_change
from cambist.portfolio.multi_asset import MultiAssetMarginPortfolio, MultiAssetPortfolio
from cambist.portfolio.portfolio import Portfolio
from cambist.portfolio.rates import Pair, RateTable, rate_key
from cambist.portfolio.settling import SettlingPortfolio
from cambist.portfolio.shares import Share, StrategyShares
from cambist.portfolio.valuation import Valuation, worth

#: An account, in one asset or several.
Books = Portfolio | MultiAssetPortfolio

__all__ = [
    "AccountGroup",
    "AccountHistory",
    "Bookkeeper",
    "Books",
    "CompensatedAccount",
    "CompensatingPortfolio",
    "FundValue",
    "Funding",
    "HedgePortfolio",
    "InKindPortfolio",
    "Interest",
    "InterestCharges",
    "LegAccount",
    "MarginPortfolio",
    "MultiAssetMarginPortfolio",
    "MultiAssetPortfolio",
    "Pair",
    "PlannedMargin",
    "Portfolio",
    "PositionSteps",
    "RateTable",
    "SettlingPortfolio",
    "Share",
    "StrategyShares",
    "Transfers",
    "Valuation",
    "VenueBooks",
    "VenueHedge",
    "VenueInKind",
    "VenueMargin",
    "VenuePortfolio",
    "book_change",
    "checked_change",
    "open_spot",
    "rate_key",
    "worth",
]
