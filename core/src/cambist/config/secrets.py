"""Secrets: keys and passwords that are used and never shown, and where a run file says they come from."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from hmac import compare_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self

from cambist.config.environments import Environment
from cambist.errors import ConfigError, did_you_mean
from cambist.observe.redaction import MASK, register_secret

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

__all__ = ["Lookup", "Secret", "is_reference", "read_secret_file"]

#: Gives out the secret of a provider and a name, or raises `ConfigError`.
Lookup = Callable[[str, str], str]

_REFERENCE = re.compile(r"\$\{([a-z]*):(.*)\}", re.DOTALL)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SOURCES = ("env", "file")
#: A key is some lines of text; a larger file is something else.
_LONGEST_FILE = 65_536
_HOW = "Write ${env:NAME}, ${file:/path} or secret://PROVIDER/NAME."
_SCHEME = "secret://"
_PROVIDED = re.compile(r"secret://([a-z][a-z0-9-]*)/([A-Za-z0-9_][A-Za-z0-9_.@:+/-]{0,199})")


class Secret:
    """A text that never shows itself: not when printed, formatted, logged, dumped or pickled. `reveal` returns it.

    It is either there, or a reference to where it is, which is looked at each time that it is revealed, and not
    before: a key that was changed on the disk is the new one from then on. What it reveals is masked in logs.

    Parameters
    ----------
    value
        The secret itself, taken as it is; `parse` takes references.
    environment
        Where it may be used, if it is good for one alone; see `within`.

    Raises
    ------
    ConfigError
        It is empty.

    Examples
    --------
    >>> from cambist.api import Secret
    >>> key = Secret("open sesame")
    >>> f"{key} {key!r}", key.reveal()
    ("*** Secret('***')", 'open sesame')
    >>> Secret.parse("${env:BINANCE_KEY}")
    Secret('${env:BINANCE_KEY}')
    """

    __slots__ = ("__environment", "__lookup", "__place", "__reference", "__value")

    def __init__(self, value: object, *, environment: Environment | str | None = None) -> None:
        if not isinstance(value, str) or not value:
            raise ConfigError(f"a secret is {'empty' if value == '' else 'no text'}. {_HOW}")
        register_secret(value)
        self._set(value, None, environment, "")

    @classmethod
    def parse(cls, text: object, *, environment: Environment | str | None = None) -> Secret:
        """Return the secret of a text: what a reference refers to, or else the text itself.

        References are ``${env:NAME}``, ``${file:/path}`` and ``secret://PROVIDER/NAME``.

        Raises
        ------
        ConfigError
            It is empty, or looks like a reference and is none.
        """
        if isinstance(text, Secret):
            return text
        if not isinstance(text, str) or not ("${" in text or text.strip().lower().startswith(_SCHEME)):
            return cls(text, environment=environment)
        return cls._made(None, _check_reference(text.strip()), environment, "")

    @classmethod
    def _made(
        cls,
        value: str | None,
        reference: tuple[str, str] | None,
        environment: Environment | str | None,
        place: str,
        lookup: Lookup | None = None,
    ) -> Secret:
        made = cls.__new__(cls)
        cls._set(made, value, reference, environment, place, lookup)
        return made

    def _set(
        self,
        value: str | None,
        reference: tuple[str, str] | None,
        environment: Environment | str | None,
        place: str,
        lookup: Lookup | None = None,
    ) -> None:
        self.__lookup = lookup
        self.__value = value
        self.__reference = reference
        self.__environment = None if environment is None else Environment.parse(environment)
        self.__place = place

    @property
    def reference(self) -> str:
        """Where it comes from, such as ``"${env:NAME}"``; ``""`` for one that is there."""
        if self.__reference is None:
            return ""
        source, name = self.__reference
        return f"{source}{name}" if source.startswith(_SCHEME) else f"${{{source}:{name}}}"

    @property
    def environment(self) -> Environment | None:
        """Where it may be used; None for everywhere."""
        return self.__environment

    def placed(self, place: str, lookup: Lookup | None = None) -> Secret:
        """Return the same secret, which names `place` (such as ``notify[1].url``) when it cannot be had.

        Parameters
        ----------
        place
            The setting that it is.
        lookup
            Who answers ``secret://`` for it; by default the providers that are installed.
        """
        return self._made(self.__value, self.__reference, self.__environment, place, lookup)

    def within(self, environment: Environment | str) -> Secret:
        """Return the secret itself if it may be used in an environment.

        Raises
        ------
        ConfigError
            It is one of another environment.
        """
        asked = Environment.parse(environment)
        if self.__environment is not None and self.__environment is not asked:
            raise ConfigError(
                f"{self._called()} is of the environment {str(self.__environment)!r}, and the run is in "
                f"{str(asked)!r}. Give the key of {str(asked)!r}, or change the environment of the run."
            )
        return self

    def reveal(self) -> str:
        """Return the text; a file's without the line break at its end.

        Raises
        ------
        ConfigError
            What it refers to is not there, empty, or no text.
        """
        if self.__reference is None:
            assert self.__value is not None  # one of the two is there
            return self.__value
        source, name = self.__reference
        if source.startswith(_SCHEME):
            found = self._of_provider(source.removeprefix(_SCHEME).rstrip("/"), name)
        else:
            found = self._of_environment(name) if source == "env" else self._of_file(name)
        register_secret(found)
        return found

    def _called(self) -> str:
        words = [self.__place, self.reference and f"the secret {self.reference}"]
        return ", ".join(word for word in words if word) or "a secret"

    def _of_environment(self, name: str) -> str:
        if not os.environ.get(name):
            state = "is empty" if name in os.environ else "is not set"
            near = [one for one in os.environ if one != name and one.lower() == name.lower()]
            hint = f" Did you mean {near[0]}?" if near else f" Set it before the start: export {name}=..."
            raise ConfigError(f"{self._called()}: the environment variable {name} {state}.{hint}")
        return os.environ[name]

    def _of_provider(self, provider: str, name: str) -> str:
        from cambist.config.providers import default_lookup

        try:
            return (self.__lookup or default_lookup)(provider, name)
        except ConfigError as error:
            raise ConfigError(f"{self._called()}: {error}", code=error.code) from None

    def _of_file(self, name: str) -> str:
        problem, found = read_secret_file(Path(name))
        if problem:
            raise ConfigError(f"{self._called()}: {problem}")
        return found

    def __repr__(self) -> str:
        return f"Secret({self.reference or MASK!r})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, _spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        if (self.__reference, self.__environment) != (other.__reference, other.__environment):
            return False
        return compare_digest((self.__value or "").encode(), (other.__value or "").encode())

    def __hash__(self) -> int:
        return hash((Secret, self.__reference, self.__environment))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    def __getstate__(self) -> NoReturn:
        raise TypeError(f"a Secret is not written anywhere; pass a reference on instead. {_HOW}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Let a reference go to another process, which looks for itself; a secret that is there stays here."""
        if self.__reference is None:
            self.__getstate__()
        return _again, (self.reference, self.__environment, self.__place)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Tell pydantic: a text or a table with its environment comes in, and nothing but a mask or a reference out."""
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            _of_setting,
            json_schema_input_schema=core_schema.union_schema([core_schema.str_schema(), _table_schema()]),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda secret: secret.reference or MASK, when_used="json"
            ),
        )


def _table_schema() -> CoreSchema:
    from pydantic_core import core_schema

    fields = {
        "value": core_schema.typed_dict_field(core_schema.str_schema()),
        "environment": core_schema.typed_dict_field(core_schema.str_schema(), required=False),
    }
    return core_schema.typed_dict_schema(fields, extra_behavior="forbid")


def _again(reference: str, environment: Environment | None, place: str) -> Secret:
    return Secret.parse(reference, environment=environment).placed(place)


def _of_setting(given: Any) -> Secret:
    """Return the secret that a setting means: a text, or ``{ value = "${env:NAME}", environment = "testnet" }``."""
    from pydantic_core import PydanticCustomError

    secret, said = _secret_or_problem(given)
    if secret is None:
        # Raised from nothing: an error that is chained shows what was given.
        raise PydanticCustomError("secret", "{said}", {"said": said})
    return secret


def _secret_or_problem(given: Any) -> tuple[Secret | None, str]:
    if isinstance(given, dict) and not {"value"} <= set(given) <= {"value", "environment"}:
        return None, "a secret in a table takes the keys value and environment."
    value, environment = (given["value"], given.get("environment")) if isinstance(given, dict) else (given, None)
    try:
        return Secret.parse(value, environment=environment), ""
    except ConfigError as error:
        return None, str(error)


def is_reference(text: str) -> bool:
    """Tell whether a text names the place of a secret, and is not the secret itself."""
    try:
        return bool(_check_reference(text.strip())) if "${" in text or _SCHEME in text else False
    except ConfigError:
        return False


def _check_reference(text: str) -> tuple[str, str]:
    """Take a reference apart; nothing of a text that is none is shown, for it may be the secret."""
    if text.lower().startswith(_SCHEME):
        provided = _PROVIDED.fullmatch(text)
        if provided is None:
            raise ConfigError(
                "a secret begins with secret:// and is no reference: a provider in lower case and a name belong there, "
                "such as secret://encrypted/binance-key."
            )
        return f"{_SCHEME}{provided[1]}/", provided[2]
    match = _REFERENCE.fullmatch(text)
    if match is None or "${" in match[2]:
        raise ConfigError(f"a secret holds '${{' and is no reference as a whole. {_HOW}")
    source, name = match[1], match[2]
    if source not in _SOURCES:
        raise ConfigError(f"a secret refers to a source that is not known.{did_you_mean(source, _SOURCES)} {_HOW}")
    if source == "env" and not _VARIABLE.fullmatch(name):
        raise ConfigError(
            "a secret refers to an environment variable whose name is none: letters, digits and underscores, such as "
            "${env:BINANCE_KEY}."
        )
    if source == "file" and not Path(name).is_absolute():
        raise ConfigError(
            "a secret refers to a file by a path that does not begin at the root: ${file:/run/secrets/key}."
        )
    return source, name


def read_secret_file(path: Path) -> tuple[str, str]:
    """Return what is wrong with a file, or else the secret that is in it, without the line break at its end."""
    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST_FILE + 1)
    except FileNotFoundError:
        return f"there is no file {path}. Make it, readable by this user alone, or correct the path.", ""
    except OSError as error:
        return f"{path} cannot be read ({error.strerror}). Let this user read it.", ""
    if len(data) > _LONGEST_FILE:
        return f"{path} has more than {_LONGEST_FILE} bytes, and is hardly a key. Correct the path.", ""
    try:
        found = data.decode()
    except UnicodeDecodeError:
        return f"{path} is no text in UTF-8. Write the key into it as text.", ""
    found = found.removesuffix("\n").removesuffix("\r")
    return ("", found) if found else (f"{path} is empty. Write the key into it.", "")
