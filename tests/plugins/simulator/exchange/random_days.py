"""Random days at an exchange: what users and the market do, as numbers that hypothesis can make smaller."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from cambist.model import OrderType, Side, TimeInForce
from cambist.simulation import SelfTrade
from cambist_simulator.exchange.errors import RefusedError
from cambist_simulator.exchange.orders import AmendTerms, ListTerms, OrderTerms, PriceSource

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
KINDS = [
    OrderType.LIMIT,
    OrderType.MARKET,
    OrderType.LIMIT,
    OrderType.STOP,
    OrderType.STOP_LIMIT,
    OrderType.LIMIT_IF_TOUCHED,
    OrderType.MARKET_IF_TOUCHED,
    OrderType.TRAILING_STOP_LIMIT,
    OrderType.LIMIT,
]
MODES = [None, *SelfTrade]

small = st.integers(0, 11)
#: (what, user, side, size, price, and two more numbers that mean what `what` makes of them).
step = st.tuples(
    st.sampled_from(
        ["place"] * 6
        + ["cancel", "amend", "amend", "list", "level", "level", "trade", "trade", "later", "move", "mark", "set"]
    ),
    st.integers(0, 2),
    st.booleans(),
    st.integers(1, 9),
    small,
    small,
    small,
)
days = st.lists(step, min_size=12, max_size=40)


class Day:
    """Does what the numbers say; what is refused is not done.

    Parameters
    ----------
    exchange, users
        Where, and who.
    middle
        Price around which all happens, in ticks.
    """

    def __init__(self, exchange, users, middle=1_000):
        self.exchange, self.users, self.middle = exchange, users, middle
        self.symbols = list(exchange.listings)
        self.put_in = {}
        self.refused = []
        self.coin = D(1)

    def run(self, steps):
        for one in steps:
            self.do(*one)

    def do(self, what, user, buys, size, price, more, most):
        exchange, user, side = self.exchange, self.users[user], BUY if buys else SELL
        symbol = self.symbols[most % len(self.symbols)]
        listing = exchange.listing(symbol)
        at, amount = (self.middle + price - 5) * listing.tick_size, size * listing.step_size
        try:
            getattr(self, f"_{what}")(user, symbol, side, amount, at, more, most)
        except RefusedError as error:
            self.refused.append(error)

    def _place(self, user, symbol, side, size, price, more, most):
        self.exchange.place(user, self.terms(symbol, side, size, price, more, most))

    def terms(self, symbol, side, size, price, more, most):
        kind = KINDS[more % len(KINDS)]
        tick = self.exchange.listing(symbol).tick_size
        limited = kind in {OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED} or "LIMIT" in kind.name
        waits = kind not in {OrderType.LIMIT, OrderType.MARKET}
        trailing = "TRAILING" in kind.name
        tif = TimeInForce.GTC
        if kind is OrderType.LIMIT:
            tif = [TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTC][most % 5]
        return OrderTerms(
            symbol=symbol,
            side=side,
            type=kind,
            size=size,
            price=price if limited else None,
            stop_price=price + (most - 5) * tick if waits and not trailing else None,
            trail=D("0.002") if trailing else None,
            time_in_force=tif,
            post_only=limited and tif is TimeInForce.GTC and most in {1, 6},
            self_trade=MODES[most % len(MODES)],
            **self.extra(side, size, kind, more, most),
        )

    def extra(self, side, size, kind, more, most):
        return {"display": size / 2 if kind is OrderType.LIMIT and more == 8 and most % 5 in {0, 1} else None}

    def _cancel(self, user, symbol, side, size, price, more, most):
        orders = self.exchange.open_orders(user)
        if orders:
            order = orders[more % len(orders)]
            self.exchange.cancel(user, order.terms.symbol, order_id=order.id)

    def _amend(self, user, symbol, side, size, price, more, most):
        orders = self.exchange.open_orders(user)
        if orders:
            order = orders[more % len(orders)]
            less = order.size - self.exchange.listing(order.terms.symbol).step_size
            terms = AmendTerms(size=less, keep_place=True) if most % 2 else AmendTerms(size=size, price=price)
            self.exchange.amend(user, order.terms.symbol, terms, order_id=order.id)

    def _list(self, user, symbol, side, size, price, more, most):
        tick = self.exchange.listing(symbol).tick_size
        away = (1 + more) * tick * side.sign
        base = {"symbol": symbol, "side": side, "size": size}
        limit = OrderTerms(type=OrderType.LIMIT, price=price, **base)
        stop = OrderTerms(type=OrderType.STOP_LIMIT, price=price + 2 * away, stop_price=price + away, **base)
        market_stop = OrderTerms(type=OrderType.STOP, stop_price=price + away, **base)
        opposite = {"symbol": symbol, "side": side.opposite, "size": size}
        back = OrderTerms(type=OrderType.LIMIT, price=price + away, **opposite)
        stop_back = OrderTerms(type=OrderType.STOP, stop_price=price - away, **opposite)
        kinds = [
            ("oco", (limit, stop)),
            ("oco", (limit, market_stop)),
            ("oto", (limit, back)),
            ("oto", (limit, stop_back)),
            ("otoco", (limit, back, stop_back)),
        ]
        kind, orders = kinds[most % len(kinds)]
        self.exchange.place_list(user, ListTerms(kind=kind, symbol=symbol, orders=orders))

    def _level(self, user, symbol, side, size, price, more, most):
        self.exchange.set_level(symbol, side, price, size if more % 4 else D(0))

    def _trade(self, user, symbol, side, size, price, more, most):
        self.exchange.market_trade(symbol, side, size, price, takes=most % 3 > 0)

    def _later(self, user, symbol, side, size, price, more, most):
        self.exchange.clock.market.shift(more * 1_000_000_000)
        self.exchange.advance()

    def _move(self, user, symbol, side, size, price, more, most):
        listing = self.exchange.listing(symbol)
        asset = listing.base if more % 2 and listing.base in self.put_in else listing.settle
        amount = D(most + 1) * self.coin
        if side is BUY:
            self.exchange.deposit(user, asset, amount)
            self.put_in[asset] = self.put_in.get(asset, D(0)) + amount
        else:
            self.exchange.withdraw(user, asset, amount)
            self.put_in[asset] = self.put_in.get(asset, D(0)) - amount

    def _mark(self, user, symbol, side, size, price, more, most):
        """Do nothing: spot has no marks."""

    def _set(self, user, symbol, side, size, price, more, most):
        """Do nothing: spot has nothing to set."""


class FuturesDay(Day):
    """The same on futures."""

    def extra(self, side, size, kind, more, most):
        user_hedged = self.exchange.is_hedged(self.now)
        extra = {"trigger": PriceSource.MARK if more % 2 else PriceSource.LAST}
        if user_hedged:
            extra["position_side"] = "long" if (more + most) % 2 else "short"
        else:
            extra["reduce_only"] = most % 3 == 0
        return extra

    def do(self, what, user, *rest):
        self.now = self.users[user]
        super().do(what, user, *rest)

    def _mark(self, user, symbol, side, size, price, more, most):
        if more == 0:
            self.exchange.settle_funding(symbol, D(most - 5) / 1_000)
        else:
            # Marks swing further than trades do, so that margins end.
            self.exchange.set_mark(symbol, price + (most - 5) * price / 20)

    def _set(self, user, symbol, side, size, price, more, most):
        if more < 4:
            self.exchange.set_leverage(user, symbol, [1, 5, 20, 50][more])
        elif more < 6:
            self.exchange.set_margin_type(user, symbol, isolated=more == 4)
        elif more < 8:
            self.exchange.set_position_mode(user, hedged=more == 6)
        else:
            sides = ("long", "short") if self.exchange.is_hedged(user) else ("",)
            self.exchange.change_margin(user, symbol, D(most - 5) * self.coin, sides[most % len(sides)])
