"""Recorded messages of the venue, found by ``CAMBIST_TEST_DATA``."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path

import pytest

from cambist.model import Instrument
from cambist_ccxt.symbols import Symbols

_ROOT = os.environ.get("CAMBIST_TEST_DATA", "")
DATA = Path(_ROOT) if _ROOT else None
FOLDER = DATA.parent / "payloads" / "binance" if DATA else Path("payloads")
needs_payloads = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="CAMBIST_TEST_DATA does not point to recorded payloads beside a folder of data"
)
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
MS = 1_000_000
BTC = Instrument(symbol="BTC/USDT", tick_size="0.01", step_size="0.00001")
SYMBOLS = Symbols([("BTCUSDT", BTC)])


def raw(name):
    return (FOLDER / f"{name}.json").read_bytes()


def content(name):
    """The content of a file, numbers as exact decimals."""
    return json.loads(raw(name), parse_float=Decimal)
