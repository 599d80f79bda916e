"""What carries a notice to people."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Notice", "NoticeLevel", "Notifier"]


class NoticeLevel(StrEnum):
    """How much a notice matters."""

    #: Worth knowing; nobody has to act.
    INFO = "info"
    #: Something is not as it should be; the run goes on.
    WARNING = "warning"
    #: Something failed; somebody should look.
    ERROR = "error"
    #: The run cannot protect itself; somebody must act now.
    CRITICAL = "critical"


@attrs.frozen(kw_only=True)
class Notice:
    """Something that people should know.

    Attributes
    ----------
    level
        How much it matters.
    title
        One line.
    text
        The rest, plain text; may be empty and may hold several lines.
    fields
        Facts by name, such as ``{"symbol": "BTC/USDT", "order": "17"}``; never a secret.
    """

    level: NoticeLevel = attrs.field(default=NoticeLevel.INFO, converter=NoticeLevel)
    title: str
    text: str = ""
    fields: Mapping[str, str] = attrs.field(factory=dict)


class Notifier(Protocol):
    """A channel to people."""

    def send(self, notice: Notice) -> None:
        """Deliver one notice, or raise; the caller decides whether to try again.

        It is called from one thread at a time and may block: never from inside an engine step.
        """
