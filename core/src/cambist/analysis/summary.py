"""The table of results: every measure of a run, with buying and holding beside it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from math import isfinite, isnan, nan
from typing import TYPE_CHECKING, Any

import attrs

from cambist.analysis.catalog import MEASURES, MeasureSpec, Unit
from cambist.analysis.formatting import format_value, iso_time, money_places
from cambist.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cambist.analysis.facts import RunFacts

__all__ = ["Measure", "Summary", "Value", "measured", "summarize"]

#: Number, ISO 8601 time, or None for a time that never was. A number that cannot be computed is NaN.
Value = float | int | str | None


@attrs.frozen(slots=True)
class Measure:
    """One line of a summary.

    Attributes
    ----------
    key, label, unit
        See `cambist.analysis.catalog.MeasureSpec`.
    value
        Of the run.
    benchmark
        Of buying and holding; None where it says nothing, or there is no benchmark.
    """

    key: str
    label: str
    value: Value
    unit: Unit
    benchmark: Value = None


class Summary(Mapping[str, Value]):
    """The measures of a run by key: ``summary["sharpe"]`` or ``summary.sharpe``.

    Parameters
    ----------
    measures
        In the order they are shown.
    currency
        Of the amounts of money.

    Notes
    -----
    ``docs/reference/measures.md`` lists the keys, which are stable. A number that cannot be computed is NaN.
    """

    __slots__ = ("_measures", "currency")

    def __init__(self, measures: Iterable[Measure], currency: str = "") -> None:
        self._measures = {measure.key: measure for measure in measures}
        self.currency = currency

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Every line, in order."""
        return tuple(self._measures.values())

    @property
    def benchmark(self) -> dict[str, Value]:
        """The measures of buying and holding by key; empty without a benchmark."""
        if not self.has_benchmark:
            return {}
        return {
            key: self._measures[key].benchmark
            for key in self._measures
            if key in MEASURES and MEASURES[key].benchmarked
        }

    @property
    def has_benchmark(self) -> bool:
        """Whether buying and holding stands beside the run."""
        return any(measure.benchmark is not None for measure in self._measures.values())

    def __getitem__(self, key: str) -> Value:
        try:
            return self._measures[key].value
        except KeyError:
            raise KeyError(self._missing(key)) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._measures)

    def __len__(self) -> int:
        return len(self._measures)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # copy and pickle ask before there are measures
            raise AttributeError(name)
        try:
            return self._measures[name].value
        except KeyError:
            raise AttributeError(self._missing(name)) from None

    def _missing(self, key: str) -> str:
        if key in MEASURES:
            return f"the summary does not show {key!r}; compute it by result.analysis.measure({key!r})."
        return f"no measure {key!r}.{did_you_mean(key, self._measures)}"

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._measures]

    def to_dict(self) -> dict[str, Value]:
        """Return the values by key, fit for JSON: None where a number cannot be computed."""
        return {key: _json_value(measure.value) for key, measure in self._measures.items()}

    def benchmark_to_dict(self) -> dict[str, Value]:
        """Return `benchmark`, fit for JSON."""
        return {key: _json_value(value) for key, value in self.benchmark.items()}

    def rows(self) -> list[tuple[str, str, str]]:
        """Return label, value and benchmark of each line as text for a table."""
        start = self._measures["start"].value if "start" in self._measures else None
        initial = self._measures["initial_equity"].value if "initial_equity" in self._measures else None
        places = money_places(initial if isinstance(initial, float) else 0.0)
        beside = self.benchmark
        rows = []
        for key, measure in self._measures.items():
            label = (
                f"{measure.label} ({self.currency})" if self.currency and measure.unit is Unit.MONEY else measure.label
            )
            own = format_value(measure.value, measure.unit, places, opens=measure.value == start)
            other = measure.benchmark
            benchmark = format_value(other, measure.unit, places, opens=other == start) if key in beside else ""
            rows.append((label, own, benchmark))
        return rows

    def __str__(self) -> str:
        rows = self.rows()
        if self.has_benchmark:
            rows.insert(0, ("", "Strategy", "Buy and hold"))
        widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
        lines = (f"{a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}".rstrip() for a, b, c in rows)
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return an HTML table for a notebook."""
        columns = 3 if self.has_benchmark else 2
        head = ("", "Strategy", "Buy and hold")[:columns]
        lines = ["<table>", "<tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>"]
        for row in self.rows():
            cells = "".join(
                f'<td style="text-align:{"right" if number else "left"}">{escape(cell)}</td>'
                for number, cell in enumerate(row[:columns])
            )
            lines.append(f"<tr>{cells}</tr>")
        return "\n".join([*lines, "</table>"])


def summarize(facts: RunFacts, benchmark: RunFacts | None = None, currency: str = "") -> Summary:
    """Compute the measures of a run that a table shows.

    Parameters
    ----------
    facts
        Of the run.
    benchmark
        The facts of buying and holding, where there is such a curve.
    currency
        Of the amounts of money.
    """
    return Summary(measured((spec for spec in MEASURES.values() if spec.in_summary), facts, benchmark), currency)


def measured(specs: Iterable[MeasureSpec], facts: RunFacts, benchmark: RunFacts | None = None) -> tuple[Measure, ...]:
    """Compute some measures; the arguments are those of `summarize`."""
    return tuple(
        Measure(
            key=spec.key,
            label=spec.label,
            value=_value(spec, facts),
            unit=spec.unit,
            benchmark=_value(spec, benchmark) if benchmark is not None and spec.benchmarked else None,
        )
        for spec in specs
    )


def _value(spec: MeasureSpec, facts: RunFacts) -> Value:
    number = spec.compute(facts)
    if isinstance(number, float) and isnan(number):
        return nan  # one and the same, so that the summaries of equal runs are equal
    return iso_time(int(number)) if spec.unit is Unit.TIME and number is not None else number


def _json_value(value: Value) -> Value:
    return None if isinstance(value, float) and not isfinite(value) else value
