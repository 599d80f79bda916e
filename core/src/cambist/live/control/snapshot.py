"""What a live run shows of itself: numbers, texts and lists of them, ready to be written as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.model.trading_state import TradingState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cambist.live.run import LiveRun
    from cambist.model.orders import Fill, Order
    from cambist.model.reports import AccountReport, OrderReport

__all__ = ["balances_at", "holds_of", "order_at", "order_of", "positions_at", "positions_of", "status_of"]

#: How many of the newest orders and fills a status shows.
_NEWEST = 10


def status_of(run: LiveRun) -> dict[str, Any]:
    """Return how a run does; see the reference of the control protocol."""
    kernel, engine, now = run.kernel, run.engine, run.now()
    holds = holds_of(run)
    everything = [hold["state"] for hold in holds if not hold["scope"]]
    open_orders = engine.orders.open
    metrics = _metrics(run)
    health = run.journal.health()
    return {
        "phase": run.phase,
        "now": now,
        "venue": run.session.name,
        "token": kernel.book.token,
        "strategies": [seat.strategy.name for seat in kernel.seats],
        "series": [f"{instrument.symbol} {timeframe}" for instrument, timeframe in run.series],
        "trading": {
            "state": max(everything, key=lambda state: TradingState(state).strictness, default="active"),
            "holds": holds,
        },
        "streams": {name: round(age, 3) for name, age in run.heard.ages().items()},
        "links": metrics.get("links", []),
        "orders": {
            "open": len(open_orders),
            "unknown": len(engine.orders.unknown),
            "waiting_for_journal": engine.waiting,
            "being_asked_about": run.dispatcher.busy,
        },
        "account": _account_of(run),
        "positions": positions_of(run),
        "budget": metrics.get("budget", {}),
        "clock_skew": metrics.get("clock_skew"),
        "dead_man_switch": metrics.get("countdown"),
        "journal": {
            "folder": str(run.journal.folder),
            "last": health.last,
            "durable": health.durable,
            "lag_records": health.last - health.durable,
            "lag_seconds": round(health.pending_seconds, 6),
            "slowest_write": round(health.slowest_write, 6),
            "failure": None if health.failure is None else str(health.failure),
        },
        "hooks": [
            {
                "strategy": strategy,
                "hook": hook,
                "calls": time.calls,
                "mean": time.total / time.calls if time.calls else 0.0,
                "longest": time.longest,
                "slow": time.slow,
            }
            for (strategy, hook), time in run.hook_times.times.items()
        ],
        "decisions": [order_of(one) for one in kernel.book.orders[-_NEWEST:]],
        "fills": [_fill_of(one) for one in kernel.fills[-_NEWEST:]],
        "alarms": [{"ts": ts, "word": word, "text": text} for ts, word, text in run.recent_alarms],
    }


def _metrics(run: LiveRun) -> Mapping[str, Any]:
    """Return what the session counts; not every session does."""
    metrics = getattr(run.session, "metrics", None)
    found: Mapping[str, Any] = metrics() if callable(metrics) else {}
    return found


def holds_of(run: LiveRun) -> list[dict[str, Any]]:
    """Return what halts or restricts trading."""
    return [
        {
            "scope": hold.scope,
            "state": str(hold.state),
            "reason": hold.reason,
            "by": hold.by,
            "rule": hold.rule,
            "since": hold.ts,
        }
        for hold in run.kernel.trading.holds
    ]


def _account_of(run: LiveRun) -> dict[str, Any]:
    books: Any = run.kernel.portfolio
    return {
        "currency": getattr(books, "currency", ""),
        "cash": getattr(books, "cash", None),
        "equity": getattr(books, "equity", None),
    }


def positions_of(run: LiveRun) -> list[dict[str, Any]]:
    """Return what the run holds; legs of a hedged account by their key."""
    books: Any = run.kernel.portfolio
    return [
        {
            "symbol": key,
            "size": held.size,
            "average_price": held.average_price,
            "last_price": held.last_price,
            "unrealized": held.unrealized,
            "realized": held.realized,
            "fees": held.fees,
        }
        for key, held in books.legs.items()
    ]


def order_of(order: Order, client_id: str = "") -> dict[str, Any]:
    """Return an order of the run."""
    return {
        "order": order.id,
        "client_id": client_id,
        "symbol": order.instrument.symbol,
        "side": str(order.side),
        "type": str(order.type),
        "size": order.size,
        "filled": order.filled,
        "limit_price": order.limit_price,
        "stop_price": order.stop_price,
        "average_price": order.average_price,
        "status": str(order.status),
        "reason": order.reason,
        "strategy": order.strategy,
        "tag": order.tag,
        "created_at": order.created_at,
        "updated_at": order.updated_at,
    }


def _fill_of(fill: Fill) -> dict[str, Any]:
    return {
        "ts": fill.ts,
        "order": fill.order_id,
        "symbol": fill.instrument.symbol,
        "side": str(fill.side),
        "size": fill.size,
        "price": fill.price,
        "fee": fill.fee,
    }


def order_at(report: OrderReport, known: Mapping[str, int]) -> dict[str, Any]:
    """Return an order as the venue tells of it; ``order`` is 0 where it is none of the run's."""
    return {
        "order": known.get(report.client_id, 0),
        "client_id": report.client_id,
        "venue_id": report.venue_id,
        "symbol": report.symbol,
        "side": str(report.side),
        "type": str(report.type),
        "size": report.size,
        "filled": report.filled,
        "limit_price": report.limit_price,
        "stop_price": report.stop_price,
        "status": str(report.status),
        "created_at": report.created_at,
    }


def positions_at(account: AccountReport, symbols: Iterable[str] | None = None) -> list[dict[str, Any]]:
    """Return positions as the venue tells of them, those of some symbols or all."""
    wanted = None if symbols is None else set(symbols)
    return [
        {
            "symbol": one.symbol,
            "position_side": one.position_side,
            "size": one.size,
            "entry_price": one.entry_price,
            "liquidation_price": one.liquidation_price,
        }
        for one in account.positions
        if one.size and (wanted is None or one.symbol in wanted)
    ]


def balances_at(account: AccountReport) -> list[dict[str, Any]]:
    """Return balances as the venue tells of them."""
    return [{"asset": one.asset, "total": one.total, "free": one.free} for one in account.balances if one.total]
