"""`cambist journal`."""

from __future__ import annotations

import click

from cambist.cli.journal.export import export
from cambist.cli.journal.rebuild import rebuild
from cambist.cli.journal.show import show
from cambist.cli.journal.tail import tail
from cambist.cli.journal.verify import verify
from cambist.cli.session import global_options

__all__ = ["journal"]


@click.group()
@global_options(hidden=True)
def journal() -> None:
    """Read, verify and rebuild the journal of a run.

    None of these commands changes the journal or needs the run to stop.

    \b
    Examples:
      cambist journal verify journal
      cambist journal show journal --order 7
      cambist journal rebuild journal
    """  # noqa: D301 -- click reads the control character


for _command in (verify, show, rebuild, tail, export):
    journal.add_command(_command)
