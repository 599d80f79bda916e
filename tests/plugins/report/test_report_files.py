"""What is written beside the page: comparisons, figures, and what a notebook shows; and what is refused."""

from __future__ import annotations

import contextlib
import json
import re

import attrs
import numpy as np
import pytest
from click.testing import CliRunner

import cambist
from cambist import Strategy
from cambist.backtest.rows import store_result
from cambist.cli.main import root
from cambist.errors import InputError, ParameterError, ResultError, StorageError
from cambist.strategies.examples.rsi_reversal import RsiReversal
from cambist.strategies.examples.sma_cross import SmaCross
from cambist_report.command import report
from cambist_report.excursions import excursions
from cambist_report.figures import FIGURES
from cambist_storage import open_storage


@pytest.fixture(scope="module")
def saved(result, tmp_path_factory, make_bars):
    folder = tmp_path_factory.mktemp("saved")
    other = cambist.backtest(SmaCross(fast=5), make_bars(3_000), cash=100_000, fees=0.002)
    return result.save(folder / "one"), other.save(folder / "other")


def run(*arguments):
    return CliRunner().invoke(report, [str(one) for one in arguments])


def test_a_saved_run_has_the_page_of_the_run(saved, result, tmp_path):
    done = run(saved[0], "--out", tmp_path / "saved.html")
    assert done.exit_code == 0, done.output
    direct = result.report(tmp_path / "direct.html").read_text()
    assert (tmp_path / "saved.html").read_text() == direct


def test_two_runs_are_compared(saved, look, tmp_path, result):
    path = tmp_path / "both.html"
    done = run("--compare", *saved, "--out", path)
    assert done.exit_code == 0, done.output
    page = look(path)
    worth = page.evaluate("Array.from(cambist.axes.get('compared').levels[0].columns.one)")
    assert np.allclose(worth, result.equity["equity"] / 1_000, rtol=0, atol=5.1e-7)
    assert [page.locator("#differences tbody th").nth(k).text_content() for k in range(3)] == [
        "run",
        "SmaCross.fast",
        "fees",
    ]


def test_what_a_command_cannot_do_is_said(saved, tmp_path):
    assert "give one RUN" in run().output
    assert "give one RUN" in run(saved[0], "--compare", *saved).output
    with pytest.raises(InputError, match="no folder"):
        cambist.load_run(tmp_path / "nowhere")
    with pytest.raises(ResultError, match="no such file"):
        cambist.load_run(tmp_path)


def test_a_run_that_a_storage_keeps_has_a_page_with_the_bars_beside_it(result, tmp_path, look):
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    with contextlib.closing(open_storage(url)) as storage:
        store_result(result, storage.runs)
        storage.bars.write(result.played[0].bars)
    shown = CliRunner().invoke(root, ["show", f"{url}#{result.run_id}", "--json"])
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)["run_id"] == result.run_id
    path = tmp_path / "stored.html"
    done = CliRunner().invoke(root, ["report", url, "--out", str(path)])
    assert done.exit_code == 0, done.output
    page = look(path)
    assert page.locator("#trades .count").text_content().startswith(str(len(result.trades)))
    assert "snapshots of the account" in page.content()
    again = cambist.load_run(url)
    assert again.played[0].bars.close.tolist() == result.played[0].bars.close.tolist()


def test_which_of_several_stored_runs_is_meant_has_to_be_said(result, tmp_path):
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    other = attrs.evolve(result, run_id="another")
    with contextlib.closing(open_storage(url)) as storage:
        store_result(result, storage.runs)
        store_result(other, storage.runs)
    with pytest.raises(ResultError, match=r"holds 2 runs.*#.*another"):
        cambist.load_run(url)
    with pytest.raises(ResultError, match=r"no run 'none'.*another"):
        cambist.load_run(f"{url}#none")
    assert cambist.load_run(f"{url}#another").run_id == "another"
    with pytest.raises(StorageError, match="nothing at"):
        cambist.load_run(f"sqlite:///{tmp_path / 'other.db'}")


def test_figures_are_drawn_without_a_display(result, saved, tmp_path, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    done = run(saved[0], "--out", tmp_path / "run.html", "--figures", tmp_path / "figures", "--format", "svg")
    assert done.exit_code == 0, done.output
    for name in FIGURES:
        assert re.search(r"<svg[\s>]", (tmp_path / "figures" / f"{name}.svg").read_text()), name
    made = result.plot("equity", tmp_path / "equity.png", dark=True, start="2020-10-01", size=(4, 2), dpi=100)
    assert (tmp_path / "equity.png").read_bytes()[:4] == b"\x89PNG"
    (axes,) = made.axes
    curve = axes.lines[-1]
    expected = result.equity["equity"]["2020-10-01":]
    assert curve.get_ydata()[-1] == expected.iloc[-1]
    assert set(curve.get_ydata()) <= set(expected)


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"figure": "equty"}, "equity"),
        ({"figure": "equity", "path": "equity.bmp"}, "png, svg, pdf"),
        ({"figure": "equity", "start": "2031-01-01"}, "nothing of the run"),
        ({"figure": "equity", "start": "soon"}, "no time"),
    ],
)
def test_a_figure_that_there_is_not_is_refused(result, settings, what):
    with pytest.raises(ParameterError, match=what):
        result.plot(**settings)


def test_a_page_that_cannot_be_written_leaves_what_was_there(result, tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(ResultError, match="cannot be written"):
        result.report(tmp_path / "taken")
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultError, match="cannot be written"):
        result.plot("equity", tmp_path / "file" / "equity.png")


def test_a_notebook_shows_curves_and_the_table(result):
    shown = result._repr_html_()
    assert shown.count("<svg") == 1
    assert "Sharpe ratio" in shown


def test_excursions_are_those_of_a_loop(result):
    bars, trades = result.played[0].bars, result.trades
    entries = np.searchsorted(bars.ts, trades["entry_time"].dt.as_unit("ns").astype("int64"))
    exits = np.searchsorted(bars.ts, trades["exit_time"].dt.as_unit("ns").astype("int64"))
    paid, got = trades["entry_price"].to_numpy(), trades["exit_price"].to_numpy()
    for long in (True, False):
        against, favor = excursions(bars, (entries, exits), (paid, got), long=np.full(len(trades), long))
        for k, (start, end) in enumerate(zip(entries, exits, strict=True)):
            lowest = min([paid[k], got[k], *bars.low[start:end]])
            highest = max([paid[k], got[k], *bars.high[start:end]])
            down, up = 1 - lowest / paid[k], highest / paid[k] - 1
            assert (against[k], favor[k]) == pytest.approx((down, up) if long else (up, down))


class Short(Strategy):
    """Sells more than the account can bear."""

    def on_bar(self, _bar):
        if not self.position:
            self.sell(60)


def several_accounts(make_bars):
    trend, reversion = SmaCross(), RsiReversal()
    trend.name, reversion.name = "trend", "reversion"
    accounts = {"trend": 60_000, "reversion": 40_000}
    return cambist.backtest([trend, reversion], make_bars(400), accounts=accounts, fees=0.001)


def ruined(make_bars):
    some = make_bars(400)
    columns = (np.linspace(100, 400, 400) + shift for shift in (0.0, 1.0, -1.0, 0.5))
    rising = cambist.Bars(cambist.Instrument(symbol="UP"), "1h", some.ts, *columns, some.volume)
    return cambist.backtest(Short, rising, cash=1_000, leverage=10)


def one_bar(make_bars):
    return cambist.backtest(SmaCross, make_bars(1), cash=1_000)


def bar_by_bar(make_bars):
    return cambist.backtest(SmaCross, make_bars(400), cash=100_000, events=True, benchmark=False)


@pytest.mark.parametrize("make", [several_accounts, ruined, one_bar, bar_by_bar])
def test_every_kind_of_run_has_a_page(make, make_bars, tmp_path):
    result = make(make_bars)
    page = result.report(tmp_path / "run.html").read_text()
    assert result.title in page
    assert "nan" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL).lower().replace("finance", "")
    assert result._repr_html_()
