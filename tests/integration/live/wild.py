"""A strategy that trades at random, with every kind of order, many times a second."""

from __future__ import annotations

from cambist import Strategy, param
from cambist.indicators import SMA
from cambist.model import OrderStatus, OrderType

MODIFIABLE = {OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED}


class Wild(Strategy):
    """Market, limit, stop, trailing and bracket orders, cancels and amendments; holds between nothing and ten sizes."""

    size: float = param(0.02)
    #: Between two acts, ns.
    every: int = param(60_000_000)
    #: Time to let orders rest, and for a test to end without new ones.
    quiet = False

    persistent = ("acts",)

    def on_start(self):
        self.acts = 0
        self.average = SMA(self.data.close, 2)
        self.set_timer("act", after=self.every)

    def on_timer(self, name):
        self.set_timer("act", after=self.every)
        if self.quiet:
            return
        self.acts += 1
        chance = self.chance
        chance.choice((self.enter, self.enter, self.leave, self.rest, self.rest, self.guard, self.pair, self.change))()
        if len(self.open_orders) > 12:
            self.cancel(chance.choice(self.open_orders))

    @property
    def price(self):
        return self.data.close[0]

    def near(self, least, most):
        """Return a price that is off by a share between two of the market's."""
        return round(self.price * (1 + self.chance.uniform(least, most)), 1)

    def enter(self):
        if self.position.size < 10 * self.size:
            self.buy(self.size)

    def leave(self):
        if self.sellable() >= self.size:
            self.sell(self.size)

    def rest(self):
        """Leave an order near the market, or further away."""
        if self.chance.random() < 0.6 or self.sellable() < self.size:
            self.buy(self.size, limit=self.near(-0.003, 0.0002))
        else:
            self.sell(self.size, limit=self.near(-0.0002, 0.003))

    def guard(self):
        """Protect a part of what is held."""
        if self.sellable() < self.size:
            return
        if self.chance.random() < 0.5:
            self.sell(self.size, stop=self.near(-0.004, -0.0005))
        else:
            self.sell(self.size, trail_percent=0.001)

    def pair(self):
        """Enter with an order that takes profit and one that limits the loss."""
        if self.position.size < 8 * self.size:
            self.buy_bracket(self.size, take_profit=self.near(0.001, 0.003), stop_loss=self.near(-0.003, -0.001))

    def change(self):
        """Change or withdraw an order that rests."""
        able = [one for one in self.open_orders if one.type is OrderType.LIMIT and one.status in MODIFIABLE]
        if not able:
            return
        order = self.chance.choice(able)
        if self.chance.random() < 0.5:
            self.cancel(order)
        else:
            self.modify(order, limit=self.near(-0.003, -0.0005) if order.is_buy else self.near(0.0005, 0.003))


class WildLists(Wild):
    """Trades above all what a venue can work as lists: brackets by every way in, pairs, other terms for their legs."""

    def on_timer(self, name):
        act = self.chance.choice((self.pair, self.pair, self.rest, self.guard, self.change, super().on_timer))
        if self.quiet or act == super().on_timer:
            super().on_timer(name)
            return
        self.set_timer("act", after=self.every)
        self.acts += 1
        act()
        if len(self.open_orders) > 12:
            self.cancel(self.chance.choice(self.open_orders))

    def pair(self):
        """Enter at the market, at a limit or beyond a stop; or close what is held by either of two."""
        away = {"take_profit": self.near(0.001, 0.003), "stop_loss": self.near(-0.003, -0.001)}
        way = self.chance.randrange(4)
        if way == 0 and self.sellable() >= self.size:
            stop = self.sell(self.size, stop=self.near(-0.003, -0.001), reduce_only=True)
            self.sell(self.size, limit=self.near(0.001, 0.003), oco=stop, reduce_only=True)
        elif self.position.size < 8 * self.size:
            entry = {1: {"limit": self.near(-0.0008, -0.0001)}, 2: {"stop": self.near(0.0001, 0.0008)}}.get(way, {})
            self.buy_bracket(self.size, **entry, **away)

    def change(self):
        """Change or withdraw any order that rests."""
        able = [one for one in self.open_orders if one.status in MODIFIABLE and one.trail is None]
        if not able:
            return
        order = self.chance.choice(able)
        if self.chance.random() < 0.4:
            self.cancel(order)
        elif order.type is OrderType.LIMIT:
            self.modify(order, limit=self.near(-0.003, -0.0005) if order.is_buy else self.near(0.0005, 0.003))
        elif order.type is OrderType.STOP:
            self.modify(order, stop=self.near(0.0005, 0.003) if order.is_buy else self.near(-0.003, -0.0005))
