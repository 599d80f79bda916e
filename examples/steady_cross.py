"""The moving-average cross, half a unit at a time whatever the account is worth: what a live run is held against."""

from sma_cross import SmaCross

from cambist.strategies import FixedSize


class SteadyCross(SmaCross):
    """Half a unit while the fast average is above the slow one, none while it is below."""

    sizer = FixedSize(0.5)
