"""The account of a paper run, as it is opened, and as one that goes on must be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import ConfigError
from cambist.portfolio import HedgePortfolio, MarginPortfolio, Portfolio, VenueBooks, open_spot
from cambist.simulation import FeeInKind, fee_model
from cambist.simulation.spot import check_spot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.live.paper.settings import PaperSettings
    from cambist.model.instrument import Instrument
    from cambist.model.margin import Margin

__all__ = ["go_on_with", "open_portfolio"]

#: What of the terms is no part of a journal: what happens by it is.
_UNTOLD = ("deleveraging", "planned")


def open_portfolio(instruments: Sequence[Instrument], settings: PaperSettings) -> Portfolio:
    """Open an account.

    Raises
    ------
    InputError
        If the instruments settle in several assets.
    ParameterError
        If the margin terms do not fit them.
    """
    margin = settings.margin
    if isinstance(fee_model(settings.fees), FeeInKind):
        check_spot(instruments, {"margin": margin is not None, "leverage": settings.leverage != 1.0})
        return open_spot(instruments, settings.cash)
    if margin is None:
        return Portfolio(instruments, settings.cash, settings.leverage)
    kind = HedgePortfolio if margin.is_hedged else MarginPortfolio
    return kind(instruments, settings.cash, settings.leverage, margin=margin)


def go_on_with(portfolio: Any, settings: PaperSettings) -> None:
    """See that an account that a journal tells of is on the terms of the settings.

    Raises
    ------
    ConfigError
        If it is not: positions that are open were opened on other terms.
    """
    in_kind = isinstance(fee_model(settings.fees), FeeInKind)
    if in_kind is not isinstance(portfolio, VenueBooks):
        then, today = ("in money", "in kind") if in_kind else ("in kind", "in money")
        raise ConfigError(
            f"the journal is of a paper run whose purchases paid their fees {then}, and fees are {today} now "
            "(FeeInKind). Set them back, or name a journal of its own."
        )
    before = portfolio.terms if isinstance(portfolio, MarginPortfolio) else None
    now = settings.margin
    was, to_be = _told(before), _told(now)
    if was != to_be:
        names = [name for name in {**was, **to_be} if was.get(name) != to_be.get(name)]
        changed = ", ".join(f"{name} was {was.get(name)!r} and is {to_be.get(name)!r}" for name in names)
        raise ConfigError(
            f"the journal is of a paper run on other terms of margin: {changed}. Set them back, or name a journal of "
            "its own."
        )
    if now is not None:
        portfolio.terms = now


def _told(margin: Margin | None) -> dict[str, Any]:
    """Return the terms of margin by name, as a journal tells them."""
    if margin is None:
        return {"margin": None}
    terms = attrs.asdict(margin, filter=lambda field, _: field.name not in _UNTOLD)
    return {name: _plain(value) for name, value in terms.items()}


def _plain(value: Any) -> Any:
    """Return a value as it comes back from a journal."""
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return float(value) if isinstance(value, int) else value
