"""Opens the account of a live run as the venue keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.errors import ConfigError
from cambist.live.wallet import OVERLAP
from cambist.model.margin import Margin
from cambist.portfolio import (
    HedgePortfolio,
    InKindPortfolio,
    MarginPortfolio,
    Portfolio,
    VenueHedge,
    VenueInKind,
    VenueMargin,
    open_spot,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from cambist.live.settings import LiveSettings
    from cambist.live.truth import Truth
    from cambist.model.instrument import Instrument
    from cambist.model.reports import AccountReport
    from cambist.portfolio import VenueBooks

__all__ = ["Opening", "ask_opening", "check_mode", "open_account", "open_simulated", "reckoned_leverage"]


@attrs.frozen
class Opening:
    """What a venue says of an account as a run starts.

    Attributes
    ----------
    account
        What it has.
    known
        References of what has moved money before, lately, and is in the balances; a run that goes on has its own.
    margin
        How a session that makes the executions itself lets the account trade on margin; None where it does not.
    in_kind
        Whether such a session takes the fee of what is bought out of it.
    """

    account: AccountReport
    known: Sequence[str] = ()
    margin: Margin | None = None
    in_kind: bool = False


async def ask_opening(truth: Truth, now: int, *, going_on: bool) -> Opening:
    """Ask what an account has, and, for a run that begins, what has moved money until then.

    They are asked for until no money moves between: what comes after is booked, and what came before is not.

    Raises
    ------
    VenueError
        If the venue cannot be asked.
    """
    if going_on:
        return Opening(await truth.account())
    before = list(await truth.cash_flows(now - 6 * OVERLAP))
    while True:
        account = await truth.account()
        after = list(await truth.cash_flows(now - 6 * OVERLAP))
        if before == after:
            return Opening(account, [one.reference for one in after])
        before = after


def open_account(instruments: Sequence[Instrument], opening: Opening, settings: LiveSettings) -> VenueBooks:
    """Open the account of a run that begins, with the money that the venue says is there.

    Raises
    ------
    ConfigError
        If the instruments settle in another asset than the run's currency, or there is none of it.
    """
    account = opening.account
    money = _money(instruments, account, settings.currency)
    books: VenueBooks
    if all(one.is_cash for one in instruments):
        books = VenueInKind(instruments, float(money), 1.0)  # nothing is lent there
    else:
        kind = VenueHedge if account.hedged else VenueMargin
        margin = _margin_of(instruments, account, settings.leverage)
        books = kind(instruments, float(money), settings.leverage, margin=margin)
    books.open_exactly(money, account.ts, opening.known)
    return books


def open_simulated(instruments: Sequence[Instrument], opening: Opening, settings: LiveSettings) -> Portfolio:
    """Open the account of a run whose session makes the executions itself: as a backtest's, to the last bit.

    Raises
    ------
    ConfigError
        As `open_account`.
    """
    money, margin = _money(instruments, opening.account, settings.currency), opening.margin
    if margin is not None:
        on_margin = HedgePortfolio if margin.is_hedged else MarginPortfolio
        return on_margin(instruments, float(money), settings.leverage, margin=margin)
    if opening.in_kind:
        return open_spot(instruments, float(money))
    kind = InKindPortfolio if all(one.is_cash for one in instruments) else Portfolio
    return kind(instruments, float(money), settings.leverage)


def _money(instruments: Sequence[Instrument], account: AccountReport, currency: str) -> Decimal:
    """Return how much there is of the currency, in which all instruments have to settle."""
    balances = {one.asset: one.total for one in account.balances}
    foreign = [one for one in instruments if one.settle != currency]
    if foreign:
        raise ConfigError(
            f"{foreign[0].symbol} settles in {foreign[0].settle}, and the account of this run is kept in {currency}. "
            f"Trade it in a run of its own, with currency = {foreign[0].settle!r}."
        )
    if not balances.get(currency):
        have = ", ".join(sorted(asset for asset, total in balances.items() if total)) or "nothing"
        raise ConfigError(
            f"the account at the venue has no {currency}; it has {have}. Fund it, or set currency.", code="no_funds"
        )
    return balances[currency]


def reckoned_leverage(instrument: Instrument, told: float, most: float) -> float:
    """Return the leverage that a run goes by: the venue's, but no more than it was allowed and the instrument bears."""
    return min(told, most, 1.0 / instrument.margin_rate)


def _margin_of(instruments: Sequence[Instrument], account: AccountReport, most: float) -> Margin:
    """Return how the venue lets the instruments be traded on margin, and how far the run makes use of that.

    Whether positions stand for themselves is one mode for the account here: where the venue isolates some and not
    others, they are taken to be backed by the account, and the venue watches each by its own rule.
    """
    told = {one.symbol: one for one in account.margins}
    own = [told[one.symbol] for one in instruments if one.symbol in told and not one.is_cash]
    leverage = {
        one.symbol: reckoned_leverage(one, float(told[one.symbol].leverage), most)
        for one in instruments
        if one.symbol in told and not one.is_cash
    }
    return Margin(
        mode="isolated" if own and all(one.isolated for one in own) else "cross",
        leverage=leverage or None,
        position_mode="hedge" if account.hedged else "one-way",
    )


def check_mode(portfolio: Portfolio, account: AccountReport) -> None:
    """See that the venue keeps as many positions in an instrument as the journal's account does.

    Raises
    ------
    ConfigError
        If it does not.
    """
    if account.hedged is None or not isinstance(portfolio, MarginPortfolio):
        return
    if account.hedged is not isinstance(portfolio, HedgePortfolio):
        now, before = ("hedge", "one-way") if account.hedged else ("one-way", "hedge")
        raise ConfigError(
            f"the account at the venue is in {now} mode, and the journal is of a run in {before} mode. Set the mode "
            "back at the venue, or name a journal of its own."
        )
