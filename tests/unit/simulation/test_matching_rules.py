"""How long orders work, how much of a bar they get, at what price and cost, and who is refused."""

from __future__ import annotations

import pytest

from cambist.errors import ParameterError
from cambist.model import Instrument, OrderStatus, to_ns
from cambist.model.times import DAY_NS, HOUR_NS, MINUTE_NS
from cambist.simulation import (
    FixedFee,
    FixedSlippage,
    InstrumentFees,
    MakerTakerFee,
    MarketFill,
    PercentFee,
    PercentSlippage,
    VenueRules,
    fee_model,
    intrabar_path,
    slippage_model,
)

# The way is 100 -> 98 -> 104 -> 103.
BAR = (100.0, 104.0, 98.0, 103.0)
MIDNIGHT = to_ns("2024-03-02")
CANCELED, EXPIRED, FILLED, REJECTED = (
    OrderStatus.CANCELED,
    OrderStatus.EXPIRED,
    OrderStatus.FILLED,
    OrderStatus.REJECTED,
)

# Time in force.


@pytest.mark.parametrize("tif", ["ioc", "fok"])
@pytest.mark.parametrize(
    ("side", "terms", "price"),
    [
        ("buy", {}, 100.0),
        ("buy", {"limit": 100.0}, 100.0),
        ("buy", {"limit": 99.99}, None),
        ("sell", {"limit": 99.0}, 100.0),
        ("sell", {"limit": 103.0}, None),
        ("buy", {"stop": 100.0}, 100.0),
        ("buy", {"stop": 101.0}, None),
        ("buy", {"stop": 99.0, "limit": 100.0}, 100.0),
        ("buy", {"stop": 99.0, "limit": 99.5}, None),
    ],
)
def test_immediate_orders_trade_at_the_open_or_not_at_all(exchange, tif, side, terms, price):
    ex = exchange()
    order = getattr(ex, side)(tif=tif, **terms)
    ex.bar(*BAR)
    assert ex.prices == ([] if price is None else [price])
    assert order.status is (CANCELED if price is None else FILLED)
    assert order.reason == ("could not trade at once" if price is None else "")


def test_immediate_orders_that_join_a_bar_are_tried_where_the_price_stands(exchange):
    ex = exchange()
    ex.buy(limit=99.0)
    sent = []
    ex.on_fill = lambda fill: (
        sent.extend([ex.sell(limit=99.5, tif="ioc"), ex.sell(limit=99.0, tif="fok")]) if fill.order_id == 1 else None
    )
    ex.bar(*BAR)
    assert ex.prices == [99.0, 99.0]
    assert [order.status for order in sent] == [CANCELED, FILLED]


def test_ioc_takes_what_there_is_and_fok_all_or_nothing(exchange):
    ex = exchange(volume_limit=0.5)
    fok, ioc, late = ex.buy(3.0, tif="fok"), ex.buy(3.0, tif="ioc"), ex.buy(1.0, tif="fok")
    ex.bar(*BAR, 4.0)
    assert ex.fills == [(2, 100.0, 2.0)]
    assert [fok.status, ioc.status, late.status] == [CANCELED] * 3
    assert (fok.filled, ioc.filled) == (0.0, 2.0)
    whole = ex.buy(2.0, tif="fok")
    ex.bar(*BAR, 4.0)
    assert whole.status is FILLED


def test_a_day_order_works_through_the_utc_day_of_the_first_bar_it_can_meet(exchange):
    ex = exchange()
    ex.length = HOUR_NS
    ex.now = MIDNIGHT - 2 * HOUR_NS
    evening = ex.buy(limit=50.0, tif="day")
    ex.bar(*BAR)
    ex.bar(*BAR)
    assert evening.is_open
    # Sent at the very end of a day, so that the first bar it can meet opens on the next.
    morning = ex.buy(limit=51.0, tif="day")
    for hour in range(24):
        assert morning.is_open, hour
        ex.bar(*BAR)
        assert evening.status is EXPIRED
    assert evening.updated_at == MIDNIGHT
    ex.bar(*BAR)
    assert (morning.status, morning.updated_at) == (EXPIRED, MIDNIGHT + DAY_NS)


def test_a_day_order_on_daily_bars_meets_one_bar(exchange):
    ex = exchange()
    ex.length = DAY_NS
    ex.now = MIDNIGHT
    order = ex.buy(limit=90.0, tif="day")
    ex.bar(*BAR)
    assert order.is_open
    ex.bar(90.0, 91.0, 89.0, 90.0)
    assert order.status is EXPIRED
    assert not ex.fills


def test_a_day_order_over_a_weekend_meets_the_first_bar_there_is(exchange):
    ex = exchange()
    ex.now = MIDNIGHT
    order = ex.buy(limit=99.0, tif="day")
    ex.bar(*BAR, opened=MIDNIGHT + 2 * DAY_NS)
    assert ex.prices == [99.0]
    assert order.status is FILLED


@pytest.mark.parametrize("at", ["open", "inside"])
def test_a_day_order_that_joins_a_bar_ends_with_the_day_of_that_bar(exchange, at):
    ex = exchange()
    ex.length = DAY_NS
    ex.now = MIDNIGHT
    ex.buy(**({} if at == "open" else {"limit": 99.0}))
    sent = []
    ex.on_fill = lambda fill: sent.append(ex.buy(limit=90.0, tif="day"))
    ex.bar(*BAR)
    assert [order.is_open for order in sent] == [True]
    ex.bar(90.0, 91.0, 89.0, 90.0)
    assert sent[0].status is EXPIRED


def test_gtd_may_trade_in_bars_that_open_until_its_last_moment(exchange):
    ex = exchange()
    last = ex.now + 2 * MINUTE_NS
    orders = [ex.buy(limit=90.0, tif="gtd", expires_at=at) for at in (last - 1, last, last + 1)]
    ex.bar(*BAR)
    ex.bar(*BAR)
    assert all(order.is_open for order in orders)
    ex.bar(90.0, 91.0, 89.0, 90.0)
    assert [order.status for order in orders] == [EXPIRED, FILLED, FILLED]


@pytest.mark.parametrize("when", ["1960-01-01", "1969-12-31 23:59", "1970-01-01"])
def test_old_times_are_times_like_others(exchange, when):
    ex = exchange(fees=MakerTakerFee(0.0, 0.001))
    ex.now = to_ns(when)
    gone, good = (ex.buy(limit=99.0, tif="gtd", expires_at=ex.now + shift) for shift in (-1, 0))
    day, taker = ex.buy(limit=50.0, tif="day"), ex.buy(limit=101.0)
    ex.bar(*BAR)
    assert [order.status for order in (gone, good, taker)] == [EXPIRED, FILLED, FILLED]
    assert taker.fees > 0.0
    ex.bar(*BAR, opened=ex.now + DAY_NS)
    assert day.status is EXPIRED


def test_an_order_that_trades_in_parts_may_expire_between_them(exchange):
    ex = exchange(volume_limit=1.0)
    order = ex.buy(5.0, tif="gtd", expires_at=ex.now)
    ex.bar(*BAR, 2.0)
    ex.bar(*BAR, 2.0)
    assert (order.status, order.filled) == (EXPIRED, 2.0)


# Volume.


def test_an_order_larger_than_the_volume_is_filled_over_bars(exchange):
    ex = exchange(volume_limit=0.1)
    order = ex.buy(5.0)
    ex.bar(*BAR, 20.0)
    assert (order.status, order.filled) == (OrderStatus.PARTIALLY_FILLED, 2.0)
    ex.bar(101.0, 104.0, 98.0, 103.0, 0.0)
    ex.bar(102.0, 104.0, 98.0, 103.0, 10.0)
    ex.bar(103.0, 104.0, 98.0, 103.0, 1e6)
    assert ex.fills == [(1, 100.0, 2.0), (1, 102.0, 1.0), (1, 103.0, 2.0)]
    assert order.average_price == pytest.approx((200 + 102 + 206) / 5)


def test_orders_share_a_bars_volume_in_the_order_in_which_they_trade(exchange):
    ex = exchange(volume_limit=0.5)
    late, first, second, last = ex.sell(3.0, limit=103.0), ex.buy(2.0), ex.buy(2.0, limit=99.0), ex.sell(3.0, stop=98.5)
    ex.bar(*BAR, 10.0)
    assert ex.fills == [(2, 100.0, 2.0), (3, 99.0, 2.0), (4, 98.5, 1.0)]
    assert [order.remaining for order in (late, first, second, last)] == [3.0, 0.0, 0.0, 2.0]


def test_a_part_of_an_order_waits_for_the_next_bar(exchange):
    """One order takes one price from a bar: what it did not get at the low it does not get at the high."""
    ex = exchange(volume_limit=0.5)
    ex.buy(4.0, limit=102.0)
    ex.bar(*BAR, 4.0)
    assert ex.fills == [(1, 100.0, 2.0)]


def test_less_than_a_step_of_volume_is_nothing(exchange):
    ex = exchange(volume_limit=0.5)
    ex.buy(1.0)
    ex.bar(*BAR, 0.19)
    assert not ex.fills
    ex.bar(*BAR, 0.5)
    assert ex.fills == [(1, 100.0, 0.2)]


def test_a_triggered_stop_goes_on_as_a_market_order(exchange):
    ex = exchange(volume_limit=1.0)
    ex.buy(3.0, stop=102.0)
    ex.bar(*BAR, 1.0)
    ex.bar(50.0, 51.0, 49.0, 50.0, 1.0)
    assert ex.fills == [(1, 102.0, 1.0), (1, 50.0, 1.0)]


# Slippage.


@pytest.mark.parametrize(
    ("side", "terms", "price"),
    [
        ("buy", {}, 100.26),  # 100.2504, rounded to the tick against the trader
        ("sell", {}, 99.74),
        ("buy", {"stop": 102.0}, 102.26),  # 102.2550
        ("sell", {"stop": 98.5}, 98.25),
        ("buy", {"limit": 99.0}, 99.0),  # a resting limit never slips
        ("buy", {"limit": 100.1}, 100.1),  # a marketable one slips up to its limit
        ("buy", {"limit": 101.0}, 100.26),
        ("sell", {"limit": 99.9}, 99.9),
        ("buy", {"stop": 102.0, "limit": 102.1}, 102.1),
    ],
)
def test_slippage_is_against_the_trader_and_on_the_tick(exchange, side, terms, price):
    ex = exchange(slippage=PercentSlippage(0.002504 if not terms.get("stop") else 0.0025))
    getattr(ex, side)(**terms)
    ex.bar(*BAR)
    assert ex.prices == [price]


def test_fixed_slippage_never_makes_a_price_of_zero(exchange):
    ex = exchange(slippage=FixedSlippage(0.5))
    ex.sell()
    ex.buy()
    ex.bar(0.4, 0.4, 0.4, 0.4)
    assert ex.prices == [0.4, 0.9]


@pytest.mark.parametrize("slippage", [PercentSlippage(0.5), FixedSlippage(0.004)])
def test_rounding_against_the_trader_ends_at_one_tick(exchange, slippage):
    ex = exchange(slippage=slippage)
    ex.sell()
    ex.bar(0.01, 0.01, 0.01, 0.01)
    assert ex.prices == [0.01]


def test_slippage_without_a_tick_is_not_rounded(exchange):
    ex = exchange(Instrument(symbol="FREE"), slippage=PercentSlippage(0.01))
    ex.buy()
    ex.bar(3.0, 3.0, 3.0, 3.0)
    assert ex.prices == [3.0 * 1.01]


# Fees.


@pytest.mark.parametrize(
    ("fees", "taken", "made"),
    [
        (PercentFee(0.001), 0.2, 0.198),
        (FixedFee(per_unit=0.5), 1.0, 1.0),
        (FixedFee(per_fill=2.0), 2.0, 2.0),
        (FixedFee(per_unit=0.5, per_fill=2.0), 3.0, 3.0),
        (MakerTakerFee(-0.0001, 0.0005), 0.1, -0.0198),
        (InstrumentFees(), 0.08, 0.0396),
    ],
)
def test_fees(exchange, fees, taken, made):
    instrument = Instrument(symbol="ACME", step_size="1", maker_fee=0.0002, taker_fee=0.0004)
    ex = exchange(instrument, fees=fees)
    market, limit = ex.buy(2.0), ex.buy(2.0, limit=99.0)
    ex.bar(*BAR)
    assert [fill.fee for fill in ex.records] == pytest.approx([taken, made])
    assert (market.fees, limit.fees) == tuple(fill.fee for fill in ex.records)
    assert ex.account.fees == pytest.approx(taken + made)
    assert ex.account.cash == pytest.approx(1e9 - 200.0 - 198.0 - taken - made)


def test_fees_of_contracts_are_reckoned_in_what_they_settle_in(exchange):
    kinds = {
        "linear_perpetual": (0.001 * 2 * 10 * 100.0, "USD"),
        "inverse_perpetual": (0.001 * 2 * 10 / 100.0, "BTC"),
    }
    for kind, (fee, settle) in kinds.items():
        instrument = Instrument(symbol="P", kind=kind, base="BTC", multiplier=10.0, margin_rate=0.1, step_size="1")
        ex = exchange(instrument, fees=PercentFee(0.001))
        ex.buy(2.0)
        ex.bar(*BAR)
        assert ex.records[0].fee == pytest.approx(fee)
        assert ex.account.currency == settle
        assert ex.account.cash == pytest.approx(1e9 - fee)


@pytest.mark.parametrize(
    "make",
    [
        lambda: PercentFee(1.0),
        lambda: PercentFee(float("nan")),
        lambda: MakerTakerFee(0.1, -1.5),
        lambda: FixedFee(per_unit=float("inf")),
        lambda: PercentSlippage(-0.1),
        lambda: PercentSlippage(1.0),
        lambda: FixedSlippage(-1.0),
        lambda: FixedSlippage(float("nan")),
        lambda: VenueRules(volume_limit=0.0),
        lambda: VenueRules(volume_limit=1.5),
        lambda: intrabar_path("pesimistic"),
    ],
)
def test_models_refuse_senseless_numbers(make):
    with pytest.raises(ParameterError, match=r"fraction|amount|difference|of the price|Did you mean 'pessimistic'"):
        make()


def test_numbers_stand_for_models():
    assert fee_model(0.001) == PercentFee(0.001)
    assert fee_model(None) == InstrumentFees()
    assert slippage_model(0.01) == PercentSlippage(0.01)
    assert fee_model(0.0).fee(Instrument(symbol="A"), 1.0, 1.0, None) == 0.0


# Reduce only.


def test_a_reduce_only_order_is_cut_to_the_position(exchange):
    ex = exchange()
    ex.buy(2.0)
    ex.bar(*BAR)
    order = ex.sell(5.0, reduce_only=True)
    ex.bar(*BAR)
    assert ex.fills[1:] == [(2, 100.0, 2.0)]
    assert (order.status, order.reason) == (CANCELED, "nothing_to_reduce")
    assert ex.account.positions["ACME"].is_flat


def test_a_reduce_only_order_that_finds_nothing_left_ends(exchange):
    ex = exchange()
    ex.buy(2.0)
    ex.bar(*BAR)
    target, stop = ex.sell(2.0, limit=103.0, reduce_only=True), ex.sell(2.0, stop=98.5, reduce_only=True)
    ex.bar(*BAR)
    assert ex.fills[1:] == [(3, 98.5, 2.0)]
    assert (target.status, target.reason, target.filled) == (CANCELED, "nothing_to_reduce", 0.0)
    assert stop.status is FILLED


def test_a_reduce_only_order_that_is_larger_than_position_and_volume_goes_on_reducing(exchange):
    ex = exchange(volume_limit=1.0)
    ex.sell(5.0)
    ex.bar(*BAR, 5.0)
    order = ex.buy(9.0, reduce_only=True)
    ex.bar(*BAR, 3.0)
    assert order.is_open
    ex.bar(*BAR, 3.0)
    assert ex.fills[1:] == [(2, 100.0, 3.0), (2, 100.0, 2.0)]
    assert order.status is CANCELED
    assert ex.account.positions["ACME"].is_flat


# Trading at the close at which an order is sent.


def test_this_close(exchange):
    ex = exchange(market_fill=MarketFill.THIS_CLOSE)
    ex.bar(*BAR)
    market, limit = ex.buy(), ex.buy(limit=110.0)
    assert ex.fills == [(1, 103.0, 1.0)]
    assert ex.records[0].ts == ex.now
    assert (market.status, limit.status) == (FILLED, OrderStatus.ACCEPTED)
    ex.bar(105.0, 106.0, 104.0, 105.0)
    assert ex.fills[1:] == [(2, 105.0, 1.0)]


def test_this_close_before_any_bar_waits_for_the_open(exchange):
    ex = exchange(market_fill=MarketFill.THIS_CLOSE)
    ex.buy()
    assert not ex.fills
    ex.bar(*BAR)
    assert ex.prices == [100.0]


def test_this_close_slips_and_shares_the_volume_of_its_bar(exchange):
    ex = exchange(market_fill=MarketFill.THIS_CLOSE, volume_limit=0.5, slippage=PercentSlippage(0.01))
    ex.buy(1.0)
    ex.bar(*BAR, 6.0)
    ex.buy(5.0)
    assert ex.fills == [(1, 101.0, 1.0), (2, 104.03, 2.0)]
    ex.bar(*BAR, 100.0)
    assert ex.fills[2:] == [(2, 101.0, 3.0)]


def test_this_close_counts_the_volume_of_a_bar_that_met_no_order(exchange):
    ex = exchange(market_fill=MarketFill.THIS_CLOSE, volume_limit=0.5)
    ex.buy(4.0, limit=99.0)
    ex.bar(*BAR, 8.0)  # takes all that this bar allows
    ex.buy(1.0, limit=10.0)
    ex.bar(*BAR, 8.0)  # reaches nobody
    ex.buy(4.0)
    assert ex.fills == [(1, 99.0, 4.0), (3, 103.0, 4.0)]


# Money.


def everything(thing, seen=()):
    """Return all that an object holds, through attributes, lists and dictionaries, for comparing."""
    if id(thing) in seen or isinstance(thing, Instrument) or callable(thing):
        return type(thing).__name__
    seen = (*seen, id(thing))
    if isinstance(thing, dict):
        return {key: everything(value, seen) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [everything(value, seen) for value in thing]
    names = [
        *getattr(thing, "__dict__", ()),
        *(name for cls in type(thing).__mro__ for name in vars(cls).get("__slots__", ())),
    ]
    held = {name: everything(getattr(thing, name), seen) for name in names if hasattr(thing, name)}
    return held or repr(thing)


@pytest.mark.parametrize(
    ("side", "terms"),
    [
        ("buy", {}),
        ("buy", {"stop": 101.0}),
        ("buy", {"limit": 110.0}),
        ("sell", {}),
        ("sell", {"stop": 101.0, "limit": 99.0}),
    ],
)
def test_an_order_that_cannot_be_paid_for_is_rejected_without_trace(exchange, side, terms):
    ex = exchange(cash=1_000.0, fees=PercentFee(0.001))
    ex.buy(2.0)
    ex.bar(*BAR)
    before, fills = everything(ex.account), len(ex.fills)
    assert before["cash"] == "799.8"
    order = getattr(ex, side)(30.0, **terms)
    ex.bar(*BAR)
    assert (order.status, order.reason, order.filled, order.fees) == (REJECTED, "insufficient_funds", 0.0, 0.0)
    assert everything(ex.account) == before
    assert len(ex.fills) == fills
    small = ex.buy(3.0)
    ex.bar(*BAR)
    assert small.status is FILLED


def test_the_price_of_the_fill_decides_not_that_of_the_order(exchange):
    ex = exchange(cash=1_000.0)
    gap, stays = ex.buy(9.0), ex.buy(9.0, limit=100.0)
    ex.bar(120.0, 121.0, 100.0, 101.0)
    assert (gap.status, stays.status) == (REJECTED, FILLED)
    assert ex.fills == [(2, 100.0, 9.0)]


def test_money_that_lasts_for_a_part_only(exchange):
    ex = exchange(cash=1_000.0, volume_limit=1.0)
    order = ex.buy(10.0)
    ex.bar(*BAR, 6.0)
    ex.bar(110.0, 111.0, 109.0, 110.0, 6.0)
    assert ex.fills == [(1, 100.0, 6.0)]
    assert (order.status, order.reason, order.filled) == (CANCELED, "insufficient_funds", 6.0)


def test_an_order_refused_for_funds_leaves_the_volume_to_others(exchange):
    ex = exchange(cash=500.0, volume_limit=1.0)
    ex.buy(6.0)
    ex.buy(5.0)
    ex.bar(*BAR, 6.0)
    assert ex.fills == [(2, 100.0, 5.0)]


@pytest.mark.parametrize(
    ("kind", "leverage", "margin_rate", "most"),
    [
        ("spot", 1.0, 1.0, 10.0),
        ("spot", 5.0, 1.0, 50.0),
        ("linear_perpetual", 1.0, 0.1, 100.0),
        ("future", 1.0, 0.25, 40.0),
        ("inverse_perpetual", 1.0, 0.5, 200_000.0),
    ],
)
def test_leverage_and_margin_set_the_largest_position(exchange, kind, leverage, margin_rate, most):
    for side in ("buy", "sell"):
        for size, status in ((most, FILLED), (most + 0.1, REJECTED)):
            instrument = Instrument(symbol="P", kind=kind, base="BTC", margin_rate=margin_rate, step_size="0.1")
            ex = exchange(instrument, cash=1_000.0, leverage=leverage)
            order = getattr(ex, side)(size)
            ex.bar(100.0, 100.0, 100.0, 100.0)
            assert order.status is status, (side, size)


def test_instruments_of_one_account_share_its_money(exchange):
    one, two = (Instrument(symbol=name, step_size="1") for name in "AB")
    ex = exchange(one, two, cash=1_000.0)
    first, second = ex.buy(6.0, on=one), ex.buy(6.0, on=two)
    opened = ex.now
    ex.bar(*BAR, on=one, opened=opened)
    ex.bar(*BAR, on=two, opened=opened)
    assert (first.status, second.status) == (FILLED, REJECTED)
    ex.sell(6.0, on=one)
    again = ex.buy(6.0, on=two)
    opened = ex.now
    ex.bar(*BAR, on=one, opened=opened)
    ex.bar(*BAR, on=two, opened=opened)
    assert again.status is FILLED


def test_the_fee_counts(exchange):
    for cash, status in ((1_001.0, FILLED), (1_000.99, REJECTED)):
        ex = exchange(cash=cash, fees=PercentFee(0.001))
        order = ex.buy(10.0)
        ex.bar(100.0, 100.0, 100.0, 100.0)
        assert order.status is status
