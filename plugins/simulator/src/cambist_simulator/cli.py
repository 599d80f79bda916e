"""`cambist simulate`: an exchange on loopback."""

from __future__ import annotations

import json
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

import click

from cambist.api import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist_simulator.venue.simulator import ExchangeSimulator

__all__ = ["simulate"]


@click.command()
@click.argument("venues", nargs=-1, metavar="[VENUE]...")
@click.option(
    "--symbols", metavar="LIST", help="What is played, such as BTCUSDT,ETHUSDT:linear.  [what the venue plays]"
)
@click.option(
    "--data",
    "data",
    multiple=True,
    metavar="[SYMBOL=]FILE",
    help="Recorded bars, trades, quotes or a raw book; a random market where there is none. May be repeated.",
)
@click.option(
    "--speed", default="1", show_default=True, help="Of the market clock; 'max' plays as fast as clients read."
)
@click.option("--faults", metavar="FILE", help="A script of what goes wrong.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Where it listens; 0 takes a free one.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of keys, random markets and faults.")
@click.option("--cash", default="100000", show_default=True, help="What each user has of what symbols are settled in.")
@click.option("--balance", "balances", multiple=True, metavar="ASSET=AMOUNT", help="Further money. May be repeated.")
@click.option("--user", "users", multiple=True, metavar="NAME", help="Who has a key.  [trader] May be repeated.")
@click.option("--start", metavar="TIME", help="When the market begins.  [when the recording began, or now]")
@click.option(
    "--history", type=click.IntRange(0), default=0, metavar="MINUTES", help="Candles before the market begins."
)
@click.option("--loop", is_flag=True, help="Begin recorded data again at their end.")
@click.option("--log-file", metavar="FILE", help="Append every request, a JSON object a line.")
@click.option("--for", "length", metavar="TIME", help="End by itself after so long, such as 30s.")
@click.option("--list-faults", is_flag=True, help="List what can go wrong, and what of a venue it can be limited to.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs, one object a line.")
def simulate(venues: tuple[str, ...], *, list_faults: bool, as_json: bool, length: str | None, **options: Any) -> None:
    """Run an exchange on loopback that fails on purpose.

    Its addresses and keys are printed first. Ctrl-C ends it, with exit code 0.

    \b
    Examples:
      cambist simulate generic --symbols BTCUSDT --port 8600
      cambist simulate generic --symbols BTCUSDT --data bars.csv --speed 600 --faults storm.toml
      cambist simulate --list-faults
    """  # noqa: D301 -- click reads the control character
    from cambist_simulator.faults.fault import duration
    from cambist_simulator.venue.simulator import ExchangeSimulator

    if list_faults:
        _list_faults(venues, as_json=as_json)
        return
    if not venues:
        from cambist_simulator.venue.kinds import KINDS

        raise click.UsageError(f"name a venue: {', '.join(KINDS)}.")
    seconds = None if length is None else duration(length, "--for") / 1e9
    simulator = ExchangeSimulator(venues, **_settings(options))
    stop = threading.Event()
    before = _on_signals(stop.set)
    try:
        with simulator:
            _watch(simulator, stop, seconds, as_json=as_json)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _settings(options: dict[str, Any]) -> dict[str, Any]:
    """Return options as `ExchangeSimulator` takes them."""
    symbols = [one for one in (options["symbols"] or "").split(",") if one.strip()]
    found = {
        "symbols": [one.strip() for one in symbols] or None,
        "data": _data(options["data"]),
        "speed": _speed(options["speed"]),
        "cash": _amount(options["cash"], "--cash"),
        "balances": dict(_pair(one, "--balance") for one in options["balances"]),
        "users": options["users"] or ("trader",),
        "faults": options["faults"] or (),
    }
    return found | {name: options[name] for name in ("port", "seed", "start", "history", "loop", "log_file")}


def _data(given: tuple[str, ...]) -> Any:
    named = [one.partition("=") for one in given]
    if len(named) == 1 and not named[0][1]:
        return given[0]
    for name, equals, _ in named:
        if not equals:
            raise ParameterError(f"--data {name!r} names no symbol; with several write --data BTCUSDT=FILE.")
    return {name: path for name, _, path in named} or None


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not 0.0 <= speed < float("inf"):
        raise ParameterError(f"--speed is {text!r}; give a number from 0 up, or 'max'.")
    return speed


def _amount(text: str, option: str) -> str:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0.0 <= found < float("inf"):
        raise ParameterError(f"{option} is {text!r}; give an amount from 0 up.")
    return text


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, amount = text.partition("=")
    if not name or not equals:
        raise ParameterError(f"{option} is {text!r}; write such as BTC=1.5.")
    return name.upper(), _amount(amount, option)


def _on_signals(stop: Callable[[], None]) -> dict[int, Any]:
    """Let the first SIGINT or SIGTERM stop; the second one ends the process. Returns the handlers of before."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread():  # only the main thread may handle signals
        return {}

    def handle(*_: Any) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
        stop()

    return {number: signal.signal(number, handle) for number in numbers}


def _watch(simulator: ExchangeSimulator, stop: threading.Event, seconds: float | None, *, as_json: bool) -> None:
    """Show what goes on until it is to end."""
    from cambist_simulator.screen import LiveView, lines_of_start, state_line

    start = {"endpoints": {**simulator.endpoints, "control": simulator.url + "/_sim"}, "keys": simulator.keys()}
    if as_json:
        click.echo(json.dumps(start))
        _every(simulator, stop, seconds, lambda state: click.echo(json.dumps(state)))
    else:
        for line in lines_of_start(start):
            click.echo(line)
        sys.stdout.flush()
        if sys.stdout.isatty():
            with LiveView(simulator) as view:
                _wait(stop, seconds, 0.5, view.refresh)
        else:
            _every(simulator, stop, seconds, lambda state: click.echo(state_line(state)))
        click.echo(f"ended: {state_line(simulator.state())}")


def _every(
    simulator: ExchangeSimulator, stop: threading.Event, seconds: float | None, show: Callable[[dict[str, Any]], None]
) -> None:
    """Show the state every ten seconds where something happened, and at the end."""
    last: list[Any] = [None]

    def look() -> None:
        state = simulator.state()
        told = [state[name] for name in ("requests", "counts", "orders", "fired", "restarts")]
        if told != last[0]:
            last[0] = told
            show(state)
            sys.stdout.flush()

    _wait(stop, seconds, 10.0, look)
    look()


def _wait(stop: threading.Event, seconds: float | None, every: float, look: Callable[[], None]) -> None:
    import time

    end = None if seconds is None else time.monotonic() + seconds
    while True:
        left = None if end is None else end - time.monotonic()
        if (left is not None and left <= 0) or stop.wait(every if left is None else min(every, left)):
            return
        look()


def _list_faults(venues: Iterable[str], *, as_json: bool) -> None:
    """Print the vocabulary, and the labels of venues."""
    from cambist_simulator.faults.vocabulary import MATCHING, SELECTORS, table
    from cambist_simulator.venue.simulator import ExchangeSimulator

    names = ("name", "stage", "on", "arguments", "meaning")
    rows = [dict(zip(names, row, strict=True)) for row in table()]
    labels = {venue: ExchangeSimulator(venue).labels() for venue in venues}
    if as_json:
        told = {"faults": rows, "selectors": dict(SELECTORS), "matching": dict(MATCHING), "labels": labels}
        click.echo(json.dumps(told, indent=2))
        return
    stage = ""
    for row in rows:
        if row["stage"] != stage:
            stage = row["stage"]
            click.echo(f"{stage}:")
        click.echo(f"  {row['name']}: {row['meaning']}.")
        click.echo(f"      set off by {row['on']}{'; ' + row['arguments'] if row['arguments'] else ''}")
    for title, words in (("selectors", SELECTORS), ("which occasions", MATCHING)):
        click.echo(f"{title}:")
        for name, meaning in words.items():
            click.echo(f"  {name}: {meaning.replace('`', '')}")
    for venue, known in labels.items():
        click.echo(f"labels of {venue}: {', '.join(known)}")
