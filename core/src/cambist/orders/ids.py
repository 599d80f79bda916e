"""Client order ids: what a venue knows our orders by.

An id is the token of the run, a separator and the order's number: ``7f3kq9-42``; where an order had to be sent in
place of what stood for it before, how often follows: ``7f3kq9-42-1``. The driver makes the token at
random, which keeps ids apart across runs and hosts; the number keeps them apart within a run. An id can so be
made before the request leaves, made again after a restart, and read back from whatever the venue lists.
"""

from __future__ import annotations

import re
import secrets
from functools import lru_cache
from string import ascii_letters, ascii_lowercase, digits

from cambist.errors import OrderError

__all__ = ["ALPHABET", "MAX_LENGTH", "client_id", "make_token", "order_number", "parse_client_id", "token_time"]

#: Letters, digits and the hyphen: what most venues allow.
ALPHABET = f"{ascii_letters}{digits}-"

#: The shortest limit among the venues we know.
MAX_LENGTH = 32

# In the order of preference; a venue that allows letters and digits alone gets the last.
_SEPARATORS = "-_.:/x"


_DIGITS = f"{digits}{ascii_lowercase}"
_TOKEN = re.compile(r"c([0-9a-z]{7})[0-9a-z]{4}")
#: Before, no token was made: 13 September 2020. What reads as an earlier time is somebody else's word.
_FIRST_TOKEN = 1_600_000_000


def make_token(seconds: float) -> str:
    """Return a token for a run that is begun now: ``c``, the time in seven digits to the base 36, and four at random.

    Of two tokens the greater text is of the run that was begun later, save within the same second, where chance says.

    Parameters
    ----------
    seconds
        The time since the epoch, UTC.
    """
    left, written = int(seconds), ""
    for _ in range(7):
        left, digit = divmod(left, 36)
        written = _DIGITS[digit] + written
    return f"c{written}{''.join(secrets.choice(_DIGITS) for _ in range(4))}"


def token_time(token: str) -> int | None:
    """Return when the run of a token was begun, seconds since the epoch, UTC; None where it is none of `make_token`."""
    found = _TOKEN.fullmatch(token)
    seconds = 0 if found is None else int(found[1], 36)
    return seconds if seconds >= _FIRST_TOKEN else None


def client_id(
    token: str, number: int, again: int = 0, *, alphabet: str = ALPHABET, max_length: int = MAX_LENGTH
) -> str:
    """Return the id of order `number` of the run `token`.

    Parameters
    ----------
    token
        Letters and digits that no other run has.
    number
        The order's number within the run, from 1.
    again
        How often it was sent in place of what stood for it before.
    alphabet
        Every character the venue allows. Without a hyphen the separator is the first of ``_ . : / x`` that is
        allowed.
    max_length
        The longest id the venue allows, in characters.

    Raises
    ------
    OrderError
        If such an id cannot be made of that alphabet in that length.
    """
    if number < 1:
        raise OrderError(f"order number {number} cannot be part of a client id. Orders count from 1.")
    separator, is_known = _form(token, alphabet)
    text = f"{token}{separator}{number}{separator}{again}" if again else f"{token}{separator}{number}"
    foreign = [] if is_known else sorted(set(text).difference(alphabet))
    if foreign:
        raise OrderError(
            f"the client id {text!r} has {''.join(foreign)!r}, which the alphabet {alphabet!r} has not. "
            "Give the run a token of its letters; the ten digits are needed always."
        )
    if len(text) > max_length:
        raise OrderError(
            f"the client id {text!r} has {len(text)} characters, and {max_length} are allowed. "
            f"Give the run a token of at most {max_length - 1 - len(str(number))} characters."
        )
    return text


@lru_cache(maxsize=64)
def _form(token: str, alphabet: str) -> tuple[str, bool]:
    """Return what stands behind the token of a run, and whether the alphabet has all that ids of it are made of."""
    if not (token.isascii() and token.isalnum()):
        raise OrderError(f"the run token {token!r} cannot be part of a client id. Make it of letters and digits.")
    separator = next((mark for mark in _SEPARATORS if mark in alphabet), None)
    if separator is None:
        raise OrderError(f"the alphabet {alphabet!r} has none of the separators {_SEPARATORS!r}. Allow one of them.")
    return separator, {*token, *digits}.issubset(alphabet)


def order_number(text: str, token: str) -> tuple[int, int] | None:
    """Return the number of the order of the run `token` that is known by `text`, and how often it was sent anew.

    None where the id is not of that run.
    """
    separator = text[len(token) : len(token) + 1]
    if not token or not text.startswith(token) or not separator or separator not in _SEPARATORS:
        return None
    number, marked, again = text[len(token) + 1 :].partition(separator)
    if not _counts(number) or (marked and not _counts(again)):
        return None
    return int(number), int(again or 0)


def _counts(text: str) -> bool:
    return text.isascii() and text.isdecimal() and not text.startswith("0")


def parse_client_id(text: str) -> tuple[str, int]:
    """Return the token and the number that `client_id` made `text` of, whatever the alphabet was.

    Raises
    ------
    OrderError
        If `text` is not of that form. An id that is may still be foreign: compare the token.
    """
    head = text.rstrip(digits)
    number = text[len(head) :]
    token, separator = head[:-1], head[-1:]
    made_here = token.isascii() and token.isalnum() and separator and separator in _SEPARATORS
    if not made_here or not number or number.startswith("0"):
        raise OrderError(f"{text!r} is no client id of ours, which read like '7f3kq9-42'. Treat the order as foreign.")
    return token, int(number)
