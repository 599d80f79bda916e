"""What holds on spot whatever users and the market do."""

from __future__ import annotations

from collections import Counter

from exchange_cases import D, quote, spot, spot_listing, user
from hypothesis import given, settings
from hypothesis import strategies as st
from random_days import BUY, SELL, Day, days

from cambist.model import OrderType
from cambist_simulator.exchange.events import BookChanged, OrderChanged, Traded
from cambist_simulator.exchange.orders import OPEN, Status

ZERO = D(0)
FEE = {"maker_fee": D("0.001"), "taker_fee": D("0.002")}


def a_day(seed=0, **options):
    """Two markets of which one pays in what the other trades, and three users, one of whom pays fees in BNB."""
    listings = [
        spot_listing(symbol="BTCUSDT", tick_size=D("0.1"), step_size=D("0.01"), max_conditional_orders=None, **FEE),
        spot_listing(
            symbol="ETHBTC",
            base="ETH",
            quote="BTC",
            settle="BTC",
            tick_size=D("0.001"),
            step_size=D("0.1"),
            max_amends=3,
            **FEE,
        ),
        spot_listing(symbol="BNBUSDT", base="BNB", tick_size=D("0.1"), step_size=D("0.01"), **FEE),
    ]
    exchange = spot(*listings, levels=0, seed=seed, **options)
    money = {"USDT": 40, "BTC": 1, "ETH": 5, "BNB": 1}
    users = [user(exchange, name, **money) for name in ("ann", "bob", "cid")]
    users[2].fee_asset = "BNB"
    day = Day(exchange, users)
    day.put_in = {asset: D(3 * amount) for asset, amount in money.items()}
    for symbol in exchange.listings:
        quote(exchange, symbol, middle=1_000 * exchange.listing(symbol).tick_size, levels=3, size="0.1")
    return day


def locked(order, exchange, caps):
    """Return what an open order locks by the rules of the documentation."""
    if order.status is Status.PENDING:
        return ZERO
    if order.terms.side is SELL:
        return order.left
    if order.price is not None:
        return order.price * order.left
    if order.stop_price is not None and order.terms.trail is None:
        return order.stop_price * order.left
    return caps


def check_money(day):
    exchange = day.exchange
    ledger = exchange._spot.ledger
    total = Counter()
    for owner in ledger.owners():
        for asset, balance in ledger.balances(owner).items():
            total[asset] += balance.free + balance.locked
            if owner:
                assert balance.free >= 0, (owner, asset)
                assert balance.locked >= 0, (owner, asset)
    assert dict(total) == day.put_in
    for who in day.users:
        expected = Counter()
        shared = {}
        for order in exchange.open_orders(who):
            listing = exchange.listing(order.terms.symbol)
            asset = listing.quote if order.terms.side is BUY else listing.base
            if order.terms.side is BUY and order.price is None and order.terms.trail is not None:
                continue
            need = locked(order, exchange, None)
            if order.shares_hold:
                key = (order.list_id, asset)
                shared[key] = max(shared.get(key, ZERO), need)
            else:
                expected[asset] += need
        for (_, asset), need in shared.items():
            expected[asset] += need
        assert {asset: one.locked for asset, one in exchange.balances(who).items() if one.locked} == {
            asset: need for asset, need in expected.items() if need
        }


def check_orders(day):
    exchange = day.exchange
    for who in day.users:
        for order in exchange.orders(who):
            assert order.filled == sum((one.size for one in order.executions), ZERO)
            assert order.quote_filled == sum((one.quote for one in order.executions), ZERO)
            assert order.quote_filled == order.price_filled
            assert order.left >= 0
            assert (order.status in OPEN) == (order in exchange.open_orders(who))
            # What self-trade prevention took off may leave a filled order below its size.
            done = order.filled > 0 and order.left == 0
            assert (order.status is Status.FILLED) == (done and order.status is not Status.EXPIRED_IN_MATCH)
            for one in order.executions:
                if order.price is not None and not order.amends:
                    assert (one.price - order.price) * order.terms.side.sign <= 0
        for symbol in day.symbols:
            kept = exchange.executions(who, symbol)
            assert [one.trade_id for one in kept] == sorted(one.trade_id for one in kept)


def check_book(exchange, symbol):
    book = exchange.book(symbol)
    assert book.best_bid is None or book.best_ask is None or book.best_bid < book.best_ask
    depth = book.depth()
    for side, levels in ((BUY, depth.bids), (SELL, depth.asks)):
        shown = Counter()
        for resting in book.matcher.orders(side):
            if resting.order.owner:
                shown[resting.price * book.tick] += resting.displayed * book.step
        for price, size in levels:
            ticks = book.ticks(price)
            assert size == shown[price] + book.market_lots(side, ticks) * book.step > 0
        assert set(shown) <= {price for price, _ in levels}
        # Prices without a user's order cost nothing.
        assert {ticks * book.tick for ticks in book._lines[side]} == set(shown)


def stands(day):
    """Return all that users and the market can see of an exchange."""
    exchange = day.exchange
    return repr(
        [
            [exchange.orders(who), exchange.order_lists(who), exchange.balances(who)]
            + [exchange.executions(who, symbol) for symbol in day.symbols]
            for who in day.users
        ]
        + [[exchange.book(symbol).depth(), exchange.market(symbol).listing] for symbol in day.symbols]
    )


@settings(max_examples=150)
@given(days)
def test_money_orders_and_books(steps):
    day = a_day()
    for one in steps:
        day.do(*one)
        check_money(day)
        for symbol in day.symbols:
            check_book(day.exchange, symbol)
    check_orders(day)


@settings(max_examples=60)
@given(days, st.integers(0, 39))
def test_what_is_told_is_what_is(steps, often):
    """Whoever keeps books from changes and orders from events has what the exchange has."""
    day = a_day()
    books, orders, printed, last_ids = {}, {}, Counter(), {}

    def hear(event):
        if isinstance(event, BookChanged):
            assert event.previous_id == last_ids.get(event.symbol, event.previous_id)
            assert event.first_id == event.previous_id + 1 <= event.last_id
            last_ids[event.symbol] = event.last_id
            for side, levels in ((BUY, event.bids), (SELL, event.asks)):
                for price, size in levels:
                    books[event.symbol, side, price] = size
        elif isinstance(event, OrderChanged):
            before = orders.get(event.order.id)
            assert before is None or before.open or before is event.order
            orders[event.order.id] = event.order
            if event.execution is not None:
                assert event.order.executions[-1] == event.execution
        elif isinstance(event, Traded):
            printed[event.symbol] += 1
            assert event.id == printed[event.symbol]

    day.exchange.flush()
    for symbol in day.symbols:
        depth = day.exchange.book(symbol).depth()
        books |= {(symbol, BUY, price): size for price, size in depth.bids}
        books |= {(symbol, SELL, price): size for price, size in depth.asks}
    day.exchange.listen(hear)
    for number, one in enumerate(steps):
        day.do(*one)
        if number % (often + 1) == 0:
            day.exchange.flush()
    day.exchange.flush()
    for symbol in day.symbols:
        depth = day.exchange.book(symbol).depth()
        for side, levels in ((BUY, depth.bids), (SELL, depth.asks)):
            kept = {price: size for (name, way, price), size in books.items() if (name, way) == (symbol, side) and size}
            assert kept == dict(levels)
    for who in day.users:
        for order in day.exchange.orders(who):
            told = orders[order.id]
            assert (told.status, told.filled, told.size, told.price) == (
                order.status,
                order.filled,
                order.size,
                order.price,
            )


@settings(max_examples=60)
@given(days, days)
def test_a_restored_exchange_goes_on_as_if_it_had_not_stopped(before, after):
    day, twin = a_day(), a_day()
    day.run(before)
    twin.exchange.restore(day.exchange.save())
    twin.exchange.clock.market.step_to(day.exchange.clock.market.now())
    assert stands(twin) == stands(day)
    events, same = [], []
    day.exchange.listen(events.append)
    twin.exchange.listen(same.append)
    day.run(after)
    twin.run(after)
    assert repr(same) == repr(events)
    assert stands(twin) == stands(day)


@settings(max_examples=40)
@given(days)
def test_the_same_day_twice_is_the_same(steps):
    told = []
    for _ in range(2):
        day = a_day(seed=7)
        events = []
        day.exchange.listen(events.append)
        day.run(steps)
        day.exchange.flush()
        told.append(repr(events))
    assert told[0] == told[1]


def test_random_days_reach_what_they_are_for():
    """The days above trade, set off stops, end lists, prevent self-trades and are refused for many reasons."""
    reached, reasons = Counter(), set()

    @settings(max_examples=150, database=None)
    @given(days)
    def look(steps):
        day = a_day()
        day.exchange.listen(lambda event: reached.update([(type(event).__name__, str(getattr(event, "what", "")))]))
        day.run(steps)
        reasons.update(str(one.why) for one in day.refused)
        for who in day.users:
            reached.update(str(one.status) for one in day.exchange.orders(who))
            reached.update(one.kind for one in day.exchange.order_lists(who) if one.status == "all_done")
            kinds = (one.terms.type for one in day.exchange.orders(who) if one.filled)
            reached.update(str(one) for one in kinds)

    look()
    for what in ("new", "trade", "canceled", "expired", "replaced", "triggered", "trade_prevention"):
        assert reached["OrderChanged", what], what
    for status in Status:
        if status not in {Status.TRIGGERED, Status.REJECTED}:
            assert reached[str(status)], status
    assert reached["oco"] and reached["oto"] and reached["otoco"]  # noqa: PT018
    for kind in (OrderType.LIMIT, OrderType.MARKET, OrderType.STOP, OrderType.STOP_LIMIT):
        assert reached[str(kind)], kind
    assert {"insufficient_funds", "would_take", "would_trigger", "cannot_amend"} <= reasons


@settings(max_examples=40)
@given(days)
def test_what_is_refused_changes_nothing(steps):
    day = a_day()
    events = []
    for one in steps:
        before, refusals = stands(day), len(day.refused)
        day.exchange.listen(events.append)
        day.do(*one)
        day.exchange.unlisten(events.append)
        if len(day.refused) > refusals:
            assert stands(day) == before
            assert events == []
        events.clear()
