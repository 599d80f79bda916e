"""The moving-average cross, half a unit at a time whatever the account is worth: what a live run is held against."""

from sma_cross import SmaCross

from cambist.strategies import FixedSize


class SteadyCross(SmaCross):
    """Half a unit while the fast average is above the slow one, none while it is below."""

    sizer = FixedSize(0.5)


if __name__ == "__main__":
    import cambist
    from cambist_samples import open_feed

    result = cambist.backtest(SteadyCross(fast=5), open_feed("AAPL"), cash=100_000, fees=0.001)
    print(result.summary)
