"""`cambist check`."""

from __future__ import annotations

import click

from cambist.cli.check.lookahead import lookahead
from cambist.cli.check.warmup import warmup
from cambist.cli.session import global_options

__all__ = ["check"]


@click.group()
@global_options(hidden=True)
def check() -> None:
    """Find out whether a strategy knows the future, and how it warms up.

    \b
    Examples:
      cambist check lookahead my_file.py:SmaCross --data bars.csv
      cambist check warmup run.toml
    """  # noqa: D301 -- click reads the control character


for _command in (lookahead, warmup):
    check.add_command(_command)
