"""Loads plugins, each by itself: one that fails costs nothing but its own parts.

pluggy's loader stops at the first plugin that raises, takes a misspelt hook name without a word, and in version 1.6
leaves half of a refused plugin behind. Hence this one, which keeps a status for each plugin and undoes what it began.
"""

from __future__ import annotations

import inspect
import logging
import time
import traceback
from types import ModuleType
from typing import TYPE_CHECKING, Any

import attrs
import pluggy

from cambist.errors import PluginLoadError, did_you_mean
from cambist.plugins import hookspecs
from cambist.plugins.discovery import ALLOW, API, Switches, core_version, installed_offers
from cambist.plugins.hookspecs import PROJECT
from cambist.plugins.local import LOCAL, import_local
from cambist.plugins.specs import NAME_PATTERN, SPECS
from cambist.plugins.status import CORE, PluginState, PluginStatus
from cambist.plugins.weight import heavy_now, weighs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from cambist.plugins.discovery import Offer

__all__ = ["Loader"]

_log = logging.getLogger("cambist.plugins")


class Loader:
    """Imports and registers plugins and keeps account of what became of each.

    Parameters
    ----------
    strict
        Stop at the first plugin that cannot be used, instead of going on without it.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._hooks = [spec.hook for spec in SPECS]
        self._statuses: list[PluginStatus] = []

    @property
    def statuses(self) -> list[PluginStatus]:
        """One record a plugin, in the order in which they came."""
        return list(self._statuses)

    def load_core(self, modules: Iterable[ModuleType]) -> None:
        """Register the core's own parts as one plugin. They are never skipped: a core that lacks them is broken."""
        for module in modules:
            self._register(module, f"{CORE}:{module.__name__.rpartition('.')[2]}")
        self._statuses.append(PluginStatus(name=CORE, distribution=CORE, version=core_version(), api=API))

    def load_module(self, module: ModuleType) -> None:
        """Register a module that is at hand."""
        self._attempt(PluginStatus(name=module.__name__, api=API), lambda: module, module.__name__)

    def load_installed(self, environ: Mapping[str, str]) -> None:
        """Import and register what installed distributions declare, as far as the environment lets them in."""
        switches = Switches.read(environ)
        offers = installed_offers()
        self._check_allowed(switches, [offer.name for offer in offers])
        for offer in offers:
            self._load_offer(offer, switches.refusal(offer.name))

    def load_local(self, path: Path, beside: Path, environ: Mapping[str, str], *, refusal: str = "") -> None:
        """Run and register the plugin of one file beside a run file, unless somebody says why not."""
        status = PluginStatus(name=LOCAL, path=str(path), api=API)
        refusal = refusal or Switches.read(environ).refusal(LOCAL)
        if refusal:
            self._statuses.append(attrs.evolve(status, state=PluginState.DISABLED, error=refusal))
        elif problem := self._name_problem(LOCAL):
            self._statuses.append(self._failed(status, PluginLoadError(problem)))
        else:
            self._attempt(status, lambda: import_local(path, beside), path.stem)

    def calls(self, name: str) -> list[tuple[str, Callable[[], Any]]]:
        """Every (hook name, implementation) of an active plugin, hooks in the order of their specification."""
        return [
            (hook, implementation.function)
            for hook in self._hooks
            for implementation in getattr(self._manager.hook, hook).get_hookimpls()
            if implementation.plugin_name.partition(":")[0] == name
        ]

    def settle(self, name: str, components: Iterable[str], seconds: float) -> None:
        """Note what an active plugin offers, and what asking it cost."""
        status = self._active(name)
        self._replace(status, attrs.evolve(status, components=tuple(components), seconds=status.seconds + seconds))

    def fail(self, name: str, error: BaseException) -> PluginStatus:
        """Take an active plugin out again: one of its hooks raised, or returned something unusable."""
        status = self._active(name)
        self._undo(name)
        failed = self._failed(status, error)
        self._replace(status, failed)
        return failed

    def _load_offer(self, offer: Offer, refusal: str) -> None:
        status = PluginStatus(name=offer.name, distribution=offer.distribution, version=offer.version, api=offer.api)
        if refusal:
            self._statuses.append(attrs.evolve(status, state=PluginState.DISABLED, error=refusal))
        elif offer.api != API:
            error = (
                f"made for plugin API {offer.api}; Cambist {core_version()} speaks {API}: install a version of "
                f"{offer.distribution} for API {API}, or another version of cambist"
            )
            if self.strict:
                raise PluginLoadError(f"{status.provider}: {error}.")
            _log.warning("%s is left out: %s", status.provider, error)
            self._statuses.append(attrs.evolve(status, state=PluginState.INCOMPATIBLE, error=error))
        elif problem := self._name_problem(offer.name):
            self._statuses.append(self._failed(status, PluginLoadError(problem)))
        else:
            self._attempt(status, offer.entry_point.load, offer.entry_point.value.partition(":")[0])

    def _name_problem(self, name: str) -> str:
        taken = next((one for one in self._statuses if one.name == name and one.state is PluginState.ACTIVE), None)
        if taken is not None:
            return f"the name {name!r} is taken by {taken.provider}; uninstall one of the two"
        if not NAME_PATTERN.fullmatch(name):
            return f"{name!r} is no plugin name: use lower-case letters, digits and hyphens, a letter first"
        return ""

    def _attempt(self, status: PluginStatus, load: Callable[[], Any], module_name: str) -> None:
        """Import and register one plugin; whatever it raises stays with it."""
        started, before = time.perf_counter(), heavy_now()
        try:
            self._register(load(), status.name)
        # A module that calls sys.exit() must not end the host either.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            self._undo(status.name)
            status = self._failed(status, error, module_name)
        heavy = tuple(sorted(heavy_now() - before))
        if heavy:
            _log.info("%s: %s", status.provider, weighs(heavy))
        self._statuses.append(attrs.evolve(status, seconds=time.perf_counter() - started, heavy=heavy))

    def _register(self, module: Any, name: str) -> None:
        if not isinstance(module, ModuleType):
            raise PluginLoadError(f"a plugin is a module, and {module!r} is none; let the entry point name the module")
        self._check_hooks(module)
        self._manager.register(module, name)

    def _check_hooks(self, module: ModuleType) -> None:
        """Refuse what pluggy would take silently."""
        implemented = False
        for attribute in dir(module):
            options = self._manager.parse_hookimpl_opts(module, attribute)
            if options is None:
                if attribute in self._hooks:
                    raise PluginLoadError(f"{attribute} is not marked, so it is never called: is @hookimpl missing?")
                continue
            implemented = True
            hook = options.get("specname") or attribute
            if hook not in self._hooks:
                if options.get("optionalhook"):
                    continue
                raise PluginLoadError(f"unknown hook {hook!r}.{did_you_mean(hook, self._hooks)}")
            function = getattr(module, attribute)
            if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
                raise PluginLoadError(f"{attribute} is asynchronous; hooks are plain functions that return records")
            if options.get("wrapper") or options.get("hookwrapper"):
                raise PluginLoadError(f"{attribute} is a wrapper; hooks only collect records, there is nothing to wrap")
        if not implemented:
            raise PluginLoadError(f"{module.__name__} implements no hook: is @hookimpl missing?")

    def _undo(self, name: str) -> None:
        if self._manager.has_plugin(name):
            self._manager.unregister(name=name)

    def _failed(self, status: PluginStatus, error: BaseException, module_name: str = "") -> PluginStatus:
        """Describe a failure; raise it instead when strict."""
        text, level = _diagnose(error, status, module_name)
        if self.strict:
            raise PluginLoadError(f"{status.provider} cannot be used: {text}") from error
        ours = isinstance(error, PluginLoadError)
        _log.log(level, "%s is left out: %s", status.provider, text)
        return attrs.evolve(
            status,
            state=PluginState.FAILED,
            components=(),
            error=text,
            traceback="" if ours else "".join(traceback.format_exception(error)),
            cause=error,
        )

    def _check_allowed(self, switches: Switches, names: list[str]) -> None:
        for name in sorted((switches.allowed or frozenset()) - {*names, LOCAL}):
            text = f"{ALLOW} names the plugin {name!r}, which is not installed.{did_you_mean(name, names)}"
            if self.strict:
                raise PluginLoadError(text)
            _log.warning("%s", text)

    def _active(self, name: str) -> PluginStatus:
        return next(one for one in self._statuses if one.name == name and one.state is PluginState.ACTIVE)

    def _replace(self, old: PluginStatus, new: PluginStatus) -> None:
        self._statuses[next(i for i, one in enumerate(self._statuses) if one is old)] = new


def _diagnose(error: BaseException, status: PluginStatus, module_name: str) -> tuple[str, int]:
    """Say in one line what stopped a plugin, and how loudly to log it.

    A library that is missing is the user's choice (info); one that is there but does not import is a broken
    installation (warning); anything else is a defect of the plugin (error).
    """
    if isinstance(error, PluginLoadError):
        return str(error), logging.WARNING
    text = " ".join(f"{type(error).__name__}: {error}".split())
    if isinstance(error, pluggy.PluginValidationError):
        return text.removeprefix("PluginValidationError: "), logging.WARNING
    # An operating system error of a more exact type (a missing file, say) is the plugin's own doing.
    if not isinstance(error, ImportError):
        return (f"{_BROKEN}: {text}", logging.WARNING) if type(error) is OSError else (text, logging.ERROR)
    package = (error.name or "").partition(".")[0]
    if package == "cambist":
        return f"{text}; it was written for another Cambist than {core_version()}", logging.WARNING
    if not isinstance(error, ModuleNotFoundError):
        return f"{_BROKEN}: {text}", logging.WARNING
    if package == module_name.partition(".")[0]:
        return f"its own module {error.name!r} does not exist", logging.WARNING
    again = f", or reinstall {status.distribution} with what it depends on" if status.distribution else ""
    return f"needs the module {error.name!r}, which is not installed: install it{again}", logging.INFO


_BROKEN = "a library it needs is installed but broken"
