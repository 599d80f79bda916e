"""Secrets do not get out, at any depth, in any spelling that a URL or JSON gives them; the rest is left alone."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from urllib.parse import quote, quote_plus

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.errors import InputError
from cambist.observe import MASK, Redactor

# What stands around a secret has no character that a secret has, so that whatever is left over is seen.
SECRETS = st.text(st.characters(exclude_characters="<> *", exclude_categories=["Cs", "Z"]), min_size=4, max_size=40)
AROUND = st.text("<> ", max_size=10)


@pytest.mark.parametrize(
    "name",
    [
        "api_key", "apiKey", "API-KEY", "X-MBX-APIKEY", "apikey", "api_secret", "secret", "clientSecret", "token",
        "access_token", "password", "db_password", "Password", "passphrase", "private_key", "privateKey", "signature",
        "Authorization", "cookie", "credentials",
    ],
)  # fmt: skip
def test_a_field_whose_name_says_so_is_masked(name):
    assert Redactor().fields({name: "value", "other": 1}) == {name: MASK, "other": 1}


@pytest.mark.parametrize(
    "name", ["key", "keys", "symbol", "monkey", "passed", "keyboard", "secretary", "tokenize", "design"]
)
def test_a_name_that_only_looks_like_it_is_not(name):
    assert Redactor().fields({name: "value"}) == {name: "value"}


def test_a_secret_that_is_not_set_may_be_seen():
    assert Redactor().fields({"api_key": None}) == {"api_key": None}


@given(secret=SECRETS, before=AROUND, after=AROUND)
def test_a_registered_value_never_gets_out(secret, before, after):
    redactor = Redactor()
    redactor.register(secret)
    in_json = json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]
    for written in (secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1], *in_json):
        text = f"{before}{written}{after}"
        cleaned = redactor.value(
            {"a": [text, {"b": (text,)}], text: text, "object": Holder(f"{before}{secret}{after}")}
        )
        for found in texts_of(cleaned):
            assert secret not in found
            assert written not in found
            assert re.sub(r"\*\*\*|[<> '\"]|Holder\(text=|\)$", "", found) in {"", "a", "b", "object"}


def texts_of(value):
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in texts_of(part)]
    return [text for part in value for text in texts_of(part)] if isinstance(value, list) else [value]


@attrs.define
class Holder:
    text: str


def test_objects_become_texts_before_they_are_looked_at():
    redactor = Redactor()
    redactor.register("hunter2x")
    assert redactor.value(Holder("hunter2x")) == "Holder(text='***')"
    assert redactor.value(Decimal("1.50")) == "1.50"


def test_a_short_secret_is_masked_only_where_it_stands_alone():
    redactor = Redactor()
    redactor.register("ab")
    assert redactor.value(["ab", "about"]) == [MASK, "about"]


def test_a_secret_that_is_a_number_is_masked_as_a_number_too():
    redactor = Redactor()
    redactor.register("123456")
    assert redactor.value({"pin": 123456, "size": 12}) == {"pin": MASK, "size": 12}


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("postgresql://user:hunter2@host/db", "postgresql://user:***@host/db"),
        ("GET /order?symbol=X&signature=abcdef&timestamp=1", "GET /order?symbol=X&signature=***&timestamp=1"),
        ('{"apiKey": "abc", "size": 1}', '{"apiKey": "***", "size": 1}'),
        ("password='hunter2'", "password='***'"),
        ("the token bucket is empty: 3 left", "the token bucket is empty: 3 left"),
        ("https://host:443/path@x", "https://host:443/path@x"),
        ("12:30:00 close=101.5", "12:30:00 close=101.5"),
    ],
)
def test_what_a_text_itself_calls_a_secret(text, cleaned):
    assert Redactor().text(text) == cleaned


def test_an_empty_secret_is_refused():
    with pytest.raises(InputError, match="empty"):
        Redactor().register("")


def test_numbers_flags_and_depth_are_kept():
    value = {"size": 1.5, "count": 3, "flag": True, "none": None, "list": [1, {"deep": {"er": [2]}}]}
    assert Redactor().value(value) == value


def test_what_refers_to_itself_ends():
    loop = []
    loop.append(loop)
    assert "[...]" in str(Redactor().value(loop))
