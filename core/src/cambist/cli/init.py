"""`cambist init`: begins a project, by questions at a terminal or by options."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from cambist.cli.backtest import parameters
from cambist.cli.session import global_options, session
from cambist.errors import ConfigError

if TYPE_CHECKING:
    from cambist.app.starting import Answers, Offers
    from cambist.plugins.registry import Registry

__all__ = ["init"]


@click.command()
@click.argument("run_file", default="run.toml", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--strategy", help="A name, file.py:Class, or a file, which is written if it is not there.")
@click.option("--data", "-d", metavar="SOURCE", help="Bars of a backtest: a file, or FEED:SERIES.")
@click.option("--cash", type=float, help="Money at the start.  [100000]")
@click.option("--fees", type=float, metavar="RATE", help="Fraction of the value traded.  [0.001]")
@click.option("--venue", metavar="NAME", help="Where it trades on paper and live, such as binance-spot.")
@click.option(
    "--setting",
    "settings",
    multiple=True,
    callback=parameters,
    metavar="NAME=VALUE",
    help="What the venue needs beside keys. May be repeated.",
)
@click.option("--symbol", metavar="NAME", help="What it trades there.  [BTC/USDT]")
@click.option("--timeframe", metavar="LENGTH", help="Length of a bar there.  [1m]")
@click.option("--notify", metavar="NAME", help="Who is told of alarms there: a notifier.  [log]")
@click.option("--storage", metavar="URL", help="Where runs are kept; none for nowhere.")
@click.option("--yes", "-y", is_flag=True, help="Ask nothing: what is not said is as it would be proposed.")
@click.option("--force", is_flag=True, help="Write over a run file that is there.")
@global_options(hidden=True)
def init(run_file: Path, *, yes: bool, force: bool, **given: Any) -> None:
    """Begin a project: write a run file with comments, and a strategy to change.

    At a terminal it asks for what no option says, and proposes what is installed and what lies in the folder. What it
    has written is checked first; where there are mistakes, nothing is written. A file that is there is not written over
    unless that is said.

    \b
    Examples:
      cambist init
      cambist init momentum.toml --strategy momentum.py --data samples:AAPL --yes
    """  # noqa: D301 -- click reads the control character
    from cambist.app.starting import Answers, Offers, begin

    asks = sys.stdin.isatty() and not yes
    _check_place(run_file, asks=asks, force=force)
    registry = session().registry(beside=run_file)
    offers = Offers.of(registry, run_file.parent)
    said = {name: value for name, value in given.items() if value not in (None, {}, ())}
    proposed = attrs.evolve(Answers(), data=offers.data(given["venue"] or ""), storage=offers.storage)
    answers = attrs.evolve(proposed, **said)
    if asks:
        answers = _asked(answers, said, offers, registry)
    if answers.storage == "none":
        answers = attrs.evolve(answers, storage="")
    files, uses = begin(run_file, answers, registry)
    for file in files:
        click.echo(f"  {file}")
    click.echo(f"\nIt can be used for: {', '.join(uses)}. Next:\n  cambist backtest {run_file}")


def _check_place(run_file: Path, *, asks: bool, force: bool) -> None:
    if run_file.suffix.lower() != ".toml":
        raise ConfigError(f"{run_file} does not end in .toml, as run files do. Name it {run_file}.toml.")
    if not run_file.exists() or force:
        return
    if not asks:
        raise ConfigError(f"{run_file} is there already. Name another file, or say --force to write over it.")
    click.confirm(f"{run_file} is there already. Write over it?", abort=True, err=True)


def _asked(answers: Answers, said: dict[str, Any], offers: Offers, registry: Registry) -> Answers:
    """Ask for what no option says."""

    def ask(name: str, question: str, offered: tuple[str, ...] = (), **more: Any) -> None:
        nonlocal answers
        if name in said:
            return
        if offered:
            click.echo(f"  {', '.join(offered)}", err=True)
        found = click.prompt(question, default=getattr(answers, name) or "none", err=True, **more)
        answers = attrs.evolve(answers, **{name: found})

    ask("strategy", "Strategy: a name, or a file, which is written if it is not there", offers.strategies)
    ask("venue", "Trade on paper and live where, or none", offers.venues)
    if answers.venue == "none":
        answers = attrs.evolve(answers, venue="")
    if answers.venue:
        answers = attrs.evolve(answers, settings=_needed(answers, registry))
        ask("symbol", "What, as the venue calls it")
        ask("timeframe", "Length of a bar")
        ask("notify", "Who is told of alarms", offers.notifiers)
        if "data" not in said:
            answers = attrs.evolve(answers, data=offers.data(answers.venue))
    ask(
        "data", "Bars of a backtest: a file, or FEED:SERIES", (*offers.files, *(f"{name}:..." for name in offers.feeds))
    )
    ask("cash", "Money at the start", type=float)
    ask("fees", "Fees, as a fraction of the value traded", type=float)
    ask("storage", "Keep runs where: a URL, or none", tuple(f"{name}:..." for name in offers.storages))
    return answers


def _needed(answers: Answers, registry: Registry) -> dict[str, Any]:
    """Ask for what the venue needs."""
    from cambist.app.starting import needs_of

    settings = dict(answers.settings)
    for name in needs_of(registry.get("session", answers.venue)):
        if name not in settings:
            settings[name] = click.prompt(f"{answers.venue} needs {name}", err=True)
    return settings
