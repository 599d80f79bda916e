"""Begins a project: a run file with comments, and a strategy to change, out of a few answers."""

from __future__ import annotations

import json
import os
import re
from string import Template
from typing import TYPE_CHECKING, Any

import attrs

from cambist.app.config_checks import check_run_file
from cambist.app.live_file import secret_fields
from cambist.app.runfile import SIZERS
from cambist.app.sources import feed_name
from cambist.app.strategies import load_strategy
from cambist.config.layers import read_document
from cambist.errors import CambistError, ConfigError
from cambist.strategies.parameters import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cambist.plugins.registry import Registry
    from cambist.plugins.specs import SessionSpec

__all__ = ["Answers", "Offers", "begin", "needs_of"]

#: What a strategy of one's own is begun with.
_STRATEGY = Template('''\
"""$summary: all in while the fast average is above the slow one, out while it is below.

cambist backtest $run_file
"""

from cambist import AllIn, Strategy, param
from cambist.indicators import SMA, crossover


class MyStrategy(Strategy):
    fast: int = param(10, ge=2, doc="bars of the fast average")
    slow: int = param(30, ge=3, doc="bars of the slow average")

    sizer = AllIn(buffer=0.05)  # the order fills at the next open, which may be higher

    def on_start(self):
        close = self.data.close
        self.cross = crossover(SMA(close, self.fast), SMA(close, self.slow))

    def on_bar(self, bar):
        if self.cross[0] > 0:
            self.buy()
        elif self.cross[0] < 0:
            self.close()
''')
_WIDTH = 34
#: Keys that every account has; the others are some venues' own.
_USUAL = re.compile(r"key$|secret$")
#: More names than these are not for a comment.
_NAMED = 6


@attrs.frozen(kw_only=True)
class Answers:
    """What a run file is to say.

    Attributes
    ----------
    strategy
        As ``use`` of ``[strategy]``; a file that is not there is written.
    data
        As ``source`` of ``[[data]]``.
    cash, fees
        Of the account, and as a fraction of what is traded.
    venue
        Where it trades live and on paper; ``""`` for nowhere yet.
    settings
        What the venue needs beside keys, by name.
    symbol, timeframe
        What it trades there.
    notify
        Who is told of alarms there: a notifier.
    storage
        URL where runs are kept; ``""`` for nowhere.
    """

    strategy: str = "my_strategy.py"
    data: str = "random:gbm"
    cash: float = 100_000.0
    fees: float = 0.001
    venue: str = ""
    settings: Mapping[str, Any] = attrs.field(factory=dict)
    symbol: str = "BTC/USDT"
    timeframe: str = "1m"
    notify: str = "log"
    storage: str = ""


@attrs.frozen
class Offers:
    """What may be answered, as far as it is known.

    Attributes
    ----------
    strategies, feeds, venues, notifiers, storages
        Names of what is installed.
    files
        Files of bars in the folder.
    """

    strategies: tuple[str, ...]
    feeds: tuple[str, ...]
    venues: tuple[str, ...]
    notifiers: tuple[str, ...]
    storages: tuple[str, ...]
    files: tuple[str, ...]

    @classmethod
    def of(cls, registry: Registry, folder: Path) -> Offers:
        """Look at what is installed, and at what lies in a folder."""
        files = sorted(one.name for one in folder.glob("*") if one.suffix.lower() in {".csv", ".parquet"})
        return cls(
            strategies=tuple(registry.strategies()),
            feeds=tuple(registry.feeds()),
            venues=tuple(name for name, one in registry.sessions().items() if "orders" in one.capabilities),
            notifiers=tuple(registry.notifiers()),
            storages=tuple(name for name, one in registry.storages().items() if "runs" in one.capabilities),
            files=tuple(files),
        )

    def data(self, venue: str = "") -> str:
        """Return the first file of bars here, else a real series, else random bars, which may have any symbol."""
        real = "samples:AAPL" if "samples" in self.feeds and not venue else "random:gbm"
        return next(iter(self.files), real)

    @property
    def storage(self) -> str:
        """A file of SQLite, where the plugin is installed."""
        return "sqlite:///runs.db" if "sqlite" in self.storages else ""


def begin(run_file: Path, answers: Answers, registry: Registry) -> tuple[list[Path], tuple[str, ...]]:
    """Write a run file, and its strategy where that is a file which is not there; nothing where there are mistakes.

    Parameters
    ----------
    run_file
        Where; what is there is replaced.
    answers
        What it is to say.
    registry
        Knows the components.

    Returns
    -------
    files, uses
        What was written, and what it can be used for.

    Raises
    ------
    ConfigError
        An answer cannot be used, or a file cannot be written: it is as it was.
    """
    written: list[Path] = []
    passing = run_file.with_name(f".{run_file.stem}.{os.getpid()}.toml")
    try:
        run_file.parent.mkdir(parents=True, exist_ok=True)
        strategy = _strategy_file(run_file, answers)
        if strategy is not None:
            strategy.write_text(_STRATEGY.substitute(summary="A first strategy", run_file=run_file.name), "utf-8")
            written.append(strategy)
        passing.write_text("\n".join(_Writer(run_file, answers, registry).lines()) + "\n", "utf-8")
        found = check_run_file(read_document(passing, environ={}), registry)
        if found.mistakes:
            told = "\n".join(f"  {one.key}: {one.message}" for one in found.mistakes)
            raise ConfigError(f"that makes no run file; nothing was written:\n{told}")
        passing.replace(run_file)
    except (CambistError, OSError) as error:
        for one in written:
            one.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise ConfigError(f"{error.filename or run_file} cannot be written: {error.strerror}.") from None
        raise
    finally:
        passing.unlink(missing_ok=True)
    return [run_file, *written], found.uses


def _strategy_file(run_file: Path, answers: Answers) -> Path | None:
    """Return the file of a strategy that has to be written."""
    if not answers.strategy.endswith(".py"):
        return None
    path = run_file.parent / answers.strategy
    return None if path.exists() else path


class _Writer:
    """Writes the lines of a run file."""

    def __init__(self, run_file: Path, answers: Answers, registry: Registry) -> None:
        self._file, self._answers, self._registry = run_file, answers, registry
        self._offers = Offers.of(registry, run_file.parent)

    def lines(self) -> Iterator[str]:
        """Yield all of it."""
        name = self._file.name
        yield f"# A run file of Cambist. 'cambist config check {name}' checks it, 'cambist config show {name}' tells"
        yield "# what counts. What begins with # can be said, too; 'cambist config schema' has editors know the rest."
        yield from self._strategy()
        yield from self._data()
        yield from self._account()
        yield from self._risk()
        yield from self._results()
        yield from self._live()

    def _strategy(self) -> Iterator[str]:
        use = self._answers.strategy
        yield "\n[strategy]"
        yield _line("use", use, f"or file.py:Class, or a name: {_some(self._offers.strategies)}")
        cls = load_strategy(use, self._registry, self._file.parent)
        if cls.parameters:
            yield "\n[strategy.parameters]"
        for name, one in cls.parameters.items():
            if one.default is MISSING:
                yield f"# {name} = {' ' * 4} # {one.describe()}; it needs a value"
            elif isinstance(one.default, str | int | float):
                yield _line(name, one.default, one.doc or one.describe())

    def _data(self) -> Iterator[str]:
        answers = self._answers
        yield "\n[[data]]                          # once for each instrument"
        yield _line("source", answers.data, "a CSV or Parquet file, or FEED:SERIES; 'cambist plugins list' names feeds")
        if feed_name(answers.data, self._file.parent) == "random":
            yield _line("bars", 2_000, "of the random walk; the same each time, by its seed")
        if answers.venue:
            yield _line("symbol", answers.symbol, "as the venue trades it")
            yield _line("timeframe", answers.timeframe, "length of a bar")

    def _account(self) -> Iterator[str]:
        yield "\n[account]"
        yield _line("cash", self._answers.cash, "at the start of a backtest, or of a paper run")
        yield _line("# leverage", 1)
        yield "\n[venue]                           # how the simulated venue works orders"
        yield _line("fees", self._answers.fees, "a fraction: 0.001 is 0.1 %; or { maker = 0.0002, taker = 0.0005 }")
        yield _line("# slippage", 0.0005, "a fraction of the price")
        yield '# latency = "50ms"'
        yield f"\n# [sizer]                         # for strategies without one: {_some(tuple(SIZERS))}"
        yield '# use = "percent"'
        yield "# fraction = 0.5"

    def _risk(self) -> Iterator[str]:
        yield "\n# [[risk]]                        # beyond what every order passes; 'cambist plugins list' names rules"
        yield '# use = "max-daily-loss"'
        yield "# share = 0.03"

    def _results(self) -> Iterator[str]:
        yield "\n[output]"
        yield _line("dir", "result", "where a backtest writes its tables")
        if self._answers.storage:
            yield "\n[storage]"
            yield _line("url", self._answers.storage, "where runs are kept")

    def _live(self) -> Iterator[str]:
        venue = self._answers.venue
        if not venue:
            return
        spec = self._registry.get("session", venue)
        play = "testnet" if "testnet" in spec.capabilities else ""
        # Real money takes a consent, which nobody gives by answering questions.
        table = "live" if play else "paper"
        yield f"\n[{table}]"
        yield _line("venue", venue, f"installed: {_some(self._offers.venues)}")
        if play:
            yield _line("environment", play, "its play money; real money is production, and takes consent")
        else:
            yield '# This venue has real money alone: [live] takes venue, environment = "production", consent and keys.'
        yield _line("on_stop", "cancel", "what becomes of open orders: or keep, flatten")
        yield from self._settings(table, spec)
        yield "\n[[notify]]                        # who is told of alarms"
        yield _line("use", self._answers.notify, f"installed: {_some(self._offers.notifiers)}")

    def _settings(self, table: str, spec: SessionSpec) -> Iterator[str]:
        secrets = secrets_of(spec) if table == "live" else []
        if not secrets and not self._answers.settings:
            return
        yield f"\n[{table}.settings]                   # names of secrets, never the secrets: see 'cambist secrets'"
        prefix = spec.name.replace("-", "_").upper()
        for name in secrets:
            key = name if _USUAL.search(name) else f"# {name}"
            yield _line(key, f"${{env:{prefix}_{name.upper()}}}", f"or secret://encrypted/{spec.name}-{name}")
        for name, value in self._answers.settings.items():
            yield _line(name, value)


def secrets_of(spec: SessionSpec) -> list[str]:
    """Return the settings of a session that are keys, those that it cannot do without first."""
    config: Any = spec.load_config()
    fields = getattr(config, "model_fields", {})
    return sorted(secret_fields(config), key=lambda name: not fields[name].is_required())


def needs_of(spec: SessionSpec) -> list[str]:
    """Return the settings that a session cannot do without, beside its keys."""
    fields = getattr(spec.load_config(), "model_fields", {})
    secrets = secrets_of(spec)
    return [name for name, field in fields.items() if field.is_required() and name not in secrets]


def _some(names: tuple[str, ...]) -> str:
    more = ", ..." if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _line(key: str, value: Any, comment: str = "") -> str:
    said = f"{key} = {_toml(value)}"
    return f"{said:<{_WIDTH - 1}} # {comment}" if comment else said


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    if isinstance(value, int):
        return f"{value:_}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
