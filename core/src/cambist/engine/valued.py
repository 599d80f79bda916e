"""The account at a time: as a snapshot, as a record of a journal, and as rows of a database."""

from __future__ import annotations

from math import isfinite, nan
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.analysis.curve import CurveStanding, Drawdown
from cambist.engine.conversions import decimal_of
from cambist.engine.records import AccountValued, AssetValued, CurveState, HoldingValued
from cambist.model.legs import side_in
from cambist.model.times import DAY_NS
from cambist.portfolio import MultiAssetPortfolio
from cambist.portfolio.exact import exact
from cambist.ports.rows import AccountRow, DailyRow, PositionSnapshotRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from cambist.analysis.curve import EquityRecorder
    from cambist.analysis.daily import DailyPerformance
    from cambist.model.portfolio import Account
    from cambist.portfolio import AccountGroup, Books
    from cambist.ports.rows import Row

__all__ = [
    "AccountSnapshot",
    "HeldAt",
    "daily_row",
    "day_of",
    "record_of",
    "record_rows",
    "snapshot_rows",
    "snapshots_of",
    "standing_of",
]


@attrs.frozen(slots=True)
class HeldAt:
    """What an account held of one instrument at a time.

    Attributes
    ----------
    symbol, side
        Of which; the side is ``"long"`` or ``"short"`` in a hedged account, else ``""``.
    size, average_price
        As those of `cambist.model.Position`.
    price
        At which it was valued.
    unrealized
        Profit of what is open at that price, in the settlement asset.
    """

    symbol: str
    side: str
    size: float
    average_price: float
    price: float
    unrealized: float


@attrs.frozen(slots=True)
class AccountSnapshot:
    """An account at a time.

    Attributes
    ----------
    ts
        When, ns, UTC.
    account
        Its name in a run that has several; ``""`` for the whole.
    asset
        Which of several assets is meant, counted in itself; ``""`` for all of them.
    equity, cash, margin, free
        As those of `cambist.model.Account`.
    drawdown
        Below the highest equity so far, 0 or below, a fraction; NaN of one asset of several.
    held
        What is not flat.
    flows
        Deposits less withdrawals so far.
    """

    ts: int
    account: str
    asset: str
    currency: str
    equity: float
    cash: float
    margin: float
    free: float
    drawdown: float = nan
    held: tuple[HeldAt, ...] = ()
    flows: float = 0.0


def snapshots_of(books: Books | AccountGroup, ts: int, account: str = "") -> list[AccountSnapshot]:
    """Return what an account is worth at its last prices, and what it holds; then each asset, where it has several."""
    now = books.account()
    found = [attrs.evolve(_snapshot(now, ts, account), held=_held(books), flows=now.flows)]
    if isinstance(books, MultiAssetPortfolio):
        found += [_snapshot(one, ts, account, asset) for asset, one in books.assets().items()]
    return found


def _snapshot(now: Account, ts: int, account: str, asset: str = "") -> AccountSnapshot:
    return AccountSnapshot(ts, account, asset, now.currency, now.equity, now.cash, now.margin, now.free)


def _held(books: Books | AccountGroup) -> tuple[HeldAt, ...]:
    legs = getattr(books, "legs", None) or {}  # accounts together hold nothing beside what each of them does
    held = []
    for key, position in legs.items():
        if position.size:
            price, instrument = books.mark(position), position.instrument
            profit = instrument.profit(position.size, position.average_price, price)
            side = str(side_in(key, instrument.symbol) or "")
            held.append(HeldAt(instrument.symbol, side, position.size, position.average_price, price, profit))
    return tuple(held)


def snapshot_rows(snapshot: AccountSnapshot) -> Iterator[Row]:
    """Yield the rows of a snapshot."""
    yield AccountRow(
        account=snapshot.account,
        asset=snapshot.asset,
        ts=snapshot.ts,
        currency=snapshot.currency,
        equity=exact(snapshot.equity),
        cash=exact(snapshot.cash),
        margin=exact(snapshot.margin),
        free=exact(snapshot.free),
        drawdown=snapshot.drawdown if isfinite(snapshot.drawdown) else None,
    )
    for one in snapshot.held:
        yield PositionSnapshotRow(
            account=snapshot.account,
            ts=snapshot.ts,
            symbol=one.symbol,
            side=one.side,
            size=exact(one.size),
            average_price=decimal_of(one.average_price),
            price=decimal_of(one.price),
            unrealized=decimal_of(one.unrealized),
        )


def record_of(
    snapshot: AccountSnapshot,
    assets: Sequence[AccountSnapshot],
    recorder: EquityRecorder,
    fund: EquityRecorder | None,
    periods_per_year: float | None,
) -> AccountValued:
    """Return a snapshot as it is journalled, with those of its assets and how curves of equity and of a share stand."""
    return AccountValued(
        account=snapshot.account,
        equity=exact(snapshot.equity),
        cash=exact(snapshot.cash),
        margin=exact(snapshot.margin),
        free=exact(snapshot.free),
        drawdown=snapshot.drawdown,
        flows=exact(snapshot.flows),
        holdings=[
            HoldingValued(
                one.symbol,
                exact(one.size),
                decimal_of(one.average_price),
                decimal_of(one.price),
                decimal_of(one.unrealized),
                one.side,
            )
            for one in snapshot.held
        ],
        start=recorder.start,
        initial=recorder.initial,
        curve=_state(recorder.standing()),
        fund=None if fund is None else _state(fund.standing()),
        periods_per_year=periods_per_year,
        assets=[
            AssetValued(one.asset, exact(one.equity), exact(one.cash), exact(one.margin), exact(one.free))
            for one in assets
        ],
    )


def record_rows(valued: AccountValued, ts: int, currency: str) -> Iterator[Row]:
    """Yield the rows of a record; those of the snapshots that it was made of."""
    yield AccountRow(
        account=valued.account,
        ts=ts,
        currency=currency,
        equity=valued.equity,
        cash=valued.cash,
        margin=valued.margin,
        free=valued.free,
        drawdown=valued.drawdown,
    )
    for own in valued.assets:
        yield AccountRow(
            account=valued.account,
            asset=own.asset,
            ts=ts,
            currency=own.asset,
            equity=own.equity,
            cash=own.cash,
            margin=own.margin,
            free=own.free,
        )
    for one in valued.holdings:
        yield PositionSnapshotRow(
            account=valued.account,
            ts=ts,
            symbol=one.symbol,
            side=one.side,
            size=one.size,
            average_price=one.average_price,
            price=one.price,
            unrealized=one.unrealized,
        )


def _state(standing: CurveStanding) -> CurveState:
    fall = standing.drawdown
    return CurveState(
        ts=standing.ts,
        equity=standing.equity,
        peak=standing.peak,
        lowest=standing.lowest,
        bars=standing.n_bars,
        exposed=standing.exposed_bars,
        fall=fall.fraction,
        fall_from=fall.peak_at,
        fall_to=fall.trough_at,
        recovered=fall.recovered_at,
        longest=fall.longest,
        money=fall.money,
    )


def standing_of(state: CurveState) -> CurveStanding:
    """Return how a curve stood, of what a record says."""
    fall = Drawdown(state.fall, state.fall_from, state.fall_to, state.recovered, state.longest, state.money)
    return CurveStanding(state.ts, state.equity, state.peak, state.lowest, state.bars, state.exposed, fall)


def daily_row(day: DailyPerformance, equity: Decimal, account: str = "") -> DailyRow:
    """Return the row of a day; numbers that are none there become None."""
    said = {
        name: value if isfinite(value := getattr(day, name)) else None
        for name in ("daily_return", "sharpe", "drawdown", "max_drawdown")
    }
    date = np.datetime64(day_of(day.ts), "D")
    return DailyRow(account=account, day=str(date), ts=day.ts, equity=equity, **said)


def day_of(ts: int) -> int:
    """Return the UTC day of a close, counted from 1970-01-01: midnight belongs to the day that ends there."""
    return (ts - 1) // DAY_NS
