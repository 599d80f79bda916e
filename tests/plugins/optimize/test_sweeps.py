"""Sweeps: one table whatever plays it, stops and failures that lose nothing, and mistakes that are told."""

from __future__ import annotations

import json
import os
import signal

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import cambist
from cambist import Bars, Instrument, SignalStrategy, Strategy, Timeframe, param
from cambist.api import open_storage
from cambist.errors import ConfigError, MissingDependencyError, ParameterError, ResultError
from cambist.indicators import SMA, crossover
from cambist.indicators.lines import attach
from cambist.model.times import to_ns
from cambist.strategies import FixedReverser
from cambist_optimize import backends, evaluation
from cambist_optimize.cli import optimize as command
from cambist_optimize.kernel import compiling

RANGES = {"fast": "2:8:2", "slow": "10:20:5"}
OPTIONS = {"cash": 50_000.0, "fees": 0.001, "slippage": 0.0005}


class Cross(SignalStrategy):
    fast: int = param(5, ge=2, le=30)
    slow: int = param(20, ge=2)

    def on_start(self):
        close = self.data.close
        cross = crossover(SMA(close, self.fast), SMA(close, self.slow))
        self.trade_on(cross > 0, cross < 0, stop=close * 0.97)


class OfOne(Cross):
    """Looks at the instrument that it trades; `Cross` at the first."""

    def on_start(self):
        close = self.data[self.symbol].close
        cross = crossover(SMA(close, self.fast), SMA(close, self.slow))
        self.trade_on(cross > 0, cross < 0, take=close * 1.05)


class Odd(Strategy):
    """Raises, ends its process, or buys."""

    which: int = param(0)
    wait: bool = param(False)
    how: str = param("raise", choices=["raise", "exit"])

    def on_bar(self, bar):
        if self.which == 2:
            if self.how == "exit":
                os._exit(3)
            raise ValueError("two")
        if self.position.size == 0.0:
            self.buy(self.which + 1)


@pytest.fixture(scope="module")
def bars():
    chance = np.random.default_rng(5)
    close = 100.0 * np.exp(np.cumsum(chance.normal(0.0002, 0.01, 600)))
    open_ = np.concatenate(([100.0], close[:-1]))
    high, low = np.maximum(open_, close) * 1.003, np.minimum(open_, close) * 0.997
    ts = to_ns("2024-03-01") + np.arange(600) * 4 * 3_600_000_000_000
    return Bars(Instrument(symbol="A"), Timeframe.parse("4h"), ts, open_, high, low, close, np.full(600, 10.0))


compiled_only = pytest.mark.skipif(not compiling.IS_COMPILED, reason="the loop is compiled by numba")


def table(sweep):
    return sweep.table.drop(columns=["path", "seconds"])


def test_one_table_whatever_plays_it(bars):
    one = cambist.optimize(Cross, bars, RANGES, **OPTIONS)
    assert len(one.rows) == 12
    assert set(one.table.path) == ({"compiled"} if compiling.IS_COMPILED else {"engine"})
    for options in (
        {"jobs": 2},
        {"compiled": False},
        {"compiled": False, "jobs": 2, "backend": "loky"},
        {"jobs": 2, "backend": "dask"},
    ):
        other = cambist.optimize(Cross, bars, RANGES, **OPTIONS, **options)
        pd.testing.assert_frame_equal(table(one), table(other), check_exact=True)
    by_hand = cambist.backtest(Cross(fast=4, slow=15), bars, **OPTIONS)
    row = one.table[(one.table.fast == 4) & (one.table.slow == 15)].iloc[0]
    for name in one.table.attrs["measures"]:
        np.testing.assert_array_equal(row[name], by_hand.summary[name])
    assert one.result().summary["sharpe"] == one.table.sharpe.max() == one.best.measures["sharpe"]


with_ray = pytest.mark.skipif(
    "CAMBIST_TEST_RAY" not in os.environ, reason="CAMBIST_TEST_RAY is not set: Ray takes a gigabyte"
)


@with_ray
def test_ray_gives_the_same_table(bars):
    one = cambist.optimize(Cross, bars, RANGES, **OPTIONS)
    other = cambist.optimize(Cross, bars, RANGES, jobs=2, backend="ray", **OPTIONS)
    pd.testing.assert_frame_equal(table(one), table(other), check_exact=True)


def test_a_killed_worker_of_a_cluster_costs_no_row(bars):
    """Another worker plays what the one that is gone had begun, on a real cluster."""
    from distributed import Client, LocalCluster

    ranges = {"fast": "2:9", "slow": "10:17"}
    whole = cambist.optimize(Cross, bars, ranges, compiled=False, **OPTIONS)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as cluster,
        Client(cluster) as client,
    ):
        workers = list(client.run(os.getpid).values())
        done_at_the_kill = []

        def kill(progress):
            if not done_at_the_kill:
                os.kill(workers[0], signal.SIGKILL)
                done_at_the_kill.append(progress.done)

        sweep = cambist.optimize(
            *(Cross, bars, ranges),
            **{
                **OPTIONS,
                "compiled": False,
                "jobs": 2,
                "progress": kill,
                "backend": f"dask:{cluster.scheduler_address}",
            },
        )
    assert 0 < done_at_the_kill[0] < len(whole.rows) == 64
    pd.testing.assert_frame_equal(table(sweep), table(whole), check_exact=True)


def shifted(bars, symbol):
    """The same times, other prices."""
    columns = {name: bars.columns[name][::-1].copy() for name in bars.columns}
    return Bars(Instrument(symbol=symbol), bars.timeframe, bars.ts, *columns.values())


def test_instruments_with_an_account_each(bars):
    both = [bars, shifted(bars, "B")]
    options = {**OPTIONS, "accounts": "each", "metric": "total_return"}
    one = cambist.optimize(Cross, both, RANGES, folds=2, **options)
    for other in ({"jobs": 2}, {"compiled": False}):
        again = cambist.optimize(Cross, both, RANGES, folds=2, **options, **other)
        pd.testing.assert_frame_equal(table(one), table(again), check_exact=True)
    assert list(one.folds.instrument.unique()) == ["A", "B"]
    assert len(one.folds) == 12 * 2 * 2
    part = cambist.backtest(Cross(fast=4, slow=15), both[1][300:], **OPTIONS)
    own = one.folds[(one.folds.fast == 4) & (one.folds.slow == 15) & (one.folds.instrument == "B")]
    assert own.total_return.iloc[1] == part.summary["total_return"]
    assert one.table.total_return[4] == pytest.approx(one.folds.total_return[4].mean(), rel=1e-12)


@compiled_only
def test_instruments_that_share_an_account(bars):
    both = [bars, shifted(bars, "B")]
    ranges = {"fast": [4, 6], "symbol": ["A", "B"]}
    one = cambist.optimize(OfOne, both, ranges, **OPTIONS)
    assert set(one.table.path) == {"compiled"}
    other = cambist.optimize(OfOne, both, ranges, compiled=False, **OPTIONS)
    pd.testing.assert_frame_equal(table(one), table(other), check_exact=True)
    mixed = cambist.optimize(Cross, both, ranges, **OPTIONS)
    assert list(mixed.table.path) == ["compiled", "engine"] * 2  # B traded by the lines of A
    apart = cambist.optimize(OfOne, [bars, both[1][1:]], ranges, **OPTIONS)
    assert set(apart.table.path) == {"engine"}
    assert "bars at different times" in apart.notes[0]


@compiled_only
def test_what_the_loop_does_not_know_is_told_once(bars):
    sized = cambist.optimize(Cross, bars, {"fast": [4, 5, 6]}, sizer=FixedReverser(2), **OPTIONS)
    assert set(sized.table.path) == {"engine"}
    assert sized.notes == ("the event engine played 3 of 3 combinations: the sizer is FixedReverser.",)
    funded = cambist.optimize(Cross, bars, {"fast": [4, 5, 6]}, volume_limit=0.5, **OPTIONS)
    assert funded.notes == (
        "the event engine played every combination, slower than the compiled loop: volume_limit is set.",
    )


def test_one_failure_is_a_row(bars):
    sweep = cambist.optimize(Odd, bars, {"which": [0, 1, 2, 3]}, metric="total_return")
    failed = sweep.table[sweep.table.error != ""]
    assert list(failed.which) == [2]
    assert "ValueError" in failed.error.iloc[0]
    assert "two" in failed.error.iloc[0]
    assert failed.total_return.isna().all()
    assert sweep.best.parameters["which"] != 2


class Halved:
    """An indicator that gives a value for every other bar."""

    name, outputs, lookback = "halved", ("value",), 0

    def batch(self, *inputs):
        return (inputs[0][::2].copy(),)


class Short(SignalStrategy):
    which: int = param(0)

    def on_start(self):
        close = self.data.close
        cross = crossover(close, attach(Halved(), close)[0] if self.which else SMA(close, 5))
        self.trade_on(cross > 0, cross < 0)


@compiled_only
def test_a_line_that_is_too_short_is_never_read_beyond_its_end(bars):
    sweep = cambist.optimize(Short, bars, {"which": [0, 1]})
    assert sweep.rows[0].measures["trades"] > 0
    assert "a line of the signals has (300,) values over 600 bars" in sweep.rows[1].error


@pytest.mark.parametrize("backend", ["loky", pytest.param("ray", marks=with_ray)])
def test_a_combination_that_ends_its_process_takes_no_other_with_it(bars, backend):
    options = {"metric": "fees_paid", "jobs": 2, "backend": backend}
    sweep = cambist.optimize(Odd(how="exit"), bars, {"which": [0, 1, 2, 3]}, **options)
    assert [bool(row.error) for row in sweep.rows] == [False, False, True, False]
    assert "WorkerLost" in sweep.rows[2].error


def test_a_stop_keeps_what_is_done_and_the_file_goes_on(bars, tmp_path):
    file = tmp_path / "sweep.jsonl"
    whole = cambist.optimize(Cross, bars, RANGES, **OPTIONS)

    def interrupt(progress):
        if progress.done >= 3:
            raise KeyboardInterrupt

    part = cambist.optimize(Cross, bars, RANGES, resume=file, progress=interrupt, **OPTIONS)
    assert part.stopped == "interrupted"
    assert 3 <= len(part.rows) < 12
    with file.open("ab") as cut:
        cut.write(b'{"number": 7, "fo')  # a crash in the middle of a line
    played = []
    rest = cambist.optimize(Cross, bars, RANGES, resume=file, progress=played.append, **OPTIONS)
    pd.testing.assert_frame_equal(table(rest), table(whole), check_exact=True)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert sorted(line["number"] for line in lines[1:]) == list(range(12))  # none was played twice
    assert played[-1].done == played[-1].total == 12
    with pytest.raises(ConfigError, match="another sweep: settings"):
        cambist.optimize(Cross, bars, RANGES, resume=file, **{**OPTIONS, "fees": 0.002})


@pytest.mark.parametrize("search", ["random", "tpe", "cmaes"])
def test_searches_do_not_depend_on_the_workers(bars, search, tmp_path):
    ranges = {"fast": (2, 12), "slow": (13, 40)}
    options = {"search": search, "trials": 12, "search_seed": 7, "constraints": "slow - fast >= 5", **OPTIONS}
    one = cambist.optimize(Cross, bars, ranges, **options)
    other = cambist.optimize(Cross, bars, ranges, jobs=2, resume=tmp_path / "kept", **options)
    again = cambist.optimize(Cross, bars, ranges, resume=tmp_path / "kept", jobs=2, **options)
    assert len(one.rows) == 12
    assert (one.table.slow - one.table.fast >= 5).all()
    pd.testing.assert_frame_equal(table(one), table(other), check_exact=True)
    pd.testing.assert_frame_equal(table(one), table(again), check_exact=True)


def test_several_objectives(bars):
    metrics = ["total_return", "fees_paid"]
    sweep = cambist.optimize(
        Cross, bars, {"fast": (2, 12), "slow": (13, 40)}, metric=metrics, search="nsga2", trials=20
    )
    front = sweep.pareto
    assert 0 < len(front) <= 20
    for row in sweep.rows:
        beaten = [
            one
            for one in front
            if one.measures["total_return"] >= row.measures["total_return"]
            and one.measures["fees_paid"] <= row.measures["fees_paid"]
        ]
        assert beaten, "the front holds, or beats, every combination"


def test_folds_are_means_and_the_bad_are_spared(bars):
    sweep = cambist.optimize(Cross, bars, RANGES, folds=3, metric="total_return", **OPTIONS)
    assert len(sweep.folds) == 36
    part = cambist.backtest(Cross(fast=4, slow=15), bars[200:400], **OPTIONS)
    own = sweep.folds[(sweep.folds.fast == 4) & (sweep.folds.slow == 15)]
    assert own.total_return.iloc[1] == part.summary["total_return"]
    row = sweep.table[(sweep.table.fast == 4) & (sweep.table.slow == 15)].iloc[0]
    assert row.total_return == pytest.approx(own.total_return.mean(), rel=1e-12)
    ranges = {"fast": (2, 20), "slow": (3, 60)}
    pruned = cambist.optimize(Cross, bars, ranges, folds=3, search="tpe", trials=40, batch=4, metric="total_return")
    spared = pruned.table[pruned.table.error.str.startswith("pruned")]
    assert 0 < len(spared) < 40
    assert pruned.failed == 0
    assert pruned.pruned == len(spared)
    assert f"{len(spared)} pruned" in repr(pruned)
    assert len(pruned.folds) < 120


def test_a_function_and_an_engine_measure_are_objectives(bars):
    def calm(facts):
        return -abs(facts.curve.drawdown.fraction)

    sweep = cambist.optimize(Cross, bars, RANGES, metric=[calm, "beta:min"], **OPTIONS)
    assert set(sweep.table.path) == {"engine"}
    assert list(sweep.table.calm) == list(sweep.table.max_drawdown)
    by_hand = cambist.backtest(sweep.strategy(3), bars, **OPTIONS)
    assert sweep.table.beta[3] == by_hand.analysis.measure("beta")


def test_without_numba_the_engine_serves_and_it_is_said_once(bars, monkeypatch):
    whole = cambist.optimize(Cross, bars, RANGES, **OPTIONS)
    monkeypatch.setattr(compiling, "IS_COMPILED", False)
    sweep = cambist.optimize(Cross, bars, RANGES, **OPTIONS)
    assert set(sweep.table.path) == {"engine"}
    assert len(sweep.notes) == 1
    assert "numba is not installed" in sweep.notes[0]
    pd.testing.assert_frame_equal(table(sweep), table(whole), check_exact=True)


def test_no_trades_at_all_are_a_table_all_the_same(bars):
    sweep = cambist.optimize(Cross, bars, {"slow": [590, 599]}, metric="win_rate")
    assert list(sweep.table.trades) == [0, 0]
    assert sweep.table.win_rate.isna().all()
    with pytest.raises(ResultError, match="NaN for all 2"):
        sweep.best  # noqa: B018 - the access is the test


def test_the_table_is_kept(bars, tmp_path):
    sweep = cambist.optimize(Cross, bars, RANGES, **OPTIONS)
    pd.testing.assert_frame_equal(pd.read_parquet(sweep.save(tmp_path / "a.parquet")), sweep.table, check_exact=True)
    csv = pd.read_csv(sweep.save(tmp_path / "a.csv"), index_col="combination", keep_default_na=False)
    assert list(csv.fast) == list(sweep.table.fast)
    assert json.loads(sweep.save(tmp_path / "a.json").read_text())["rows"][3]["sharpe"] == sweep.table.sharpe[3]
    with pytest.raises(ParameterError, match=r"\.xls"):
        sweep.save(tmp_path / "a.xls")
    with open_storage(f"sqlite:///{tmp_path}/runs.db", "runs") as storage:
        name = sweep.store(storage.runs)
        runs = storage.runs.runs()
        assert [run.id for run in runs] == [f"{name}-{number:06d}" for number in range(12)]
        assert runs[4].strategies[0]["parameters"] == {"fast": 4, "slow": 15}
        kept = {row.name: row.value for row in storage.runs.rows(runs[4].id, cambist.api.MeasureRow)}
    assert kept["sharpe"] == sweep.table.sharpe[4]


def test_daily_returns_are_kept_where_they_fit(bars, tmp_path, monkeypatch):
    sweep = cambist.optimize(Cross, bars, RANGES, resume=tmp_path / "kept", **OPTIONS)
    by_engine = cambist.optimize(Cross, bars, RANGES, compiled=False, **OPTIONS)
    again = cambist.optimize(Cross, bars, RANGES, resume=tmp_path / "kept", **OPTIONS)
    curve = sweep.result(3).curve
    for one in (sweep, by_engine, again):
        pd.testing.assert_frame_equal(one.returns, sweep.returns, check_exact=True)
    np.testing.assert_array_equal(sweep.returns[3], curve.equity[1:] / curve.equity[:-1] - 1.0)
    assert [time.value for time in sweep.returns.index] == list(curve.times[1:])
    sweep.save(tmp_path / "a.csv")
    np.testing.assert_array_equal(pd.read_csv(tmp_path / "a.returns.csv", index_col="time"), sweep.returns)
    monkeypatch.setattr("cambist_optimize.optimizing._KEPT_RETURNS", 100)
    assert cambist.optimize(Cross, bars, RANGES, **OPTIONS).returns is None
    assert cambist.optimize(Cross, bars, RANGES, returns=True, **OPTIONS).returns is not None


def test_the_best_is_run_again_dearer_and_later(bars):
    sweep = cambist.optimize(Cross, bars, {"fast": [4, 5]}, metric="total_return", **OPTIONS)
    again = sweep.rerun(fees=[0, 2], slippage=[3], delays=[2])
    assert list(again.change) == ["as it was", "fees x 0", "fees x 2", "slippage x 3", "2 bars later"]
    assert list(again.error.unique()) == [""]
    by_hand = (
        {},
        {"fees": 0.0},
        {"fees": 0.002},
        {"slippage": 0.0015},
        {"latency": "8h"},  # bars of four hours
    )
    for row, changed in zip(again.itertuples(), by_hand, strict=True):
        result = cambist.backtest(sweep.strategy(), bars, **{**OPTIONS, **changed})
        assert row.net_profit == pytest.approx(result.summary["net_profit"], rel=1e-9)
        assert row.trades == result.summary["trades"]
    free = cambist.optimize(Cross, bars, {"fast": [4, 5]}, metric="total_return")
    assert list(free.rerun(delays=[1]).change) == ["as it was", "1 bar later"]
    with pytest.raises(ParameterError, match="none may be negative"):
        sweep.rerun(fees=[-1])


@pytest.mark.parametrize(
    ("params", "options", "text"),
    [
        ({"fsat": "2:8"}, {}, "no parameter 'fsat'. Did you mean 'fast'"),
        ({"fast": "8:2"}, {}, "goes from 8 to 2"),
        ({"fast": []}, {}, "is empty"),
        ({"fast": "2:8:0"}, {}, "by 0"),
        ({"fast": "1:8"}, {}, "parameter 'fast' is 1"),
        ({"fast": "a:b"}, {}, "LOW:HIGH"),
        ({"slow": None}, {}, "no range of its own"),
        ({}, {}, "no parameter varies"),
        ({"fast": "2:8"}, {"metric": "sharp"}, "no measure 'sharp'. Did you mean 'sharpe'"),
        ({"fast": "2:8"}, {"metric": "exposure"}, "exposure:max or exposure:min"),
        ({"fast": "2:8"}, {"constraints": "fast > slow"}, "no combination fulfils fast > slow"),
        ({"fast": "2:8"}, {"constraints": "fats < 3"}, "names 'fats'. Did you mean 'fast'"),
        ({"fast": "2:8"}, {"constraints": "open('x')"}, "it may compare parameters"),
        ({"fast": "2:8"}, {"search": "tpee"}, "no search 'tpee'. Did you mean 'tpe'"),
        ({"fast": "2:8"}, {"backend": "dusk"}, "no back end 'dusk'. Did you mean 'dask'"),
        ({"fast": "2:8"}, {"folds": 400}, "at most 300"),
        ({"fast": "2:8"}, {"jobs": 0}, "jobs is 0"),
        ({"fast": "2:8"}, {"accounts": "own"}, "accounts is 'own'; give 'shared' or 'each'"),
        ({"fast": "2:8"}, {"returns": True, "folds": 2}, "leave returns out with folds"),
        ({"fast": "2:8"}, {"fee": 0.1}, "no option 'fee'. Did you mean 'fees'"),
        ({"fast": "2:8"}, {"metric": ["sharpe", "sortino"], "search": "cmaes"}, "one objective"),
    ],
)
def test_mistakes_name_the_value_and_the_remedy(bars, params, options, text):
    with pytest.raises(ParameterError) as raised:
        cambist.optimize(Cross, bars, params, **options)
    assert text in str(raised.value)


def test_a_cluster_that_does_not_answer(bars, monkeypatch):
    monkeypatch.setattr(backends, "_PATIENCE", 0.5)
    with pytest.raises(ConfigError, match=r"dask cluster at tcp://127\.0\.0\.1:1 does not answer"):
        cambist.optimize(Cross, bars, RANGES, backend="dask:tcp://127.0.0.1:1", jobs=2)


def test_without_the_package_it_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "cambist_optimize", None)
    with pytest.raises(MissingDependencyError, match="pip install cambist-optimize"):
        cambist.optimize(Cross, None, {})


def test_a_declared_range_is_enough(bars):
    sweep = cambist.optimize(Cross(slow=40), bars, {"fast": None}, **OPTIONS)
    assert list(sweep.table.fast) == list(range(2, 31))
    assert sweep.strategy().params["slow"] == 40


def test_the_command(tmp_path, bars):
    bars.to_frame().to_csv(tmp_path / "bars.csv")
    (tmp_path / "mine.py").write_text(
        "from cambist import Strategy, param\n\n\nclass Mine(Strategy):\n    size: int = param(1, ge=1, le=3)\n\n"
        "    def on_bar(self, bar):\n        if self.size == 2:\n            raise ValueError('two')\n"
        "        self.order_target_size(self.size)\n"
    )
    told = [str(tmp_path / "mine.py"), "-d", str(tmp_path / "bars.csv"), "-p", "size", "-m", "total_return"]
    done = CliRunner().invoke(
        command, [*told, "--out", str(tmp_path / "out.csv"), "--jobs", "2", "--progress", "--rerun"]
    )
    assert done.exit_code == 0, done.output
    assert "3 combinations, 1 failed" in done.stdout
    assert "two" in done.stderr
    assert "3/3" in done.stderr
    assert list(pd.read_csv(tmp_path / "out.csv")["size"]) == [1, 2, 3]
    for name in ("out.returns.csv", "out.reruns.csv"):
        assert (tmp_path / name).is_file()
    assert "the best, run again:" in done.stdout
    done = CliRunner().invoke(command, [*told, "--json"])
    assert json.loads(done.stdout)["best"][0]["size"] in {1, 3}


def test_workers_keep_one_job(bars):
    job = evaluation.Job(Cross, {}, (bars,), OPTIONS, ("sharpe",), ())
    one, other = (backends.Parcel.of(job) for _ in range(2))
    assert one.unpacked() is one.unpacked()
    assert one.unpacked() is not other.unpacked()
