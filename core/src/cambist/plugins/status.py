"""What became of a plugin."""

from __future__ import annotations

from enum import StrEnum

import attrs

__all__ = ["CORE", "PluginState", "PluginStatus"]

#: Name of the plugin that holds the core's own parts.
CORE = "cambist"


class PluginState(StrEnum):
    """Where a plugin stands after loading."""

    #: Its components can be used.
    ACTIVE = "active"
    #: It raised, or offered something unusable; nothing of it is registered.
    FAILED = "failed"
    #: Switched off by the environment; it was not imported.
    DISABLED = "disabled"
    #: Made for another plugin API; it was not imported.
    INCOMPATIBLE = "incompatible"


@attrs.frozen(kw_only=True, eq=False)
class PluginStatus:
    """One plugin, as `cambist plugins list` shows it.

    Attributes
    ----------
    name
        Name of its entry point.
    distribution, version
        Of the installed package that holds it; empty for a module handed over by hand.
    path
        The file that it is, where it stands beside a run file; empty for any other.
    api
        Major number of the plugin API it was made for.
    state
        Where it stands.
    components
        What it offers, as ``"kind:name"``, in the order of the kinds.
    error
        Why it is not active, in one line; empty when it is.
    traceback
        Of the exception that stopped it; empty when none did.
    seconds
        What its import and its hooks cost.
    heavy
        Libraries that its module imported, although each takes its time at every start.
    cause
        The exception that stopped it.
    """

    name: str
    distribution: str = ""
    version: str = ""
    path: str = ""
    api: int = 1
    state: PluginState = PluginState.ACTIVE
    components: tuple[str, ...] = ()
    error: str = ""
    traceback: str = ""
    seconds: float = 0.0
    heavy: tuple[str, ...] = ()
    cause: BaseException | None = attrs.field(default=None, repr=False)

    @property
    def is_core(self) -> bool:
        """Whether it holds the core's own parts."""
        return self.name == CORE

    @property
    def provider(self) -> str:
        """Name and origin, for messages: ``plugin 'samples' (cambist-samples 0.1.0)``."""
        if self.is_core:
            return f"the core ({self.distribution} {self.version})"
        origin = f"{self.distribution} {self.version}".strip() or self.path
        return f"plugin {self.name!r} ({origin})" if origin else f"plugin {self.name!r}"
