"""Keeps the account of a live run equal to the venue's: what reconciles, books, audits and watches, put together."""

from __future__ import annotations

import asyncio
from functools import partial
from math import nan
from typing import TYPE_CHECKING

from cambist.errors import ConfigError, VenueError, did_you_mean
from cambist.live.auditing import Audit
from cambist.live.comparing import Comparison
from cambist.live.deciding import Decisions
from cambist.live.explanation import Explainer
from cambist.live.liquidation_watch import LiquidationWatch
from cambist.live.margin_settings import MarginSettings
from cambist.live.past_executions import look_up
from cambist.live.reconciler import Reconciler
from cambist.live.roll_call import call_roll
from cambist.live.taking_over import Takeover
from cambist.live.wallet import Wallet
from cambist.portfolio import MarginPortfolio
from cambist.portfolio.by_venue import VenueBooks

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping
    from typing import Any

    from cambist.live.deciding import Ask
    from cambist.live.patience import Patience
    from cambist.live.run import LiveRun
    from cambist.live.setup import Prepared
    from cambist.model.reports import FillReport

__all__ = ["AccountKeeper"]


class AccountKeeper:
    """What a run has beside its engine to keep its account.

    Parameters
    ----------
    run
        It has an engine and holds by now.
    prepared
        Its kernel, and what its journal held.
    ask
        Answers what becomes of a difference where the policy is to ask; None refuses to start.

    Attributes
    ----------
    wallet, reconciler, watch
        See there.
    ready
        Whether run and venue are in step.
    """

    def __init__(self, run: LiveRun, prepared: Prepared, ask: Ask | None) -> None:
        self._run, self._going_on = run, prepared.state is not None
        booked = {} if prepared.state is None else prepared.state.references
        self.wallet = Wallet(run.truth, run.kernel, run.take, run.now, booked)
        comparison = Comparison(run.truth, run.kernel, run.shadow, run.settings.tolerances)
        self._takeover = Takeover(
            run.truth, run.engine, self.wallet, comparison, prepared.token, run.alarm, run.market.price
        )
        books = run.kernel.portfolio
        since = books.as_of if isinstance(books, VenueBooks) else 0
        self.reconciler = Reconciler(
            run.truth,
            run.engine,
            run.settings,
            self.wallet,
            comparison=comparison,
            explainer=Explainer(run.truth, run.engine, prepared.token, since, partial(look_up, run.journal)),
            takeover=self._takeover,
            decisions=Decisions(ask, run.alarm),
        )
        self.watch = LiquidationWatch(run.settings.liquidation_warnings, self._price_of, run.alarm)
        self._margins = MarginSettings(run.kernel, run.holds, run.take, run.now, run.alarm, run.settings.leverage)
        self.ready = False
        run.engine.positions.owners = _checked_owners(run)
        self._audit: Audit

    async def begin(self, limit: Patience) -> None:
        """Bring run and venue in step; see `Reconciler.reconcile`."""
        run, listeners = self._run, (self._margins.told, self.watch.told)
        await self.reconciler.reconcile(run.dispatcher, limit, going_on=self._going_on)
        for told in listeners:
            told(self.reconciler.comparison.account)
        self.wallet.begin()
        self._audit = Audit(
            run.engine,
            self.reconciler,
            self.wallet,
            run.settings.audit_every,
            run.alarm,
            run.holds,
            call_roll=lambda: call_roll(run.session, run.engine, run.dispatcher),
            listeners=listeners,
        )
        self.ready = True

    def work(self) -> dict[str, Coroutine[Any, Any, None]]:
        """Return what goes on while the run does, by name."""
        return {
            "audit": self._audit.keep_on(),
            "wallet": self.wallet.keep_on(),
            "liquidation watch": self.watch.keep_on(),
        }

    def book_system(self, report: FillReport) -> None:
        """Book an execution of the venue's own."""
        self._takeover.book_system(report)

    async def catch_up(self) -> None:
        """Bring the account in step once the private stream is back; ask until there is an answer."""
        while True:
            try:
                await self._audit.audit()
            except ConfigError as error:
                self._run.alarm("audit_failed", str(error))
            except VenueError as error:
                self._run.alarm("audit_failed", str(error))
                await asyncio.sleep(1.0)
                continue
            return

    def _price_of(self, symbol: str) -> float:
        books = self._run.kernel.portfolio
        position = books.positions.get(symbol)
        if position is None:
            return nan
        return books.mark(position) if isinstance(books, MarginPortfolio) else position.last_price


def _checked_owners(run: LiveRun) -> Mapping[str, str]:
    """Return whom positions belong to by symbol, as the settings say it.

    Raises
    ------
    ConfigError
        For a symbol or a strategy that the run does not have.
    """
    owners, symbols = run.settings.owners, run.kernel.portfolio.positions
    names = [seat.strategy.name for seat in run.kernel.seats]
    for symbol, name in owners.items():
        if symbol not in symbols:
            raise ConfigError(f"owners names {symbol!r}.{did_you_mean(symbol, symbols)}")
        if name not in names:
            raise ConfigError(f"owners gives {symbol} to {name!r}.{did_you_mean(name, names)}")
    return owners
