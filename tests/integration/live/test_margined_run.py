"""The account of a live run equals the venue's to the last digit, whatever moves money there."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from margined import MARKETS, Play, exchange

from cambist.errors import ConfigError
from cambist.model import TradingState

FUTURES = ["usdm", "coinm"]


def play(simulator, tmp_path, market, script):
    one = Play(simulator, tmp_path / "journal", market)
    asyncio.run(script(one))
    return one


def fund(rate):
    return lambda at, _user, symbol: at.settle_funding(symbol, Decimal(rate))


def deposit(one, amount):
    one.at_venue(lambda at, user, _symbol: at.deposit(user, one.currency, Decimal(amount)))


@pytest.mark.parametrize("market", FUTURES)
def test_wallet_and_position_equal_the_venue_after_trades_funding_and_transfers(market, tmp_path):
    async def script(one):
        one.start()
        await one.running()
        size = one.size
        for act in (
            lambda s: s.buy(size),
            lambda s: s.buy(2 * size),
            lambda s: s.sell(size),
            lambda s: s.sell(4 * size),
            lambda s: s.buy(size),
        ):
            await one.do(act)
        one.at_venue(fund("0.00073"))
        deposit(one, "0.12345678")
        one.at_venue(lambda at, user, _symbol: at.withdraw(user, one.currency, Decimal("0.00000007")))
        await one.until(lambda: len(one.run.kernel.portfolio.cash_flows) >= 3)
        assert one.run.kernel.portfolio.cash == float(one.wallet())
        kinds = sorted(flow.kind for flow in one.run.kernel.portfolio.cash_flows)
        assert kinds == ["deposit", "funding", "withdrawal"]
        assert one.run.kernel.portfolio.account().flows == pytest.approx(0.12345671)
        await one.do(lambda s: s.sell(size))
        await one.end()

    with exchange(market) as simulator:
        one = play(simulator, tmp_path, market, script)
        assert one.held()
        one.compare()
        assert one.alarms == [], one.texts


@pytest.mark.parametrize("market", FUTURES)
def test_what_moved_money_while_nobody_was_there_is_booked_once(market, tmp_path):
    async def script(one):
        one.start()
        await one.running()
        await one.do(lambda s: s.buy(one.size))
        await one.cut_off()
        one.at_venue(fund("-0.00031"))
        deposit(one, "0.00500001")
        one.at_venue(fund("0.00017"))
        await one.once_more(on_stop="keep")
        one.compare()
        flows = one.state().portfolio.cash_flows
        assert [flow.kind for flow in flows] == ["funding", "deposit", "funding"]
        assert len({flow.reference for flow in flows}) == 3
        await one.once_more(2, on_stop="keep")
        assert len(one.state().portfolio.cash_flows) == 3

    with exchange(market) as simulator:
        one = play(simulator, tmp_path, market, script)
        one.compare()
        assert one.alarms == [], one.texts


@pytest.mark.parametrize("market", FUTURES)
def test_what_moved_money_while_the_stream_was_away_is_fetched_before_anything_is_risked(market, tmp_path):
    async def script(one):
        one.start(audit_every=600.0)
        await one.running()
        await one.do(lambda s: s.buy(one.size))
        one.simulator.add_fault("disconnect", at="0s")
        one.at_venue(fund("0.00055"))
        await one.until(lambda: one.run.kernel.portfolio.cash == float(one.wallet()))
        await one.until(lambda: not list(one.run.kernel.trading.holds))
        await one.end()

    with exchange(market) as simulator:
        one = play(simulator, tmp_path, market, script)
        one.compare()


@pytest.mark.parametrize("market", FUTURES)
def test_what_the_insurance_fund_pays_after_a_liquidation_is_booked(market, tmp_path):
    async def script(one):
        one.venue_settings = {"leverage": {one.symbol: 20}, "margin": {one.symbol: "isolated"}}
        one.start(audit_every=600.0, liquidation_warnings=())
        await one.running()
        await one.do(lambda s: s.buy(one.size))
        crash = one.simulator.price(one.name)["bid"] * Decimal("0.9")

        def fall(at, _user, symbol):
            at.clear_book(symbol)
            at.set_mark(symbol, crash)

        one.at_venue(fall)
        await one.until(lambda: one.position.size == 0.0)
        await one.until(lambda: one.run.kernel.portfolio.cash == float(one.wallet()))
        await one.end()

    with exchange(market) as simulator:
        one = play(simulator, tmp_path, market, script)
        one.compare()
        assert "insurance" in {flow.kind for flow in one.state().portfolio.cash_flows}
        assert set(one.alarms) <= {"liquidation", "margin_call"}, one.texts


@pytest.mark.parametrize("market", FUTURES)
def test_a_liquidation_while_the_stream_was_away_is_booked_once_it_is_back(market, tmp_path):
    async def script(one):
        one.start(audit_every=600.0)
        await one.running()
        await one.do(lambda s: s.buy(one.size))
        one.simulator.add_fault("disconnect", at="0s")
        one.at_venue(lambda at, user, symbol: at.interference.liquidate(user, symbol))
        await one.until(lambda: one.position.size == 0.0 and not list(one.run.kernel.trading.holds))
        assert ["trade", "liquidation"] in one.seat.told
        await one.end()

    with exchange(market) as simulator:
        one = play(simulator, tmp_path, market, script)
        one.compare()
        assert {"liquidation", "stream_down"} >= set(one.alarms) >= {"liquidation"}


@pytest.mark.parametrize("market", FUTURES)
@pytest.mark.parametrize("away", [False, True])
def test_a_liquidation_is_booked_as_one_and_told_to_the_strategy(market, away, tmp_path):
    async def script(one):
        one.start(audit_every=600.0)
        await one.running()
        await one.do(lambda s: s.sell(one.size))
        if away:
            await one.cut_off()
        one.at_venue(lambda at, user, symbol: at.interference.liquidate(user, symbol))
        if away:
            one.start()
            await one.running()
        await one.until(lambda: one.position.size == 0.0)
        assert ["trade", "liquidation"] in one.seat.told
        (closed,) = one.run.kernel.portfolio.trades.closed
        assert closed.reason == "liquidation"
        await one.end()
        await one.once_more(2)

    with exchange(market) as simulator:
        one = play(simulator, tmp_path, market, script)
        one.compare()
        assert set(one.alarms) == {"liquidation"}
        state = one.state()
        assert [fill.order_id for fill in state.fills if state.book.get(fill.order_id).by_venue]


@pytest.mark.parametrize("market", FUTURES)
def test_both_sides_of_a_hedged_account_live_through_a_restart(market, tmp_path):
    async def script(one):
        one.at_venue(lambda at, user, _symbol: at.set_position_mode(user, hedged=True))
        one.start()
        await one.running()
        size = one.size
        await one.do(lambda s: s.buy(2 * size, position_side="long"))
        await one.do(lambda s: s.sell(size, position_side="short"))
        await one.cut_off()
        one.at_venue(fund("0.0004"))
        one.start()
        await one.running()
        legs = one.run.kernel.portfolio.legs
        assert [legs[f"{one.symbol} {side}"].size for side in ("long", "short")] == [2 * size, -size]
        await one.do(lambda s: s.sell(size, position_side="long"))
        assert one.held("long") == Decimal(repr(size)) == -one.held("short")
        await one.end()
        one.compare(("long", "short"))
        await one.once_more(on_stop="flatten")
        assert one.held("long") == one.held("short") == 0

    with exchange(market) as simulator:
        one = play(simulator, tmp_path, market, script)
        one.compare(("long", "short"))
        assert one.alarms == [], one.texts


def test_another_position_mode_stops_trading_until_it_is_set_back(tmp_path):
    async def script(one):
        one.start(audit_every=0.3)
        await one.running()
        one.at_venue(lambda at, user, _symbol: at.set_position_mode(user, hedged=True))
        await one.until(lambda: "position_mode_changed" in one.alarms)
        trading = one.run.kernel.trading
        assert [hold.state for hold in trading.holds] == [TradingState.HALTED]
        one.seat.todo.append(lambda s: s.buy(one.size))
        await one.until(lambda: not one.seat.todo)
        assert one.run.kernel.book.orders[-1].reason.startswith("halted")
        one.at_venue(lambda at, user, _symbol: at.set_position_mode(user, hedged=False))
        await one.until(lambda: not list(trading.holds))
        await one.do(lambda s: s.buy(one.size))
        await one.end()
        one.at_venue(lambda at, user, symbol: at.interference.liquidate(user, symbol))
        one.at_venue(lambda at, user, _symbol: at.set_position_mode(user, hedged=True))
        with pytest.raises(ConfigError, match="in hedge mode, and the journal is of a run in one-way mode"):
            await one.once_more()
        one.journal.close()

    with exchange("usdm") as simulator:
        play(simulator, tmp_path, "usdm", script)


async def changes_by_itself(one):
    """Have the strategy set its leverage and the margin of what it holds, and ask for what nobody does."""
    portfolio, asked, amount = one.run.kernel.portfolio, [], 0.001 if one.market == "coinm" else 5.0
    asks = [
        lambda s: s.set_leverage(6.0),
        lambda s: s.add_margin(amount),
        lambda s: s.set_leverage(4.0),  # with a position that stands for itself the venue lowers none
        lambda s: s.set_leverage(21.0),
        lambda s: s.add_cash(1.0),
    ]
    before = one.at_venue(lambda at, user, _symbol: at.positions(user)[0])
    one.seat.todo.append(lambda s: asked.extend(ask(s) for ask in asks))
    await one.until(lambda: len(portfolio.refused_changes) == 2)
    codes = [change.reason.partition(":")[0] for change in asked]
    assert codes == ["", "", "", "leverage_above_limit", "unsupported"]
    assert [change.reason.partition(":")[0] for change in portfolio.refused_changes] == [codes[3], "margin_in_use"]
    assert "margin_refused" in {word for _, word, _ in one.run.recent_alarms}
    heard = [(change.leverage, change.amount, change.reason.partition(":")[0]) for change in one.seat.heard]
    wanted = [(6.0, 0.0, ""), (float("nan"), amount, ""), (4.0, 0.0, "margin_in_use")]
    assert [repr(change) for change in heard[-3:]] == [repr(change) for change in wanted]
    assert portfolio.leverages == {one.symbol: 6.0}
    assert [(one.amount, repr(one.leverage)) for one in portfolio.margin_changes[-2:]] == [
        (0.0, "6.0"),
        (amount, "nan"),
    ]
    setting, after = one.at_venue(lambda at, user, symbol: (at.setting(user, symbol), at.positions(user)[0]))
    assert setting.leverage == 6
    assert after.isolated_wallet - before.isolated_wallet == Decimal(repr(amount))


@pytest.mark.parametrize("market", FUTURES)
def test_leverage_and_margin_are_read_from_the_venue_and_followed(market, tmp_path):
    async def script(one):
        one.at_venue(lambda at, user, symbol: at.set_leverage(user, symbol, 7))
        one.at_venue(lambda at, user, symbol: at.set_margin_type(user, symbol, isolated=True))
        one.start(audit_every=0.3)
        await one.running()
        portfolio = one.run.kernel.portfolio
        assert portfolio.leverages == {one.symbol: 7.0}
        assert portfolio.terms.is_isolated
        one.at_venue(lambda at, user, symbol: at.set_leverage(user, symbol, 5))
        await one.until(lambda: portfolio.leverages == {one.symbol: 5.0})
        await one.do(lambda s: s.buy(one.size))
        await one.until(lambda: portfolio.mark(one.position) != one.position.last_price)  # the venue's own comes, too
        assert portfolio.mark(one.position) == pytest.approx(one.position.last_price, rel=0.02)
        assert portfolio.margin == pytest.approx(abs(portfolio.positions[one.symbol].notional) / 5, rel=0.05)
        await changes_by_itself(one)
        await one.do(lambda s: s.close())
        one.at_venue(lambda at, user, symbol: at.set_margin_type(user, symbol, isolated=False))
        await one.until(lambda: "margin_mode_changed" in one.alarms)
        one.seat.todo.append(lambda s: s.buy(one.size))
        await one.until(lambda: not one.seat.todo)
        assert one.run.kernel.book.orders[-1].reason.startswith("reducing_only")
        await one.end()

    with exchange(market) as simulator:
        one = play(simulator, tmp_path, market, script)
        one.compare()
        assert set(one.alarms) == {"leverage_changed", "leverage_set", "margin_mode_changed"}
        assert one.state().portfolio.leverages == {one.symbol: 6.0}


@pytest.mark.parametrize(("allowed", "grows"), [(1.0, False), (5.0, True)])
def test_a_run_makes_use_of_no_more_leverage_than_it_was_allowed(tmp_path, allowed, grows):
    async def script(one):
        one.start(leverage=allowed)
        await one.running()
        portfolio = one.run.kernel.portfolio
        assert portfolio.leverages == {one.symbol: allowed}  # the venue would grant twenty times
        await one.until(lambda: portfolio.positions[one.symbol].price_source() > 0.0)
        price = portfolio.positions[one.symbol].price_source()
        size = portfolio.positions[one.symbol].instrument.round_size(2.0 * portfolio.cash / price)
        one.seat.todo.append(lambda s: s.buy(size))
        await one.until(lambda: one.run.kernel.book.orders)
        await one.until(lambda: not one.run.kernel.book.open)
        assert (one.run.kernel.book.orders[0].filled > 0.0) is grows
        if not grows:
            assert one.run.kernel.book.orders[0].reason.startswith("insufficient_")
        one.run.stop("enough")
        await one.end()

    with exchange("usdm") as simulator:
        play(simulator, tmp_path, "usdm", script)


def test_a_position_that_comes_close_to_its_liquidation_is_told_of(tmp_path):
    async def script(one):
        one.venue_settings = {"leverage": {one.symbol: 20}, "margin": {one.symbol: "isolated"}}
        one.start(audit_every=0.3, liquidation_warnings=(0.5, 0.001))
        await one.running()
        await one.do(lambda s: s.buy(one.size))
        await one.until(lambda: "liquidation_near" in one.alarms)
        await one.end()

    with exchange("usdm") as simulator:
        one = play(simulator, tmp_path, "usdm", script)
        assert one.alarms == ["liquidation_near"]
        assert "Add margin, or make the position smaller" in one.texts[0]


@pytest.mark.parametrize("market", list(MARKETS))
def test_a_lost_execution_on_a_healthy_stream_is_found_within_the_audit_period(market, tmp_path):
    async def script(one):
        one.start()
        await one.running()
        one.simulator.add_fault("lost_fill", count=1)
        await one.do(lambda s: s.buy(2 * one.size))
        await one.do(lambda s: s.sell(one.size))
        await one.end()

    with exchange(market) as simulator:
        one = play(simulator, tmp_path, market, script)
        assert simulator.fired()
        one.compare()
        assert "out_of_step" not in one.alarms


@pytest.mark.parametrize("market", FUTURES)
def test_a_lost_word_of_funding_on_a_healthy_stream_is_found_within_the_audit_period(market, tmp_path):
    async def script(one):
        one.start()
        await one.running()
        await one.do(lambda s: s.buy(one.size))
        one.simulator.add_fault("drop", kind="balance")
        one.at_venue(fund("0.0011"))
        await one.until(lambda: one.run.kernel.portfolio.cash == float(one.wallet()))
        await one.end()

    with exchange(market) as simulator:
        one = play(simulator, tmp_path, market, script)
        assert simulator.fired()
        one.compare()
        assert one.alarms == [], one.texts
