"""Who keeps secrets: the core's own providers, and how a reference finds the one that it names."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cambist.config.passphrase import default_secrets_file, find_passphrase
from cambist.config.secrets import read_secret_file
from cambist.config.secrets_file import SecretsFile
from cambist.errors import CambistError, ConfigError, MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist.config.secrets import Lookup
    from cambist.ports.secrets import SecretProvider

__all__ = [
    "EncryptedSecrets",
    "EnvironmentSecrets",
    "KeyringSecrets",
    "MountedSecrets",
    "default_lookup",
    "lookup_of",
]


class EnvironmentSecrets:
    """``secret://env/NAME``: an environment variable, as ``${env:NAME}``."""

    def resolve(self, name: str) -> str | None:
        """Return the value of a variable; one that is empty is none."""
        return os.environ.get(name) or None


class MountedSecrets:
    """``secret://mount/NAME``: a file of that name in a folder, as Docker and Kubernetes mount secrets.

    Parameters
    ----------
    folder
        Where they are mounted.
    """

    def __init__(self, folder: str = "/run/secrets") -> None:
        self._folder = Path(folder)

    def resolve(self, name: str) -> str | None:
        """Return what is in a file, without the line break at its end.

        Raises
        ------
        ConfigError
            The name leads out of the folder, or the file cannot be read or holds no text.
        """
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ConfigError(f"a mounted secret is named by a file below {self._folder}, without '..'.")
        path = self._folder / name
        if not path.exists():
            return None
        problem, found = read_secret_file(path)
        if problem:
            raise ConfigError(problem)
        return found


class KeyringSecrets:
    """``secret://keyring/NAME``: the keyring of the desktop, as ``keyring set cambist NAME`` fills it.

    Parameters
    ----------
    service
        Under which the keyring keeps them.
    """

    def __init__(self, service: str = "cambist") -> None:
        self._service = service

    def resolve(self, name: str) -> str | None:
        """Return the password of a name.

        Raises
        ------
        MissingDependencyError
            The package keyring is not installed.
        ConfigError
            There is no keyring here, or it is locked.
        """
        try:
            import keyring
            from keyring.errors import KeyringError
        except ModuleNotFoundError as error:
            raise MissingDependencyError("the keyring needs its package: pip install 'cambist[secrets]'.") from error
        try:
            return keyring.get_password(self._service, name) or None
        except KeyringError as error:
            kind = type(error).__name__
            raise ConfigError(
                f"the keyring cannot be asked ({kind}). Unlock it; where there is none, as on a server, keep secrets "
                "with 'cambist secrets set'."
            ) from None


class EncryptedSecrets:
    """``secret://encrypted/NAME``: the encrypted file that ``cambist secrets`` keeps.

    Parameters
    ----------
    file
        Its path; by default that of ``cambist secrets``.
    passphrase_file
        A file with its passphrase; by default that of ``CAMBIST_SECRETS_PASSPHRASE_FILE``, the text of
        ``CAMBIST_SECRETS_PASSPHRASE``, or a question at the terminal.
    """

    def __init__(self, file: str = "", passphrase_file: str = "") -> None:
        for said in filter(None, (file, passphrase_file)):
            if not Path(said).expanduser().is_absolute():
                raise ConfigError(f"{said!r} is a path from nowhere in particular. Begin it with / or ~.")
        self._file = SecretsFile(Path(file) if file else default_secrets_file())
        self._passphrase_file = Path(passphrase_file).expanduser() if passphrase_file else None

    def resolve(self, name: str) -> str | None:
        """Return a secret of the file; errors are those of `SecretsFile.names`."""
        return self._file.get(name, partial(find_passphrase, self._file.path, given=self._passphrase_file))


def lookup_of(registry: Any, settings: Mapping[str, Mapping[str, Any]] | None = None) -> Lookup:
    """Return what answers references.

    Parameters
    ----------
    registry
        Knows the providers: a `cambist.plugins.registry.Registry`.
    settings
        Of providers, by their names: ``[secrets.NAME]`` of a run file, checked.
    """
    made: dict[str, SecretProvider] = {}

    def look_up(provider: str, name: str) -> str:
        if provider not in made:
            factory: Any = registry.get("secret_provider", provider).load()
            made[provider] = factory(**(settings or {}).get(provider, {}))
        found: Any
        try:
            found = made[provider].resolve(name)
        except CambistError:
            raise
        except Exception as error:  # noqa: BLE001 - of a plugin; what it says may hold the secret, and is not shown
            kind = type(error).__name__
            raise ConfigError(f"the provider {provider!r} failed with {kind}, which is not shown.") from None
        if found is None:
            raise ConfigError(f"{provider} has no secret {name!r}. {_REMEDIES.get(provider, 'Correct the name.')}")
        if not isinstance(found, str) or not found:
            raise ConfigError(f"what {provider} has as {name!r} is {'empty' if found == '' else 'no text'}.")
        return found

    return look_up


_REMEDIES = {
    "encrypted": "'cambist secrets list' shows what there is, 'cambist secrets set NAME' adds one.",
    "keyring": "'keyring set cambist NAME' adds one.",
    "mount": "Mount it, or correct the name.",
    "env": "Set the variable before the start.",
}


def default_lookup(provider: str, name: str) -> str:
    """Answer a reference that belongs to no run file, by what is installed."""
    from cambist.plugins.registry import Registry

    return lookup_of(Registry.discover())(provider, name)
