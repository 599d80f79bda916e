"""Logs: the standard library's records, written by structlog for people or for programs.

Everybody logs through ``logging.getLogger(...)``, we, strategies and libraries alike, so that one set-up holds for all.
structlog is imported with the first record that is written: it costs 0.1 s, and most runs write none.
"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

from cambist.errors import ConfigError, did_you_mean
from cambist.observe.context import current_context
from cambist.observe.redaction import REDACTOR

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from structlog.stdlib import BoundLogger
    from structlog.typing import Processor

    Fields = MutableMapping[str, Any]

__all__ = ["LEVELS", "configure", "get_logger"]

#: What `configure` takes as a level, from most to least.
LEVELS = ("debug", "info", "warning", "error", "critical")


def configure(level: str = "warning", *, json: bool = False, stream: TextIO | None = None) -> None:
    """Write every record of at least `level` to `stream`; calling it again replaces what the call before set up.

    A record carries its time (UTC), level, logger, text, the ids of `cambist.observe.log_context` and what the caller
    gave as ``extra``; secrets are masked, see `cambist.observe.Redactor`. Handlers that others installed stay as they
    are.

    Parameters
    ----------
    level
        One of `LEVELS`.
    json
        One JSON object a line, for programs; otherwise one line for people, in color where the stream is a terminal.
    stream
        Default: what ``sys.stderr`` is when a record is written.

    Raises
    ------
    ConfigError
        For an unknown level.
    """
    if level.lower() not in LEVELS:
        raise ConfigError(f"there is no log level {level!r}.{did_you_mean(level.lower(), LEVELS)}")
    handler = _Handler(stream)
    handler.setFormatter(_FirstUseFormatter(lambda: _formatter(json=json, handler=handler)))
    root = logging.getLogger()
    for old in [one for one in root.handlers if isinstance(one, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())


def get_logger(name: str) -> BoundLogger:
    """Return a structlog logger: keyword arguments become fields of the record, and `configure` says where it goes.

    Parameters
    ----------
    name
        As of ``logging.getLogger``.
    """
    import structlog

    if not structlog.is_configured():
        structlog.configure(
            processors=[
                structlog.stdlib.filter_by_level,
                structlog.stdlib.PositionalArgumentsFormatter(),
                structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
            ],
            logger_factory=structlog.stdlib.LoggerFactory(),
            wrapper_class=structlog.stdlib.BoundLogger,
            cache_logger_on_first_use=True,
        )
    logger: BoundLogger = structlog.stdlib.get_logger(name)
    return logger


class _Handler(logging.StreamHandler[TextIO]):
    """Ours, to be told from those of others; follows ``sys.stderr`` unless it was given a stream."""

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__(stream)
        self._own = stream

    @property
    def stream(self) -> TextIO:
        return self._own or sys.stderr

    @stream.setter
    def stream(self, stream: TextIO) -> None:
        self._own = None if stream is sys.stderr else stream


class _FirstUseFormatter(logging.Formatter):
    """Makes the formatter it stands for when the first record comes."""

    def __init__(self, make: Callable[[], logging.Formatter]) -> None:
        super().__init__()
        self._make = make
        self._made: logging.Formatter | None = None

    def format(self, record: logging.LogRecord) -> str:
        if self._made is None:
            self._made = self._make()
        return self._made.format(record)


def _formatter(*, json: bool, handler: _Handler) -> logging.Formatter:
    from structlog.contextvars import merge_contextvars
    from structlog.processors import StackInfoRenderer, format_exc_info
    from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name

    every: list[Processor] = [_drop_leavings, merge_contextvars, _add_ids, add_logger_name, add_log_level, _add_time]
    render: list[Processor] = [_json] if json else [_for_people, _console(handler)]
    return ProcessorFormatter(
        foreign_pre_chain=[ExtraAdder()],
        processors=[
            *every,
            StackInfoRenderer(),
            format_exc_info,
            ProcessorFormatter.remove_processors_meta,
            _redact,
            *render,
        ],
    )


def _drop_leavings(_logger: Any, _method: str, fields: Fields) -> Fields:
    """Drop what the formatter of another handler left on the record: no caller may use these names."""
    fields.pop("message", None)
    fields.pop("asctime", None)
    return fields


def _add_ids(_logger: Any, _method: str, fields: Fields) -> Fields:
    """Add the ids of the context; what the caller said himself wins."""
    for name, value in current_context().items():
        fields.setdefault(name, value)
    return fields


def _add_time(_logger: Any, _method: str, fields: Fields) -> Fields:
    """Add when the record was made, which may be before it is written."""
    made = datetime.fromtimestamp(fields["_record"].created, UTC)
    fields["time"] = made.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return fields


def _redact(_logger: Any, _method: str, fields: Fields) -> Fields:
    return REDACTOR.fields(fields)


def _json(_logger: Any, _method: str, fields: Fields) -> str:
    import msgspec

    head = {name: fields.pop(name) for name in ("time", "level", "logger", "event")}
    return msgspec.json.encode({**head, **fields}).decode()


def _for_people(_logger: Any, _method: str, fields: Fields) -> Fields:
    """Leave out what the text of a notice says already, see `cambist.notify`."""
    for name in [name for name in fields if name.startswith("notice_")]:
        del fields[name]
    return fields


def _console(handler: _Handler) -> Processor:
    from structlog.dev import ConsoleRenderer, plain_traceback

    colors = bool(getattr(handler.stream, "isatty", bool)())
    return ConsoleRenderer(
        colors=colors, timestamp_key="time", pad_event_to=0, pad_level=False, exception_formatter=plain_traceback
    )
