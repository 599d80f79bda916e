"""What a run practices between its orders reaches neither the journal nor the venue."""

from __future__ import annotations

import asyncio

import pytest
from stage import PLACES, staged

from cambist.errors import ParameterError
from cambist.live import LiveSettings
from cambist.live.practice import PRACTICE
from cambist.ports import Draft
from cambist.storage.journal import Journal


def test_a_run_that_practices_sends_and_keeps_what_its_strategy_wants_and_no_more(tmp_path):
    async def script():
        async with staged(PLACES["spot"], tmp_path, practice_every=0.0005) as stage:
            await stage.start()
            trading, ready, practiced_with = stage.run.session._trading, [], []
            prepare, practice = trading.prepare, trading.practice
            trading.prepare = lambda request: (ready.append(request), prepare(request))
            trading.practice = lambda request: (practiced_with.append(request), practice(request))

            async def practiced(times):
                enough = len(practiced_with) + times
                await stage.until(lambda: len(practiced_with) >= enough, "it to be practiced")

            await practiced(20)
            order = await stage.order(lambda s: s.buy(stage.place.size))
            await practiced(20)
            kinds = [entry.kind for entry in stage.journal.read()]
            assert kinds.count("order_submitted") == 1
            assert {one.client_id for one in practiced_with} == {PRACTICE}
            assert {one.order.id for one in ready} == {order.id}
            assert not trading._ready
            assert [one.id for one in stage.kernel.book.orders] == [order.id]
            await stage.order(lambda s: s.sell(stage.place.size))
            await stage.end()
            stage.compare()
            assert not [one for one in stage.simulator.orders() if one.client_id == PRACTICE]

    asyncio.run(script())


def test_nothing_of_it_is_kept(tmp_path):
    with Journal(tmp_path) as journal:
        journal.wait(journal.append([Draft("note", 0, b"kept")]))
        for _ in range(50):
            journal.practice([Draft("note", 0, b"practiced")])
        journal.wait(journal.append([Draft("note", 0, b"kept, too")]))
        assert [entry.body for entry in journal.read()] == [b"kept", b"kept, too"]
    journal.practice([Draft("note", 0, b"practiced")])  # a thread that has ended is woken no more
    assert journal._writer._bell.qsize() <= 1
    with Journal(tmp_path) as journal:
        assert journal.recovery.problem is None
        assert journal.last == 2


def test_a_session_that_fails_at_it_is_asked_no_more_and_the_run_goes_on(tmp_path, caplog):
    async def script():
        async with staged(PLACES["spot"], tmp_path, practice_every=0.0005) as stage:
            asked = []

            def fail(request):
                asked.append(request)
                raise KeyError(request.client_id)

            await stage.start()
            stage.run.session._trading.practice = fail
            await stage.until(lambda: asked, "it to be practiced")
            await stage.order(lambda s: s.buy(stage.place.size))
            await stage.order(lambda s: s.sell(stage.place.size))
            assert len(asked) == 1
            await stage.end()
            stage.compare()

    asyncio.run(script())
    assert [one.message for one in caplog.records if "practiced no more" in one.message]


def test_how_often_is_a_number_of_seconds():
    for number in (-1.0, float("inf"), float("nan")):
        with pytest.raises(ParameterError, match="practice_every"):
            LiveSettings(practice_every=number)
