"""What perpetuals pay, and when."""

from __future__ import annotations

from math import nan

import msgspec

from cambist.api import FundingRate
from cambist_binance.wire.words import MS

__all__ = ["decode_premium", "decode_rates", "next_exchange", "rate_of"]


class _Rate(msgspec.Struct, gc=False):
    """An exchange of funding; the mark price is a text, which is empty of long ago."""

    at: int = msgspec.field(name="fundingTime")
    rate: float = msgspec.field(name="fundingRate")
    mark: str = msgspec.field(name="markPrice", default="")


class _Premium(msgspec.Struct, gc=False):
    """How an instrument is marked; contracts that are delivered pay no funding and say 0."""

    following: int = msgspec.field(name="nextFundingTime", default=0)


decode_rates = msgspec.json.Decoder(list[_Rate], strict=False).decode
#: One answer on USD-M, a list of one on COIN-M.
decode_premium = msgspec.json.Decoder(_Premium | list[_Premium], strict=False).decode


def rate_of(row: _Rate) -> FundingRate:
    """Read an exchange of funding."""
    return FundingRate(row.at * MS, row.rate, float(row.mark or nan) or nan)


def next_exchange(told: _Premium | list[_Premium]) -> int:
    """Return when funding is exchanged next, ns, UTC; 0 for never."""
    rows = told if isinstance(told, list) else [told]
    return rows[0].following * MS if rows else 0
