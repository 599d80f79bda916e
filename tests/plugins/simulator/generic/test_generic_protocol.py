"""The generic protocol over the wire, with a client written from its page."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from itertools import pairwise

import aiohttp
import pytest
from generic_client import GenericClient

from cambist_simulator import ExchangeSimulator

BTC, PERP = "BTCUSDT", "ETHUSDT-PERP"
START = 1_704_067_200_000_000_000
D = Decimal


@pytest.fixture
def sim():
    settings = {"symbols": [BTC, f"{PERP}:linear"], "start": START, "frozen": True, "speed": 0, "seed": 3}
    with ExchangeSimulator("generic", balances={"BTC": 100}, users=["ann", "bob"], **settings) as simulator:
        simulator.step("1s")
        yield simulator
        assert simulator.state()["counts"].get("errors", 0) == 0


@pytest.fixture
def ann(sim):
    return GenericClient(sim, "ann", now=lambda: sim.time()["server"] // 1_000_000)


@pytest.fixture
def bob(sim, ann):
    return GenericClient(sim, "bob", now=ann.now)


# --- the market ----------------------------------------------------------------------------------------------------


def test_time_and_instruments_need_no_key(ann):
    assert ann.ask("GET", "/v1/time", signed=False).json() == {"time": 1704067201000, "market_time": 1704067201000}
    rows = ann.ask("GET", "/v1/instruments", signed=False).json()["instruments"]
    assert [(one["symbol"], one["segment"], one["tick_size"]) for one in rows] == [
        (BTC, "spot", "0.01"),
        (PERP, "linear", "0.01"),
    ]


def test_klines_are_made_of_the_trades_that_are_listed(sim, ann):
    sim.step("3m")
    trades = []
    while page := ann.get("/v1/trades", symbol=BTC, limit=300, from_id=len(trades) + 1)["trades"]:
        trades += page
    assert [one["id"] for one in trades] == list(range(1, len(trades) + 1))
    rows = ann.get("/v1/klines", symbol=BTC, interval="1m")["klines"]
    assert [one["final"] for one in rows] == [True] * (len(rows) - 1) + [False]
    for row in rows:
        inside = [one for one in trades if row["open_time"] <= one["time"] < row["close_time"]]
        prices = [D(one["price"]) for one in inside]
        assert (D(row["open"]), D(row["close"])) == (prices[0], prices[-1])
        assert (D(row["high"]), D(row["low"])) == (max(prices), min(prices))
        assert D(row["volume"]) == sum(D(one["size"]) for one in inside)
        assert row["trades"] == len(inside)


def test_klines_by_time(sim, ann):
    sim.step("10m")
    first = START // 1_000_000
    rows = ann.get("/v1/klines", symbol=BTC, start=first + 120_000, end=first + 299_999)["klines"]
    assert [one["open_time"] for one in rows] == [first + minute * 60_000 for minute in (2, 3, 4)]
    assert len(ann.get("/v1/klines", symbol=BTC, interval="5m")["klines"]) == 3
    assert ann.ask("GET", "/v1/klines", symbol=BTC, interval="7x").status == 400


def test_a_followed_book_is_the_book_that_is_asked_for(sim, ann):
    with ann.open(f"depth:{BTC}", login=False) as stream:
        snapshot = stream.read()["data"]
        sides = {"bids": dict(snapshot["bids"]), "asks": dict(snapshot["asks"])}
        sim.step("5s")
        book = ann.get("/v1/depth", symbol=BTC, levels=5000)
        last = snapshot["id"]
        while last < book["id"]:
            update = stream.read()["data"]
            assert update["first"] == last + 1
            last = update["last"]
            for name, levels in sides.items():
                for price, size in update[name]:
                    levels.pop(price, None)
                    if D(size):
                        levels[price] = size
        for name, levels in sides.items():
            wanted = {D(price): D(size) for price, size in book[name]}
            assert {D(price): D(size) for price, size in levels.items()} == wanted
        assert [D(price) for price, _ in book["bids"]] == sorted(map(D, sides["bids"]), reverse=True)


def test_a_book_that_is_followed_already_begins_with_its_snapshot(sim, ann):
    with ann.open(f"depth:{BTC}", login=False) as first:
        snapshot = first.read()
        assert ann.place(price="1.00", size="1").status == 200  # nobody was told of it yet
        with ann.open(f"depth:{BTC}", login=False) as second:
            begun = second.read()
            assert (snapshot["type"], begun["type"]) == ("snapshot", "snapshot")
            assert "1.00" in {f"{D(price):.2f}" for price, _ in begun["data"]["bids"]}
            sim.step("5s")
            assert second.read()["data"]["first"] == begun["data"]["id"] + 1
        assert first.read()["data"]["first"] == snapshot["data"]["id"] + 1


def test_streams_of_trades_klines_and_ticker(sim, ann):
    with ann.open(f"trades:{BTC}", f"klines:{BTC}:1m", f"ticker:{BTC}", login=False) as stream:
        sim.step("70s")
        seen = {"trades": [], "klines": [], "ticker": []}
        while not any(one["final"] for one in seen["klines"]):
            message = stream.read()
            seen[message["channel"].partition(":")[0]].append(message["data"])
        assert all(b["id"] == a["id"] + 1 for a, b in pairwise(seen["trades"]))
        final = next(one for one in seen["klines"] if one["final"])
        (row,) = [one for one in ann.get("/v1/klines", symbol=BTC)["klines"] if one["open_time"] == final["open_time"]]
        assert row == final
        assert all(D(one["bid"]) < D(one["ask"]) for one in seen["ticker"])


# --- who may -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"X-Key": "nobody"}, 401, "unknown_key"),
        ({"X-Sign": "0" * 64}, 401, "bad_signature"),
        ({"X-Sign": "\xe9"}, 401, "bad_signature"),
        ({"X-Time": "soon"}, 401, "bad_time"),
        ({"X-Time": "1"}, 401, "bad_time"),
        ({"X-Time": "\xb2" * 3}, 401, "bad_time"),
        ({"X-Time": "9" * 400}, 401, "bad_time"),
    ],
)
def test_what_is_wrong_with_a_request_is_told(ann, change, status, code):
    at = str(ann.now())
    headers = {"X-Key": ann.key, "X-Time": at, "X-Sign": ann.signature(at, "GET", "/v1/account")}
    answer = ann.ask("GET", "/v1/account", signed=False, headers=headers | change)
    assert (answer.status, answer.json()["error"]["code"]) == (status, code)
    assert ann.ask("GET", "/v1/account", signed=False, headers=headers).status == 200


@pytest.mark.parametrize(("offset", "status"), [(-5_000, 200), (-5_001, 401), (1_000, 200), (1_001, 401)])
def test_the_time_of_a_request_may_be_off_by_so_much(ann, offset, status):
    now = ann.now
    ann.now = lambda: now() + offset
    assert ann.ask("GET", "/v1/account").status == status


def test_a_key_does_what_it_permits_from_where_it_may(sim, ann):
    def change(**fields):
        def work(venue):
            key = next(iter(venue.users.get(venue.user("ann")).keys.values()))
            for name, value in fields.items():
                setattr(key, name, value)

        sim.call(work)

    change(permissions=frozenset({"read"}))
    assert ann.ask("GET", "/v1/account").json()["permissions"] == ["read"]
    assert ann.place().json()["error"]["code"] == "no_permission"
    change(permissions=frozenset({"read", "futures"}))
    assert ann.place().json()["error"]["code"] == "no_permission"
    assert ann.place(symbol=PERP, size="1").status == 200
    change(ips=("10.0.0.1",))
    assert ann.ask("GET", "/v1/account").json()["error"]["code"] == "ip_not_allowed"
    change(ips=("127.0.0.1",), enabled=False)
    assert ann.ask("GET", "/v1/account").status == 401


# --- orders --------------------------------------------------------------------------------------------------------


def below(sim):
    return str(sim.price(BTC)["bid"] - 50)


def test_the_life_of_an_order(sim, ann):
    price = below(sim)
    placed = ann.place(price=price, size="0.5", client_id="mine").json()
    assert (placed["status"], placed["client_id"], D(placed["size"])) == ("new", "mine", D("0.5"))
    assert ann.ask("GET", "/v1/order", symbol=BTC, client_id="mine").json() == ann.query(placed["id"]).json() == placed
    amended = ann.ask("PATCH", "/v1/order", {"symbol": BTC, "id": placed["id"], "size": "0.3"}).json()
    assert (amended["id"], D(amended["size"])) == (placed["id"], D("0.3"))
    assert [one["id"] for one in ann.get("/v1/orders", symbol=BTC, open="true")["orders"]] == [placed["id"]]
    assert ann.ask("DELETE", "/v1/orders", symbol=BTC).json()["orders"][0]["status"] == "canceled"
    assert ann.get("/v1/orders", symbol=BTC, open="true")["orders"] == []
    assert [one["status"] for one in ann.get("/v1/orders")["orders"]] == ["canceled"]


def test_money_follows_fills(sim, ann):
    before = ann.get("/v1/account")["accounts"]["spot"]
    order = ann.place("buy", "0.25").json()
    assert order["status"] == "filled"
    fills = ann.get("/v1/fills", symbol=BTC, order_id=order["id"])["fills"]
    after = ann.get("/v1/account")["accounts"]["spot"]
    got = sum(D(one["size"]) - (D(one["fee"]) if one["fee_asset"] == "BTC" else 0) for one in fills)
    assert D(after["BTC"]["free"]) - D(before["BTC"]["free"]) == got
    assert D(before["USDT"]["free"]) - D(after["USDT"]["free"]) == sum(D(one["quote"]) for one in fills)
    assert D(order["average_price"]) == sum(D(one["quote"]) for one in fills) / D("0.25")


def test_two_users_trade_with_each_other_and_hear_of_it(sim, ann, bob):
    with ann.open("private") as hers, bob.open("private") as his:
        middle = str((sim.price(BTC)["bid"] + sim.price(BTC)["ask"]) / 2 // D("0.01") * D("0.01"))
        sim.call(lambda venue: venue.exchanges["spot"].clear_book(BTC))
        assert ann.place("sell", "0.1", middle).json()["status"] == "new"
        assert bob.place("buy", "0.1", middle).json()["status"] == "filled"
        sold = hers.read_until(lambda one: "fill" in one["data"])["data"]["fill"]
        bought = his.read_until(lambda one: "fill" in one["data"])["data"]["fill"]
        assert sold["trade_id"] == bought["trade_id"]
        assert (sold["side"], sold["maker"], bought["side"], bought["maker"]) == ("sell", True, "buy", False)
        numbers = [one["seq"] for one in [*his.kept, his.read_until(lambda one: one["type"] == "balance")]]
        assert numbers[-1] == max(numbers)


def test_orders_over_the_stream(sim, ann):
    with ann.open("private") as stream:
        terms = {"symbol": BTC, "side": "buy", "type": "limit", "size": "0.5", "price": below(sim)}
        placed = stream.ask("place", order=terms)["result"]
        assert stream.ask("amend", order={"symbol": BTC, "id": placed["id"], "size": "0.4"})["result"]["size"] == "0.4"
        assert stream.ask("cancel", order={"symbol": BTC, "id": placed["id"]})["result"]["status"] == "canceled"
        refused = stream.ask("cancel", order={"symbol": BTC, "id": placed["id"]})
        assert (refused["ok"], refused["error"]["code"]) == (False, "unknown_order")
        assert stream.ask("cancel", order={"symbol": BTC})["error"]["message"] == "Give id or client_id."
    with ann.open(login=False) as stream:
        assert stream.ask("place", order=terms)["error"]["code"] == "not_logged_in"
        assert stream.ask("subscribe", channels=["private"])["error"]["code"] == "not_logged_in"
        assert stream.ask("subscribe", channels=["gossip:BTC"])["error"]["code"] == "unknown_channel"
        assert stream.ask("unsubscribe", channels=[f"trades:{BTC}"])["error"]["code"] == "not_subscribed"


def test_channels_that_are_left_are_silent(sim, ann):
    with ann.open(f"trades:{BTC}", "private") as stream:
        assert stream.ask("unsubscribe", channels=[f"trades:{BTC}", "private"])["result"] == {"channels": []}
        ann.place()
        sim.step("5s")
        assert stream.reads_nothing()


def test_channels_are_followed_all_or_none(sim, ann):
    with ann.open("private") as stream:
        refused = stream.ask("subscribe", channels=[f"trades:{BTC}", "gossip:BTC"])
        assert refused["error"]["code"] == "unknown_channel"
        assert stream.ask("subscribe", channels=[f"klines:{BTC}:9x", f"trades:{BTC}"])["ok"] is False
        assert stream.ask("subscribe", channels=[])["result"] == {"channels": ["private"]}
        sim.step("5s")
        assert stream.reads_nothing()


def test_a_connection_is_one_users(ann, bob):
    with ann.open() as stream:
        at = ann.now()
        again = {"key": ann.key, "time": at, "sign": ann.signature(at, "GET", "/v1/stream")}
        assert stream.ask("login", **again)["result"] == {"user": "ann"}
        other = {"key": bob.key, "time": at, "sign": bob.signature(at, "GET", "/v1/stream")}
        assert stream.ask("login", **other)["error"]["code"] == "logged_in"


@pytest.mark.parametrize(
    ("terms", "status", "code"),
    [
        ({"size": "0"}, 400, "filter"),
        ({"size": "-1"}, 400, None),
        ({"size": "NaN"}, 400, "bad_request"),
        ({"size": "1e999999"}, 400, "bad_request"),
        ({"size": "1e-999999"}, 400, "bad_request"),
        ({"size": "9" * 200}, 400, "bad_request"),
        ({"size": None}, 400, "bad_terms"),
        ({"size": [1]}, 400, "bad_request"),
        ({"size": "1000"}, 400, "insufficient_funds"),
        ({"symbol": "NOSUCH"}, 404, "unknown_symbol"),
        ({"symbol": "\u202e" * 50}, 404, "unknown_symbol"),
        ({"symbol": 7}, 400, "bad_request"),
        ({"side": "long"}, 400, "bad_request"),
        ({"type": "magic"}, 400, "bad_request"),
        ({"time_in_force": "day"}, 400, "bad_request"),
        ({"client_id": "x" * 65}, 400, "bad_request"),
        ({"client_id": "é"}, 400, "bad_request"),
        ({"price": "100.001"}, 400, "filter"),
        ({"post_only": True, "price": "99999999"}, 400, "would_take"),
        ({"colour": "red"}, 400, "bad_request"),
        ({"expires": 10**30}, 400, "bad_request"),
        ({"time_in_force": "gtd", "expires": -1, "price": "100"}, 400, "bad_request"),
    ],
)
def test_orders_that_cannot_be_are_refused_with_a_word(sim, ann, terms, status, code):
    order = {"symbol": BTC, "side": "buy", "type": "limit", "size": "0.5", "price": below(sim)} | terms
    answer = ann.ask("POST", "/v1/order", order)
    assert answer.status == status
    assert code is None or answer.json()["error"]["code"] == code
    assert answer.json()["error"]["message"]
    assert sim.orders() == []


def test_an_order_that_is_only_checked_leaves_nothing(sim, ann):
    order = {"symbol": BTC, "side": "buy", "type": "limit", "size": "0.5", "price": below(sim)}
    assert ann.ask("POST", "/v1/order/test", order).json() == {}
    assert ann.ask("POST", "/v1/order/test", order | {"size": "1000"}).json()["error"]["code"] == "insufficient_funds"
    assert sim.orders() == []


def test_a_name_of_an_open_order_is_not_given_twice(sim, ann):
    assert ann.place(price=below(sim), client_id="one").status == 200
    assert ann.place(price=below(sim), client_id="one").json()["error"]["code"] == "duplicate_client_id"


def test_the_dead_mans_switch_of_a_user(sim, ann):
    ann.place(price=below(sim))
    assert ann.ask("POST", "/v1/dead-man", {"symbol": BTC, "after_ms": 5000}).status == 200
    sim.step("4s")
    assert len(sim.orders(open_only=True)) == 1
    sim.step("2s")
    assert sim.orders(open_only=True) == []


# --- futures -------------------------------------------------------------------------------------------------------


def test_a_position_with_leverage(sim, ann):
    assert ann.ask("POST", "/v1/leverage", {"symbol": PERP, "leverage": 5}).json()["leverage"] == 5
    assert ann.ask("POST", "/v1/leverage", {"symbol": PERP, "leverage": 500}).json()["error"]["code"] == "leverage"
    assert ann.ask("POST", "/v1/leverage", {"symbol": BTC, "leverage": 5}).json()["error"]["code"] == "no_futures"
    with ann.open("private") as stream:
        order = ann.place("sell", "2", symbol=PERP).json()
        event = stream.read_until(lambda one: D(one["data"].get("size", "0")) == D(-2))["data"]
        assert (event["symbol"], D(event["entry_price"])) == (PERP, D(order["average_price"]))
    (position,) = ann.get("/v1/positions")["positions"]
    assert (D(position["size"]), position["leverage"]) == (D(-2), 5)
    assert ann.get("/v1/positions", symbol=BTC)["positions"] == []
    wallet = ann.get("/v1/account")["accounts"]["linear"]["USDT"]
    margin = D(2) * D(position["mark_price"]) / 5
    assert D(wallet["position_margin"]) == margin
    assert ann.place("buy", "2", symbol=PERP, reduce_only=True).json()["status"] == "filled"
    assert ann.get("/v1/positions")["positions"] == []


def test_both_sides_at_once_and_margin_of_its_own(sim, ann):
    assert ann.ask("POST", "/v1/position-mode", {"hedged": True}).json() == {"hedged": True}
    assert ann.ask("POST", "/v1/position-mode", {"hedged": True}).status == 200
    assert ann.ask("POST", "/v1/margin", {"symbol": PERP, "isolated": True}).json()["isolated"] is True
    assert ann.ask("POST", "/v1/margin", {"symbol": BTC, "isolated": True}).json()["error"]["code"] == "no_futures"
    assert ann.place("buy", "2", symbol=PERP, position_side="long").json()["status"] == "filled"
    assert ann.place("sell", "1", symbol=PERP, position_side="short").json()["status"] == "filled"
    held = {one["position_side"]: one for one in ann.get("/v1/positions")["positions"]}
    assert {side: D(one["size"]) for side, one in held.items()} == {"long": D(2), "short": D(-1)}
    assert all(one["isolated"] for one in held.values())
    refused = ann.ask("POST", "/v1/position-mode", {"hedged": False})
    assert (refused.status, refused.json()["error"]["code"]) == (400, "has_position")


def test_no_position_can_be_reduced_that_is_not_there(ann):
    assert ann.place("buy", "2", symbol=PERP, reduce_only=True).json()["error"]["code"] == "reduce_only"


# --- the whole -----------------------------------------------------------------------------------------------------


def play(seed):
    """Return all bytes that a client hears in a fixed conversation."""
    settings = {"symbols": [BTC], "start": START, "frozen": True, "speed": 0, "seed": seed, "balances": {"BTC": 5}}
    said = []
    with ExchangeSimulator("generic", **settings) as simulator:
        client = GenericClient(simulator, now=lambda: simulator.time()["server"] // 1_000_000)
        said.append((client.key, client.secret))
        with client.open("private", f"trades:{BTC}", f"depth:{BTC}") as stream:
            for number in range(10):
                simulator.step("2s")
                said.append(client.place("buy" if number % 2 else "sell", "0.1").raw)
                said.append(client.place("buy", "0.2", str(D(50_000) + number)).raw)
            said.append(json.dumps(stream.ask("ping")))
            said += [json.dumps(one) for one in stream.kept]
    assert len(said) > 200
    return said


def test_the_same_seed_and_the_same_requests_give_the_same_bytes():
    first = play(11)
    assert first == play(11)
    assert first != play(12)


def test_a_client_that_nobody_here_wrote_talks_to_it_in_the_running_loop():
    async def run():
        async with (
            ExchangeSimulator("generic", symbols=[BTC], speed=50, seed=1) as simulator,
            aiohttp.ClientSession(simulator.url) as http,
        ):
            async with http.get("/v1/depth", params={"symbol": BTC}) as answer:
                assert answer.status == 200
            async with http.ws_connect("/v1/stream") as ws:
                await ws.send_json({"id": 1, "op": "subscribe", "channels": [f"trades:{BTC}"]})
                assert (await ws.receive_json(timeout=5))["ok"] is True
                assert (await ws.receive_json(timeout=5))["channel"] == f"trades:{BTC}"
            assert simulator.state()["requests"]["rest"] == 1

    asyncio.run(run())
