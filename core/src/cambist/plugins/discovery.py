"""Which plugins are installed, and which the environment lets in. Reads metadata only; imports no plugin."""

from __future__ import annotations

import logging
import re
from importlib import metadata
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.metadata import EntryPoint

__all__ = ["ALLOW", "API", "DENY", "GROUP", "Offer", "Switches", "core_version", "installed_offers"]

_log = logging.getLogger("cambist.plugins")

#: Major number of the plugin API that this core speaks. The entry-point group carries it, so that a plugin made for
#: another one is known as such without being imported.
API = 1
GROUP = f"cambist.v{API}"
_GROUPS = re.compile(r"cambist\.v(\d+)")

#: Environment variables, comma-separated plugin names.
ALLOW = "CAMBIST_PLUGINS"
DENY = "CAMBIST_DISABLE_PLUGINS"


def core_version() -> str:
    """Version of the installed core, or ``"unknown"`` when it runs without being installed."""
    try:
        return metadata.version("cambist")
    except metadata.PackageNotFoundError:
        return "unknown"


@attrs.frozen(kw_only=True, eq=False)
class Offer:
    """A plugin that an installed distribution declares."""

    name: str
    api: int
    distribution: str
    version: str
    entry_point: EntryPoint


def installed_offers() -> list[Offer]:
    """Every declared plugin, by name, then distribution, the API this core speaks first.

    A distribution that declares one plugin for several APIs serves several cores: only its best fit is returned.
    """
    found: dict[tuple[str, str], Offer] = {}
    for entry_point in _declared():
        match = _GROUPS.fullmatch(entry_point.group)
        if match:
            offer = _offer(entry_point, int(match[1]))
            key = (offer.name, offer.distribution)
            if key not in found or _rank(offer) < _rank(found[key]):
                found[key] = offer
    return [found[key] for key in sorted(found)]


def _declared() -> list[EntryPoint]:
    try:
        every = metadata.entry_points()
        return [one for group in every.groups if _GROUPS.fullmatch(group) for one in every.select(group=group)]
    # The standard library reads all distributions or none. One whose metadata is damaged must not hide the others.
    except Exception:  # noqa: BLE001
        return [one for distribution in metadata.distributions() for one in _entry_points_of(distribution)]


def _entry_points_of(distribution: metadata.Distribution) -> list[EntryPoint]:
    try:
        return list(distribution.entry_points)
    except Exception as error:  # noqa: BLE001 -- whatever the damage raises
        _log.warning("the metadata of %s cannot be read (%s); reinstall it", distribution.name, error)
        return []


def _offer(entry_point: EntryPoint, api: int) -> Offer:
    distribution = entry_point.dist
    # Metadata of a half-removed installation may lack either field.
    fields = distribution.metadata if distribution else None
    return Offer(
        name=entry_point.name,
        api=api,
        distribution=str(fields["Name"]) if fields and "Name" in fields else "unknown",
        version=str(fields["Version"]) if fields and "Version" in fields else "unknown",
        entry_point=entry_point,
    )


def _rank(offer: Offer) -> tuple[bool, int]:
    return (offer.api != API, -offer.api)


@attrs.frozen(eq=False)
class Switches:
    """What the environment says about plugins.

    Attributes
    ----------
    allowed
        The only plugins to load, or None for all. Empty means none. The core's own parts are always there.
    denied
        Plugins to leave out; wins over `allowed`.
    """

    allowed: frozenset[str] | None
    denied: frozenset[str]

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Switches:
        """Read `CAMBIST_PLUGINS` and `CAMBIST_DISABLE_PLUGINS`."""
        allowed = environ.get(ALLOW)
        return cls(None if allowed is None else _words(allowed), _words(environ.get(DENY, "")))

    def refusal(self, name: str) -> str:
        """Why a plugin stays out; empty when it may come in."""
        if name in self.denied:
            return f"named in {DENY}"
        if self.allowed is not None and name not in self.allowed:
            return f"not named in {ALLOW}"
        return ""


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip() for word in text.split(",") if word.strip())
