"""The rules that come with the core, one file each."""

from __future__ import annotations

from cambist.data.checks.rules.adjustment import AdjustmentRule
from cambist.data.checks.rules.dst import DstRule
from cambist.data.checks.rules.duplicate import DuplicateRule
from cambist.data.checks.rules.end_label import EndLabelRule
from cambist.data.checks.rules.gap import GapRule
from cambist.data.checks.rules.high_low import HighLowRule
from cambist.data.checks.rules.level_shift import LevelShiftRule
from cambist.data.checks.rules.missing_value import MissingValueRule
from cambist.data.checks.rules.not_positive import NotPositiveRule
from cambist.data.checks.rules.off_grid import OffGridRule
from cambist.data.checks.rules.open_bar import OpenBarRule
from cambist.data.checks.rules.order import OrderRule
from cambist.data.checks.rules.session import SessionRule
from cambist.data.checks.rules.spike import SpikeRule
from cambist.data.checks.rules.split import SplitRule
from cambist.data.checks.rules.stale import StaleRule
from cambist.data.checks.rules.stuck import StuckRule
from cambist.data.checks.rules.unit import UnitRule
from cambist.data.checks.rules.volume import VolumeRule
from cambist.data.checks.rules.wick import WickRule

__all__ = ["CORE_RULES"]

#: In the order in which they are asked, and in which a repair goes through them: times first, then values, then what
#: only sound bars can tell, and gaps when everything that is to be dropped is gone.
CORE_RULES = (
    OrderRule,
    DuplicateRule,
    MissingValueRule,
    NotPositiveRule,
    HighLowRule,
    OffGridRule,
    OpenBarRule,
    EndLabelRule,
    UnitRule,
    SplitRule,
    LevelShiftRule,
    SpikeRule,
    WickRule,
    StuckRule,
    VolumeRule,
    AdjustmentRule,
    SessionRule,
    DstRule,
    GapRule,
    StaleRule,
)
