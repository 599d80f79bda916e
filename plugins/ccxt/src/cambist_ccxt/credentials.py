"""Keys of an account, which never show themselves."""

from __future__ import annotations

import attrs

from cambist.api import ParameterError

__all__ = ["Credentials"]


@attrs.frozen(repr=False, eq=False)
class Credentials:
    """What signs requests.

    Attributes
    ----------
    key
        ``""`` where there is none: market data alone.
    secret
        Of an HMAC key; the PEM text of a private key of the others.
    password
        Where the venue wants one besides.

    Raises
    ------
    ParameterError
        There is one of key and secret without the other.
    """

    key: str = ""
    secret: str = ""
    password: str = ""

    def __attrs_post_init__(self) -> None:
        if bool(self.key) != bool(self.secret):
            missing = "secret" if self.key else "key"
            raise ParameterError(f"the {missing} is missing: give key and secret, or neither for market data alone.")
        for name in ("key", "secret"):
            value = getattr(self, name)
            if value != value.strip():
                raise ParameterError(
                    f"the {name} begins or ends with white space, which no venue's does; copy it again."
                )

    def __bool__(self) -> bool:
        return bool(self.key)

    def __repr__(self) -> str:
        return "Credentials(given)" if self else "Credentials(none)"
