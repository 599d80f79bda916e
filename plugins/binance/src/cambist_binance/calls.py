"""What is asked of the venue: method of the WebSocket API, endpoint of REST, and what it weighs."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import msgspec

from cambist_binance.hosts import Market

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["CALLS", "Call"]


class Call(msgspec.Struct, frozen=True):
    """A kind of request.

    Attributes
    ----------
    ws
        Method of the WebSocket API; ``""`` where REST alone has it.
    part, method, path
        ccxt's name of the part of the API, and what is asked there.
    weight
        What it weighs, or what tells that of its parameters.
    orders
        How many orders it counts as.
    signed
        Whether it concerns the account.
    """

    ws: str
    part: str
    method: str
    path: str
    weight: int | Callable[[Mapping[str, Any]], int] = 1
    orders: int = 0
    signed: bool = True

    def weighs(self, params: Mapping[str, Any]) -> int:
        """Return what a request of these parameters weighs."""
        return self.weight if isinstance(self.weight, int) else self.weight(params)


def _with(name: str, one: int, others: int) -> Callable[[Mapping[str, Any]], int]:
    """Return what weighs less where a parameter narrows it down."""
    return lambda params: one if name in params else others


def _candles(params: Mapping[str, Any]) -> int:
    limit = int(params.get("limit", 500))
    return 1 if limit < 100 else 2 if limit < 500 else 5 if limit <= 1000 else 10


_SPOT: Final[Mapping[str, Call]] = {
    "time": Call("", "public", "GET", "time", signed=False),
    "info": Call("", "public", "GET", "exchangeInfo", 20, signed=False),
    "klines": Call("", "public", "GET", "klines", 2, signed=False),
    "depth": Call("", "public", "GET", "depth", 250, signed=False),
    "rights": Call("", "sapi", "GET", "account/apiRestrictions"),
    "place": Call("order.place", "private", "POST", "order", 1, 1),
    "list_oco": Call("orderList.place.oco", "private", "POST", "orderList/oco", 1, 2),
    "list_oto": Call("orderList.place.oto", "private", "POST", "orderList/oto", 1, 2),
    "list_otoco": Call("orderList.place.otoco", "private", "POST", "orderList/otoco", 1, 3),
    "cancel": Call("order.cancel", "private", "DELETE", "order"),
    "cancel_all": Call("openOrders.cancelAll", "private", "DELETE", "openOrders"),
    "shrink": Call("order.amend.keepPriority", "private", "PUT", "order/amend/keepPriority", 4),
    "find": Call("order.status", "private", "GET", "order", 4),
    "open": Call("", "private", "GET", "openOrders", _with("symbol", 6, 80)),
    "fills": Call("", "private", "GET", "myTrades", _with("orderId", 5, 20)),
    "account": Call("", "private", "GET", "account", 20),
}


def _futures(prefix: str, account: str) -> dict[str, Call]:
    """Return the calls of a futures market; `account` is the part that has balances and positions."""
    public, private = f"{prefix}Public", f"{prefix}Private"
    return {
        "time": Call("", public, "GET", "time", signed=False),
        "info": Call("", public, "GET", "exchangeInfo", 1, signed=False),
        "klines": Call("", public, "GET", "klines", _candles, signed=False),
        "mark_klines": Call("", public, "GET", "markPriceKlines", _candles, signed=False),
        "premium": Call("", public, "GET", "premiumIndex", signed=False),
        "funding": Call("", public, "GET", "fundingRate", signed=False),
        "depth": Call("", public, "GET", "depth", 20, signed=False),
        "rights": Call("", "sapi", "GET", "account/apiRestrictions"),
        "place": Call("order.place", private, "POST", "order", 1, 1),
        "amend": Call("order.modify", private, "PUT", "order", 1, 1),
        "cancel": Call("order.cancel", private, "DELETE", "order"),
        "cancel_all": Call("", private, "DELETE", "allOpenOrders"),
        "batch_place": Call("", private, "POST", "batchOrders", 5, 1),
        "batch_cancel": Call("", private, "DELETE", "batchOrders"),
        "find": Call("order.status", private, "GET", "order"),
        "open": Call("", private, "GET", "openOrders", _with("symbol", 1, 40)),
        "fills": Call("", private, "GET", "userTrades", 5),
        "algo_place": Call("algoOrder.place", private, "POST", "algoOrder", 1, 1),
        "algo_cancel": Call("algoOrder.cancel", private, "DELETE", "algoOrder"),
        "algo_cancel_all": Call("", private, "DELETE", "algoOpenOrders"),
        "algo_find": Call("", private, "GET", "algoOrder"),
        "algo_open": Call("", private, "GET", "openAlgoOrders", _with("symbol", 1, 40)),
        "balances": Call("", account, "GET", "balance", 5),
        "positions": Call("", account, "GET", "positionRisk", 5),
        # COIN-M has no `accountConfig`; its positions tell nearly always.
        "mode": Call("", private, "GET", *(("accountConfig", 5) if prefix == "fapi" else ("positionSide/dual", 30))),
        "incomes": Call("", private, "GET", "income", 30),
        "settings": Call("", private, "GET", "symbolConfig", 5),
        "leverage": Call("", private, "POST", "leverage"),
        "margin": Call("", private, "POST", "marginType"),
        "position_margin": Call("", private, "POST", "positionMargin"),
        "countdown": Call("", private, "POST", "countdownCancelAll", 10),
        "listen": Call("", private, "POST", "listenKey", signed=False),
        "listen_on": Call("", private, "PUT", "listenKey", signed=False),
    }


#: By market and what is asked.
CALLS: Final[Mapping[Market, Mapping[str, Call]]] = MappingProxyType(
    {
        Market.SPOT: MappingProxyType(_SPOT),
        Market.USDM: MappingProxyType(_futures("fapi", "fapiPrivateV3")),
        Market.COINM: MappingProxyType(_futures("dapi", "dapiPrivate")),
    }
)
