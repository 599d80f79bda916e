"""Which settings belong to play money, and which to real money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cambist.api import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["fit_environment", "is_here"]

_HERE = frozenset({"127.0.0.1", "::1", "localhost"})


def is_here(url: str) -> bool:
    """Whether an address is one of this machine."""
    try:
        return urlsplit(url).hostname in _HERE
    except ValueError:  # no address at all: whoever connects to it says so
        return False


def fit_environment(environment: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an environment adds to the settings of a session that polls.

    Raises
    ------
    ConfigError
        A setting belongs to another environment.
    """
    urls = settings.get("urls") or {}
    here = [is_here(str(url)) for url in urls.values()] if isinstance(urls, dict) else []
    sandbox = settings.get("sandbox")
    if environment == "dev":
        if not here or not all(here):
            raise ConfigError(
                "in dev the venue is a simulator on this machine: give urls, such as "
                '{ public = "http://127.0.0.1:8800" }, all of them on 127.0.0.1.'
            )
        return {}
    if any(here):
        raise ConfigError(
            f"urls leads to this machine, which is no place of {environment}: leave it out, or write "
            "environment = 'dev'."
        )
    if environment == "testnet":
        if sandbox is False:
            raise ConfigError("sandbox = false is real money; in testnet it is true. Leave it out.")
        return {"sandbox": True}
    if sandbox:
        raise ConfigError("sandbox = true is play money; in production it is false. Leave it out.")
    return {}
