"""Series end to end, and contracts rolled from one into the next."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from cambist import Bars, Instrument
from cambist.data import Contract, chain, random_bars, roll
from cambist.errors import DataError, InputError
from cambist.model import to_ns

DAY = 86_400 * 10**9


def series(symbol, first, closes, volumes=None):
    """Make daily bars that open on day `first`."""
    close = np.array(closes, float)
    ts = (first + np.arange(len(close))) * DAY
    volume = np.full(len(close), 1.0) if volumes is None else np.array(volumes, float)
    return Bars(Instrument(symbol=symbol), "1d", ts, close, close + 0.5, close - 0.5, close, volume)


OLD = series("ESH4", 0, [10, 11, 12, 13, 14], [9, 9, 5, 2, 1])
NEW = series("ESM4", 2, [22, 23, 24, 25, 26], [1, 3, 8, 9, 9])


def days(bars):
    return (bars.ts // DAY).tolist()


def test_a_chain_drops_what_it_has_already():
    chained = chain(OLD, NEW, symbol="ES")
    bars = chained.load()
    assert days(bars) == [0, 1, 2, 3, 4, 5, 6]
    assert bars.close.tolist() == [10, 11, 12, 13, 14, 25, 26]
    assert bars.instrument.symbol == "ES"
    assert chained.notes == ("ESM4 1d: left out 3 bars that the series before it has",)
    for size in (1, 2, 3):
        blocks = list(chained.blocks(size))
        assert np.array_equal(Bars.joined(blocks).close, bars.close)
        assert max(map(len, blocks)) <= size
    assert chained.notes == ("ESM4 1d: left out 3 bars that the series before it has",)


def test_bars_that_overlap_the_last_one_are_dropped_as_well():
    ten = random_bars(bars=4, timeframe="10m").load()
    late = attrs.evolve(random_bars(bars=4, timeframe="10m", start="2000-01-01T00:35").load())
    assert chain(ten, late).load().ts.tolist() == [*ten.ts.tolist(), *late.ts[1:].tolist()]


def test_what_cannot_be_chained():
    with pytest.raises(InputError, match="nothing to chain"):
        chain()
    with pytest.raises(DataError, match="timeframe"):
        chain(OLD, random_bars(bars=3, timeframe="1h", start="2024-01-01")).load()
    with pytest.raises(DataError, match="Give one of them"):
        chain(OLD, symbol="A", instrument=Instrument(symbol="B"))


def contracts(**more):
    return [Contract(source=OLD, **more), Contract(source=NEW)]


@pytest.mark.parametrize(
    ("effective", "closes", "first"),
    [("next", [10, 11, 12, 13, 24, 25, 26], 4), ("same", [10, 11, 12, 23, 24, 25, 26], 3)],
)
def test_the_volume_decides_at_the_close_of_a_bar(effective, closes, first):
    rolled = roll(contracts(), by="volume", effective=effective)
    assert rolled.load().close.tolist() == closes
    assert rolled.load().instrument.symbol == "ES"
    (one,) = rolled.rolls
    assert (one.ts, one.decided) == (first * DAY, 3 * DAY)
    assert (one.old, one.new, one.reason) == ("ESH4", "ESM4", "volume")
    assert (one.old_close, one.new_close) == (13, 23)
    frame = rolled.rolls_frame()
    assert frame["ts"][0].value == first * DAY
    assert frame["new_close"].tolist() == [23.0]


def test_prices_before_a_roll_are_adjusted():
    shifted = roll(contracts(), adjust="difference").load()
    assert shifted.close.tolist() == [20, 21, 22, 23, 24, 25, 26]
    assert shifted.high.tolist() == [close + 0.5 for close in shifted.close]
    scaled = roll(contracts(), adjust="ratio").load()
    assert np.allclose(scaled.close, [*(np.array([10, 11, 12, 13]) * 23 / 13), 24, 25, 26], rtol=1e-15)
    # What is left of a series adjusted by ratio is the return of the contract that was held.
    returns = np.diff(np.log(scaled.close))
    assert np.allclose(returns[:3], np.diff(np.log(OLD.close[:4])))
    assert np.allclose(returns[3:], np.diff(np.log(NEW.close[1:])))
    assert scaled.volume.tolist() == [9, 9, 5, 2, 8, 9, 9]


def test_adjustments_of_several_rolls_add_up():
    third = series("ESU4", 5, [50, 51, 53, 54], [1, 99, 99, 99])
    rolled = roll([Contract(source=OLD), Contract(source=NEW), Contract(source=third)], adjust="difference")
    assert [(one.ts // DAY, one.shift) for one in rolled.rolls] == [(4, 10.0), (7, 25.0)]
    assert rolled.load().close.tolist() == [45, 46, 47, 48, 49, 50, 51, 53, 54]
    ratio = roll([Contract(source=OLD), Contract(source=NEW), Contract(source=third)], adjust="ratio")
    assert ratio.load().close[0] == pytest.approx(10 * (23 / 13) * (51 / 26), rel=1e-15)


def test_a_date_decides_for_its_own_bar():
    rolled = roll(contracts(until="1970-01-03"), by="date")
    assert rolled.load().close.tolist() == [10, 11, 22, 23, 24, 25, 26]
    (one,) = rolled.rolls
    assert (one.ts, one.decided, one.reason) == (2 * DAY, None, "date")
    adjusted = roll(contracts(until="1970-01-04"), by="date", adjust="difference")
    assert adjusted.rolls[0].decided == 2 * DAY
    assert adjusted.load().close.tolist() == [20, 21, 22, 23, 24, 25, 26]


def test_open_interest_decides():
    held = [
        Contract(source=OLD, open_interest=np.array([9, 9, 9, 9, 1])),
        Contract(source=NEW, open_interest=np.array([1, 1, 5, 5, 5])),
    ]
    rolled = roll(held, by="open-interest")
    assert rolled.load().close.tolist() == [10, 11, 12, 13, 14, 25, 26]
    assert rolled.rolls[0].reason == "open-interest"
    with pytest.raises(DataError, match="ESH4 has no open interest"):
        roll(contracts(), by="open-interest").load()
    with pytest.raises(DataError, match="has the shape"):
        roll(contracts(open_interest=np.ones(2)), by="open-interest").load()


def test_no_roll_is_decided_before_its_time():
    rolled = roll(contracts(not_before=4 * DAY))
    assert rolled.rolls[0].decided == 4 * DAY
    assert rolled.load().close.tolist() == [10, 11, 12, 13, 14, 25, 26]


def test_a_contract_that_ends_is_left_in_any_case():
    quiet = series("ESM4", 2, [22, 23, 24, 25, 26], [0, 0, 0, 0, 0])
    rolled = roll([Contract(source=OLD), Contract(source=quiet)])
    assert rolled.load().close.tolist() == [10, 11, 12, 13, 14, 25, 26]
    assert (rolled.rolls[0].reason, rolled.rolls[0].decided) == ("end", 4 * DAY)


def test_what_cannot_be_rolled():
    apart = series("ESM4", 9, [22, 23])
    assert np.isnan(roll([Contract(source=OLD), Contract(source=apart)]).rolls[0].old_close)
    with pytest.raises(DataError, match="no bar in common"):
        roll([Contract(source=OLD), Contract(source=apart)], adjust="ratio").load()
    cheap = attrs.evolve(NEW, **{name: NEW.columns[name] / 20 for name in ("open", "high", "low", "close")})
    with pytest.raises(DataError, match=r"above zero. Use adjust='ratio'"):
        roll([Contract(source=OLD), Contract(source=cheap)], adjust="difference").load()
    with pytest.raises(DataError, match="in the order in which they end"):
        roll([Contract(source=NEW), Contract(source=OLD)]).load()
    with pytest.raises(DataError, match="no date"):
        roll(contracts(), by="date").load()
    with pytest.raises(DataError, match="no beginning in common"):
        roll([Contract(source=OLD), Contract(source=series("NQM4", 2, [22, 23, 24, 25]))]).load()
    with pytest.raises(DataError, match="one timeframe"):
        roll([Contract(source=OLD), Contract(source=random_bars(bars=3, timeframe="1h", start="2024-01-01"))]).load()
    for wrong in ({"by": "mood"}, {"adjust": "back"}, {"effective": "now"}):
        with pytest.raises(InputError, match="give '"):
            roll(contracts(), **wrong)
    with pytest.raises(InputError, match="nothing to roll"):
        roll([])


def test_what_comes_later_does_not_move_earlier_rolls():
    """The roll is known at the close of the bar that decides it: cutting the data behind it changes nothing before."""
    one = random_bars("gbm", bars=120, seed=1, symbol="CLF").load()
    two = random_bars("gbm", bars=120, seed=2, symbol="CLG", start="2000-03-01").load()
    full = roll([Contract(source=one), Contract(source=two)])
    cut = full.rolls[0].ts + DAY
    kept, other = int(np.searchsorted(one.ts, cut)), int(np.searchsorted(two.ts, cut + DAY))
    early = roll([Contract(source=one[:kept]), Contract(source=two[:other])])
    assert early.rolls == full.rolls
    assert full.rolls[0].decided == full.rolls[0].ts - DAY
    assert np.array_equal(early.load().close, full.load().close[: len(early.load())])
    assert to_ns("2000-03-01") <= full.rolls[0].ts
