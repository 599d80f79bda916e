"""How the simulated venue of a paper run works orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.data.given_calendars import check_calendar
from cambist.errors import ParameterError, did_you_mean
from cambist.simulation import MarketFill, StopTrigger, VenueRules, cancel_model, latency_model, rejection_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cambist.data.given_calendars import Given

__all__ = ["PaperSettings"]

#: What orders can be worked against.
KINDS = ("bars", "ticks", "quotes", "book")


def _kinds(said: str | Sequence[str] | None) -> tuple[str, ...] | None:
    return said if said is None else (said,) if isinstance(said, str) else tuple(said)


def _check_kinds(_instance: object, _attribute: object, kinds: tuple[str, ...] | None) -> None:
    if kinds is None:
        return
    for kind in kinds:
        if kind not in KINDS:
            raise ParameterError(
                f"match_by names {kind!r}; it is one of {', '.join(KINDS)}.{did_you_mean(kind, KINDS)}"
            )
    if not kinds or ("bars" in kinds and len(kinds) > 1):
        raise ParameterError(
            f"match_by is {list(kinds)}: orders meet either bars, or any of ticks, quotes and books. Name one way."
        )


def _one_of(values: Iterable[str]) -> Callable[[Any, Any, str], None]:
    known = [str(value) for value in values]

    def check(_instance: Any, attribute: Any, value: str) -> None:
        if value not in known:
            raise ParameterError(f"{attribute.name} is {value!r}; it is one of {', '.join(known)}.")

    return check


def _check_cash(_instance: object, _attribute: object, cash: float) -> None:
    if not 0.0 < cash < float("inf"):
        raise ParameterError(f"cash is {cash!r}; a paper account begins with a positive amount of money.")


@attrs.frozen(kw_only=True)
class PaperSettings:
    """The account and the venue of a paper run.

    What is called as in `cambist.backtest` means the same here.

    Attributes
    ----------
    cash
        Money at the start, in the instruments' settlement asset. A run that goes on has what it had.
    match_by
        What orders meet: ``"bars"``, by which fills are those of a backtest on the same bars; or any of ``"ticks"``,
        ``"quotes"`` and ``"book"``, which are then subscribed to beside what the run wants. None: what the run listens
        to beside bars, and bars where that is nothing.
    fees
        As in a backtest; None for each instrument's own rates.
    slippage, path, market_fill, volume_limit, fill_on_touch, stop_trigger, latency, rejection, book_cancels, leverage
        As in a backtest.
    seed
        Of the chance of latency and rejections.
    calendar
        As in a backtest; see `LiveSettings`.
    """

    cash: float = attrs.field(default=100_000.0, validator=_check_cash)
    match_by: Sequence[str] | None = attrs.field(default=None, converter=_kinds, validator=_check_kinds)
    fees: Any = None
    slippage: Any = None
    path: Any = "nearer_first"
    market_fill: str = attrs.field(default="next_open", validator=_one_of(MarketFill))
    volume_limit: Any = None
    fill_on_touch: bool = True
    stop_trigger: str = attrs.field(default="auto", validator=_one_of(StopTrigger))
    latency: Any = None
    rejection: Any = None
    book_cancels: Any = "behind"
    leverage: float = 1.0
    seed: int = 0
    calendar: Given = attrs.field(default=None, validator=lambda _settings, _field, given: check_calendar(given))

    def __attrs_post_init__(self) -> None:
        latency_model(self.latency)
        rejection_model(self.rejection)
        cancel_model(self.book_cancels)
        self.rules()
        if self.match_by is not None:
            self.kinds(())

    def kinds(self, wanted: Iterable[str]) -> tuple[str, ...]:
        """Return what orders meet in a run that listens to `wanted`: kinds, or timeframes of bars.

        Raises
        ------
        ParameterError
            If stops are to go by trades or quotes, and there are bars alone.
        """
        found = self.match_by or tuple(dict.fromkeys(one for one in wanted if one in KINDS[1:])) or KINDS[:1]
        if self.stop_trigger != "auto" and "bars" in found:
            raise ParameterError(
                f"stop_trigger is {self.stop_trigger!r}, which only trades and quotes can have. Leave it out, or say "
                "match_by."
            )
        return tuple(found)

    def rules(self) -> VenueRules:
        """Return the rules of the venue; models that remember begin anew.

        Raises
        ------
        ParameterError
            If one of them is nothing of the kind.
        """
        return VenueRules.read(
            fees=self.fees,
            slippage=self.slippage,
            path=self.path,
            market_fill=self.market_fill,
            volume_limit=self.volume_limit,
            fill_on_touch=self.fill_on_touch,
            stop_trigger=self.stop_trigger,
        )
