"""What an order manager is told of a request, by how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.api import Answered, Declined, Unanswered, VenueError
from cambist_ccxt.errors import BusyError, NotSentError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from cambist.api import Outcome
    from cambist.model import OrderReport

__all__ = ["outcome_of"]


async def outcome_of(asked: Awaitable[OrderReport | None]) -> Outcome:
    """Turn how a request ended into what an order manager is told.

    Only what certainly did nothing is `Declined`: it never left, or the venue refused it with a code that says so.
    """
    try:
        return Answered(await asked)
    except BusyError as error:
        return Declined("rate_limit", str(error), error.retry_after)
    except RefusedError as error:
        return Declined(error.reason, f"{error.text} ({error.code})" if error.code else error.text)
    except NotSentError as error:
        return Declined(error.code or "unreachable", str(error))
    except VenueError as error:
        # Names that nobody knows are found out before anything leaves.
        if error.code in {"unknown_symbol", "symbol_halted"}:
            return Declined(error.code, str(error))
        return Unanswered(str(error))
