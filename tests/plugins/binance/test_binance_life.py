"""A session through what happens to it: cut streams, gaps, wrong keys and clocks, stops that are triggered."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from decimal import Decimal

import pytest

from cambist.api import (
    Answered,
    BarReport,
    Declined,
    OrderKey,
    OrderRequest,
    ParameterError,
    StreamReport,
    Subscription,
    VenueError,
)
from cambist.model import (
    BookUpdate,
    FillReport,
    Order,
    OrderReport,
    OrderType,
    PositionSide,
    ReportedStatus,
    Side,
    Tick,
    Timeframe,
    TimeInForce,
)
from cambist.testing.listening import Listener
from cambist_binance.config import BinanceSettings
from cambist_binance.hosts import Market, endpoints
from cambist_binance.plugin import cambist_sessions
from cambist_binance.session import open_coinm, open_spot, open_usdm
from cambist_simulator import ExchangeSimulator

NAN = float("nan")
MINUTE = Timeframe.parse("1m")
OPEN = {"BTCUSDT": open_spot, "BTCUSDT:linear": open_usdm, "BTCUSD_PERP:inverse": open_coinm}
OURS = {"BTCUSDT": "BTC/USDT", "BTCUSDT:linear": "BTC/USDT:USDT", "BTCUSD_PERP:inverse": "BTC/USD:BTC"}
SIZES = {"BTCUSDT": 0.01, "BTCUSDT:linear": 0.01, "BTCUSD_PERP:inverse": 10.0}


@contextlib.contextmanager
def simulator(plays="BTCUSDT", **settings):
    settings = {"seed": 7, "history": 60, "cash": 20_000} | settings
    with ExchangeSimulator("binance", symbols=[plays], **settings) as made:
        made.plays = plays
        yield made


@contextlib.asynccontextmanager
async def session_at(made, **settings):
    key = made.credentials()
    settings = {"key": key.key, "secret": key.secret, "timeout": 2.0} | settings
    session = OPEN[made.plays](url=made.url, **settings)
    await session.open()
    try:
        yield session, next(one for one in session.instruments() if one.symbol == OURS[made.plays])
    finally:
        await session.close()


def request(instrument, client_id, side, size, kind=OrderType.MARKET, limit=NAN, stop=NAN, **terms):
    limit, stop = (instrument.round_price(one) if one == one else one for one in (limit, stop))  # noqa: PLR0124
    tif = TimeInForce.GTC
    order = Order(
        1, instrument, Side(side), kind, size, limit, stop, tif, 0, terms.pop("reduce_only", False), "", "", 0
    )
    if terms:
        from cambist.model import Instructions

        order.instructions = Instructions(**terms)

    def price(one):
        return None if one != one else instrument.price_to_decimal(one)  # noqa: PLR0124

    return OrderRequest(
        order=order,
        client_id=client_id,
        type=kind,
        size=instrument.size_to_decimal(size),
        limit_price=price(limit),
        stop_price=price(stop),
    )


def is_stream(state):
    return lambda one: isinstance(one, StreamReport) and one.state == state


async def bid_of(made):
    return float(made.price(made.plays.partition(":")[0])["bid"])


# Opening: where, with which key, with which clock.


def test_one_address_leads_to_a_simulator_whole():
    where = endpoints(Market.USDM, "mainnet", "http://127.0.0.1:8800/")
    assert where.rest["fapiPrivate"] == "http://127.0.0.1:8800/fapi/v1"
    assert where.streams == "ws://127.0.0.1:8800/fstream.binance.com"
    assert where.ws_api == "ws://127.0.0.1:8800/ws-fapi/v1"
    with pytest.raises(ParameterError, match="give the address of a simulator"):
        endpoints(Market.SPOT, "mainnet", "127.0.0.1:8800")


@pytest.mark.parametrize("environment", ["mainnet", "testnet", "demo"])
@pytest.mark.parametrize("market", list(Market))
def test_every_world_has_an_address(market, environment):
    where = endpoints(market, environment)
    addresses = [*where.rest.values(), where.streams, where.ws_api or "wss://none"]
    assert all(one.startswith(("https://", "wss://")) for one in addresses)
    assert (environment == "mainnet") == ("sapi" in where.rest)
    foreign = {"mainnet": ("test", "demo"), "testnet": ("demo",), "demo": ("api.binance.com/x",)}[environment]
    assert not [one for one in addresses for word in foreign if word in one]


def test_the_records_name_what_is_there():
    for spec in cambist_sessions():
        assert spec.load_config() is BinanceSettings
        session = spec.load()()
        assert session.name == spec.name
        assert ("margin" in spec.capabilities) is (spec.name != "binance-spot")


@pytest.mark.parametrize("plays", OPEN)
@pytest.mark.parametrize(
    ("change", "code", "told"),
    [
        ({"secret": "wrong" * 8}, "signature", "the secret does not belong to this API key"),
        ({"key": "Wrong" * 12}, "api_key", "it is not one of the simulator"),
    ],
)
def test_a_wrong_key_is_told_in_one_sentence_without_a_secret(plays, change, code, told):
    async def test():
        with pytest.raises(VenueError) as raised:
            async with session_at(made, **change):
                pass
        assert raised.value.code == code
        assert told in str(raised.value)
        assert not [word for word in (made.credentials().secret, *change.values()) if word in str(raised.value)]

    with simulator(plays) as made:
        asyncio.run(test())


def test_a_key_that_may_withdraw_is_refused():
    async def test():
        with pytest.raises(VenueError, match="may withdraw funds") as raised:
            async with session_at(made):
                pass
        assert raised.value.code == "key_may_withdraw"
        async with session_at(made, allow_withdrawals=True) as (session, _):
            assert (await session.account()).balances

    with simulator() as made:
        allow(made, "read", "spot", "futures", "withdraw")
        asyncio.run(test())


@pytest.mark.parametrize(("plays", "told"), [("BTCUSDT", "enable spot"), ("BTCUSDT:linear", "enable futures")])
def test_a_key_that_may_not_trade_is_refused(plays, told):
    async def test():
        with pytest.raises(VenueError, match=told) as raised:
            async with session_at(made):
                pass
        assert raised.value.code == "permission"

    with simulator(plays) as made:
        allow(made, "read")
        asyncio.run(test())


def allow(made, *permissions):
    def change(venue):
        user = venue.users.get(venue.user(None))
        next(iter(user.keys.values())).permissions = frozenset(permissions)

    made.call(change)


def test_without_a_key_there_is_market_data_and_nothing_else():
    async def test():
        async with session_at(made, key="", secret="") as (session, instrument):
            outcome = await session.submit(request(instrument, "none1", "buy", 0.01))
            assert isinstance(outcome, Declined)
            assert outcome.reason == "no_api_key"
            async for one in session.market([Subscription(instrument, "ticks")]):
                if isinstance(one, Tick):
                    break
            assert not made.orders()

    with simulator() as made:
        asyncio.run(test())


def test_a_session_that_only_asks_changes_nothing():
    async def test():
        async with session_at(made, read_only=True) as (session, instrument):
            assert (await session.account()).balances
            for outcome in (
                await session.submit(request(instrument, "none1", "buy", 0.01)),
                await session.cancel_all(instrument.symbol),
            ):
                assert isinstance(outcome, Declined)
                assert outcome.reason == "read_only"
            assert not made.orders()

    with simulator() as made:
        asyncio.run(test())


def test_a_clock_that_is_off_by_minutes_is_told_and_nothing_is_signed():
    async def test():
        with pytest.raises(
            VenueError, match=r"the clock of this machine is 1[78]\d\.\d s behind the venue's"
        ) as raised:
            async with session_at(made):
                pass
        assert raised.value.code == "clock_skew"
        async with session_at(made, max_clock_skew=300.0) as (session, _):
            assert (await session.account()).balances

    with simulator() as made:
        made.shift("3m")
        asyncio.run(test())


def test_a_step_of_the_venue_clock_is_followed():
    async def test():
        async with session_at(made) as (session, instrument):
            made.shift("10s")
            outcome = await session.submit(request(instrument, "late1", "buy", 0.01))
            assert isinstance(outcome, Declined)
            assert outcome.reason == "clock_skew"
            await asyncio.sleep(0.3)
            assert isinstance(await session.submit(request(instrument, "late2", "buy", 0.01)), Answered)
            assert [one.client_id for one in made.orders()] == ["late2"]

    with simulator() as made:
        asyncio.run(test())


def test_settings_that_cannot_be_are_all_told_and_no_value_is_shown():
    with pytest.raises(ParameterError) as raised:
        open_spot(key="kkk", secert="QQQ", timeout="QQQ", environment="moon")
    told = str(raised.value)
    assert "there is no setting 'secert'. Did you mean 'secret'?" in told
    assert "timeout: input should be a valid number" in told
    assert "environment: input should be 'mainnet', 'testnet' or 'demo'." in told
    assert "QQQ" not in told
    with pytest.raises(ParameterError, match="the secret is missing"):
        open_spot(key="kkk")


def test_nobody_there_is_a_clear_error():
    async def test():
        with pytest.raises(VenueError, match="cannot be reached"):
            await open_spot(url="http://127.0.0.1:9", timeout=1.0).open()

    asyncio.run(test())


def test_no_secret_is_logged(caplog):
    async def test():
        async with session_at(made) as (session, instrument):
            await session.submit(request(instrument, "logs1", "buy", 0.01))
            made.add_fault("http_error", status=500, label="order.query", count=1)
            await session.find_order(OrderKey(instrument.symbol, "logs1"))
            made.add_fault("disconnect", at=0, code=1006)
            await asyncio.sleep(0.5)

    with caplog.at_level(logging.DEBUG), simulator() as made:
        logging.getLogger("websockets").setLevel(logging.INFO)
        secret = made.credentials().secret
        asyncio.run(test())
    assert caplog.records
    assert secret not in caplog.text


@pytest.mark.parametrize("status", [429, 418])
def test_a_venue_that_was_asked_too_much_is_left_alone_for_as_long_as_it_says(status):
    async def test():
        async with session_at(made, transport="rest") as (session, instrument):
            made.add_fault("rate_limit", label="order.query", retry_after=1, status=status, count=1)
            key = OrderKey(instrument.symbol, "any1")
            outcome = await session.find_order(key)
            assert isinstance(outcome, Declined)
            assert (outcome.reason, outcome.retry_after) == ("rate_limit", 10**9)
            # Whatever is asked next waits, orders too, and gets there.
            asked = await asyncio.gather(
                session.find_order(key), session.submit(request(instrument, "a1", "buy", 0.01))
            )
            assert [type(one) for one in asked] == [Answered, Answered]
        times = [entry.at for entry in made.requests() if entry.label in {"order.query", "order.place"}]
        assert len(times) == 3
        assert times[1] - times[0] >= 10**9

    with simulator() as made:
        asyncio.run(test())


# The private stream.


@pytest.mark.parametrize("plays", OPEN)
def test_what_happened_while_the_private_stream_was_away_is_found_by_asking(plays):
    async def test():
        async with session_at(made) as (session, instrument), Listener(session.private()) as heard:
            await heard.wait(is_stream("up"), 10)
            made.add_fault("drop", kind="fill", count=1)
            outcome = await session.submit(request(instrument, "lost1", "buy", SIZES[plays]))
            assert isinstance(outcome, Answered)
            found = await session.find_order(OrderKey(instrument.symbol, "lost1"))
            assert found.report.status is ReportedStatus.FILLED
            fills = await session.fills(instrument.symbol, 0, found.report.venue_id)
            assert sum(one.size for one in fills) == found.report.filled

    with simulator(plays) as made:
        asyncio.run(test())


def test_a_garbled_event_ends_the_connection_so_that_nothing_is_missed_unseen():
    async def test():
        async with session_at(made) as (session, instrument), Listener(session.private()) as heard:
            await heard.wait(is_stream("up"), 10)
            made.add_fault("corrupt_frame", kind="order", count=1)
            await session.submit(request(instrument, "bad1", "buy", 0.01))
            await heard.wait(is_stream("down"), 10)
            await heard.wait(is_stream("up"), 10, after=heard.last("down"))

    with simulator() as made:
        asyncio.run(test())


@pytest.mark.parametrize("plays", ["BTCUSDT:linear", "BTCUSD_PERP:inverse"])
def test_an_expired_listen_key_is_replaced(plays):
    async def test():
        async with (
            session_at(made, max_clock_skew=7200.0) as (session, instrument),
            Listener(session.private()) as heard,
        ):
            await heard.wait(is_stream("up"), 10)
            made.shift("61m")
            await heard.wait(is_stream("down"), 10)
            await heard.wait(is_stream("up"), 10, after=heard.last("down"))
            # The jump of the clock is found out by the first request that is signed.
            assert isinstance(await session.submit(request(instrument, "again1", "buy", SIZES[plays])), Declined)
            await asyncio.sleep(0.3)
            assert isinstance(await session.submit(request(instrument, "again2", "buy", SIZES[plays])), Answered)
            await heard.wait(lambda one: isinstance(one, FillReport), 10)

    with simulator(plays) as made:
        asyncio.run(test())


@pytest.mark.parametrize("plays", ["BTCUSDT:linear", "BTCUSD_PERP:inverse"])
def test_a_stop_that_was_triggered_is_filled_under_its_own_name(plays):
    async def test():
        async with session_at(made) as (session, instrument), Listener(session.private()) as heard:
            await heard.wait(is_stream("up"), 10)
            bid, size = await bid_of(made), SIZES[plays]
            stop = request(instrument, "stop1", "buy", size, OrderType.STOP, stop=bid * 1.002)
            placed = await session.submit(stop)
            assert isinstance(placed, Answered), placed
            made.jump(made.plays.partition(":")[0], 0.005)

            def filled(one):
                return isinstance(one, OrderReport) and one.status is ReportedStatus.FILLED

            await heard.wait(filled, 10)
            orders = [one for one in heard.all if isinstance(one, OrderReport)]
            fills = [one for one in heard.all if isinstance(one, FillReport)]
            assert {one.client_id for one in (*orders, *fills)} == {"stop1"}
            assert {one.venue_id for one in (*orders, *fills)} == {placed.report.venue_id}
            assert sum(one.size for one in fills) == Decimal(str(size))
            assert ReportedStatus.TRIGGERED in {one.status for one in orders}
            found = await session.find_order(OrderKey(instrument.symbol, "stop1"))
            assert (found.report.status, found.report.filled) == (ReportedStatus.FILLED, stop.size)
            asked = await session.fills(instrument.symbol, 0, placed.report.venue_id)
            assert {one.trade_id for one in asked} == {one.trade_id for one in fills}
        # A session that was not there finds the same.
        async with session_at(made) as (session, instrument):
            found = await session.find_order(OrderKey(instrument.symbol, "stop1"))
            assert (found.report.status, found.report.filled) == (ReportedStatus.FILLED, stop.size)
            asked = await session.fills(instrument.symbol, 0, found.report.venue_id)
            assert {(one.client_id, one.trade_id) for one in asked} == {("stop1", one.trade_id) for one in fills}

    with simulator(plays) as made:
        asyncio.run(test())


def test_reduce_only_reduces_only():
    async def test():
        async with session_at(made) as (session, instrument):
            outcome = await session.submit(request(instrument, "cut1", "sell", 0.01, reduce_only=True))
            assert isinstance(outcome, Declined)
            assert outcome.reason == "reduce_only"
            assert isinstance(await session.submit(request(instrument, "open1", "buy", 0.01)), Answered)
            assert isinstance(
                await session.submit(request(instrument, "cut2", "sell", 0.01, reduce_only=True)), Answered
            )
            assert not (await session.account()).positions

    with simulator("BTCUSDT:linear") as made:
        asyncio.run(test())


def test_a_hedged_account_has_both_sides():
    def hedge(venue):
        user = venue.users.get(venue.user(None))
        next(one for one in venue.exchanges if one.segment.value == "linear").set_hedged(user, hedged=True)

    async def test():
        async with session_at(made) as (session, instrument):
            for number, (side, of) in enumerate([("buy", PositionSide.LONG), ("sell", PositionSide.SHORT)]):
                outcome = await session.submit(request(instrument, f"hedge{number}", side, 0.01, position_side=of))
                assert isinstance(outcome, Answered), outcome
                assert outcome.report.position_side == of
            positions = (await session.account()).positions
            assert {(one.position_side, one.size) for one in positions} == {
                ("long", Decimal("0.01")),
                ("short", Decimal("-0.01")),
            }
            # Reducing goes by the side that is reduced.
            closing = request(instrument, "hedge9", "sell", 0.01, reduce_only=True, position_side=PositionSide.LONG)
            assert isinstance(await session.submit(closing), Answered)

    with simulator("BTCUSDT:linear") as made:
        try:
            made.call(hedge)
        except AttributeError:
            hedge_by_request(made)
        asyncio.run(test())


def hedge_by_request(made):
    """Switch the account to hedge mode as a client does."""
    import hashlib
    import hmac
    import time
    import urllib.request

    key = made.credentials()
    text = f"dualSidePosition=true&timestamp={int(time.time() * 1000)}"
    signature = hmac.new(key.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    asked = urllib.request.Request(
        f"{made.url}/fapi/v1/positionSide/dual",
        data=f"{text}&signature={signature}".encode(),
        headers={"X-MBX-APIKEY": key.key},
        method="POST",
    )
    with urllib.request.urlopen(asked) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("plays", ["BTCUSDT:linear", "BTCUSD_PERP:inverse"])
def test_leverage_and_margin_are_set_at_the_start(plays):
    async def test():
        settings = {"leverage": {OURS[plays]: 3}, "margin": {OURS[plays]: "isolated"}}
        for _ in range(2):  # what is so already is no error
            async with session_at(made, **settings) as (session, instrument):
                pass
        async with session_at(made, **settings) as (session, instrument):
            await session.submit(request(instrument, "lever1", "buy", SIZES[plays]))
            (position,) = (await session.account()).positions
            assert position.isolated
        (held,) = [one for several in made.positions().values() for one in several]
        assert (held.leverage, held.isolated) == (3, True)
        with pytest.raises(VenueError, match=r"the leverage of .* cannot be 9999"):
            async with session_at(made, leverage={OURS[plays]: 9999}):
                pass

    with simulator(plays) as made:
        asyncio.run(test())


def test_spot_has_no_leverage():
    async def test():
        with pytest.raises(ParameterError, match="settings of futures"):
            async with session_at(made, leverage={"BTC/USDT": 3}):
                pass

    with simulator() as made:
        asyncio.run(test())


# The dead man's switch.


def test_the_dead_mans_switch_is_armed_before_the_first_order_set_back_and_stopped():
    async def test():
        async with session_at(made, countdown=0.9) as (session, instrument):
            assert session.metrics()["countdown"]["set_back"] == {}
            bid = await bid_of(made)
            resting = request(instrument, "rest1", "buy", 0.01, OrderType.LIMIT, limit=bid * 0.97)
            assert isinstance(await session.submit(resting), Answered)
            armed = session.metrics()["countdown"]
            assert (armed["span"], set(armed["set_back"])) == (0.9, {"BTCUSDT"})
            await asyncio.sleep(1.5)
            assert [one.open for one in made.orders()] == [True]
        counted = [entry.label for entry in made.requests() if entry.label in {"countdown", "order.place"}]
        assert counted[0] == "countdown"
        assert counted.count("countdown") >= 4
        await asyncio.sleep(1.5)
        # It was stopped when the session was closed, so what is open stays open.
        assert [one.open for one in made.orders()] == [True]

    with simulator("BTCUSDT:linear") as made:
        asyncio.run(test())


def test_without_the_dead_mans_switch_no_order_leaves():
    async def test():
        async with session_at(made, countdown=5.0) as (session, instrument):
            made.add_fault("http_error", status=500, label="countdown")
            outcome = await session.submit(request(instrument, "dead1", "buy", 0.01))
            assert isinstance(outcome, Declined)
            assert outcome.reason == "countdown"
            assert not made.orders()

    with simulator("BTCUSDT:linear") as made:
        asyncio.run(test())


# Market data.


async def take_until(stream, condition, within=15):
    taken = []
    async with asyncio.timeout(within):
        async for one in stream:
            taken.append(one)
            if condition(taken):
                return taken
    raise AssertionError("the stream ended")


@pytest.mark.parametrize("plays", OPEN)
def test_a_gap_in_the_book_is_told_and_the_book_begins_anew(plays):
    async def test():
        async with session_at(made) as (session, instrument):
            stream = session.market([Subscription(instrument, "book")])
            await take_until(stream, lambda taken: isinstance(taken[-1], BookUpdate) and not taken[-1].is_snapshot)
            made.add_fault("sequence_gap", frames=2, count=1)
            taken = await take_until(stream, lambda taken: isinstance(taken[-1], BookUpdate) and taken[-1].is_snapshot)
            states = [one.state for one in taken if isinstance(one, StreamReport)]
            assert states == ["gap", "up"]

    with simulator(plays) as made:
        asyncio.run(test())


def test_bars_that_a_cut_connection_missed_are_fetched_before_the_next():
    async def test():
        async with session_at(made) as (session, instrument):
            stream = session.market([Subscription(instrument, "bars", MINUTE)])
            final = []

            def two_more(taken):
                del final[:]
                final.extend(one.bar for one in taken if isinstance(one, BarReport) and one.final)
                return len(final) >= 3

            first = await take_until(stream, two_more)
            made.add_fault("disconnect", at=0, stream="*stream*", code=1006)
            seen = [one.bar for one in first if isinstance(one, BarReport) and one.final]
            after = await take_until(
                stream, lambda taken: sum(isinstance(o, BarReport) and o.final for o in taken) >= 8
            )
            states = [one.state for one in after if isinstance(one, StreamReport)]
            assert states[:2] == ["down", "up"]
            seen += [one.bar for one in after if isinstance(one, BarReport) and one.final]
            opens = [bar.ts for bar in seen]
            assert opens == list(range(opens[0], opens[-1] + 1, MINUTE.ns))
            history = await session.history(instrument, MINUTE, opens[0], opens[-1] + MINUTE.ns)
            assert list(history) == seen

    # A bar lasts a tenth of a second, so that several are over while the connection is away.
    with simulator(speed=600.0) as made:
        asyncio.run(test())


def test_a_subscription_that_falls_silent_is_told_asked_for_again_and_in_the_end_connected_anew():
    async def test():
        async with session_at(made, quiet_after=0.4) as (session, instrument):
            stream = session.market([Subscription(instrument, "ticks")])
            await take_until(stream, lambda taken: isinstance(taken[-1], Tick))
            made.set_speed(0)
            taken = await take_until(
                stream, lambda taken: [o.state for o in taken if is_report(o)][-2:] == ["down", "up"]
            )
            states = [one.state for one in taken if is_report(one)]
            assert states[-3:] == ["stale", "down", "up"]
            assert states[:-3] in ([], ["up"])  # where this machine held its breath for so long before
            made.set_speed(1)
            await take_until(stream, lambda taken: isinstance(taken[-1], Tick))
        again = [entry.raw for entry in made.requests() if b"SUBSCRIBE" in (entry.raw or b"")]
        assert sum(b'"SUBSCRIBE"' in one for one in again) >= 3
        assert sum(b"UNSUBSCRIBE" in one for one in again) >= 1

    with simulator() as made:
        asyncio.run(test())


def is_report(one):
    return isinstance(one, StreamReport)


def test_trades_that_are_missing_are_told():
    async def test():
        async with session_at(made) as (session, instrument):
            stream = session.market([Subscription(instrument, "ticks")])
            await take_until(stream, lambda taken: sum(isinstance(one, Tick) for one in taken) >= 2)
            made.add_fault("drop", kind="trade", count=1)
            taken = await take_until(stream, lambda taken: is_report(taken[-1]))
            assert taken[-1].state == "gap"
            assert "1 trades are missing" in taken[-1].text

    with simulator() as made:
        asyncio.run(test())


def test_many_subscriptions_share_connections_and_keep_to_the_message_limit():
    async def test():
        async with session_at(made) as (session, _):
            instruments = session.instruments()
            wanted = [Subscription(one, kind) for one in instruments for kind in ("ticks", "quotes", "book")]
            wanted += [Subscription(one, "bars", Timeframe.parse(name)) for one in instruments for name in ("1m", "5m")]
            stream = session.market(wanted)
            up = set()
            async with asyncio.timeout(20):
                async for one in stream:
                    if is_report(one) and one.state == "up":
                        up.add(one.stream)
                    if len(up) == len(wanted):
                        break
            assert sum(one["subscriptions"] for one in session.metrics()["links"] if "subscriptions" in one) == len(
                wanted
            )

    with simulator() as made:
        asyncio.run(test())


def test_what_the_venue_has_not_is_refused_by_name():
    async def test():
        async with session_at(made) as (session, instrument):
            with pytest.raises(ParameterError, match="no bars of 7m"):
                session.market([Subscription(instrument, "bars", Timeframe.parse("7m"))])
            with pytest.raises(ParameterError, match="no subscription to 'news'"):
                session.market([Subscription(instrument, "news")])
            with pytest.raises(VenueError, match="no candles of 7m"):
                await session.history(instrument, Timeframe.parse("7m"), 0, 10**18)

    with simulator() as made:
        asyncio.run(test())
