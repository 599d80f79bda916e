"""Records for people and for programs: which of them, and how they look."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cambist.ports import JournalEntry

__all__ = ["FOLDER", "as_fields", "as_json_line", "as_line", "chosen", "filters"]

#: The argument of every command.
FOLDER = click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
#: What says which order a record is about, by kind.
_ORDER_FIELDS = ("order_id", "id")


def filters(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say which records are meant."""
    for option in reversed(
        (
            click.option("--from", "start", type=click.IntRange(1), help="First record.  [the oldest]"),
            click.option("--to", "end", type=click.IntRange(1), help="Last record.  [the newest]"),
            click.option("--kind", "kinds", multiple=True, help="Records of that kind. May be repeated."),
            click.option("--order", type=click.IntRange(1), help="Records of that order."),
        )
    ):
        command = option(command)
    return command


def chosen(
    entries: Iterable[JournalEntry], *, end: int | None, kinds: tuple[str, ...], order: int | None
) -> Iterator[JournalEntry]:
    """Yield the records that are meant."""
    for entry in entries:
        if end is not None and entry.sequence > end:
            return
        if (not kinds or entry.kind in kinds) and (order is None or _order_of(entry) == order):
            yield entry


def _order_of(entry: JournalEntry) -> int | None:
    from cambist.engine.codec import readable

    fields = readable(entry)
    found = next((name for name in _ORDER_FIELDS if isinstance(fields, dict) and name in fields), None)
    return None if found is None else fields[found]


def as_fields(entry: JournalEntry) -> dict[str, Any]:
    """Return a record for JSON: numbers that are money are text, bytes are in base 64."""
    from cambist.engine.codec import readable

    return {
        "sequence": entry.sequence,
        "ts": entry.ts,
        "kind": entry.kind,
        "version": entry.version,
        "ends_commit": entry.ends_commit,
        "fields": readable(entry),
    }


def as_json_line(entry: JournalEntry) -> str:
    """Return a record as one line of JSON."""
    return msgspec.json.encode(as_fields(entry)).decode()


def as_line(entry: JournalEntry) -> str:
    """Return a record as one line for people."""
    from cambist.engine.codec import readable

    fields = readable(entry)
    told = " ".join(f"{name}={_told(value)}" for name, value in fields.items()) if isinstance(fields, dict) else fields
    return f"{entry.sequence:>8}  {_time(entry.ts)}  {entry.kind:<20} {told}"


def _told(value: Any) -> str:
    return f"({len(value)} bytes)" if isinstance(value, bytes) else str(value)


def _time(ts: int) -> str:
    from cambist.model.times import format_ns

    try:
        return f"{format_ns(ts):<33}"
    except (OverflowError, ValueError):  # a time that no calendar has
        return f"{ts:<33}"
