"""From a run file to a plan: its tables against the components they name, every mistake told at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from cambist.app.named_parts import named_analyzers, named_broker, named_sinks_of
from cambist.app.plan import HistoryPlan, Overrides, RunPlan, SeriesPlan, StrategyPlan
from cambist.app.sources import default_symbol, feed_name, feed_of_name
from cambist.app.storage import resolved_url
from cambist.app.strategies import load_strategy
from cambist.backtest.settings import BacktestSettings
from cambist.config.document import Document
from cambist.config.layers import read_document
from cambist.config.problems import Problem, raise_problems, shown
from cambist.config.providers import lookup_of
from cambist.config.read import DATA_KEYS, as_list, check_tables, instrument_table, place
from cambist.config.secrets import Secret, is_reference
from cambist.config.settings import check_settings
from cambist.data.checks.check import chosen_rules
from cambist.data.checks.policy import read_policy
from cambist.errors import CambistError, ConfigError, ParameterError, did_you_mean
from cambist.model.deleveraging import Deleveraging
from cambist.model.instrument import Instrument
from cambist.model.margin import Margin, MarginTier
from cambist.plugins.making import made
from cambist.portfolio.interest import Interest
from cambist.simulation import FixedFee, FixedSlippage, MakerTakerFee, PercentSlippage, latency_model
from cambist.simulation.durations import is_duration
from cambist.simulation.paths import PATHS
from cambist.strategies import (
    AllIn,
    AtrRisk,
    FixedReverser,
    FixedSize,
    FixedSizeTarget,
    Kelly,
    PercentOfCash,
    PercentOfEquity,
    RiskPerTrade,
    Target,
    VolatilityTarget,
)
from cambist.strategies.parameters import MISSING, OF_EVERY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cambist.config.document import Where
    from cambist.config.models import DataTable, MarginTable, RunFile
    from cambist.plugins.registry import Registry
    from cambist.plugins.specs import SimulationModelSpec
    from cambist.strategies import Strategy

__all__ = [
    "MODEL_OPTIONS",
    "SIZERS",
    "Reader",
    "load_parts",
    "model_named",
    "read_run_file",
    "read_settings",
    "storage_url",
]

#: The keys of ``[venue]`` that take a simulation model, and what that decides.
MODEL_OPTIONS = {
    "fees": "fee",
    "slippage": "slippage",
    "volume_limit": "filler",
    "path": "path",
    "latency": "latency",
    "rejection": "rejection",
    "market_rules": "market-rules",
}
#: What ``[sizer] use =`` takes.
SIZERS: dict[str, type] = {
    "fixed": FixedSize,
    "fixed-reverser": FixedReverser,
    "fixed-target": FixedSizeTarget,
    "percent": PercentOfEquity,
    "percent-of-cash": PercentOfCash,
    "all-in": AllIn,
    "target": Target,
    "risk": RiskPerTrade,
    "atr-risk": AtrRisk,
    "kelly": Kelly,
    "volatility-target": VolatilityTarget,
}


def read_run_file(
    path: Path, registry: Registry, overrides: Overrides | None = None, *, needs_data: bool = True
) -> RunPlan:
    """Read a run file and check everything it says.

    Parameters
    ----------
    path
        Of the file. Paths in it are relative to its folder.
    registry
        Knows the components.
    overrides
        What will take the place of parts of it: those need not be there.
    needs_data
        Whether each series must say where its bars come from.

    Raises
    ------
    ConfigError
        The file cannot be read, or something in it cannot be used: tells of all that is, with lines.
    """
    document = read_document(path, overrides.assigned if overrides else ())
    return Reader(document, registry, overrides or Overrides(), needs_data=needs_data).plan()


def read_settings(said: Mapping[str, Any], registry: Registry) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read what the command line says in the words of a run file.

    Parameters
    ----------
    said
        ``sizer``, a table or the name of one; ``calendar``, ``latency`` and ``rejection`` as a run file has them.
    registry
        Knows the components.

    Returns
    -------
    settings, tables
        As those of a `RunPlan`.

    Raises
    ------
    ConfigError
        Something in it cannot be used; names the options.
    """
    where = {name: _TABLE_OF.get(name, "venue") for name in said}
    tables: dict[str, Any] = {}
    for name, value in said.items():
        if where[name]:
            tables.setdefault(where[name], {})[name] = value
        else:
            tables[name] = {"use": value} if isinstance(value, str) else value
    document = Document(Path("the command line"), tables, {})
    reader = Reader(document, registry, Overrides())
    made, made_tables = reader.components()
    raise_problems(document, (attrs.evolve(one, where=_as_option(one.where, said)) for one in reader.problems))
    assert reader.file is not None
    settings, told = _settings(reader.file, Path())
    return settings | made, told | made_tables


#: In which table of a run file an option stands that is none of ``[venue]``; ``""`` for one that is a table.
_TABLE_OF = {"sizer": "", "calendar": "run"}


def _as_option(where: Where, said: Mapping[str, Any]) -> Where:
    """Return the way to a value as it is on the command line."""
    way = where if where[0] in said else where[1:]
    name = str(way[0])
    return (f"--{name}", *(way[1:] if isinstance(said[name], dict) else ()))


class Reader:
    """Collects what a document says, and what is wrong with it."""

    #: Which secrets are looked up while reading: those of the account (``"keys"``), ``"all"`` or ``"none"``.
    secrets = "keys"

    def __init__(
        self, document: Document, registry: Registry, overrides: Overrides, *, needs_data: bool = True
    ) -> None:
        self.document, self._needs_data = document, needs_data
        self.registry = registry
        self.overrides = overrides
        self.file, found = check_tables(document)
        self.problems: list[Problem] = found
        #: Who answers ``secret://`` in this file.
        self.lookup = lookup_of(registry, dict(_providers(self)))

    def plan(self) -> RunPlan:
        """Return what the file says; raises `ConfigError` for all that cannot be used."""
        # Each part is looked at even where another is wrong, so that one reading finds everything.
        strategies = () if self.overrides.strategy else tuple(self._strategies())
        histories = () if self.overrides.histories else tuple(self._histories())
        made, made_tables = self.components()
        analyzers = tuple(named_analyzers(self))
        others = bool(self.overrides.data)
        instruments = {} if others else dict(self._instruments())
        feed_settings = {} if others else dict(self._feed_settings())
        storage = None if self.overrides.storage else storage_url(self)
        _check_snapshots(self)
        self.check_data()
        raise_problems(self.document, self.problems)
        file = self.file
        assert file is not None
        settings, tables = _settings(file, self.document.folder_of(("run", "journal")))
        settings |= made
        tables |= made_tables
        output = file.output.dir
        return RunPlan(
            strategies=strategies,
            histories=histories,
            series=tuple(
                self._series(number, table, instruments, feed_settings) for number, table in enumerate(file.data)
            ),
            settings=settings,
            tables=tables,
            output=None if output is None else self.document.folder_of(("output", "dir")) / output,
            format=file.output.format,
            storage=storage or "",
            run_file=self.document.path,
            analyzers=analyzers,
        )

    def components(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Make what the document names: simulation models, risk rules and a sizer, each with the table that says so."""
        risk, risk_tables = self._risk()
        sizer, sizer_table = self._sizer()
        made, tables = self._models()
        if risk:
            made["risk"], tables["risk"] = tuple(risk), risk_tables
        if sizer is not None:
            made["sizer"], tables["sizer"] = sizer, sizer_table
        broker, broker_table = named_broker(self)
        if broker is not None:
            made["broker"], tables["broker"] = broker, broker_table
        sinks = tuple(named_sinks_of(self))
        if sinks:
            self._check_events()
            made["sinks"], tables["sinks"], made["events"] = sinks, [one.name for one in sinks], True
        return made, tables

    def _check_events(self) -> None:
        run = self.document.tables.get("run")
        if isinstance(run, dict) and run.get("events") is False:
            self.add(("run", "events"), "it is false, and sinks are told of events. Leave it out, or the sinks.")

    # Strategies and histories.

    def _histories(self) -> Iterator[HistoryPlan]:
        for where, table in self.tables("history"):
            given = [kind for kind in ("fills", "orders") if isinstance(table.get(kind), str) and table[kind]]
            if len(given) != 1:
                if not any(kind in table for kind in ("fills", "orders")) or len(given) > 1:
                    self.add(where, "a history is of one thing: give fills or orders, a file or a saved result.")
                continue
            named = {name: table[name] for name in ("strategy", "name") if isinstance(table.get(name), str)}
            folder = self.document.folder_of((*where, given[0]))
            yield HistoryPlan(kind=given[0], source=table[given[0]], folder=folder, **named)

    def _strategies(self) -> Iterator[StrategyPlan]:
        for where, table in self.tables("strategy"):
            use, given = table.get("use"), table.get("parameters", {})
            if not isinstance(use, str) or not use:
                continue
            folder = self.document.folder_of((*where, "use"))
            cls = self.attempt((*where, "use"), load_strategy, use, self.registry, folder)
            if cls is not None and isinstance(given, dict):
                parameters = dict(self._parameters(cls, given, (*where, "parameters")))
                name = table.get("name", "")
                yield StrategyPlan(use=use, cls=cls, parameters=parameters, name=name if isinstance(name, str) else "")

    def _parameters(self, cls: type[Strategy], given: dict[str, Any], where: Where) -> Iterator[tuple[str, Any]]:
        for name, value in given.items():
            parameter = cls.parameters.get(name) or OF_EVERY.get(name)
            if parameter is None:
                hint = did_you_mean(name, cls.parameters) or " It has no parameters."
                self.add((*where, name), f"{cls.__name__} has no such parameter.{hint}")
                continue
            try:
                yield name, parameter.validate(value, cls.__name__)
            except ParameterError:
                self.add((*where, name), f"it is {shown((name,), value)}; it takes {parameter.describe()}.")
        for name, parameter in cls.parameters.items():
            if parameter.default is MISSING and name not in given and name not in self.overrides.parameters:
                self.add((*where, name), f"{cls.__name__} needs a value here: {parameter.describe()}.")

    # Risk rules, sizers, simulation models.

    def _risk(self) -> tuple[list[Any], list[dict[str, Any]]]:
        rules, tables = [], []
        for where, table in self.tables("risk"):
            use = table.get("use")
            if not isinstance(use, str) or not use:
                continue
            parts = self.attempt((*where, "use"), load_parts, self.registry, "risk_rule", use)
            if parts:
                rule = self.make(table, parts[0], parts[1], where)
                if rule is not None:
                    rules.append(rule)
                    tables.append(dict(table))
        return rules, tables

    def _sizer(self) -> tuple[Any, dict[str, Any]]:
        table = self.document.tables.get("sizer")
        if not isinstance(table, dict) or not isinstance(table.get("use"), str) or not table["use"]:
            return None, {}
        if table["use"] not in SIZERS:
            self.add(("sizer", "use"), f"there is no sizer {table['use']!r}.{did_you_mean(table['use'], SIZERS)}")
            return None, {}
        return self.make(table, SIZERS[table["use"]], None, ("sizer",)), dict(table)

    def _models(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Make the simulation models that ``[venue]`` names, alone or in tables with ``use``."""
        made: dict[str, Any] = {}
        tables: dict[str, Any] = {}
        venue = self.document.tables.get("venue")
        for option, model in MODEL_OPTIONS.items():
            said = venue.get(option) if isinstance(venue, dict) else None
            if option == "latency" and is_duration(said):
                self.attempt(("venue", option), latency_model, said)
                continue
            if option == "path" and isinstance(said, str) and said in PATHS:
                continue  # what the option takes as it stands
            table = {"use": said} if isinstance(said, str) else said
            if not isinstance(table, dict) or not isinstance(table.get("use"), str) or not table["use"]:
                continue
            where = ("venue", option)
            place_of_name = (*where, "use") if table is said else where
            spec = self.attempt(place_of_name, model_named, self.registry, model, table["use"])
            if spec is not None:
                made[option] = self.make(table, spec.load(), spec.load_config(), where)
                tables[option] = said
        return made, tables

    def make(self, table: dict[str, Any], factory: Callable[..., Any], config: type | None, where: Where) -> Any:
        """Make a component of its table; None where that does not work."""
        own = {name: value for name, value in table.items() if name != "use"}
        settings, found = self.settings(own, config, factory, where)
        return None if found else self.attempt(where, made, factory, **settings)

    def settings(
        self, table: dict[str, Any], config: type | None, factory: Callable[..., Any], where: Where, given: int = 0
    ) -> tuple[dict[str, Any], list[Problem]]:
        """Check the settings of a component as `check_settings` does, and note what is wrong with them."""
        settings, found = check_settings(table, config, factory, given, where, self.lookup)
        self.extend(found)
        self.look_up(settings, where)
        return settings, found

    def look_up(self, settings: dict[str, Any], where: Where) -> None:
        """See that secrets can be had, where all are to be looked up."""
        for name, value in settings.items() if self.secrets == "all" else ():
            if isinstance(value, Secret):
                self.attempt((*where, name), value.reveal)

    # Data.

    def check_data(self) -> None:
        """See that each series says where it comes from."""
        if self.overrides.data or not self._needs_data:
            return
        for where, table in self.tables("data"):
            if "source" not in table:
                self.add(
                    (*where, "source"),
                    "it is missing: a backtest takes its bars from a file or a feed. A live run needs symbol and "
                    "timeframe alone.",
                )

    def _instruments(self) -> Iterator[tuple[int, Instrument]]:
        for number, (where, table) in enumerate(self.tables("data")):
            source = table.get("source")
            checked = instrument_table(table["instrument"]) if "instrument" in table else None
            if checked is None or not isinstance(source, str):
                continue
            symbol = table.get("symbol")
            if checked.symbol and symbol and checked.symbol != symbol:
                self.add((*where, "symbol"), f"it is {symbol!r}, and the instrument's is {checked.symbol!r}. Give one.")
                continue
            fields = {name: getattr(checked, name) for name in checked.model_fields_set}
            fields["symbol"] = checked.symbol or symbol or _default_symbol(source, self._source_folder(where))
            made = self.attempt((*where, "instrument"), Instrument, **fields)
            if made is not None:
                yield number, made

    def _feed_settings(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Check the keys of each series that are not ours against its feed; a file has none."""
        for number, (where, table) in enumerate(self.tables("data")):
            repair = table.get("repair")
            if isinstance(repair, dict) and all(isinstance(action, str) for action in repair.values()):
                self.attempt((*where, "repair"), read_policy, repair, chosen_rules(None))
            source = table.get("source", "")
            if not isinstance(source, str):
                continue
            extra = {name: value for name, value in table.items() if name not in DATA_KEYS}
            feed = feed_of_name(source, self._source_folder(where), self.registry)
            if feed is None:
                for name in extra:
                    self.add((*where, name), f"there is no such key here.{did_you_mean(name, DATA_KEYS)}")
                continue
            parts = self.attempt((*where, "source"), load_parts, self.registry, "feed", feed)
            if parts:
                # That of bars to be made of trades is no setting of the feed.
                makes_bars = "market" in self.registry.get("feed", feed).capabilities
                words = ("symbol",) if makes_bars else ("symbol", "timeframe")
                said: dict[str, Any] = {name: table[name] for name in words if name in table}
                settings, _ = self.settings({**said, **extra}, parts[1], parts[0], where, 1)
                yield number, {name: value for name, value in settings.items() if name not in DATA_KEYS}

    def _series(
        self, number: int, table: DataTable, instruments: dict[int, Instrument], settings: dict[int, dict[str, Any]]
    ) -> SeriesPlan:
        instrument = instruments.get(number)
        return SeriesPlan(
            source=table.source or "",
            folder=self._source_folder(place(self.document, ("data", number))),
            symbol=None if instrument is not None else table.symbol,
            timeframe=table.timeframe,
            instrument=instrument,
            settings=settings.get(number, {}),
            magnify=table.magnify,
            repair=table.repair,
        )

    def _source_folder(self, where: Where) -> Path:
        """Return what the path of a series starts from."""
        return self.document.folder_of((*where, "source"))

    # Collecting.

    def tables(self, name: str) -> Iterator[tuple[Where, dict[str, Any]]]:
        """Yield the tables of a list as far as they are tables, each with its place in the file."""
        tables = as_list(self.document.tables.get(name, []))
        for number, table in enumerate(tables if isinstance(tables, list) else []):
            if isinstance(table, dict):
                yield place(self.document, (name, number)), table

    def attempt(self, where: Where, do: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
        """Do what may raise one of our errors; None where it did, which is then a problem."""
        try:
            return do(*arguments, **named)
        except CambistError as error:
            # What failed with a traceback tells it below an empty line.
            self.add(where, str(error).partition("\n\n")[0])
            return None

    def add(self, where: Where, message: str) -> None:
        """Note a mistake."""
        self.problems.append(Problem(where, message))

    def extend(self, found: list[Problem]) -> None:
        """Note mistakes."""
        self.problems.extend(found)


def storage_url(reader: Reader) -> str | None:
    """Return the URL of ``[storage]``; a relative path in it starts from the folder of the file that says it."""
    where = ("storage", "url")
    table = reader.document.tables.get("storage")
    url = table.get("url") if isinstance(table, dict) else None
    if not isinstance(url, str) or not url:
        return None
    if is_reference(url):  # since it may hold a password
        if reader.secrets == "none":
            return None
        url = reader.attempt(where, Secret.parse(url).placed("storage.url", reader.lookup).reveal)
    folder = reader.document.folder_of(where)
    resolved: str | None = url and reader.attempt(where, resolved_url, url, reader.registry, folder)
    return resolved


def _check_snapshots(reader: Reader) -> None:
    table = reader.document.tables.get("storage")
    said = table.get("snapshots") if isinstance(table, dict) else None
    if isinstance(said, str) and said:
        reader.attempt(("storage", "snapshots"), BacktestSettings.of, snapshots=said)


def _providers(reader: Reader) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the settings of those who keep secrets, of ``[secrets.NAME]``."""
    tables = reader.document.tables.get("secrets")
    for name, table in tables.items() if isinstance(tables, dict) else ():
        where = ("secrets", name)
        parts = reader.attempt(where, load_parts, reader.registry, "secret_provider", name)
        if parts and isinstance(table, dict):
            settings, found = check_settings(table, parts[1], parts[0], 0, where)
            reader.extend(found)
            yield name, settings


def model_named(registry: Registry, model: str, name: str) -> SimulationModelSpec:
    """Return the record of a simulation model, whether or not its name was given with its ending."""
    offered = {one.name: one for one in registry.simulation_models().values() if one.model == model}
    plain = name.replace("_", "-")
    found = offered.get(plain) or offered.get(f"{plain}-{model}")
    if found is None:
        known = [one.removesuffix(f"-{model}") for one in offered]
        raise ConfigError(f"there is no {model} model {name!r}.{did_you_mean(name, known)}")
    return found


def load_parts(registry: Registry, kind: str, name: str) -> tuple[Callable[..., Any], type | None]:
    """Return a component's factory and the class of its settings."""
    spec = registry.get(kind, name)
    return spec.load(), spec.load_config()


def _default_symbol(source: str, folder: Path) -> str:
    """Return what an instrument is called that has no name of its own, as `cambist.load` does."""
    feed = feed_name(source, folder)
    return default_symbol(source) if feed else (folder / source).name.partition(".")[0]


def _settings(file: RunFile, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the file says of account, venue and run: for `BacktestSettings`, and for the result."""
    settings: dict[str, Any] = {}
    tables: dict[str, Any] = {}
    for table in (file.account, file.venue, file.run):
        settings |= {name: getattr(table, name) for name in table.model_fields_set}
    if file.storage.snapshots is not None:
        settings["snapshots"] = file.storage.snapshots
    if settings.get("journal") is not None:
        settings["journal"] = str(folder / settings["journal"])
    for name in ("fees", "slippage"):
        if name in settings:
            said = settings[name]
            tables[name] = said.model_dump() if hasattr(said, "model_dump") else said
    for name in ("margin", "interest"):
        if settings.get(name) is not None:
            tables[name] = settings[name].model_dump(mode="json", exclude_unset=True)
    if settings.get("margin") is not None:
        settings["margin"] = _margin(settings["margin"])
    if settings.get("interest") is not None:
        settings["interest"] = Interest(**settings["interest"].model_dump())
    if "cash_flows" in settings:
        tables["cash_flows"] = [flow.model_dump(mode="json", exclude_unset=True) for flow in settings["cash_flows"]]
        settings["cash_flows"] = [
            (flow.date, flow.amount, *(name for name in (flow.account, flow.asset) if name))
            for flow in settings["cash_flows"]
        ]
    if "fees" in settings:
        settings["fees"] = _fees(tables["fees"])
    if "slippage" in settings:
        settings["slippage"] = _slippage(tables["slippage"])
    return settings, tables


def _margin(said: MarginTable) -> Margin:
    terms = said.model_dump(exclude={"leverages", "tiers", "deleveraging", "planned"})
    terms["planned"] = [(one.date, one.symbol, one.amount) for one in said.planned]
    if said.deleveraging is not None:
        events = [(one.date, one.symbol, one.share, one.price) for one in said.deleveraging.events]
        terms["deleveraging"] = Deleveraging(**said.deleveraging.model_dump(exclude={"events"}), events=events)
    if said.leverages:
        terms["leverage"] = dict(said.leverages)
    if said.tiers:
        terms["maintenance"] = [MarginTier(**tier.model_dump()) for tier in said.tiers]
    return Margin(**terms)


def _fees(said: Any) -> Any:
    if isinstance(said, dict) and "use" not in said:
        return MakerTakerFee(**said) if "maker" in said else FixedFee(**said)
    return said


def _slippage(said: Any) -> Any:
    if isinstance(said, dict) and "use" not in said:
        return PercentSlippage(**said) if "rate" in said else FixedSlippage(**said)
    return said
