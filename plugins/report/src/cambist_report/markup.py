"""Pieces of HTML: escaped text, tables, cards."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from cambist.analysis import Unit, format_value, money_places

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cambist import Result

__all__ = ["Markup", "Wording", "card", "escape", "sign_class", "signed", "slug", "table"]


class Wording:
    """How numbers of a run are written.

    Parameters
    ----------
    currency
        Of the account.
    initial
        What it began with, which says how many decimals its money needs.
    """

    def __init__(self, currency: str, initial: float) -> None:
        self.currency = currency
        self.places = money_places(initial)

    @classmethod
    def of(cls, result: Result) -> Wording:
        """Return how numbers of a result are written."""
        return cls(result.currency, result.initial_cash)

    def money(self, value: float | None, *, signed: bool = False) -> str:
        """Write an amount of the account's currency, without the currency."""
        text = format_value(value, Unit.MONEY, self.places)
        return f"+{text}" if signed and value is not None and value > 0 else text

    def share(self, value: float | None) -> str:
        """Write a fraction of a whole as a percentage."""
        return format_value(value, Unit.SHARE, self.places)

    def change(self, value: float | None) -> str:
        """Write a signed fraction as a percentage."""
        return format_value(value, Unit.RETURN, self.places)

    def ratio(self, value: float | None) -> str:
        """Write a plain number."""
        return format_value(value, Unit.RATIO, self.places)

    def seconds(self, value: float | None) -> str:
        """Write a length of time."""
        return format_value(value, Unit.SECONDS, self.places)


def sign_class(value: float | None) -> str:
    """Return the class of CSS by which a number's color follows its sign."""
    if value is None or value != value or value == 0:  # noqa: PLR0124 - NaN alone differs from itself
        return ""
    return "gain" if value > 0 else "loss"


def table(
    headers: Sequence[str], rows: Iterable[Sequence[object]], *, caption: str = "", texts: int = 1, key: str = ""
) -> str:
    """Return a table; what is no `Markup` is escaped.

    Parameters
    ----------
    headers, rows
        Of texts.
    caption
        Read to those who do not see it.
    texts
        How many columns at the left hold words; the others are numbers and stand at the right.
    key
        Id of the table.
    """

    def cell(value: object, number: int, name: str) -> str:
        attributes = "" if number < texts else ' class="num"'
        scope = ' scope="row"' if name == "th" and number == 0 else ""
        return f"<{name}{scope}{attributes}>{value if isinstance(value, Markup) else escape(str(value))}</{name}>"

    head = "".join(
        f'<th scope="col"{"" if number < texts else " class=num"}>{escape(text)}</th>'
        for number, text in enumerate(headers)
    )
    body = "".join(
        "<tr>" + "".join(cell(value, n, "th" if n == 0 else "td") for n, value in enumerate(row)) + "</tr>"
        for row in rows
    )
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    named = f' id="{key}"' if key else ""
    return f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(caption or "Table")}"><table{named}>{said}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'  # noqa: E501 - one tag after the other


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def signed(text: str, value: float | None) -> Markup:
    """Return a number whose color follows its sign; the sign itself is in the text."""
    return Markup(f'<span class="{sign_class(value)}">{escape(text)}</span>')


def card(title: str, content: str, *, key: str = "", note: str = "", wide: bool = False) -> str:
    """Return a section of the page, empty where there is nothing in it."""
    if not content:
        return ""
    name = key or slug(title)
    said = f'<p class="note">{escape(note)}</p>' if note else ""
    return (
        f'<section class="card{" wide" if wide else ""}" id="{name}" aria-labelledby="{name}-title">'
        f'<h2 id="{name}-title">{escape(title)}</h2>{said}{content}</section>'
    )


def slug(text: str) -> str:
    """Return a text as an id."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
