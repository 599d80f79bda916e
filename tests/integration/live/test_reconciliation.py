"""What becomes of positions, orders and money of which a run and its venue tell different things."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from margined import MARKETS, Play, Quiet, exchange

from cambist.errors import ConfigError
from cambist.model import OrderType, Side
from cambist_simulator.exchange.orders import OrderTerms

FUTURES = ["usdm", "coinm"]
#: What the run buys, and what another client of the account does meanwhile; in sizes of the market.
SCENARIOS = {
    "flat here and long there": (0, [1]),
    "long here and flat there": (1, [-1]),
    "the side is flipped": (1, [-3, 1]),
    "another quantity": (2, [1, -2]),
    "another average": (2, [-2, "move", 2]),
}


def both(simulator, tmp_path, market, script):
    one = Play(simulator, tmp_path / "journal", market)
    asyncio.run(script(one))
    return one


def entries(one):
    """Return what the positions of the account cost on average."""
    return [there.entry_price for there in one.simulator.positions().get(one.venue, [])]


async def moved(one, points, prices):
    """Wait until the price is by so much at least another one than each of these."""

    def is_elsewhere():
        quote = one.simulator.price(one.name)
        return all(abs(quote[side] - price) >= points for side in ("bid", "ask") for price in prices)

    await one.venue_until(is_elsewhere)


async def trade_beside(one, sizes):
    """Trade as another client of the account."""
    before = entries(one)
    for size in sizes:
        if size == "move":
            await moved(one, 10, before)
        else:
            side = "buy" if size > 0 else "sell"
            order = one.simulator.place(one.name, side, abs(size) * Decimal(repr(one.size)))
            assert order.filled == order.size


async def differ(one, scenario):
    """Bring run and venue out of step while nobody looks."""
    bought, sizes = SCENARIOS[scenario]
    one.start()
    await one.running()
    if bought:
        await one.do(lambda s: s.buy(bought * one.size))
    await one.cut_off()
    await trade_beside(one, sizes)


def orders_sent(one):
    return one.simulator.orders()


CASES = [
    (market, scenario)
    for market in MARKETS
    for scenario in SCENARIOS
    if market != "spot" or scenario in {"flat here and long there", "another quantity"}
]


@pytest.mark.parametrize(("market", "scenario"), CASES)
def test_the_run_takes_over_what_others_traded_by_their_own_executions(market, scenario, tmp_path):
    async def script(one):
        await differ(one, scenario)
        before = len(orders_sent(one))
        await one.once_more(on_position="adopt", on_stop="keep")
        assert len(orders_sent(one)) == before
        state = one.state()
        mine = {fill.id for fill in state.fills}
        assert mine == {one.trade_id for one in one.simulator.fills()}
        tags = {state.book.get(fill.order_id).tag for fill in state.fills if state.book.get(fill.order_id).tag}
        assert tags == {"adopted"}
        await one.once_more(2, on_position="ask", on_stop="keep")
        assert {fill.id for fill in one.state().fills} == mine

    with exchange(market) as simulator:
        one = both(simulator, tmp_path, market, script)
        one.compare()
        assert one.alarms == [], one.texts
        if market != "spot":
            (there,) = simulator.positions()[one.venue] or [None]
            average = one.state().portfolio.positions[one.symbol].average_price
            assert there is None or average == pytest.approx(float(there.entry_price), rel=1e-9)


@pytest.mark.parametrize(("market", "scenario"), CASES)
def test_a_history_that_does_not_reach_back_gives_one_that_is_made_up_and_says_so(market, scenario, tmp_path):
    async def script(one):
        await differ(one, scenario)
        # The last execution, which the history keeps, goes the other way than the difference, and so cannot explain it.
        down = market != "spot" and scenario != "flat here and long there"
        await trade_beside(one, [-5, 5] if down else [5, -5])
        await one.once_more(on_position="adopt", on_stop="keep")
        state = one.state()
        made_up = [fill for fill in state.fills if state.book.get(fill.order_id).tag == "synthetic"]
        assert made_up
        assert not {fill.id for fill in made_up} & {one.trade_id for one in one.simulator.fills()}
        await one.once_more(2, on_position="ask", on_stop="keep")
        assert [fill.id for fill in one.state().fills] == [fill.id for fill in state.fills]

    with exchange(market, kept_orders=1) as simulator:
        one = both(simulator, tmp_path, market, script)
        one.compare()
        assert set(one.alarms) <= {"balance_adjusted"}


@pytest.mark.parametrize("market", list(MARKETS))
@pytest.mark.parametrize("policy", ["ignore", "close", "ask"])
def test_nothing_of_others_is_traded_unless_somebody_said_so(market, policy, tmp_path):
    async def script(one):
        await differ(one, "flat here and long there")
        bid = one.simulator.price(one.name)["bid"]
        tick = Decimal("0.1") if market != "spot" else Decimal("0.01")
        size = Decimal(repr(one.size))
        strange = one.simulator.place(one.name, "buy", size, (bid * Decimal("0.96")) // tick * tick)
        before = len(orders_sent(one))
        if policy == "ask":
            with pytest.raises(ConfigError, match=r"this run holds 0.*adopt, ignore or close"):
                await one.once_more()
            one.journal.close()
        else:
            one.start(on_position=policy, on_stop="keep")
            await one.running()
            await one.until(lambda: policy == "ignore" or len(orders_sent(one)) > before)
            await one.end()
        sent = len(orders_sent(one)) - before
        (there,) = [order for order in one.simulator.orders() if order.id == strange.id]
        assert there.open
        if policy == "close":
            assert sent == 1
        else:
            assert sent == 0
            held = one.wallet("BTC") if market == "spot" else one.held()
            assert held > 0

    with exchange(market) as simulator:
        both(simulator, tmp_path, market, script)


def test_what_trades_while_a_start_asks_for_the_account_is_nobodys_decision(tmp_path):
    """An order of the run trades after the venue has read its account, and is booked before the answer is here."""

    async def script(one):
        one.start()
        await one.running()
        await one.do(lambda s: s.buy(2 * one.size))
        above = float(one.simulator.price(one.name)["ask"] * Decimal("1.04") // 1)
        await one.do(lambda s: s.sell(one.size, limit=above), fills=0)
        await one.cut_off()
        opens, asked = one.open, []

        async def trade_what_rests():
            for there in one.simulator.orders(open_only=True):
                before = len(one.run.kernel.fills)
                one.at_venue(lambda at, _user, _symbol, there=there: at.interference.fill(there.id, there.size))
                await one.until(lambda before=before: len(one.run.kernel.fills) > before)

        def opened(**settings):
            session = opens(**settings)
            account = session.account

            async def late():
                report = await account()
                asked.append(one.run.phase)
                if one.run.phase == "reconcile":
                    await trade_what_rests()
                return report

            session.account = late
            return session

        one.open = opened
        one.start(on_position="ask")
        await one.running()
        assert asked.count("reconcile") > 1
        assert not one.run.account.reconciler.settled
        await one.end()

    with exchange("coinm") as simulator:
        both(simulator, tmp_path, "coinm", script).compare()


@pytest.mark.parametrize("market", list(MARKETS))
def test_an_order_of_others_is_told_of_and_canceled_only_where_that_is_the_policy(market, tmp_path):
    async def script(one):
        bid = one.simulator.price(one.name)["bid"]
        tick = Decimal("0.1") if market != "spot" else Decimal("0.01")
        price = (bid * Decimal("0.96")) // tick * tick
        one.simulator.place(one.name, "buy", Decimal(repr(one.size)), price)
        await one.once_more(on_order="ignore", on_stop="keep")
        assert len(one.simulator.orders(open_only=True)) == 1
        await one.once_more(on_order="close", on_stop="keep")
        assert not one.simulator.orders(open_only=True)
        one.start()
        await one.running()
        one.simulator.place(one.name, "buy", Decimal(repr(one.size)), price)
        await one.until(lambda: "foreign_order" in one.alarms)
        await one.end()
        assert len(one.simulator.orders(open_only=True)) == 1

    with exchange(market) as simulator:
        both(simulator, tmp_path, market, script)


def test_money_that_spot_does_not_tell_of_is_taken_over_once_and_told(tmp_path):
    async def script(one):
        one.start()
        await one.running()
        one.at_venue(lambda at, user, _symbol: at.deposit(user, "USDT", Decimal("7.00000001")))
        await one.until(lambda: one.run.kernel.portfolio.cash == float(one.wallet()))
        assert one.alarms == [], one.texts
        await one.cut_off()
        one.at_venue(lambda at, user, _symbol: at.deposit(user, "USDT", Decimal("3.33333333")))
        await one.once_more(2)
        kinds = [(flow.kind, flow.amount) for flow in one.state().portfolio.cash_flows]
        assert kinds == [("deposit", 7.00000001), ("adjustment", 3.33333333)]
        assert one.alarms == ["balance_adjusted"]
        one.at_venue(lambda at, user, _symbol: at.withdraw(user, "USDT", Decimal(1)))
        with pytest.raises(ConfigError, match=r"USDT: this run has .* of a balance adopt or ignore, by on_balance"):
            await one.once_more(on_balance="ask")
        one.journal.close()
        await one.once_more(on_balance="ignore")
        assert one.state().ledger.balance("USDT") == one.wallet() + 1
        await one.once_more()

    with exchange("spot") as simulator:
        both(simulator, tmp_path, "spot", script).compare()


@pytest.mark.parametrize("market", FUTURES)
def test_what_others_trade_meanwhile_is_found_told_and_taken_over_where_that_is_the_policy(market, tmp_path):
    async def script(one):
        one.start(on_position="adopt", audit_every=0.5)
        await one.running()
        await one.do(lambda s: s.buy(one.size))
        await trade_beside(one, [2])
        await one.until(lambda: one.position.size == 3 * one.size)
        assert "position_adopted" in one.alarms
        await one.end()
        one.compare()
        assert set(one.alarms) == {"foreign_order", "position_adopted"}
        one.start(on_position="ask", audit_every=0.5)
        await one.running()
        await trade_beside(one, [-1])
        await one.until(lambda: "out_of_step" in one.alarms)
        assert one.position.size == 3 * one.size
        one.seat.todo += [lambda s: s.buy(one.size)]
        await one.until(lambda: not one.seat.todo)
        assert one.run.kernel.book.orders[-1].reason.startswith("reducing_only")
        await trade_beside(one, [1])
        await one.until(lambda: not list(one.run.kernel.trading.holds))
        await one.end()

    with exchange(market) as simulator:
        both(simulator, tmp_path, market, script)


#: By side of the position: what the run holds, and what another client makes of it meanwhile.
LEGS = {
    "flat here and open there": ({}, [("long", 2), ("short", 1)]),
    "open here and flat there": ({"long": 1, "short": 2}, [("long", -1), ("short", -2)]),
    "from one side to the other": ({"long": 2}, [("long", -2), ("short", 2)]),
    "other quantities": ({"long": 2, "short": 2}, [("move", 0.1), ("long", 1), ("short", -1)]),
    "another average": ({"long": 2}, [("long", -2), ("move", 10), ("long", 2)]),
}


async def trade_legs(one, changes):
    """Open (more of) one side, or close some of it, as another client of the account."""
    before = entries(one)
    for side, change in changes:
        if side == "move":
            await moved(one, change, before)
            continue
        buys = (change > 0) == (side == "long")
        terms = OrderTerms(
            symbol=one.name,
            side=Side.BUY if buys else Side.SELL,
            type=OrderType.MARKET,
            size=abs(change) * Decimal(repr(one.size)),
            position_side=side,
        )
        order = one.at_venue(lambda at, user, _symbol, terms=terms: at.place(user, terms))
        assert order.filled == order.size


@pytest.mark.parametrize("kept", [100_000, 1], ids=["whole history", "short history"])
@pytest.mark.parametrize("scenario", LEGS)
@pytest.mark.parametrize("market", FUTURES)
def test_each_side_of_a_hedged_account_is_taken_over_for_itself(market, scenario, kept, tmp_path):
    held, changes = LEGS[scenario]

    async def script(one):
        one.at_venue(lambda at, user, _symbol: at.set_position_mode(user, hedged=True))
        one.start()
        await one.running()
        for side, count in held.items():
            send = "buy" if side == "long" else "sell"
            await one.do(
                lambda s, send=send, side=side, count=count: getattr(s, send)(count * one.size, position_side=side)
            )
        await one.cut_off()
        await trade_legs(one, changes)
        if kept == 1:  # of a whole that no difference here is, and of no side whose average alone differs
            beside = "short" if scenario == "another average" else "long"
            await trade_legs(one, [(beside, 5), (beside, -5)])
        with pytest.raises(ConfigError, match=r"\((long|short)\): this run holds"):
            await one.once_more(on_position="ask")
        one.journal.close()
        await one.once_more(on_position="adopt", on_stop="keep")
        fills = [fill.id for fill in one.state().fills]
        tags = {order.tag for order in one.state().book.orders if order.tag}
        assert tags == {"adopted"} if kept > 1 else "synthetic" in tags
        await one.once_more(2, on_position="ask", on_stop="keep")
        assert [fill.id for fill in one.state().fills] == fills

    with exchange(market, kept_orders=kept) as simulator:
        one = both(simulator, tmp_path, market, script)
        one.compare(("long", "short"))
        for there in simulator.positions()[one.venue]:
            ours = one.state().portfolio.legs[f"{one.symbol} {there.position_side}"]
            assert ours.average_price == pytest.approx(float(there.entry_price), rel=1e-8)
        assert set(one.alarms) <= ({"balance_adjusted"} if kept == 1 else set())


class Other(Quiet):
    """One more strategy in the run."""


def test_what_is_taken_over_belongs_to_the_strategy_that_is_named_for_the_instrument(tmp_path):
    async def script(one):
        one.strategies = lambda: [Quiet(), Other()]
        await trade_beside(one, [1])
        one.start(owners={one.symbol: "Stranger"})
        with pytest.raises(ConfigError, match="owners gives BTC/USDT:USDT to 'Stranger'"):
            await one.running()
        one.journal.close()
        one.folder = one.folder.with_name("another")
        await one.once_more(on_position="adopt", owners={one.symbol: "Other"}, on_stop="keep")
        (order,) = one.state().book.orders
        # It was there before the run began, and so its executions are none of what the run could have missed.
        assert (order.strategy, order.tag) == ("Other", "synthetic")

    with exchange("usdm") as simulator:
        both(simulator, tmp_path, "usdm", script).compare()
