"""An account in exact fractions: the slow twin of `cambist.portfolio.Portfolio`."""

from __future__ import annotations

from fractions import Fraction

import attrs

from cambist.model import Instrument

CASH = 100_000


def spot(symbol, **terms):
    return Instrument(symbol=symbol, settle="M", step_size="0.001", **terms)


KINDS = {
    "spot": spot,
    "spot lots": lambda symbol: spot(symbol, multiplier=100.0),
    "future": lambda symbol: spot(symbol, kind="future", multiplier=50.0, margin_rate=0.1),
    "linear": lambda symbol: spot(symbol, kind="linear_perpetual", multiplier=0.01, margin_rate=0.05),
    "inverse": lambda symbol: spot(symbol, kind="inverse_perpetual", multiplier=10.0, margin_rate=0.2),
}


@attrs.define
class Held:
    """One instrument in the reference account. Profit is counted as linear instruments do, `u` being the price,
    or as inverse ones do, `u` being minus one over the price."""

    instrument: Instrument
    size: Fraction = Fraction(0)
    entry: Fraction = Fraction(0)  # average u of what is open
    realized: Fraction = Fraction(0)
    trade: list | None = None

    def u(self, price):
        return -1 / price if self.instrument.is_inverse else price

    def profit(self, size, entry, leave):
        return size * Fraction(self.instrument.multiplier) * (leave - entry)

    def open_profit(self, price):
        return self.profit(self.size, self.entry, self.u(price))


class Reference:
    """The rules of an account, read from a textbook and computed without rounding."""

    def __init__(self, instruments):
        self.cash = Fraction(CASH)
        self.fees = Fraction(0)
        self.held = {instrument.symbol: Held(instrument) for instrument in instruments}
        self.nets = []  # of closed round trips
        self.sizes = []

    def fill(self, symbol, signed, price, fee):
        held = self.held[symbol]
        u = held.u(price)
        closing = Fraction(0)
        if held.size * signed < 0:
            closing = min(abs(signed), abs(held.size)) * (1 if signed > 0 else -1)
        opening = signed - closing
        profit = held.profit(-closing, held.entry, u)
        held.realized += profit
        share = fee * abs(closing) / abs(signed)
        if closing:
            held.trade[0] += profit - share
            held.size += closing
            if held.size == 0:
                self.nets.append(held.trade[0])
                self.sizes.append(held.trade[1])
                held.trade = None
        if opening:
            if held.trade is None:
                held.trade = [Fraction(0), Fraction(0)]
            held.entry = (held.size * held.entry + opening * u) / (held.size + opening)
            held.size += opening
            held.trade[0] -= fee - share
            held.trade[1] = max(held.trade[1], abs(held.size))
        self.fees += fee
        self.cash -= fee
        if held.instrument.is_cash:
            self.cash -= signed * Fraction(held.instrument.multiplier) * price
        else:
            self.cash += profit

    def worth(self, prices):
        """Return equity at the prices."""
        total = self.cash
        for symbol, held in self.held.items():
            if held.instrument.is_cash:
                total += held.size * Fraction(held.instrument.multiplier) * prices[symbol]
            else:
                total += held.open_profit(prices[symbol])
        return total
