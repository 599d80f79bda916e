"""What spot and wallet services answer to: paths, weights, security, known parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cambist_simulator.dialects.binance import market_rest as market
from cambist_simulator.dialects.binance import order_lists as lists
from cambist_simulator.dialects.binance import spot_account as account
from cambist_simulator.dialects.binance import spot_orders as orders
from cambist_simulator.dialects.binance import spot_windows as windows
from cambist_simulator.dialects.binance import wallet
from cambist_simulator.dialects.binance.calls import Route, Security
from cambist_simulator.dialects.binance.spot_terms import ORDER_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist_simulator.dialects.binance.parameters import Parameters

__all__ = ["SPOT_ROUTES", "WALLET_ROUTES"]

_KEY, _READ, _TRADE = Security.KEY, Security.READ, Security.TRADE


def _names(*names: str) -> frozenset[str]:
    return frozenset(names)


def _if_symbol(one: int, all_of_them: int) -> Callable[[Parameters], int]:
    return lambda params: one if "symbol" in params else all_of_them


def _by_symbols(few: int, many: int) -> Callable[[Parameters], int]:
    """Return a weight that depends on how many symbols are asked for."""

    def weight(params: Parameters) -> int:
        if "symbol" in params:
            return few
        named = params.text("symbols").count(",") + 1 if "symbols" in params else 101
        return few if named <= 20 else many // 2 if named <= 100 else many

    return weight


def _each(weight: int) -> Callable[[Parameters], int]:
    """Return a weight for each symbol, up to fifty of them."""
    return lambda params: weight * min(params.text("symbols").count(",") + 1, 50)


_SYMBOL: Final = _names("symbol")
_TICKER: Final = _names("symbol", "symbols", "type", "symbolStatus")
_KLINES: Final = _names("symbol", "interval", "startTime", "endTime", "timeZone", "limit")
_WINDOW: Final = _names("symbol", "orderId", "startTime", "endTime", "fromId", "limit")
_REFERENCE: Final = _names("symbol", "orderId", "origClientOrderId")
_CANCEL: Final = _REFERENCE | _names("newClientOrderId", "cancelRestrictions")
_REPLACE: Final = ORDER_NAMES | _names(
    "cancelReplaceMode",
    "cancelNewClientOrderId",
    "cancelOrigClientOrderId",
    "cancelOrderId",
    "cancelRestrictions",
    "orderRateLimitExceededMode",
)
_OLD_OCO: Final = _names(
    "symbol",
    "listClientOrderId",
    "side",
    "quantity",
    "limitClientOrderId",
    "price",
    "limitStrategyId",
    "limitStrategyType",
    "limitIcebergQty",
    "trailingDelta",
    "stopClientOrderId",
    "stopPrice",
    "stopStrategyId",
    "stopStrategyType",
    "stopLimitPrice",
    "stopIcebergQty",
    "stopLimitTimeInForce",
    "newOrderRespType",
    "selfTradePreventionMode",
)
_LISTED: Final = _names("symbol", "orderListId", "listClientOrderId", "newClientOrderId")

SPOT_ROUTES: Final[dict[tuple[str, str], Route]] = {
    ("GET", "ping"): Route(label="ping", handler=market.ping, names=_names()),
    ("GET", "time"): Route(label="time", handler=market.server_time, names=_names()),
    ("GET", "exchangeInfo"): Route(
        label="exchange_info",
        handler=market.exchange_info,
        weight=20,
        names=_names("symbol", "symbols", "permissions", "showPermissionSets", "symbolStatus"),
    ),
    ("GET", "depth"): Route(
        label="depth",
        handler=market.depth,
        weight=market.depth_weight,
        names=_names("symbol", "limit", "symbolStatus"),
    ),
    ("GET", "trades"): Route(label="trades", handler=market.trades, weight=25, names=_names("symbol", "limit")),
    ("GET", "historicalTrades"): Route(
        label="trades", handler=market.trades, weight=25, names=_names("symbol", "limit", "fromId")
    ),
    ("GET", "aggTrades"): Route(
        label="trades",
        handler=market.aggregate_trades,
        weight=4,
        names=_names("symbol", "fromId", "startTime", "endTime", "limit"),
    ),
    ("GET", "klines"): Route(label="klines", handler=market.klines, weight=2, names=_KLINES),
    ("GET", "uiKlines"): Route(label="klines", handler=market.klines, weight=2, names=_KLINES),
    ("GET", "avgPrice"): Route(label="ticker", handler=market.average_price, weight=2, names=_SYMBOL),
    ("GET", "ticker/24hr"): Route(label="ticker", handler=market.ticker, weight=_by_symbols(2, 80), names=_TICKER),
    ("GET", "ticker/price"): Route(label="ticker", handler=market.price_ticker, weight=_if_symbol(2, 4), names=_TICKER),
    ("GET", "ticker/bookTicker"): Route(
        label="ticker", handler=market.book_ticker, weight=_if_symbol(2, 4), names=_TICKER
    ),
    ("GET", "ticker"): Route(
        label="ticker", handler=windows.window_ticker, weight=_each(4), names=_TICKER | _names("windowSize")
    ),
    ("GET", "ticker/tradingDay"): Route(
        label="ticker", handler=windows.day_ticker, weight=_each(4), names=_TICKER | _names("timeZone")
    ),
    # Orders.
    ("POST", "order"): Route(
        label="order.place", handler=orders.place, security=_TRADE, names=ORDER_NAMES, orders=1, free=True
    ),
    ("POST", "order/test"): Route(
        label="order.test",
        handler=orders.test,
        weight=lambda params: 20 if params.flag("computeCommissionRates") else 1,
        security=_TRADE,
        names=ORDER_NAMES | _names("computeCommissionRates"),
    ),
    ("GET", "order"): Route(label="order.query", handler=orders.query, weight=4, security=_READ, names=_REFERENCE),
    ("DELETE", "order"): Route(label="order.cancel", handler=orders.cancel, security=_TRADE, names=_CANCEL, free=True),
    ("DELETE", "openOrders"): Route(
        label="order.cancel_all", handler=orders.cancel_all, security=_TRADE, names=_SYMBOL, free=True
    ),
    ("POST", "order/cancelReplace"): Route(
        label="order.replace", handler=orders.cancel_replace, security=_TRADE, names=_REPLACE, orders=1, free=True
    ),
    ("PUT", "order/amend/keepPriority"): Route(
        label="order.amend",
        handler=orders.amend,
        weight=4,
        security=_TRADE,
        names=_REFERENCE | _names("newClientOrderId", "newQty"),
    ),
    ("GET", "openOrders"): Route(
        label="orders.open", handler=orders.open_orders, weight=_if_symbol(6, 80), security=_READ, names=_SYMBOL
    ),
    ("GET", "allOrders"): Route(
        label="orders.all", handler=orders.all_orders, weight=20, security=_READ, names=_WINDOW
    ),
    ("GET", "myTrades"): Route(
        label="trades.mine",
        handler=orders.my_trades,
        weight=lambda params: 5 if "orderId" in params else 20,
        security=_READ,
        names=_WINDOW,
    ),
    # Lists.
    ("POST", "orderList/oco"): Route(
        label="order.list", handler=lists.oco, security=_TRADE, names=lists.LIST_NAMES, orders=2, free=True
    ),
    ("POST", "orderList/oto"): Route(
        label="order.list", handler=lists.oto, security=_TRADE, names=lists.LIST_NAMES, orders=2, free=True
    ),
    ("POST", "orderList/otoco"): Route(
        label="order.list", handler=lists.otoco, security=_TRADE, names=lists.LIST_NAMES, orders=3, free=True
    ),
    ("POST", "order/oco"): Route(
        label="order.list", handler=lists.old_oco, security=_TRADE, names=_OLD_OCO, orders=2, free=True
    ),
    ("DELETE", "orderList"): Route(
        label="order.list.cancel", handler=lists.cancel, security=_TRADE, names=_LISTED, free=True
    ),
    ("GET", "orderList"): Route(
        label="order.list.query",
        handler=lists.query,
        weight=4,
        security=_READ,
        names=_names("orderListId", "origClientOrderId"),
    ),
    ("GET", "allOrderList"): Route(
        label="order.list.query",
        handler=lists.all_lists,
        weight=20,
        security=_READ,
        names=_names("fromId", "startTime", "endTime", "limit"),
    ),
    ("GET", "openOrderList"): Route(
        label="order.list.query", handler=lists.open_lists, weight=6, security=_READ, names=_names()
    ),
    # The account.
    ("GET", "account"): Route(
        label="account", handler=account.account, weight=20, security=_READ, names=_names("omitZeroBalances")
    ),
    ("GET", "account/commission"): Route(
        label="commission", handler=account.commission, weight=20, security=_READ, names=_SYMBOL
    ),
    ("GET", "rateLimit/order"): Route(
        label="order_limits", handler=account.order_limits, weight=40, security=_READ, names=_names()
    ),
    ("GET", "myPreventedMatches"): Route(
        label="trades.mine",
        handler=account.prevented_matches,
        weight=20,
        security=_READ,
        names=_WINDOW | _names("preventedMatchId", "fromPreventedMatchId"),
    ),
}

WALLET_ROUTES: Final[dict[tuple[str, str], Route]] = {
    ("GET", "system/status"): Route(label="wallet", handler=wallet.system_status),
    ("GET", "account/status"): Route(label="wallet", handler=wallet.account_status, security=_READ),
    ("GET", "account/apiTradingStatus"): Route(label="wallet", handler=wallet.api_trading_status, security=_READ),
    ("GET", "account/apiRestrictions"): Route(label="wallet", handler=wallet.api_restrictions, security=_READ),
    ("GET", "asset/tradeFee"): Route(label="wallet", handler=wallet.trade_fees, security=_READ),
    ("GET", "capital/config/getall"): Route(label="wallet", handler=wallet.coins, weight=10, security=_READ),
    ("GET", "bnbBurn"): Route(label="wallet", handler=wallet.bnb_burn, security=_READ),
    ("POST", "bnbBurn"): Route(label="wallet", handler=wallet.set_bnb_burn, security=_READ),
    ("POST", "asset/transfer"): Route(label="wallet.transfer", handler=wallet.transfer, weight=900, security=_TRADE),
    ("GET", "margin/allPairs"): Route(label="wallet", handler=wallet.no_margin_pairs, security=_KEY),
    ("GET", "margin/isolated/allPairs"): Route(label="wallet", handler=wallet.no_margin_pairs, security=_KEY),
}
