"""Checks a run file for every use it can have, without running, connecting or asking anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.app.live_file import LiveReader, PaperReader
from cambist.app.plan import Overrides
from cambist.app.runfile import Reader
from cambist.config.problems import path_text, tell
from cambist.config.read import as_list
from cambist.errors import ConfigError

if TYPE_CHECKING:
    from cambist.config.document import Document, Origin
    from cambist.plugins.registry import Registry

__all__ = ["USES", "CheckedFile", "Mistake", "check_run_file"]

#: What a run file can be used for, and what reads it then.
USES: dict[str, type[Reader]] = {"backtest": Reader, "paper": PaperReader, "live": LiveReader}


@attrs.frozen
class Mistake:
    """Something that cannot be used.

    Attributes
    ----------
    key
        The way to it, as people write it; ``""`` for something that is missing as a whole.
    message
        What is wrong with it, and what to do.
    told
        The same with its place.
    origin
        Where it is from.
    uses
        For which uses it is wrong.
    """

    key: str
    message: str
    told: str
    origin: Origin
    uses: tuple[str, ...]


@attrs.frozen
class CheckedFile:
    """What a check found.

    Attributes
    ----------
    uses
        What it was checked for.
    mistakes
        What is wrong.
    """

    uses: tuple[str, ...]
    mistakes: tuple[Mistake, ...]


def check_run_file(
    document: Document, registry: Registry, uses: tuple[str, ...] = (), *, secrets: bool = False
) -> CheckedFile:
    """Find everything that is wrong with a run file.

    Parameters
    ----------
    document
        Of the file, with its layers.
    registry
        Knows the components.
    uses
        Some of `USES`; by default all that its tables are for.
    secrets
        Whether secrets are looked up, too.
    """
    uses = uses or _uses_of(document)
    found: dict[tuple[str, str], list[str]] = {}
    told: dict[tuple[str, str], Mistake] = {}
    for use in uses:
        reader = USES[use](document, registry, Overrides())
        reader.secrets = "all" if secrets else "none"
        try:
            if isinstance(reader, LiveReader):
                reader.live_plan()
            else:
                reader.plan()
        except ConfigError as error:
            if not reader.problems:
                mistake = Mistake("", str(error), str(error), document.origin_of(()), ())
                found.setdefault(("", mistake.message), []).append(use)
                told["", mistake.message] = mistake
        for problem in reader.problems:
            key = (path_text(problem.where), problem.message)
            found.setdefault(key, []).append(use)
            told[key] = Mistake(*key, tell(document, problem), document.origin_of(problem.where), ())
    mistakes = [attrs.evolve(one, uses=tuple(dict.fromkeys(found[key]))) for key, one in told.items()]
    return CheckedFile(uses, tuple(sorted(mistakes, key=lambda one: (one.origin.place, one.origin.line or 0))))


def _uses_of(document: Document) -> tuple[str, ...]:
    """Return what the tables of a run file are for."""
    tables = document.tables
    series = as_list(tables.get("data", []))
    have_source = isinstance(series, list) and all(isinstance(one, dict) and "source" in one for one in series)
    runs = tuple(use for use in ("paper", "live") if use in tables)
    return ("backtest", *runs) if have_source and (series or not runs) else runs or ("backtest",)
