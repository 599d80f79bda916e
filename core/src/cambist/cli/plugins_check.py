"""`cambist plugins check`: run the suites of a plugin's kinds, and certify the outcome."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cambist.cli.exits import Exit
from cambist.cli.session import global_options, session
from cambist.errors import ConfigError
from cambist.plugins.scaffold import KINDS

if TYPE_CHECKING:
    from cambist.plugins.checking import Certificate

__all__ = ["check_plugin"]

_COLORS = {"passed": "green", "failed": "red", "skipped": "yellow"}


@click.command("check")
@click.argument("plugin")
@click.option("--certificate", type=click.Path(path_type=Path, dir_okay=False), help="Write what was found as JSON.")
@click.option(
    "--kind", type=click.Choice(sorted(KINDS)), help="Look at components of this kind alone.  [all that it offers]"
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@global_options(hidden=True)
def check_plugin(plugin: str, certificate: Path | None, kind: str | None, *, as_json: bool) -> None:
    """Run the conformance suites on a plugin, offline: an installed one by its name, or the folder of a package.

    A cambist_plugins.py is checked as well, named itself, or by its folder or the run file beside it.

    Ends with 0 where every requirement is met, with 1 where one is not. What a plugin says that it has not got is
    skipped, with the reason.

    \b
    Examples:
      cambist plugins check pager
      cambist plugins check ./cambist-pager --certificate certificate.json
      cambist plugins check run.toml
      cambist plugins check binance --kind exchange
    """  # noqa: D301 -- click reads the control character
    from cambist.plugins.checking import Subject, check

    if certificate is not None and not certificate.parent.is_dir():  # before the suites run, not after
        raise ConfigError(f"--certificate {certificate}: there is no folder {certificate.parent}. Make it first.")
    place = Path(plugin)
    subject = Subject.of(plugin, session().registry(beside=place if place.exists() else None), kind or "")
    found = check(subject, datetime.now(UTC).isoformat(timespec="seconds"))
    text = json.dumps(found.document(), indent=2, ensure_ascii=False)
    if as_json:
        click.echo(text)
    else:
        _print(found)
    if certificate is not None:
        try:
            certificate.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"--certificate {certificate} cannot be written: {error.strerror}.") from error
    if not found.is_green:
        raise SystemExit(Exit.FAILED)


def _print(found: Certificate) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("Card", "Of", "Requirement", "Outcome")
    for one in found.requirements:
        outcome = Text(one.outcome, style=_COLORS.get(one.outcome, ""))
        for more in (one.why, one.replaced and f"replaced: {one.replaced}"):
            if more:
                outcome.append(f"\n{more}", style="default")
        table.add_row(one.id, Text(one.subject), Text(one.requirement), outcome)
    console = Console()
    if found.requirements:
        console.print(table)
    for name in found.without:
        click.secho(f"{name} names no conformance module, so nothing is known of it: conformance='package.conformance'")
    counts = (
        ", ".join(f"{found.counts[word]} {word}" for word in _COLORS if found.counts[word]) or "nothing was checked"
    )
    verdict = click.style("passed", fg="green") if found.is_green else click.style("failed", fg="red")
    click.echo(f"{found.plugin} ({found.distribution} {found.version}), cambist {found.cambist}: {verdict}; {counts}")
