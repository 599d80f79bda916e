"""Live bars are held against the rules before a strategy sees them, with the decisions of a causal repair."""

from __future__ import annotations

from math import nan

import numpy as np
import pytest

from cambist.data import RawBars, repair
from cambist.errors import ParameterError
from cambist.live.joining import Deliver, Fetch, Joint, MissingBars, Tell
from cambist.live.screening import SCREENED, BarScreen
from cambist.live.settings import LiveSettings
from cambist.model import COLUMNS, Bar, Instrument, Timeframe

MINUTE = 60_000_000_000
START = 1_600_000_020_000_000_000


def walk(count=120):
    rng = np.random.default_rng(5)
    close = (100.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-3, count)))).tolist()
    return [
        Bar(START + row * MINUTE, one, one * 1.001, one * 0.999, one, float(rng.integers(1, 100)))
        for row, one in enumerate(close)
    ]


def changed(bar, **values):
    return Bar(bar.ts, **{name: values.get(name, getattr(bar, name)) for name in COLUMNS})


def joined(policy, missing=MissingBars.SKIP):
    return Joint("X 1m", MINUTE, missing, screen=BarScreen("X 1m", Timeframe.parse("1m"), policy))


def play(joint, bars):
    found = []
    for bar in bars:
        found += joint.take(bar, bar.ts + MINUTE)
    return found


def delivered(found):
    return [one.bar for one in found if isinstance(one, Deliver)]


def told(found):
    return [(one.word, one.holds) for one in found if isinstance(one, Tell)]


def test_bars_that_are_right_come_as_they_are():
    bars = walk()
    found = play(joined({"unit": "hold", "wick": "clip"}), bars)
    assert delivered(found) == bars
    assert told(found) == []


def test_a_price_in_another_unit_is_rescaled_and_told():
    bars = walk()
    bars[60] = changed(bars[60], **{name: getattr(bars[60], name) * 100.0 for name in COLUMNS[:4]})
    found = play(joined({"unit": "rescale"}), bars)
    assert delivered(found)[60].close == pytest.approx(walk()[60].close)
    assert told(found) == [("bar_repaired", False)]  # what is mended is no spike any more
    texts = [one.text for one in found if isinstance(one, Tell)]
    assert texts[0].startswith("X 1m: the bar of 2020-09-13 13:27:00: prices (")
    assert texts[0].endswith("(unit: rescale).")


def test_what_is_not_named_is_told_alone():
    bars = walk()
    bars[60] = changed(bars[60], high=bars[60].high * 2.0)
    found = play(joined({}), bars)
    assert delivered(found) == bars
    assert told(found) == [("bar_suspect", False)]


def test_a_bar_can_be_left_out():
    bars = walk()
    bars[60] = changed(bars[60], high=bars[60].high * 2.0)
    joint = joined({"wick": "drop"})
    found = play(joint, bars)
    assert delivered(found) == [*bars[:60], *bars[61:]]
    assert not any(isinstance(one, Fetch) for one in found)  # it came: nobody asks for it again


def test_a_rule_can_hold_the_instrument():
    bars = walk()
    bars[60] = changed(bars[60], high=bars[60].high * 2.0)
    found = play(joined({"wick": "hold"}), bars)
    assert delivered(found) == [*bars[:60], *bars[61:]]
    assert told(found) == [("bar_suspect", True)]


def test_a_bar_with_values_that_are_none_is_filled_or_left_out():
    bars = walk()
    bars[60] = changed(bars[60], close=nan)
    filled = delivered(play(joined({"missing-value": "fill"}), bars))
    assert (filled[60].close, filled[60].ts) == (bars[59].close, bars[60].ts)
    found = play(joined({}), bars)
    assert delivered(found) == [*bars[:60], *bars[61:]]
    assert [word for word, _ in told(found)] == ["bar_suspect", "bar_invalid"]


def test_missing_bars_are_filled_at_the_close_that_was_shown():
    bars = walk()
    bars[60] = changed(bars[60], **{name: getattr(bars[60], name) * 100.0 for name in COLUMNS[:4]})
    joint = joined({"unit": "rescale"}, MissingBars.FILL)
    play(joint, bars[:61])
    joint.take(bars[63], bars[63].ts + MINUTE)
    filled = delivered(joint.fetched((), bars[63].ts + MINUTE))
    assert [one.close for one in filled[:2]] == pytest.approx([walk()[60].close] * 2)


def test_the_bars_before_the_stream_are_what_the_first_is_judged_by():
    bars = walk()
    joint = joined({"unit": "rescale"})
    joint.warmed(bars[:60])
    wrong = changed(bars[60], **{name: getattr(bars[60], name) * 100.0 for name in COLUMNS[:4]})
    assert delivered(joint.take(wrong, wrong.ts + MINUTE))[0].close == pytest.approx(bars[60].close)


def test_the_decisions_are_those_of_a_causal_repair():
    policy = {"unit": "rescale", "wick": "clip", "high-low": "clip", "missing-value": "fill", "not-positive": "fill"}
    bars = walk()
    bars[30] = changed(bars[30], volume=nan)
    bars[50] = changed(bars[50], high=bars[50].high * 2.0)
    bars[70] = changed(bars[70], high=bars[70].low * 0.9)
    bars[90] = changed(bars[90], **{name: getattr(bars[90], name) / 100.0 for name in COLUMNS[:4]})
    bars[100] = changed(bars[100], low=-1.0)
    columns = {name: np.array([getattr(bar, name) for bar in bars]) for name in COLUMNS}
    raw = RawBars(
        instrument=Instrument(symbol="X"),
        timeframe=Timeframe.parse("1m"),
        ts=np.array([bar.ts for bar in bars]),
        columns=columns,
    )
    done = repair(raw, policy, rules=SCREENED, causal=True)
    assert {one.rule for one in done.changes} == set(policy)
    assert delivered(play(joined(policy), bars)) == list(done.bars)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"gap": "fill"}, "not held against a rule 'gap'"),
        ({"spike": "interpolate"}, "spike cannot be answered so on a stream"),
        ({"unit": "halt"}, "unit=halt"),
    ],
)
def test_a_policy_that_live_bars_cannot_follow_is_refused(policy, message):
    with pytest.raises(ParameterError, match=message):
        LiveSettings(bar_policy=policy)
