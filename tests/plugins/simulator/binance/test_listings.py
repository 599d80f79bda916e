"""What the venue lists: by itself, and out of a saved answer to exchangeInfo."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
import shapes
from venue_box import Box, Segment

from cambist.api import InputError
from cambist_simulator.clock import VenueClock
from cambist_simulator.dialects.binance import default_listings, listings_from_file
from cambist_simulator.exchange.exchange import Exchange

PATHS = {Segment.SPOT: "/api/v3", Segment.LINEAR: "/fapi/v1", Segment.INVERSE: "/dapi/v1"}


@pytest.mark.parametrize("segment", list(Segment))
def test_what_is_listed_is_told_and_read_back_alike(segment, tmp_path):
    listed = default_listings(segment)
    info = Box((segment,)).client().public(f"{PATHS[segment]}/exchangeInfo")[1]
    path = tmp_path / "info.json"
    path.write_text(json.dumps(info))
    read = {one.symbol: one for one in listings_from_file(path, segment)}
    assert list(read) == [one.symbol for one in listed]
    rules = (
        "base quote settle contract_size tick_size step_size min_price max_price min_size max_size market_max_size "
        "min_notional up_multiplier down_multiplier max_orders max_conditional_orders funding_interval status"
    )
    for one in listed:
        for rule in rules.split():
            assert getattr(read[one.symbol], rule) == getattr(one, rule), (one.symbol, rule)


@pytest.mark.parametrize(
    ("name", "segment"),
    [
        ("spot_rest_exchange_info", Segment.SPOT),
        ("spot_rest_exchange_info_small", Segment.SPOT),
        ("usdm_rest_exchange_info", Segment.LINEAR),
        ("coinm_rest_exchange_info", Segment.INVERSE),
    ],
)
def test_recorded_answers_can_be_listed(name, segment):
    path = shapes.payloads() / f"{name}.json"
    listed = listings_from_file(path, segment)
    recorded = {one["symbol"]: one for one in json.loads(path.read_text())["symbols"]}
    assert [one.symbol for one in listed] == list(recorded)
    for one in listed:
        filters = {each["filterType"]: each for each in recorded[one.symbol]["filters"]}
        assert one.tick_size == Decimal(filters["PRICE_FILTER"]["tickSize"])
        assert one.step_size == Decimal(filters["LOT_SIZE"]["stepSize"])
    exchange = Exchange("e", segment, VenueClock(), listings=listed)
    assert len(exchange.listings) == len(listed)


def test_a_file_that_is_no_answer_is_refused_with_its_name(tmp_path):
    path = tmp_path / "info.json"
    for text in ("", "[]", '{"symbols":[{}]}', "{"):
        path.write_text(text)
        with pytest.raises(InputError, match=r"info\.json"):
            listings_from_file(path, Segment.SPOT)
    path.write_text('{"symbols":[{"symbol":"AB","filters":[]}]}')
    with pytest.raises(InputError, match="PRICE_FILTER"):
        listings_from_file(path, Segment.SPOT)
    with pytest.raises(InputError, match="lists no XY"):
        listings_from_file(path, Segment.SPOT, ("XY",))
    with pytest.raises(InputError, match="missing"):
        listings_from_file(tmp_path / "missing.json", Segment.SPOT)


def test_maintenance_margin_has_no_jump_between_brackets():
    for segment in (Segment.LINEAR, Segment.INVERSE):
        for listing in default_listings(segment):
            for lower, upper in zip(listing.brackets, listing.brackets[1:], strict=False):
                assert lower.cap == upper.floor
                assert lower.max_leverage > upper.max_leverage
                before = lower.cap * lower.maintenance_rate - lower.cumulative
                assert before == upper.floor * upper.maintenance_rate - upper.cumulative
