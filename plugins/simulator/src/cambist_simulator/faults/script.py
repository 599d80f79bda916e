"""Scripts of faults in TOML."""

from __future__ import annotations

import tomllib
from pathlib import Path

from cambist.api import ConfigError, ParameterError, did_you_mean
from cambist_simulator.faults.fault import Fault

__all__ = ["load_script", "parse_script"]


def load_script(path: Path | str) -> list[Fault]:
    """Read the faults of a file.

    Raises
    ------
    ConfigError
        The file cannot be read, is no TOML, or a fault in it cannot be; the message names file and fault.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        told = getattr(error, "strerror", None) or error
        raise ConfigError(f"the script of faults {str(path)!r} cannot be read: {told}.") from error
    return parse_script(text, name=str(path))


def parse_script(text: str, *, name: str = "script") -> list[Fault]:
    """Read the faults of a text: a table ``[[fault]]`` for each, with ``action`` and its settings.

    Examples
    --------
    ::

        [[fault]]
        action = "http_error"
        label = "order.place"
        nth = 2
        stage = "after"
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name} is no TOML: {error}.") from error
    for key in tables:
        if key != "fault":
            raise ConfigError(f"{name} has {key!r} at its top.{did_you_mean(key, ['fault'])}")
    found = tables.get("fault", [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ConfigError(f"{name}: 'fault' is a list of tables; begin each with [[fault]].")
    faults = []
    for number, settings in enumerate(found, start=1):
        try:
            faults.append(Fault.from_dict(settings))
        except ParameterError as error:
            raise ConfigError(f"{name}, fault {number}: {error}") from error
    return faults
