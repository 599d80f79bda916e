"""Faults as they are written: what is taken, what is refused and how, and which occasions count."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.api import ConfigError, ParameterError
from cambist_simulator import Fault, load_script
from cambist_simulator.clock import Clock, VenueClock
from cambist_simulator.faults.fault import duration, moment
from cambist_simulator.faults.rules import Rule
from cambist_simulator.faults.script import parse_script
from cambist_simulator.faults.vocabulary import ACTIONS, MATCHING, SELECTORS, table

SECOND = 1_000_000_000


# --- the vocabulary ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda one: one.name)
def test_each_action_can_be_made_with_what_it_needs(action):
    needed = {"duration": "1s", "number": 1, "integer": 1, "text": "x", "flag": True, "share": 0.5}
    settings = {one.name: needed[one.kind] for one in action.arguments if one.needed}
    fault = Fault(action.name, **settings)
    assert fault.on == action.triggers[0]
    assert set(fault.arguments) == {one.name for one in action.arguments}
    assert Fault.from_dict(fault.as_dict()).as_dict() == fault.as_dict()


def test_no_name_has_two_meanings():
    for action in ACTIONS.values():
        names = [one.name for one in action.arguments]
        assert len(set(names)) == len(names)
        assert not set(names) & set(MATCHING)
        # What a foreign order is called is no choice of an occasion.
        assert set(names) & set(SELECTORS) <= {"client_id"}
    assert not set(SELECTORS) & set(MATCHING)


def test_every_default_is_a_value_that_is_taken():
    for action in ACTIONS.values():
        given = {one.name: one.default for one in action.arguments if one.default is not None}
        needed = {one.name: 1 for one in action.arguments if one.needed}
        Fault(action.name, **given, **needed)


def test_the_table_has_a_row_for_each():
    assert [row[0] for row in table()] == list(ACTIONS)
    assert all(row[4] and not row[4].endswith(".") for row in table())


# --- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "settings", "told"),
    [
        ("disconect", {}, "there is no fault called 'disconect'. Did you mean 'disconnect'?"),
        ("http_error", {"lable": "x"}, "the fault 'http_error' has no setting 'lable'. Did you mean 'label'?"),
        ("http_error", {"status": "many"}, "'status' of the fault 'http_error' is 'many'; give a number."),
        ("http_error", {"status": -1}, "give a whole number, not below zero"),
        ("http_error", {"status": 1.5}, "give a whole number"),
        ("http_error", {"status": True}, "give a number"),
        ("http_error", {"status": float("nan")}, "give a number"),
        ("http_error", {"stage": "befor"}, "give one of: before, after. Did you mean 'before'?"),
        ("http_error", {"body": 7}, "give a text"),
        ("truncated", {"keep": 2}, "give a share from 0 to 1"),
        ("truncated", {"announced": "yes"}, "give true or false"),
        ("delay", {"by": "soon"}, 'give seconds, or a text such as "250ms"'),
        ("delay", {"by": float("inf")}, "give seconds"),
        ("clock_skew", {}, "the fault 'clock_skew' needs 'by' (duration)"),
        ("foreign_order", {"size": None}, "needs 'size'"),
        ("drop", {"nth": 0}, "give a whole number from 1"),
        ("drop", {"nth": "2"}, "give a whole number from 1"),
        ("drop", {"every": 1.0}, "give a whole number from 1"),
        ("drop", {"probability": 1.5}, "give a number from 0 to 1"),
        ("drop", {"probability": True}, "give a number from 0 to 1"),
        ("drop", {"kind": 1.5}, "give a text"),
        ("drop", {"kind": []}, "or a list"),
        ("drop", {"on": "request"}, "it can be: frame"),
        ("drop", {"at": "tomorrow"}, "give a duration since the start"),
        ("drop", {"at": True}, "give seconds"),
        ("drop", {"repeat": "5s"}, "it is for faults at a time"),
        ("disconnect", {"repeat": 0}, "above zero"),
        ("disconnect", {"clock": "wall"}, "give 'market' or 'server'"),
    ],
)
def test_what_cannot_be_is_refused_with_value_place_and_remedy(action, settings, told):
    with pytest.raises(ParameterError) as refused:
        Fault(action, **settings)
    assert told in str(refused.value)
    for name, value in settings.items():
        assert repr(name) in str(refused.value) or repr(value) in str(refused.value)


# --- what sets it off ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "on"),
    [
        (Fault("disconnect"), "time"),
        (Fault("disconnect", at="5s"), "time"),
        (Fault("disconnect", label="order.place"), "request"),
        (Fault("disconnect", kind="trade"), "frame"),
        (Fault("disconnect", nth=3), "request"),
        (Fault("disconnect", user="ann"), "time"),
        (Fault("disconnect", on="frame"), "frame"),
        (Fault("silent_subscription"), "request"),
        (Fault("silent_subscription", at="1s"), "time"),
        (Fault("silent_subscription", kind="trade"), "frame"),
        (Fault("foreign_order", size=1, client_id="x"), "time"),
        (Fault("lost_fill"), "frame"),
    ],
)
def test_the_settings_tell_what_sets_it_off(fault, on):
    assert fault.on == on


def test_own_selectors_stand_in_place_of_the_usual_ones_of_their_name():
    assert Fault("lost_fill").selectors == {"kind": ("fill",)}
    assert Fault("lost_fill", symbol="BTC*").selectors == {"kind": ("fill",), "symbol": ("btc*",)}
    assert Fault("sequence_gap", kind="trade").selectors == {"kind": ("trade",)}
    assert Fault("silent_subscription").selectors == {"label": ("subscribe", "*.subscribe")}
    assert Fault("silent_subscription", at="1s").selectors == {}


def test_patterns_and_lists_choose_occasions():
    fault = Fault("drop", symbol=["BTC*", "ETHUSD?"], kind="TRADE", connection=3)
    assert fault.matches({"symbol": "btcusdt", "kind": "trade", "connection": 3})
    assert fault.matches({"symbol": "ETHUSDT", "kind": "trade", "connection": "3"})
    assert not fault.matches({"symbol": "ETHUSD", "kind": "trade", "connection": 3})
    assert not fault.matches({"symbol": "BTCUSDT", "kind": "trade"})
    assert Fault("drop", user="ann").matches({"user": ("u1", "ann")})
    assert (fault.chosen("symbol"), fault.chosen("kind")) == (None, "TRADE")


@given(
    nth=st.none() | st.integers(1, 8),
    every=st.none() | st.integers(1, 5),
    count=st.none() | st.integers(1, 6),
    matching=st.lists(st.booleans(), max_size=40),
)
def test_occasions_are_counted_as_the_settings_say(nth, every, count, matching):
    settings = {name: value for name, value in (("nth", nth), ("every", every), ("count", count)) if value}
    rule = rule_of(Fault("drop", kind="trade", **settings))
    struck = [rule.strikes({"kind": "trade" if one else "depth"}) for one in matching]
    seen = itertools.count(1)
    numbers = [next(seen) if one else 0 for one in matching]
    wanted = [n for n in numbers if n and (nth is None or n == nth) and (every is None or n % every == 0)]
    most = count or (1 if nth else None)
    assert [n for n, hit in zip(numbers, struck, strict=True) if hit] == wanted[:most]


def rule_of(fault, clock=None, seed=0, number=1):
    clock = clock or VenueClock(Clock(0, 0.0), Clock(0, 0.0))
    return Rule(number, fault, clock, (clock.market if fault.clock == "market" else clock.server).now(), seed)


def draws(seed, number=1):
    rule = rule_of(Fault("drop", probability=0.3), seed=seed, number=number)
    return [rule.strikes({}) for _ in range(400)]


def test_chance_follows_from_the_seed():
    assert draws(1) == draws(1)
    assert draws(1) != draws(2)
    assert draws(1) != draws(1, number=2)
    assert 60 < sum(draws(1)) < 180


def test_a_fault_has_its_time_by_either_clock():
    clock = VenueClock(Clock(100 * SECOND, 0.0), Clock(0, 0.0))
    market = rule_of(Fault("drop", at="5s", until="10s"), clock)
    server = rule_of(Fault("drop", at="5s", until="10s", clock="server"), clock)
    absolute = rule_of(Fault("drop", at="1970-01-01T00:00:07Z"), clock)
    seen = []
    for _ in range(12):
        seen.append((market.strikes({}), absolute.strikes({}), server.strikes({})))
        clock.market.shift(SECOND)
    assert [one[0] for one in seen] == [5 <= second < 10 for second in range(12)]
    assert [one[1] for one in seen] == [second >= 7 for second in range(12)]
    assert not any(one[2] for one in seen)
    clock.server.shift(5 * SECOND)
    assert server.strikes({})


def test_a_fault_at_a_time_strikes_once_or_again_and_again():
    clock = VenueClock(Clock(0, 0.0), Clock(0, 0.0))
    once, often = (
        rule_of(Fault("disconnect", at="2s"), clock),
        rule_of(Fault("disconnect", at="1s", repeat="3s"), clock),
    )
    seen = []
    for second in range(10):
        if once.strikes_now():
            seen.append(("once", second))
        if often.strikes_now():
            seen.append(("often", second))
        clock.market.shift(SECOND)
    assert seen == [("often", 1), ("once", 2), ("often", 4), ("often", 7)]


# --- times and scripts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "ns"),
    [
        (1, SECOND),
        (0.25, SECOND // 4),
        ("250ms", SECOND // 4),
        ("1.5s", 3 * SECOND // 2),
        (" 2 m ", 120 * SECOND),
        ("1h", 3600 * SECOND),
        ("1d", 86400 * SECOND),
        ("-3s", -3 * SECOND),
        ("7us", 7_000),
        ("9ns", 9),
    ],
)
def test_durations(value, ns):
    assert duration(value, "x") == ns


def test_moments():
    assert moment("90s", "x") == (True, 90 * SECOND)
    assert moment("1970-01-01T00:00:01+00:00", "x") == (False, SECOND)
    assert moment("1970-01-01", "x") == (False, 0)
    assert moment(datetime(1970, 1, 1, 1, tzinfo=UTC), "x") == (False, 3600 * SECOND)
    assert moment(None, "x") is None


SCRIPT = """
[[fault]]
action = "http_error"
label = "order.place"
nth = 2
stage = "after"

[[fault]]
action = "disconnect"
at = 2024-03-01T12:00:00Z
name = "noon"
"""


def test_a_script_is_what_python_would_say(tmp_path):
    path = tmp_path / "storm.toml"
    path.write_text(SCRIPT, encoding="utf-8")
    first, second = load_script(path)
    assert first.as_dict() == Fault("http_error", label="order.place", nth=2, stage="after").as_dict()
    assert (second.name, second.on, second.at) == ("noon", "time", (False, 1_709_294_400 * SECOND))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[fault", "storm.toml is no TOML"),
        ("[[faults]]\naction='drop'", "storm.toml has 'faults' at its top. Did you mean 'fault'?"),
        ("fault = 3", "begin each with [[fault]]"),
        ("[[fault]]\nnth = 2", "storm.toml, fault 1: a fault has no action"),
        (
            SCRIPT + "[[fault]]\naction = 'dorp'",
            "storm.toml, fault 3: there is no fault called 'dorp'. Did you mean 'drop'?",
        ),
    ],
)
def test_a_bad_script_names_the_place(text, told):
    with pytest.raises(ConfigError) as refused:
        parse_script(text, name="storm.toml")
    assert told in str(refused.value)


def test_a_script_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_script(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"# \xe9")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_script(tmp_path / "latin.toml")
