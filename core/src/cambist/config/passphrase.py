"""Where the passphrase of the secrets file comes from: a file, the environment, or somebody at a terminal."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cambist.config.secrets import read_secret_file
from cambist.errors import ConfigError
from cambist.observe.redaction import register_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FILE", "PASSPHRASE", "SECRETS_FILE", "default_secrets_file", "find_passphrase"]

#: Environment variables: where the secrets are, and what opens them.
SECRETS_FILE = "CAMBIST_SECRETS_FILE"
PASSPHRASE = "CAMBIST_SECRETS_PASSPHRASE"  # noqa: S105 - the name of a variable
FILE = "_FILE"


def default_secrets_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the secrets of this user are: ``$CAMBIST_SECRETS_FILE``, or in his folder for configuration."""
    said = environ.get(SECRETS_FILE)
    if said:
        return Path(said).expanduser()
    base = environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "cambist" / "secrets"


def find_passphrase(
    path: Path,
    variable: str = PASSPHRASE,
    given: Path | None = None,
    *,
    prompt: str = "Passphrase",
    repeat: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> str:
    """Return the passphrase of a secrets file.

    Parameters
    ----------
    path
        Of the secrets file, for messages.
    variable
        What the environment calls it; with ``_FILE`` behind it, where a file with it is.
    given
        A file that was named for it; comes first.
    prompt, repeat
        How a person is asked, and whether twice, where it is a new one.
    environ
        The environment.

    Raises
    ------
    ConfigError
        The file cannot be read, or there is nobody to be asked.
    """
    said = given or (Path(environ[f"{variable}{FILE}"]) if environ.get(f"{variable}{FILE}") else None)
    if said is not None:
        problem, found = read_secret_file(said)
        if problem:
            raise ConfigError(f"the passphrase of {path}: {problem}")
    elif environ.get(variable):
        found = environ[variable]
    elif sys.stdin is not None and sys.stdin.isatty():
        found = _asked(f"{prompt} of {path}", repeat=repeat)
    else:
        raise ConfigError(
            f"the secrets file {path} takes a passphrase, and nobody can be asked here. Set {variable}{FILE} to a file "
            f"with it, or {variable}."
        )
    register_secret(found)
    return found


def _asked(prompt: str, *, repeat: bool) -> str:
    import getpass

    while True:
        found = getpass.getpass(f"{prompt}: ")
        if not found:
            raise ConfigError("the passphrase is empty.")
        if not repeat or getpass.getpass("Once more: ") == found:
            return found
        sys.stderr.write("They differ; once more.\n")
