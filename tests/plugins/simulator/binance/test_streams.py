"""Market streams: subscriptions, pace, and books that clients can keep by the venue's rules."""

from __future__ import annotations

import json
import random

import pytest
from venue_box import SIZES, SYMBOLS, Box, D, FakeConnection, Segment

from cambist.model import Side

SPOT = "/stream.binance.com/ws"
WHERE = {Segment.SPOT: SPOT, Segment.LINEAR: "/public/ws", Segment.INVERSE: "/dstream.binance.com/ws"}
DEPTH = {Segment.SPOT: "/api/v3/depth", Segment.LINEAR: "/fapi/v1/depth", Segment.INVERSE: "/dapi/v1/depth"}


@pytest.fixture
def box():
    return Box((Segment.SPOT,))


def wander(box, segment, chance):
    """Change a level, or let somebody trade."""
    exchange, symbol = box.exchanges[segment], SYMBOLS[segment]
    tick = exchange.listing(symbol).tick_size
    if chance.random() < 0.3:
        side = chance.choice([Side.BUY, Side.SELL])
        best = exchange.book(symbol).top(side.opposite)
        if best is not None:
            exchange.market_trade(symbol, side, min(best[1], SIZES[segment]), best[0])
    side, away = chance.choice([Side.BUY, Side.SELL]), chance.randint(1, 40)
    price = D("50000") + (-away if side is Side.BUY else away) * tick
    exchange.set_level(symbol, side, price, chance.randint(0, 5) * SIZES[segment])
    exchange.flush()


class Book:
    """A book as a client keeps it."""

    def __init__(self, snapshot):
        self.last = snapshot["lastUpdateId"]
        self.sides = {name: dict(snapshot[name]) for name in ("bids", "asks")}
        self.previous = None

    def apply(self, event):
        for name, changes in (("bids", event["b"]), ("asks", event["a"])):
            for price, size in changes:
                if float(size):
                    self.sides[name][price] = size
                else:
                    self.sides[name].pop(price, None)
        self.last = event["u"]

    def shown(self):
        return {
            name: sorted(([price, size] for price, size in side.items()), key=lambda row: float(row[0]))
            for name, side in self.sides.items()
        }


@pytest.mark.parametrize("segment", list(Segment))
@pytest.mark.parametrize("speed", ["@100ms", ""])
def test_a_book_kept_by_the_documented_rules_equals_the_venues(segment, speed):
    box = Box((segment,))
    chance = random.Random(5)
    socket = box.socket(WHERE[segment])
    socket.say(method="SUBSCRIBE", params=[f"{SYMBOLS[segment].lower()}@depth{speed}"], id=1)
    client = box.client()
    buffered, book = [], None
    for step in range(300):
        wander(box, segment, chance)
        if chance.random() < 0.4:
            box.step(chance.choice([20, 50, 130, 400]))
        events = socket.taken()
        if book is None:
            buffered += events
            if step == 60:
                snapshot = client.public(DEPTH[segment], symbol=SYMBOLS[segment], limit=100)[1]
                book = Book(snapshot)
                events, buffered = buffered, []
            else:
                continue
        for event in events:
            if segment is Segment.SPOT:
                if event["u"] <= book.last:
                    continue
                # The first one spans the snapshot, each further one follows on the one before.
                assert event["U"] <= book.last + 1 <= event["u"]
            else:
                if book.previous is None and event["u"] < book.last:
                    continue
                if book.previous is None:
                    assert event["U"] <= book.last + 1
                    assert event["u"] >= book.last
                else:
                    assert event["pu"] == book.previous
                book.previous = event["u"]
            book.apply(event)
    box.step(2_000)
    for event in socket.taken():
        book.apply(event)
    truth = client.public(DEPTH[segment], symbol=SYMBOLS[segment], limit=500)[1]
    assert book.last == truth["lastUpdateId"]
    assert book.shown() == Book(truth).shown()


def test_the_acknowledgement_goes_before_the_first_message(box):
    socket = box.socket(SPOT)
    assert socket.say(method="SUBSCRIBE", params=["btcusdt@trade", "nope@trade"], id=7) == [{"result": None, "id": 7}]
    box.client().ok("POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
    assert [one["e"] for one in socket.taken()] == ["trade"]
    assert socket.say(method="UNSUBSCRIBE", params=["btcusdt@trade"], id="x") == [{"result": None, "id": "x"}]
    box.client().ok("POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
    assert socket.taken() == []
    assert socket.say(method="LIST_SUBSCRIPTIONS", id=None) == [{"result": ["nope@trade"], "id": None}]


def test_streams_may_be_named_in_the_address_raw_or_combined(box):
    raw = box.socket("/ws/btcusdt@trade/btcusdt@aggTrade")
    combined = box.socket("/stream", "streams=btcusdt@trade/btcusdt@aggTrade")
    box.client().ok("POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
    plain = raw.taken()
    assert [one["e"] for one in plain] == ["trade", "aggTrade"]
    assert combined.taken() == [{"stream": f"btcusdt@{one['e']}", "data": one} for one in plain]


def test_a_connection_can_be_made_combined(box):
    socket = box.socket("/ws/btcusdt@trade")
    assert socket.say(method="GET_PROPERTY", params=["combined"], id=1) == [{"result": False, "id": 1}]
    assert socket.say(method="SET_PROPERTY", params=["combined", True], id=2) == [{"result": None, "id": 2}]
    box.client().ok("POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
    assert [one["stream"] for one in socket.taken()] == ["btcusdt@trade"]
    assert socket.say(method="SET_PROPERTY", params=["combined", 1], id=3)[0]["code"] == 1
    assert socket.say(method="SET_PROPERTY", params=["color", True], id=4) == [{"code": 0, "msg": "Unknown property"}]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", 3),
        ("[]", 2),
        ('{"id":1}', 2),
        ('{"method":"SUBSCRIBE","id":1}', 2),
        ('{"method":"SUBSCRIBE","params":"btcusdt@trade","id":1}', 2),
        ('{"method":"SUBSCRIBE","params":[1],"id":1}', 2),
        ('{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":-1}', 2),
        ('{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":true}', 2),
        ('{"method":"subscribe","params":["btcusdt@trade"],"id":1}', 2),
    ],
)
def test_a_message_that_makes_no_sense_is_refused(box, message, code):
    socket = box.socket(SPOT)
    assert [one["code"] for one in socket.say_text(message)] == [code]


@pytest.mark.parametrize(("segment", "most"), [(Segment.SPOT, 5), (Segment.LINEAR, 10)])
def test_who_says_too_much_in_a_second_is_sent_away(segment, most):
    box = Box((segment,))
    socket = box.socket(WHERE[segment])
    for number in range(most):
        assert socket.say(method="LIST_SUBSCRIPTIONS", id=number)
    assert socket.connection.closed_with is None
    socket.say(method="LIST_SUBSCRIPTIONS", id=99)
    assert socket.connection.closed_with == 1008
    other = box.socket(WHERE[segment])
    for number in range(3 * most):
        other.say(method="LIST_SUBSCRIPTIONS", id=number)
        if number % most == most - 1:
            box.step(1_000)
    assert other.connection.closed_with is None


@pytest.mark.parametrize(("segment", "most"), [(Segment.SPOT, 1_024), (Segment.LINEAR, 200)])
def test_a_connection_listens_to_so_many_streams(segment, most):
    socket = Box((segment,)).socket(WHERE[segment])
    names = [f"sym{number}@trade" for number in range(most)]
    assert socket.say(method="SUBSCRIBE", params=names, id=1) == [{"result": None, "id": 1}]
    assert socket.say(method="SUBSCRIBE", params=["one@trade"], id=2)[0]["code"] == 2
    assert len(socket.say(method="LIST_SUBSCRIPTIONS", id=3)[0]["result"]) == most


def test_usdm_serves_each_stream_on_its_own_path_alone():
    box = Box((Segment.LINEAR,))
    names = ["btcusdt@aggTrade", "btcusdt@depth@100ms", "btcusdt@bookTicker", "btcusdt@kline_1m"]
    public, market, old = (box.socket(path) for path in ("/public/ws", "/market/ws", "/fstream.binance.com/ws"))
    for socket in (public, market, old):
        assert socket.say(method="SUBSCRIBE", params=names, id=1) == [{"result": None, "id": 1}]
    box.client().ok("POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.010")
    box.step(1_100)
    kinds = [{one["e"] for one in socket.taken()} for socket in (public, market, old)]
    assert kinds[0] == {"depthUpdate", "bookTicker"}
    assert kinds[1] == {"aggTrade", "kline"}
    assert kinds[2] == kinds[0] | kinds[1]


def test_messages_with_a_speed_come_once_in_an_interval(box):
    socket = box.socket("/ws/btcusdt@depth@100ms")
    chance = random.Random(1)
    told = 0
    for _ in range(20):
        for _ in range(5):
            wander(box, Segment.SPOT, chance)
        box.step(100)
        told += len(socket.taken())
    assert 18 <= told <= 20


def test_a_candle_is_told_as_it_forms_and_once_more_when_it_is_closed(box):
    socket = box.socket("/ws/btcusdt@kline_1m")
    client = box.client()
    for _ in range(6):
        client.ok("POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
        box.step(2_000)
    box.step(60_000)
    candles = [one["k"] for one in socket.taken()]
    closed = [one for one in candles if one["x"]]
    assert 4 <= len(candles) - len(closed) <= 6
    first = closed[0]
    rows = client.public("/api/v3/klines", symbol="BTCUSDT", interval="1m")[1]
    row = next(one for one in rows if one[0] == first["t"])
    assert row[:9] == [first[key] for key in ("t", "o", "h", "l", "c", "v", "T", "q", "n")]


def test_all_symbols_are_told_in_one_array():
    box = Box((Segment.SPOT, Segment.LINEAR))
    spot = box.socket("/ws/!miniTicker@arr")
    futures = box.socket("/market/ws/!markPrice@arr@1s")
    box.client().ok("POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
    box.step(1_000)
    assert [one["s"] for one in spot.taken()[0]] == ["BTCUSDT"]
    assert {one["s"] for one in futures.taken()[0]} == set(box.exchanges[Segment.LINEAR].listings)
    # Clocks are looked at more often than the stream speaks.
    box.client().ok("POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
    for _ in range(12):
        box.step(100)
    assert [[one["s"] for one in rows] for rows in spot.taken()] == [["BTCUSDT"]]


def test_frames_are_made_once_for_all_and_told_apart_for_faults(box):
    sockets = [box.socket("/ws/btcusdt@trade") for _ in range(3)]
    box.client().ok("POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
    assert [socket.connection.kinds for socket in sockets] == [["trade"]] * 3
    first = json.dumps(sockets[0].taken())
    assert all(json.dumps(socket.taken()) == first for socket in sockets[1:])


def test_who_is_gone_is_sent_nothing(box):
    socket = box.socket("/ws/btcusdt@trade")
    socket.session.closed()
    box.client().ok("POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
    assert socket.taken() == []


@pytest.mark.parametrize("path", ["/", "/nope", "/ws-api/v4", "/private", "/dstream.binance.com/ws", "/ws-fapi/v1"])
def test_paths_that_lead_nowhere_are_refused(box, path):
    assert box.dialect.connect(FakeConnection(path)).status == 404


def test_pings_and_the_life_of_connections_are_the_venues():
    box = Box()
    second = 10**9
    for path, every, patience in (
        ("/ws", 20, 60),
        ("/ws-api/v3", 20, 60),
        ("/public/ws", 180, 600),
        ("/ws-fapi/v1", 180, 600),
        ("/dstream.binance.com/ws", 180, 600),
    ):
        limits = box.socket(path).connection.limits
        assert (limits.ping_interval, limits.pong_timeout) == (every * second, patience * second)
        assert limits.lifetime == 24 * 3600 * second


def test_windows_of_other_lengths_sum_up_the_candles_in_them(box):
    client = box.client()
    for _ in range(5):
        client.ok("POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.3")
        box.step(60_000)
    rows = client.public("/api/v3/klines", symbol="BTCUSDT", interval="1m")[1]
    now = box.clock.market.now() // 1_000_000
    for path, params in (("ticker", {"windowSize": "3m"}), ("ticker", {}), ("ticker/tradingDay", {})):
        status, row = client.public(f"/api/v3/{path}", symbol="BTCUSDT", **params)
        assert status == 200
        inside = [one for one in rows if row["openTime"] <= one[0] <= now]
        traded = [one for one in inside if one[8]]
        assert row["count"] == sum(one[8] for one in inside)
        assert D(row["volume"]) == sum(D(one[5]) for one in inside)
        assert D(row["highPrice"]) == max(D(one[2]) for one in traded)
        assert D(row["weightedAvgPrice"]) == round(D(row["quoteVolume"]) / D(row["volume"]), 8)
    assert client.public("/api/v3/ticker", symbol="BTCUSDT", windowSize="8d")[1]["code"] == -1130
    assert client.public("/api/v3/ticker", symbol="BTCUSDT", windowSize="x")[1]["code"] == -1100
    assert client.public("/api/v3/ticker")[1]["code"] == -1102
    assert client.public("/api/v3/ticker", symbols='["BTCUSDT","ETHUSDT"]')[1][1]["symbol"] == "ETHUSDT"
