"""Fees in the base, the quote and a third coin, at an exchange: what is left, and what of it cannot be sold."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from margined import Play, exchange


def pay_in_bnb(one, discount="0.25"):
    def settle(venue):
        user = venue.users.get(venue.user(None))
        user.fee_asset, user.fee_discount = "BNB", Decimal(discount)

    one.simulator.call(settle)


def by_hand(one, opening):
    """Reckon balances from the venue's executions alone."""
    balances = dict(opening)
    for fill in one.simulator.fills():
        sign = 1 if str(fill.side) == "buy" else -1
        balances["BTC"] += sign * fill.size
        balances["USDT"] -= sign * fill.size * fill.price
        balances[fill.fee_asset] -= fill.fee
    return balances


def test_a_thousandth_of_what_was_bought_leaves_dust_that_no_order_sells(tmp_path):
    async def script(one):
        one.start(on_stop="keep")
        await one.running()
        await one.do(lambda s: s.buy(0.00013))
        assert one.position.size == 0.00012987
        ledger = one.run.kernel.portfolio.exact
        instrument = one.position.instrument
        assert ledger.balance("BTC") == Decimal("0.00012987")
        assert (ledger.sellable(instrument), ledger.dust(instrument)) == (Decimal("0.00012"), Decimal("0.00000987"))
        await one.do(lambda s: s.sell(0.00012))
        assert ledger.balance("BTC") == Decimal("0.00000987")
        assert ledger.sellable(instrument) == 0
        await one.end()
        await one.once_more(on_stop="keep")

    with exchange("spot") as simulator:
        one = Play(simulator, tmp_path / "journal", "spot")
        asyncio.run(script(one))
        one.compare()
        assert one.alarms == []
        assert {fill.fee_asset for fill in simulator.fills()} == {"BTC", "USDT"}


def test_fees_in_a_third_coin_are_paid_from_its_own_balance_until_there_is_none(tmp_path):
    async def script(one):
        one.start(on_stop="keep")
        await one.running()
        await one.do(lambda s: s.buy(0.01))
        assert one.position.size == 0.01  # the coin that was bought pays nothing
        await one.do(lambda s: s.sell(0.005))
        await one.cut_off()
        one.start(on_stop="keep")
        await one.running()
        for _ in range(3):
            await one.do(lambda s: s.buy(0.01))
        await one.end()

    with exchange("spot", symbols=["BTCUSDT", "BNBUSDT"], balances={"BNB": Decimal("0.002")}) as simulator:
        one = Play(simulator, tmp_path / "journal", "spot")
        opening = {asset: one.wallet(asset) for asset in ("USDT", "BTC", "BNB")}
        pay_in_bnb(one)
        asyncio.run(script(one))
        one.compare()
        state = one.state()
        paid_in = [fill.fee_asset for fill in state.fills]
        assert paid_in[0] == "BNB"
        assert paid_in[-1] == "BTC", paid_in
        expected = by_hand(one, opening)
        assert {asset: state.ledger.balance(asset) for asset in expected} == expected
        assert expected["BNB"] == one.wallet("BNB") < Decimal("0.002")
        assert one.alarms == []
