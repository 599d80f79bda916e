"""What may refuse an order before it leaves, and what it sees while it decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import attrs

from cambist.model.trading_state import TradingState, WorkingOrders

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order, Side
    from cambist.model.portfolio import Account, Position, Trade

__all__ = ["AccountMoment", "EquityRule", "Refusal", "RiskRule", "RiskView", "StatefulRule", "TradingRequest"]


@attrs.frozen(slots=True)
class TradingRequest:
    """What trading is to become, as a rule wants it.

    Attributes
    ----------
    state
        Halted, reducing, or active again: a rule takes back what it asked for, and never what others did.
    scope
        Where; ``""`` is everything, see `cambist.model.TradingChange`.
    reason
        For people: what was found, and which bound it broke.
    orders
        What becomes of the orders at work there.
    """

    state: TradingState
    scope: str = ""
    reason: str = ""
    orders: WorkingOrders = WorkingOrders.CANCEL_OPENING


@attrs.frozen(slots=True)
class Refusal:
    """Why an order may not leave.

    Attributes
    ----------
    code
        Stable, lower case with underscores, for programs: ``"size_off_grid"``.
    message
        For people: what was asked, which bound it broke, and what to do.
    request
        What trading is to become because of it; None where this order alone is meant. A `StatefulRule` may ask for it.
    rule
        Who asks for that; the gate says so.
    """

    code: str
    message: str
    request: TradingRequest | None = None
    rule: RiskRule | None = None


class RiskView(Protocol):
    """The account as a risk rule sees it: read only, as of now."""

    def position(self, instrument: Instrument) -> Position:
        """Return the net position; its size is positive long, negative short, in the instrument's units."""

    def account(self) -> Account:
        """Return a snapshot of cash, equity and margin, in the account's currency."""

    def reference_price(self, order: Order) -> float:
        """Return the price an order is expected to get, in the quote currency.

        Its limit; else its stop, where that is known; else the instrument's last close, NaN before the first.
        """

    def market_price(self, instrument: Instrument) -> float:
        """Return the latest price at which the market is known to have stood, in the quote currency.

        The last close, or the price of the fill that a strategy is just hearing of; NaN before the first of either.
        """

    def now(self) -> int:
        """Return the engine's time, ns, UTC."""

    def order(self, order_id: int) -> Order | None:
        """Return an order of this run, open or ended; None where there is none of that number."""

    def missing_funds(self, order: Order) -> float:
        """Return what the account lacks to pay for an order, fee included, in its currency; 0 when it can pay.

        0 as well before the first close, when a market order has no price yet, and for an order that waits for its
        parent to trade: what the account will hold by then, nobody knows. 0 for an order that only reduces, always.
        """

    def open_orders(self, instrument: Instrument) -> int:
        """Return how many orders of an instrument work."""

    def total_open_orders(self) -> int:
        """Return how many orders work, over all instruments."""

    def working_orders(self, instrument: Instrument) -> Sequence[Order]:
        """Return the working orders of an instrument, oldest first; the one under review is none of them."""

    def open_size(self, instrument: Instrument, side: Side) -> float:
        """Return the unfilled size of working orders of one side, positive, in the instrument's units.

        Orders that only reduce do not count.
        """

    def reducible_size(self, order: Order) -> float:
        """Return how much an order of this side may trade to only make the position smaller, in the instrument's units.

        What is held on the other side, less what other working orders will close of it, the largest of a
        one-cancels-the-other group; 0 where nothing is left. An order that waits for its parent does not count.
        """


class RiskRule(Protocol):
    """One question about an order.

    A rule is deterministic, and does not raise for an order it does not like. It keeps no state between orders, unless
    it is a `StatefulRule`.
    """

    @property
    def name(self) -> str:
        """The name it is registered under."""

    def concerns(self, instrument: Instrument) -> bool:
        """Say once per instrument whether `review` is to be asked about its orders at all."""

    def review(self, order: Order, view: RiskView) -> Refusal | None:
        """Return None to let the order pass, or why it may not leave."""


@attrs.frozen(slots=True)
class AccountMoment:
    """An account at one moment, as an `EquityRule` is shown it.

    Attributes
    ----------
    ts
        When, ns, UTC.
    account
        Its name; ``""`` where the run has one account.
    equity
        At last prices, in the account's currency.
    moved
        Money that was brought in (positive) or taken out since the last such moment; no profit, and no loss.
    closed
        Trades that were closed since then, oldest first.
    """

    ts: int
    account: str
    equity: float
    moved: float = 0.0
    closed: Sequence[Trade] = ()


@runtime_checkable
class StatefulRule(RiskRule, Protocol):
    """A rule that remembers. A run works on a fresh one, and a journal keeps its state over a restart.

    What it remembers may change in `review`, and in `EquityRule.on_equity`. It hangs on what it is shown and on nothing
    else, such as the time of day of the machine.
    """

    def fresh(self) -> StatefulRule:
        """Return a rule with the same settings that remembers nothing."""

    def save_state(self) -> Mapping[str, Any]:
        """Return what a restart has to bring back: numbers, texts, and lists and dicts of them."""

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `save_state` returned."""

    def on_resume(self, scope: str) -> None:
        """Learn that an operator lifted what this rule asked for in a scope: it is to begin anew from here."""


@runtime_checkable
class EquityRule(StatefulRule, Protocol):
    """A rule that watches the equity of each account.

    It is asked when the run begins, and whenever all bars of an instant have closed, between `on_bar` and `on_step`; in
    a run on trades and quotes without bars after each of these was shown to strategies.
    """

    def on_equity(self, moment: AccountMoment) -> TradingRequest | None:
        """Return what trading is to become, or None to leave it as it is."""
