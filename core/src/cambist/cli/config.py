"""`cambist config`: what a run file comes to, whether it can be used, and a schema of it for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from cambist.cli.exits import Exit
from cambist.cli.run_file_options import set_option
from cambist.cli.session import global_options, session
from cambist.errors import ConfigError
from cambist.observe.redaction import REDACTOR

if TYPE_CHECKING:
    from cambist.config.effective import EffectiveValue

__all__ = ["config"]

_RUN_FILE = click.argument("run_file", type=click.Path(path_type=Path))
_USES = ("backtest", "paper", "live")


@click.group()
@global_options(hidden=True)
def config() -> None:
    """Show what a run file comes to, check it, and have editors know it.

    \b
    Examples:
      cambist config check run.toml
      cambist config show run.toml --set account.cash=5000
      cambist config schema --out run.schema.json
    """  # noqa: D301 -- click reads the control character


@config.command()
@_RUN_FILE
@click.option(
    "--for", "uses", multiple=True, type=click.Choice(_USES), help="Check it for this alone. May be repeated."
)
@click.option("--secrets", is_flag=True, help="Look secrets up, too; none is shown.")
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@global_options(hidden=True)
def check(run_file: Path, *, uses: tuple[str, ...], secrets: bool, assigned: tuple[str, ...], as_json: bool) -> None:
    """Check a run file for all that it can be used for, without running it or connecting anywhere.

    What its tables are for is told from them: a backtest where every series has a source, a paper run where there is
    [paper], a live run where there is [live]. Secrets are not looked up, so that a file can be checked where its keys
    are not.

    The exit code is 2 where there are mistakes; all of them are told.

    \b
    Examples:
      cambist config check run.toml
      cambist config check run.production.toml --for live --secrets
    """  # noqa: D301 -- click reads the control character
    from cambist.app.config_checks import check_run_file
    from cambist.config.layers import read_document

    document = read_document(run_file, assigned)
    found = check_run_file(document, session().registry(beside=run_file), uses, secrets=secrets)
    if as_json:
        mistakes = [attrs.asdict(one) for one in found.mistakes]
        _print_json({"file": str(run_file), "uses": list(found.uses), "mistakes": mistakes})
    elif found.mistakes:
        click.echo(f"{run_file} has {len(found.mistakes)} mistake{'s' if len(found.mistakes) > 1 else ''}:")
        for one in found.mistakes:
            only = "" if len(one.uses) == len(found.uses) else f" ({', '.join(one.uses)})"
            click.echo(REDACTOR.text(f"  {one.told}{only}"))
    else:
        click.echo(f"{run_file} can be used for: {', '.join(found.uses)}")
    raise SystemExit(Exit.BAD_INPUT if found.mistakes else Exit.OK)


@config.command()
@_RUN_FILE
@click.option("--no-defaults", is_flag=True, help="Leave out what nobody set.")
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@global_options(hidden=True)
def show(run_file: Path, *, no_defaults: bool, assigned: tuple[str, ...], as_json: bool) -> None:
    """Show every value that counts, and where it is from.

    That is a file with its line (the run file or one that it extends), an environment variable, --set, or the default
    of Cambist or of the component that is named. A secret is shown as the reference to it, or masked.

    \b
    Examples:
      cambist config show run.toml
      cambist config show run.production.toml --no-defaults --json
    """  # noqa: D301 -- click reads the control character
    from cambist.app.components import components_of
    from cambist.config.effective import effective_values
    from cambist.config.layers import read_document

    document = read_document(run_file, assigned)
    values = effective_values(document, components_of(document, session().registry(beside=run_file)))
    if no_defaults:
        values = [one for one in values if one.origin.kind != "default"]
    if as_json:
        listed = [{"key": one.key, "value": one.value, "origin": attrs.asdict(one.origin)} for one in values]
        sources = [{"kind": one.kind, "place": str(one.path)} for one in document.sources]
        _print_json({"file": str(run_file), "sources": sources, "values": listed})
        return
    _print_values(values)


@config.command()
@click.argument("run_file", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it there.")
@global_options(hidden=True)
def schema(run_file: Path | None, *, out: Path | None) -> None:
    """Write a JSON Schema of run files, with the settings of everything that is installed.

    Editors complete and check by it: write '#:schema ./run.schema.json' into the first line of a run file. With
    RUN_FILE it knows the plugin beside it as well.

    \b
    Examples:
      cambist config schema --out run.schema.json
      cambist config schema run.toml
    """  # noqa: D301 -- click reads the control character
    from cambist.app.schema import run_file_schema

    if out is not None and not out.parent.is_dir():  # before the plugins are imported, not after
        raise ConfigError(f"--out {out}: there is no folder {out.parent}. Make it first.")
    text = json.dumps(run_file_schema(session().registry(beside=run_file)), indent=2)
    if out is None:
        click.echo(text)
        return
    try:
        out.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--out {out} cannot be written: {error.strerror or error}.") from error
    click.echo(f"written to {out}; the first line of a run file beside it: #:schema ./{out.name}", err=True)


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _print_values(values: list[EffectiveValue]) -> None:
    rows = [(one.key, _written(one.value), str(one.origin)) for one in values]
    widths = [min(max((len(row[column]) for row in rows), default=0), 48) for column in (0, 1)]
    for key, value, origin in rows:
        click.echo(f"{key:<{widths[0]}}  {value:<{widths[1]}}  {click.style(origin, dim=True)}")


def _written(value: Any) -> str:
    """Write a value as TOML does, and nothing as ``none``."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f" {name} = {_written(inner)}" for name, inner in value.items()) + (" }" if value else "}")
        )
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
