"""Every fault of the vocabulary, once at least, as a client over the wire suffers it."""

from __future__ import annotations

import itertools
import json
import socket
import time
from decimal import Decimal
from http.client import BadStatusLine, IncompleteRead, RemoteDisconnected
from pathlib import Path

import pytest
from generic_client import GenericClient
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus

from cambist_simulator import ExchangeSimulator
from cambist_simulator.exchange.orders import Status
from cambist_simulator.faults.vocabulary import ACTIONS

BTC = "BTCUSDT"
START = 1_704_067_200_000_000_000
CUT = (ConnectionResetError, RemoteDisconnected, BadStatusLine)


@pytest.fixture
def sim():
    """A venue whose clocks stand still, with a market that has begun."""
    settings = {"symbols": [BTC], "start": START, "frozen": True, "speed": 0, "seed": 5, "balances": {"BTC": 100}}
    with ExchangeSimulator("generic", **settings) as simulator:
        simulator.step("1s")
        yield simulator
        assert simulator.state()["counts"].get("errors", 0) == 0


@pytest.fixture
def client(sim):
    return GenericClient(sim, now=lambda: sim.time()["server"] // 1_000_000, timeout=5.0)


def resting(sim):
    """Return a price at which a buy order rests."""
    return str(sim.price(BTC)["bid"] - Decimal(50))


def names(sim):
    return [one.action for one in sim.fired()]


def until(true, seconds=5.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.002)


# --- answers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stage", "orders"), [("before", 0), ("after", 1)])
def test_http_error(sim, client, stage, orders):
    sim.add_fault("http_error", label="order.place", nth=2, status=502, stage=stage)
    assert client.place(price=resting(sim)).status == 200
    answer = client.place(price=resting(sim))
    assert answer.status == 502
    assert answer.json()["error"]
    assert client.place(price=resting(sim)).status == 200
    assert len(sim.orders()) == 2 + orders
    assert names(sim) == ["http_error"]
    spoilt = [one for one in sim.requests() if one.faults]
    assert [(one.status, one.label, one.faults) for one in spoilt] == [(502, "order.place", ["http_error"])]
    assert b'"type": "limit"' in spoilt[0].raw


def test_what_can_strike_no_more_costs_no_look(sim, client):
    sim.add_fault("http_error", label="time", nth=1)
    sim.add_fault("drop", kind="trade", nth=1)
    looks = [lambda venue: venue.faults.on_requests, lambda venue: venue.server.tampers_frames]
    assert [sim.call(one) for one in looks] == [True, True]
    with client.open(f"trades:{BTC}", login=False) as stream:
        assert client.ask("GET", "/v1/time").status == 503
        print_trades(sim, 2)
        stream.read()
        until(lambda: [sim.call(one) for one in looks] == [False, False])
    sim.add_fault("http_error", label="time", nth=1)
    assert client.ask("GET", "/v1/time").status == 503


def test_an_http_error_with_a_body_of_its_own(sim, client):
    sim.add_fault("http_error", path="/v1/time", status=418, body="<no>", content_type="text/xml")
    answer = client.ask("GET", "/v1/time")
    assert (answer.status, answer.raw, answer.headers["Content-Type"]) == (418, b"<no>", "text/xml")


def test_rate_limit(sim, client):
    sim.add_fault("rate_limit", label="order.place", count=1, retry_after="1500ms")
    answer = client.place(price=resting(sim))
    assert (answer.status, answer.headers["Retry-After"]) == (429, "2")
    assert not sim.orders()
    assert client.place(price=resting(sim)).status == 200


@pytest.mark.parametrize(("stage", "orders"), [("before", 0), ("after", 1)])
def test_timeout(sim, client, stage, orders):
    sim.add_fault("timeout", label="order.place", nth=1, stage=stage)
    client.timeout = 0.2
    with pytest.raises(TimeoutError):
        client.place(price=resting(sim))
    assert len(sim.orders()) == orders


@pytest.mark.parametrize(("stage", "orders"), [("before", 0), ("after", 1)])
def test_reset_of_a_request(sim, client, stage, orders):
    sim.add_fault("reset", label="order.place", nth=1, stage=stage)
    with pytest.raises(CUT):
        client.place(price=resting(sim))
    assert len(sim.orders()) == orders
    assert client.place(price=resting(sim)).status == 200


def test_delay_answer(sim, client):
    sim.add_fault("delay_answer", label="time", by="2s")
    client.timeout = 0.2
    with pytest.raises(TimeoutError):
        client.ask("GET", "/v1/time")
    sim.remove_fault()
    sim.add_fault("delay_answer", label="order.place", by="2s")
    with client.open("private") as stream:
        stream.send("place", order={"symbol": BTC, "side": "buy", "type": "limit", "size": "1", "price": resting(sim)})
        assert stream.read()["type"] == "order"
        assert stream.reads_nothing() or all("id" not in one for one in stream.kept)
        sim.step("2s")
        assert stream.read_until(lambda one: "id" in one)["ok"] is True
    assert [one.faults for one in sim.requests(kind="message") if b"place" in one.raw] == [["delay_answer"]]


def test_truncated(sim, client):
    sim.add_fault("truncated", label="order.place", nth=1)
    with pytest.raises(IncompleteRead):
        client.place(price=resting(sim))
    sim.add_fault("truncated", label="order.place", nth=1, announced=False, keep=0.25)
    answer = client.place(price=resting(sim))
    assert answer.status == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert len(sim.orders()) == 2


@pytest.mark.parametrize("action", ["not_json", "html", "empty_body"])
def test_bodies_that_say_nothing(sim, client, action):
    sim.add_fault(action, label="order.place", nth=1, **({} if action == "empty_body" else {"stage": "after"}))
    answer = client.place(price=resting(sim))
    assert answer.status == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert len(sim.orders()) == 1
    if action == "html":
        assert answer.headers["Content-Type"].startswith("text/html")
        assert answer.raw.startswith(b"<!DOCTYPE html>")


# --- frames --------------------------------------------------------------------------------------------------------


def trades(stream, count):
    return [stream.read_until(lambda one: one.get("channel") == f"trades:{BTC}")["data"]["id"] for _ in range(count)]


def print_trades(sim, count):
    """Let `count` trades be printed that nobody's order meets."""
    first = sim.price(BTC)["last"]
    for _ in range(count):
        sim.trade(BTC, "buy", "0.1", first)


@pytest.mark.parametrize(
    ("action", "settings", "heard"),
    [
        ("drop", {"nth": 2}, [1, 3, 4, 5]),
        ("drop", {"every": 2}, [1, 3, 5]),
        ("duplicate", {"nth": 2, "times": 2}, [1, 2, 2, 2, 3, 4, 5]),
        ("reorder", {"nth": 2}, [1, 3, 2, 4, 5]),
        ("reorder", {"nth": 2, "span": 2}, [1, 3, 4, 2, 5]),
        ("sequence_gap", {"kind": "trade", "nth": 2, "frames": 2}, [1, 4, 5]),
        ("delay", {"nth": 2, "by": "1s"}, [1, 3, 4, 5, 2]),
        ("stall", {"nth": 2, "for": "1s"}, [1, 2, 3, 4, 5]),
    ],
)
def test_single_frames(sim, client, action, settings, heard):
    with client.open(f"trades:{BTC}", login=False) as stream:
        sim.add_fault(action, **{"kind": "trade", "symbol": BTC} | settings)
        first = sim.call(lambda venue: venue.exchanges["spot"].book(BTC).trades)
        print_trades(sim, 5)
        if action in {"delay", "stall"}:
            assert (
                trades(stream, 4 if action == "delay" else 1)
                == [first + one for one in heard][: 4 if action == "delay" else 1]
            )
            assert stream.reads_nothing()
            sim.call(lambda venue: (venue.clock.server.shift(1_000_000_000), venue.server.tick()))
            rest = heard[4:] if action == "delay" else heard[1:]
            assert trades(stream, len(rest)) == [first + one for one in rest]
        else:
            assert trades(stream, len(heard)) == [first + one for one in heard]
        assert stream.reads_nothing()
    assert set(names(sim)) == {action}


def updates(stream, count):
    return [stream.read_until(lambda one: one.get("type") == "update")["data"] for _ in range(count)]


def test_a_gap_in_the_sequence_of_the_book(sim, client):
    with client.open(f"depth:{BTC}", login=False) as stream:
        sim.add_fault("sequence_gap", nth=3, frames=2)
        sim.step("1s")
        seen = updates(stream, 5)
        gaps = [b["first"] - a["last"] for a, b in itertools.pairwise(seen)]
        assert gaps[0] == 1
        assert gaps[1] > 1
        assert gaps[2:] == [1, 1]


def test_a_book_that_stands_still_while_trades_go_on(sim, client):
    with client.open(f"depth:{BTC}", f"trades:{BTC}", login=False) as stream:
        snapshot = stream.read()["data"]["id"]
        sim.add_fault("stale_book", symbol=BTC, nth=1, for_="3s")
        sim.step("2s")
        trades(stream, 3)
        while not stream.reads_nothing():
            assert stream.read().get("channel") == f"trades:{BTC}"
        sim.step("2s")
        seen = updates(stream, 20)
        assert seen[0]["first"] == snapshot + 1
        assert all(b["first"] == a["last"] + 1 for a, b in itertools.pairwise(seen))


def test_a_fill_that_nobody_hears_of(sim, client):
    with client.open("private") as stream:
        sim.add_fault("lost_fill", nth=1)
        number = client.place(size="0.0001").json()["id"]
        said = [stream.read() for _ in range(2)]
        assert [(one["type"], one["data"].get("what")) for one in said] == [("order", "new"), ("balance", None)]
        assert [one["seq"] for one in said] == [1, 3]
        assert client.query(number).json()["status"] == "filled"


def test_a_frame_whose_text_is_cut(sim, client):
    with client.open(f"trades:{BTC}", login=False) as stream:
        sim.add_fault("corrupt_frame", kind="trade", nth=1)
        print_trades(sim, 2)
        with pytest.raises(json.JSONDecodeError):
            stream.read()
        assert stream.read()["channel"] == f"trades:{BTC}"


def test_a_connection_that_ends_within_a_frame(sim, client):
    with client.open(f"trades:{BTC}", login=False) as stream:
        sim.add_fault("cut_mid_frame", kind="trade", nth=2)
        print_trades(sim, 2)
        stream.read()
        with pytest.raises(ConnectionClosedError):
            stream.read()


# --- connections ---------------------------------------------------------------------------------------------------


def test_disconnect_and_reset_of_the_connections_of_a_user(sim, client):
    sim.add_user("other")
    with client.open("private") as mine, GenericClient(sim, "other", now=client.now).open("private") as other:
        sim.add_fault("disconnect", user="trader", code=1012, reason="bye")
        with pytest.raises(ConnectionClosedError) as end:
            mine.read()
        assert (end.value.rcvd.code, end.value.rcvd.reason) == (1012, "bye")
        assert other.ask("ping")["ok"]
        sim.add_fault("reset", user="other", at="0s")
        with pytest.raises(ConnectionClosedError) as end:
            other.read()
        assert end.value.rcvd is None


def test_disconnect_at_a_frame_and_at_a_request(sim, client):
    with client.open(f"trades:{BTC}", login=False) as stream:
        sim.add_fault("disconnect", kind="trade", nth=2)
        print_trades(sim, 2)
        stream.read()
        with pytest.raises((ConnectionClosedError, ConnectionClosedOK)):
            stream.read()
    sim.add_fault("disconnect", label="order.place", nth=1)
    with client.open("private") as stream:
        assert client.place(price=resting(sim)).status == 200
        assert stream.read()["type"] == "order"
        with pytest.raises((ConnectionClosedError, ConnectionClosedOK)):
            stream.read_until(lambda one: False)


def test_half_open(sim, client):
    with client.open(f"trades:{BTC}", login=False) as stream:
        sim.add_fault("half_open", for_="5s")
        until(lambda: sim.connections()[0]["mute"])
        print_trades(sim, 2)
        stream.send("ping")
        waiter = stream.ws.ping()
        assert stream.reads_nothing()
        assert not waiter.wait(0.05)
        sim.step("6s")
        assert stream.read_until(lambda one: one.get("channel") == f"trades:{BTC}")


def test_a_silent_subscription_is_acknowledged(sim, client):
    sim.add_fault("silent_subscription", label="subscribe", nth=1)
    with client.open(login=False) as silent, client.open(login=False) as sound:
        assert silent.ask("subscribe", channels=[f"trades:{BTC}"])["ok"]
        assert sound.ask("subscribe", channels=[f"trades:{BTC}"])["ok"]
        print_trades(sim, 1)
        assert sound.read()["channel"] == f"trades:{BTC}"
        assert silent.reads_nothing()
        assert silent.ask("ping")["ok"]


def test_refuse_connection(sim, client):
    sim.add_fault("refuse_connection", nth=1, status=429)
    with pytest.raises(InvalidStatus) as refused:
        client.open()
    assert refused.value.response.status_code == 429
    with client.open():
        pass


@pytest.mark.parametrize(("action", "code"), [("slow_consumer", None), ("end_of_life", 1001)])
def test_ends_that_the_venue_has_reasons_for(sim, client, action, code):
    with client.open("private") as stream:
        sim.add_fault(action)
        with pytest.raises(ConnectionClosedError if code is None else ConnectionClosedOK) as end:
            stream.read()
        assert (None if end.value.rcvd is None else end.value.rcvd.code) == code


@pytest.mark.parametrize(
    ("action", "note"),
    [
        ("expire_listen_keys", "no dialect has listen keys"),
        ("end_user_streams", "no dialect has user streams to end"),
        ("announce_shutdown", "no dialect has a word for it"),
    ],
)
def test_a_venue_that_has_no_such_thing_says_so(sim, action, note):
    sim.add_fault(action)
    until(sim.fired)
    assert sim.fired()[0].note == note


# --- orders --------------------------------------------------------------------------------------------------------


def test_late_visibility(sim, client):
    sim.add_fault("late_visibility", label="order.place", nth=1, for_="2s")
    number = client.place(price=resting(sim)).json()["id"]
    assert client.query(number).status == 404
    assert client.get("/v1/orders", open="true")["orders"] == []
    assert [one.id for one in sim.orders()] == [number]
    sim.step("2s")
    assert client.query(number).json()["id"] == number


def test_an_order_that_queries_do_not_find_yet_can_be_canceled(sim, client):
    sim.add_fault("late_visibility", nth=1, for_="2s")
    number = client.place(price=resting(sim)).json()["id"]
    assert client.cancel(number).json()["status"] == "canceled"


def test_partial_fills(sim, client):
    sim.add_fault("partial_fills", nth=1, parts=3, share=0.5)
    with client.open("private") as stream:
        answer = client.place(price=resting(sim), size="0.6").json()
        assert (answer["status"], answer["filled"]) == ("new", "0")
        fills = [stream.read_until(lambda one: one["data"].get("fill"))["data"] for _ in range(3)]
        assert [one["fill"]["size"] for one in fills] == ["0.1000"] * 3
        assert fills[-1]["order"]["status"] == "partially_filled"


@pytest.mark.parametrize("over_ws", [False, True])
def test_fill_before_ack(sim, client, over_ws):
    sim.add_fault("fill_before_ack", nth=1)
    terms = {"symbol": BTC, "side": "buy", "type": "limit", "size": "0.6", "price": resting(sim)}
    with client.open("private") as stream:
        if over_ws:
            answer = stream.ask("place", order=terms)["result"]
            heard = stream.kept
        else:
            answer = client.ask("POST", "/v1/order", terms).json()
            heard = [stream.read() for _ in range(4)]
        assert answer["status"] == "new"
        assert any(one["data"].get("what") == "trade" for one in heard)
    assert sim.orders()[0].status is Status.FILLED


@pytest.mark.parametrize(("share", "status", "end"), [(1.0, 404, "filled"), (0.5, 200, "canceled")])
def test_fill_during_cancel(sim, client, share, status, end):
    number = client.place(price=resting(sim), size="0.6").json()["id"]
    sim.add_fault("fill_during_cancel", nth=1, share=share)
    assert client.cancel(number).status == status
    order = client.query(number).json()
    assert (order["status"], Decimal(order["filled"])) == (end, Decimal("0.6") * Decimal(share))


def test_reject_after_ack(sim, client):
    sim.add_fault("reject_after_ack", nth=1, reason="risk")
    with client.open("private") as stream:
        assert client.place(price=resting(sim)).json()["status"] == "new"
        order = stream.read_until(lambda one: one["data"].get("what") == "rejected")["data"]["order"]
        assert (order["status"], order["reason"]) == ("rejected", "risk")
    assert sim.balances()["spot"]["USDT"].locked == 0


def test_a_foreign_order_and_its_cancel(sim, client):
    with client.open("private") as stream:
        price = resting(sim)
        sim.add_fault("foreign_order", user="trader", symbol=BTC, side="buy", size="0.2", price=price, client_id="web")
        order = stream.read()["data"]["order"]
        assert (order["client_id"], order["size"], order["price"]) == ("web", "0.2", price)
        sim.add_fault("foreign_cancel", user="trader")
        assert (
            stream.read_until(lambda one: one["data"].get("what") == "canceled")["data"]["order"]["id"] == order["id"]
        )


def test_the_dead_mans_switch(sim, client):
    mine = [client.place(price=resting(sim)).json()["id"] for _ in range(2)]
    sim.add_fault("dead_man", user="trader")
    until(lambda: not sim.orders(open_only=True))
    assert [client.query(one).json()["status"] for one in mine] == ["canceled", "canceled"]


# --- the venue -----------------------------------------------------------------------------------------------------


def test_clock_skew(sim, client):
    honest = client.now()
    sim.add_fault("clock_skew", by="10s")
    until(sim.fired)
    client.now = lambda: honest
    answer = client.ask("GET", "/v1/account")
    assert (answer.status, answer.json()["error"]["code"]) == (401, "bad_time")


def test_clock_drift():
    with ExchangeSimulator("generic", symbols=[BTC], speed=0) as simulator:
        simulator.add_fault("clock_drift", rate=99, for_="10s")
        until(simulator.fired)
        assert simulator.fired()[0].note == "100 s in a second"
        until(lambda: simulator.time()["server_speed"] == 1)


def test_maintenance(sim, client):
    with client.open("private") as stream:
        sim.add_fault("maintenance", for_="30s")
        with pytest.raises((ConnectionClosedOK, ConnectionClosedError)):
            stream.read()
    assert client.ask("GET", "/v1/time").status == 503
    with pytest.raises(InvalidStatus):
        client.open()
    sim.step("30s")
    assert client.ask("GET", "/v1/time").status == 200
    with client.open("private"):
        pass


def test_restart_keeps_orders_and_money(sim, client):
    number = client.place(price=resting(sim)).json()["id"]
    before = sim.balances()["spot"]["USDT"].locked
    with client.open("private") as stream:
        sim.add_fault("restart", down="1s")
        with pytest.raises(ConnectionClosedError):
            stream.read()
    with pytest.raises((ConnectionRefusedError, ConnectionResetError)):  # who comes just as the door closes is reset
        client.ask("GET", "/v1/time")
    sim.step("1s")
    until(lambda: is_open(sim))
    assert client.query(number).json()["status"] == "new"
    assert sim.balances()["spot"]["USDT"].locked == before > 0


def is_open(sim):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(sim.url.rpartition(":")[2]))) == 0


def test_halt(sim, client):
    sim.add_fault("halt", symbol=BTC, for_="10s")
    until(sim.fired)
    assert client.place(price=resting(sim)).json()["error"]["code"] == "market_closed"
    sim.step("10s")
    assert client.place(price=resting(sim)).status == 200


def test_rule_change(sim, client):
    sim.add_fault("rule_change", symbol=BTC, tick_size=1, min_notional=1_000)
    until(sim.fired)
    price = str(int(Decimal(resting(sim))))
    assert client.place(price=f"{price}.01").json()["error"]["details"]["filter"] == "price"
    assert client.place(price=price, size="0.001").json()["error"]["details"]["filter"] == "notional"
    assert client.place(price=price).status == 200


def test_what_the_venue_cannot_do_is_noted(sim, client):
    sim.add_fault("rule_change", symbol=BTC, tick_size=0)
    until(sim.fired)
    assert sim.fired()[0].note.startswith("not possible: BTCUSDT: the new tick_size 0 is no multiple of 0.01")
    assert client.place(price=resting(sim)).status == 200


def test_price_jump(sim):
    before = sim.price(BTC)["bid"]
    sim.add_fault("price_jump", symbol=BTC, by=-0.1)
    sim.step("1s")
    assert Decimal("0.88") < sim.price(BTC)["bid"] / before < Decimal("0.92")


def test_crossed_book(sim, client):
    with client.open(f"depth:{BTC}", login=False) as stream:
        snapshot = stream.read()["data"]
        sim.add_fault("crossed_book", symbol=BTC, for_="1s", ticks=3)
        crossed = updates(stream, 1)[0]
        bid = Decimal(crossed["bids"][0][0])
        assert bid == Decimal(snapshot["asks"][0][0]) + Decimal("0.03")
        assert crossed["first"] == snapshot["id"] + 1
        sim.step("2s")
        after = stream.read_until(lambda one: any(Decimal(price) == bid for price, _ in one["data"].get("bids", ())))
        assert dict(after["data"]["bids"])[f"{bid:f}"] is not None
        assert not sim.orders()


def test_every_fault_of_the_vocabulary_is_here():
    """But for liquidations, which have tests of their own with futures."""
    tests = Path(__file__).read_text(encoding="utf-8").partition("def test_every_fault")[0]
    assert [name for name in ACTIONS if f'"{name}"' not in tests] == ["liquidation"]
