"""Movements of money that a venue tells of, each booked once, and balances that nothing explains."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from types import SimpleNamespace

import pytest

from cambist.live.differences import DifferenceKind, balance_differences
from cambist.live.wallet import OVERLAP, Wallet
from cambist.model import Instrument
from cambist.model.margin import Margin
from cambist.model.reports import AccountReport, BalanceReport, CashReport
from cambist.portfolio import VenueInKind, VenueMargin

SPOT = Instrument(symbol="BTC/USDT", base="BTC", quote="USDT", step_size="0.00001", tick_size="0.01")
LINEAR = Instrument(
    symbol="B/T:T", kind="linear_perpetual", base="BTC", quote="USDT", step_size="0.001", margin_rate=0.05
)


class Venue:
    """Lists what moved money."""

    def __init__(self, *rows) -> None:
        self.rows, self.asked = list(rows), []

    async def cash_flows(self, since):
        self.asked.append(since)
        return [row for row in self.rows if row.ts >= since]


def row(ts, amount, reference, asset="USDT", kind="funding"):
    return CashReport(ts=ts, reference=reference, kind=kind, asset=asset, amount=Decimal(amount))


def books_of(instrument=LINEAR, known=(), as_of=OVERLAP):
    made = VenueInKind([SPOT], 100.0) if instrument is SPOT else VenueMargin([LINEAR], 100.0, margin=Margin())
    made.open_exactly(Decimal(100), as_of, known)
    return made


def wallet_of(books, venue=None, references=None):
    def take(event):
        books.move_cash(event.flow, 0)

    kernel = SimpleNamespace(portfolio=books)
    return Wallet(venue or Venue(), kernel, take, lambda: 7, references or {})


async def until(what):
    async with asyncio.timeout(20):
        while not what():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


def test_what_the_venue_lists_is_booked_once_however_often_it_is_asked():
    books = books_of()
    venue = Venue(row(OVERLAP + 5, "0.00000001", "FUNDING_FEE 1"), row(OVERLAP + 5, "-1", "FUNDING_FEE 2"))
    wallet = wallet_of(books, venue)
    assert [asyncio.run(wallet.fetch()) for _ in range(3)] == [2, 0, 0]
    assert books.exact.balance("USDT") == Decimal("99.00000001")
    assert books.cash == 99.00000001
    assert books.carry == pytest.approx(-0.99999999)


def test_what_was_booked_before_a_restart_and_what_the_opening_holds_is_not_booked():
    books = books_of(known=["FUNDING_FEE 1"])
    venue = Venue(*(row(OVERLAP + number, "1", f"FUNDING_FEE {number}") for number in range(4)))
    wallet = wallet_of(books, venue, {"FUNDING_FEE 2": OVERLAP + 2})
    assert asyncio.run(wallet.fetch()) == 2
    assert [flow.reference for flow in books.cash_flows] == ["FUNDING_FEE 0", "FUNDING_FEE 3"]


def test_the_venue_is_asked_from_a_while_before_what_is_known():
    books, venue = books_of(as_of=10 * OVERLAP), Venue(row(12 * OVERLAP, "1", "T 1"))
    wallet = wallet_of(books, venue)
    asyncio.run(wallet.fetch())
    asyncio.run(wallet.fetch())
    assert venue.asked == [9 * OVERLAP, 11 * OVERLAP]


def test_a_coin_beside_the_currency_is_no_cash_of_strategies():
    books = books_of()
    wallet = wallet_of(books, Venue(row(OVERLAP, "2", "TRANSFER 1", "BNB", "deposit")))
    asyncio.run(wallet.fetch())
    assert (books.cash, books.flows, books.exact.balance("BNB")) == (100.0, 0.0, 2)


def test_what_an_instrument_holds_is_a_position_and_no_money():
    books = books_of(SPOT)
    assert not wallet_of(books).told(row(OVERLAP, "0.5", "balanceUpdate", "BTC", "deposit"))
    assert books.exact.balance("BTC") == 0


def test_what_the_stream_tells_waits_until_the_run_is_in_step():
    books = books_of()
    wallet = wallet_of(books)
    wallet.heard(row(OVERLAP, "1", "T 1"))
    assert books.cash == 100.0
    wallet.begin()
    wallet.heard(row(OVERLAP, "1", "T 1"))
    wallet.heard(row(OVERLAP, "1", "T 2"))
    assert books.cash == 102.0


@pytest.mark.parametrize("restarted", [False, True])
def test_a_balance_that_was_taken_over_holds_what_is_told_of_later(restarted):
    books = books_of()
    wallet = wallet_of(books)
    wallet.adjust(OVERLAP + 9, "USDT", Decimal(100), Decimal("103.5"))
    assert books.exact.balance("USDT") == Decimal("103.5")
    if restarted:
        wallet = wallet_of(books, references={books.cash_flows[-1].reference: OVERLAP + 9})
    assert not wallet.told(row(OVERLAP + 9, "3.5", "TRANSFER 1", kind="deposit"))
    assert wallet.told(row(OVERLAP + 10, "1", "TRANSFER 2", kind="deposit"))
    assert books.exact.balance("USDT") == Decimal("104.5")


def test_what_pays_fees_is_opened_with_what_there_is():
    books = books_of(SPOT)
    balances = {"USDT": "100", "BTC": "3", "BNB": "0.7", "OLD": "0"}
    report = AccountReport(
        ts=5, balances=tuple(BalanceReport(ts=5, asset=one, total=Decimal(total)) for one, total in balances.items())
    )
    wallet_of(books).open_assets(report)
    assert books.exact.balances == {"USDT": Decimal(100), "BNB": Decimal("0.7")}
    assert balance_differences([SPOT], books.exact, report) == []
    books.exact.move("BNB", Decimal("-0.00000001"))
    (found,) = balance_differences([SPOT], books.exact, report)
    assert (found.kind, found.symbol, found.theirs - found.ours) == (DifferenceKind.BALANCE, "BNB", Decimal("1e-8"))
    assert found.describe() == "BNB: this run has 0.69999999, the venue 0.7"
    assert balance_differences([SPOT], books.exact, report, {"BNB": 1e-8}) == []


def test_a_word_that_a_balance_has_changed_has_the_list_asked_until_it_is_there():
    async def play():
        books, venue = books_of(), Venue()
        wallet = wallet_of(books, venue)
        keeping = asyncio.create_task(wallet.keep_on())
        wallet.changed(AccountReport(ts=1, complete=False, reason="order"))
        await asyncio.sleep(0.01)
        assert not venue.asked
        wallet.changed(AccountReport(ts=1, complete=False, reason="funding_fee"))
        await until(lambda: venue.asked)
        venue.rows.append(row(OVERLAP, "-0.5", "FUNDING_FEE 1"))  # it lists a little later than it tells
        await until(lambda: books.cash_flows)
        keeping.cancel()
        assert books.cash == 99.5

    asyncio.run(play())
