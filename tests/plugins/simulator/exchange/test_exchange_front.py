"""Users and keys, transfers, rules that change, saved state, what only whoever runs the venue may do."""

from __future__ import annotations

import pickle

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from exchange_cases import BTC, BUY, SELL, D, futures, heard, quote, refused, spot, spot_listing, terms, user

from cambist.api import InputError, ParameterError
from cambist_simulator.exchange.errors import Why
from cambist_simulator.exchange.events import BalanceChanged, StatusChanged, Traded
from cambist_simulator.exchange.orders import Status
from cambist_simulator.exchange.users import Users


def test_the_same_seed_makes_the_same_keys():
    first, second, other = Users(5), Users(5), Users(6)
    made = [users.add("ann", kind=kind) for users in (first, second, other) for kind in ("ed25519",)]
    keys = [next(iter(one.keys.values())) for one in made]
    assert (keys[0].key, keys[0].private) == (keys[1].key, keys[1].private)
    assert keys[0].key != keys[2].key
    assert first.by_key(keys[0].key) == (made[0], keys[0])
    assert len(keys[0].key) == 64
    extra = first.add_key(made[0], permissions=("read",), ips=("10.0.0.1",))
    assert (extra.allows("10.0.0.1"), extra.allows("10.0.0.2"), keys[0].allows("10.0.0.2")) == (True, False, True)
    first.remove_key(extra.key)
    assert first.by_key(extra.key) is None
    with pytest.raises(ParameterError, match="Did you mean 'ed25519'"):
        first.add("bob", kind="ed2551")
    with pytest.raises(ParameterError, match="there is a user 'ann' already"):
        first.add("ann")
    with pytest.raises(ParameterError, match=r"no user 'anm'\. Did you mean 'ann'"):
        first.get("anm")
    with pytest.raises(ParameterError, match="a key cannot permit 'trade'"):
        first.add_key(made[0], permissions=("trade",))


def test_keys_sign_and_verify():
    users = Users(1)
    for kind in ("rsa", "ed25519"):
        key = next(iter(users.add(kind=kind).keys.values()))
        private = serialization.load_pem_private_key(key.private, None)
        public = serialization.load_pem_public_key(key.secret)
        options = (padding.PKCS1v15(), hashes.SHA256()) if kind == "rsa" else ()
        public.verify(private.sign(b"a=1", *options), b"a=1", *options)
    hmac = next(iter(users.add().keys.values()))
    assert hmac.secret == hmac.private
    assert len(hmac.secret) == 64


def test_saved_users_come_back():
    users, other = Users(1), Users(2)
    ann = users.add("ann", kind="ed25519")
    ann.maker_fee = D("0.0002")
    other.restore(users.save())
    key = next(iter(ann.keys))
    found, record = other.by_key(key)
    assert (found.id, found.maker_fee, record.secret) == ("ann", D("0.0002"), ann.keys[key].secret)
    with pytest.raises(InputError, match="no saved users"):
        users.restore(b"?")


def test_money_goes_from_one_exchange_to_another():
    from cambist_simulator.exchange.exchange import Exchange

    here, there = spot(), futures()
    ann = user(here, USDT=100)
    events = heard(here) + heard(there)
    here.listen(events.append)
    there.listen(events.append)
    here.transfer(ann, "USDT", D(60), there)
    assert (here.balances(ann)["USDT"].free, there.wallet(ann, "USDT").wallet) == (40, 60)
    assert [(one.reason, one.changes["USDT"]) for one in events if isinstance(one, BalanceChanged)] == [
        ("transfer", -60),
        ("transfer", 60),
    ]
    with refused(Why.INSUFFICIENT_FUNDS):
        here.transfer(ann, "USDT", D(41), there)
    with refused(Why.INSUFFICIENT_FUNDS):
        here.withdraw(ann, "NONE", D(1))
    assert set(here.balances(ann)) == {"USDT"}
    for amount in (D(0), D(-1), D("NaN"), D(10) ** 16, D("1e-9")):
        with pytest.raises(ParameterError, match="the amount is"):
            here.deposit(ann, "USDT", amount)
        with refused(Why.BAD_TERMS, field="amount"):
            here.transfer(ann, "USDT", amount, there)
    assert isinstance(here, Exchange)


def test_rules_change_while_orders_rest():
    exchange = spot()
    ann = user(exchange)
    order = exchange.place(ann, terms(BUY, "1", "99.98"))
    events = heard(exchange)
    exchange.change_rules(BTC, tick_size=D("0.05"), min_notional=D(50))
    assert [type(one) for one in events] == [StatusChanged]
    assert order.open
    with refused(Why.FILTER, filter="price", rule="step"):
        exchange.place(ann, terms(BUY, "1", "99.98"))
    with refused(Why.FILTER, filter="notional"):
        exchange.place(ann, terms(BUY, "0.1", "99.95"))
    exchange.market_trade(BTC, SELL, D(2), D("99.98"))
    assert order.status is Status.FILLED
    with pytest.raises(ParameterError, match=r"is no multiple of 0\.01, the grid of its book"):
        exchange.change_rules(BTC, tick_size=D("0.001"))
    with pytest.raises(ParameterError, match="cannot set 'base'"):
        exchange.change_rules(BTC, base="ETH")
    with pytest.raises(ParameterError, match="Did you mean 'tick_size'"):
        exchange.change_rules(BTC, ticksize=D(1))
    with pytest.raises(ParameterError, match="listed already"):
        exchange.list_symbol(spot_listing())
    with pytest.raises(ParameterError, match="12 decimals"):
        exchange.list_symbol(spot_listing(symbol="X", tick_size=D("1e-8"), step_size=D("1e-8")))


class Evil:
    def __reduce__(self):
        return (print, ("never",))


def test_only_a_state_of_an_exchange_is_restored(capsys):
    exchange = spot()
    state = exchange.save()
    header = state.split(b"\n", 1)[0] + b"\n"
    cases = [
        (b"nothing of that kind", "no saved state of an exchange"),
        (header + pickle.dumps(Evil()), "names builtins.print"),
        (header + pickle.dumps([1]), "is damaged"),
        (state[:-20], "is damaged"),
        (futures().save(), "the state of a linear exchange"),
    ]
    for data, message in cases:
        with pytest.raises(InputError, match=message):
            exchange.restore(data)
    assert capsys.readouterr().out == ""


def test_those_who_keep_a_book_keep_the_same_one_over_a_restart():
    exchange = spot()
    ann = user(exchange)
    book = exchange.book(BTC)
    exchange.place(ann, terms(BUY, "1", "99.98"))
    state = exchange.save()
    exchange.cancel_all(ann)
    exchange.clear_book(BTC)
    exchange.restore(state)
    assert exchange.book(BTC) is book
    assert book.size_at(BUY, D("99.98")) == 2


def test_a_recording_that_sets_levels_keeps_them_when_trades_are_printed():
    exchange = spot()
    exchange.market_trade(BTC, BUY, D(3), D("100.02"), takes=False)
    assert exchange.book(BTC).depth(2).asks == ((D("100.01"), 1), (D("100.02"), 1))
    exchange.market_trade(BTC, BUY, D("0.4"), D("100.02"))
    assert exchange.book(BTC).depth(1).asks == ((D("100.02"), D("0.6")),)


def test_prints_of_one_outside_trade_add_up():
    exchange = spot()
    ann = user(exchange)
    exchange.place(ann, terms(SELL, "0.3", "100.02"))
    exchange.place(ann, terms(SELL, "0.5", "100"))
    events = heard(exchange)
    exchange.market_trade(BTC, BUY, D("3"), D("100.02"))
    printed = [(one.price, one.size) for one in events if isinstance(one, Traded)]
    assert printed == [(D("100"), D("0.5")), (D("100.02"), D("0.3")), (D("100.02"), D("2.2"))]
    assert exchange.book(BTC).last_price == D("100.02")


def test_numbers_of_orders_may_be_larger_than_doubles_hold():
    exchange = spot()
    ann = user(exchange)
    exchange.count_orders_from(2**53 + 1)
    order = exchange.place(ann, terms(BUY, "1", "99"))
    assert (order.id, exchange.order(ann, BTC, order_id=2**53 + 1)) == (2**53 + 1, order)
    with pytest.raises(ParameterError, match="give at least 9007199254740994"):
        exchange.count_orders_from(7)


def test_whoever_runs_the_venue_may_liquidate():
    exchange = futures()
    ann = user(exchange, USDT=10_000)
    quote(exchange)
    exchange.set_mark(BTC, D(100))
    assert not exchange.interference.liquidate("ann", BTC)
    exchange.place(ann, terms(BUY, "1"))
    quote(exchange)
    assert exchange.interference.liquidate("ann", BTC)
    assert exchange.positions(ann) == []
    assert exchange.orders(ann)[-1].system == "liquidation"
