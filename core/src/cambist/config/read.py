"""From a document to a checked `RunFile`, or to a list of what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
from pydantic import ValidationError

from cambist.config.explain import explain
from cambist.config.models import DataTable, InstrumentTable, RunFile

if TYPE_CHECKING:
    from cambist.config.document import Document, Where
    from cambist.config.problems import Problem

__all__ = ["DATA_KEYS", "LISTS", "as_list", "check_tables", "instrument_table", "place"]

#: The keys of ``[[data]]`` that are not settings of a feed.
DATA_KEYS = tuple(DataTable.model_fields)

#: Tables of which there may be several.
LISTS = ("strategy", "history", "data", "risk", "analyzer", "sink", "notify")


def check_tables(document: Document) -> tuple[RunFile | None, list[Problem]]:
    """Check what a run file says, as far as it can be told without knowing the components it names.

    Returns
    -------
    RunFile or None
        None where there are problems.
    problems
        What is wrong.
    """
    tables: dict[str, Any] = {
        name: as_list(table) if name in LISTS else table for name, table in document.tables.items()
    }
    try:
        return RunFile.model_validate(tables), []
    except ValidationError as error:
        found = explain(error, RunFile)
        return None, [attrs.evolve(problem, where=place(document, problem.where)) for problem in found]


def instrument_table(table: Any) -> InstrumentTable | None:
    """Return ``[data.instrument]`` checked by itself; None where it has problems, which `check_tables` tells of."""
    try:
        return InstrumentTable.model_validate(table)
    except ValidationError:
        return None


def as_list(table: Any) -> Any:
    """Return ``[data]``, which is written where there is one, as the list that ``[[data]]`` is."""
    return [table] if isinstance(table, dict) else table


def place(document: Document, where: Where) -> Where:
    """Return the way to a value as the file writes it: without a number where a table stands alone."""
    alone = where[:1] and isinstance(document.tables.get(str(where[0])), dict) and where[0] in LISTS
    return (where[0], *where[2:]) if alone and len(where) > 1 else where
