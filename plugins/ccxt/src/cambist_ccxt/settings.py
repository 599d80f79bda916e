"""Settings as they were given, checked, with errors that name each of them and show no value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ValidationError

from cambist.api import ParameterError, Secret, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MaybeSecret", "revealed", "settings_of"]

M = TypeVar("M", bound=BaseModel)

#: A secret, or none: an empty text is none.
MaybeSecret = Annotated[Secret | None, BeforeValidator(lambda given: None if given == "" else given)]


def revealed(secret: Secret | None) -> str:
    """Return the text of a secret, ``""`` for none.

    Raises
    ------
    ConfigError
        It cannot be had.
    """
    return "" if secret is None else secret.reveal()


def settings_of(model: type[M], given: Mapping[str, Any]) -> M:
    """Check settings against their model.

    Raises
    ------
    ParameterError
        Names every setting that cannot be, and why. Values are left out: under a wrong name there may be a secret.
    """
    try:
        return model(**given)
    except ValidationError as error:
        told = []
        for one in error.errors(include_input=False, include_url=False):
            name = ".".join(map(str, one["loc"]))
            if one["type"] == "extra_forbidden":
                told.append(f"there is no setting {name!r}.{did_you_mean(name, model.model_fields)}")
            else:
                told.append(f"{name}: {one['msg'][0].lower()}{one['msg'][1:]}.")
    raise ParameterError(" ".join(told))
