"""The official modular SDK against the simulator: nothing is changed but the base addresses of its configurations."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from importlib.metadata import version
from typing import Any

from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_sdk_derivatives_trading_coin_futures.derivatives_trading_coin_futures import DerivativesTradingCoinFutures
from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import DerivativesTradingUsdsFutures
from binance_sdk_spot.spot import Spot
from checks import VENUE, Shown

HTTP, WS = VENUE["http"], VENUE["ws"]
KEYS = {"api_key": VENUE["key"], "api_secret": VENUE["secret"]}
PACKAGES = ("spot", "derivatives-trading-usds-futures", "derivatives-trading-coin-futures")

shown = Shown("binance-sdk: " + ", ".join(f"{name} {version(f'binance-sdk-{name}')}" for name in PACKAGES))


class Heard:
    """Keeps what a stream says."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    def __call__(self, message: Any) -> None:
        """Take a message."""
        self.messages.append(message)

    async def until(self, wanted: Any, seconds: float = 10.0) -> Any:
        """Return the first message that is wanted; None where none comes in time."""
        for _ in range(int(seconds / 0.05)):
            for one in self.messages:
                plain = as_dict(one)
                if wanted(plain):
                    return plain
            await asyncio.sleep(0.05)
        return None


def as_dict(message: Any) -> dict[str, Any]:
    """Return a message as plain values; ``e`` of a user's event is the name of the class that the SDK made of it."""
    inner = getattr(message, "actual_instance", message)
    if isinstance(inner, dict):
        return inner
    return {"e": type(inner).__name__} | inner.to_dict()


def low(price: Any, share: str = "0.97") -> float:
    """Return a price below, in whole units."""
    return float(int(Decimal(str(price)) * Decimal(share)))


async def spot() -> None:
    """Show what spot does."""
    client = Spot(
        ConfigurationRestAPI(base_path=HTTP, **KEYS),
        ConfigurationWebSocketAPI(stream_url=f"{WS}/ws-api/v3", **KEYS),
        ConfigurationWebSocketStreams(stream_url=f"{WS}/stream.binance.com"),
    )
    rest = client.rest_api
    info = rest.exchange_info().data()
    shown.that("spot: markets are loaded", "BTCUSDT" in {one.symbol for one in info.symbols}, info)
    api = client.websocket_api
    await api.create_connection()
    subscribed = await api.user_data_stream_subscribe_signature()
    events = Heard()
    subscribed.stream.on("message", events)
    streams = client.websocket_streams
    await streams.create_connection()
    trades, book = Heard(), Heard()
    (await streams.trade(symbol="btcusdt")).on("message", trades)
    (await streams.diff_book_depth(symbol="btcusdt")).on("message", book)
    shown.that("spot: public trades", await trades.until(lambda one: one.get("e") == "trade"), trades.messages[:1])
    shown.that(
        "spot: changes of the book", await book.until(lambda one: one.get("e") == "depthUpdate"), book.messages[:1]
    )
    before = {one.asset: Decimal(one.free) for one in rest.get_account().data().balances}
    bought = rest.new_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity=0.01).data()
    shown.that("spot: a market order is filled", bought.status == "FILLED", bought)
    filled = await events.until(lambda one: one.get("e") == "ExecutionReport" and one.get("i") == bought.order_id)
    shown.that("spot: the fill is told", filled, events.messages[-2:])
    after = {one.asset: Decimal(one.free) for one in rest.get_account().data().balances}
    shown.that("spot: the balance is larger", after["BTC"] > before["BTC"], (before, after))
    price = low(bought.fills[0].price)
    waits = rest.new_order(
        symbol="BTCUSDT", side="BUY", type="LIMIT", time_in_force="GTC", quantity=0.01, price=price
    ).data()
    shown.that("spot: a limit order waits", waits.status == "NEW", waits)
    amended = rest.order_amend_keep_priority(symbol="BTCUSDT", order_id=waits.order_id, new_qty=0.005).data()
    shown.that("spot: it is amended", amended.amended_order.qty and Decimal(amended.amended_order.qty) < 1, amended)
    gone = rest.delete_order(symbol="BTCUSDT", order_id=waits.order_id).data()
    shown.that("spot: it is canceled", gone.status == "CANCELED", gone)
    told = await events.until(lambda one: one.get("e") == "ExecutionReport" and one.get("x") == "CANCELED")
    shown.that("spot: the cancel is told", told, events.messages[-2:])
    placed = await api.order_place(
        symbol="BTCUSDT", side="BUY", type="LIMIT", time_in_force="GTC", quantity=0.01, price=price
    )
    number = placed.data().result.order_id
    shown.that("spot: an order over the WebSocket API", number, placed)
    ended = await api.order_cancel(symbol="BTCUSDT", order_id=number)
    shown.that("spot: and its cancel", ended.data().result.status == "CANCELED", ended)
    await streams.close_connection(close_session=True)
    await api.close_connection(close_session=True)


async def linear() -> None:
    """Show what USD-M futures do."""
    client = DerivativesTradingUsdsFutures(
        ConfigurationRestAPI(base_path=HTTP, **KEYS),
        ConfigurationWebSocketAPI(stream_url=f"{WS}/ws-fapi/v1", **KEYS),
        ConfigurationWebSocketStreams(stream_url=f"{WS}/fstream.binance.com"),
    )
    rest = client.rest_api
    info = rest.exchange_information().data()
    shown.that("usdm: markets are loaded", "BTCUSDT" in {one.symbol for one in info.symbols}, info)
    rest.change_initial_leverage(symbol="BTCUSDT", leverage=10)
    key = rest.start_user_data_stream().data().listen_key
    streams = client.websocket_streams
    await streams.create_connection()
    events, marks = Heard(), Heard()
    (await streams.user_data(key)).on("message", events)
    (await streams.mark_price_stream(symbol="btcusdt")).on("message", marks)
    mark = await marks.until(lambda one: one.get("e") == "markPriceUpdate")
    shown.that("usdm: mark prices", mark, marks.messages[:1])
    opened = rest.new_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity=0.01).data()
    shown.that("usdm: a market order is taken", opened.order_id, opened)
    told = await events.until(lambda one: one.get("e") == "OrderTradeUpdate")
    shown.that("usdm: the order is told", told, events.messages[-2:])
    told = await events.until(lambda one: one.get("e") == "AccountUpdate")
    shown.that("usdm: the position is told", told, events.messages[-2:])
    held = [one for one in rest.position_information_v3(symbol="BTCUSDT").data() if float(one.position_amt)]
    shown.that("usdm: the position is there", held and float(held[0].position_amt) == 0.01, held)
    price = low(mark["p"]) if mark else 1.0
    waits = rest.new_order(
        symbol="BTCUSDT", side="BUY", type="LIMIT", time_in_force="GTC", quantity=0.01, price=price
    ).data()
    moved = rest.modify_order(
        symbol="BTCUSDT", side="BUY", quantity=0.02, price=price - 5, order_id=waits.order_id
    ).data()
    shown.that("usdm: an order is amended", float(moved.orig_qty) == 0.02, moved)
    gone = rest.cancel_order(symbol="BTCUSDT", order_id=waits.order_id).data()
    shown.that("usdm: it is canceled", gone.status == "CANCELED", gone)
    rest.new_order(symbol="BTCUSDT", side="SELL", type="MARKET", quantity=0.01, reduce_only="true")
    held = [one for one in rest.position_information_v3(symbol="BTCUSDT").data() if float(one.position_amt)]
    shown.that("usdm: the position is closed", not held, held)
    balances = {one.asset: one for one in rest.futures_account_balance_v3().data()}
    shown.that("usdm: there is a balance", float(balances["USDT"].balance) > 0, balances)
    api = client.websocket_api
    await api.create_connection()
    placed = await api.new_order(
        symbol="BTCUSDT", side="BUY", type="LIMIT", time_in_force="GTC", quantity=0.01, price=price
    )
    number = placed.data().result.order_id
    shown.that("usdm: an order over the WebSocket API", number, placed)
    rest.cancel_order(symbol="BTCUSDT", order_id=number)
    await api.close_connection(close_session=True)
    await streams.close_connection(close_session=True)


async def inverse() -> None:
    """Show what COIN-M futures do."""
    client = DerivativesTradingCoinFutures(
        ConfigurationRestAPI(base_path=HTTP, **KEYS),
        ConfigurationWebSocketAPI(stream_url=f"{WS}/ws-dapi/v1", **KEYS),
        ConfigurationWebSocketStreams(stream_url=f"{WS}/dstream.binance.com"),
    )
    rest = client.rest_api
    info = rest.exchange_information().data()
    shown.that("coinm: markets are loaded", "BTCUSD_PERP" in {one.symbol for one in info.symbols}, info)
    key = rest.start_user_data_stream().data().listen_key
    streams = client.websocket_streams
    await streams.create_connection()
    events = Heard()
    (await streams.user_data(key)).on("message", events)
    opened = rest.new_order(symbol="BTCUSD_PERP", side="BUY", type="MARKET", quantity=1.0).data()
    shown.that("coinm: a market order is taken", opened.order_id, opened)
    told = await events.until(lambda one: one.get("e") == "AccountUpdate")
    shown.that("coinm: the position is told", told, events.messages[-2:])
    held = [one for one in rest.position_information(pair="BTCUSD").data() if float(one.position_amt)]
    shown.that("coinm: the position is there", held and float(held[0].position_amt) == 1.0, held)
    rest.new_order(symbol="BTCUSD_PERP", side="SELL", type="MARKET", quantity=1.0)
    await streams.close_connection(close_session=True)


async def main() -> None:
    """Show everything."""
    await spot()
    await linear()
    await inverse()


asyncio.run(main())
shown.end()
