"""The records that plugins hand to the core: one class a kind of component.

A record says what there is and where its code lives; the code itself is imported at the first `Spec.load`.
So a list of everything installed costs a few milliseconds and needs none of the libraries behind it.
"""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from cambist.errors import MissingDependencyError, PluginLoadError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "MODELS",
    "NAME_PATTERN",
    "SPECS",
    "UNITS",
    "AnalyzerSpec",
    "BrokerSpec",
    "CommandSpec",
    "DataRuleSpec",
    "FeedSpec",
    "IndicatorSpec",
    "NotifierSpec",
    "ReportSpec",
    "RiskRuleSpec",
    "SecretProviderSpec",
    "SessionSpec",
    "SimulationModelSpec",
    "SinkSpec",
    "Spec",
    "StorageSpec",
    "StrategySpec",
]

#: What plugins and components may be called.
NAME_PATTERN = re.compile(r"[a-z][a-z0-9-]*")
#: What the number of a measure may count; see `AnalyzerSpec`.
UNITS = ("ratio", "return", "share", "money", "count", "seconds", "time")
#: What a simulation model may decide; see `SimulationModelSpec`.
MODELS = ("fee", "slippage", "filler", "path", "latency", "rejection", "market-rules")
_REFERENCE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def _check_name(spec: Spec, _: attrs.Attribute[str], name: object) -> None:
    if not isinstance(name, str) or not NAME_PATTERN.fullmatch(name):
        raise PluginLoadError(
            f"a {spec.label} cannot be called {name!r}: use lower-case letters, digits and hyphens, and start with a "
            f"letter, such as 'my-{spec.kind.replace('_', '-')}'."
        )


def _check_factory(spec: Spec, _: attrs.Attribute[Any], factory: object) -> None:
    if isinstance(factory, str):
        _check_reference(spec, "factory", factory)
    elif not callable(factory):
        raise PluginLoadError(
            f"the factory of {spec.label} {spec.name!r} is {factory!r}: give something that can be called, or "
            "'package.module:attribute'."
        )


def _check_config(spec: Spec, _: attrs.Attribute[Any], config: object) -> None:
    if isinstance(config, str):
        _check_reference(spec, "config", config)
    elif config is not None and not isinstance(config, type):
        raise PluginLoadError(
            f"the config of {spec.label} {spec.name!r} is {config!r}: give a class, or 'package.module:Class'."
        )


def _check_environment(spec: Spec, _: attrs.Attribute[Any], environment: object) -> None:
    if isinstance(environment, str):
        _check_reference(spec, "environment", environment)
    elif environment is not None and not callable(environment):
        raise PluginLoadError(
            f"the environment of {spec.label} {spec.name!r} is {environment!r}: give something that can be called, or "
            "'package.module:attribute'."
        )


def _check_reference(spec: Spec, field: str, reference: str) -> None:
    if not _REFERENCE.fullmatch(reference):
        raise PluginLoadError(
            f"the {field} of {spec.label} {spec.name!r} is {reference!r}: a lazy reference reads "
            "'package.module:attribute'."
        )


def _check_module(spec: Spec, field: attrs.Attribute[str], module: object) -> None:
    if not isinstance(module, str) or (module and not _MODULE.fullmatch(module)):
        raise PluginLoadError(
            f"the {field.name} of {spec.label} {spec.name!r} is {module!r}: name a module, such as "
            "'package.conformance'."
        )


def _check_words(spec: Spec, field: attrs.Attribute[Any], words: object) -> None:
    if not isinstance(words, tuple | frozenset) or not all(isinstance(word, str) for word in words):
        raise PluginLoadError(
            f"the {field.name} of {spec.label} {spec.name!r} are {words!r}: give several texts, such as "
            f"{field.name}=['one']."
        )


def _check_unit(spec: Spec, _: attrs.Attribute[str], unit: object) -> None:
    if unit not in UNITS:
        raise PluginLoadError(
            f"the unit of {spec.label} {spec.name!r} is {unit!r}; it must be one of: {', '.join(UNITS)}."
        )


def _check_model(spec: Spec, _: attrs.Attribute[str], model: object) -> None:
    if model not in MODELS:
        raise PluginLoadError(
            f"the model of {spec.label} {spec.name!r} is {model!r}; it must be one of: {', '.join(MODELS)}."
        )


# A lone text is iterable too; it is left as it is, so that `_check_words` refuses it instead of taking its letters.
def _as_tuple(words: Any) -> Any:
    return words if isinstance(words, str) else tuple(words)


def _as_frozenset(words: Any) -> Any:
    return words if isinstance(words, str) else frozenset(words)


# Without eq: pluggy and sets must see two equal-looking records of two plugins as two.
@attrs.frozen(kw_only=True, eq=False)
class Spec:
    """What every component's record says.

    Parameters
    ----------
    name
        What a run file or a command calls it: ``[a-z][a-z0-9-]*``, unique within its kind.
    factory
        What makes the component: a callable, or ``"package.module:attribute"``, imported at the first `load`.
        Each kind's record says how it is called; settings always come as keyword arguments.
    summary
        One line for people.
    config
        The class that holds and checks the component's settings (a pydantic model), or a lazy reference to it. None
        when the factory's own keyword parameters are the settings.
    capabilities
        Optional powers it has; each kind's record lists the words in use.
    requires
        Distributions to name when the factory cannot be imported, as pip takes them: ``("ccxt>=4.4",)``.
    conformance
        The module whose test classes ``cambist plugins check`` runs: the suites of `cambist.testing` on this component.
        It is imported at a check and at no other time.
    provider
        Who offers it. The registry fills this in, whatever a plugin writes here.

    Raises
    ------
    PluginLoadError
        A field cannot be used.
    """

    #: The kind's name in `Registry.get`, its name for people, and the hook that takes it.
    kind: ClassVar[str] = "component"
    label: ClassVar[str] = "component"
    hook: ClassVar[str] = ""
    #: How many leading arguments of the factory the core gives; the rest are settings.
    given: ClassVar[int] = 0

    name: str = attrs.field(validator=_check_name)
    factory: Callable[..., Any] | str = attrs.field(validator=_check_factory)
    summary: str = attrs.field(default="", validator=attrs.validators.instance_of(str))
    config: type | str | None = attrs.field(default=None, validator=_check_config)
    capabilities: frozenset[str] = attrs.field(default=frozenset(), converter=_as_frozenset, validator=_check_words)
    requires: tuple[str, ...] = attrs.field(default=(), converter=_as_tuple, validator=_check_words)
    conformance: str = attrs.field(default="", validator=_check_module)
    provider: str = ""

    def load(self) -> Callable[..., Any]:
        """Return the factory, importing it when it is a reference.

        Raises
        ------
        MissingDependencyError
            A library that the component needs is not installed; the message says what to install.
        PluginLoadError
            The module raised, or does not hold a callable of that name; the original error is the ``__cause__``.
        """
        factory = self._resolve(self.factory) if isinstance(self.factory, str) else self.factory
        if not callable(factory):
            raise PluginLoadError(f"{self} names {self.factory!r}, which is {factory!r}: a factory must be callable.")
        return factory

    def load_config(self) -> type | None:
        """Return the class of the settings, importing it when it is a reference; None when there is none.

        Raises
        ------
        MissingDependencyError, PluginLoadError
            As `load`.
        """
        config = self._resolve(self.config) if isinstance(self.config, str) else self.config
        if config is not None and not isinstance(config, type):
            raise PluginLoadError(f"{self} names {self.config!r}, which is {config!r}: a config must be a class.")
        return config

    def _resolve(self, reference: str) -> Any:
        module_name, _, path = reference.partition(":")
        try:
            found: Any = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            missing = error.name or ""
            if missing.partition(".")[0] == module_name.partition(".")[0]:
                raise PluginLoadError(f"{self} names {reference!r}, but there is no module {missing!r}.") from error
            raise MissingDependencyError(
                f"{self} needs the module {missing!r}, which is not installed.{self._remedy(missing)}"
            ) from error
        except Exception as error:
            raise PluginLoadError(
                f"{self} cannot be used: importing {module_name!r} raised {type(error).__name__}: {error}."
                f"{self._remedy('')}"
            ) from error
        for attribute in path.split("."):
            try:
                found = getattr(found, attribute)
            except AttributeError as error:
                raise PluginLoadError(
                    f"{self} names {reference!r}, but there is no {attribute!r} there."
                    f"{did_you_mean(attribute, [word for word in dir(found) if not word.startswith('_')])}"
                ) from error
        return found

    def _remedy(self, missing: str) -> str:
        if self.requires:
            return f" Install what it needs: pip install {' '.join(map(repr, self.requires))}."
        if missing:
            return f" Install the package that holds it (often called {missing.partition('.')[0]!r} as well)."
        return ""

    def __str__(self) -> str:
        of = f" of {self.provider}" if self.provider else ""
        return f"the {self.label} {self.name!r}{of}"


@attrs.frozen(kw_only=True, eq=False)
class FeedSpec(Spec):
    """A source of market data; the factory opens it as a `cambist.api.HistorySource`, or a `cambist.api.MarketSource`.

    Called as ``factory(source, **settings)``, where `source` is what the user named: a path, a data frame, a symbol.
    Capabilities: ``history`` (finished bars), ``blocks`` (can deliver more than fits into memory), ``path`` (reads a
    file that the user names), ``catalog`` (knows by name what it holds), ``offline`` (needs no network), ``market``
    (trades, quotes or a book, in place of bars), ``fetch`` (the factory has a method ``fetcher(**settings)`` that makes
    a `cambist.api.HistoryFetcher`: what it fetches is cached).
    """

    kind: ClassVar[str] = "feed"
    label: ClassVar[str] = "feed"
    hook: ClassVar[str] = "cambist_feeds"
    given: ClassVar[int] = 1


@attrs.frozen(kw_only=True, eq=False)
class BrokerSpec(Spec):
    """Something that takes approved orders; the factory makes a `cambist.api.Broker`.

    Called as ``factory(instruments, account, deliver, clock, **settings)``; see `cambist.api.BrokerFactory`.
    Capabilities: ``simulated`` (no order leaves the process), ``amend``, ``short``, and the order types beyond market
    and limit: ``stop``, ``stop-limit``, ``touch``, ``trail``; and ``bracket`` (children that wait for a parent),
    ``oco``, ``post-only``.
    """

    kind: ClassVar[str] = "broker"
    label: ClassVar[str] = "broker"
    hook: ClassVar[str] = "cambist_brokers"
    given: ClassVar[int] = 4


@attrs.frozen(kw_only=True, eq=False)
class RiskRuleSpec(Spec):
    """A rule that may refuse an order; the factory makes a `cambist.api.RiskRule`.

    Called as ``factory(**settings)``. No capabilities.
    """

    kind: ClassVar[str] = "risk_rule"
    label: ClassVar[str] = "risk rule"
    hook: ClassVar[str] = "cambist_risk_rules"


@attrs.frozen(kw_only=True, eq=False)
class StorageSpec(Spec):
    """A place to keep things; the factory makes a `cambist.api.Storage`.

    `name` is the scheme of the URLs it answers for: ``memory`` for ``memory://``.
    Called as ``factory(url, **settings)``. Capabilities: ``durable`` (survives the process); ``runs``, ``state`` and
    ``bars``, the stores it has; ``path`` (its URLs name a file or folder: ``name:path``, or as in SQLAlchemy
    ``name:///relative`` and ``name:////absolute``); ``versioned`` (the factory has a method ``upgrade(url)`` that
    returns what it did, in a sentence).
    """

    kind: ClassVar[str] = "storage"
    label: ClassVar[str] = "storage"
    hook: ClassVar[str] = "cambist_storages"
    given: ClassVar[int] = 1


@attrs.frozen(kw_only=True, eq=False)
class NotifierSpec(Spec):
    """A channel for notices to people; the factory makes a `cambist.api.Notifier`.

    Called as ``factory(**settings)``. Capabilities: ``local`` (nothing leaves the machine).
    """

    kind: ClassVar[str] = "notifier"
    label: ClassVar[str] = "notifier"
    hook: ClassVar[str] = "cambist_notifiers"


@attrs.frozen(kw_only=True, eq=False)
class StrategySpec(Spec):
    """A trading strategy; the factory is a subclass of `cambist.Strategy`.

    Called as ``factory(**parameters)``. Capabilities: ``short`` (it sells what it does not hold).
    """

    kind: ClassVar[str] = "strategy"
    label: ClassVar[str] = "strategy"
    hook: ClassVar[str] = "cambist_strategies"


@attrs.frozen(kw_only=True, eq=False)
class IndicatorSpec(Spec):
    """A function of price lines; the factory is what a strategy calls in ``on_start``.

    Called as ``factory(line, ..., **settings)``; gives a line, or several. Capabilities: ``stream`` (can be updated bar
    by bar, with the same values as over whole columns).
    """

    kind: ClassVar[str] = "indicator"
    label: ClassVar[str] = "indicator"
    hook: ClassVar[str] = "cambist_indicators"
    given: ClassVar[int] = 1


@attrs.frozen(kw_only=True, eq=False)
class AnalyzerSpec(Spec):
    """A measure of a finished run; the factory computes it.

    Called as ``factory(facts, **settings)`` with a `cambist.analysis.RunFacts`; gives one number, NaN where there is
    none, and never raises. No capabilities.

    Parameters
    ----------
    unit
        What the number counts: ``"ratio"`` (a plain number), ``"return"`` (a signed fraction, 0.05 is +5 %),
        ``"share"`` (a fraction of a whole, 0 to 1), ``"money"`` (the account's currency), ``"count"``, ``"seconds"``,
        ``"time"`` (ns since the epoch, UTC).
    higher_is_better
        Which way to optimize; None where neither way is better by itself.
    """

    kind: ClassVar[str] = "analyzer"
    label: ClassVar[str] = "analyzer"
    hook: ClassVar[str] = "cambist_analyzers"
    given: ClassVar[int] = 1

    unit: str = attrs.field(default="ratio", validator=_check_unit)
    higher_is_better: bool | None = None


@attrs.frozen(kw_only=True, eq=False)
class SimulationModelSpec(Spec):
    """A part of the simulated venue that can be exchanged; the factory makes the model.

    Called as ``factory(**settings)``. No capabilities. A run file names it with or without its kind as the ending:
    ``fees = { use = "per-order" }`` finds ``per-order-fee``.

    Parameters
    ----------
    model
        What it decides, and so what the factory makes: ``"fee"`` a `cambist.simulation.FeeModel`, ``"slippage"`` a
        `SlippageModel`, ``"filler"`` (how much of a bar trades) a `VolumeFiller`, ``"path"`` (the way of the price
        inside a bar) an `IntrabarPath`, ``"latency"`` a `LatencyModel`, ``"rejection"`` a `RejectionModel`,
        ``"market-rules"`` (lots, settlement, price limits, sessions) `cambist.model.MarketRules`.
    """

    kind: ClassVar[str] = "simulation_model"
    label: ClassVar[str] = "simulation model"
    hook: ClassVar[str] = "cambist_simulation_models"

    model: str = attrs.field(validator=_check_model)


@attrs.frozen(kw_only=True, eq=False)
class CommandSpec(Spec):
    """A command of ``cambist``; the factory is the ``click.Command`` itself, or a group of several.

    It is not called to be made: ``cambist NAME`` runs it. `name` is what the user types, `summary` its line in
    ``cambist --help``, which imports no command. The global options (``--debug``, ``--log-level`` ...) are added to it.
    Capabilities: ``warms`` (the command has an attribute ``warm``: ``cambist doctor --warm`` calls it to have ready
    what takes long the first time, such as code to be compiled, and shows the sentence that it returns).
    """

    kind: ClassVar[str] = "command"
    label: ClassVar[str] = "command"
    hook: ClassVar[str] = "cambist_commands"


@attrs.frozen(kw_only=True, eq=False)
class ReportSpec(Spec):
    """A way to show a finished run.

    Called as ``factory(result, path, **settings)`` with a `cambist.Result` and where to write, None for nowhere; gives
    what it made. ``result.report()`` looks for the name ``html``, ``result.plot()`` for ``figure``, and a notebook for
    ``notebook``, which answers a piece of HTML. No capabilities.
    """

    kind: ClassVar[str] = "report"
    label: ClassVar[str] = "report"
    hook: ClassVar[str] = "cambist_reports"
    given: ClassVar[int] = 2


@attrs.frozen(kw_only=True, eq=False)
class SessionSpec(Spec):
    """An account at a live venue; the factory makes a `cambist.api.VenueSession` that is not yet open.

    Called as ``factory(**settings)``; nothing is connected before ``open``. Capabilities: ``orders`` (it can trade),
    ``streams`` (market data and the account's own events are pushed, not polled), ``history``, ``spot``, ``margin``,
    ``testnet`` (the venue has a place to practice), ``keyless`` (market data needs no key), ``read-only`` (with the
    setting ``read_only = true`` it asks the venue and changes nothing there), ``any-exchange`` (the setting
    ``exchange`` names one of many venues).

    Parameters
    ----------
    environment
        Fits settings to where a run trades: called as ``environment(name, settings)`` with ``"dev"``, ``"testnet"`` or
        ``"production"`` and the settings as they were given, it returns those that are to be added, and raises
        `cambist.api.ConfigError` for one that belongs elsewhere. A callable, or a lazy reference. None for a venue that
        has real money alone.
    """

    kind: ClassVar[str] = "session"
    label: ClassVar[str] = "session"
    hook: ClassVar[str] = "cambist_sessions"

    environment: Callable[..., Any] | str | None = attrs.field(default=None, validator=_check_environment)

    def load_environment(self) -> Callable[..., Any] | None:
        """Return what fits settings to an environment; None where the venue has real money alone.

        Raises
        ------
        MissingDependencyError, PluginLoadError
            As `load`.
        """
        if not isinstance(self.environment, str):
            return self.environment
        found: Any = self._resolve(self.environment)
        if not callable(found):
            raise PluginLoadError(f"{self} names {self.environment!r}, which is {found!r}: it must be callable.")
        fit: Callable[..., Any] = found
        return fit


@attrs.frozen(kw_only=True, eq=False)
class SinkSpec(Spec):
    """Something that is told of all that happens in a run; the factory makes a `cambist.api.EventSink`.

    Called as ``factory(**settings)``; nothing is opened before the first event. Capabilities: ``local`` (nothing leaves
    the machine).
    """

    kind: ClassVar[str] = "sink"
    label: ClassVar[str] = "event sink"
    hook: ClassVar[str] = "cambist_event_sinks"


@attrs.frozen(kw_only=True, eq=False)
class DataRuleSpec(Spec):
    """A rule of data quality; the factory makes a `cambist.api.DataRule`.

    Called as ``factory(**settings)``. No capabilities.
    """

    kind: ClassVar[str] = "data_rule"
    label: ClassVar[str] = "data rule"
    hook: ClassVar[str] = "cambist_data_rules"


@attrs.frozen(kw_only=True, eq=False)
class SecretProviderSpec(Spec):
    """Who keeps secrets; the factory makes a `cambist.api.SecretProvider`.

    Called as ``factory(**settings)``; the settings are those of ``[secrets.NAME]`` of a run file. `name` is what stands
    in references: ``vault`` for ``secret://vault/binance-key``. Capabilities: ``local`` (nothing leaves the machine).
    """

    kind: ClassVar[str] = "secret_provider"
    label: ClassVar[str] = "secret provider"
    hook: ClassVar[str] = "cambist_secret_providers"


#: Every kind of record, in the order in which they are listed.
SPECS: tuple[type[Spec], ...] = (
    FeedSpec,
    BrokerSpec,
    RiskRuleSpec,
    StorageSpec,
    NotifierSpec,
    StrategySpec,
    IndicatorSpec,
    AnalyzerSpec,
    SimulationModelSpec,
    CommandSpec,
    SessionSpec,
    DataRuleSpec,
    ReportSpec,
    SecretProviderSpec,
    SinkSpec,
)
