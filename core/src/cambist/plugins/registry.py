"""Everything that plugins and the core itself offer, by kind and name: the typed door to the plugin system.

The registry calls each hook once, when it is made; from then on it is a set of tables. No other module asks pluggy.
"""

from __future__ import annotations

import inspect
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, cast, overload

import attrs

from cambist.errors import PluginClashError, PluginLoadError, UnknownComponentError, did_you_mean
from cambist.plugins.builtin import core_modules
from cambist.plugins.known import KNOWN
from cambist.plugins.loader import Loader
from cambist.plugins.local import LOCAL, local_file, own_references
from cambist.plugins.specs import (
    SPECS,
    AnalyzerSpec,
    BrokerSpec,
    CommandSpec,
    DataRuleSpec,
    FeedSpec,
    IndicatorSpec,
    NotifierSpec,
    ReportSpec,
    RiskRuleSpec,
    SecretProviderSpec,
    SessionSpec,
    SimulationModelSpec,
    SinkSpec,
    Spec,
    StorageSpec,
    StrategySpec,
)
from cambist.plugins.status import PluginState, PluginStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import ModuleType

__all__ = ["Registry"]

S = TypeVar("S", bound=Spec)

_BY_KIND = {spec.kind: spec for spec in SPECS}
_BY_HOOK = {spec.hook: spec for spec in SPECS}


class Registry:
    """The components at hand.

    Make one with `discover` (the core's own parts and every installed plugin), `of` or `empty` (tests).

    Parameters
    ----------
    loader
        Has loaded what there is to load.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._offers: list[tuple[str, Spec]] = []
        #: What failed plugins would have offered, as far as it is known.
        self._lost: dict[tuple[str, str], PluginStatus] = {}
        for status in loader.statuses:
            if status.state is PluginState.ACTIVE:
                self._collect(status)
        if loader.strict:
            for kind in _BY_KIND.values():
                self._all(kind)

    @classmethod
    def discover(
        cls,
        *,
        strict: bool = False,
        environ: Mapping[str, str] = os.environ,
        beside: Path | None = None,
        local: bool = True,
    ) -> Self:
        """Load the core's own parts and every installed plugin.

        Parameters
        ----------
        strict
            Raise at the first plugin that cannot be used, or at a clash, instead of going on.
        environ
            `CAMBIST_PLUGINS` (the only plugins to load) and `CAMBIST_DISABLE_PLUGINS`, comma separated, are read here.
        beside
            A run file, or a folder: the plugin of one file that stands there, `cambist_plugins.py`, is loaded last.
            None for none, whatever the working directory holds.
        local
            Whether the plugin beside it may be run.

        Raises
        ------
        PluginLoadError
            Strict, and a plugin cannot be used; the original error is the ``__cause__``.
        PluginClashError
            Strict, and two plugins offer one name.
        """
        loader = Loader(strict=strict)
        loader.load_core(core_modules())
        loader.load_installed(environ)
        file = None if beside is None else local_file(beside)
        if beside is not None and file is not None:
            refusal = "" if local else "left out by --no-local-plugins"
            loader.load_local(file, beside, environ, refusal=refusal)
        return cls(loader)

    @classmethod
    def of(cls, modules: Iterable[ModuleType], *, core: bool = False, strict: bool = False) -> Self:
        """Register these modules and nothing that happens to be installed; `core` adds the core's own parts."""
        loader = Loader(strict=strict)
        if core:
            loader.load_core(core_modules())
        for module in modules:
            loader.load_module(module)
        return cls(loader)

    @classmethod
    def empty(cls) -> Self:
        """Return a registry with nothing in it."""
        return cls.of(())

    def statuses(self) -> list[PluginStatus]:
        """What became of each plugin: the core first, then by name."""
        return self._loader.statuses

    def components(self, plugin: str | None = None) -> list[Spec]:
        """Every component, or those of one plugin, in the order of the kinds; clashing ones are all there."""
        return [spec for owner, spec in self._offers if plugin in {None, owner}]

    def feeds(self) -> dict[str, FeedSpec]:
        """Sources of market data by name. Raises `PluginClashError` when one name is offered twice, as the rest do."""
        return self._all(FeedSpec)

    def brokers(self) -> dict[str, BrokerSpec]:
        """Brokers by name."""
        return self._all(BrokerSpec)

    def risk_rules(self) -> dict[str, RiskRuleSpec]:
        """Risk rules by name."""
        return self._all(RiskRuleSpec)

    def storages(self) -> dict[str, StorageSpec]:
        """Storages by URL scheme."""
        return self._all(StorageSpec)

    def notifiers(self) -> dict[str, NotifierSpec]:
        """Notifiers by name."""
        return self._all(NotifierSpec)

    def strategies(self) -> dict[str, StrategySpec]:
        """Strategies by name."""
        return self._all(StrategySpec)

    def indicators(self) -> dict[str, IndicatorSpec]:
        """Indicators by name."""
        return self._all(IndicatorSpec)

    def analyzers(self) -> dict[str, AnalyzerSpec]:
        """Measures by name."""
        return self._all(AnalyzerSpec)

    def simulation_models(self) -> dict[str, SimulationModelSpec]:
        """Parts of the simulated venue by name."""
        return self._all(SimulationModelSpec)

    def commands(self) -> dict[str, CommandSpec]:
        """Commands of ``cambist`` by name."""
        return self._all(CommandSpec)

    def sessions(self) -> dict[str, SessionSpec]:
        """Accounts at live venues by name."""
        return self._all(SessionSpec)

    def data_rules(self) -> dict[str, DataRuleSpec]:
        """Rules of data quality by name."""
        return self._all(DataRuleSpec)

    def reports(self) -> dict[str, ReportSpec]:
        """Ways to show a finished run by name."""
        return self._all(ReportSpec)

    def secret_providers(self) -> dict[str, SecretProviderSpec]:
        """Who keeps secrets by name."""
        return self._all(SecretProviderSpec)

    def event_sinks(self) -> dict[str, SinkSpec]:
        """What is told of runs by name."""
        return self._all(SinkSpec)

    @overload
    def get(self, kind: Literal["feed"], name: str) -> FeedSpec: ...
    @overload
    def get(self, kind: Literal["broker"], name: str) -> BrokerSpec: ...
    @overload
    def get(self, kind: Literal["risk_rule"], name: str) -> RiskRuleSpec: ...
    @overload
    def get(self, kind: Literal["storage"], name: str) -> StorageSpec: ...
    @overload
    def get(self, kind: Literal["notifier"], name: str) -> NotifierSpec: ...
    @overload
    def get(self, kind: Literal["strategy"], name: str) -> StrategySpec: ...
    @overload
    def get(self, kind: Literal["indicator"], name: str) -> IndicatorSpec: ...
    @overload
    def get(self, kind: Literal["analyzer"], name: str) -> AnalyzerSpec: ...
    @overload
    def get(self, kind: Literal["simulation_model"], name: str) -> SimulationModelSpec: ...
    @overload
    def get(self, kind: Literal["command"], name: str) -> CommandSpec: ...
    @overload
    def get(self, kind: Literal["session"], name: str) -> SessionSpec: ...
    @overload
    def get(self, kind: Literal["data_rule"], name: str) -> DataRuleSpec: ...
    @overload
    def get(self, kind: Literal["report"], name: str) -> ReportSpec: ...
    @overload
    def get(self, kind: Literal["secret_provider"], name: str) -> SecretProviderSpec: ...
    @overload
    def get(self, kind: Literal["sink"], name: str) -> SinkSpec: ...
    @overload
    def get(self, kind: str, name: str) -> Spec: ...
    def get(self, kind: str, name: str) -> Spec:
        """Return one component.

        Raises
        ------
        UnknownComponentError
            Nobody offers it. The message suggests the nearest name, says which package to install, or shows why the
            plugin that would offer it failed, with the original traceback.
        PluginClashError
            Two plugins offer it.
        """
        if kind not in _BY_KIND:
            raise UnknownComponentError(f"there is no kind of component called {kind!r}.{did_you_mean(kind, _BY_KIND)}")
        offers = [spec for _, spec in self._offers if (spec.kind, spec.name) == (kind, name)]
        if not offers:
            raise UnknownComponentError(self._unknown(kind, name))
        if len(offers) > 1:
            raise PluginClashError(_clash(offers))
        return offers[0]

    def clashes(self) -> list[str]:
        """One message for each name that is offered more than once in its kind."""
        named: dict[tuple[str, str], list[Spec]] = {}
        for _, spec in self._offers:
            named.setdefault((spec.kind, spec.name), []).append(spec)
        return [_clash(specs) for specs in named.values() if len(specs) > 1]

    def _all(self, kind: type[S]) -> dict[str, S]:
        found: dict[str, S] = {}
        for _, spec in self._offers:
            if isinstance(spec, kind):
                if spec.name in found:
                    raise PluginClashError(_clash([found[spec.name], spec]))
                found[spec.name] = spec
        return found

    def _collect(self, status: PluginStatus) -> None:
        """Ask one plugin for what it offers; one that raises is out, with everything it offered."""
        started = time.perf_counter()
        specs: list[Spec] = []
        errors: list[BaseException] = []
        # After the first error the other hooks are asked all the same, to know what is lost with the plugin.
        for hook, implementation in self._loader.calls(status.name):
            try:
                specs.extend(_records(hook, implementation, status))
                _check_unique(specs)
            except (Exception, SystemExit) as error:
                if status.is_core:
                    raise
                errors.append(error)
        if errors:
            failed = self._loader.fail(status.name, errors[0])
            self._lost.update({(spec.kind, spec.name): failed for spec in specs})
            return
        self._loader.settle(status.name, [f"{spec.kind}:{spec.name}" for spec in specs], time.perf_counter() - started)
        self._offers.extend((status.name, spec) for spec in specs)

    def _unknown(self, kind: str, name: str) -> str:
        """Say why there is no such component and what to do about it."""
        label = _BY_KIND[kind].label
        message = f"no plugin offers the {label} {name!r}."
        package = KNOWN.get((kind, name))
        out = [status for status in self.statuses() if status.state is not PluginState.ACTIVE]
        lost = self._lost.get((kind, name))
        owner = next(
            (status for status in out if status is lost or status.name == name or status.distribution == package), None
        )
        if owner is not None:
            state = "failed" if owner.state is PluginState.FAILED else f"is {owner.state}"
            told = f"{message} The {owner.provider} {state}: {owner.error}"
            return f"{told}\n\n{owner.traceback.rstrip()}" if owner.traceback else told
        if package:
            return f"{message} It comes with {package}: pip install {package}."
        message += did_you_mean(name, [spec.name for _, spec in self._offers if spec.kind == kind])
        idle = next((one for one in out if one.path and one.state is PluginState.DISABLED), None)
        if idle is not None:
            message += f" It may be of the {idle.provider}, which is {idle.error}."
        failed = [status.name for status in out if status.state is PluginState.FAILED]
        if failed:
            shows = ", ".join(f"'cambist plugins show {one}'" for one in failed)
            message += f" It may belong to a plugin that failed; {shows} tells why."
        return message


def _records(hook: str, implementation: Callable[[], Any], status: PluginStatus) -> list[Spec]:
    """Call one implementation and take its records, each with its provider noted."""
    wanted = _BY_HOOK[hook]
    result = implementation()
    if inspect.iscoroutine(result):
        result.close()
        raise PluginLoadError(f"{hook} returned a coroutine; hooks are plain functions that return records")
    if result is None:
        raise PluginLoadError(f"{hook} returned None; return a list of {wanted.__name__}, empty if there is nothing")
    if isinstance(result, Spec | str) or not hasattr(result, "__iter__"):
        raise PluginLoadError(f"{hook} returned {result!r}; return a list of {wanted.__name__}")
    specs = []
    for spec in cast("Iterable[Any]", result):
        if not isinstance(spec, wanted):
            raise PluginLoadError(f"{hook} returned {spec!r} among its records; it takes {wanted.__name__} only")
        usable = _of_one_file(spec, Path(status.path)) if status.path else spec
        specs.append(attrs.evolve(usable, provider=status.provider))
    return specs


def _of_one_file(spec: Spec, path: Path) -> Spec:
    """Return a record of the plugin beside a run file as one that can be used."""
    if isinstance(spec, CommandSpec):
        raise PluginLoadError(
            f"offers the command {spec.name!r}, which nobody could call: commands are looked for before a run file is "
            f"read. Make a package of it: cambist plugins new"
        )
    return own_references(spec, path)


def _check_unique(specs: list[Spec]) -> None:
    seen: set[tuple[str, str]] = set()
    for spec in specs:
        if (spec.kind, spec.name) in seen:
            raise PluginLoadError(f"offers the {spec.label} {spec.name!r} twice")
        seen.add((spec.kind, spec.name))


def _clash(specs: list[Spec]) -> str:
    providers = " and ".join(spec.provider for spec in specs)
    remedy = "Uninstall one of them, or leave one out with CAMBIST_DISABLE_PLUGINS."
    if any(spec.provider.startswith(f"plugin {LOCAL!r} ") for spec in specs):
        remedy = "Give that of the file another name, or leave one out with CAMBIST_DISABLE_PLUGINS."
    return f"the {specs[0].label} {specs[0].name!r} is offered by {providers}. {remedy}"
