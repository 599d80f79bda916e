"""The table of results: access, text, notebook, JSON."""

from __future__ import annotations

import copy
import json
import pickle
from html.parser import HTMLParser
from math import isnan

import pytest

from cambist.analysis import MEASURES, Measure, Summary, Unit, summarize
from cambist.analysis.formatting import format_value, iso_time


@pytest.fixture
def summary(make_facts, make_trade):
    trades = [make_trade(1_500.0, fees=10.0), make_trade(-500.0, fees=10.0)]
    facts = make_facts([100_000.0, 110_000.0, 99_000.0, 101_000.0], trades, fees=20.0, notional_traded=400.0)
    return summarize(facts, make_facts([100_000.0, 90_000.0, 95_000.0, 97_000.0]), "USD")


def test_measures_are_found_by_key_and_by_attribute(summary):
    assert summary["win_rate"] == summary.win_rate == 0.5
    assert summary.max_drawdown == pytest.approx(-0.1)
    assert list(summary) == [key for key, spec in MEASURES.items() if spec.in_summary]
    assert dict(summary)["trades"] == 2


def test_a_misspelt_measure_gets_a_suggestion(summary):
    with pytest.raises(KeyError, match="Did you mean 'sharpe'"):
        summary["sharp"]
    with pytest.raises(AttributeError, match="Did you mean 'sortino'"):
        _ = summary.sortin


def test_a_measure_that_the_summary_leaves_out_is_found_elsewhere(summary):
    for look in (lambda: summary["omega"], lambda: summary.omega):
        with pytest.raises((KeyError, AttributeError), match=r"result\.analysis\.measure\('omega'\)"):
            look()


def test_the_editor_can_complete_the_keys(summary):
    assert {"sharpe", "max_drawdown", "to_dict"} <= set(dir(summary))


def test_buying_and_holding_stands_beside_what_it_can_be_compared_with(summary):
    assert summary.benchmark["total_return"] == pytest.approx(-0.03)
    assert set(summary.benchmark) == {key for key, spec in MEASURES.items() if spec.benchmarked and spec.in_summary}
    assert "trades" not in summary.benchmark
    assert {measure.key: measure.benchmark for measure in summary.measures}["exposure"] == 1.0


def test_without_a_benchmark_there_is_no_such_column(make_facts):
    summary = summarize(make_facts([100.0, 101.0]))
    assert summary.benchmark == {}
    assert "Buy and hold" not in str(summary)
    assert "Buy and hold" not in summary._repr_html_()


def test_to_dict_is_json_without_nan(summary, make_facts):
    assert json.loads(json.dumps(summary.to_dict(), allow_nan=False))["max_drawdown_trough"] == "2024-01-03T00:00:00Z"
    flat = summarize(make_facts([100.0, 100.0]), make_facts([100.0, 100.0]))
    assert isnan(flat.sharpe)
    assert flat.to_dict()["sharpe"] is None
    assert flat.benchmark_to_dict()["sharpe"] is None
    json.dumps(flat.to_dict() | flat.benchmark_to_dict(), allow_nan=False)


def line_of(summary, label):
    found = [line for line in str(summary).splitlines() if line.startswith(label)]
    assert len(found) == 1
    return found[0].removeprefix(label).split("  ")


def cells(summary, label):
    return [cell.strip() for cell in line_of(summary, label) if cell.strip()]


def test_the_table_reads_as_traders_write(summary):
    assert cells(summary, "Return") == ["+1.00 %", "-3.00 %"]
    assert cells(summary, "Max drawdown") == ["-10.00 %", "-10.00 %"]
    assert cells(summary, "Final equity (USD)") == ["101,000.00", "97,000.00"]
    assert cells(summary, "Average holding") == ["2 d"]
    assert cells(summary, "Win rate") == ["50.00 %"]


def test_daily_closes_are_shown_as_the_day_they_end(summary):
    assert cells(summary, "Start") == ["2024-01-01"]
    assert cells(summary, "End") == ["2024-01-03"]
    assert cells(summary, "Drawdown peak") == ["2024-01-01", "2024-01-01"]
    assert cells(summary, "Drawdown trough") == ["2024-01-02", "2024-01-01"]
    assert cells(summary, "Drawdown recovery") == ["-", "-"]


def test_the_columns_are_aligned(summary):
    lines = str(summary).splitlines()
    assert {len(line) for line in lines if line.startswith(("Return", "CAGR", "Exposure"))} == {len(lines[0])}
    assert lines[0].split() == ["Strategy", "Buy", "and", "hold"]
    assert repr(summary) == str(summary)


class Table(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.cells = []
        self.open = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag in {"td", "th"}:
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in {"td", "th"}:
            self.cells[-1] += data


def test_the_notebook_table_holds_the_same_cells(summary):
    table = Table(summary._repr_html_())
    assert table.open == []
    assert table.cells == ["", "Strategy", "Buy and hold", *(cell for row in summary.rows() for cell in row)]


def test_html_is_escaped():
    label = "<script>"
    html = Summary([Measure("bars", label, 1, Unit.COUNT)])._repr_html_()
    assert label not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda summary: pickle.loads(pickle.dumps(summary))])
def test_a_summary_can_be_copied_and_sent_to_another_process(summary, clone):
    assert str(clone(summary)) == str(summary)


@pytest.mark.parametrize(
    ("value", "unit", "places", "text"),
    [
        (1.23456789, Unit.MONEY, 8, "1.23456789"),
        (-1234.5, Unit.MONEY, 2, "-1,234.50"),
        (1234567, Unit.COUNT, 2, "1,234,567"),
        (0.0, Unit.SECONDS, 2, "0 s"),
        (59.5, Unit.SECONDS, 2, "59 s"),
        (90.0, Unit.SECONDS, 2, "1 min 30 s"),
        (3_600.0, Unit.SECONDS, 2, "1 h"),
        (86_400.0 * 12 + 3_600 * 4 + 60, Unit.SECONDS, 2, "12 d 4 h"),
        (float("nan"), Unit.RATIO, 2, "-"),
        (None, Unit.TIME, 2, "-"),
        ("2024-03-01T09:30:00Z", Unit.TIME, 2, "2024-03-01 09:30"),
        ("2024-03-01T09:30:05.5Z", Unit.TIME, 2, "2024-03-01 09:30:05"),
        ("2024-03-01T00:00:00Z", Unit.TIME, 2, "2024-02-29"),
    ],
)
def test_values_as_text(value, unit, places, text):
    assert format_value(value, unit, places) == text


def test_small_accounts_show_more_decimals(make_facts):
    assert cells(summarize(make_facts([1.5, 1.50012345]), currency="BTC"), "Final equity (BTC)") == ["1.50012345"]


def test_iso_time_has_a_fraction_only_where_there_is_one():
    assert iso_time(1_500_000_000) == "1970-01-01T00:00:01.5Z"
    assert iso_time(1) == "1970-01-01T00:00:00.000000001Z"
    assert iso_time(0) == "1970-01-01T00:00:00Z"
