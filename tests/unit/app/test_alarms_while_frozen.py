"""An alarm reaches people whatever the run is doing."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace

from cambist.app.alarms import AlarmDesk
from cambist.notify import Channel


class Heard:
    """A channel that keeps what it is given."""

    def __init__(self):
        self.titles, self.came = [], threading.Event()

    def send(self, notice):
        self.titles.append(notice.title)
        self.came.set()


class Journalled:
    """What an alarm desk needs of a run."""

    journalling = True

    def __init__(self):
        self.alerts = []
        self.session = SimpleNamespace(name="venue")
        self.kernel = SimpleNamespace(recorder=SimpleNamespace(alert=self._alert, notified=lambda *_: None))

    def now(self):
        return 0

    def _alert(self, _now, alert):
        self.alerts.append(alert.code)
        return len(self.alerts)


def test_people_hear_of_a_run_that_hangs_while_it_does_and_the_journal_afterwards():
    people = Heard()
    desk = AlarmDesk([Channel(name="people", notifier=people, at_least="info")])
    run = Journalled()

    async def hang():
        desk.attach(run)
        watchdog = threading.Thread(target=desk.alarm, args=("loop_frozen", "it hangs"))
        watchdog.start()
        assert people.came.wait(20)  # the loop does not get on meanwhile
        assert run.alerts == []
        watchdog.join()
        await asyncio.sleep(0)
        assert run.alerts == ["loop_frozen"]
        desk.alarm("out_of_step", "from within")
        await asyncio.sleep(0)
        assert run.alerts == ["loop_frozen", "out_of_step"]
        desk.detach()

    asyncio.run(hang())
    desk.close()
    assert people.titles == ["loop frozen", "out of step"]
