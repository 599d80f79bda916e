"""Who keeps secrets, and gives one out by its name."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

__all__ = ["SecretProvider"]


@runtime_checkable
class SecretProvider(Protocol):
    """Keeps secrets; a run file names one of them as ``secret://PROVIDER/NAME``."""

    def resolve(self, name: str) -> str | None:
        """Return the secret of a name, or None where there is none.

        It is called when a secret is needed, each time anew, from any thread, and may block. Nothing of what it returns
        may be written anywhere, also not into an error.

        Parameters
        ----------
        name
            What stands behind the provider in the reference; it may have slashes in it.

        Raises
        ------
        ConfigError
            The secrets cannot be looked at: says what to do about it.
        """
        ...
