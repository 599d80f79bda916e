"""What holds on futures whatever users and the market do."""

from __future__ import annotations

from collections import Counter, defaultdict
from fractions import Fraction

import pytest
from exchange_cases import BUY, SELL, D, brackets, futures, inverse_listing, linear_listing, quote, user
from hypothesis import given, settings
from hypothesis import strategies as st
from random_days import FuturesDay, days

from cambist_simulator.exchange.futures_ledger import FEES, INSURANCE, ROUNDING
from cambist_simulator.exchange.market_book import MARKET
from cambist_simulator.exchange.orders import OPEN, Status

ZERO = D(0)
LINEAR_TIERS = [(50, "0.02", 50, 0), (200, "0.04", 20, 1), (10**9, "0.1", 5, 13)]
COIN_TIERS = [("0.5", "0.02", 50, 0), (2, "0.04", 20, "0.01"), (10**6, "0.1", 5, "0.13")]


def a_day(inverse):
    if inverse:
        rules = {"tick_size": D("0.1"), "contract_size": D(10), "brackets": brackets(COIN_TIERS)}
        listing = inverse_listing(liquidation_fee=D("0.01"), **rules)
        money, asset = "0.06", "BTC"
    else:
        rules = {"tick_size": D("0.1"), "step_size": D("0.1"), "brackets": brackets(LINEAR_TIERS)}
        listing = linear_listing(liquidation_fee=D("0.01"), max_conditional_orders=20, **rules)
        money, asset = "6", "USDT"
    exchange = futures(listing)
    users = [user(exchange, name, **{asset: money}) for name in ("ann", "bob", "cid")]
    exchange.set_position_mode(users[2], hedged=True)
    day = FuturesDay(exchange, users)
    day.put_in = {asset: 3 * D(money)}
    day.coin = D("0.01") if inverse else D(1)
    quote(exchange, listing.symbol, middle="100", levels=4, size="0.4" if not inverse else "4")
    exchange.set_mark(listing.symbol, D(100))
    return day


class Account:
    """A position in exact fractions, from executions alone."""

    def __init__(self, listing):
        self.listing, self.inverse = listing, listing.settle == listing.base
        self.size = self.entry = self.profit = Fraction(0)  # entry: average price, or average of one over it

    def u(self, price):
        return -1 / Fraction(price) if self.inverse else Fraction(price)

    def trade(self, signed, price):
        signed, u = Fraction(signed), self.u(price)
        if self.size * signed < 0:
            closing = min(abs(signed), abs(self.size)) * (1 if signed > 0 else -1)
            self.profit += -closing * (u - self.entry) * Fraction(self.listing.contract_size)
            self.size += closing
            signed -= closing
        if signed:
            self.entry = (self.size * self.entry + signed * u) / (self.size + signed)
            self.size += signed


def check_money(day):
    ledger, total = day.exchange._futures.ledger, defaultdict(lambda: ZERO)
    sizes = defaultdict(lambda: ZERO)
    for owner in {*ledger.owners(), MARKET, FEES, INSURANCE, ROUNDING}:
        for asset, balance in ledger.wallets(owner).items():
            total[asset] += balance
        for one in ledger.holdings(owner):
            total[day.exchange.listing(one.symbol).settle] -= one.cost
            sizes[one.symbol] += one.size
            if not one.size:
                assert one.cost == one.isolated_wallet == 0
    assert dict(total) == day.put_in
    assert not any(sizes.values())


def check_positions(day):
    exchange = day.exchange
    for who in day.users:
        for symbol in day.symbols:
            listing = exchange.listing(symbol)
            accounts = defaultdict(lambda listing=listing: Account(listing))
            count = 0
            for one in exchange.executions(who, symbol):
                accounts[one.position_side].trade(one.size if one.side is BUY else -one.size, one.price)
                count += 1
            for side, account in accounts.items():
                held = exchange._futures.ledger.holding(who.id, symbol, side)
                assert held.size == account.size
                # Every payment is rounded to 8 decimals, and carries the rounding of the one before.
                assert float(held.realized) == pytest.approx(float(account.profit), abs=2e-8 * (count + 1))
                if held.size:
                    cost = account.size * account.entry * Fraction(listing.contract_size)
                    assert float(held.cost) == pytest.approx(float(cost), abs=1e-14 * (count + 1) + 1e-12)


def check_orders(day):
    exchange, ledger = day.exchange, day.exchange._futures.ledger
    for who in day.users:
        counted = {BUY: ZERO, SELL: ZERO}
        hedged = exchange.is_hedged(who)
        for order in exchange.orders(who):
            assert order.filled == sum((one.size for one in order.executions), ZERO)
            assert order.quote_filled == sum((one.quote for one in order.executions), ZERO)
            assert (order.status in OPEN) == (order in exchange.open_orders(who))
            if not order.open or order.conditional:
                continue
            held = ledger.holding(who.id, order.terms.symbol, order.terms.position_side).size
            closes = hedged and (order.terms.position_side == "long") != (order.terms.side is BUY)
            if closes or order.terms.reduce_only:
                assert held * order.terms.side.sign < 0
                assert order.left <= abs(held)
            else:
                worth = order.left * exchange.listing(order.terms.symbol).contract_size
                price = order.assumed_price
                counted[order.terms.side] += (
                    worth * price if exchange.segment == "linear" else (worth / price).quantize(D("1e-16"))
                )
        for symbol in day.symbols:
            exposure = ledger.exposure(who.id, symbol)
            assert (exposure.bids, exposure.asks) == (counted[BUY], counted[SELL])
        for one in exchange.positions(who):
            assert hedged == bool(one.position_side)
            assert one.position_side != "long" or one.size > 0
            assert one.position_side != "short" or one.size < 0


@pytest.mark.parametrize("inverse", [False, True], ids=["linear", "inverse"])
def test_money_positions_and_orders(inverse):
    @settings(max_examples=120)
    @given(days)
    def hold(steps):
        day = a_day(inverse)
        for one in steps:
            day.do(*one)
            check_money(day)
            check_orders(day)
            for symbol in day.symbols:
                book = day.exchange.book(symbol)
                assert book.best_bid is None or book.best_ask is None or book.best_bid < book.best_ask
        check_positions(day)

    hold()


@pytest.mark.parametrize("inverse", [False, True], ids=["linear", "inverse"])
def test_nobody_is_left_below_maintenance_or_owing(inverse):
    """After each move, an account has more than the maintenance margin, or no cross position."""

    @settings(max_examples=80)
    @given(days)
    def hold(steps):
        day = a_day(inverse)
        asset = next(iter(day.put_in))
        for one in steps:
            day.do(*one)
            for who in day.users:
                balance, least = day.exchange._futures.margin.state(who.id, asset)
                assert balance > least or (least == 0 and balance >= 0)
                for held in day.exchange.positions(who):
                    assert not held.isolated or held.isolated_margin > held.maintenance

    hold()


@settings(max_examples=40)
@given(days, days, st.booleans())
def test_a_restored_exchange_goes_on_as_if_it_had_not_stopped(before, after, inverse):
    day, twin = a_day(inverse), a_day(inverse)
    day.run(before)
    twin.exchange.restore(day.exchange.save())
    twin.exchange.clock.market.step_to(day.exchange.clock.market.now())
    events, same = [], []
    day.exchange.listen(events.append)
    twin.exchange.listen(same.append)
    day.run(after)
    twin.run(after)
    assert repr(same) == repr(events)
    for one, other in zip(day.users, twin.users, strict=True):
        assert repr(twin.exchange.orders(other)) == repr(day.exchange.orders(one))
        assert twin.exchange.positions(other) == day.exchange.positions(one)
        assert twin.exchange.wallets(other) == day.exchange.wallets(one)


def test_random_days_reach_what_they_are_for():
    reached, reasons = Counter(), set()

    @settings(max_examples=150, database=None)
    @given(days)
    def look(steps):
        day = a_day(inverse=False)
        day.exchange.listen(lambda event: reached.update([type(event).__name__, str(getattr(event, "what", ""))]))
        day.run(steps)
        reasons.update(str(one.why) for one in day.refused)
        for who in day.users:
            for order in day.exchange.orders(who):
                reached[str(order.status)] += 1
                reached[order.system] += bool(order.filled)
                reached[order.reason] += 1
                reached["child"] += bool(order.child_id)
                reached["hedged"] += bool(order.terms.position_side and order.filled)

    look()
    for what in ("liquidation", "child", "hedged", "triggered", "calculated", "reduce_only", "expired"):
        assert reached[what], what
    assert reached[str(Status.TRIGGERED)]
    assert {"insufficient_margin", "max_position", "reduce_only", "has_orders", "has_position"} <= reasons


@settings(max_examples=40)
@given(days, st.booleans())
def test_what_is_refused_changes_nothing(steps, inverse):
    day = a_day(inverse)
    exchange = day.exchange

    def stands():
        ledger = exchange._futures.ledger
        return repr(
            [
                [
                    exchange.orders(who),
                    exchange.positions(who, empty=True),
                    exchange.wallets(who),
                    exchange.is_hedged(who),
                ]
                + [ledger.exposure(who.id, symbol) for symbol in day.symbols]
                for who in day.users
            ]
        )

    for one in steps:
        before, refusals = stands(), len(day.refused)
        day.do(*one)
        if len(day.refused) > refusals:
            assert stands() == before
