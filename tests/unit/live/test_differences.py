"""What a run knows against what its venue says."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cambist.live.differences import DifferenceKind, foreign_orders, position_differences
from cambist.model import Instrument, OrderType, Side
from cambist.model.portfolio import Position
from cambist.model.reports import AccountReport, BalanceReport, OrderReport, PositionReport, ReportedStatus
from cambist.portfolio.exact import ExactLedger

SPOT = Instrument(symbol="BTC/USDT", base="BTC", quote="USDT", tick_size="0.01", step_size="0.00001")
PERPETUAL = Instrument(
    symbol="BTCUSDT", kind="linear_perpetual", base="BTC", quote="USDT", tick_size="0.1", step_size="0.001"
)


def spot_account(total: str) -> AccountReport:
    return AccountReport(ts=0, balances=(BalanceReport(ts=0, asset="BTC", total=Decimal(total)),))


def ledger(btc: str) -> ExactLedger:
    made = ExactLedger()
    made.move("BTC", Decimal(btc))
    return made


@pytest.mark.parametrize("theirs", ["0.09990", "0.099904999", "0.0998901"])
def test_dust_is_no_difference(theirs):
    assert position_differences([SPOT], {}, ledger("0.0999"), spot_account(theirs)) == []


@pytest.mark.parametrize(("theirs", "side", "size"), [("0.2", Side.BUY, "0.1001"), ("0", Side.SELL, "0.0999")])
def test_a_step_more_or_less_is_one(theirs, side, size):
    (found,) = position_differences([SPOT], {}, ledger("0.0999"), spot_account(theirs))
    assert (found.kind, found.side, found.size) == (DifferenceKind.POSITION, side, Decimal(size))
    assert found.describe() == f"BTC/USDT: this run holds 0.0999, the venue {theirs}"


def test_an_asset_that_the_venue_does_not_name_is_not_there():
    (found,) = position_differences([SPOT], {}, ledger("0.5"), AccountReport(ts=0))
    assert found.theirs == 0


@pytest.mark.parametrize(("ours", "theirs"), [(0.0, "0.5"), (0.5, "0"), (0.5, "-0.5"), (0.5, "0.499")])
def test_contracts_are_compared_with_their_sign(ours, theirs):
    positions = {"BTCUSDT": Position(PERPETUAL, ours)}
    account = AccountReport(
        ts=0,
        positions=(PositionReport(ts=0, symbol="BTCUSDT", size=Decimal(theirs), entry_price=Decimal(100)),),
    )
    (found,) = position_differences([PERPETUAL], positions, ExactLedger(), account)
    assert found.ours == Decimal(repr(ours))
    assert found.theirs == Decimal(theirs)
    assert found.entry_price == 100


def test_equal_contracts_are_no_difference_and_both_legs_of_a_hedge_are_looked_at():
    def leg(side: str, size: str) -> PositionReport:
        return PositionReport(ts=0, symbol="BTCUSDT", size=Decimal(size), entry_price=Decimal(100), position_side=side)

    account = AccountReport(ts=0, positions=(leg("long", "0.3"), leg("short", "-0.2")))
    positions = {"BTCUSDT long": Position(PERPETUAL, 0.3), "BTCUSDT short": Position(PERPETUAL, -0.1)}
    (found,) = position_differences([PERPETUAL], positions, ExactLedger(), account)
    assert (found.position_side, found.ours, found.theirs) == ("short", Decimal("-0.1"), Decimal("-0.2"))


def test_orders_of_others_are_found_by_their_ids():
    def order(client_id: str) -> OrderReport:
        return OrderReport(
            ts=0,
            symbol="BTC/USDT",
            client_id=client_id,
            venue_id="7",
            status=ReportedStatus.OPEN,
            side=Side.SELL,
            type=OrderType.LIMIT,
            size=Decimal("0.5"),
            filled=Decimal("0.1"),
            limit_price=Decimal(120),
        )

    (found,) = foreign_orders([order("run7-1"), order("by-hand")], ["run7-1"])
    assert (found.kind, found.theirs) == (DifferenceKind.ORDER, Decimal("-0.4"))
    assert "sell 0.5 at 120 (0.1 filled), by-hand" in found.describe()
