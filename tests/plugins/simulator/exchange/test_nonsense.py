"""Whatever numbers a request holds, it is done or refused, and money stays what it was."""

from __future__ import annotations

from contextlib import suppress

from exchange_cases import BTC, D, futures, linear_listing, quote, spot, spot_listing, user
from hypothesis import given, settings
from hypothesis import strategies as st

from cambist.model import OrderType, Side, TimeInForce
from cambist.simulation import SelfTrade
from cambist_simulator.exchange.errors import RefusedError, Why
from cambist_simulator.exchange.orders import AmendTerms, ListTerms, OrderTerms, PriceSource

RULES = {
    "min_price": D("0.01"),
    "max_price": D(10) ** 9,
    "min_size": D("0.001"),
    "min_notional": D(1),
    "up_multiplier": (D(5), D(5)),
    "down_multiplier": (D("0.2"), D("0.2")),
    "max_iceberg_parts": 10,
    "max_position": D(10) ** 9,
    "trailing_range": (D("0.001"), D("0.5")),
    "max_amends": 5,
}


def records(made, **fields):
    return st.fixed_dictionaries(fields).map(lambda given: made(**given))


anything = st.one_of(
    st.none(),
    st.decimals(),
    st.decimals(min_value=0, max_value=200, places=2),
    st.sampled_from([D(1), D("99.9"), D("100.1"), D(0), D(-1), D("1e-30"), D("1e30"), D("1e999999"), D("-Infinity")]),
)
number = st.one_of(st.decimals(), st.sampled_from([D(1), D(99), D("0.5"), D("1e999999")]))
order = records(
    OrderTerms,
    symbol=st.sampled_from([BTC, BTC, BTC, "", "\N{PILE OF POO}"]),
    side=st.sampled_from(Side),
    type=st.sampled_from(OrderType),
    size=anything,
    quote_size=st.one_of(st.none(), anything),
    price=anything,
    stop_price=anything,
    trail=st.one_of(st.none(), anything),
    trigger=st.sampled_from(PriceSource),
    time_in_force=st.sampled_from(TimeInForce),
    expires_at=st.integers(),
    post_only=st.booleans(),
    reduce_only=st.booleans(),
    close_position=st.booleans(),
    position_side=st.sampled_from(["", "", "long", "short", "both"]),
    display=st.one_of(st.none(), anything),
    self_trade=st.one_of(st.none(), st.sampled_from(SelfTrade)),
    client_id=st.text(max_size=5),
)
#: Orders that are likelier to be taken.
likely = records(
    OrderTerms,
    symbol=st.just(BTC),
    side=st.sampled_from(Side),
    type=st.sampled_from([OrderType.LIMIT, OrderType.MARKET]),
    size=st.decimals(min_value=0, max_value=5, places=3),
    price=st.one_of(st.none(), st.decimals(min_value=95, max_value=105, places=1)),
)
requests = st.lists(
    st.one_of(
        order,
        likely,
        records(AmendTerms, size=anything, price=anything, keep_place=st.booleans(), client_id=st.text(max_size=5)),
        records(
            ListTerms,
            kind=st.sampled_from(["oco", "oto", "otoco", ""]),
            symbol=st.just(BTC),
            orders=st.lists(st.one_of(order, likely), max_size=3).map(tuple),
        ),
    ),
    min_size=3,
    max_size=15,
)


def ask(exchange, who, request):
    try:
        if isinstance(request, OrderTerms):
            exchange.place(who, request)
        elif isinstance(request, ListTerms):
            exchange.place_list(who, request)
        else:
            for one in exchange.open_orders(who)[:1]:
                exchange.amend(who, one.terms.symbol, request, order_id=one.id)
    except RefusedError as refused:
        return refused
    return None


@settings(max_examples=150)
@given(requests)
def test_on_spot(asked):
    exchange = spot(spot_listing(**RULES))
    ann = user(exchange, USDT=1_000, BTC=10)
    exchange.market_trade(BTC, Side.BUY, D(1), D(100))
    quote(exchange, size="3")
    for request in asked:
        refused = ask(exchange, ann, request)
        assert refused is None or (refused.why in Why and str(refused))
        ledger = exchange._spot.ledger
        for asset, amount in (("USDT", 1_000), ("BTC", 10)):
            assert sum(ledger.balance(owner, asset).total for owner in ledger.owners()) == amount
            balance = exchange.balances(ann)[asset]
            assert balance.free >= 0
            assert balance.locked >= 0


@settings(max_examples=150)
@given(requests, number, st.booleans())
def test_on_futures(asked, amount, hedged):
    exchange = futures(linear_listing(**RULES))
    ann = user(exchange, USDT=1_000)
    if hedged:
        exchange.set_position_mode(ann, hedged=True)
    exchange.set_mark(BTC, D(100))
    quote(exchange, size="3")
    for request in asked:
        refused = ask(exchange, ann, request)
        assert refused is None or refused.why in Why
    for change in (
        lambda: exchange.change_margin(ann, BTC, amount),
        lambda: exchange.set_leverage(ann, BTC, len(asked) - 5),
        lambda: exchange.set_mark(BTC, amount),
    ):
        with suppress(RefusedError):
            change()
    ledger = exchange._futures.ledger
    total = sum(ledger.wallet(owner, "USDT") for owner in ledger.owners())
    costs = sum(one.cost for owner in ledger.owners() for one in ledger.holdings(owner))
    assert total - costs == 1_000
    assert all(one.unrealized.is_finite() for one in exchange.positions(ann))
