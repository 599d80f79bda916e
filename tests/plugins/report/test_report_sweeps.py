"""The page of a sweep: a table of parameters and measures, whoever made it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from cambist.errors import InputError, ParameterError
from cambist_report.command import report
from cambist_report.sweeps import sweep_page, write_sweep


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(1)
    grid = [(fast, slow, kind) for fast in range(5, 15) for slow in range(30, 90, 10) for kind in ("EMA", "SMA")]
    frame = pd.DataFrame(grid, columns=["fast", "slow", "kind"])
    frame["sharpe"] = 1.0 - ((frame["fast"] - 9) / 6) ** 2 - ((frame["slow"] - 60) / 40) ** 2
    frame["sharpe"] += random.normal(0.0, 0.02, len(frame))
    frame["trades"] = 2_000 // frame["fast"]
    frame["error"] = ""
    frame.loc[7, ["sharpe", "error"]] = [np.nan, "ZeroDivisionError: <b>"]
    return frame


@pytest.fixture(scope="module")
def folds(table):
    random = np.random.default_rng(2)
    noisy = (table.assign(fold=fold, sharpe=table["sharpe"] + random.normal(0, 0.1, len(table))) for fold in range(4))
    return pd.concat(noisy)


def test_the_page_shows_the_table(table, folds, look, tmp_path):
    path = write_sweep(table, tmp_path / "sweep.html", folds=folds)
    page = look(path)
    best = table.sort_values("sharpe", ascending=False).iloc[0]
    first = page.locator("#best-table tbody tr").first.locator("th, td").all_text_contents()
    assert first[:4] == ["1", str(best["fast"]), str(best["slow"]), best["kind"]]
    assert "A configuration failed with: ZeroDivisionError: <b>" in page.locator(".notice").text_content()
    page.locator("[name=how]").select_option("best")
    titles = page.locator("#heat td[data-cell]").evaluate_all("cells => cells.map(cell => cell.title)")
    assert len(titles) == 60
    expected = table.groupby(["fast", "slow"])["sharpe"].max()
    assert f"fast 9, slow 60: sharpe {expected[9, 60]:.3f} (best of 2)" in titles
    assert page.locator("#heat td.best").count() == 1
    page.locator("[name=down]").select_option("kind")
    assert page.locator("#heat tbody tr").count() == 2
    rows = page.locator("#fold-table tbody tr")
    assert rows.count() == 20
    means = folds.groupby(["fast", "slow", "kind"])["sharpe"].mean().sort_values(ascending=False)
    assert rows.first.locator("td").nth(7).text_content() == f"{means.iloc[0]:,.4g}"


def test_lines_are_kept_where_somebody_drags(table, look, tmp_path):
    page = look(write_sweep(table, tmp_path / "sweep.html"))
    page.locator("#lines").scroll_into_view_if_needed()
    box = page.locator("#lines").bounding_box()
    x, top, middle = page.evaluate("[cambist.sweep.x(0), cambist.sweep.y(0, 14), cambist.sweep.y(0, 9.5)]")
    page.mouse.move(box["x"] + x, box["y"] + top - 3)
    page.mouse.down()
    page.mouse.move(box["x"] + x, box["y"] + middle, steps=4)
    page.mouse.up()
    kept = table[(table["fast"] >= 10) & table["sharpe"].notna()]
    page.locator("#lines-said", has_text=f"{len(kept)} of {len(table) - 1} configurations").wait_for()
    assert page.evaluate("cambist.sweep.chosen") == len(kept)


def test_returns_tell_luck_from_skill(table):
    random = np.random.default_rng(3)
    lucky = random.normal(0.0, 0.01, (500, len(table)))
    assert "cannot be told from the luck of 120 tries" in sweep_page(table, returns=lucky)
    lucky[:, 3] += 0.003
    skilled = sweep_page(table, returns=lucky)
    assert "is better than the luck of 120 tries" in skilled
    assert "The search finds what lasts" in skilled
    assert "stands on a plateau" in skilled


def test_returns_and_reruns_beside_a_table(table, tmp_path):
    random = np.random.default_rng(3)
    returns = pd.DataFrame(random.normal(0.0, 0.01, (200, len(table))))
    returns[7] = 0.0  # one that never traded
    returns.index = pd.date_range("2024-01-01", periods=200, tz="UTC", name="time")
    reruns = pd.DataFrame({"change": ["as it was", "2 bars later"], "delay": [0, 2], "sharpe": [1.25, np.nan]})
    for ending in ("csv", "json"):
        write = {"csv": lambda one, path: one.to_csv(path), "json": _as_a_sweep_does}[ending]
        write(table, tmp_path / f"sweep.{ending}")
        write(returns, tmp_path / f"sweep.returns.{ending}")
        write(reruns, tmp_path / f"sweep.reruns.{ending}")
        named = ["--parameter", "fast", "--parameter", "slow", "--parameter", "kind", "--measure", "sharpe"]
        done = CliRunner().invoke(report, ["--sweep", str(tmp_path / f"sweep.{ending}"), *named])
        assert done.exit_code == 0, done.output
        page = (tmp_path / "sweep.html").read_text()
        assert f"the luck of {len(table)} tries" in page
        assert "Probability of overfitting" in page
        assert "Run again: the strategy decided anew" in page
        assert "2 bars later" in page


def _as_a_sweep_does(frame, path):
    path.write_text(
        json.dumps(
            {"parameters": [], "rows": json.loads(frame.reset_index().to_json(orient="records", date_format="iso"))}
        )
    )


def test_a_file_with_folds_beside_it(table, folds, tmp_path):
    table.to_csv(tmp_path / "sweep.csv")  # with an index, which is none of the parameters
    folds.to_csv(tmp_path / "sweep.folds.csv", index=False)
    named = ["--parameter", "fast", "--parameter", "slow", "--parameter", "kind", "--measure", "sharpe"]
    done = CliRunner().invoke(report, ["--sweep", str(tmp_path / "sweep.csv"), *named])
    assert done.exit_code == 0, done.output
    assert 'id="fold-table"' in (tmp_path / "sweep.html").read_text()


@pytest.mark.parametrize(
    ("change", "settings", "error", "told"),
    [
        (lambda frame: frame.iloc[:0], {}, InputError, "has no row"),
        (lambda frame: frame, {"measure": "sharp"}, ParameterError, "sharpe"),
        (lambda frame: frame, {"parameters": ["fsat"]}, ParameterError, "fast"),
        (lambda frame: frame[["sharpe"]], {}, InputError, "which are parameters"),
    ],
)
def test_a_table_that_says_nothing_is_refused(table, change, settings, error, told):
    with pytest.raises(error, match=told):
        sweep_page(change(table), **settings)


def test_a_sweep_in_which_all_failed_has_a_page(table):
    failed = table.assign(sharpe=np.nan, error="boom")
    page = sweep_page(failed)
    assert "There is nothing to judge" in page
    assert f"{len(failed)} configurations failed" in page
