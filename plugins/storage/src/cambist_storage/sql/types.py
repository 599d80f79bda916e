"""Column types that keep what Python keeps, on every database."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Numeric, Text
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy import Dialect
    from sqlalchemy.types import TypeEngine

__all__ = ["Document", "Exact"]


class Exact(TypeDecorator[Decimal]):
    """A decimal, to the last digit: NUMERIC on PostgreSQL, text on SQLite, whose NUMERIC is a float.

    In SQL on SQLite, write ``CAST(size AS REAL)`` to reckon with it.
    """

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the database's type."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Numeric(asdecimal=True))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Write; exponents are written out, so that equal values are equal texts."""
        if value is None or dialect.name != "sqlite":
            return value
        return format(value, "f")

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 - the interface
        """Read."""
        return value if value is None or isinstance(value, Decimal) else Decimal(value)


class Document(TypeDecorator[Any]):
    """JSON as text: the same on every database, and readable in any tool."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002 - the interface
        """Write."""
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002 - the interface
        """Read."""
        return None if value is None else msgspec.json.decode(value)
