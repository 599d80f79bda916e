"""Signals become stop requests while a run runs, and only then; progress is drawn where it is of use."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading

import pytest

from cambist.backtest import StopRequest
from cambist.cli.interrupts import stop_on_signals
from cambist.cli.screen import progress_bar


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_the_run_to_stop(number, capfd):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    stop = StopRequest()
    with stop_on_signals(stop) as caught:
        assert caught == []
        os.kill(os.getpid(), number)
        assert stop.requested
        assert stop.reason == f"interrupted by {number.name}"
        assert caught == [number.name]
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL, "the second one is the system's"
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    assert "stopping after this bar" in capfd.readouterr().err


def test_the_handlers_come_back_after_an_error():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ValueError, match="boom"), stop_on_signals(StopRequest()):
        raise ValueError("boom")
    assert signal.getsignal(signal.SIGINT) is before


def test_another_thread_leaves_signals_alone():
    before, seen = signal.getsignal(signal.SIGINT), []

    def work():
        with stop_on_signals(StopRequest()) as caught:
            seen.append((caught, signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [([], before)]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Make stderr a terminal, once the test runs: pytest puts its own in place before."""

    def install():
        stream = Terminal()
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.delenv("NO_COLOR", raising=False)
        return stream

    return install


def test_long_work_shows_a_bar_on_a_terminal(terminal):
    screen = terminal()
    with progress_bar("backtest", wanted=None) as report:
        report(65_536, 200_000)
        report(200_000, 200_000)
    assert "200000/200000" in screen.getvalue()
    assert "backtest" in screen.getvalue()


def test_short_work_shows_none_unless_asked(terminal):
    screen = terminal()
    with progress_bar("backtest", wanted=None) as report:
        report(200, 200)
    assert screen.getvalue().strip() == ""
    with progress_bar("backtest", wanted=True) as report:
        report(200, 200)
    assert "200/200" in screen.getvalue()


def test_work_of_unknown_length(terminal):
    screen = terminal()
    with progress_bar("backtest", wanted=None) as report:
        report(65_536, None)
    assert "65536/?" in screen.getvalue()


def test_no_bar_where_there_is_no_terminal_or_it_is_unwanted(terminal, monkeypatch):
    terminal()
    with progress_bar("x", wanted=False) as report:
        assert report is None
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress_bar("x", wanted=None) as report:
        assert report is None
