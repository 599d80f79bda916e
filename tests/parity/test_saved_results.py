"""A result that is saved and loaded is the result that was saved, in every format, to the last bit."""

from __future__ import annotations

import json
import pickle

import attrs
import pytest
from equal_results import FORMATS, hold_equal

import cambist
from cambist.backtest.export import document
from cambist.model.times import DAY_NS


@pytest.mark.parametrize("blocks", [False, True], ids=["memory", "blocks"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_loaded_result_is_the_saved_one(scenarios, tmp_path, name, blocks):
    fills = open_trades = 0
    for seed in range(7_000, 7_020):
        scenario = scenarios["make"](seed)
        if seed % 2:
            scenario = attrs.evolve(scenario, options={**scenario.options, "benchmark": True})
        # Every third market is before 1970: no time is a mark for something else.
        saved = scenarios["play"](scenario, blocks=blocks, at=-30_000 * DAY_NS if seed % 3 == 0 else 0).result
        for strategy in saved.strategies:
            strategy.parameters["trace"] = None  # a list of all that was seen, which is no parameter of a real strategy
        hold_equal(cambist.load_result(saved.save(tmp_path, name)), saved)
        fills += len(saved.fills)
        open_trades += len(saved.open_trades)
    assert fills > 100
    assert open_trades > 5


def test_what_a_strategy_had_done_before_it_raised_is_kept(scenarios, tmp_path):
    scenario = attrs.evolve(scenarios["make"](1_003), fails_at=40)
    played = scenarios["play"](scenario)
    assert "out of luck" in played.error
    for strategy in played.result.strategies:
        strategy.parameters["trace"] = None
    loaded = cambist.load_result(played.result.save(tmp_path))
    hold_equal(loaded, played.result)
    assert loaded.stopped == played.error


def test_a_loaded_result_is_saved_to_the_same_bytes(scenarios, tmp_path):
    result = scenarios["play"](scenarios["make"](7_100)).result
    for name in FORMATS:
        first = result.save(tmp_path / name, name)
        again = cambist.load_result(first).save(tmp_path / f"{name} again", name)
        assert {path.name: path.read_bytes() for path in first.iterdir()} == {
            path.name: path.read_bytes() for path in again.iterdir()
        }


def test_a_result_goes_through_pickle(scenarios):
    result = scenarios["play"](scenarios["make"](7_101)).result
    result.series.cash  # noqa: B018 - what was computed goes along
    for strategy in result.strategies:
        strategy.parameters["trace"] = None
    hold_equal(pickle.loads(pickle.dumps(result)), result)


def test_the_document_of_a_result_says_of_files_only_what_it_knows(scenarios, tmp_path):
    result = scenarios["play"](scenarios["make"](7_102)).result
    saved = json.loads((result.save(tmp_path) / "result.json").read_text(encoding="utf-8"))
    printed = json.loads(document(result))
    assert {name: table["rows"] for name, table in saved.pop("tables").items()} == {
        name: table["rows"] for name, table in printed.pop("tables").items()
    }
    assert saved == printed
