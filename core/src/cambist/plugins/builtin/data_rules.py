"""The core's rules of data quality."""

from __future__ import annotations

from cambist.plugins.hookspecs import hookimpl
from cambist.plugins.specs import DataRuleSpec

__all__ = ["cambist_data_rules"]

_ROOM = "cambist.data.checks.rules"
#: In the order in which they are asked.
_RULES = (
    ("order", "order:OrderRule", "Rows that come behind later ones"),
    ("duplicate", "duplicate:DuplicateRule", "Rows whose time is there already"),
    ("missing-value", "missing_value:MissingValueRule", "Values that are NaN or infinite"),
    ("not-positive", "not_positive:NotPositiveRule", "Prices of zero or below, volumes below zero"),
    ("high-low", "high_low:HighLowRule", "Prices outside of high and low"),
    ("off-grid", "off_grid:OffGridRule", "Bars that do not open where the others do"),
    ("open-bar", "open_bar:OpenBarRule", "Bars that are not over"),
    ("end-label", "end_label:EndLabelRule", "Bars stamped by their end"),
    ("unit", "unit:UnitRule", "Prices 100, 1,000 or 10,000 times those around"),
    ("split", "split:SplitRule", "Splits that prices are not adjusted for"),
    ("level-shift", "level_shift:LevelShiftRule", "Prices that go on at another level"),
    ("spike", "spike:SpikeRule", "Closes that leave those around for one bar"),
    ("wick", "wick:WickRule", "Highs and lows far beyond their bar"),
    ("stuck", "stuck:StuckRule", "Bars that repeat"),
    ("volume", "volume:VolumeRule", "Volumes that do not fit"),
    ("adjustment", "adjustment:AdjustmentRule", "Dividends that adjusted closes do not show"),
    ("session", "session:SessionRule", "Bars outside the sessions of the calendar"),
    ("dst", "dst:DstRule", "Times of a clock with summer time"),
    ("gap", "gap:GapRule", "Bars that are missing"),
    ("stale", "stale:StaleRule", "A series that ended too long ago"),
)


@hookimpl
def cambist_data_rules() -> list[DataRuleSpec]:
    """Offer what ``cambist.data.checks.rules`` holds."""
    return [DataRuleSpec(name=name, factory=f"{_ROOM}.{where}", summary=summary) for name, where, summary in _RULES]
