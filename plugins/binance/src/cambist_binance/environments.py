"""Which of the venue's worlds belong to play money, and which to real money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.api import ConfigError
from cambist_ccxt.environments import is_here

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["fit_environment"]

#: Worlds of the venue by where a run trades; the first unless another is named.
_WORLDS = {"testnet": ("testnet", "demo"), "production": ("mainnet",)}


def fit_environment(environment: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an environment adds to the settings of a session.

    Raises
    ------
    ConfigError
        A setting belongs to another environment.
    """
    url, world = settings.get("url"), settings.get("environment")
    if environment == "dev":
        if not isinstance(url, str) or not is_here(url):
            raise ConfigError(
                "in dev the venue is an exchange simulator on this machine: give its address, such as "
                "url = 'http://127.0.0.1:8800'."
            )
        return {}
    if url:
        raise ConfigError(
            f"url leads to a simulator, and the run trades in {environment}: leave url out, or write "
            "environment = 'dev' in [live]."
        )
    worlds = _WORLDS[environment]
    if world is not None and world not in worlds:
        raise ConfigError(
            f"environment = {world!r} is not of {environment}, where the venue has {' and '.join(worlds)}. Leave it "
            "out, or change the environment in [live]."
        )
    return {"environment": world or worlds[0]}
