"""`cambist compare`."""

from __future__ import annotations

from pathlib import Path

import click

from cambist.cli.exits import Exit
from cambist.cli.session import global_options

__all__ = ["compare"]

_RUN = click.Path(exists=True, file_okay=False, path_type=Path)
_CATEGORIES = ("signal", "intent", "order", "fill", "pnl")


@click.command()
@click.argument("one", type=_RUN, metavar="RUN_A")
@click.argument("other", type=_RUN, metavar="RUN_B")
@click.option("--since", metavar="TIME", help="Leave out what was decided before.")
@click.option("--until", metavar="TIME", help="Leave out what was decided from then on.")
@click.option(
    "--tolerance",
    type=click.FloatRange(0.0, 1.0, max_open=True),
    default=0.0,
    metavar="FRACTION",
    help="By how much prices, fees and profits may differ: 0.001 is 0.1 %.",
)
@click.option("--only", multiple=True, type=click.Choice(_CATEGORIES), help="Look at this alone. May be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@global_options(hidden=True)
def compare(
    one: Path,
    other: Path,
    *,
    since: str | None,
    until: str | None,
    tolerance: float,
    only: tuple[str, ...],
    as_json: bool,
) -> None:
    """Compare two runs, to tell whether live did what the backtest said.

    RUN_A and RUN_B are folders: of the journal of a backtest, a paper or a live run, or of a result that cambist
    backtest --out has written. Signals, intents, orders, fills and profits are compared in the order in which they
    came; the time of day does not count, since a live run decides a moment after a bar has closed.

    The exit code is 0 where everything that was looked at is equal, and 1 where something differs.

    \b
    Examples:
      cambist compare results/2024 live-journal
      cambist compare results/2024 live-journal --only signal --only intent
      cambist compare paper-journal live-journal --since 2024-03-01 --tolerance 0.001 --json
    """  # noqa: D301 -- click reads the control character
    from cambist.backtest.comparing import compare as compare_runs

    report = compare_runs(one, other, since=since, until=until, tolerance=tolerance, only=only)
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(report.document())).decode())
    else:
        click.echo(str(report))
    raise SystemExit(Exit.OK if report.equal else Exit.FAILED)
