"""Bars that nobody traded, drawn with a seed: for tests, and for strategies that must not find anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import attrs
import numpy as np

from cambist.data.blocks import BLOCK_ROWS, check_size, concatenate
from cambist.data.calendars import load_calendar
from cambist.data.series import choose_instrument
from cambist.errors import ParameterError, did_you_mean
from cambist.model.bars import Bars
from cambist.model.instrument import Instrument
from cambist.model.timeframe import Timeframe
from cambist.model.times import DAY_NS, to_ns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cambist.model.calendar import Calendar

__all__ = ["RandomBars", "open_random", "random_bars"]

#: How prices move.
Model = Literal["walk", "gbm", "jump", "garch"]

#: Bars that are drawn together. A series does not depend on the size of the blocks it is asked for in.
_CHUNK = 8_192
_YEAR_NS = 365 * DAY_NS


def _timeframe(value: str | Timeframe) -> Timeframe:
    return Timeframe.parse(value)


@attrs.frozen(kw_only=True, eq=False)
class RandomBars:
    """A `HistorySource` of bars drawn with a seed; made by `random_bars`.

    Attributes
    ----------
    model
        ``"gbm"``, geometric Brownian motion: log returns are normal (Black and Scholes 1973). ``"jump"``, the same with
        jumps that come as a Poisson process and are normal in the logarithm (Merton 1976). ``"garch"``, log returns
        whose variance follows GARCH(1, 1) bar by bar (Bollerslev 1986), with `sigma` in the long run. ``"walk"``, steps
        of the same size up or down, reflected at zero.
    bars
        How many.
    seed
        Of PCG64. The same seed and attributes give the same bars, to the last bit, with one version of NumPy.
    instrument, timeframe
        Of what.
    start
        Open time of the first bar, ns, UTC; with a calendar the first one of a session at or after it.
    price
        Where the first bar opens.
    mu, sigma
        Drift and volatility of log prices a year of 365 days: the mean log return of a bar is
        ``(mu - sigma ** 2 / 2) * length``.
    jumps, jump_mean, jump_sigma
        Of ``"jump"``: how many a year, and mean and standard deviation of their logarithm.
    alpha, beta
        Of ``"garch"``: how the next variance depends on the last squared return and the last variance.
    step
        Of ``"walk"``: the size of a step. Also the grid that prices of any model are rounded to; None for no grid.
    steps
        Steps of the path within a bar, from which high and low are taken.
    volume
        Mean of the volume, which is exponential and does not depend on prices.
    missing
        The share of bars that are left out, at random.
    calendar
        Sessions outside of which there are no bars; None to trade around the clock.
    overnight
        Standard deviation of the logarithm of the gap from one session's close to the next one's open.
    """

    model: Model = "gbm"
    bars: int = 1_000
    seed: int = 0
    instrument: Instrument = attrs.field(factory=lambda: Instrument(symbol="RANDOM"))
    timeframe: Timeframe = attrs.field(default=Timeframe(DAY_NS), converter=_timeframe)
    start: int = attrs.field(default=to_ns("2000-01-01"), converter=to_ns)
    price: float = 100.0
    mu: float = 0.0
    sigma: float = 0.2
    jumps: float = 12.0
    jump_mean: float = -0.02
    jump_sigma: float = 0.05
    alpha: float = 0.08
    beta: float = 0.9
    step: float | None = None
    steps: int = 8
    volume: float = 1_000.0
    missing: float = 0.0
    calendar: Calendar | None = None
    overnight: float = 0.0

    def __attrs_post_init__(self) -> None:
        if self.model not in get_args(Model):
            raise ParameterError(f"there is no model {self.model!r} of random bars.{did_you_mean(self.model, _MODELS)}")
        for name in ("bars", "steps", "price", "volume"):
            self._check(name, getattr(self, name) > 0, "above 0")
        for name in ("sigma", "jumps", "jump_sigma", "alpha", "beta", "overnight", "seed"):
            self._check(name, getattr(self, name) >= 0, "0 or more")
        self._check("missing", 0 <= self.missing < 1, "from 0 up to, and not, 1")
        self._check("beta", self.alpha + self.beta < 1, "such that alpha + beta is below 1, or variance grows forever")
        self._check("step", self.step is None or self.step > 0, "above 0, or nothing")
        if self.model == "walk" and self.step is None:
            raise ParameterError("a walk needs the size of a step: pass step=, such as step=0.01.")

    def _check(self, name: str, holds: bool, what: str) -> None:
        if not holds:
            raise ParameterError(f"{name} is {getattr(self, name)!r}; it must be {what}.")

    @property
    def name(self) -> str:
        """Model, seed and timeframe."""
        return f"random {self.model} bars of {self.timeframe}, seed {self.seed}"

    def load(self) -> Bars:
        """Return every bar."""
        return concatenate(self._chunks(), self.name)

    def blocks(self, size: int = BLOCK_ROWS) -> Iterator[Bars]:
        """Yield the bars in pieces of at most `size` rows; no more than a few thousand bars are in memory."""
        check_size(size)
        for chunk in self._chunks():
            yield from chunk.blocks(size)

    def _chunks(self) -> Iterator[Bars]:
        path = _Path(self)
        opens = self._opens()
        for number, first in enumerate(range(0, self.bars, _CHUNK)):
            rng = np.random.Generator(np.random.PCG64([self.seed, number]))
            count = min(_CHUNK, self.bars - first)
            ts, new_session = opens.take(count)
            # Whole chunks are drawn, so that a longer series begins as a shorter one does.
            columns = path.draw(rng, new_session)
            kept = rng.random(_CHUNK)[:count] >= self.missing
            if first == 0:
                kept[0] = True
            if kept.any():
                yield Bars(self.instrument, self.timeframe, ts[kept], *(column[:count][kept] for column in columns))

    def _opens(self) -> _Opens:
        return _Opens(self.start, self.timeframe.ns, self.calendar)


@attrs.define(eq=False)
class _Opens:
    """Open times, one after another."""

    at: int
    length: int
    calendar: Calendar | None
    session: int = -1

    def take(self, count: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the next times, and which of them begin a session; never the first of all."""
        if self.calendar is None:
            ts = self.at + np.arange(count, dtype=np.int64) * self.length
            self.at = int(ts[-1]) + self.length
            return ts, np.zeros(count, np.bool_)
        times: list[int] = []
        begins: list[bool] = []
        while len(times) < count:
            at = self._open_at_or_after(self.at)
            session = self.calendar.session_number(at)
            begins.append(session != self.session and self.session >= 0)
            times.append(at)
            self.session, self.at = session, at + self.length
        return np.array(times, np.int64), np.array(begins)

    def _open_at_or_after(self, at: int) -> int:
        assert self.calendar is not None
        return at if self.calendar.is_open(at) else self.calendar.next_open(at)


@attrs.define(eq=False)
class _Path:
    """A path of prices, and where it stands."""

    of: RandomBars
    price: float = attrs.field(init=False)
    variance: float = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.price = self.of.price
        self.variance = self.of.sigma**2 * self._years

    @property
    def _years(self) -> float:
        return self.of.timeframe.ns / _YEAR_NS

    def draw(self, rng: np.random.Generator, new_session: NDArray[np.bool_]) -> tuple[NDArray[np.float64], ...]:
        """Return open, high, low, close and volume of a chunk of bars."""
        of = self.of
        shape = (_CHUNK, of.steps)
        noise = rng.standard_normal(shape)
        gaps = np.zeros(_CHUNK)
        gaps[: len(new_session)][new_session] = of.overnight
        gaps *= rng.standard_normal(_CHUNK)
        volume = rng.exponential(of.volume, _CHUNK)
        moves = _MODELS[of.model](self, rng, noise)
        if of.model == "walk":
            prices = self._walked(moves)
        else:
            moves = np.column_stack([gaps, moves])
            prices = self.price * np.exp(np.cumsum(moves.ravel())).reshape(_CHUNK, of.steps + 1)
            if of.step is not None:
                prices = np.maximum(np.round(prices / of.step), 1.0) * of.step
        count = len(new_session)
        self.price = float(prices[count - 1, -1])
        return prices[:, 0], prices.max(axis=1), prices.min(axis=1), prices[:, -1], volume

    def _walked(self, moves: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return prices on the grid, at least one step above zero: a walk that meets its wall comes back."""
        step = self.of.step or 1.0
        wall = round(self.price / step) - 1 + np.cumsum(moves.ravel())
        levels = (np.abs(wall) + 1).reshape(moves.shape)
        opens = np.concatenate([[round(self.price / step)], levels[:-1, -1]])
        return np.column_stack([opens, levels]) * step

    def brownian(self, rng: np.random.Generator, noise: NDArray[np.float64]) -> NDArray[np.float64]:  # noqa: ARG002
        """Log returns of the steps of geometric Brownian motion."""
        of, length = self.of, self._years / self.of.steps
        returns: NDArray[np.float64] = (of.mu - of.sigma**2 / 2) * length + of.sigma * np.sqrt(length) * noise
        return returns

    def jumping(self, rng: np.random.Generator, noise: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add jumps: a sum of n normal ones is normal."""
        of, length = self.of, self._years / self.of.steps
        counts = rng.poisson(of.jumps * length, noise.shape)
        sizes = counts * of.jump_mean + np.sqrt(counts) * of.jump_sigma * rng.standard_normal(noise.shape)
        return self.brownian(rng, noise) + sizes

    def garch(self, rng: np.random.Generator, noise: NDArray[np.float64]) -> NDArray[np.float64]:  # noqa: ARG002
        """Log returns whose variance is that of the bar, shared by its steps."""
        of = self.of
        long_run = of.sigma**2 * self._years
        constant = long_run * (1 - of.alpha - of.beta)
        shocks = noise.sum(axis=1) / np.sqrt(of.steps)
        variances = np.empty(len(noise))
        variance = self.variance
        for row, shock in enumerate(shocks.tolist()):
            variances[row] = variance
            variance = constant + (of.alpha * shock * shock + of.beta) * variance
        self.variance = variance
        drift = (of.mu - of.sigma**2 / 2) * self._years / of.steps
        return drift + np.sqrt(variances / of.steps)[:, None] * noise

    def walking(self, rng: np.random.Generator, noise: NDArray[np.float64]) -> NDArray[np.float64]:  # noqa: ARG002
        """Steps up or down."""
        return np.where(noise > 0, 1.0, -1.0)


_MODELS = {"walk": _Path.walking, "gbm": _Path.brownian, "jump": _Path.jumping, "garch": _Path.garch}


def random_bars(
    model: str = "gbm",
    *,
    symbol: str | None = None,
    instrument: Instrument | None = None,
    calendar: Calendar | str | None = None,
    **attributes: Any,
) -> RandomBars:
    """Return a source of bars drawn with a seed.

    Parameters
    ----------
    model
        ``"gbm"``, ``"jump"``, ``"garch"`` or ``"walk"``.
    symbol, instrument
        Of what; default: ``"RANDOM"``.
    calendar
        Sessions outside of which there are no bars, or the name of a calendar such as ``"XNYS"``.
    attributes
        The others of `RandomBars`: ``bars=10_000``, ``seed=7``, ``timeframe="1m"``, ``sigma=0.6``.

    Raises
    ------
    ParameterError
        There is no such model or attribute, or a value is out of range.

    Examples
    --------
    >>> from cambist.data import random_bars
    >>> random_bars("garch", bars=500, seed=7, timeframe="1h").load()
    <Bars RANDOM 1h: 500 bars, 2000-01-01 00:00:00 UTC .. 2000-01-21 19:00:00 UTC>
    """
    known = {field.name for field in attrs.fields(RandomBars)}
    for name in attributes:
        if name not in known:
            raise ParameterError(f"random bars have no attribute {name!r}.{did_you_mean(name, known)}")
    for name, value in attributes.items():
        kind = (int, str) if name in {"start", "timeframe"} else (int, float)
        if name in _NUMBERS and (isinstance(value, bool) or not isinstance(value, kind)):
            raise ParameterError(f"{name} is {value!r}: give a number.")
    made = choose_instrument(symbol, instrument, default="RANDOM")
    chosen = load_calendar(calendar) if isinstance(calendar, str) else calendar
    return RandomBars(model=model, instrument=made, calendar=chosen, **attributes)  # type: ignore[arg-type]  # checked


_NUMBERS = {
    field.name for field in attrs.fields(RandomBars) if str(field.type).partition(" ")[0] in {"int", "float"}
} - {"start"}
_WHOLE = {"bars", "seed", "steps"}


def open_random(source: str = "gbm", **settings: Any) -> RandomBars:
    """Open the feed ``random``: a model, and attributes behind commas, such as ``garch,seed=7,bars=5000``.

    Parameters
    ----------
    source
        Model and attributes; nothing for ``"gbm"``.
    settings
        As for `random_bars`; what `source` says counts more.

    Raises
    ------
    ParameterError
        As `random_bars`, or an attribute is not written as ``name=value``.
    """
    model, *words = [word.strip() for word in str(source).split(",")]
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise ParameterError(f"{word!r} of random:{source} says nothing. Write name=value, such as seed=7.")
        settings[name.strip()] = _value(name.strip(), text.strip())
    return random_bars(model or "gbm", **settings)


def _value(name: str, text: str) -> Any:
    if name not in _NUMBERS:
        return text
    try:
        return int(text) if name in _WHOLE else float(text)
    except ValueError as error:
        kind = "whole number" if name in _WHOLE else "number"
        raise ParameterError(f"{name} is {text!r}: give a {kind}.") from error
