"""The door: settings, life and death, what is asked of it, and the control port that says the same."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from decimal import Decimal
from http.client import HTTPConnection
from itertools import pairwise
from urllib.parse import urlsplit

import pandas as pd
import pytest
from generic_client import GenericClient

from cambist.api import DataError, ParameterError
from cambist_simulator import ExchangeSimulator, Fault, SimulatorClient
from cambist_simulator.exchange.errors import RefusedError
from cambist_simulator.exchange.listing import Segment
from cambist_simulator.exchange.orders import Status
from cambist_simulator.venue.symbols import first_price, made_listing

BTC = "BTCUSDT"
START = "2024-01-01T00:00:00Z"
D = Decimal


def simulator(**settings):
    given = {"symbols": [BTC], "speed": 0, "start": START, "seed": 4, "balances": {"BTC": 10}}
    return ExchangeSimulator("generic", **(given | settings))


@pytest.fixture
def sim():
    with simulator() as one:
        one.step("1s")
        yield one


@pytest.fixture
def control(sim):
    return SimulatorClient(sim.url)


def below(sim):
    return sim.price(BTC)["bid"] - 50


# --- life ----------------------------------------------------------------------------------------------------------


def test_it_ends_with_its_thread_and_frees_its_port():
    before = threading.active_count()
    with simulator() as one:
        port = int(one.url.rpartition(":")[2])
        with pytest.raises(ParameterError, match="runs already"):
            one.start()
        with pytest.raises(ParameterError, match=f"cannot listen on 127.0.0.1:{port}"):
            simulator(port=port).start()
    assert threading.active_count() == before
    one.stop()
    with simulator(port=port) as again:
        assert again.url.endswith(f":{port}")


def test_it_runs_in_a_loop_that_is_running():
    async def run():
        async with simulator() as one:
            one.step("1s")
            await asyncio.sleep(0.03)
            return one.place(BTC, "buy", "0.1").status

    assert asyncio.run(run()) is Status.FILLED


def test_a_market_goes_by_its_clock_or_as_fast_as_it_can():
    with simulator(speed=500) as one:
        client = GenericClient(one)
        first = client.get("/v1/time")["market_time"]
        with client.open(f"klines:{BTC}:1m", login=False) as stream:
            stream.read_until(lambda message: message["data"]["final"])
        assert client.get("/v1/time")["market_time"] - first >= 30_000
    bars = frame(minutes=30)
    with simulator(speed=None, data=bars, start=None) as one:
        assert one.call(lambda venue: venue.markets.steps) == 0  # it waits for somebody to see it
        client = GenericClient(one)
        while len(rows := client.get("/v1/klines", symbol=BTC)["klines"]) < 30:
            pass
        assert [D(row["close"]) for row in rows[:30]] == [D(str(price)) for price in bars["close"]]


def test_a_market_as_fast_as_clients_read_waits_for_the_slowest():
    with simulator(speed=None) as one:
        reader = RawReader(one)
        while not one.call(lambda venue: venue.crowded()):
            pass
        held = one.call(lambda venue: venue.markets.steps)
        assert one.call(lambda venue: venue.markets.steps) == held
        while one.call(lambda venue: venue.markets.steps) < held + 1_000:
            reader.read()
        assert one.state()["counts"] == {"opened": 1}
        reader.close()


class RawReader:
    """A client that takes what is sent to it only when it is told to."""

    def __init__(self, simulator):
        parts = urlsplit(simulator.url)
        self.socket = socket.create_connection((parts.hostname, parts.port))
        self.socket.sendall(
            b"GET /v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert self.socket.recv(12) == b"HTTP/1.1 101"
        text = json.dumps({"op": "subscribe", "channels": [f"depth:{BTC}", f"trades:{BTC}"]}).encode()
        self.socket.sendall(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text)

    def read(self):
        return self.socket.recv(1 << 20)

    def close(self):
        self.socket.close()


def frame(minutes):
    times = pd.date_range("2024-05-01", periods=minutes, freq="min", tz="UTC")
    close = [100.0 + (number * 7 % 11) / 2 for number in range(minutes)]
    opens = [100.0, *close[:-1]]
    high = [max(pair) + 0.5 for pair in zip(opens, close, strict=True)]
    low = [min(pair) - 0.5 for pair in zip(opens, close, strict=True)]
    return pd.DataFrame({"open": opens, "high": high, "low": low, "close": close, "volume": 50.0}, index=times)


def test_recorded_bars_are_played_at_their_own_times_on_their_own_tick():
    with simulator(data=frame(10), start=None, symbols=["ACMEUSD"]) as one:
        assert one.time()["market"] == pd.Timestamp("2024-05-01", tz="UTC").value
        assert one.call(lambda venue: venue.exchanges["spot"].listing("ACMEUSD")).tick_size == D("0.1")
        one.step("10m")
        rows = GenericClient(one).get("/v1/klines", symbol="ACMEUSD")["klines"]
        assert [D(row["high"]) for row in rows[:10]] == [D(str(price)) for price in frame(10)["high"]]


@pytest.mark.parametrize(
    ("settings", "error", "told"),
    [
        ({"speeed": 1}, ParameterError, "a simulator has no setting 'speeed'. Did you mean 'speed'?"),
        ({"symbols": ["btc usdt"]}, ParameterError, "is no symbol"),
        ({"symbols": ["BTCUSDT:margin"]}, ParameterError, "names the segment 'margin'"),
        ({"symbols": [BTC, BTC]}, ParameterError, "is listed already"),
        ({"data": {"ETHUSDT": None}}, ParameterError, "there is data of 'ETHUSDT'"),
        ({"data": "no_such.csv"}, ParameterError, "there is no file 'no_such.csv'"),
        ({"data": pd.DataFrame({"x": [1.0]})}, DataError, "cannot be played"),
        ({"start": "5s"}, ParameterError, "give a time"),
        ({"speed": -1}, ParameterError, "the speed of a clock is -1"),
        ({"users": []}, ParameterError, "users is empty"),
        ({"faults": [Fault("halt", symbol="DOGE")]}, ParameterError, "'symbol' of the fault 'halt' is 'DOGE'"),
        ({"faults": [Fault("halt")]}, ParameterError, "the fault 'halt' at a time needs 'symbol'"),
        ({"faults": [Fault("drop", user="zoe")]}, ParameterError, "there is no such user"),
        ({"faults": [Fault("drop", dialect="x")]}, ParameterError, "'dialect' of the fault 'drop'"),
        (
            {"faults": [Fault("http_error", label="order.plaice")]},
            ParameterError,
            "'label' of the fault 'http_error' is 'order.plaice'. Did you mean 'order.place'?",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused_with_a_remedy(settings, error, told):
    with pytest.raises(error) as refused:
        simulator(**settings)
    assert told in str(refused.value)


def test_a_venue_that_nobody_simulates():
    with pytest.raises(ParameterError, match=r"called 'genric'\. Did you mean 'generic'"):
        ExchangeSimulator("genric")


def test_several_venues_answer_below_their_names():
    with ExchangeSimulator(["generic", "binance"], symbols=[BTC], speed=0, start=START) as one:
        one.step("1s")
        addresses = one.endpoints
        assert addresses["generic rest"] == f"{one.url}/generic"
        assert all(name.startswith(("generic ", "binance ")) for name in addresses)
        assert asked(one.url, "/generic/v1/time")[0] == 200
        assert asked(one.url, "/binance/api/v3/time")[0] == 200
        assert set(one.balances()) == {"spot", "binance-spot"}


def asked(url, path, method="GET", body=None):
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname, parts.port, timeout=5)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_what_is_kept_has_bounds(tmp_path):
    path = tmp_path / "requests.jsonl"
    with simulator(kept_orders=10, log_entries=15, log_file=path) as one:
        client = GenericClient(one)
        for _ in range(30):
            assert client.place(size="0.0001").json()["status"] == "filled"
        assert [order.id for order in one.orders()] == list(range(21, 31))
        assert len(client.get("/v1/fills", symbol=BTC)["fills"]) == 10
        assert len(one.requests()) == 15
    assert len(path.read_text().splitlines()) == 31


# --- symbols -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("symbol", "base", "quote"),
    [
        ("BTCUSDT", "BTC", "USDT"),
        ("ETHBTC", "ETH", "BTC"),
        ("BTC-PERP", "BTC", "USD"),
        ("BTCUSD_PERP", "BTC", "USD"),
        ("USDT", "USDT", "USD"),
        ("ACME", "ACME", "USD"),
    ],
)
def test_symbols_are_split_into_what_they_are_of(symbol, base, quote):
    listing = made_listing(symbol, Segment.SPOT)
    assert (listing.base, listing.quote) == (base, quote)
    assert first_price(listing) > 0
    assert first_price(listing) % listing.tick_size == 0


def test_tiers_of_futures_leave_no_jump_in_margin():
    for segment in (Segment.LINEAR, Segment.INVERSE):
        tiers = made_listing("BTCUSDT", segment).brackets
        for lower, upper in pairwise(tiers):
            edge = lower.cap
            assert edge == upper.floor
            assert edge * lower.maintenance_rate - lower.cumulative == edge * upper.maintenance_rate - upper.cumulative


# --- what happened, in process and over the control port -----------------------------------------------------------


def test_both_doors_tell_the_same(sim, control):
    client = GenericClient(sim)
    client.place(price=str(below(sim)), size="0.5")
    client.place("sell", "0.25")
    assert [one["id"] for one in control.orders()] == [one.id for one in sim.orders()] == [1, 2]
    assert [one["id"] for one in control.orders(user="trader", symbol=BTC, open_only=True)] == [1]
    assert [D(one["size"]) for one in control.fills()] == [one.size for one in sim.fills()]
    assert {asset: D(one["free"]) for asset, one in control.balances("trader")["spot"].items()} == {
        asset: one.free for asset, one in sim.balances()["spot"].items()
    }
    assert control.keys()[0]["key"] == sim.credentials().key
    requests = control.requests(label="order.place")
    assert [one["raw"].encode() for one in requests] == [one.raw for one in sim.requests(label="order.place")]
    assert requests[0]["raw"].startswith("POST /v1/order HTTP/1.1\r\nHost: 127.0.0.1:")
    assert requests[-1]["answer"].startswith('{"id":2,')
    assert control.requests(after=requests[-1]["number"]) == []
    assert control.state()["requests"]["rest"] == 2 == sim.state()["requests"]["rest"]
    assert control.positions() == {}
    with client.open("private"):
        (connection,) = control.connections()
        assert (connection["user"], connection["label"]) == ("trader", "stream")
        assert control.close_connections(connection["id"], code=1012) == [connection["id"]]


def test_the_latest_orders_are_those_that_came_last(sim):
    numbers = [sim.place(BTC, "buy", "0.01", below(sim)).id for _ in range(5)]
    sim.place(BTC, "buy", "0.01")
    assert [one.id for one in sim.orders(latest=3)] == [*numbers[-2:], numbers[-1] + 1]
    assert sim.orders(latest=0) == []
    state = sim.state()
    assert (state["orders"], state["open_orders"]) == (6, 5)


def test_copies_do_not_change_with_the_venue(sim):
    order = sim.place(BTC, "buy", "0.5", below(sim))
    (before,) = sim.orders()
    money = sim.balances()["spot"]["USDT"]
    locked = money.locked
    sim.call(lambda venue: venue.exchanges["spot"].cancel("trader", BTC, order_id=order.id))
    assert before.status is Status.NEW
    assert money.locked == locked > sim.balances()["spot"]["USDT"].locked == 0


def test_faults_over_the_control_port(sim, control):
    number = control.add_fault("http_error", label="time", status=599, count=1)
    assert [(one["id"], one["on"], one["fired"]) for one in control.faults()] == [(number, "request", 0)]
    assert asked(sim.url, "/v1/time")[0] == 599
    assert [(one["fault"], one["action"]) for one in control.fired()] == [(number, "http_error")]
    assert control.faults()[0]["over"] is True
    ids = control.add_script("[[fault]]\naction = 'drop'\n[[fault]]\naction = 'delay'\nby = '1s'\n")
    control.remove_fault(ids[0])
    assert [one["action"] for one in control.faults()] == ["http_error", "delay"]
    control.remove_fault()
    assert control.faults() == []
    with pytest.raises(ParameterError, match="there is no fault number 77; at work: none"):
        control.remove_fault(77)
    with pytest.raises(ParameterError, match="Did you mean 'disconnect'"):
        control.add_fault("disconect")
    with pytest.raises(ParameterError, match="fault 1: there is no fault called 'x'"):
        control.add_script("[[fault]]\naction = 'x'\n")


def test_time_over_the_control_port(sim, control):
    before = control.clock()
    after = control.clock(step="1m")
    assert after["market"] - before["market"] == 60_000_000_000
    shifted = control.clock(shift="-2h")
    assert shifted["server"] < before["server"]
    assert control.clock(speed=60)["market_speed"] == 60
    sim.set_speed(0)
    assert control.clock()["market_speed"] == 0
    for change, told in (
        ({"speed": "fast"}, "give a number"),
        ({"speed": -1}, "the speed of a clock"),
        ({"step": "-1s"}, "goes back"),
        ({"hold": 1}, "a clock has no 'hold'"),
    ):
        with pytest.raises(ParameterError, match=told):
            control.clock(**change)


def test_the_market_over_the_control_port(sim, control):
    assert control.set_symbol(BTC, status="halt")["status"] == "halt"
    with pytest.raises(ParameterError, match="market_closed"):
        control.place(BTC, "buy", "0.1")
    assert control.set_symbol(BTC, status="trading", tick_size="0.5", min_size="0.01")["tick_size"] == "0.5"
    control.set_symbol(BTC, tick_size="0.01")
    order = control.place(BTC, "buy", "0.5", below(sim), client_id="web")
    assert (order["client_id"], order["status"]) == ("web", "new")
    control.trade(BTC, "sell", "1000", order["price"])
    assert sim.orders()[-1].status is Status.FILLED
    sim.step("1s")
    before = sim.price(BTC)["bid"]
    control.jump(BTC, 0.5)
    sim.step("1s")
    assert sim.price(BTC)["bid"] > before
    with pytest.raises(ParameterError, match="give 'buy' or 'sell'"):
        control.trade(BTC, "long", "1", "1")
    with pytest.raises(ParameterError, match="no exchange lists 'DOGE'"):
        control.place("DOGE", "buy", "1")
    with pytest.raises(ParameterError, match="'DOGE' has no random market"):
        control.jump("DOGE", 0.5)


def test_money_and_users_over_the_control_port(sim, control):
    (key,) = control.add_user("zoe")
    assert key["key"] == sim.credentials("zoe").key
    control.deposit("USDT", "12.5", user="zoe")
    assert sim.balances("zoe")["spot"]["USDT"].free == D("12.5")
    control.deposit("USDT", "-2.5", user="zoe", exchange="spot")
    assert sim.balances("zoe")["spot"]["USDT"].free == 10
    for given, told in (
        ({"asset": "USDT", "amount": "-11", "user": "zoe"}, "insufficient"),
        ({"asset": "USDT", "amount": "much"}, "give a number"),
        ({"asset": "USDT", "amount": "1", "exchange": "moon"}, "there is no exchange 'moon'"),
        ({"asset": "USDT", "amount": "1", "user": "max"}, "there is no user 'max'"),
    ):
        with pytest.raises(ParameterError, match=told):
            control.deposit(**given)
    with pytest.raises(ParameterError, match="there is a user 'zoe' already"):
        control.add_user("zoe")


def test_a_restart_over_the_control_port(sim, control):
    control.restart(0)
    while sim.state()["restarts"] == 0:
        pass
    while True:
        try:
            assert control.state()["restarts"] == 1
            break
        except (ConnectionError, OSError):
            continue


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/_sim/nothing", None, 404),
        ("PUT", "/_sim/state", None, 404),
        ("POST", "/_sim/faults", b"{", 400),
        ("POST", "/_sim/faults", b"\xff", 400),
        ("POST", "/_sim/faults", b"[" * 100_000, 400),
        ("POST", "/_sim/faults", b"7", 400),
        ("POST", "/_sim/faults", b"[7]", 400),
        ("POST", "/_sim/clock", b"[]", 400),
        ("POST", "/_sim/orders", b"{}", 400),
        ("DELETE", "/_sim/faults?id=x", None, 400),
        ("GET", "/_sim/requests?after=-1", None, 400),
        ("GET", "/_sim/orders?user=nobody", None, 400),
    ],
)
def test_the_control_port_refuses_what_it_cannot_read(sim, method, path, body, status):
    assert asked(sim.url, path, method, body)[0] == status
    assert sim.state()["counts"].get("errors", 0) == 0


def test_faults_do_not_strike_the_control_port(sim, control):
    sim.add_fault("http_error", path="*")
    assert asked(sim.url, "/v1/time")[0] == 503
    assert control.state()["fired"] == 1


def test_a_client_needs_an_address():
    with pytest.raises(ParameterError, match="is no address of a simulator"):
        SimulatorClient("127.0.0.1:8600")


def test_errors_in_the_venue_reach_the_caller(sim):
    with pytest.raises(RefusedError):
        sim.place(BTC, "buy", "1000000")
    with pytest.raises(ParameterError, match="give 'buy' or 'sell'"):
        sim.place(BTC, "hold", 1)
    with pytest.raises(ParameterError, match="there is no user 'x'"):
        sim.credentials("x")


def test_the_public_names_are_what_they_say():
    import cambist_simulator

    for name in cambist_simulator.__all__:
        assert getattr(cambist_simulator, name).__module__.startswith("cambist_simulator.")
    assert set(cambist_simulator.__all__) <= set(dir(cambist_simulator))
    with pytest.raises(AttributeError, match="has no attribute 'Exchange'"):
        _ = cambist_simulator.Exchange
