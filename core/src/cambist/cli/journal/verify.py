"""`cambist journal verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cambist.cli.exits import Exit
from cambist.cli.journal.entries import FOLDER
from cambist.cli.session import global_options

if TYPE_CHECKING:
    from pathlib import Path

    from cambist.errors import JournalError
    from cambist.storage.journal import JournalFolder

__all__ = ["verify"]


@click.command()
@FOLDER
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@global_options(hidden=True)
def verify(folder: Path, *, as_json: bool) -> None:
    """Prove that a journal is what was written, and that it makes a state.

    Every record is checked against the one before, every segment against its neighbors, every snapshot and every reader
    against the records. Then the state is made of the journal, by each way there is: they have to agree. The exit code
    is 1 if anything is wrong; each finding says what to do.

    \b
    Examples:
      cambist journal verify journal
      cambist journal verify journal --json
    """  # noqa: D301 -- click reads the control character
    from cambist.storage.journal import JournalFolder

    report = _examine(JournalFolder(folder))
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(report)).decode())
    else:
        _print(report)
    raise SystemExit(Exit.OK if report["whole"] else Exit.FAILED)


def _examine(journal: JournalFolder) -> dict[str, Any]:
    problems, segments, last = [], 0, journal.first - 1
    for checked in journal.check():
        segments += 1
        last = checked.end.sequence - 1
        if checked.error is not None:
            problems.append(_problem(checked.error, torn=checked.is_torn))
    snapshots = _snapshots(journal, problems)
    state = None if problems else _state(journal, problems)
    return {
        "journal": journal.id,
        "folder": str(journal.folder),
        "whole": not problems,
        "first": journal.first,
        "last": last,
        "segments": segments,
        "snapshots": snapshots,
        "readers": {cursor.name: cursor.sequence for cursor in journal.cursors()},
        "state": state,
        "problems": problems,
    }


def _problem(error: JournalError, *, torn: bool = False) -> dict[str, Any]:
    return {
        "code": error.code,
        "message": str(error),
        "path": error.path,
        "offset": error.offset,
        "sequence": error.sequence,
        "remedy": error.remedy,
        "left_by_a_crash": torn,
    }


def _snapshots(journal: JournalFolder, problems: list[dict[str, Any]]) -> list[int]:
    from cambist.errors import JournalError

    sound = []
    for sequence in journal.snapshots.sequences():
        try:
            journal.snapshots.read(sequence)
        except JournalError as error:
            problems.append(_problem(error))
        else:
            sound.append(sequence)
    return sound


def _state(journal: JournalFolder, problems: list[dict[str, Any]]) -> str | None:
    """Return the digest of the state; what is made of the records alone and of a snapshot must be one."""
    from cambist.engine.document import digest_of
    from cambist.engine.rebuild import rebuild
    from cambist.errors import JournalError, RecordError

    try:
        state = digest_of(rebuild(journal))
        if journal.first == 1 and state != digest_of(rebuild(journal, use_snapshot=False)):
            raise RecordError(
                "the newest snapshot leads to another state than the records do",
                code="states_differ",
                path=journal.folder,
                remedy="Remove the folder snapshots, and report this as a fault.",
            )
    except JournalError as error:
        problems.append(_problem(error))
        return None
    return state


def _print(report: dict[str, Any]) -> None:
    count = max(0, report["last"] - report["first"] + 1)
    click.echo(f"journal    {report['journal']} in {report['folder']}")
    click.echo(f"records    {count:,}, {report['first']} to {report['last']}, in {report['segments']} segments")
    click.echo(f"snapshots  {', '.join(map(str, report['snapshots'])) or 'none'}")
    readers = ", ".join(f"{name} at {sequence}" for name, sequence in report["readers"].items())
    click.echo(f"readers    {readers or 'none'}")
    if report["state"]:
        click.echo(f"state      {report['state']}")
    for problem in report["problems"]:
        click.secho(f"{problem['code']}: {problem['message']}", fg="yellow" if problem["left_by_a_crash"] else "red")
    if report["whole"]:
        click.secho("whole: everything is what was written", fg="green")
