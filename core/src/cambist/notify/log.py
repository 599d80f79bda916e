"""The notification channel that is always there: the log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from cambist.ports.notifier import NoticeLevel

if TYPE_CHECKING:
    from cambist.ports.notifier import Notice

__all__ = ["LogNotifier"]

_LEVELS = {
    NoticeLevel.INFO: logging.INFO,
    NoticeLevel.WARNING: logging.WARNING,
    NoticeLevel.ERROR: logging.ERROR,
    NoticeLevel.CRITICAL: logging.CRITICAL,
}


class LogNotifier:
    """Writes each notice to the log, at the level of the same name.

    The standard library's logger is used, so that a notice is seen whether or not `cambist.observe` was set up; where
    it was, the record goes through the same redaction and comes out in the same form as every other. Title, text and
    fields are attributes of the record too (``notice_title``, ``notice_text``, ``notice_fields``), for handlers that
    keep structure.

    Parameters
    ----------
    logger
        Name of the logger.
    """

    def __init__(self, logger: str = "cambist.notify") -> None:
        self._logger = logging.getLogger(logger)

    def send(self, notice: Notice) -> None:
        """Log one notice as ``title: text [name=value ...]``."""
        words = [notice.title]
        if notice.text:
            words.append(f": {notice.text}")
        if notice.fields:
            words.append(f" [{' '.join(f'{name}={value}' for name, value in notice.fields.items())}]")
        self._logger.log(
            _LEVELS[notice.level],
            "%s",
            "".join(words),
            extra={
                "notice_title": notice.title,
                "notice_text": notice.text,
                "notice_fields": dict(notice.fields),
            },
        )
