"""`cambist plugins new`: begin a plugin of one's own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from cambist.cli.session import global_options
from cambist.plugins.scaffold import KINDS, LICENSES, Scaffold

__all__ = ["new_plugin"]


@click.command("new")
@click.argument("name")
@click.option("--kind", required=True, type=click.Choice(sorted(KINDS)), help="What the plugin offers.")
@click.option("--dir", "folder", type=click.Path(path_type=Path), help="Folder for the package.  [./cambist-NAME]")
@click.option(
    "--license",
    "license_",
    type=click.Choice(LICENSES),
    default=LICENSES[0],
    show_default=True,
    help="What others may do with it.",
)
@click.option("--author", default="The authors", show_default=True, help="For the license and the package's metadata.")
@global_options(hidden=True)
def new_plugin(name: str, kind: str, folder: Path | None, license_: str, author: str) -> None:
    """Write the package of a new plugin: it works, and passes its own tests, as it is written.

    \b
    Examples:
      cambist plugins new --kind notifier pager
      cambist plugins new --kind strategy rebound --dir rebound --license MIT --author "Ada Lovelace"
    """  # noqa: D301 -- click reads the control character
    scaffold = Scaffold(kind, name, license_, author, datetime.now(UTC).year)
    folder = folder or Path(scaffold.distribution)
    for place in scaffold.write(folder):
        click.echo(f"  {folder / place}")
    click.echo(
        f"\n{'An' if kind[0] in 'aeiou' else 'A'} {kind} that works. Next:\n"
        f"  cd {folder} && pip install -e '.[test]' && python -m pytest\n"
        f"  cambist plugins check {name}"
    )
