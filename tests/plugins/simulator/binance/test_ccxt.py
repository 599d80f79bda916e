"""ccxt, which nobody here wrote, trades against the simulator with nothing changed but its addresses."""

from __future__ import annotations

import asyncio
import re

import pytest

from cambist_simulator.venue.simulator import ExchangeSimulator

SYMBOLS = {"spot": "BTC/USDT", "linear": "BTC/USDT:USDT", "inverse": "BTC/USD:BTC"}
SIZES = {"spot": 0.01, "linear": 0.01, "inverse": 5}
KINDS = pytest.mark.parametrize("kind", list(SYMBOLS))
_ADDRESS = re.compile(r"(https?|wss?)://([^/]+)(.*)")


@pytest.fixture(scope="session")
def ccxt_async():
    return pytest.importorskip("ccxt.async_support", reason="ccxt is a development dependency")


@pytest.fixture(scope="session")
def ccxt_pro(ccxt_async):
    import ccxt.pro

    assert ccxt_async
    return ccxt.pro


@pytest.fixture(scope="module")
def simulator():
    symbols = ["BTCUSDT", "BTCUSDT:linear", "BTCUSD_PERP:inverse"]
    with ExchangeSimulator(
        "binance", symbols=symbols, seed=11, history=30, cash=100_000, balances={"BTC": 10}
    ) as simulator:
        yield simulator


def rebased(addresses, http, ws):
    """Return addresses with the simulator's before the venue's own hosts."""
    if isinstance(addresses, dict):
        return {name: rebased(one, http, ws) for name, one in addresses.items()}
    scheme, host, path = _ADDRESS.fullmatch(addresses).groups()
    return f"{http if scheme.startswith('http') else ws}/{host}{path}"


def trade(module, simulator, kind, work, keys=None):
    """Run `work` with an exchange of ccxt that is connected to the simulator."""
    keys = keys or simulator.credentials()
    options = {
        "defaultType": "spot" if kind == "spot" else "swap",
        "defaultSubType": kind,
        "fetchMarkets": {"types": [kind]},
    }

    async def run():
        exchange = module.binance(
            {"apiKey": keys.key, "secret": keys.secret, "enableRateLimit": False, "options": options}
        )
        exchange.urls["api"] = rebased(exchange.urls["api"], simulator.url, simulator.url.replace("http", "ws"))
        try:
            await exchange.load_markets()
            async with asyncio.timeout(60):
                await work(exchange, SYMBOLS[kind], SIZES[kind])
        finally:
            await exchange.close()

    asyncio.run(run())


@KINDS
def test_market_data(ccxt_async, simulator, kind):
    async def work(exchange, symbol, _):
        market = exchange.market(symbol)
        assert market["active"]
        assert market["precision"]["price"] > 0
        ticker = await exchange.fetch_ticker(symbol)
        assert ticker["high"] >= ticker["last"] >= ticker["low"] > 0
        assert ticker["low"] <= ticker["vwap"] <= ticker["high"]
        book = await exchange.fetch_order_book(symbol)
        assert book["bids"][0][0] < book["asks"][0][0]
        candles = await exchange.fetch_ohlcv(symbol, "1m")
        assert len(candles) > 20
        assert all(low <= min(first, last) <= max(first, last) <= high for _, first, high, low, last, _ in candles)
        trades = await exchange.fetch_trades(symbol)
        assert [one["timestamp"] for one in trades] == sorted(one["timestamp"] for one in trades)
        assert len({one["id"] for one in trades}) == len(trades)
        best = await exchange.fetch_bids_asks([symbol])
        assert best[symbol]["bid"] < best[symbol]["ask"]
        assert (await exchange.fetch_status())["status"] == "ok"
        if kind != "spot":
            funding = await exchange.fetch_funding_rate(symbol)
            assert funding["fundingTimestamp"] or funding["nextFundingTimestamp"]
            assert (await exchange.fetch_open_interest(symbol))["openInterestAmount"] >= 0
            tiers = await exchange.fetch_leverage_tiers([symbol])
            assert tiers[symbol][0]["maxLeverage"] == 125

    trade(ccxt_async, simulator, kind, work)


@KINDS
def test_orders(ccxt_async, simulator, kind):
    async def work(exchange, symbol, size):
        last = (await exchange.fetch_ticker(symbol))["last"]
        before = await exchange.fetch_balance()
        order = await exchange.create_order(symbol, "limit", "buy", size, last * 0.97)
        assert order["status"] == "open"
        assert (await exchange.fetch_order(order["id"], symbol))["remaining"] == size
        assert order["id"] in {one["id"] for one in await exchange.fetch_open_orders(symbol)}
        edited = await exchange.edit_order(order["id"], symbol, "limit", "buy", size, last * 0.96)
        found = await exchange.fetch_order(edited["id"], symbol)
        assert found["price"] == float(exchange.price_to_precision(symbol, last * 0.96))
        canceled = await exchange.cancel_order(edited["id"], symbol)
        assert canceled["status"] == "canceled"
        bought = await exchange.create_order(symbol, "market", "buy", size)
        bought = await exchange.fetch_order(bought["id"], symbol)
        assert (bought["status"], bought["filled"]) == ("closed", size)
        trades = await exchange.fetch_my_trades(symbol)
        own = [one for one in trades if one["order"] == bought["id"]]
        assert sum(one["amount"] for one in own) == pytest.approx(size)
        assert all(one["fee"]["cost"] > 0 for one in own)
        maker = await exchange.create_order(symbol, "limit", "buy", size, last * 0.97, {"postOnly": True})
        assert maker["status"] == "open"
        with pytest.raises(Exception, match=r"immediately match|executed as maker"):
            await exchange.create_order(symbol, "limit", "buy", size, last * 1.02, {"postOnly": True})
        await exchange.cancel_all_orders(symbol)
        assert await exchange.fetch_open_orders(symbol) == []
        after = await exchange.fetch_balance()
        assert before["info"] != after["info"]
        # A changed order is another one on spot, and the same on futures.
        assert len(await exchange.fetch_orders(symbol)) >= (4 if kind == "spot" else 3)
        with pytest.raises(Exception, match="Unknown order sent"):
            await exchange.cancel_order("99999999", symbol)

    trade(ccxt_async, simulator, kind, work)


@KINDS
def test_conditional_orders(ccxt_async, simulator, kind):
    async def work(exchange, symbol, size):
        last = (await exchange.fetch_ticker(symbol))["last"]
        waits = {} if kind == "spot" else {"trigger": True}
        await exchange.create_order(symbol, "market", "buy", size)
        stop = await exchange.create_order(symbol, "market", "sell", size, None, {"stopLossPrice": last * 0.9})
        limit = await exchange.create_order(symbol, "limit", "sell", size, last * 0.89, {"triggerPrice": last * 0.9})
        opened = {one["id"]: one for one in await exchange.fetch_open_orders(symbol, params=waits)}
        assert {stop["id"], limit["id"]} <= opened.keys()
        assert opened[stop["id"]]["triggerPrice"] == pytest.approx(last * 0.9, abs=0.2)
        await exchange.cancel_order(stop["id"], symbol, waits)
        await exchange.cancel_all_orders(symbol, waits)
        assert await exchange.fetch_open_orders(symbol, params=waits) == []
        if kind == "spot":
            return
        reduce = await exchange.create_order(symbol, "limit", "sell", size, last * 1.02, {"reduceOnly": True})
        assert reduce["reduceOnly"]
        with pytest.raises(Exception, match="ReduceOnly Order is rejected"):
            await exchange.create_order(symbol, "market", "buy", size, None, {"reduceOnly": True})
        await exchange.cancel_all_orders(symbol)

    trade(ccxt_async, simulator, kind, work)


@pytest.mark.parametrize("kind", ["linear", "inverse"])
def test_positions_and_settings(ccxt_async, simulator, kind):
    async def work(exchange, symbol, size):
        await exchange.create_order(symbol, "market", "buy", size)
        (position,) = [one for one in await exchange.fetch_positions([symbol]) if one["contracts"]]
        assert (position["side"], position["symbol"]) == ("long", symbol)
        await exchange.set_leverage(7, symbol)
        assert (await exchange.fetch_leverage(symbol))["longLeverage"] == 7
        assert (await exchange.fetch_position_mode(symbol))["hedged"] is False
        with pytest.raises(Exception, match="No need to change position side"):
            await exchange.set_position_mode(False, symbol)
        last = (await exchange.fetch_ticker(symbol))["last"]
        rows = [
            {"symbol": symbol, "type": "limit", "side": "buy", "amount": size, "price": last * share}
            for share in (0.96, 0.97)
        ]
        made = await exchange.create_orders(rows)
        canceled = await exchange.cancel_orders([one["id"] for one in made], symbol)
        assert [one["status"] for one in canceled] == ["canceled", "canceled"]
        close = {"reduceOnly": True}
        await exchange.create_order(symbol, "market", "sell", position["contracts"], None, close)
        assert [one for one in await exchange.fetch_positions([symbol]) if one["contracts"]] == []

    trade(ccxt_async, simulator, kind, work)


@KINDS
def test_streams(ccxt_pro, simulator, kind):
    async def work(exchange, symbol, size):
        book = await exchange.watch_order_book(symbol)
        assert book["bids"][0][0] < book["asks"][0][0]
        for _ in range(5):
            book = await exchange.watch_order_book(symbol)
        (trades, candles, ticker) = await asyncio.gather(
            exchange.watch_trades(symbol), exchange.watch_ohlcv(symbol, "1m"), exchange.watch_ticker(symbol)
        )
        assert trades[-1]["price"] > 0
        assert candles[-1][2] >= candles[-1][3]
        assert ticker["last"] > 0

    trade(ccxt_pro, simulator, kind, work)


@KINDS
def test_user_data_and_orders_over_websockets(ccxt_pro, simulator, kind):
    async def work(exchange, symbol, size):
        orders = asyncio.create_task(until(exchange.watch_orders, symbol, lambda one: one["status"] == "closed"))
        fills = asyncio.create_task(exchange.watch_my_trades(symbol))
        balance = asyncio.create_task(exchange.watch_balance())
        # What happens before the client listens is not told: it is tried again until it does.
        placed = {}
        while not (orders.done() and fills.done() and balance.done()):
            order = await exchange.create_order_ws(symbol, "market", "buy", size)
            placed[order["id"]] = order
            await asyncio.sleep(0.2)
        done = await orders
        assert (done["id"] in placed, done["filled"]) == (True, size)
        assert (await fills)[-1]["order"] in placed
        assert (await balance)["info"]
        last = (await exchange.fetch_ticker(symbol))["last"]
        resting = await exchange.create_order_ws(symbol, "limit", "buy", size, last * 0.97)
        assert (await exchange.fetch_order_ws(resting["id"], symbol))["status"] == "open"
        edited = await exchange.edit_order_ws(resting["id"], symbol, "limit", "buy", size, last * 0.96)
        assert (await exchange.cancel_order_ws(edited["id"], symbol))["status"] == "canceled"
        assert (await exchange.fetch_balance_ws())["info"]
        if kind != "spot":
            (position,) = await exchange.fetch_positions_ws([symbol])
            assert position["contracts"] > 0

    trade(ccxt_pro, simulator, kind, work)


async def until(watch, symbol, wanted):
    """Watch until something is as wanted; return it."""
    while True:
        for one in await watch(symbol):
            if wanted(one):
                return one


@pytest.mark.parametrize("key", ["rsa", "ed25519"])
def test_other_keys_sign_as_well(ccxt_pro, simulator, key):
    async def work(exchange, symbol, _):
        assert (await exchange.fetch_balance())["info"]["canTrade"]
        assert (await exchange.fetch_balance_ws())["info"]["canTrade"]
        assert await exchange.fetch_open_orders(symbol) == []

    trade(ccxt_pro, simulator, "spot", work, simulator.add_user(f"{key}er", kind=key))
