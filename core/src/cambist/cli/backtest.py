"""`cambist backtest`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cambist.cli.exits import Exit
from cambist.cli.run_file_options import run_file_in, set_option
from cambist.cli.session import global_options, session

if TYPE_CHECKING:
    from cambist.app.assemble import Assembly
    from cambist.app.plan import Overrides, RunPlan
    from cambist.backtest import Result

__all__ = ["Said", "backtest", "parameters"]

#: Options that are settings of the run under the same name, with hyphens.
_SETTINGS = (
    "cash",
    "leverage",
    "fees",
    "slippage",
    "market_fill",
    "cheat_on_open",
    "path",
    "volume_limit",
    "rules",
    "seed",
    "blocks",
    "journal",
    "record",
    "record_lines",
    "snapshots",
)


#: Options that take what a run file takes under the same name.
_SAID = ("sizer", "calendar", "latency", "rejection")


class _Fees(click.ParamType[Any]):
    """A fraction, or the word that means each instrument's own rates."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "instrument":
            return value
        try:
            return float(value)
        except ValueError:
            self.fail(f"{value!r} is neither a fraction, such as 0.001 for 0.1 %, nor the word instrument", param, ctx)


class Said(click.ParamType[Any]):
    """What a run file may say under that name: a word, a number where one is meant, or a table in braces."""

    def __init__(self, name: str, *, is_number: bool = False) -> None:
        self.name = name
        self._is_number = is_number

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the word, number or table."""
        if value.lstrip().startswith("{"):
            import tomllib

            try:
                return tomllib.loads(f"said = {value}")["said"]
            except tomllib.TOMLDecodeError as error:
                self.fail(
                    f"{value!r} is no table as TOML has them, such as {{use = 'name', key = 1}}: {error}", param, ctx
                )
        if self._is_number:
            try:
                return float(value)
            except ValueError:
                return value
        return value


def parameters(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Take ``NAME=VALUE`` apart."""
    given = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name.strip():
            raise click.BadParameter(f"{value!r} is not of the form NAME=VALUE, such as fast=5", ctx, param)
        given[name.strip()] = text
    return given


@click.command()
@click.argument("what", nargs=-1, metavar="[STRATEGY] [RUN_FILE]")
@click.option(
    "--data",
    "-d",
    multiple=True,
    metavar="SOURCE",
    help="Bars: a CSV or Parquet file, or FEED:SERIES. Again for each further instrument.",
)
@click.option(
    "--param",
    "-p",
    "parameters",
    multiple=True,
    callback=parameters,
    metavar="NAME=VALUE",
    help="Set a parameter of the strategy. May be repeated.",
)
@click.option(
    "--symbol",
    multiple=True,
    metavar="NAME",
    help="What the instrument is called; the file's name by default. Once for each --data.",
)
@click.option(
    "--timeframe", metavar="LENGTH", help="Length of a bar, such as 15m or 1d; told from the data by default."
)
@click.option(
    "--magnify",
    multiple=True,
    metavar="SOURCE",
    help="Finer bars of the same market, by which orders are matched. Once for each --data, none for no finer ones.",
)
@click.option(
    "--fills",
    multiple=True,
    metavar="RECORDS",
    help="Recorded fills to book as they were: a CSV or Parquet file, or a saved result. May be repeated.",
)
@click.option(
    "--orders",
    multiple=True,
    metavar="RECORDS",
    help="Recorded orders to send again, in the same forms. May be repeated.",
)
@click.option("--cash", type=float, help="Money at the start.  [100000]")
@click.option("--leverage", type=float, help="How many times its equity the account may hold.  [1]")
@click.option(
    "--fees",
    type=_Fees(),
    metavar="RATE",
    help="Fraction of the value traded, 0.001 is 0.1 %; or instrument for each instrument's own.  [0]",
)
@click.option(
    "--slippage",
    type=float,
    metavar="RATE",
    help="Fraction of the price by which market and stop orders fill worse.  [0]",
)
@click.option("--market-fill", metavar="WHEN", help="When market orders fill: next_open or this_close.  [next_open]")
@click.option(
    "--cheat-on-open",
    is_flag=True,
    default=None,
    help="Call on_open with the open of each bar; orders sent from there trade in that very bar.",
)
@click.option(
    "--path", metavar="NAME", help="How the price went inside a bar: nearer_first or pessimistic.  [nearer_first]"
)
@click.option(
    "--volume-limit",
    type=float,
    metavar="FRACTION",
    help="Largest share of a bar's volume that fills may take.  [no limit]",
)
@click.option(
    "--latency", type=Said("length"), help="How long a request takes to the venue, such as 50ms, or a model.  [0]"
)
@click.option(
    "--rejection",
    type=Said("rate", is_number=True),
    help="Fraction of new orders that the venue refuses, or a model.  [0]",
)
@click.option("--sizer", type=Said("name"), help="For strategies without one of their own, such as all-in.  [one unit]")
@click.option(
    "--calendar", metavar="NAME", help="By whose sessions timers go, such as XNYS or 24/7.  [each instrument's]"
)
@click.option("--rules", metavar="NAME", help="How orders are matched: cambist or backtrader.  [cambist]")
@click.option("--seed", type=int, help="Of the run's chance.  [0]")
@click.option(
    "--blocks", is_flag=True, default=None, help="Read the data block by block: for more than fits into memory."
)
@click.option(
    "--journal", metavar="DIR", help="Write a journal of the run into a new folder, for cambist journal; slower."
)
@click.option("--record", is_flag=True, default=None, help="Record the market beside the journal, for cambist replay.")
@click.option(
    "--record-line",
    "record_lines",
    multiple=True,
    callback=lambda _ctx, _param, names: names or None,
    metavar="NAME",
    help="Keep a line of the strategy, such as fast, at every bar. May be repeated.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write the result to a folder, for cambist show, cambist.load_result and other programs.",
)
@click.option("--format", metavar="NAME", help="Of the tables in --out: csv, parquet or json.  [csv]")
@click.option(
    "--store", metavar="URL", help="Keep the result in a storage too: sqlite:///runs.db, postgresql://user@host/db, ..."
)
@click.option("--snapshots", metavar="LENGTH", help="How often the account is looked at, such as 1h.  [the UTC day]")
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print result.json instead of a table.")
@click.option("--progress/--no-progress", default=None, help="Show progress on stderr.  [on a terminal]")
@global_options(hidden=True)
def backtest(what: tuple[str, ...], **options: Any) -> None:
    """Run a strategy over recorded bars.

    STRATEGY is my_file.py, my_file.py:Class, package.module:Class or a registered name, such as sma-cross. RUN_FILE
    ends in .toml and says all that these options say, and more; options given here win. Recorded fills and orders run
    beside a strategy, or alone.

    What takes a model or a sizer takes its name, or a table as in a run file: '{use = "uniform", most = "80ms"}'.

    Ctrl-C ends the run after the bar it is at: what was done is shown and written, and the exit code is 130.

    \b
    Examples:
      cambist backtest my_file.py:SmaCross --data bars.parquet --param fast=5 --cash 1e5 --fees 0.001
      cambist backtest sma-cross --data samples:AAPL --out result
      cambist backtest portfolio.py -d aapl.csv -d msft.csv --json
      cambist backtest run.toml --slippage 0.0005 --latency 50ms
      cambist backtest --fills statement.csv --data bars.csv
    """  # noqa: D301 -- click reads the control character
    from cambist.app.assemble import assemble, make_plan

    overrides, run_file = _overrides(what, options)
    registry = session().registry(beside=run_file)
    assembly = assemble(make_plan(registry, overrides, run_file), registry)
    raise SystemExit(_run(assembly, as_json=options["as_json"], progress=options["progress"]))


def _overrides(what: tuple[str, ...], options: dict[str, Any]) -> tuple[Overrides, Path | None]:
    """Return what the command line says, and the run file."""
    from cambist.app.plan import HistoryPlan, Overrides

    strategy, run_file = run_file_in(what, options)
    histories = [(kind, source) for kind in ("fills", "orders") for source in options[kind]]
    if not what and not histories:
        raise click.UsageError("name a strategy, such as my_file.py:SmaCross, or a run file, such as run.toml.")
    settings = {name: options[name] for name in _SETTINGS if options[name] is not None}
    if settings.get("fees") == "instrument":
        settings["fees"] = None
    if "journal" in settings:
        settings["events"] = True
    overrides = Overrides(
        strategy=strategy,
        parameters=options["parameters"],
        data=options["data"],
        symbols=options["symbol"],
        timeframe=options["timeframe"] or "",
        magnify=tuple("" if source == "none" else source for source in options["magnify"]),
        histories=tuple(HistoryPlan(kind=kind, source=source) for kind, source in histories),
        settings=settings,
        said={name: options[name] for name in _SAID if options[name] is not None},
        output=options["out"],
        format=options["format"] or "",
        storage=options["store"] or "",
        assigned=options["assigned"],
    )
    return overrides, run_file


def _run(assembly: Assembly, *, as_json: bool, progress: bool | None) -> Exit:
    """Run, show, write; the exit code says how it ended."""
    from cambist.backtest import StopRequest
    from cambist.cli.interrupts import stop_on_signals
    from cambist.cli.report import check_output
    from cambist.cli.screen import progress_bar
    from cambist.errors import StrategyError

    folder = assembly.plan.output
    if folder is not None:
        check_output(folder, assembly.plan.format)
    if assembly.plan.storage:
        from cambist.app.storage import check_storage

        check_storage(assembly.plan.storage, session().registry(beside=assembly.plan.run_file), "runs")
    stop = StopRequest()
    try:
        with stop_on_signals(stop) as caught, progress_bar("backtest", wanted=progress) as report:
            result = assembly.run(progress=report, stop=stop)
    except StrategyError as error:
        if error.result is not None:
            _finish(error.result, assembly.plan, as_json=as_json, failed=True)
        raise
    _finish(result, assembly.plan, as_json=as_json)
    return Exit.INTERRUPTED if caught else Exit.OK


def _finish(result: Result, plan: RunPlan, *, as_json: bool, failed: bool = False) -> None:
    """Write the result, then show it: a closed pipe must not cost the files."""
    from cambist.cli.report import print_document, show_notes, show_result

    folder = plan.output
    if folder is not None:
        result.save(folder, plan.format)
    if plan.storage:
        from cambist.app.storage import opened_storage
        from cambist.backtest.rows import store_result

        with opened_storage(plan.storage, session().registry(beside=plan.run_file), "runs") as storage:
            store_result(result, storage.runs)
    show_notes(result, failed=failed)
    if as_json:
        print_document(result, folder)
    elif not failed:
        show_result(result)
    if folder is not None:
        click.echo(f"written to {folder}{'/' if str(folder)[-1:] != '/' else ''}", err=True)
