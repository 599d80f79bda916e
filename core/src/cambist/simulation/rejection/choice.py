"""From what a user says to rejections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.errors import ParameterError
from cambist.simulation.catalog import make_model
from cambist.simulation.checks import is_number
from cambist.simulation.rejection.protocol import RejectionModel
from cambist.simulation.rejection.random_rejection import RandomRejection

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["rejection_model"]


def rejection_model(rejection: float | str | Mapping[str, Any] | RejectionModel | None) -> RejectionModel | None:
    """Return the model that `rejection` means, or None where nothing is refused.

    Parameters
    ----------
    rejection
        The fraction of new orders that is refused; a table with ``use`` and settings of the catalog; a model; None.

    Raises
    ------
    ParameterError
        For anything else.
    """
    if rejection is None:
        return None
    if is_number(rejection):
        return RandomRejection(rejection)
    if isinstance(rejection, str | dict):
        made: RejectionModel = make_model("rejection", rejection, "rejection")
        return made
    if isinstance(rejection, type) or not isinstance(rejection, RejectionModel):
        raise ParameterError(
            f"rejection is {rejection!r}; give the fraction of new orders that is refused, such as 0.02, a model with "
            "refusal(...), or None."
        )
    return rejection
