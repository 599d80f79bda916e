"""Notices to the log."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from cambist.notify.log import LogNotifier
from cambist.ports import Notice, NoticeLevel


@pytest.mark.parametrize("level", list(NoticeLevel))
def test_the_record_has_the_level_of_the_notice(caplog, level):
    with caplog.at_level(logging.DEBUG):
        LogNotifier().send(Notice(level=level, title="late"))
    (record,) = caplog.records
    assert (record.levelname.lower(), record.name) == (str(level), "cambist.notify")


def test_title_text_and_fields_are_one_line_for_people_and_parts_for_programs(caplog):
    notice = Notice(level="warning", title="late", text="no bar", fields={"symbol": "BTC/USDT", "message": "100%s"})
    LogNotifier("acme.channel").send(notice)
    (record,) = caplog.records
    assert record.name == "acme.channel"
    assert record.getMessage() == "late: no bar [symbol=BTC/USDT message=100%s]"
    assert (record.notice_title, record.notice_text) == ("late", "no bar")
    assert record.notice_fields == {"symbol": "BTC/USDT", "message": "100%s"}


def test_a_title_alone_is_enough(caplog):
    with caplog.at_level(logging.INFO):
        LogNotifier().send(Notice(title="started"))
    assert caplog.messages == ["started"]


def test_a_warning_is_seen_where_nobody_set_up_logging():
    program = (
        "from cambist.notify.log import LogNotifier; from cambist.ports import Notice;"
        "LogNotifier().send(Notice(level='warning', title='late'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("", "late\n")


def test_an_unknown_level_is_refused():
    with pytest.raises(ValueError, match="'loud' is not a valid NoticeLevel"):
        Notice(level="loud", title="x")
