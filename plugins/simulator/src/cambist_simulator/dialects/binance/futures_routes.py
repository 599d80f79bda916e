"""What USD-M and COIN-M answer to: paths, weights, security. Unknown parameters are ignored there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cambist_simulator.dialects.binance import algo_orders as algo
from cambist_simulator.dialects.binance import futures_account as account
from cambist_simulator.dialects.binance import futures_market as futures
from cambist_simulator.dialects.binance import futures_orders as orders
from cambist_simulator.dialects.binance import futures_settings as settings
from cambist_simulator.dialects.binance import market_rest as market
from cambist_simulator.dialects.binance.calls import Route, Security

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist_simulator.dialects.binance.parameters import Parameters

__all__ = ["COINM_ROUTES", "FUTURES_ROUTES"]

_KEY, _READ, _TRADE = Security.KEY, Security.READ, Security.TRADE


def _if_symbol(one: int, all_of_them: int) -> Callable[[Parameters], int]:
    return lambda params: one if "symbol" in params else all_of_them


def _kline_weight(params: Parameters) -> int:
    text = params.text("limit", "500")
    limit = int(text) if text.isdecimal() and len(text) < 10 else 500
    return 1 if limit < 100 else 2 if limit < 500 else 5 if limit <= 1_000 else 10


_MARKET: Final[dict[tuple[str, str], Route]] = {
    ("GET", "v1/ping"): Route(label="ping", handler=market.ping),
    ("GET", "v1/time"): Route(label="time", handler=market.server_time),
    ("GET", "v1/exchangeInfo"): Route(label="exchange_info", handler=market.exchange_info),
    ("GET", "v1/depth"): Route(label="depth", handler=market.depth, weight=market.depth_weight),
    ("GET", "v1/trades"): Route(label="trades", handler=market.trades, weight=5),
    ("GET", "v1/historicalTrades"): Route(label="trades", handler=market.trades, weight=20, security=_KEY),
    ("GET", "v1/aggTrades"): Route(label="trades", handler=market.aggregate_trades, weight=20),
    ("GET", "v1/klines"): Route(label="klines", handler=market.klines, weight=_kline_weight),
    ("GET", "v1/markPriceKlines"): Route(label="klines", handler=futures.mark_klines, weight=_kline_weight),
    ("GET", "v1/continuousKlines"): Route(label="klines", handler=futures.pair_klines, weight=_kline_weight),
    ("GET", "v1/indexPriceKlines"): Route(label="klines", handler=futures.index_klines, weight=_kline_weight),
    ("GET", "v1/ticker/24hr"): Route(label="ticker", handler=market.ticker, weight=_if_symbol(1, 40)),
    ("GET", "v1/ticker/price"): Route(label="ticker", handler=market.price_ticker, weight=_if_symbol(1, 2)),
    ("GET", "v2/ticker/price"): Route(label="ticker", handler=market.price_ticker, weight=_if_symbol(1, 2)),
    ("GET", "v1/ticker/bookTicker"): Route(label="ticker", handler=market.book_ticker, weight=_if_symbol(2, 5)),
    ("GET", "v1/premiumIndex"): Route(label="mark", handler=futures.premium_index, weight=_if_symbol(1, 10)),
    ("GET", "v1/fundingRate"): Route(label="funding", handler=futures.funding_rates),
    ("GET", "v1/fundingInfo"): Route(label="funding", handler=futures.funding_info),
    ("GET", "v1/openInterest"): Route(label="ticker", handler=futures.open_interest),
}
_ORDERS: Final[dict[tuple[str, str], Route]] = {
    ("POST", "v1/order"): Route(label="order.place", handler=orders.place, weight=0, security=_TRADE, orders=1),
    ("POST", "v1/order/test"): Route(label="order.test", handler=orders.test, weight=0, security=_TRADE),
    ("PUT", "v1/order"): Route(label="order.amend", handler=orders.amend, security=_TRADE, orders=1),
    ("GET", "v1/order"): Route(label="order.query", handler=orders.query, security=_READ),
    ("DELETE", "v1/order"): Route(label="order.cancel", handler=orders.cancel, security=_TRADE),
    ("DELETE", "v1/allOpenOrders"): Route(label="order.cancel_all", handler=orders.cancel_all, security=_TRADE),
    ("POST", "v1/batchOrders"): Route(
        label="order.batch", handler=orders.batch_place, weight=5, security=_TRADE, orders=orders.batch_size
    ),
    ("PUT", "v1/batchOrders"): Route(
        label="order.batch", handler=orders.batch_amend, weight=5, security=_TRADE, orders=orders.batch_size
    ),
    ("DELETE", "v1/batchOrders"): Route(label="order.batch.cancel", handler=orders.batch_cancel, security=_TRADE),
    ("GET", "v1/openOrder"): Route(label="order.query", handler=orders.open_order, security=_READ),
    ("GET", "v1/openOrders"): Route(
        label="orders.open", handler=orders.open_orders, weight=_if_symbol(1, 40), security=_READ
    ),
    ("GET", "v1/allOrders"): Route(label="orders.all", handler=orders.all_orders, weight=5, security=_READ),
    ("GET", "v1/userTrades"): Route(label="trades.mine", handler=orders.user_trades, weight=5, security=_READ),
    ("GET", "v1/forceOrders"): Route(
        label="orders.all", handler=orders.force_orders, weight=_if_symbol(20, 50), security=_READ
    ),
    ("POST", "v1/countdownCancelAll"): Route(label="countdown", handler=orders.count_down, weight=10, security=_TRADE),
    # Conditional orders.
    ("POST", "v1/algoOrder"): Route(label="algo.place", handler=algo.place, weight=0, security=_TRADE, orders=1),
    ("GET", "v1/algoOrder"): Route(label="algo.query", handler=algo.query, security=_READ),
    ("DELETE", "v1/algoOrder"): Route(label="algo.cancel", handler=algo.cancel, security=_TRADE),
    ("DELETE", "v1/algoOpenOrders"): Route(label="algo.cancel_all", handler=algo.cancel_all, security=_TRADE),
    ("GET", "v1/openAlgoOrders"): Route(
        label="algo.open", handler=algo.open_algos, weight=_if_symbol(1, 40), security=_READ
    ),
    ("GET", "v1/allAlgoOrders"): Route(label="algo.all", handler=algo.all_algos, weight=5, security=_READ),
}
_ACCOUNT: Final[dict[tuple[str, str], Route]] = {
    ("GET", "v1/account"): Route(label="account", handler=account.account_v2, weight=5, security=_READ),
    ("GET", "v2/account"): Route(label="account", handler=account.account_v2, weight=5, security=_READ),
    ("GET", "v3/account"): Route(label="account", handler=account.account_v3, weight=5, security=_READ),
    ("GET", "v1/balance"): Route(label="balance", handler=account.balance, weight=5, security=_READ),
    ("GET", "v2/balance"): Route(label="balance", handler=account.balance, weight=5, security=_READ),
    ("GET", "v3/balance"): Route(label="balance", handler=account.balance, weight=5, security=_READ),
    ("GET", "v1/positionRisk"): Route(label="positions", handler=account.positions_v2, weight=5, security=_READ),
    ("GET", "v2/positionRisk"): Route(label="positions", handler=account.positions_v2, weight=5, security=_READ),
    ("GET", "v3/positionRisk"): Route(label="positions", handler=account.positions_v3, weight=5, security=_READ),
    ("GET", "v1/commissionRate"): Route(label="commission", handler=account.commission, weight=20, security=_READ),
    ("GET", "v1/income"): Route(label="income", handler=account.income, weight=30, security=_READ),
    ("GET", "v1/adlQuantile"): Route(label="positions", handler=account.adl_quantile, weight=5, security=_READ),
    ("GET", "v1/rateLimit/order"): Route(label="order_limits", handler=account.order_limits, security=_READ),
    ("GET", "v1/symbolConfig"): Route(label="settings", handler=settings.symbol_config, weight=5, security=_READ),
    ("GET", "v1/accountConfig"): Route(label="settings", handler=settings.account_config, weight=5, security=_READ),
    ("GET", "v1/leverageBracket"): Route(label="settings", handler=settings.brackets, security=_READ),
    ("GET", "v2/leverageBracket"): Route(label="settings", handler=settings.brackets, security=_READ),
    ("POST", "v1/leverage"): Route(label="leverage", handler=settings.set_leverage, security=_TRADE),
    ("POST", "v1/marginType"): Route(label="margin_type", handler=settings.set_margin_type, security=_TRADE),
    ("POST", "v1/positionMargin"): Route(label="margin", handler=settings.change_margin, security=_TRADE),
    ("GET", "v1/positionMargin/history"): Route(label="margin", handler=settings.margin_history, security=_READ),
    ("GET", "v1/positionSide/dual"): Route(
        label="position_mode", handler=settings.position_mode, weight=30, security=_READ
    ),
    ("POST", "v1/positionSide/dual"): Route(label="position_mode", handler=settings.set_position_mode, security=_TRADE),
    ("GET", "v1/multiAssetsMargin"): Route(
        label="multi_assets", handler=settings.multi_assets, weight=30, security=_READ
    ),
    ("POST", "v1/multiAssetsMargin"): Route(label="multi_assets", handler=settings.set_multi_assets, security=_TRADE),
    ("GET", "v1/feeBurn"): Route(label="settings", handler=settings.fee_burn, weight=30, security=_READ),
    ("POST", "v1/listenKey"): Route(label="listen_key", handler=settings.start_listen_key, security=_KEY),
    ("PUT", "v1/listenKey"): Route(label="listen_key", handler=settings.extend_listen_key, security=_KEY),
    ("DELETE", "v1/listenKey"): Route(label="listen_key", handler=settings.stop_listen_key, security=_KEY),
}

#: Of USD-M.
FUTURES_ROUTES: Final = _MARKET | _ORDERS | _ACCOUNT
_USDM_ALONE: Final = frozenset(
    {"v1/order/test", "v1/multiAssetsMargin", "v1/feeBurn", "v1/symbolConfig", "v1/accountConfig", "v1/rateLimit/order"}
)
#: Of COIN-M: the first version of everything, and the second of the brackets.
COINM_ROUTES: Final = {
    (method, path): route
    for (method, path), route in FUTURES_ROUTES.items()
    if path not in _USDM_ALONE and (path.startswith("v1/") or path == "v2/leverageBracket")
}
