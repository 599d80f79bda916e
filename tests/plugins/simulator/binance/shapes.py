"""Compares what the simulator says with what the venue said: keys, JSON types, forms of numbers."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

_NUMBER = re.compile(r"-?\d+(\.\d+)?$")
_EIGHT = re.compile(r"-?\d+\.\d{8}$")


def payloads():
    """Return the folder of recorded messages; skip where there is none."""
    data = os.environ.get("CAMBIST_TEST_DATA")
    if not data:
        pytest.skip("CAMBIST_TEST_DATA is not set: no recorded messages to compare with")
    folder = Path(data).parent / "payloads" / "binance"
    if not folder.is_dir():
        pytest.skip(f"{folder} is missing: no recorded messages to compare with")
    return folder


def recorded(name):
    """Return a recorded message."""
    return json.loads((payloads() / f"{name}.json").read_text())


def kind_of(value):
    """Return the JSON type of a value, numbers in text apart from other text."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "float"
    if value is None:
        return "null"
    if isinstance(value, str):
        return "number in text" if _NUMBER.match(value) else "text"
    return type(value).__name__


def differences(theirs, ours, *, eight=False, where=""):
    """Return what is different, as a set of texts: ``-key`` lacks here, ``+key`` is here alone, ``key: a not b``.

    Parameters
    ----------
    eight
        Whether numbers that have eight decimals there must have eight here.
    """
    found = set()
    if isinstance(theirs, dict) and isinstance(ours, dict):
        found |= {f"-{where}{key}" for key in theirs.keys() - ours.keys()}
        found |= {f"+{where}{key}" for key in ours.keys() - theirs.keys()}
        for key in theirs.keys() & ours.keys():
            found |= differences(theirs[key], ours[key], eight=eight, where=f"{where}{key}.")
        return found
    if isinstance(theirs, list) and isinstance(ours, list):
        if theirs and not ours:
            return {f"{where}empty"}
        if theirs and not isinstance(theirs[0], dict | list) and len(theirs) == len(ours):
            for number, (their, our) in enumerate(zip(theirs, ours, strict=True)):
                found |= differences(their, our, eight=eight, where=f"{where}{number}.")
        elif theirs:
            found |= differences(theirs[0], ours[0], eight=eight, where=where)
        return found
    their, our = kind_of(theirs), kind_of(ours)
    name = where.rstrip(".")
    if their != our:
        found.add(f"{name}: {their} not {our}")
    elif eight and their == "number in text" and _EIGHT.match(theirs) and not _EIGHT.match(ours):
        found.add(f"{name}: {ours} has not eight decimals")
    return found
