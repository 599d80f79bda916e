"""The account of a live run equals the venue's to the last digit, whatever moves money there."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from margined import Play, exchange


@pytest.mark.parametrize("market", ["usdm", "coinm"])
def test_wallet_and_position_equal_the_venue_after_trades_funding_and_transfers(market, tmp_path):
    async def play(one):
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
        one.at_venue(lambda at, _user, symbol: at.settle_funding(symbol, Decimal("0.00073")))
        one.at_venue(lambda at, user, _symbol: at.deposit(user, one.currency, Decimal("0.12345678")))
        one.at_venue(lambda at, user, _symbol: at.withdraw(user, one.currency, Decimal("0.00000007")))
        await one.until(lambda: len(one.run.kernel.portfolio.cash_flows) >= 3)
        assert one.run.kernel.portfolio.cash == float(one.wallet())
        kinds = sorted(flow.kind for flow in one.run.kernel.portfolio.cash_flows)
        assert kinds == ["deposit", "funding", "withdrawal"]
        await one.do(lambda s: s.close())
        await one.end()

    with exchange(market) as simulator:
        one = Play(simulator, tmp_path / "journal", market)
        asyncio.run(play(one))
        one.compare()
        assert one.alarms == []
