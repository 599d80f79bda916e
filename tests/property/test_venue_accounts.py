"""Accounts that a venue keeps, against its own arithmetic, and through journal and snapshot, to the last digit."""

from __future__ import annotations

import itertools
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal, localcontext

import attrs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cambist import Margin, Strategy
from cambist.engine.document import decode_run, digest_of, encode_run, trading_of
from cambist.engine.fold import RunState
from cambist.engine.journaled import Recorder
from cambist.engine.shield import Shield, ShieldedKernel
from cambist.engine.step import no_calendar
from cambist.live.doors import Doors
from cambist.live.engine import LiveEngine
from cambist.live.subscriptions import Listening
from cambist.model import Instrument, Liquidity, PositionSide, Side, Timeframe
from cambist.model.events import CashMoved, RunStarted
from cambist.model.portfolio import CashFlow
from cambist.model.reports import FillReport
from cambist.portfolio import VenueHedge, VenueInKind, VenueMargin
from cambist.ports.journal import JournalEntry
from cambist.ports.venue import VenueTerms
from cambist.risk import RiskGate
from cambist.simulation import InstrumentFees

MINUTE = Timeframe.parse("1m")
CENT, FINE = Decimal("1e-8"), Decimal("1e-16")
SPOT = Instrument(symbol="BTC/USDT", base="BTC", quote="USDT", step_size="0.00001", tick_size="0.01")
LINEAR = Instrument(
    symbol="B/T:T",
    kind="linear_perpetual",
    base="BTC",
    quote="USDT",
    step_size="0.001",
    tick_size="0.1",
    margin_rate=0.05,
)
INVERSE = Instrument(
    symbol="B/D:B",
    kind="inverse_perpetual",
    base="BTC",
    quote="USD",
    step_size=1,
    tick_size="0.1",
    multiplier=100,
    margin_rate=0.05,
)


@attrs.define
class Leg:
    """A position at the venue, which keeps what it cost, and pays in whole hundred-millionths."""

    inverse: bool
    unit: Decimal
    size: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)

    def worth(self, size: Decimal, price: Decimal) -> Decimal:
        return (-size * self.unit / price).quantize(FINE, ROUND_HALF_EVEN) if self.inverse else size * self.unit * price

    def trade(self, signed: Decimal, price: Decimal) -> Decimal:
        profit = Decimal(0)
        if self.size * signed < 0:
            closed = min(abs(signed), abs(self.size)) * (1 if signed > 0 else -1)
            released = self.cost if closed == -self.size else self.cost * -closed / self.size
            profit = (-self.worth(closed, price) - released).quantize(CENT, ROUND_HALF_EVEN)
            self.size += closed
            self.cost -= released
            signed -= closed
        self.size += signed
        self.cost += self.worth(signed, price) if signed else 0
        return profit


class Rig:
    """A live engine that books what it is told, and the journal that it writes."""

    def __init__(self, instrument, books) -> None:
        self.instrument, self.books = instrument, books
        self.entries: list[JournalEntry] = []
        strategies = [Strategy()]
        shield = Shield(strategies)
        kernel = self.kernel = ShieldedKernel(
            strategies, [(instrument, MINUTE)], books, RiskGate(), InstrumentFees().fee, no_calendar
        )
        kernel.shield = shield
        kernel.recorder = Recorder(kernel, self.append)
        self.alarms: list[str] = []
        self.now = 0

        def alarm(word, _text) -> None:
            self.alarms.append(word)

        doors = Doors(
            send=lambda _: None,
            alarm=alarm,
            foreign=lambda _: None,
            stop=lambda _: None,
            failed=lambda _: None,
            changed=lambda _: None,
            lost=lambda _: None,
        )
        self.engine = LiveEngine(kernel, Listening([(instrument, MINUTE)]), VenueTerms(), self.clock, doors)
        self.engine.put(kernel.step(RunStarted(self.clock(), "token", 0)))

    def clock(self) -> int:
        self.now += 1
        return self.now

    def append(self, drafts) -> int:
        for draft in drafts:
            number = len(self.entries) + 1
            self.entries.append(
                JournalEntry(
                    sequence=number,
                    ts=draft.ts,
                    kind=draft.kind,
                    version=draft.version,
                    body=draft.body,
                    ends_commit=True,
                )
            )
        return len(self.entries)

    def folded(self) -> RunState:
        return RunState().apply_all(self.entries)

    def pay(self, asset, amount, reference, kind="funding") -> None:
        flow = CashFlow(self.now, kind, "", asset, float(amount), reference=reference, exact=amount)
        self.engine.take(CashMoved(self.clock(), flow))

    def compare(self, wallets) -> None:
        """Hold kernel, journal and snapshot against the venue's wallets."""
        state = self.folded()
        again = decode_run(encode_run(state))
        for ledger in (self.books.exact, state.ledger, again.ledger):
            assert {asset: ledger.balance(asset) for asset in wallets} == wallets
        cash = float(wallets[self.books.currency])
        assert self.books.cash == state.portfolio.cash == again.portfolio.cash == cash
        assert digest_of(again) == digest_of(state)
        kernel = self.kernel
        of_kernel = trading_of(kernel.book, kernel.fills, self.books, {})
        assert repr(of_kernel) == repr(trading_of(state.book, state.fills, state.portfolio, {}))
        assert self.alarms == []


trades = st.tuples(
    st.just("trade"), st.sampled_from(PositionSide), st.integers(-40, 40).filter(bool), st.integers(300_000, 900_000)
)
flows = st.tuples(st.just("pay"), st.decimals("-3", "3", places=8))
histories = st.lists(st.one_of(trades, trades, flows), max_size=30)


def rate(worth: Decimal) -> Decimal:
    return (abs(worth) * Decimal("0.0004")).quantize(CENT, ROUND_DOWN)


@pytest.mark.parametrize("hedged", [False, True], ids=["one-way", "hedge"])
@pytest.mark.parametrize("instrument", [LINEAR, INVERSE], ids=["linear", "inverse"])
@given(history=histories, fees_in=st.sampled_from(["", "BNB"]))
@settings(max_examples=40, deadline=None)
def test_wallets_of_futures_equal_the_venues(instrument, hedged, history, fees_in):
    with localcontext(prec=50):
        opening = Decimal("1234567890.12345678")
        mode = "hedge" if hedged else "one-way"
        books = (VenueHedge if hedged else VenueMargin)(
            [instrument], float(opening), margin=Margin(position_mode=mode, leverage=10)
        )
        books.open_exactly(opening, 0)
        rig = Rig(instrument, books)
        unit = Decimal(repr(instrument.multiplier))
        legs = {side: Leg(instrument.is_inverse, unit) for side in (PositionSide if hedged else [None])}
        wallets = {instrument.settle: opening, "BNB": Decimal(50)}
        rig.pay("BNB", Decimal(50), "opening BNB", "opening")
        for number, (kind, *what) in enumerate(history, 1):
            if kind == "pay":
                rig.pay(instrument.settle, what[0], f"FUNDING_FEE {number}")
                wallets[instrument.settle] += what[0]
                continue
            named, lots, ticks = what
            side = named if hedged else None
            leg, price = legs[side], Decimal(ticks) / 10
            signed = lots * Decimal(instrument.step_size)
            if hedged:  # a side is not turned: what would turn it adds to it
                signed = abs(signed) * (1 if side is PositionSide.LONG else -1) * (1 if lots > 0 else -1)
                if abs(leg.size + signed) < abs(leg.size) or leg.size * (leg.size + signed) < 0:
                    signed = max(-abs(leg.size), min(abs(leg.size), signed)) or -signed
                if leg.size == 0 and (signed > 0) != (side is PositionSide.LONG):
                    signed = -signed
            profit, fee = leg.trade(signed, price), rate(leg.worth(signed, price))
            asset = fees_in or instrument.settle
            wallets[instrument.settle] += profit
            wallets[asset] -= fee
            report = FillReport(
                ts=number,
                symbol=instrument.symbol,
                client_id="",
                venue_id=str(number),
                trade_id=str(number),
                side=Side.BUY if signed > 0 else Side.SELL,
                size=abs(signed),
                price=price,
                fee=fee,
                fee_asset=asset,
                liquidity=Liquidity.TAKER,
                position_side=str(side or ""),
                profit=profit,
            )
            assert rig.engine.positions.adopt(report, "adopted")
            assert not rig.engine.positions.adopt(report, "adopted")  # once, whoever tells of it again
        rig.compare(wallets)
        for side, leg in legs.items():
            key = f"{instrument.symbol} {side}" if side else instrument.symbol
            assert books.exact.contracts.get(key, Decimal(0)) == leg.size
            assert books.legs[key].size == float(leg.size)
            if leg.size:
                average = leg.size * unit / -leg.cost if instrument.is_inverse else leg.cost / leg.size / unit
                assert books.legs[key].average_price == pytest.approx(float(average), rel=1e-9)


spot_trades = st.lists(st.tuples(st.integers(-30, 60).filter(bool), st.integers(1_000_000, 9_000_000), st.booleans()))


@given(history=spot_trades)
@settings(max_examples=60, deadline=None)
def test_balances_of_spot_equal_the_venues_with_fees_in_base_quote_and_a_third_coin(history):
    with localcontext(prec=50):
        opening = Decimal("98765432.12345678")
        books = VenueInKind([SPOT], float(opening))
        books.open_exactly(opening, 0)
        rig = Rig(SPOT, books)
        wallets = {"USDT": opening, "BTC": Decimal(0), "BNB": Decimal("0.5")}
        rig.pay("BNB", Decimal("0.5"), "opening BNB", "opening")
        for number, (lots, cents, third) in zip(itertools.count(1), history, strict=False):
            size, price = abs(lots) * Decimal("0.00007"), Decimal(cents) / 100
            buys = lots > 0 or wallets["BTC"] < size
            received, asset = (size, "BTC") if buys else (size * price, "USDT")
            fee = (received * Decimal("0.001")).quantize(CENT, ROUND_DOWN)
            if third and wallets["BNB"] > Decimal("0.00012345"):
                fee, asset = Decimal("0.00012345"), "BNB"
            sign = 1 if buys else -1
            wallets["BTC"] += sign * size
            wallets["USDT"] -= sign * size * price
            wallets[asset] -= fee
            report = FillReport(
                ts=number,
                symbol=SPOT.symbol,
                client_id="",
                venue_id=str(number),
                trade_id=str(number),
                side=Side.BUY if buys else Side.SELL,
                size=size,
                price=price,
                fee=fee,
                fee_asset=asset,
                liquidity=Liquidity.TAKER,
            )
            assert rig.engine.positions.adopt(report, "adopted")
        rig.compare(wallets)
        held = books.positions[SPOT.symbol].size
        assert held == float(wallets["BTC"]) or (held == 0.0 and wallets["BTC"] < SPOT.step_size)
        assert books.exact.sellable(SPOT) + books.exact.dust(SPOT) == wallets["BTC"]
        assert 0 <= books.exact.dust(SPOT) < SPOT.step_size


@pytest.mark.parametrize("system", ["liquidation", "adl", "settlement"])
@pytest.mark.parametrize("hedged", [False, True], ids=["one-way", "hedge"])
def test_what_the_venue_closes_ends_the_trade_for_its_reason(system, hedged):
    mode = "hedge" if hedged else "one-way"
    books = (VenueHedge if hedged else VenueMargin)(
        [LINEAR], 1000.0, margin=Margin(position_mode=mode, mode="isolated")
    )
    books.open_exactly(Decimal(1000), 0)
    rig = Rig(LINEAR, books)
    opened = FillReport(
        ts=1,
        symbol=LINEAR.symbol,
        client_id="",
        venue_id="1",
        trade_id="1",
        side=Side.SELL,
        size=Decimal("0.2"),
        price=Decimal(50_000),
        fee=Decimal(4),
        fee_asset="USDT",
        liquidity=Liquidity.TAKER,
        position_side="short" if hedged else "",
        profit=Decimal(0),
    )
    closed = msgspec.structs.replace(
        opened,
        trade_id="2",
        side=Side.BUY,
        price=Decimal(55_000),
        fee=Decimal("12.5"),
        profit=Decimal(-1000),
        system=system,
    )
    rig.engine.positions.adopt(opened, "adopted")
    rig.engine.positions.adopt(closed, system, by_venue=True)
    assert not rig.engine.positions.adopt(closed, system, by_venue=True)
    rig.compare({"USDT": Decimal("-16.5")})  # nobody made it good: the venue would say so
    (trade,) = books.trades.closed
    (again,) = rig.folded().portfolio.trades.closed
    assert (trade.reason, again.reason) == (system, system)
    assert len(books.liquidations) == (system == "liquidation")
    rig.pay("USDT", Decimal("16.5"), "INSURANCE_CLEAR 1", "insurance")
    rig.compare({"USDT": Decimal(0)})
