"""`cambist data`: what data is at hand, and fetching more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs
import click

from cambist.cli.data_cache import COMMANDS as CACHE_COMMANDS
from cambist.cli.data_checks import COMMANDS as CHECK_COMMANDS
from cambist.cli.session import global_options, session

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["data"]

_FEED = "samples"


@click.group()
@global_options(hidden=True)
def data() -> None:
    """Show data that is at hand, fetch more, and check it.

    \b
    Examples:
      cambist data samples
      cambist data get binance BTC/USDT 1m --from 2024-01-01
      cambist data list
      cambist data check bars.csv
    """  # noqa: D301 -- click reads the control character


for _command in (*CACHE_COMMANDS, *CHECK_COMMANDS):
    data.add_command(_command)


@data.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@global_options(hidden=True)
def samples(*, as_json: bool) -> None:
    """List real bars that come with the plugin cambist-samples.

    \b
    Example:
      cambist data samples
      cambist backtest sma-cross --data samples:AAPL
    """  # noqa: D301 -- click reads the control character
    from cambist.app.sources import catalog_of

    records = catalog_of(session().registry().get("feed", _FEED))
    if as_json:
        click.echo(json.dumps([_fields(record) for record in records], indent=2))
    else:
        _print(records)


@data.command()
@click.argument("source")
@click.argument("target")
@global_options(hidden=True)
def copy(source: str, target: str) -> None:
    """Copy every series of bars from one storage to another, and compare afterwards.

    The word cache stands for what was fetched with cambist data get.

    \b
    Examples:
      cambist data copy parquet:///bars postgresql://trader@localhost/market
      cambist data copy cache parquet:////mnt/backup/bars
    """  # noqa: D301 -- click reads the control character
    from cambist.app.caching import cache_folder, cache_url
    from cambist.app.storage import copy_bars, opened_storage

    source, target = (cache_url(cache_folder()) if one == "cache" else one for one in (source, target))
    registry = session().registry()
    with (
        opened_storage(source, registry, "bars", existing=True) as one,
        opened_storage(target, registry, "bars") as other,
    ):
        for name, written in copy_bars(one.bars, other.bars):
            click.echo(
                f"{name}: {written.added:,} bars added, {written.replaced:,} replaced, {written.unchanged:,} unchanged"
            )


def _fields(record: Any) -> dict[str, Any]:
    """Return a record's fields for JSON: times as ISO 8601, whatever else is no number as text."""
    from cambist.analysis import iso_time

    fields = attrs.asdict(record, recurse=False)
    for name in ("first", "last"):
        fields[name] = iso_time(fields[name])
    return {name: value if isinstance(value, int | float) else str(value) for name, value in fields.items()}


def _print(records: Sequence[Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    from cambist.cli.screen import console

    table = Table("Name", "Bars", "From", "To", "What to know")
    table.columns[0].no_wrap = True
    table.columns[1].justify = "right"
    for record in records:
        fields = _fields(record)
        bars = f"{fields['rows']:,} x {fields['timeframe']}"
        row = (f"{_FEED}:{fields['name']}", bars, fields["first"][:10], fields["last"][:10], fields["note"])
        table.add_row(*map(Text, row))
    console().print(table)
