"""`cambist rehearse`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from cambist.cli.exits import Exit
from cambist.cli.run_file_options import set_option
from cambist.cli.session import global_options, session
from cambist.observe.redaction import REDACTOR

if TYPE_CHECKING:
    from cambist.app.rehearsing import Rehearsed

__all__ = ["rehearse"]


@click.command()
@click.argument("run_file", type=click.Path(path_type=Path))
@set_option
@click.option("--journal", type=click.Path(path_type=Path), metavar="DIR", help="In place of the run file's.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@global_options(hidden=True)
def rehearse(run_file: Path, *, journal: Path | None, assigned: tuple[str, ...], as_json: bool) -> None:
    """Show what the start of a live run would do, and send nothing.

    The journal is copied, the venue is asked: what became of open orders, what differs, what would be adopted, ignored,
    closed or asked about, and what would be sent. Neither the venue nor the journal is changed, and a run that is
    running goes on.

    The exit code is 8 where a start would have to ask a person.

    \b
    Examples:
      cambist rehearse run.toml
      cambist rehearse run.toml --json
    """  # noqa: D301 -- click reads the control character
    from cambist.app.live_file import read_live_file
    from cambist.app.rehearsing import rehearse as perform

    plan = read_live_file(run_file, session().registry(beside=run_file), assigned=assigned)
    if journal is not None:
        plan = attrs.evolve(plan, journal=journal)
    found = perform(plan)
    if as_json:
        click.echo(json.dumps(REDACTOR.value(found.document()), indent=2))
    else:
        for line in _lines(found):
            click.echo(REDACTOR.text(line))
    raise SystemExit(Exit.OK if found.starts else Exit.UNDECIDED)


def _lines(found: Rehearsed) -> list[str]:
    lines = [
        f"{found.venue} ({found.environment}): {'a run would go on' if found.goes_on else 'a new run would begin'}"
    ]
    for client_id, report in found.asked.items():
        state = "no such order" if report is None else f"{report.status}, {report.filled} filled"
        lines.append(f"order {client_id}: the venue says {state}")
    lines += [f"open: {one}" for one in found.open_orders]
    lines += [f"differs: {one.difference.describe()}: {one.policy}" for one in found.differences]
    lines += [f"would hold: {size:g} {symbol}" for symbol, size in found.positions.items()]
    lines += [f"would send: {one.describe()}" for one in found.withheld]
    lines += [f"would alarm: {word}: {text}" for word, text in found.told]
    if not found.starts:
        lines.append(
            "It would ask what becomes of what differs: say it by on_position and on_order, or start with --yes."
        )
    lines.append("Nothing was sent.")
    return lines
