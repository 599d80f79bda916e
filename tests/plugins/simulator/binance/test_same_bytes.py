"""The same seed and the same requests give the same bytes, answers and streams alike."""

from __future__ import annotations

import json
import random

from venue_box import SIZES, SYMBOLS, Box, D, Segment, frame_text

from cambist.model import Side


def run(seed):
    """Return all bytes of a session in which orders, cancels and the market take turns."""
    box = Box(seed=seed, enforced=False)
    client = box.client()
    chance = random.Random(99)
    said = []
    sockets = [
        box.socket("/ws/btcusdt@trade/btcusdt@depth@100ms/btcusdt@kline_1m"),
        box.socket("/private/ws", "listenKey=" + client.ok("POST", "/fapi/v1/listenKey")["listenKey"]),
        box.socket("/ws-api/v3"),
    ]
    for socket in sockets:
        socket.connection.send = lambda data, **_: said.append(data)
        socket.connection.send_frame = lambda frame, **_: said.append(frame_text(frame))
    request = {"id": 1, "method": "userDataStream.subscribe.signature", "params": client.ws_params()}
    sockets[2].session.received(json.dumps(request))
    paths = {Segment.SPOT: "/api/v3/order", Segment.LINEAR: "/fapi/v1/order", Segment.INVERSE: "/dapi/v1/order"}
    for _ in range(60):
        segment = chance.choice(list(Segment))
        symbol, size = SYMBOLS[segment], str(SIZES[segment] / 100)
        side = chance.choice(["BUY", "SELL"])
        if chance.random() < 0.5:
            client.post(paths[segment], symbol=symbol, side=side, type="MARKET", quantity=size)
        else:
            price = 50_000 + (-1 if side == "BUY" else 1) * chance.randint(1, 500)
            terms = {"symbol": symbol, "side": side, "type": "LIMIT", "timeInForce": "GTC", "quantity": size}
            client.post(paths[segment], **terms, price=price)
        said.append(client.response.body)
        if chance.random() < 0.3:
            client.delete(paths[segment], symbol=symbol, orderId=chance.randint(1, 30))
            said.append(client.response.body)
        exchange = box.exchanges[segment]
        exchange.set_level(symbol, Side.BUY, D("49990") - chance.randint(0, 9), SIZES[segment])
        box.step(chance.choice([30, 150, 2_500]))
    client.get("/api/v3/account")
    said.append(client.response.body)
    return said


def test_the_same_seed_gives_the_same_bytes():
    first = run(3)
    assert len(first) > 200
    assert run(3) == first
    assert run(4) != first
