"""`cambist version`."""

from __future__ import annotations

import json

import click

from cambist.cli.session import global_options

__all__ = ["version"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@global_options(hidden=True)
def version(*, as_json: bool) -> None:
    """Print the version.

    \b
    Example:
      cambist version --json
    """  # noqa: D301 -- click reads the control character
    import platform

    import cambist

    python = platform.python_version()
    if as_json:
        click.echo(json.dumps({"cambist": cambist.__version__, "python": python}))
    else:
        click.echo(f"cambist {cambist.__version__} (Python {python})")
