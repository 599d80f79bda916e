"""python-binance against the simulator: nothing is changed but its URL constants."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from importlib.metadata import version
from typing import Any

from binance import AsyncClient, BinanceSocketManager
from checks import VENUE, Shown

HTTP, WS = VENUE["http"], VENUE["ws"]
AsyncClient.API_URL = f"{HTTP}/api"
AsyncClient.MARGIN_API_URL = f"{HTTP}/sapi"
AsyncClient.FUTURES_URL = f"{HTTP}/fapi"
AsyncClient.FUTURES_DATA_URL = f"{HTTP}/futures/data"
AsyncClient.FUTURES_COIN_URL = f"{HTTP}/dapi"
AsyncClient.WS_API_URL = f"{WS}/ws-api/v3"
AsyncClient.WS_FUTURES_URL = f"{WS}/ws-fapi/v1"
BinanceSocketManager.STREAM_URL = f"{WS}/stream.binance.com/"
BinanceSocketManager.FSTREAM_URL = f"{WS}/fstream.binance.com/"
BinanceSocketManager.DSTREAM_URL = f"{WS}/dstream.binance.com/"

shown = Shown(f"python-binance {version('python-binance')}")


async def until(socket: Any, wanted: Any, messages: int = 400) -> Any:
    """Read messages until one is wanted; None where none of them is."""
    for _ in range(messages):
        message = await asyncio.wait_for(socket.recv(), 10)
        if wanted(message):
            return message
    return None


def low(price: str, share: str = "0.97") -> str:
    """Return a price below, on a grid of whole units."""
    return str(int(Decimal(price) * Decimal(share)))


async def spot(client: AsyncClient, manager: BinanceSocketManager) -> None:
    """Show what spot does."""
    info = await client.get_exchange_info()
    symbols = {one["symbol"] for one in info["symbols"]}
    shown.that("spot: markets are loaded", {"BTCUSDT", "ETHUSDT"} <= symbols, symbols)
    candles = await client.get_klines(symbol="BTCUSDT", interval="1m", limit=10)
    shown.that("spot: candles", len(candles) >= 1 and len(candles[0]) == 12, candles[:1])
    before = await client.get_asset_balance("BTC")
    async with manager.trade_socket("BTCUSDT") as trades:
        trade = await until(trades, lambda one: one.get("e") == "trade")
        shown.that("spot: public trades", trade and trade["s"] == "BTCUSDT", trade)
    async with manager.depth_socket("BTCUSDT") as depth:
        book = await until(depth, lambda one: one.get("e") == "depthUpdate")
        shown.that("spot: changes of the book", book and book["U"] <= book["u"], book)
    async with manager.kline_socket("BTCUSDT", interval="1m") as klines:
        kline = await until(klines, lambda one: one.get("e") == "kline")
        shown.that("spot: candles as they form", kline and kline["k"]["i"] == "1m", kline)
    async with manager.user_socket() as events:
        await asyncio.sleep(0.5)
        bought = await client.order_market_buy(symbol="BTCUSDT", quantity="0.01")
        shown.that("spot: a market order is filled", bought["status"] == "FILLED", bought)
        report = await until(events, lambda one: one.get("e") == "executionReport" and one["X"] == "FILLED")
        shown.that("spot: the fill is told", report and report["i"] == bought["orderId"], report)
        ticker = await client.get_symbol_ticker(symbol="BTCUSDT")
        price = low(ticker["price"])
        waits = await client.order_limit_buy(symbol="BTCUSDT", quantity="0.01", price=price)
        shown.that("spot: a limit order waits", waits["status"] == "NEW", waits)
        found = await client.get_open_orders(symbol="BTCUSDT")
        shown.that("spot: it is among the open orders", waits["orderId"] in {one["orderId"] for one in found}, found)
        replaced = await client.cancel_replace_order(
            symbol="BTCUSDT",
            side="BUY",
            type="LIMIT",
            timeInForce="GTC",
            quantity="0.005",
            price=price,
            cancelOrderId=waits["orderId"],
            cancelReplaceMode="STOP_ON_FAILURE",
        )
        waits = replaced["newOrderResponse"]
        shown.that("spot: it is replaced", Decimal(waits["origQty"]) == Decimal("0.005"), replaced)
        canceled = await client.cancel_order(symbol="BTCUSDT", orderId=waits["orderId"])
        shown.that("spot: it is canceled", canceled["status"] == "CANCELED", canceled)
        report = await until(events, lambda one: one.get("e") == "executionReport" and one["i"] == waits["orderId"])
        report = await until(events, lambda one: one.get("e") == "executionReport" and one["x"] == "CANCELED")
        shown.that("spot: the cancel is told", report and report["i"] == waits["orderId"], report)
    after = await client.get_asset_balance("BTC")
    gained = Decimal(after["free"]) - Decimal(before["free"])
    shown.that("spot: the balance is larger", Decimal("0.0099") <= gained <= Decimal("0.01"), (before, after))
    fills = await client.get_my_trades(symbol="BTCUSDT", limit=5)
    shown.that("spot: the trade is on record", fills and fills[-1]["orderId"] == bought["orderId"], fills)
    placed = await client.ws_create_order(
        symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", price=price
    )
    shown.that("spot: an order over the WebSocket API", placed.get("orderId"), placed)
    gone = await client.ws_cancel_order(symbol="BTCUSDT", orderId=placed["orderId"])
    shown.that("spot: and its cancel", gone["status"] == "CANCELED", gone)


async def futures(client: AsyncClient, manager: BinanceSocketManager) -> None:
    """Show what USD-M futures do."""
    info = await client.futures_exchange_info()
    shown.that("usdm: markets are loaded", "BTCUSDT" in {one["symbol"] for one in info["symbols"]}, info["symbols"])
    await client.futures_change_leverage(symbol="BTCUSDT", leverage=10)
    mark = await client.futures_mark_price(symbol="BTCUSDT")
    shown.that("usdm: mark price and funding", Decimal(mark["markPrice"]) > 0 and mark["nextFundingTime"], mark)
    async with manager.futures_user_socket() as events:
        await asyncio.sleep(0.5)
        opened = await client.futures_create_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
        shown.that("usdm: a market order is taken", opened["orderId"], opened)
        update = await until(
            events, lambda one: one.get("e") == "ORDER_TRADE_UPDATE" and one["o"]["i"] == opened["orderId"]
        )
        shown.that("usdm: the order is told", update, update)
        account = await until(events, lambda one: one.get("e") == "ACCOUNT_UPDATE")
        shown.that("usdm: the position is told", account and account["a"]["P"], account)
        held = [one for one in await client.futures_position_information(symbol="BTCUSDT") if float(one["positionAmt"])]
        shown.that("usdm: the position is there", held and Decimal(held[0]["positionAmt"]) == Decimal("0.01"), held)
        price = low(mark["markPrice"])
        waits = await client.futures_create_order(
            symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", price=price
        )
        shown.that("usdm: a limit order waits", waits["status"] == "NEW", waits)
        moved = await client.futures_modify_order(
            symbol="BTCUSDT", orderId=waits["orderId"], side="BUY", quantity="0.02", price=str(int(price) - 5)
        )
        shown.that("usdm: it is amended", Decimal(moved["origQty"]) == Decimal("0.02"), moved)
        gone = await client.futures_cancel_order(symbol="BTCUSDT", orderId=waits["orderId"])
        shown.that("usdm: it is canceled", gone["status"] == "CANCELED", gone)
        await client.futures_create_order(
            symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.01", reduceOnly="true"
        )
    held = [one for one in await client.futures_position_information(symbol="BTCUSDT") if float(one["positionAmt"])]
    shown.that("usdm: the position is closed", not held, held)
    balances = {one["asset"]: one for one in await client.futures_account_balance()}
    shown.that("usdm: there is a balance", float(balances["USDT"]["balance"]) > 0, balances)


async def coins(client: AsyncClient) -> None:
    """Show what COIN-M futures do."""
    info = await client.futures_coin_exchange_info()
    symbols = {one["symbol"] for one in info["symbols"]}
    shown.that("coinm: markets are loaded", "BTCUSD_PERP" in symbols, symbols)
    opened = await client.futures_coin_create_order(symbol="BTCUSD_PERP", side="BUY", type="MARKET", quantity="1")
    shown.that("coinm: a market order is taken", opened["orderId"], opened)
    positions = await client.futures_coin_position_information(pair="BTCUSD")
    held = [one for one in positions if float(one["positionAmt"])]
    shown.that("coinm: the position is there", held and float(held[0]["positionAmt"]) == 1.0, held)
    await client.futures_coin_create_order(symbol="BTCUSD_PERP", side="SELL", type="MARKET", quantity="1")


async def main() -> None:
    """Show everything."""
    client = await AsyncClient.create(VENUE["key"], VENUE["secret"])
    manager = BinanceSocketManager(client)
    try:
        await spot(client, manager)
        await futures(client, manager)
        await coins(client)
    finally:
        await client.close_connection()


asyncio.run(main())
shown.end()
