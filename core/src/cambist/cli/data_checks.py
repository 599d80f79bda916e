"""`cambist data check`, `repair` and `compare`: what is wrong with bars, and what becomes of it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cambist.cli.exits import Exit
from cambist.cli.session import global_options, session

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.data.checks.policy import Change
    from cambist.data.checks.repairing import Repaired
    from cambist.data.checks.report import CheckReport, Defect

__all__ = ["COMMANDS"]

_SHOWN = 20


def _series_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command what it is to know of a series."""
    for option in (
        click.option("--symbol", help="Name of the instrument, where the source does not tell it."),
        click.option("--timeframe", help="Length of a bar, such as 1m.  [the commonest spacing]"),
        click.option("--calendar", "calendar_name", help="When the market trades, such as XNYS or 24/7."),
        click.option("--json", "as_json", is_flag=True, help="Print JSON for programs."),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("source")
@_series_options
@click.option("--rule", "names", multiple=True, help="Ask this rule alone; may be given several times.")
@click.option("--stale-after", help="How old the last bar may be, such as 2d; it is not looked at otherwise.")
@click.option("--all", "show_all", is_flag=True, help=f"List every defect, not {_SHOWN} of each rule.")
@global_options(hidden=True)
def check(
    source: str,
    symbol: str | None,
    timeframe: str | None,
    calendar_name: str | None,
    names: tuple[str, ...],
    stale_after: str | None,
    *,
    as_json: bool,
    show_all: bool,
) -> None:
    """List everything that is wrong with the bars of SOURCE, a file or FEED:SERIES.

    Ends with exit code 1 when there are warnings or errors; notes alone are no reason.

    \b
    Examples:
      cambist data check bars.csv
      cambist data check bars.csv --calendar XNYS --json
    """  # noqa: D301 -- click reads the control character
    from cambist.data.checks.check import check as run
    from cambist.model.timeframe import Timeframe

    report = run(
        _opened(source, symbol, timeframe),
        symbol=symbol if _is_file(source) else None,
        timeframe=timeframe if _is_file(source) else None,
        rules=_rules(names),
        calendar=_calendar(calendar_name),
        now=time.time_ns(),
        stale_after=None if stale_after is None else Timeframe.parse(stale_after).ns,
    )
    if as_json:
        click.echo(json.dumps(report.as_fields(), indent=2))
    else:
        _print_report(report, show_all=show_all)
    if not report.is_clean:
        raise click.exceptions.Exit(Exit.FAILED)


@click.command()
@click.argument("source")
@_series_options
@click.option("--policy", "answers", multiple=True, metavar="RULE=ACTION", help="What is done about a rule's defects.")
@click.option("--out", type=click.Path(path_type=Path), help="The CSV or Parquet file to write; must not exist yet.")
@global_options(hidden=True)
def repair(
    source: str,
    symbol: str | None,
    timeframe: str | None,
    calendar_name: str | None,
    answers: tuple[str, ...],
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    """Repair the bars of SOURCE as the policy says, list each change, and write them to another file.

    SOURCE stays as it is. Without --out, only what would be changed is listed. Rules that no --policy names are left.

    \b
    Examples:
      cambist data repair bars.csv --policy duplicate=drop --policy gap=fill --out clean.csv
      cambist data repair bars.csv --policy unit=ask --out clean.parquet
    """  # noqa: D301 -- click reads the control character
    from cambist.data.checks.repairing import repair as run
    from cambist.errors import ConfigError

    policy = dict(_answer(text) for text in answers)
    if not policy:
        raise ConfigError("a repair needs a policy, such as --policy duplicate=drop; 'cambist data check' shows rules.")
    if out is not None and out.exists():
        raise ConfigError(f"{out} is there already. Name a file that is not.")
    done = run(
        _opened(source, symbol, timeframe),
        policy,
        symbol=symbol if _is_file(source) else None,
        timeframe=timeframe if _is_file(source) else None,
        rules=_rules(()),
        calendar=_calendar(calendar_name),
        now=time.time_ns(),
        ask=_ask,
    )
    if out is not None:
        _write(done, out)
    if as_json:
        fields = {"changes": [one.as_fields() for one in done.changes], "left": done.left.as_fields()}
        click.echo(json.dumps(fields, indent=2))
        return
    _print_changes(done.changes)
    click.echo(done.describe())
    if out is not None:
        click.echo(f"Written to {out}")
    click.echo(f"Left: {done.left.describe()}")


@click.command()
@click.argument("first")
@click.argument("second")
@click.option("--tolerance", type=float, default=1e-3, show_default=True, help="How far prices may differ, as a share.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@global_options(hidden=True)
def compare(first: str, second: str, tolerance: float, *, as_json: bool) -> None:
    """Compare two sources of one series where they overlap; FIRST is believed.

    Ends with exit code 1 when they disagree: more than 5 of 100 common bars differ, or none is common.

    \b
    Example:
      cambist data compare bars.csv other.csv
    """  # noqa: D301 -- click reads the control character
    from cambist.data.checks.overlap import compare_sources

    found = compare_sources(_opened(first, None, None), _opened(second, None, None), tolerance=tolerance)
    if as_json:
        fields = {"agree": found.agree, "common": found.common, "lag": found.lag, "factor": found.factor}
        click.echo(json.dumps({**fields, "defects": [one.as_fields() for one in found.defects]}, indent=2))
    else:
        click.echo(found.describe())
        for one in found.defects[:_SHOWN]:
            click.echo(f"  {one.describe()}")
    if not found.agree:
        raise click.exceptions.Exit(Exit.FAILED)


#: What `cambist data` offers of this file.
COMMANDS = (check, repair, compare)


def _is_file(source: str) -> bool:
    from cambist.app.sources import feed_name

    return feed_name(source) is None


def _opened(source: str, symbol: str | None, timeframe: str | None) -> Any:
    """Return the path of a file, which may hold anything, or the bars of a feed."""
    if _is_file(source):
        return Path(source).expanduser()
    from cambist.app.plan import SeriesPlan
    from cambist.app.sources import open_series

    plan = SeriesPlan(source=source, symbol=symbol, timeframe=timeframe)
    return open_series([plan], session().registry())[0].load()


def _rules(names: Sequence[str]) -> list[Any]:
    """Return the rules of the core and of every plugin, or those that are named."""
    registry = session().registry()
    chosen = [registry.get("data_rule", name) for name in names] or list(registry.data_rules().values())
    return [spec.load()() for spec in chosen]


def _calendar(name: str | None) -> Any:
    from cambist.data.calendars import load_calendar

    return None if name is None else load_calendar(name)


def _answer(text: str) -> tuple[str, str]:
    from cambist.errors import ConfigError

    rule, equals, action = text.partition("=")
    if not equals:
        raise ConfigError(f"--policy {text!r} names no action. Write RULE=ACTION, such as duplicate=drop.")
    return rule.strip(), action.strip()


def _ask(defect: Defect) -> str:
    from cambist.data.checks.policy import Action, actions_of

    able = [action.value for action in actions_of(defect.rule) if action is not Action.ASK]
    return str(click.prompt(f"{defect.rule}: {defect.describe()}", type=click.Choice(able), default="keep"))


def _write(done: Repaired, out: Path) -> None:
    """Write checked bars, all of them or no file."""
    from cambist.errors import ConfigError

    frame = done.bars.to_frame().reset_index()
    name = out.name.lower()
    partial = out.with_name(f".{out.name}.part")
    try:
        if name.endswith((".parquet", ".pq")):
            frame.to_parquet(partial, index=False)
        elif name.endswith((".csv", ".csv.gz")):
            frame.to_csv(partial, index=False, compression="gzip" if name.endswith(".gz") else None)
        else:
            raise ConfigError(f"{out}: bars are written to files ending in .csv, .csv.gz, .parquet or .pq.")
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)


def _print_report(report: CheckReport, *, show_all: bool) -> None:
    click.echo(report.describe())
    for rule in report.counts():
        found = report.of(rule)
        shown = found if show_all else found[:_SHOWN]
        for one in shown:
            click.echo(f"  {one.severity.value:<8} {one.rule:<14} {one.describe()}")
        if len(found) > len(shown):
            click.echo(f"  ... and {len(found) - len(shown):,} more of {rule}; --all lists them")


def _print_changes(changes: Sequence[Change]) -> None:
    for one in changes:
        click.echo(f"  {one.describe()}")
