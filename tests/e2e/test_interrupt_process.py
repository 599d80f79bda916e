"""Ctrl-C: the run ends after its bar, what was done is written, and a second one ends even what hangs."""

from __future__ import annotations

import json
import signal
import time

import pytest

# Signals that it has played some bars, and then takes its time, so that whoever waits for the signal can interrupt it.
SLOW = """
    import time
    from pathlib import Path
    from cambist import Strategy

    class Slow(Strategy):
        def on_start(self):
            self.count = 0

        def on_bar(self, bar):
            self.count += 1
            self.close() if self.position else self.buy()
            if self.count == 50:
                Path("ready").touch()
            if self.count >= 50:
                {wait}

        def on_stop(self):
            Path("stopped").write_text(str(self.count))
"""


def wait_for(process, file):
    """Wait for a sign of the process; a test that hangs ends by the time limit of `communicate`."""
    while not file.exists():
        if process.poll() is not None:
            raise AssertionError(f"ended early: {process.communicate()}")
        time.sleep(0.01)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs the signals of a Unix")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_writes_what_it_has_done(desk, number):
    desk.bars("many.csv", count=20_000)
    desk.write("slow.py", SLOW.format(wait="time.sleep(0.01)"))
    process = desk.start("backtest", "slow.py", "--data", "many.csv", "--out", "out")
    wait_for(process, desk.path / "ready")
    process.send_signal(number)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "stopping after this bar" in errors
    assert f"stopped: interrupted by {number.name}" in errors
    assert "written to out/" in errors
    assert "Traceback" not in errors
    assert output.startswith("Slow on many 1d\n"), "the table is shown as ever"
    document = json.loads((desk.path / "out" / "result.json").read_text(encoding="utf-8"))
    played = int((desk.path / "stopped").read_text())
    assert 50 <= played < 20_000
    assert document["stopped"] == f"interrupted by {number.name}"
    assert document["data"]["bars"] == document["tables"]["equity"]["rows"] == played
    assert document["tables"]["fills"]["rows"] >= 48


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs the signals of a Unix")
def test_the_second_interrupt_ends_a_run_that_hangs(desk):
    desk.write("slow.py", SLOW.format(wait="time.sleep(3600)"))
    process = desk.start("backtest", "slow.py", "--data", "bars.csv", "--out", "out")
    wait_for(process, desk.path / "ready")
    process.send_signal(signal.SIGINT)
    while "stopping" not in process.stderr.readline():
        assert process.poll() is None
    assert process.poll() is None, "the first one waits for the end of the bar"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGINT
    assert not (desk.path / "out" / "result.json").exists()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs the signals of a Unix")
def test_an_interrupt_before_the_run_ends_at_once(desk):
    desk.write("slow.py", "import time\nfrom pathlib import Path\nPath('ready').touch()\ntime.sleep(3600)\n")
    process = desk.start("backtest", "slow.py", "--data", "bars.csv")
    wait_for(process, desk.path / "ready")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert errors.strip() == "error: interrupted"
