"""`cambist data get`, `list`, `check-cache`, `export`, `delete`: history that is fetched once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cambist.cli.exits import Exit
from cambist.cli.session import global_options, session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.data.cache import BarCache, CachedSeries, FetchReport
    from cambist.ports.bars import BarKey

__all__ = ["COMMANDS"]

_folder = click.option(
    "--cache",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the cache.  [CAMBIST_CACHE, or the system's place for caches]",
)


class Setting(click.ParamType[tuple[str, Any]]):
    """``NAME=VALUE``; a value is read as in a run file where it can be, and else is text."""

    name = "setting"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        """Return name and value."""
        import tomllib

        name, equals, said = value.partition("=")
        if not equals or not name:
            self.fail(f"{value!r} is no setting; write NAME=VALUE, such as url=http://127.0.0.1:8800", param, ctx)
        try:
            return name, tomllib.loads(f"said = {said}")["said"]
        except tomllib.TOMLDecodeError:
            return name, said


def _moment(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    from cambist.errors import InputError
    from cambist.model.times import to_ns

    try:
        return None if value is None else to_ns(value)
    except InputError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.argument("venue")
@click.argument("symbol")
@click.argument("timeframe")
@click.option("--from", "start", required=True, metavar="TIME", callback=_moment, help="First bar, such as 2024-01-01.")
@click.option("--to", "end", metavar="TIME", callback=_moment, help="Before this one no more.  [now]")
@click.option("--set", "settings", type=Setting(), multiple=True, metavar="NAME=VALUE", help="Setting of the venue.")
@click.option("--refresh", is_flag=True, help="Fetch all of it once more, to see what the source revised.")
@_folder
@click.option("--progress/--no-progress", default=None, help="Show progress on stderr.  [on a terminal]")
@global_options(hidden=True)
def get(venue: str, symbol: str, timeframe: str, **options: Any) -> None:
    """Fetch history into the cache: what is missing of it, and nothing twice.

    VENUE is a session, such as binance-spot, or the beginning of its name (binance), any exchange that ccxt knows,
    such as kraken, or a feed that fetches. TIMEFRAME is 1m, 4h, 1d and the like. Times are UTC. No key is needed.

    Whatever ends it, what has come is kept, and the same command goes on from there. A bar that is there is never
    changed: what the source tells otherwise the next time is kept beside it, and told.

    \b
    Examples:
      cambist data get binance BTC/USDT 1m --from 2024-01-01
      cambist data get kraken ETH/EUR 1h --from 2024-01-01 --to 2024-07-01
      cambist backtest sma-cross --data binance:BTC/USDT:1m
    """  # noqa: D301 -- click reads the control character
    from contextlib import closing

    from cambist.app.caching import open_cache
    from cambist.app.fetching import open_fetcher
    from cambist.cli.screen import progress_bar
    from cambist.model.timeframe import Timeframe

    frame = Timeframe.parse(timeframe)
    registry = session().registry()
    cache = open_cache(registry, options["folder"], lambda text: click.echo(text, err=True))
    with closing(open_fetcher(venue, symbol, registry, dict(options["settings"]))) as fetcher:
        title = f"{fetcher.venue} {symbol} {frame}"
        with progress_bar(title, wanted=options["progress"]) as progress:
            report = cache.get(
                fetcher,
                symbol,
                frame,
                options["start"],
                options["end"],
                refresh=options["refresh"],
                progress=progress or _quiet,
            )
    _tell(report)


def _quiet(_done: int, _total: int | None) -> None:
    pass


def _tell(report: FetchReport) -> None:
    key = report.key
    if not report.asked:
        click.echo(f"{key}: all of it was there")
    elif not report.added + report.unchanged + report.revised:
        click.echo(f"{key}: the source has no bars of that time")
    else:
        click.echo(f"{key}: {report.added:,} bars added, {report.unchanged:,} as before")
    if report.revision:
        name = f"{key.venue}:{key.symbol}:{key.timeframe}"
        click.echo(
            f"{key}: the source REVISED {report.revised:,} bars and has {report.withdrawn:,} no more. {name} stays as "
            f"it was first fetched; {name}:revised is what the source tells now. --refresh compares all of it.",
            err=True,
        )
    for note in report.notes:
        click.echo(note, err=True)


@click.command("list")
@_folder
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@global_options(hidden=True)
def list_(folder: Path | None, *, as_json: bool) -> None:
    """List what was fetched.

    \b
    Example:
      cambist data list
    """  # noqa: D301 -- click reads the control character
    from cambist.app.caching import open_cache

    cache = open_cache(session().registry(), folder)
    series = cache.series()
    if as_json:
        click.echo(json.dumps([_fields(one) for one in series], indent=2))
    elif series:
        _print(series)
    else:
        click.echo(f"nothing was fetched into {cache.place} yet; see cambist data get --help")


@click.command("check-cache")
@_folder
@global_options(hidden=True)
def check_cache(folder: Path | None) -> None:
    """Read everything that was fetched, and say whether it is whole.

    The exit code is 1 where something is not.

    \b
    Example:
      cambist data check-cache
    """  # noqa: D301 -- click reads the control character
    from cambist.app.caching import open_cache

    cache = open_cache(session().registry(), folder)
    stored = [one for one in cache.bars.series() if "~" not in one.key.venue]
    faults = [fault for one in stored for fault in cache.check(one.key)]
    for fault in faults:
        click.echo(fault, err=True)
    if faults:
        raise SystemExit(Exit.FAILED)
    click.echo(f"{len(stored):,} series of {sum(one.rows for one in stored):,} bars are whole")


@click.command()
@click.argument("name", metavar="VENUE:SYMBOL:TIMEFRAME")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--from", "start", metavar="TIME", callback=_moment, help="First bar.  [the first there is]")
@click.option("--to", "end", metavar="TIME", callback=_moment, help="Before this one no more.  [the last there is]")
@click.option("--overwrite", is_flag=True, help="Take the place of a file that is there.")
@_folder
@global_options(hidden=True)
def export(name: str, file: Path, **options: Any) -> None:
    """Write fetched bars to a file: .csv, .csv.gz or .parquet.

    With :revised behind the name they are as the source tells them now, and else as they were first fetched.

    \b
    Example:
      cambist data export binance:BTC/USDT:1m btc.parquet --from 2024-01-01
    """  # noqa: D301 -- click reads the control character
    from cambist.app.caching import open_cache
    from cambist.data.cache import SeriesName, export_bars

    cache = open_cache(session().registry(), options["folder"])
    found = cache.open(SeriesName.parse(name), options["start"], options["end"])
    rows = export_bars(found.blocks(), file, overwrite=options["overwrite"])
    for note in found.notes:
        click.echo(note, err=True)
    click.echo(f"{file}: {rows:,} bars of {found.name}")


@click.command()
@click.argument("name", metavar="VENUE:SYMBOL:TIMEFRAME")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_folder
@global_options(hidden=True)
def delete(name: str, folder: Path | None, *, yes: bool) -> None:
    """Delete a fetched series, with what its source revised.

    \b
    Example:
      cambist data delete binance:BTC/USDT:1m --yes
    """  # noqa: D301 -- click reads the control character
    from cambist.app.caching import open_cache

    cache = open_cache(session().registry(), folder, lambda text: click.echo(text, err=True))
    key = _key(cache, name)
    if not yes:
        click.confirm(f"delete {key} from {cache.place}?", abort=True)
    cache.delete(key)
    click.echo(f"{key} is deleted")


def _key(cache: BarCache, name: str) -> BarKey:
    """Return which series a name means."""
    from cambist.data.cache import SeriesName, nearest_key
    from cambist.errors import StorageError

    parsed = SeriesName.parse(name)
    try:
        known = [one.key for one in cache.bars.series() if "~" not in one.key.venue]
    except StorageError:  # what cannot be listed can be deleted by its full name all the same
        return parsed.key
    return nearest_key(parsed, known, cache.place)


def _fields(one: CachedSeries) -> dict[str, Any]:
    from cambist.analysis import iso_time

    key = one.key
    return {
        "name": f"{key.venue}:{key.symbol}:{key.timeframe}",
        "venue": key.venue,
        "symbol": key.symbol,
        "timeframe": str(key.timeframe),
        "bars": one.rows,
        "first": iso_time(one.first),
        "last": iso_time(one.last),
        "origin": one.origin,
        "covered": [[iso_time(start), iso_time(end)] for start, end in one.covered],
        "revisions": [
            {"number": each.number, "seen": iso_time(each.seen), "bars": each.bars, "withdrawn": len(each.withdrawn)}
            for each in one.revisions
        ],
    }


def _print(series: Sequence[CachedSeries]) -> None:
    from rich.table import Table
    from rich.text import Text

    from cambist.cli.screen import console

    table = Table("Name", "Bars", "From", "To", "What to know")
    table.columns[0].no_wrap = True
    table.columns[1].justify = "right"
    for one in series:
        fields = _fields(one)
        row = (fields["name"], f"{one.rows:,}", fields["first"][:10], fields["last"][:10], "; ".join(_remarks(one)))
        table.add_row(*map(Text, row))
    console().print(table)


def _remarks(one: CachedSeries) -> list[str]:
    found = [f"{len(one.covered) - 1} stretches between were never fetched"] if len(one.covered) > 1 else []
    if one.revisions:
        found.append(f"revised {len(one.revisions)} times by its source")
    return [*found, *([f"from {one.origin}"] if one.origin not in {"", one.key.venue} else [])]


#: For the group ``cambist data``.
COMMANDS: tuple[click.Command, ...] = (get, list_, check_cache, export, delete)
