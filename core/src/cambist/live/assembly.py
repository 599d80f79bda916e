"""Makes the parts of a live run; each needs those that are made before it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

from cambist.live.dispatch import Dispatcher
from cambist.live.doors import doors_of
from cambist.live.engine import LiveEngine, Tactics
from cambist.live.groups import Native
from cambist.live.market_stream import MarketStream
from cambist.live.quarantine import Quarantine
from cambist.live.reconnecting import Reconnection
from cambist.live.streams import PrivateStream
from cambist.ports.venue import NativeSession, SimulatingSession

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from cambist.live.run import LiveRun
    from cambist.live.settings import LiveSettings
    from cambist.live.setup import Prepared
    from cambist.ports.venue import StreamReport, VenueSession

__all__ = ["make_dispatcher", "make_engine", "make_market", "make_private", "make_quarantine", "make_reconnection"]

_log = logging.getLogger("cambist.live")
_SECOND = 1_000_000_000


def make_engine(run: LiveRun, prepared: Prepared) -> LiveEngine:
    """Make the engine of a run that knows what it listens to."""
    settings = run.settings
    engine = LiveEngine(
        prepared.kernel,
        run.listening,
        run.session.terms,
        run.now,
        doors_of(run),
        step_timeout=round(settings.step_timeout * _SECOND),
        keep=settings.keep_orders,
        tactics=Tactics(
            resend=settings.resend,
            unprotected=round(settings.unprotected_within * _SECOND),
            native=_native(run.session, settings),
        ),
    )
    if not run.session.terms.ties:  # the simulated venue of a paper run goes by its own
        engine.sessions.know(prepared.sessions)
    return engine


def _native(session: VenueSession, settings: LiveSettings) -> Native:
    """Return what the venue is to work by itself; where it cannot, somebody is told, and the run does."""
    wanted = [name for name in ("native_groups", "native_trails") if getattr(settings, name)]
    if wanted and not isinstance(session, NativeSession):
        _log.warning("%s: %s works neither groups nor trailing stops; the run holds them", wanted[0], session.name)
        return Native()
    able = cast("NativeSession", session)
    return Native(
        no_group=able.no_group if settings.native_groups else None,
        no_trail=able.no_trail if settings.native_trails else None,
    )


def make_quarantine(run: LiveRun, prepared: Prepared) -> Quarantine:
    """Make what holds strategies that fail, of a run that has its holds."""
    return Quarantine(run.engine, prepared.shield, run.holds, run.settings.on_failure, run.alarm)


def make_market(run: LiveRun) -> MarketStream:
    """Make what takes market data, of a run that has its holds."""
    return MarketStream(
        run.session,
        run.engine,
        run.listening,
        run.settings,
        run.holds,
        run.now,
        run.alarm,
        run.heard.of("market"),
    )


def make_dispatcher(run: LiveRun, group: asyncio.TaskGroup) -> Dispatcher:
    """Make what carries requests to the venue, in a group of tasks."""
    in_order = isinstance(run.session, SimulatingSession)
    engine = run.engine
    return Dispatcher(run.session, engine.orders.answers, run.now, group, in_order=in_order, account=engine.account)


def make_reconnection(run: LiveRun, group: asyncio.TaskGroup) -> Reconnection:
    """Make what fetches what the private stream has missed, of a run that has its dispatcher and its account."""
    made = Reconnection(run.truth, run.engine, run.dispatcher, run.holds, run.instruments, run.now, run.alarm, group)
    made.also = run.account.catch_up
    return made


def make_private(run: LiveRun, connection: Callable[[StreamReport], None]) -> PrivateStream:
    """Make what takes the private stream, of a run that has its account.

    Parameters
    ----------
    connection
        Told how the stream does.
    """
    return PrivateStream(
        run.session, run.engine, run.now, run.account.wallet, connection, run.alarm, run.heard.of("private")
    )
