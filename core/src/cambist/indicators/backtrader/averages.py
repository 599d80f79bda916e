# ruff: noqa: D403, N802 - the names are backtrader's
"""backtrader's moving averages, and the envelopes and oscillators around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.errors import LineError
from cambist.indicators import averages as native
from cambist.indicators.averages import moving_average
from cambist.indicators.backtrader.naming import INDICATORS, Named, named
from cambist.indicators.windowed import price_of

if TYPE_CHECKING:
    from cambist.indicators.averages import Average
    from cambist.indicators.lines import Line

__all__ = ["AVERAGES"]

_SAME = "TA-Lib's {} is the same"
_NONE = "TA-Lib has none"


@named("averages", "sma", "SMA SimpleMovingAverage", note=_SAME.format("SMA"))
def MovingAverageSimple(data: Any, period: int = 30) -> Line:
    """Mean of the last n values."""
    return moving_average(data, period, "sma")


@named("averages", "ema", "EMA MovingAverageExponential", note=_SAME.format("EMA"))
def ExponentialMovingAverage(data: Any, period: int = 30) -> Line:
    """ema' + 2 / (n + 1) * (x - ema'), begun with the mean of n."""
    return moving_average(data, period, "ema")


@named(
    "averages",
    "smma",
    "SMMA WilderMA MovingAverageSmoothed MovingAverageWilder ModifiedMovingAverage",
    note=_SAME.format("RMA"),
)
def SmoothedMovingAverage(data: Any, period: int = 30) -> Line:
    """smma' + (x - smma') / n, begun with the mean of n."""
    return moving_average(data, period, "rma")


@named("averages", "wma", "WMA MovingAverageWeighted", note=_SAME.format("WMA"))
def WeightedMovingAverage(data: Any, period: int = 30) -> Line:
    """Mean with weights 1 to n, the newest heaviest."""
    return moving_average(data, period, "wma")


@named("averages", "dema", "DEMA MovingAverageDoubleExponential", note=_SAME.format("DEMA"))
def DoubleExponentialMovingAverage(data: Any, period: int = 30, _movav: Average = "ema") -> Line:
    """2 * ema(x) - ema(ema(x))."""
    once = moving_average(data, period, _movav)
    return 2.0 * once - moving_average(once, period, _movav)


@named("averages", "tema", "TEMA MovingAverageTripleExponential", note=_SAME.format("TEMA"))
def TripleExponentialMovingAverage(data: Any, period: int = 30, _movav: Average = "ema") -> Line:
    """3 * ema - 3 * ema(ema) + ema(ema(ema))."""
    once = moving_average(data, period, _movav)
    twice = moving_average(once, period, _movav)
    return 3.0 * once - 3.0 * twice + moving_average(twice, period, _movav)


@named(
    "averages",
    "kama",
    "KAMA MovingAverageAdaptive",
    note="TA-Lib's KAMA begins with the price before, not with a mean; they converge",
)
def AdaptiveMovingAverage(data: Any, period: int = 30, fast: int = 2, slow: int = 30) -> Line:
    """An ema whose factor follows the efficiency ratio, begun with the mean of n."""
    return native.kaufman(data, period, fast, slow)


@named("averages", "hma", "HMA HullMA", note=_SAME.format("HMA"))
def HullMovingAverage(data: Any, period: int = 30, _movav: Average = "wma") -> Line:
    """wma of 2 * wma(x, n // 2) - wma(x, n) over int(root of n) bars."""
    raw = 2.0 * moving_average(data, period // 2, _movav) - moving_average(data, period, _movav)
    return moving_average(raw, int(period**0.5), _movav)


@named("averages", "zlema", "ZLEMA ZeroLagEma", note=_SAME.format("ZLEMA"))
def ZeroLagExponentialMovingAverage(data: Any, period: int = 30, _movav: Average = "ema") -> Line:
    """ema of 2 * x - x[(n - 1) // 2]."""
    line = price_of(data)
    return moving_average(2.0 * line - line(-((period - 1) // 2)), period, _movav)


@named("averages", "ec", "EC ZLInd ZLIndicator ErrorCorrecting", drawn="_movav", note=_NONE)
def ZeroLagIndicator(data: Any, period: int = 30, gainlimit: int = 50) -> Line:
    """An ema corrected by the gain that brings it nearest to the price; it is an ema whatever _movav says."""
    return native.error_correcting(data, period, gainlimit)


@named("averages", "dma", "DMA DicksonMA", drawn="_movav", note=_NONE)
def DicksonMovingAverage(
    data: Any, period: int = 30, gainlimit: int = 50, hperiod: int = 7, _hma: Average = HullMovingAverage
) -> Line:
    """Mean of ZeroLagIndicator and a Hull average."""
    return native.dickson(data, period, gainlimit, hperiod, _hma)


@named("envelopes", "src top bot", note=_NONE)
def Envelope(data: Any, perc: float = 2.5) -> tuple[Line, ...]:
    """The line, and bands perc percent above and below it."""
    return native.envelope(data, perc)


@named("envelopes", "osc", note=_NONE)
def Oscillator(data: Any, indicator: Line | None = None) -> Line:
    """The line less an indicator: it takes both, since a line does not know what it was made of."""
    if indicator is None:
        raise LineError("Oscillator is made of a line and an indicator, as in Oscillator(self.data, SMA(self.data)).")
    return price_of(data) - indicator


#: The averages around which there are envelopes and oscillators.
AVERAGES = tuple(one for one in INDICATORS.values() if one.group == "averages")


_EMPTY = {
    "Envelope": "backtrader leaves its bands empty",
    "Oscillator": "backtrader's is the average itself, not the distance from it",
}


def _envelope(average: Named) -> None:
    def around(data: Any, perc: float = 2.5, **parameters: Any) -> tuple[Line, ...]:
        return native.envelope(average(data, **parameters), perc)

    _add(average, around, "Envelope", f"{average.lines[0]} top bot", "and bands perc percent above and below it")


def _oscillator(average: Named) -> None:
    def apart(data: Any, **parameters: Any) -> Line:
        distance: Line = price_of(data) - average(data, **parameters)
        return distance

    _add(average, apart, "Oscillator", average.lines[0], "taken from the price")


def _add(average: Named, function: Any, kind: str, lines: str, told: str) -> None:
    from inspect import Parameter, signature

    own = list(signature(average.function).parameters.values())
    if kind == "Envelope":
        own.append(Parameter("perc", Parameter.KEYWORD_ONLY, default=2.5))
    function.__name__ = function.__qualname__ = f"{average.name}{kind}"
    function.__module__, function.__doc__ = __name__, f"The {average.name}, {told}."
    function.__signature__ = signature(average.function).replace(parameters=own)
    ends = (kind, "Osc") if kind == "Oscillator" else (kind,)
    known = [f"{one}{end}" for one in (average.name, *average.aliases) for end in ends]
    aliases = " ".join(known[1:])
    note = f"{_NONE}. {_EMPTY[kind]}" if average.name == "ZeroLagIndicator" else _NONE
    named("envelopes", lines, aliases, drawn=" ".join(average.drawn), note=note)(function)


for _average in AVERAGES:
    _envelope(_average)
    _oscillator(_average)
