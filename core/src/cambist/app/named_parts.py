"""Parts that a run file names besides strategies, rules and models: a broker, measures, event sinks."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from cambist.analysis import MEASURES, MeasureSpec, RunFacts, Unit, measured
from cambist.config.models import SinkTable
from cambist.config.secrets import Secret
from cambist.engine.codec import CODEC
from cambist.errors import did_you_mean
from cambist.observe.event_sinks import NamedSink

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cambist.app.runfile import Reader
    from cambist.backtest import Result
    from cambist.plugins.specs import AnalyzerSpec, Spec

__all__ = ["SIMULATED", "measure_result", "named_analyzers", "named_broker", "named_sinks_of"]

#: What takes orders where nothing else is named.
SIMULATED = "simulated"


def named_broker(reader: Reader) -> tuple[Any, dict[str, Any]]:
    """Return what makes the broker of ``[broker]``, and its table; None for the simulated venue."""
    table = reader.document.tables.get("broker")
    use = table.get("use") if isinstance(table, dict) else None
    if not isinstance(table, dict) or not isinstance(use, str) or not use:
        return None, {}
    if use == SIMULATED:
        for name in table.keys() - {"use"}:
            reader.add(("broker", name), "the simulated venue is set up in [venue].")
        return None, {}
    made = _settled(reader, "broker", table, ("broker",))
    if made is None:
        return None, {}
    shown = {name: value for name, value in table.items() if not isinstance(made[2].get(name), Secret)}
    return partial(made[1], **made[2]), shown


def named_analyzers(reader: Reader) -> Iterator[MeasureSpec]:
    """Yield the measures of ``[[analyzer]]``, each with its settings."""
    for where, table in reader.tables("analyzer"):
        if isinstance(table.get("use"), str) and table["use"]:
            made = _settled(reader, "analyzer", table, where)
            if made is not None:
                yield _measure(made[0], partial(made[1], **made[2]))


def named_sinks_of(reader: Reader) -> Iterator[NamedSink]:
    """Yield the sinks of ``[[sink]]``; none of them has opened anything."""
    names: set[str] = set()
    for where, table in reader.tables("sink"):
        if not isinstance(table.get("use"), str) or not table["use"]:
            continue
        name = table.get("name") or table["use"]
        if name in names:
            reader.add(where, f"several sinks are called {name!r}; give each a name of its own.")
        names.add(name)
        kinds = table.get("only", [])
        for kind in kinds if isinstance(kinds, list) else ():
            if kind not in CODEC.kinds:
                reader.add((*where, "only"), f"there is no event {kind!r}.{did_you_mean(str(kind), CODEC.kinds)}")
        own = {key: value for key, value in table.items() if key not in SinkTable.model_fields or key == "use"}
        made = _settled(reader, "sink", own, where)
        if made is None or reader.file is None:
            continue
        sink = reader.attempt(where, made[1], **made[2])
        if sink is not None:
            said = {key: table[key] for key in ("only", "capacity") if key in table}
            yield NamedSink(name=name, sink=sink, **said)


def _settled(reader: Reader, kind: str, table: dict[str, Any], where: Any) -> tuple[Any, Any, dict[str, Any]] | None:
    """Return a component's record, its factory and its checked settings; None where there are problems."""
    spec: Spec | None = reader.attempt((*where, "use"), reader.registry.get, kind, table["use"])
    parts = spec and reader.attempt((*where, "use"), lambda: (spec.load(), spec.load_config()))
    if spec is None or not parts:
        return None
    own = {name: value for name, value in table.items() if name != "use"}
    settings, found = reader.settings(own, parts[1], parts[0], where, spec.given)
    if found:
        return None
    # A path in a run file starts from its folder, whoever it is for.
    settings = {
        name: reader.document.folder_of((*where, name)) / value if isinstance(value, Path) else value
        for name, value in settings.items()
    }
    return spec, parts[0], settings


def _measure(spec: AnalyzerSpec, compute: Any) -> MeasureSpec:
    key = spec.name.replace("-", "_")
    known = MEASURES.get(key)
    label = spec.name.replace("-", " ").capitalize() if known is None else known.label
    return MeasureSpec(
        key, label, Unit(spec.unit), compute, spec.higher_is_better, known is not None and known.benchmarked
    )


def measure_result(result: Result, analyzers: Sequence[MeasureSpec]) -> None:
    """Add measures to a result; one that raises, which none should, is told of and has no number."""
    beside = None if result.benchmark is None else RunFacts(result.benchmark)
    for one in analyzers:
        try:
            made = measured([one], result.facts, beside)
        except Exception as error:  # noqa: BLE001 - the result of a run must not be lost for it
            told = " ".join(f"{type(error).__name__}: {error}".split())
            result.warnings = (*result.warnings, f"the measure {one.key} could not be computed: {told}.")
            made = measured([attrs.evolve(one, compute=lambda _facts: float("nan"))], result.facts)
        result.measured = (*result.measured, *made)
