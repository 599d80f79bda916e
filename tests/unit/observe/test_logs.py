"""What a log line looks like, whoever writes it, and that ids are on it and secrets are not."""

from __future__ import annotations

import asyncio
import logging
import re
import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest

from cambist.errors import ConfigError
from cambist.observe import configure, get_logger, log_context
from cambist.observe.redaction import REDACTOR
from cambist.ports import Notice, NoticeLevel


def test_a_plain_record_carries_time_level_logger_text_and_the_ids_of_its_context(logs):
    logs.start(json=True)
    with log_context(run="r1"), log_context(order=42):
        logging.getLogger("cambist.strategy.SmaCross").warning("filled %d at %s", 3, 101.5)
    (record,) = logs.records
    made = datetime.fromisoformat(record.pop("time"))
    assert abs((datetime.now(UTC) - made).total_seconds()) < 3600
    assert record == {
        "level": "warning",
        "logger": "cambist.strategy.SmaCross",
        "event": "filled 3 at 101.5",
        "run": "r1",
        "order": 42,
    }


def test_the_ids_are_gone_after_their_block_and_the_inner_one_wins(logs):
    logs.start(json=True)
    log = logging.getLogger("x")
    with log_context(run="outer"):
        with log_context(run="inner"):
            log.info("1")
        log.info("2")
    log.info("3")
    assert [record.get("run") for record in logs.records] == ["inner", "outer", None]


def test_each_task_and_thread_has_its_own_ids(logs):
    logs.start(json=True)
    meet = threading.Barrier(2)

    def work(run):
        with log_context(run=run):
            meet.wait(30)  # both are inside their blocks now
            logging.getLogger(run).info("thread")
            meet.wait(30)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("t1", "t2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    async def task(run, mine, other):
        with log_context(run=run):
            mine.set()
            await other.wait()
            logging.getLogger(run).info("task")

    async def both():
        one, two = asyncio.Event(), asyncio.Event()
        await asyncio.gather(task("a1", one, two), task("a2", two, one))

    asyncio.run(both())
    told = {(record["logger"], record["run"]) for record in logs.records if "run" in record}
    assert told == {(name, name) for name in ("t1", "t2", "a1", "a2")}


def test_what_the_caller_says_wins_over_the_context(logs):
    logs.start(json=True)
    with log_context(order=1):
        logging.getLogger("x").info("about another", extra={"order": 2})
    assert logs.records[0]["order"] == 2


def test_structlog_and_standard_records_come_out_alike(logs):
    logs.start(json=True)
    with log_context(run="r"):
        logging.getLogger("same").info("filled", extra={"price": 1.5, "side": "buy"})
        get_logger("same").info("filled", price=1.5, side="buy")
    first, second = logs.records
    assert {**first, "time": ""} == {**second, "time": ""}


def test_values_json_has_no_type_for_are_written_all_the_same(logs):
    logs.start(json=True)
    logging.getLogger("x").info(
        "odd", extra={"nan": float("nan"), "when": datetime(2024, 1, 2, tzinfo=UTC), "set": {1}}
    )
    (record,) = logs.records
    assert (record["nan"], record["when"], record["set"]) == (None, "2024-01-02 00:00:00+00:00", [1])


def test_an_exception_is_one_field_of_json_and_a_plain_traceback_for_people(logs):
    for json in (True, False):
        logs.start(json=json)
        try:
            _ = {}["missing"]
        except KeyError:
            logging.getLogger("x").exception("oh")
    assert logs.lines[0].startswith("{")
    assert "KeyError: 'missing'" in logs.lines[0]
    assert [line for line in logs.lines[1:] if line == "KeyError: 'missing'"]


def test_a_line_for_people(logs):
    logs.start()
    with log_context(run="r1"):
        logging.getLogger("cambist.x").warning("watch out")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \[warning\] watch out +\[cambist\.x\] run=r1", logs.lines[0].rstrip()
    )


def test_a_notice_is_told_once_to_people_and_in_parts_to_programs(logs):
    from cambist.notify.log import LogNotifier

    notice = Notice(level=NoticeLevel.WARNING, title="Low funds", text="42 USD", fields={"account": "main"})
    for json in (False, True):
        logs.start(json=json)
        LogNotifier().send(notice)
    for_people, for_programs = logs.lines
    assert for_people.count("Low funds") == 1
    assert '"notice_title":"Low funds"' in for_programs


def test_the_level_decides(logs):
    logs.start("warning", json=True)
    logging.getLogger("x").info("no")
    logging.getLogger("x").warning("yes")
    get_logger("x").info("no")
    assert [record["event"] for record in logs.records] == ["yes"]


def test_an_unknown_level_is_refused_with_a_suggestion():
    with pytest.raises(ConfigError, match=r"no log level 'warn'\. Did you mean 'warning'"):
        configure("warn")


def test_setting_up_again_replaces_and_leaves_other_handlers_alone(logs):
    class Mine(logging.Handler):
        def emit(self, record):
            pass

    mine = Mine()
    logging.getLogger().addHandler(mine)
    for _ in range(3):
        logs.start(json=True)
    logging.getLogger("x").info("once")
    assert len(logs.records) == 1
    assert mine in logging.getLogger().handlers


def test_the_default_stream_is_what_stderr_is_when_a_record_is_written(logs, capsys):
    configure("info", json=True)
    logging.getLogger("x").info("here")
    assert '"event":"here"' in capsys.readouterr().err


def test_secrets_are_masked_in_fields_texts_and_tracebacks(logs, monkeypatch):
    monkeypatch.setattr(REDACTOR, "_values", frozenset())
    monkeypatch.setattr(REDACTOR, "_inside", None)
    REDACTOR.register("k3y-of-mine")
    for json in (True, False):
        logs.start(json=json)
        log = logging.getLogger("x")
        log.info("sent k3y-of-mine", extra={"request": {"apiKey": "abc", "query": ["k3y-of-mine"]}})
        try:
            int("k3y-of-mine")
        except ValueError:
            log.exception("failed")
        with log_context(token="t0ken"):
            log.info("done")
    text = "\n".join(logs.lines)
    assert "k3y-of-mine" not in text
    assert "abc" not in text
    assert "t0ken" not in text
    assert text.count("invalid literal for int() with base 10: '***'") == 2


def test_a_process_that_writes_no_record_does_not_pay_for_structlog():
    program = (
        "import sys, logging\n"
        "from cambist.observe import configure\n"
        "configure('warning')\n"
        "logging.getLogger('x').info('below the level')\n"
        "assert 'structlog' not in sys.modules\n"
        "logging.getLogger('x').warning('above')\n"
        "assert 'structlog' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "above" in done.stderr


@pytest.mark.parametrize("count", [50, 500])
def test_a_backtest_logs_nothing_per_bar(logs, count):
    """However many bars there are, the core writes no record about any of them."""
    import numpy as np

    import cambist

    class Trader(cambist.Strategy):
        def on_bar(self, bar):
            if self.position:
                self.close()
            else:
                self.buy()

        def on_stop(self):
            self.log.info("over")

    ts = np.arange(count) * 60 * 10**9
    price = np.full(count, 100.0)
    bars = cambist.Bars(
        cambist.Instrument(symbol="X"), cambist.Timeframe.parse("1m"), ts, price, price, price, price, price
    )
    logs.start("debug", json=True)
    result = cambist.backtest(Trader, bars)
    assert len(result.fills) > count / 2
    assert [record["event"] for record in logs.records] == ["over"]
