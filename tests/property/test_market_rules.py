"""Random trading in a market of A shares, held against the rules by a second reckoning from fills and bars alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import ROUND_HALF_UP, Decimal
from random import Random

import pandas as pd
import pytest

import cambist
from cambist import Instrument, weekly_calendar
from cambist.simulation import a_shares
from cambist.strategies import AllIn, PercentOfEquity

X = Instrument(symbol="X", kind="equity", step_size=1, tick_size="0.01")
CENT = Decimal("0.01")
RATES = {"main": Decimal("0.1"), "star": Decimal("0.2"), "bse": Decimal("0.3")}
CHINA = weekly_calendar("china", "9:30-11:30, 13:00-15:00", tz="Asia/Shanghai", start="2024-03-01", end="2024-05-01")


class Anything(cambist.Strategy):
    """Sends any order at any moment, and looks at what it may sell."""

    def on_start(self):
        self.looks, self.fills = [], 0
        type(self).seen = self.looks

    def on_bar(self, bar):
        self.looks.append((self.now, self.position.size, self.sellable(), self.fills))
        for _ in range(self.chance.choice((0, 1, 1, 2))):
            self.act(bar.close)

    def on_fill(self, fill):
        self.fills += 1
        if self.chance.random() < 0.4:
            self.act(fill.price)

    def act(self, price):
        chance = self.chance
        size = chance.choice((50, 100, 137, 200, 300, 1_000))
        near = round(price * (1.0 + chance.uniform(-0.12, 0.12)), 2)
        tif = chance.choice(("gtc", "gtc", "day", "ioc", "fok"))
        kind = chance.randrange(10)
        if kind < 2:
            self.buy(size, time_in_force=tif)
        elif kind < 4:
            self.buy(size, limit=near, time_in_force=tif)
        elif kind == 4:
            self.buy(chance.choice((AllIn(), PercentOfEquity(0.3))))
        elif kind == 5:
            self.order_target_percent(chance.choice((0.0, 0.3, 0.9)))
        elif kind == 6:
            self.sell(chance.choice((size, self.sellable() or size)), time_in_force=tif)
        elif kind == 7 and near < price:
            self.buy_bracket(100, stop_loss=near)
        elif kind == 8:
            self.sell(size, stop=round(price * 0.98, 2))
        else:
            self.close()


def market(seed: int, board: str) -> pd.DataFrame:
    """Bars of half an hour over twenty sessions; prices wander to their limits, stay there, and sometimes beyond."""
    chance = Random(seed)
    rate = float(RATES[board])
    rows, price = [], 10.0
    for day in pd.bdate_range("2024-03-04", periods=20, tz="Asia/Shanghai"):
        reference, locked = price, chance.random() < 0.25
        wall = round(reference * (1.0 + rate * chance.choice((-1, 1))) + 1e-9, 2)
        starts = [*range(570, 690, 30), *range(780, 900, 30)]
        for minute in starts:
            if locked and chance.random() < 0.7:
                low = high = open_ = close = wall
            else:
                open_, close = (round(price * (1.0 + chance.gauss(0.0, rate / 4)), 2) for _ in range(2))
                reach = abs(chance.gauss(0.0, rate / 6))
                high, low = round(max(open_, close) * (1.0 + reach), 2), round(min(open_, close) * (1.0 - reach), 2)
            price = close
            rows.append((day + pd.Timedelta(minutes=minute), open_, high, low, close, chance.choice((400.0, 5_000.0))))
    frame = pd.DataFrame(rows, columns=["ts", "open", "high", "low", "close", "volume"]).set_index("ts")
    return frame.tz_convert("UTC")


def limits(frame: pd.DataFrame, rate: Decimal) -> dict[str, tuple[Decimal, Decimal]]:
    """Return the limits of each day but the first, from the closes of the days before."""
    closes = frame["close"].groupby(frame.index.date).last()
    found = {}
    for day, reference in zip(closes.index[1:], closes.iloc[:-1], strict=True):
        exact = Decimal(str(reference))
        low, high = ((exact * (1 + sign * rate)).quantize(CENT, ROUND_HALF_UP) for sign in (-1, 1))
        found[str(day)] = low, high
    return found


@pytest.mark.parametrize("calendar", [None, CHINA])
@pytest.mark.parametrize("board", ["main", "star", "bse"])
@pytest.mark.parametrize("first", range(0, 30, 10))
def test_no_fill_breaks_a_rule(first, board, calendar):
    seen = Counter()
    for seed in range(first, first + 10):
        frame = market(seed, board)
        options = {"slippage": 0.004} if seed % 2 else {"volume_limit": 0.2, "path": "pessimistic"}
        strategy = type("Now", (Anything,), {})
        result = cambist.backtest(
            strategy, frame, instrument=X, market_rules=a_shares(board), calendar=calendar, cash=50_000, seed=seed,
            benchmark=False, fees=0.0003, **options,
        )  # fmt: skip
        seen.update(order.reason.partition(":")[0] for order in result.order_records)
        check_holdings(result, strategy.seen, by_session=calendar is not None)
        check_sizes(result, board)
        check_prices(result, limits(frame, RATES[board]), exact=bool(seed % 2 == 0))
        seen["fills"] += len(result.fill_records)
    assert seen["fills"] > 300
    assert {"lot_size", "not_sellable_today", "short_not_allowed", "price_limit"} <= set(seen)


def day_of(ts: int) -> str:
    return str(pd.Timestamp(ts, tz="UTC").date())


def check_holdings(result, looks, *, by_session):
    """Nothing is held short, no day sells more than it began with, and the strategy is told as much."""
    held, began, sold = 0.0, {}, defaultdict(float)
    times = []
    for fill in result.fill_records:
        day = day_of(fill.ts)  # no bar of these sessions reaches over midnight UTC
        began.setdefault(day, held)
        signed = fill.size if fill.side == "buy" else -fill.size
        held += signed
        sold[day] += max(0.0, -signed)
        times.append((fill.ts, signed))
        assert held >= 0.0
        assert sold[day] <= began[day]
    for now, size, sellable, fills in looks:
        session_over = by_session and pd.Timestamp(now, tz="UTC").hour >= 7  # 15:00 in Shanghai
        if session_over:
            assert sellable == size
            continue
        today = day_of(now)
        bought = sum(signed for ts, signed in times[:fills] if day_of(ts) == today and signed > 0.0)
        assert sellable == size - bought


def check_sizes(result, board):
    """What the market took is for lots, whatever a bar's volume made of it."""
    for order in result.order_records:
        if order.side == "buy" and order.accepted:
            assert order.size >= {"main": 100, "star": 200, "bse": 100}[board]
            assert board != "main" or (order.size % 100 == 0 and order.filled % 100 == 0)


def check_prices(result, allowed, *, exact):
    for fill in result.fill_records:
        low, high = allowed.get(day_of(fill.ts), (Decimal(0), Decimal("Infinity")))
        price = Decimal(str(fill.price)) if exact else Decimal(fill.price)
        assert low - CENT / 1000 <= price <= high + CENT / 1000, (fill, low, high)
        assert price < high if fill.side == "buy" else price > low
