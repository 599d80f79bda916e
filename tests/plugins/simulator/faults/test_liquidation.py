"""A liquidation on purpose, as the client of the account hears of it."""

from __future__ import annotations

from decimal import Decimal

from generic_client import GenericClient

from cambist_simulator import ExchangeSimulator


def test_a_position_is_liquidated_and_the_client_hears_of_it():
    settings = {"symbols": ["ETHUSDT:linear"], "start": "2024-01-01", "frozen": True, "speed": 0, "seed": 2}
    with ExchangeSimulator("generic", **settings) as simulator:
        simulator.step("2s")
        client = GenericClient(simulator, now=lambda: simulator.time()["server"] // 1_000_000)
        with client.open("private") as stream:
            simulator.add_fault("liquidation", user="trader", symbol="ETHUSDT", label="order.place", nth=1)
            assert client.place("buy", "2", symbol="ETHUSDT").json()["status"] == "filled"
            held = Decimal(0)
            while held != Decimal(2):
                held = Decimal(stream.read_until(lambda one: one["type"] == "position")["data"]["size"])
            while held:
                held = Decimal(stream.read_until(lambda one: one["type"] == "position")["data"]["size"])
        assert client.get("/v1/positions")["positions"] == []
        assert simulator.fired()[0].note == "liquidated"
        system = [one for one in simulator.orders() if one.system]
        assert {one.system for one in system} == {"liquidation"}
        assert sum(one.filled for one in system) == 2


def test_nobody_is_liquidated_who_has_no_position():
    settings = {"symbols": ["ETHUSDT:linear"], "start": "2024-01-01", "speed": 0}
    with ExchangeSimulator("generic", **settings) as simulator:
        simulator.step("2s")
        simulator.add_fault("liquidation", user="trader", symbol="ETHUSDT")
        while not simulator.fired():
            pass
        assert simulator.fired()[0].note == "there is no position"
