"""One account that holds several assets."""

from __future__ import annotations

from collections import ChainMap
from typing import TYPE_CHECKING, Any

from cambist.errors import InputError, did_you_mean
from cambist.model.portfolio import Account, CashFlow
from cambist.portfolio.trades import TradeLog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist.model.instrument import Instrument
    from cambist.model.margin import Margin
    from cambist.model.orders import Fill, Order
    from cambist.model.portfolio import Position, Trade
    from cambist.portfolio.margin import MarginPortfolio
    from cambist.portfolio.portfolio import Portfolio
    from cambist.portfolio.rates import RateTable

__all__ = ["MultiAssetMarginPortfolio", "MultiAssetPortfolio"]

_FUNDS_TOLERANCE = 1e-9
_NO_MARKS: Mapping[str, float] = {}


class MultiAssetPortfolio:
    """A pocket for each asset, in which the instruments that settle in it are traded, added up in one currency.

    Each pocket is a `Portfolio` of its own: what it holds backs its own positions, and its money pays for its own
    orders. Nothing is exchanged unless somebody asks for it, save for fees that another asset pays.

    Parameters
    ----------
    pockets
        By asset, none of which has traded; the currency is among them.
    rates
        What each asset is worth; they must be known for all that there is money in.
    fee_asset
        Pays the fees of all pockets as long as there is enough of it; ``""`` for none.
    conversion_fee
        What a conversion costs, as a fraction of what is converted.

    Attributes
    ----------
    currency
        In which the account reckons.
    initial_cash
        Money at the start, in the currency.
    positions, legs
        Of all pockets, by symbol.
    transfers, moved
        See `Portfolio`, in the currency, as the valuation tells.
    """

    def __init__(
        self, pockets: Mapping[str, Portfolio], rates: RateTable, *, fee_asset: str = "", conversion_fee: float = 0.0
    ) -> None:
        self.pockets = dict(pockets)
        self.rates = rates
        self.currency = rates.currency
        self.fee_asset = fee_asset
        self._conversion_fee = conversion_fee
        self.positions: dict[str, Position] = {
            symbol: position for pocket in self.pockets.values() for symbol, position in pocket.positions.items()
        }
        self.legs = self.positions
        self.transfers: list[tuple[int, float]] = []
        self.moved: list[tuple[int, float]] = []
        self._came: dict[tuple[str, str], float] = {}
        self._charged_by_venue = ""
        for asset in self.pockets:
            rates.way(asset, self.currency)  # which tells of one that leads nowhere before anything happens
        self.trades = TradeLog()
        self.cash_flows = []
        self.refused_flows = []
        self.initial_cash = self._total("initial_cash")

    # The lists that pockets share.

    @property
    def trades(self) -> TradeLog:
        """Round trips in all assets."""
        return self._trades

    @trades.setter
    def trades(self, log: TradeLog) -> None:
        self._trades = log
        for pocket in self.pockets.values():
            pocket.trades = log

    @property
    def cash_flows(self) -> list[CashFlow]:
        """Money that moved without a fill, in the order in which it was booked."""
        return self._cash_flows

    @cash_flows.setter
    def cash_flows(self, flows: list[CashFlow]) -> None:
        self._cash_flows = flows
        for pocket in self.pockets.values():
            pocket.cash_flows = flows

    @property
    def refused_flows(self) -> list[CashFlow]:
        """Withdrawals that were refused."""
        return self._refused_flows

    @refused_flows.setter
    def refused_flows(self, flows: list[CashFlow]) -> None:
        self._refused_flows = flows
        for pocket in self.pockets.values():
            pocket.refused_flows = flows

    # Which pocket.

    def pocket(self, asset: str = "") -> Portfolio:
        """Return what holds an asset, the currency by default.

        Raises
        ------
        InputError
            If the account has none of it.
        """
        found = self.pockets.get(asset or self.currency)
        if found is None:
            raise InputError(f"the account has no {asset}.{did_you_mean(asset, self.pockets)}")
        return found

    def _of(self, instrument: Instrument) -> Portfolio:
        return self.pockets[instrument.settle]

    def _by_symbol(self, symbol: str) -> Portfolio:
        return self.pockets[self.positions[symbol].instrument.settle]

    def set_price_source(self, symbol: str, source: Callable[[], float]) -> None:
        """Say where the last close of `symbol` is read."""
        self._by_symbol(symbol).set_price_source(symbol, source)

    def mark(self, position: Position) -> float:
        """Return the price at which a position is valued."""
        return self._of(position.instrument).mark(position)

    # Fills and flows.

    def apply(self, fill: Fill, order: Order, instant: int) -> Trade | None:
        """Book one fill, and have another asset pay its fee where it can; see `Portfolio.apply`."""
        trade = self._of(fill.instrument).apply(fill, order, instant)
        if self.fee_asset:
            payment = self.fee_payment(fill)
            if self._charged_by_venue == fill.instrument.symbol:
                self._charged_by_venue = ""
            if payment is not None:
                self.pay_fee(fill, *payment, instant)
        return trade

    def fee_payment(self, fill: Fill) -> tuple[str, float] | None:
        """Return which other asset pays the fee of a fill, and how much of it; None where none does."""
        instrument = fill.instrument
        if self._charged_by_venue == instrument.symbol or not self.pays_fee(instrument, fill.fee):
            return None
        return self.fee_asset, fill.fee * self.rates.known(instrument.settle, self.fee_asset)

    def pays_fee(self, instrument: Instrument, fee: float) -> bool:
        """Tell whether another asset pays a fee of `fee` in the asset in which `instrument` settles."""
        asset = self.fee_asset
        if not asset or not fee > 0.0 or instrument.settle == asset:
            return False
        return fee * self.rates.known(instrument.settle, asset) <= self.pockets[asset].cash

    def pay_fee(self, fill: Fill, asset: str, amount: float, instant: int) -> None:
        """Sell as much of an asset as the fee is worth: the pocket of the fill is left as without a fee."""
        pocket, symbol = self._of(fill.instrument), fill.instrument.symbol
        fill.pay_fee_in(asset, amount)
        self.pockets[asset].move_cash(CashFlow(fill.ts, "fee", symbol, asset, -amount), instant)
        pocket.move_cash(CashFlow(fill.ts, "fee", symbol, pocket.currency, fill.fee), instant)

    def move_cash(self, flow: CashFlow, instant: int) -> None:
        """Book money that moves without a fill in the pocket of its asset."""
        self.pockets[flow.asset].move_cash(flow, instant)

    def pay_dividend(self, ts: int, symbol: str, amount: float, instant: int) -> None:
        """Pay a dividend; see `Portfolio.pay_dividend`."""
        self._by_symbol(symbol).pay_dividend(ts, symbol, amount, instant)

    def split(self, ts: int, symbol: str, ratio: float, instant: int) -> None:
        """Split a position; see `Portfolio.split`."""
        self._by_symbol(symbol).split(ts, symbol, ratio, instant)

    def rate(self, source: str, target: str = "") -> float:
        """Return what a unit of `source` is worth in `target`, the currency by default; NaN where nobody knows yet."""
        return self.rates.now(source, target)

    def converted(self, amount: float, source: str, target: str) -> float:
        """Return how much of `target` comes of `amount` of `source`, the conversion paid for.

        Raises
        ------
        InputError
            If they are one, or the account has none of one of them.
        DataError
            If nobody knows the rate yet.
        """
        self.pocket(source)
        self.pocket(target)
        if source == target:
            raise InputError(f"{amount:,.8g} {source} cannot be converted to {target}: it is the same asset.")
        return amount * self.rates.known(source, target) * (1.0 - self._conversion_fee)

    # Money.

    def missing_funds(
        self, instrument: Instrument, signed: float, price: float, fee: float, tolerance: float = _FUNDS_TOLERANCE
    ) -> float:
        """Return what would be missing after a fill in the asset in which it settles; see `Portfolio.missing_funds`."""
        if self.pays_fee(instrument, fee):
            fee = 0.0
        return self._of(instrument).missing_funds(instrument, signed, price, fee, tolerance)

    def free_notional(self, instrument: Instrument) -> float:
        """Return the value of `instrument` that could still be opened, in the asset in which it settles."""
        return self._of(instrument).free_notional(instrument)

    def margin_of(self, instrument: Instrument, size: float, price: float) -> float:
        """Return the initial margin of a position, in the asset in which it settles."""
        return self._of(instrument).margin_of(instrument, size, price)

    def equity_in(self, instrument: Instrument) -> float:
        """Return the equity of all assets in the one in which `instrument` settles."""
        return self.equity * self.rates.known(self.currency, instrument.settle)

    def cash_in(self, instrument: Instrument) -> float:
        """Return the cash in the asset in which `instrument` settles."""
        return self._of(instrument).cash

    @property
    def balances(self) -> dict[str, float]:
        """Cash by asset."""
        return {asset: pocket.cash for asset, pocket in self.pockets.items()}

    @property
    def cash(self) -> float:
        """Cash of all assets, in the currency."""
        return self._total("cash")

    @property
    def equity(self) -> float:
        """Cash plus the worth of everything held, at last prices and rates, in the currency."""
        return self._total("equity")

    def _total(self, name: str) -> float:
        """Add up a number of money over the pockets; one that has nothing needs no rate."""
        total = 0.0
        for asset, pocket in self.pockets.items():
            amount: float = getattr(pocket, name)
            if amount != 0.0:
                total += amount * self.rates.known(asset)
        return total

    def assets(self) -> dict[str, Account]:
        """Return a snapshot of each pocket, in its asset."""
        return {asset: pocket.account() for asset, pocket in self.pockets.items()}

    def note_flow(self, asset: str, kind: str, worth: float) -> None:
        """Learn what a deposit, or (negative) a withdrawal, was worth in the currency at its time."""
        # Each by itself: how a run is cut into stretches must not change the order of additions.
        self._came[asset, kind] = self._came.get((asset, kind), 0.0) + worth

    def account(self) -> Account:
        """Return a snapshot in the currency, at last prices and rates."""
        sums: dict[str, Any] = dict.fromkeys(_SUMMED, 0.0)
        for asset, snapshot in self.assets().items():
            for name in _SUMMED:
                amount = getattr(snapshot, name)
                if amount != 0.0:
                    sums[name] += amount * self.rates.known(asset)
        came = 0.0
        for asset, pocket in self.pockets.items():
            for kind, steps in (("from outside", pocket.transfers), ("moved", pocket.moved)):
                # What the valuation has told of, and what it has not yet.
                came += self._came.get((asset, kind), 0.0)
                came += sum(amount * self.rates.known(asset) for _, amount in steps)
        made = sums["realized"] + sums["unrealized"] - sums["fees"] + sums["carry"]
        exchange = sums["equity"] - self.initial_cash - made - came
        return Account(currency=self.currency, flows=came, exchange=exchange, **sums)


_SUMMED = ("cash", "equity", "margin", "fees", "realized", "unrealized", "carry")


class MultiAssetMarginPortfolio(MultiAssetPortfolio):
    """The same with leverage, maintenance margin and liquidation: each asset backs the positions that settle in it.

    Parameters
    ----------
    pockets, rates, fee_asset, conversion_fee
        See `MultiAssetPortfolio`.
    margin
        Of all pockets.

    Attributes
    ----------
    terms
        How it trades on margin.
    leverages
        Of each margined instrument, by symbol.
    """

    pockets: dict[str, MarginPortfolio]  # type: ignore[assignment]

    def __init__(
        self,
        pockets: Mapping[str, MarginPortfolio],
        rates: RateTable,
        *,
        margin: Margin,
        fee_asset: str = "",
        conversion_fee: float = 0.0,
    ) -> None:
        super().__init__(pockets, rates, fee_asset=fee_asset, conversion_fee=conversion_fee)
        self.terms = margin
        self.leverages: Mapping[str, float] = ChainMap(*(pocket.leverages for pocket in pockets.values()))

    def set_mark_source(self, symbol: str, source: Callable[[], float]) -> None:
        """Say where the mark price of `symbol` is read."""
        self._margin(symbol).set_mark_source(symbol, source)

    def _margin(self, symbol: str) -> MarginPortfolio:
        return self.pockets[self.positions[symbol].instrument.settle]

    def liquidation_price(self, key: str, marks: Mapping[str, float] = _NO_MARKS) -> float:
        """Return the mark price at which a position is liquidated; see `MarginPortfolio.liquidation_price`."""
        return self._margin(key).liquidation_price(key, marks)

    def bankruptcy_price(self, key: str, marks: Mapping[str, float] = _NO_MARKS) -> float:
        """Return the price at which nothing is left of what backs a position."""
        return self._margin(key).bankruptcy_price(key, marks)

    def left(self, key: str, price: float, marks: Mapping[str, float] = _NO_MARKS) -> float:
        """Return what is left of that at a mark price."""
        return self._margin(key).left(key, price, marks)

    def size_to_close(self, key: str, price: float, fill: float, marks: Mapping[str, float] = _NO_MARKS) -> float:
        """Return how much of a position brings it into a tier with margin enough; see `MarginPortfolio`."""
        return self._margin(key).size_to_close(key, price, fill, marks)

    def note_liquidation(self, key: str, size: float, ts: int, fill: float, fee: float, mark: float) -> None:
        """Learn that the next fill of a position liquidates, whose fee the position itself pays."""
        self._charged_by_venue = key
        self._margin(key).note_liquidation(key, size, ts, fill, fee, mark)

    def note_closing(self, key: str, reason: str) -> None:
        """Learn that the next fill of a position is the venue's doing; see `MarginPortfolio.note_closing`."""
        self._margin(key).note_closing(key, reason)

    def worst_deficient(self, marks: Mapping[str, float]) -> str | None:
        """Return the position to close first in a pocket whose equity is no more than maintenance margin.

        One that has a mark price now comes before others, which nobody can close.
        """
        found = [worst for pocket in self.pockets.values() if (worst := pocket.worst_deficient(marks)) is not None]
        return next((symbol for symbol in found if symbol in marks), found[0] if found else None)
