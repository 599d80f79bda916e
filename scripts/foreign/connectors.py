"""The older official connectors against the simulator: nothing is changed but ``base_url`` and ``stream_url``."""

from __future__ import annotations

import json
import queue
import time
from decimal import Decimal
from importlib.metadata import version
from typing import Any

from binance.cm_futures import CMFutures
from binance.spot import Spot
from binance.um_futures import UMFutures
from binance.websocket.spot.websocket_api import SpotWebsocketAPIClient
from binance.websocket.spot.websocket_stream import SpotWebsocketStreamClient
from binance.websocket.um_futures.websocket_client import UMFuturesWebsocketClient
from checks import VENUE, Shown

HTTP, WS, KEY, SECRET = (VENUE[name] for name in ("http", "ws", "key", "secret"))

shown = Shown(", ".join(f"{name} {version(name)}" for name in ("binance-connector", "binance-futures-connector")))


class Heard:
    """Keeps what a stream says; called from the connector's thread."""

    def __init__(self) -> None:
        self.messages: queue.Queue[dict[str, Any]] = queue.Queue()

    def __call__(self, _: Any, text: str) -> None:
        """Take a message."""
        self.messages.put(json.loads(text))

    def until(self, wanted: Any, seconds: float = 10.0) -> Any:
        """Return the next message that is wanted; None where none comes in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                message = self.messages.get(timeout=0.2)
            except queue.Empty:
                continue
            if wanted(message):
                return message
        return None


def low(price: str, share: str = "0.97") -> str:
    """Return a price below, in whole units."""
    return str(int(Decimal(price) * Decimal(share)))


def spot() -> None:
    """Show what spot does."""
    client = Spot(KEY, SECRET, base_url=HTTP)
    info = client.exchange_info()
    shown.that("spot: markets are loaded", "BTCUSDT" in {one["symbol"] for one in info["symbols"]}, info)
    heard = Heard()
    stream = SpotWebsocketStreamClient(stream_url=f"{WS}/stream.binance.com", on_message=heard)
    stream.agg_trade(symbol="btcusdt")
    trade = heard.until(lambda one: one.get("e") == "aggTrade")
    shown.that("spot: public trades", trade, trade)
    stream.stop()
    before = {one["asset"]: Decimal(one["free"]) for one in client.account()["balances"]}
    bought = client.new_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
    shown.that("spot: a market order is filled", bought["status"] == "FILLED", bought)
    after = {one["asset"]: Decimal(one["free"]) for one in client.account()["balances"]}
    shown.that("spot: the balance is larger", after["BTC"] > before["BTC"], (before, after))
    price = low(bought["fills"][0]["price"])
    waits = client.new_order(
        symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", price=price
    )
    shown.that("spot: a limit order waits", waits["status"] == "NEW", waits)
    amended = client.cancel_and_replace(
        "BTCUSDT",
        "BUY",
        "LIMIT",
        "STOP_ON_FAILURE",
        timeInForce="GTC",
        quantity="0.005",
        price=price,
        cancelOrderId=waits["orderId"],
    )
    shown.that("spot: it is replaced", amended["newOrderResult"] == "SUCCESS", amended)
    gone = client.cancel_order("BTCUSDT", orderId=amended["newOrderResponse"]["orderId"])
    shown.that("spot: it is canceled", gone["status"] == "CANCELED", gone)
    answers = Heard()
    api = SpotWebsocketAPIClient(stream_url=f"{WS}/ws-api/v3", api_key=KEY, api_secret=SECRET, on_message=answers)
    api.new_order(
        id="place", symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", price=price
    )
    placed = answers.until(lambda one: one.get("id") == "place")
    shown.that("spot: an order over the WebSocket API", placed and placed["status"] == 200, placed)
    api.cancel_order(id="cancel", symbol="BTCUSDT", orderId=placed["result"]["orderId"])
    ended = answers.until(lambda one: one.get("id") == "cancel")
    shown.that("spot: and its cancel", ended and ended["result"]["status"] == "CANCELED", ended)
    api.stop()


def linear() -> None:
    """Show what USD-M futures do."""
    client = UMFutures(KEY, SECRET, base_url=HTTP)
    info = client.exchange_info()
    shown.that("usdm: markets are loaded", "BTCUSDT" in {one["symbol"] for one in info["symbols"]}, info)
    client.change_leverage("BTCUSDT", 10)
    mark = client.mark_price("BTCUSDT")
    heard = Heard()
    stream = UMFuturesWebsocketClient(stream_url=f"{WS}/fstream.binance.com", on_message=heard)
    stream.user_data(listen_key=client.new_listen_key()["listenKey"], id=1)
    heard.until(lambda one: one.get("id") == 1)
    opened = client.new_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
    told = heard.until(lambda one: one.get("e") == "ORDER_TRADE_UPDATE" and one["o"]["i"] == opened["orderId"])
    shown.that("usdm: the order is told", told, told)
    told = heard.until(lambda one: one.get("e") == "ACCOUNT_UPDATE")
    shown.that("usdm: the position is told", told and told["a"]["P"], told)
    held = [one for one in client.get_position_risk(symbol="BTCUSDT") if float(one["positionAmt"])]
    shown.that("usdm: the position is there", held and float(held[0]["positionAmt"]) == 0.01, held)
    price = low(mark["markPrice"])
    waits = client.new_order(
        symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", price=price
    )
    moved = client.modify_order("BTCUSDT", "BUY", "0.02", str(int(price) - 5), orderId=waits["orderId"])
    shown.that("usdm: an order is amended", Decimal(moved["origQty"]) == Decimal("0.02"), moved)
    gone = client.cancel_order("BTCUSDT", orderId=waits["orderId"])
    shown.that("usdm: it is canceled", gone["status"] == "CANCELED", gone)
    client.new_order(symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.01", reduceOnly="true")
    balances = {one["asset"]: one for one in client.balance()}
    shown.that("usdm: there is a balance", float(balances["USDT"]["balance"]) > 0, balances)
    stream.stop()


def inverse() -> None:
    """Show what COIN-M futures do."""
    client = CMFutures(KEY, SECRET, base_url=HTTP)
    opened = client.new_order(symbol="BTCUSD_PERP", side="BUY", type="MARKET", quantity="1")
    shown.that("coinm: a market order is taken", opened["orderId"], opened)
    held = [one for one in client.get_position_risk(pair="BTCUSD") if float(one["positionAmt"])]
    shown.that("coinm: the position is there", held and float(held[0]["positionAmt"]) == 1.0, held)
    client.new_order(symbol="BTCUSD_PERP", side="SELL", type="MARKET", quantity="1")


spot()
linear()
inverse()
shown.end()
