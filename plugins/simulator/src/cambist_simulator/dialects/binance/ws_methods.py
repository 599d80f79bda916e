"""Methods of the WebSocket APIs: each is a request that REST has, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cambist_simulator.dialects.binance.futures_routes import FUTURES_ROUTES as F
from cambist_simulator.dialects.binance.spot_routes import SPOT_ROUTES as S
from cambist_simulator.exchange.listing import Segment

if TYPE_CHECKING:
    from cambist_simulator.dialects.binance.calls import Route

__all__ = ["LABELS", "METHODS"]

_SPOT: Final[dict[str, Route]] = {
    "ping": S["GET", "ping"],
    "time": S["GET", "time"],
    "exchangeInfo": S["GET", "exchangeInfo"],
    "depth": S["GET", "depth"],
    "trades.recent": S["GET", "trades"],
    "trades.historical": S["GET", "historicalTrades"],
    "trades.aggregate": S["GET", "aggTrades"],
    "klines": S["GET", "klines"],
    "uiKlines": S["GET", "uiKlines"],
    "avgPrice": S["GET", "avgPrice"],
    "ticker.24hr": S["GET", "ticker/24hr"],
    "ticker": S["GET", "ticker"],
    "ticker.tradingDay": S["GET", "ticker/tradingDay"],
    "ticker.price": S["GET", "ticker/price"],
    "ticker.book": S["GET", "ticker/bookTicker"],
    "order.place": S["POST", "order"],
    "order.test": S["POST", "order/test"],
    "order.status": S["GET", "order"],
    "order.cancel": S["DELETE", "order"],
    "order.cancelReplace": S["POST", "order/cancelReplace"],
    "order.amend.keepPriority": S["PUT", "order/amend/keepPriority"],
    "openOrders.status": S["GET", "openOrders"],
    "openOrders.cancelAll": S["DELETE", "openOrders"],
    "orderList.place": S["POST", "order/oco"],
    "orderList.place.oco": S["POST", "orderList/oco"],
    "orderList.place.oto": S["POST", "orderList/oto"],
    "orderList.place.otoco": S["POST", "orderList/otoco"],
    "orderList.status": S["GET", "orderList"],
    "orderList.cancel": S["DELETE", "orderList"],
    "openOrderLists.status": S["GET", "openOrderList"],
    "allOrderLists": S["GET", "allOrderList"],
    "account.status": S["GET", "account"],
    "account.commission": S["GET", "account/commission"],
    "account.rateLimits.orders": S["GET", "rateLimit/order"],
    "allOrders": S["GET", "allOrders"],
    "myTrades": S["GET", "myTrades"],
    "myPreventedMatches": S["GET", "myPreventedMatches"],
}
_FUTURES: Final[dict[str, Route]] = {
    "ping": F["GET", "v1/ping"],
    "time": F["GET", "v1/time"],
    "exchangeInfo": F["GET", "v1/exchangeInfo"],
    "depth": F["GET", "v1/depth"],
    "ticker.price": F["GET", "v1/ticker/price"],
    "ticker.book": F["GET", "v1/ticker/bookTicker"],
    "order.place": F["POST", "v1/order"],
    "order.modify": F["PUT", "v1/order"],
    "order.status": F["GET", "v1/order"],
    "order.cancel": F["DELETE", "v1/order"],
    "algoOrder.place": F["POST", "v1/algoOrder"],
    "algoOrder.cancel": F["DELETE", "v1/algoOrder"],
    "account.status": F["GET", "v2/account"],
    "v2/account.status": F["GET", "v3/account"],
    "account.balance": F["GET", "v2/balance"],
    "v2/account.balance": F["GET", "v3/balance"],
    "account.position": F["GET", "v2/positionRisk"],
    "v2/account.position": F["GET", "v3/positionRisk"],
    "userDataStream.start": F["POST", "v1/listenKey"],
    "userDataStream.ping": F["PUT", "v1/listenKey"],
    "userDataStream.stop": F["DELETE", "v1/listenKey"],
}

METHODS: Final = {Segment.SPOT: _SPOT, Segment.LINEAR: _FUTURES, Segment.INVERSE: _FUTURES}

#: What faults may select WebSocket requests by, beside the labels of REST.
LABELS: Final = frozenset(
    {
        "session.logon",
        "session.status",
        "session.logout",
        "user_stream.subscribe",
        "user_stream.unsubscribe",
        "stream.subscribe",
        "stream.unsubscribe",
        "stream.list_subscriptions",
        "stream.set_property",
        "stream.get_property",
    }
)
