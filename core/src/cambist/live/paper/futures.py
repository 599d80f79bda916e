"""What the market of a paper run tells of futures, and what it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.live.paper.funding import PERPETUALS, FundingDesk
from cambist.live.paper.marks import Marks
from cambist.ports.venue import PerpetualMarket

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from cambist.live.paper.account import PaperAccount
    from cambist.live.paper.settings import PaperSettings
    from cambist.model.instrument import Instrument
    from cambist.model.reports import CashReport
    from cambist.ports.venue import VenueSession

__all__ = ["futures_of"]


def futures_of(
    source: VenueSession,
    account: PaperAccount,
    instruments: Sequence[Instrument],
    settings: PaperSettings,
    report: Callable[[CashReport], None],
    alarm: Callable[[str, str], None],
    calm: Callable[[], Awaitable[None]],
) -> tuple[Marks | None, FundingDesk | None]:
    """Return mark prices and funding of a paper run, each None where there is none; people are told of what is missing.

    The parameters are those of `FundingDesk`.
    """
    margined = [one for one in instruments if not one.is_cash]
    perpetual = ", ".join(one.symbol for one in margined if one.kind in PERPETUALS)
    if margined and settings.margin is None:
        symbols = ", ".join(one.symbol for one in margined)
        alarm("never_liquidated", f"positions in {symbols} are never liquidated: margin is not set.")
    if not isinstance(source, PerpetualMarket):
        if perpetual and settings.funding:
            alarm(
                "no_funding",
                f"{source.name} tells no funding rates: {perpetual} pay none on paper, and are marked to the prices of "
                "their market.",
            )
        return None, None
    marks = funding = None
    if perpetual and settings.funding:
        funding = FundingDesk(source, account, instruments, account.price_of, report, alarm, calm)
    if margined and settings.margin is not None and settings.marks == "venue":
        marks = Marks(source, margined, alarm)
    return marks, funding
