"""What a replay found."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

from cambist.engine.codec import readable
from cambist.errors import DataError
from cambist.model.times import format_ns

if TYPE_CHECKING:
    from cambist.engine.step import Kernel
    from cambist.model.events import Event
    from cambist.model.portfolio import MarginChange
    from cambist.portfolio import AccountGroup, Books
    from cambist.ports.journal import Draft, JournalEntry

__all__ = ["Decision", "Divergence", "ReplayReport", "state_of"]


@attrs.frozen
class Decision:
    """Something that a kernel wanted, or noted: a record of a journal.

    Attributes
    ----------
    kind, ts
        Of the record; see `cambist.engine.records`.
    fields
        What it says; prices, sizes and money as text.
    """

    kind: str
    ts: int
    fields: Any

    @classmethod
    def of(cls, entry: JournalEntry | Draft | None) -> Decision | None:
        """Return what a record says; None for None."""
        return None if entry is None else cls(entry.kind, entry.ts, readable(entry))  # type: ignore[arg-type]

    @classmethod
    def of_change(cls, change: MarginChange | None) -> Decision | None:
        """Return what a change of margin says that was asked for, of which there is no record; None for None."""
        return None if change is None else cls("margin_changed", change.ts, _fields(change))

    def __str__(self) -> str:
        return f"{self.kind} {_line(self.fields)}"


@attrs.frozen(kw_only=True)
class Divergence:
    """The first place at which a replay wants something else than the run did.

    Attributes
    ----------
    record
        Number of the record of the journal that differs, or before which something more was wanted.
    step
        Number of the event, counted from 1 over journal and recording.
    ts, event
        Time, ns, UTC, and kind of the event that led to it.
    details
        What the event says.
    expected
        What the run wanted; None where it wanted nothing more.
    found
        What the replay wants; None where it wants nothing more.
    error
        What a strategy raised in the replay, ``""`` where none did.
    strategies
        For each strategy by name, its attributes that are plain values, after the event.
    positions, balances, cash
        Sizes held by symbol, cash by asset (in a run with several accounts followed by the account's name), and all of
        it, after the event.
    """

    record: int
    step: int
    ts: int
    event: str
    details: Mapping[str, Any]
    expected: Decision | None
    found: Decision | None
    error: str
    strategies: Mapping[str, Mapping[str, Any]]
    positions: Mapping[str, float]
    balances: Mapping[str, float]
    cash: float

    def lines(self) -> list[str]:
        """Return it for people."""
        found = self.error or (str(self.found) if self.found is not None else "nothing more")
        return [
            f"the first difference is at record {self.record}, after event {self.step}:",
            f"  event     {self.event} at {format_ns(self.ts)}  {_line(self.details)}".rstrip(),
            f"  the run   {'nothing more' if self.expected is None else self.expected}",
            f"  replayed  {found}",
            *(f"  {name}: {_line(state)}" for name, state in self.strategies.items()),
            f"  positions {_line(self.positions) or 'none'}, cash {_line(self.balances)}",
        ]


@attrs.frozen(kw_only=True)
class ReplayReport:
    """What a replay found.

    Attributes
    ----------
    equal
        Whether everything that was replayed was as the run had it, to the last bit.
    complete
        Whether that is the whole run, to its end.
    divergence
        The first difference, or None.
    events, records
        Events that were replayed, and records of the journal that were compared with what came of them.
    notes
        What else is to be known: strategies with other parameters than in the run, why the replay ended before the run.
    """

    equal: bool
    complete: bool
    divergence: Divergence | None
    events: int
    records: int
    notes: tuple[str, ...]

    def __str__(self) -> str:
        what = f"{self.events:,} events, {self.records:,} records"
        if self.divergence is not None:
            head = [f"different: {what}"]
        else:
            head = [f"equal{'' if self.complete else ' as far as it could be replayed'}: {what}"]
        body = [] if self.divergence is None else self.divergence.lines()
        return "\n".join([*head, *(f"note: {note}" for note in self.notes), *body])

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        told: dict[str, Any] = attrs.asdict(self)
        return told


def state_of(kernel: Kernel) -> dict[str, Any]:
    """Return the state of strategies and account, as `Divergence` has it."""
    several = len(kernel.accounts) > 1
    return {
        "strategies": {seat.strategy.name: _plain_state(seat.strategy) for seat in kernel.seats},
        "positions": {
            f"{key} of {name}" if several else key: held.size
            for name, books in kernel.accounts.items()
            for key, held in books.legs.items()
            if held.size
        },
        "balances": {
            f"{asset} of {name}" if several else asset: cash
            for name, books in kernel.accounts.items()
            for asset, cash in books.balances.items()
        },
        "cash": _cash(kernel.portfolio),
    }


def _cash(portfolio: Books | AccountGroup) -> float:
    try:
        return portfolio.account().cash
    except DataError:
        return nan  # nobody knows yet what some of it is worth


def event_fields(event: Event) -> dict[str, Any]:
    """Return what an event says, as far as people read it."""
    fields = {name: getattr(event, name) for name in event.__struct_fields__ if name != "ts"}
    plain: dict[str, Any] = {}
    for name, value in fields.items():
        plain |= _fields(value) if attrs.has(type(value)) else {name: value}
    return plain


def _fields(value: Any) -> dict[str, Any]:
    told = {field.name: getattr(value, field.name) for field in attrs.fields(type(value))}
    return {name: one if _is_plain(one) else str(getattr(one, "symbol", one)) for name, one in told.items()}


def _plain_state(strategy: Any) -> dict[str, Any]:
    own = {name: value for name, value in vars(strategy).items() if not name.startswith("_") and name != "params"}
    return {name: value for name, value in own.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return len(value) <= _SHOWN and all(map(_is_plain, value))
    if isinstance(value, dict):
        return len(value) <= _SHOWN and all(isinstance(name, str) and _is_plain(one) for name, one in value.items())
    return value is None or type(value) in (bool, int, float, str)


#: Longer lists tell nobody anything.
_SHOWN = 20


def _line(fields: Any) -> str:
    if not isinstance(fields, Mapping):
        return str(fields)
    return ", ".join(
        f"{name} {value}" for name, value in msgspec.to_builtins(fields).items() if value not in (None, "")
    )


def changed_strategies(entry: JournalEntry, draft: Draft) -> list[str]:
    """Return in words what strategies are others, or have other parameters, than in the run."""
    notes = []
    for was, now in zip(readable(entry)["strategies"], readable(draft)["strategies"], strict=True):  # type: ignore[arg-type]
        before, after = was.get("parameters", {}), now.get("parameters", {})
        changed = [
            f"{name} {after.get(name, 'gone')} (was {before.get(name, 'not there')})"
            for name in dict.fromkeys([*before, *after])
            if before.get(name) != after.get(name)
        ]
        if was["type"] != now["type"]:
            changed.insert(0, f"class {now['type']} (was {was['type']})")
        if changed:
            notes.append(f"{now['name']} is replayed with {', '.join(changed)}.")
    return notes
