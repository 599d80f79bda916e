"""What `cambist doctor RUN_FILE` looks at beyond the installation: run file, journal, venue, clock and key."""

from __future__ import annotations

import asyncio
import shutil
import time
from importlib.util import find_spec
from math import nan
from typing import TYPE_CHECKING, Any

from cambist.cli.checks import Finding, State
from cambist.cli.exits import code_of
from cambist.errors import CambistError, JournalError
from cambist.model.orders import Instructions, Order, OrderType, Side, TimeInForce, Trail
from cambist.ports.venue import NativeSession

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from cambist.app.live_file import LivePlan
    from cambist.model.instrument import Instrument
    from cambist.plugins.registry import Registry
    from cambist.ports.venue import VenueSession

__all__ = ["examine_run"]

_GIGABYTE = 1e9
#: A journal that cannot be written ends trading: with less than this there is too little to look away.
_LITTLE_ROOM = 1.0
_NO_ROOM = 0.1
#: How far a clock may be off before it is worth a word, seconds; sessions have limits of their own.
_CLOCK = 1.0
#: What an error of a venue is about, by its word.
_ABOUT = {
    "clock_skew": "clock",
    "api_key": "key",
    "key_may_withdraw": "key",
    "no_api_key": "key",
    "permission": "key",
    "signature": "key",
}
_NO_WAY = "its session cannot"
#: How long the account's own stream may take, seconds.
_STREAM = 15.0


def examine_run(run_file: Path, registry: Registry, assigned: Sequence[str] = ()) -> list[Finding]:
    """Look at everything that a live run needs; `assigned` is what the command line sets in the run file."""
    from cambist.app.live_file import read_live_file

    try:
        plan = read_live_file(run_file, registry, assigned=assigned)
    except CambistError as error:
        return [Finding("Run file", run_file.name, State.FAILED, str(error).partition("\n\n")[0], code_of(error))]
    series = ", ".join(f"{symbol} {timeframe}" for symbol, timeframe in plan.series)
    names = ", ".join(one.use for one in plan.plan.strategies)
    return [
        Finding("Run file", run_file.name, State.OK, f"{names} on {series} at {plan.venue} ({plan.environment})"),
        Finding("Run file", "people", State.OK if plan.channels else State.WARNING, _people(plan)),
        _loop(),
        *_journal(plan.journal),
        *asyncio.run(_venue(plan)),
    ]


def _people(plan: LivePlan) -> str:
    names = ", ".join(one.name for one in plan.channels)
    return f"told by {names}" if names else "nobody is told of alarms; add [[notify]]"


def _loop() -> Finding:
    if find_spec("uvloop") is None:
        return Finding(
            "Run file", "event loop", State.WARNING, "asyncio's own; uvloop is faster: pip install 'cambist[live]'"
        )
    return Finding("Run file", "event loop", State.OK, "uvloop's")


def _journal(folder: Path) -> Iterator[Finding]:
    topic = "Journal"
    existing = folder if folder.is_dir() else next(one for one in folder.absolute().parents if one.is_dir())
    free = shutil.disk_usage(existing).free / _GIGABYTE
    state = State.FAILED if free < _NO_ROOM else State.WARNING if free < _LITTLE_ROOM else State.OK
    yield Finding(topic, "disk", state, f"{free:,.1f} GB free in {existing}")
    if not folder.is_dir() or not any(folder.iterdir()):
        yield Finding(topic, "journal", State.OK, f"none in {folder} yet: a new run would begin")
        return
    yield _records(topic, folder)


def _records(topic: str, folder: Path) -> Finding:
    from cambist.engine.rebuild import rebuild
    from cambist.storage.journal import JournalFolder

    try:
        journal = JournalFolder(folder)
        bad = [one for one in journal.check() if one.error is not None]
        torn = [one for one in bad if one.is_torn]
        if len(bad) > len(torn):
            error = next(one.error for one in bad if not one.is_torn)
            return Finding(topic, "journal", State.FAILED, str(error), error.code if error else "")
        state = rebuild(journal)
    except JournalError as error:
        return Finding(topic, "journal", State.FAILED, str(error), error.code)
    text = f"{folder}: whole, {state.sequence:,} records, {len(state.book.open)} open orders"
    if torn:
        return Finding(topic, "journal", State.WARNING, f"{text}; its last record is torn, and the next start drops it")
    return Finding(topic, "journal", State.OK, text)


async def _venue(plan: LivePlan) -> list[Finding]:
    """Connect without changing anything, and look at clock, key, account, symbols and stream."""
    topic, found = "Venue", []
    try:
        session = plan.session(**({"read_only": True} if plan.read_only else {}))
    except CambistError as error:
        return [Finding(topic, "session", State.FAILED, str(error), code_of(error))]
    try:
        began = time.monotonic()
        await session.open()
        took = time.monotonic() - began
        count = len(session.instruments())
        found.append(
            Finding(topic, "connection", State.OK, f"{session.name}: {count:,} instruments, ready in {took:.2f} s")
        )
        found += [one async for one in _account(plan, session)]
    except CambistError as error:
        code = code_of(error)
        found.append(Finding(topic, _ABOUT.get(code, "connection"), State.FAILED, str(error), code))
    finally:
        await session.close()
    return found


async def _account(plan: LivePlan, session: VenueSession) -> AsyncIterator[Finding]:
    from cambist.live.subscriptions import resolve

    topic = "Venue"
    metrics: Any = getattr(session, "metrics", dict)()
    if "clock_skew" in metrics:
        off = metrics["clock_skew"]
        text = f"{abs(off):.3f} s {'ahead of' if off > 0 else 'behind'} the venue's"
        yield Finding(topic, "clock", State.OK if abs(off) < _CLOCK else State.WARNING, text)
    account = await session.account()
    have = {one.asset: one.total for one in account.balances if one.total}
    yield Finding(topic, "key", State.OK, "taken; the account can be read")
    money = plan.live.currency
    state = State.OK if money in have else State.WARNING
    held = ", ".join(f"{total:f} {asset}" for asset, total in sorted(have.items())[:6])
    yield Finding(topic, "account", state, held or f"empty: there is no {money} to trade with")
    instruments = resolve(session, plan.series).instruments
    yield Finding(topic, "symbols", State.OK, f"{len(plan.series)} of {len(plan.series)} can be traded")
    for one in _left_to_venue(topic, plan, session, instruments):
        yield one
    orders = await session.open_orders()
    yield Finding(topic, "open orders", State.OK, f"{len(orders)}")
    yield await _stream(topic, session)


def _left_to_venue(
    topic: str, plan: LivePlan, session: VenueSession, instruments: Sequence[Instrument]
) -> Iterator[Finding]:
    """Tell whether the venue works what the run would leave to it; asked of a usual pair and a usual trailing stop."""
    asked = {"native_groups": _no_pair, "native_trails": _no_trail}
    for setting, no in asked.items():
        if not getattr(plan.live, setting):
            continue
        reasons = {one.symbol: no(session, one) for one in instruments}
        lacking = {symbol: why for symbol, why in reasons.items() if why}
        if lacking:
            text = "; ".join(f"{symbol}: {why}" for symbol, why in lacking.items())
            yield Finding(topic, setting, State.WARNING, f"the run holds them all the same. {text}")
        else:
            yield Finding(topic, setting, State.OK, "left to the venue, where their terms allow it")


def _no_pair(session: VenueSession, instrument: Instrument) -> str:
    stop = _order(instrument, 1, OrderType.STOP, stop=instrument.round_price(90.0))
    limit = _order(instrument, 2, OrderType.LIMIT, limit=instrument.round_price(110.0))
    limit.instructions = Instructions(oco=stop.id)
    return session.no_group([stop, limit]) if isinstance(session, NativeSession) else _NO_WAY


def _no_trail(session: VenueSession, instrument: Instrument) -> str:
    order = _order(instrument, 1, OrderType.TRAILING_STOP)
    order.instructions = Instructions(trail=Trail(percent=0.01, from_market=True))
    return session.no_trail(order) if isinstance(session, NativeSession) else _NO_WAY


def _order(instrument: Instrument, number: int, kind: OrderType, limit: float = nan, stop: float = nan) -> Order:
    size = instrument.round_size(1.0)
    return Order(number, instrument, Side.SELL, kind, size, limit, stop, TimeInForce.GTC, 0, False, "", "", 0)


async def _stream(topic: str, session: VenueSession) -> Finding:
    from cambist.ports.venue import StreamReport

    began = time.monotonic()
    try:
        async with asyncio.timeout(_STREAM):
            async for one in session.private():
                if isinstance(one, StreamReport) and one.state == "up":
                    took = time.monotonic() - began
                    return Finding(topic, "account stream", State.OK, f"up after {took:.2f} s")
    except TimeoutError:
        pass
    text = (
        f"not up within {_STREAM:g} s; a run would not start. Look at the connection, or a proxy that lacks WebSockets."
    )
    return Finding(topic, "account stream", State.FAILED, text, "not_ready")
