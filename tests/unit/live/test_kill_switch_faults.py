"""Whatever fails while the kill switch is thrown, people are told that something may be open, and the file stays."""

from __future__ import annotations

import asyncio

import pytest

from cambist.errors import ConfigError
from cambist.live.control.kill import KillSwitch, Open
from cambist.live.control.places import ControlFolder


class Broken:
    """A run that can do nothing any more."""

    sealed = False

    def seal(self):
        self.sealed = True

    async def halt_for_kill(self, by, reason):
        raise KeyError("a fault of ours")

    async def call(self, work, **_):
        return await work()


def no_session():
    raise ConfigError("the secret is gone")


@pytest.mark.parametrize(("make", "why"), [(no_session, "the secret is gone"), (None, "act at the venue by hand")])
def test_it_is_told_that_something_may_be_open(tmp_path, make, why):
    folder = ControlFolder(tmp_path / "journal").make()
    told = []

    async def play():
        broken = Broken()
        switch = KillSwitch(
            folder, broken, broken, lambda: Open([], {}, {}), make, lambda word, text: told.append((word, text))
        )
        killed = await switch.throw("anna", "socket", flatten=True, reason="enough")
        watching = asyncio.create_task(switch.watch_file())
        await asyncio.sleep(0.3)
        assert not watching.done()
        assert len(told) == 2, "its own file does not throw it again"
        folder.kill.unlink()
        folder.kill.write_text("flatten")
        async with asyncio.timeout(20):
            while len(told) < 4:  # noqa: ASYNC110 - a list tells nobody
                await asyncio.sleep(0.02)
        watching.cancel()
        return broken, killed

    broken, killed = asyncio.run(play())
    assert broken.sealed
    assert not killed.verified
    assert folder.kill.exists()
    assert [word for word, _ in told] == ["kill_switch", "kill_switch_failed"] * 2
    assert "anna (socket): enough" in told[0][1]
    assert "SOMETHING MAY BE OPEN" in told[1][1]
    assert why in told[1][1]
