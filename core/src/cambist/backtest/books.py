"""Whose money a run trades with: one account, or one for each of several strategies, in one asset or several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cambist.backtest.rates import rate_table
from cambist.errors import ParameterError, did_you_mean
from cambist.portfolio import (
    AccountGroup,
    CompensatingPortfolio,
    HedgePortfolio,
    MarginPortfolio,
    MultiAssetMarginPortfolio,
    MultiAssetPortfolio,
    Portfolio,
    SettlingPortfolio,
    open_spot,
)
from cambist.portfolio.pockets import margin_of, open_pockets
from cambist.simulation import FeeInAsset, FeeInKind, fee_model
from cambist.simulation.spot import check_spot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.backtest.feeds import Feed
    from cambist.backtest.settings import BacktestSettings
    from cambist.model.instrument import Instrument
    from cambist.portfolio import RateTable

    Books = Portfolio | MultiAssetPortfolio
    Cash = float | Mapping[str, float]

__all__ = ["MAIN", "open_books"]

#: The account of the strategies that have none of their own, in a run with several.
MAIN = "main"


def open_books(
    settings: BacktestSettings,
    feeds: Sequence[Feed],
    instruments: Sequence[Instrument],
    strategies: Sequence[str],
    *,
    settles: bool,
) -> Portfolio | MultiAssetPortfolio | AccountGroup:
    """Return the account that the settings ask for, or all of them; `settles` says whether proceeds of sales wait.

    Raises
    ------
    ParameterError
        For an account of a strategy that the run does not have, or options that do not go together.
    InputError
        If nothing tells what an asset is worth.
    """
    opener = _Opener(settings, feeds, instruments, settles=settles)
    if settings.accounts is None:
        return opener.open(settings.cash)
    for name in settings.accounts:
        if name not in strategies:
            raise ParameterError(
                f"accounts names the strategy {name!r}.{did_you_mean(str(name), strategies)} A strategy that runs "
                "twice has its number behind its name."
            )
    owners = {strategy: strategy if strategy in settings.accounts else MAIN for strategy in strategies}
    if MAIN in settings.accounts and len(set(owners.values())) > 1:
        raise ParameterError(f"accounts names a strategy {MAIN!r}, as the others' account is called. Rename it.")
    if len(set(owners.values())) > 1 and settings.margin is not None and settings.margin.planned:
        raise ParameterError(
            "Margin: planned names positions of one account, and the run has several. Leave it out, and have each "
            "strategy call add_margin."
        )
    money = {MAIN: settings.cash, **settings.accounts}
    return AccountGroup({name: opener.open(money[name]) for name in dict.fromkeys(owners.values())}, owners)


class _Opener:
    """Opens accounts that are alike save for their money."""

    def __init__(
        self, settings: BacktestSettings, feeds: Sequence[Feed], instruments: Sequence[Instrument], *, settles: bool
    ) -> None:
        self._settings = settings
        self._settles = settles
        self._instruments = instruments
        fees = fee_model(settings.fees)
        self._fee_asset = fees.asset if isinstance(fees, FeeInAsset) else ""
        self._in_kind = isinstance(fees, FeeInKind)
        self._assets = self._named_assets()
        self._rates: RateTable | None = None
        for name in ("market_rules", "compensates"):
            if getattr(settings, name) is not None and (len(self._assets) > 1 or settings.accounts is not None):
                raise ParameterError(
                    f"{name} is kept for one account in one asset, and the run has several. Leave it out, or accounts "
                    "and cash by asset."
                )
        if self._in_kind:
            self._check_spot()
        if len(self._assets) > 1:
            self._check_options()
            if settings.margin is not None:
                settings.margin.check_symbols([one.symbol for one in instruments])
            self._rates = rate_table(self._assets[0], settings.rates or {}, feeds)
        elif settings.rates:
            raise ParameterError("rates are given, and the run has one asset. Leave them out, or give cash by asset.")

    def _named_assets(self) -> list[str]:
        """Return every asset that there is money of, the currency first; empty where one account holds one asset."""
        settings = self._settings
        given = [settings.cash, *(settings.accounts or {}).values()]
        named = dict.fromkeys(asset for cash in given if isinstance(cash, Mapping) for asset in cash)
        if not named and not self._fee_asset and settings.currency is None:
            return []
        settled = sorted({one.settle for one in self._instruments})
        currency = settings.currency or next(iter(named), settled[0])
        return list(dict.fromkeys([currency, *named, *settled, *([self._fee_asset] if self._fee_asset else [])]))

    def _check_options(self) -> None:
        if self._settings.is_compatible:
            raise ParameterError(
                f"the run has {', '.join(self._assets)}; backtrader's broker knows one currency. Leave rules out."
            )
        margin = self._settings.margin
        if margin is not None and margin.is_hedged:
            raise ParameterError(
                f"Margin has position_mode='hedge', which an account in {', '.join(self._assets)} does not have. Leave "
                "it out, or give cash in one asset."
            )

    def _check_spot(self) -> None:
        """Refuse what a spot exchange that takes fees in kind does not have."""
        settings = self._settings
        options = {
            "margin": settings.margin is not None,
            "leverage": settings.leverage != 1.0,
            "compensates": bool(settings.compensates),
            "market_rules": settings.market_rules is not None,
            "actions": bool(settings.actions),
            "interest": settings.interest is not None,
            "cash by asset": len(self._assets) > 1,
            "rules": settings.is_compatible,
        }
        check_spot(self._instruments, options)

    def open(self, cash: Cash) -> Books:
        """Return an account with some money; a plain number is of the currency."""
        if self._rates is None:
            return self._account(self._instruments, cash if not isinstance(cash, Mapping) else cash[self._assets[0]])
        given = cash if isinstance(cash, Mapping) else {self._assets[0]: cash}
        money = {asset: given.get(asset, 0.0) for asset in self._assets}
        pockets = open_pockets(money, self._instruments, self._account)
        margin = self._settings.margin
        terms: dict[str, Any] = {"fee_asset": self._fee_asset, "conversion_fee": self._settings.conversion_fee}
        if margin is None:
            return MultiAssetPortfolio(pockets, self._rates, **terms)
        on_margin = {asset: pocket for asset, pocket in pockets.items() if isinstance(pocket, MarginPortfolio)}
        return MultiAssetMarginPortfolio(on_margin, self._rates, margin=margin, **terms)

    def _account(self, instruments: Sequence[Instrument], money: float) -> Portfolio:
        """Return an account in one asset, or what holds one of several."""
        settings = self._settings
        if self._in_kind:
            return open_spot(instruments, money)
        if settings.compensates:
            return CompensatingPortfolio(instruments, money, settings.leverage, compensates=settings.compensates)
        if settings.margin is None:
            return (SettlingPortfolio if self._settles else Portfolio)(instruments, money, settings.leverage)
        margin = settings.margin if self._rates is None else margin_of(settings.margin, instruments)
        kind = HedgePortfolio if margin.is_hedged else MarginPortfolio
        return kind(instruments, money, settings.leverage, margin=margin)
