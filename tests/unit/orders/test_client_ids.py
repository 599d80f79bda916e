"""Client ids: unique, within the venue's alphabet and length, and read back as they were made."""

from __future__ import annotations

import re
from string import ascii_letters, digits

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cambist.errors import OrderError
from cambist.orders import client_id, parse_client_id

ALNUM = ascii_letters + digits

#: Alphabet, length, and the rule as the venue writes it.
VENUES = {
    "default": ({}, re.compile(r"[A-Za-z0-9-]{1,32}")),
    "binance": ({"alphabet": f"{ALNUM}.:/_-", "max_length": 36}, re.compile(r"[\.A-Z\:/a-z0-9_-]{1,36}")),
    "bybit": ({"alphabet": f"{ALNUM}-_", "max_length": 36}, re.compile(r"[A-Za-z0-9_-]{1,36}")),
    "okx": ({"alphabet": ALNUM, "max_length": 32}, re.compile(r"[A-Za-z0-9]{1,32}")),
}
tokens = st.text(ALNUM, min_size=1, max_size=16)
numbers = st.integers(1, 10**14)


@given(tokens, numbers, st.sampled_from(sorted(VENUES)))
def test_an_id_obeys_the_venue_and_is_read_back(token, number, venue):
    rule, pattern = VENUES[venue]
    text = client_id(token, number, **rule)
    assert pattern.fullmatch(text)
    assert parse_client_id(text) == (token, number)


@given(st.lists(st.tuples(tokens, numbers), min_size=2, max_size=30, unique=True), st.sampled_from(sorted(VENUES)))
def test_no_two_orders_of_no_two_runs_share_an_id(orders, venue):
    rule, _ = VENUES[venue]
    assert len({client_id(token, number, **rule) for token, number in orders}) == len(orders)


@given(st.text(max_size=40) | st.from_regex(r"[a-zA-Z0-9]{0,4}[-_.:/x+]{0,2}[0-9]{0,4}", fullmatch=True))
def test_what_is_read_as_an_id_of_ours_could_have_been_made(text):
    try:
        token, number = parse_client_id(text)
    except OrderError:
        assert not re.fullmatch(r"[A-Za-z0-9]+[-_.:/x][1-9][0-9]*", text)
    else:
        assert client_id(token, number, alphabet=f"{ALNUM}{text[len(token)]}", max_length=40) == text


@pytest.mark.parametrize("text", ["", "web", "web_", "42", "-42", "7f3-042", "7f3-0", "7f3-42 ", "größe-1", "a--1"])
def test_a_foreign_id_is_named_and_refused(text):
    with pytest.raises(OrderError, match=f"^{re.escape(repr(text))} is no client id of ours"):
        parse_client_id(text)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: client_id("", 1), "run token ''"),
        (lambda: client_id("abc", 0), "Orders count from 1"),
        (lambda: client_id("abc", 1, alphabet=digits), "none of the separators"),
        (lambda: client_id("Abc", 1, alphabet=f"{ALNUM.lower()}-"), "has 'A'"),
        (lambda: client_id("abc", 105, alphabet="abc-01"), "has '5'"),
    ],
)
def test_an_id_that_cannot_be_made_says_why(call, message):
    with pytest.raises(OrderError, match=message):
        call()


@given(tokens, numbers, st.integers(1, 40))
def test_an_id_that_does_not_fit_is_refused_and_never_cut(token, number, length):
    if len(token) + 1 + len(str(number)) <= length:
        assert len(client_id(token, number, max_length=length)) <= length
        return
    with pytest.raises(OrderError, match=f"{length} are allowed"):
        client_id(token, number, max_length=length)


@given(st.text(min_size=1, max_size=8), numbers)
def test_a_token_of_other_characters_is_refused(token, number):
    assume(not set(token) <= set(ALNUM))
    with pytest.raises(OrderError, match="letters and digits"):
        client_id(token, number)
