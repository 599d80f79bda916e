"""Whatever users and the market do, streams and queries tell the same story."""

from __future__ import annotations

import json
import random

import pytest
from venue_box import SIZES, SYMBOLS, Box, D, Segment

from cambist.model import Side

PREFIX = {Segment.SPOT: "/api/v3", Segment.LINEAR: "/fapi/v1", Segment.INVERSE: "/dapi/v1"}


class Trader:
    """Somebody who does this and that, and believes what his stream says."""

    def __init__(self, box, segment, user, chance):
        self.box, self.segment, self.chance = box, segment, chance
        self.client = box.client(user)
        self.prefix, self.symbol = PREFIX[segment], SYMBOLS[segment]
        self.orders, self.algos, self.balances, self.positions = {}, {}, {}, {}
        if segment is Segment.SPOT:
            self.socket = box.socket("/ws-api/v3")
            params = self.client.ws_params()
            self.socket.say(id=1, method="userDataStream.subscribe.signature", params=params)
        else:
            key = self.client.ok("POST", f"{self.prefix}/listenKey")["listenKey"]
            path = "/private/ws" if segment is Segment.LINEAR else "/dstream.binance.com/ws"
            self.socket = box.socket(path, f"listenKey={key}")
        self.refusals = set()

    def listen(self):
        for message in self.socket.taken():
            event = message.get("event", message)
            kind = event["e"]
            if kind == "executionReport":
                assert (D(event["z"]) <= D(event["q"])) or event["X"] == "FILLED"
                self.orders[event["i"]] = event["X"], D(event["z"])
            elif kind == "outboundAccountPosition":
                self.balances |= {row["a"]: (D(row["f"]), D(row["l"])) for row in event["B"]}
            elif kind == "ORDER_TRADE_UPDATE":
                self.orders[event["o"]["i"]] = event["o"]["X"], D(event["o"]["z"])
            elif kind == "ALGO_UPDATE":
                self.algos[event["o"]["aid"]] = event["o"]["X"]
            elif kind == "ACCOUNT_UPDATE":
                self.balances |= {row["a"]: D(row["wb"]) for row in event["a"]["B"]}
                self.positions |= {(row["s"], row["ps"]): D(row["pa"]) for row in event["a"]["P"]}

    def do(self, method, path, **params):
        status, answer = self.client.signed(method, f"{self.prefix}/{path}", **params)
        assert status in {200, 400, 409}, answer
        if isinstance(answer, dict) and "code" in answer:
            self.refusals.add(answer["code"])
        return answer

    def price(self, side):
        tick = self.box.exchanges[self.segment].listing(self.symbol).tick_size
        away = self.chance.choice([-8, -2, 3, 5, 20, 400]) * tick * self.chance.randint(1, 9)
        return D("50000") - away if side == "BUY" else D("50000") + away

    def act(self):
        """Do something."""
        chance, symbol = self.chance, self.symbol
        side = chance.choice(["BUY", "SELL"])
        size = SIZES[self.segment] / 100 * chance.randint(1, 40)
        terms = {"symbol": symbol, "side": side, "quantity": size}
        limit = terms | {"type": "LIMIT", "timeInForce": chance.choice(["GTC", "GTC", "IOC", "FOK"])}
        limit["price"] = self.price(side)
        known = chance.choice(list(self.orders) or [1])
        what = chance.randrange(9)
        if what <= 2:
            self.do("POST", "order", **limit)
        elif what == 3:
            self.do("POST", "order", **terms, type="MARKET")
        elif what == 4:
            self.do("DELETE", "order", symbol=symbol, orderId=max(known, 1))
        elif self.segment is Segment.SPOT:
            self.act_on_spot(what, terms, limit, max(known, 1))
        else:
            self.act_on_futures(what, terms, max(known, 1))

    def act_on_spot(self, what, terms, limit, known):
        stop = self.price("SELL" if terms["side"] == "BUY" else "BUY")
        if what == 5:
            self.do("POST", "order", **terms, type=self.chance.choice(["STOP_LOSS", "TAKE_PROFIT"]), stopPrice=stop)
        elif what == 6:
            mode = self.chance.choice(["STOP_ON_FAILURE", "ALLOW_FAILURE"])
            self.do("POST", "order/cancelReplace", **limit, cancelReplaceMode=mode, cancelOrderId=known)
        elif what == 7:
            legs = {"aboveType": "LIMIT_MAKER", "abovePrice": "50002.50", "belowType": "STOP_LOSS"}
            common = {"symbol": self.symbol, "side": "SELL", "quantity": terms["quantity"]}
            self.do("POST", "orderList/oco", **common, **legs, belowStopPrice="49995")
        else:
            self.do("DELETE", "openOrders", symbol=self.symbol)

    def act_on_futures(self, what, terms, known):
        rising = terms["side"] == "BUY"
        if what == 5:
            kind = self.chance.choice(["STOP_MARKET", "TAKE_PROFIT_MARKET"])
            tick = self.box.exchanges[self.segment].listing(self.symbol).tick_size
            at = D("50000") + (8 if rising == (kind == "STOP_MARKET") else -8) * tick
            self.do("POST", "algoOrder", **terms, algoType="CONDITIONAL", type=kind, triggerPrice=at)
        elif what == 6:
            self.do("PUT", "order", **terms, orderId=known, price=self.price(terms["side"]))
        elif what == 7:
            self.do("POST", "order", **terms, type="MARKET", reduceOnly="true")
        else:
            self.do("DELETE", self.chance.choice(["allOpenOrders", "algoOpenOrders"]), symbol=self.symbol)

    def check(self):
        """Compare what the stream said with what queries say."""
        self.listen()
        for number, (state, filled) in self.orders.items():
            if number > 0:
                found = self.client.ok("GET", f"{self.prefix}/order", symbol=self.symbol, orderId=number)
                assert (found["status"], D(found["executedQty"])) == (state, filled)
        for number, state in self.algos.items():
            assert self.client.ok("GET", f"{self.prefix}/algoOrder", algoId=number)["algoStatus"] == state
        if self.segment is Segment.SPOT:
            truth = {
                row["asset"]: (D(row["free"]), D(row["locked"]))
                for row in self.client.ok("GET", "/api/v3/account")["balances"]
            }
        else:
            truth = {row["asset"]: D(row["balance"]) for row in self.client.ok("GET", f"{self.prefix}/balance")}
            held = self.client.ok("GET", f"{self.prefix}/positionRisk", **self.of_pair())
            positions = {(row["symbol"], row["positionSide"]): D(row["positionAmt"]) for row in held}
            assert {one: positions[one] for one in self.positions} == self.positions
        assert {asset: truth[asset] for asset in self.balances} == self.balances
        opened = self.client.ok("GET", f"{self.prefix}/openOrders", symbol=self.symbol)
        believed = {one for one, (state, _) in self.orders.items() if state in {"NEW", "PARTIALLY_FILLED"}}
        assert {one["orderId"] for one in opened} == believed

    def of_pair(self):
        return {"pair": "BTCUSD"} if self.segment is Segment.INVERSE else {"symbol": self.symbol}


@pytest.mark.parametrize("segment", list(Segment))
@pytest.mark.parametrize("seed", [1, 2])
def test_streams_and_queries_agree(segment, seed):
    box = Box((segment,), enforced=False)
    chance = random.Random(seed)
    traders = [Trader(box, segment, user, chance) for user in (box.alice, box.user("bob"))]
    exchange, symbol = box.exchanges[segment], SYMBOLS[segment]
    public = box.socket(
        {Segment.SPOT: "/ws", Segment.LINEAR: "/fstream.binance.com/ws"}.get(segment, "/dstream.binance.com/ws")
    )
    kinds = [
        "trade",
        "aggTrade",
        "kline_1m",
        "bookTicker",
        "depth@100ms",
        "depth5",
        "ticker",
        "miniTicker",
        "markPrice",
        "forceOrder",
    ]
    public.say(method="SUBSCRIBE", params=[f"{symbol.lower()}@{one}" for one in kinds], id=1)
    for _ in range(250):
        chance.choice(traders).act()
        if chance.random() < 0.3:
            side = chance.choice([Side.BUY, Side.SELL])
            best = exchange.book(symbol).top(side.opposite)
            if best is not None:
                exchange.market_trade(symbol, side, min(best[1], SIZES[segment]), best[0])
        if chance.random() < 0.3:
            tick = exchange.listing(symbol).tick_size
            for side, sign in ((Side.BUY, -1), (Side.SELL, 1)):
                at = D("50000") + sign * tick * chance.randint(1, 20)
                exchange.set_level(symbol, side, at, SIZES[segment] * chance.randint(0, 3))
        if segment is not Segment.SPOT and chance.random() < 0.1:
            exchange.set_mark(symbol, D("50000") + chance.randint(-7, 7))
        if chance.random() < 0.2:
            box.step(chance.choice([10, 120, 1_500]))
        for trader in traders:
            trader.listen()
    box.step(3_000)
    for trader in traders:
        trader.check()
        states = {state for state, _ in trader.orders.values()}
        assert {"FILLED", "CANCELED"} <= states
    if segment is not Segment.SPOT:
        assert "FINISHED" in {state for trader in traders for state in trader.algos.values()}
    told = public.taken()
    assert len(told) > 100
    assert all(json.dumps(one) for one in told)
