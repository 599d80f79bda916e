"""Strategies for the checks: some know the future, each in its own way; others look as if they might, and do not."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cambist import Strategy, param
from cambist.indicators import EMA, OBV, RSI, SMA, crossover, indicator

N = 600


def frame(n=N, seed=1, freq="1h", start="2024-01-01"):
    """Return a random walk of bars, each opening where the last one closed."""
    chance = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(chance.normal(0, 0.01, n)))
    opened = np.r_[100.0, close[:-1]]
    spread = 1 + chance.uniform(0.0005, 0.01, n)
    index = pd.date_range(start, periods=n, freq=freq, tz="UTC")
    high, low = np.maximum(opened, close) * spread, np.minimum(opened, close) / spread
    volume = chance.uniform(1, 10, n)
    return pd.DataFrame({"open": opened, "high": high, "low": low, "close": close, "volume": volume}, index=index)


class Trend(Strategy):
    """Trades a line of `line()` around a level."""

    level = 0.0

    def on_start(self):
        self.signal = self.line()

    def on_bar(self, bar):
        if self.signal[0] > self.level and not self.position.size:
            self.buy()
        elif self.signal[0] < self.level and self.position.size:
            self.close()


# Knowing the future by an indicator.


def late(function, after):
    """Make an indicator that is honest for its first rows, where every run looks for itself, and `function` later."""

    @indicator(lookback=0)
    def known(values):
        honest = np.cumsum(values) / np.arange(1, len(values) + 1)
        made = values - honest
        made[after:] = function(values)[after:]
        return made

    return known


def centered_mean(values):
    padded = np.pad(values, 2, mode="edge")
    return values - np.convolve(padded, np.ones(5) / 5, mode="valid")


def next_change(values):
    return np.append(np.diff(values), 0.0)


def normalized(values):
    return (values - values.mean()) / (values.std() + 1e-9)


class CenteredMean(Trend):
    def line(self):
        return late(centered_mean, 150)(self.data.close)


class ShiftedBack(Trend):
    def line(self):
        return late(next_change, 150)(self.data.close)


class WholeColumnNormalized(Trend):
    def line(self):
        return late(normalized, 150)(self.data.close)


# Knowing the future by a table of one's own; `make(frame)` gives the class its table.


class NextBar(Strategy):
    """Buys where the next bar rises."""

    table = None

    def on_bar(self, bar):
        row = self.table.index.searchsorted(bar.time) + 1
        rises = row < len(self.table) and self.table.close.iloc[row] > bar.close
        if rises != bool(self.position.size):
            self.order_target_size(1 if rises else 0)


class NextBarUnguarded(Strategy):
    """Reads the next row, and fails where there is none."""

    table = None

    def on_bar(self, bar):
        row = self.table.index.searchsorted(bar.time)
        if row < N - 1:  # of all rows that there ever were
            self.order_target_size(1 if self.table.close.iloc[row + 1] > bar.close else 0)


class ArrayOfCloses(Strategy):
    """Looks one ahead in an array that goes by the bars."""

    closes = None

    def on_start(self):
        self.at = -1

    def on_bar(self, bar):
        self.at += 1
        ahead = min(self.at + 1, len(self.closes) - 1)
        self.record_signal("ahead", self.closes[ahead])


class HourBeforeItsClose(Strategy):
    """Makes hours of minutes by hand, and looks at the hour that is still going on."""

    table = None

    def on_start(self):
        self.hours = self.table.close.resample("1h").last()

    def on_bar(self, bar):
        hour = self.hours[self.hours.index <= bar.time].iloc[-1]
        self.order_target_size(1 if hour > bar.close else 0)


class HourThatIsOver(Strategy):
    """The same with the last hour that is over."""

    table = None

    def on_start(self):
        self.hours = self.table.close.resample("1h").last()

    def on_bar(self, bar):
        over = self.hours[self.hours.index + pd.Timedelta("1h") <= self.time]
        self.order_target_size(1 if len(over) and over.iloc[-1] > bar.close else 0)


class TodaysHigh(Strategy):
    """Sends an order at the open with today's high as its limit."""

    table = None

    def on_open(self, series, price):
        row = self.table[self.table.index == self.time]
        if self.position.size:
            self.sell(limit=float(row.high.iloc[0]) if len(row) else price * 2)
        else:
            self.buy()


class YesterdaysHigh(Strategy):
    """The same with what is known at the open."""

    table = None

    def on_open(self, series, price):
        row = self.table[self.table.index < self.time]
        if self.position.size:
            self.sell(limit=float(row.high.iloc[-1]))
        else:
            self.buy()


# Knowing no more than they may.


class KeepsState(Strategy):
    """An average of its own, a count and a list, all in attributes."""

    span: int = param(10)

    def on_start(self):
        self.mean, self.seen, self.past = None, 0, []

    def on_bar(self, bar):
        self.seen += 1
        self.past.append(bar.close)
        self.mean = bar.close if self.mean is None else self.mean + (bar.close - self.mean) / self.span
        self.record_signal("mean", self.mean)
        if self.seen % 7 == 0:
            self.order_target_size(1 if bar.close > sum(self.past[-20:]) / len(self.past[-20:]) else 0)


class Brackets(Strategy):
    def on_start(self):
        self.cross = crossover(EMA(self.data.close, 5), EMA(self.data.close, 20))

    def on_bar(self, bar):
        if self.cross[0] and not self.position.size and not self.open_orders:
            close = bar.close
            self.buy_bracket(limit=close * 0.999, stop_loss=close * 0.98, take_profit=close * 1.03)
        elif self.cross[0] < 0:
            for order in self.open_orders:
                if not self.position.size:
                    self.cancel(order)

    def on_fill(self, fill):
        self.record_signal("filled", fill.price)


class Several(Strategy):
    """Holds the instrument that rose most."""

    def on_start(self):
        self.changes = {one.symbol: one.close / one.close(-20) for one in self.data}

    def on_step(self):
        known = {symbol: line[0] for symbol, line in self.changes.items() if line[0] == line[0]}
        if len(known) == len(self.changes):
            best = max(known, key=known.get)
            for symbol in known:
                self.order_target_percent(50 if symbol == best else 0, data=symbol)


class ByChance(Strategy):
    """Takes its chance from the run."""

    def on_bar(self, bar):
        self.order_target_size(1 if self.chance.random() > 0.5 else 0)


class Lines(Strategy):
    """A window, a recursion that forgets, one that is over many bars, and a sum that never forgets."""

    def on_start(self):
        self.window = SMA(self.data.close, 10)
        self.recursive = EMA(self.data.close, 10)
        self.slow = RSI(self.data.close, 14)
        self.endless = OBV(self.data)

    def on_bar(self, bar):
        pass
