"""What a bad, full or slow disk does: it is named, and nothing is taken afterwards."""

from __future__ import annotations

import asyncio
import errno
import threading

import pytest

from cambist.errors import InputError, JournalSlowError, JournalWriteError, ParameterError
from cambist.ports import Draft
from cambist.storage.journal import Files, Journal, JournalOptions
from cambist.testing import FaultyFiles

NOTE = Draft("note", 1, b"a body of some length")


def safe_count(folder):
    with Journal(folder) as journal:
        return len(list(journal.read()))


@pytest.mark.parametrize(
    ("error", "code", "remedy"),
    [
        (errno.ENOSPC, "disk_full", "Make room"),
        (errno.EDQUOT, "disk_full", "quota"),
        (errno.EIO, "io_error", "Check the disk"),
        (errno.EROFS, "read_only", "Make it writable"),
        (errno.EFBIG, "write_failed", "Look into it"),
    ],
)
@pytest.mark.parametrize("room", [0, 1, 30, 63, 64])
def test_a_failed_write_ends_the_journal_and_says_so(tmp_path, error, code, remedy, room):
    files = FaultyFiles()
    journal = Journal(tmp_path, files=files)
    journal.append([NOTE])
    journal.wait()
    files.error, files.room = error, room
    number = journal.append([NOTE])
    with pytest.raises(JournalWriteError, match=remedy) as caught:
        journal.wait(number)
    assert (caught.value.code, caught.value.sequence) == (code, 2)
    assert caught.value.path == str(tmp_path / f"{1:020d}.cbj")
    files.room = None  # the disk has room again: whoever goes on without opening anew would not know what is there
    with pytest.raises(JournalWriteError, match="nothing may be traded"):
        journal.append([NOTE])
    assert (journal.durable, journal.failure.code, journal.health().failure.code) == (1, code, code)
    journal.close()
    assert safe_count(tmp_path) == 1


def test_what_cannot_be_made_safe_is_not_said_to_be(tmp_path):
    files = FaultyFiles()
    journal = Journal(tmp_path, files=files)
    files.sync_error = errno.EIO
    number = journal.append([NOTE, NOTE])
    with pytest.raises(JournalWriteError, match="reported an error"):
        journal.wait(number)
    files.sync_error = None  # a second try would succeed, and the data would be lost all the same
    with pytest.raises(JournalWriteError):
        journal.append([NOTE])
    assert journal.durable == 0
    journal.close()


def test_short_writes_go_on_where_they_ended(tmp_path):
    files = FaultyFiles()
    files.at_a_time = 7
    with Journal(tmp_path, files=files) as journal:
        journal.append([NOTE] * 10)
    assert safe_count(tmp_path) == 10


def test_a_disk_that_takes_no_byte_is_an_error(tmp_path):
    class Deaf(Files):
        def write(self, descriptor, data):
            return super().write(descriptor, data[:3]) if len(data) > 3 else 0

    with pytest.raises(JournalWriteError, match="reported an error"):
        Journal(tmp_path, files=Deaf())


def test_a_read_only_disk_is_told_at_the_start(tmp_path):
    Journal(tmp_path / "old").close()
    files = FaultyFiles()
    files.read_only = True
    for folder in (tmp_path / "old", tmp_path / "new"):
        with pytest.raises(JournalWriteError) as caught:
            Journal(folder, files=files)
        assert caught.value.code == "read_only"
    Journal(tmp_path / "old").close()  # and the lock was let go


def test_a_disk_that_fills_up_between_segments(tmp_path):
    files = FaultyFiles()
    journal = Journal(tmp_path, JournalOptions(segment_bytes=100, compress=None), files=files)
    journal.append([NOTE])
    journal.wait()
    files.room = 20
    with pytest.raises(JournalWriteError, match="disk is full"):
        journal.wait(journal.append([NOTE]))
    journal.close()
    with Journal(tmp_path) as again:
        assert again.recovery.problem is None
        assert again.append([NOTE]) == 2


def test_a_slow_disk_takes_no_more_than_may_wait(tmp_path):
    now = [0.0]
    files = FaultyFiles()
    journal = Journal(
        tmp_path, JournalOptions(pending_seconds=2.0, pending_bytes=60), files=files, clock=lambda: now[0]
    )
    files.gate.clear()
    journal.append([NOTE])
    now[0] = 1.5
    journal.append([NOTE])
    assert journal.health().pending_seconds == 1.5
    now[0] = 2.5
    with pytest.raises(JournalSlowError, match=r"2\.5 s") as caught:
        journal.append([NOTE])
    assert (caught.value.code, caught.value.sequence) == ("slow_disk", 1)
    with pytest.raises(JournalSlowError, match="do not act on it"):
        journal.wait(1, timeout=0.01)
    files.gate.set()
    journal.wait()
    assert journal.append([NOTE]) == 3, "a slow disk is no broken one"
    journal.close()
    assert safe_count(tmp_path) == 3


def test_what_waits_is_bounded_in_bytes(tmp_path):
    files = FaultyFiles()
    journal = Journal(tmp_path, JournalOptions(pending_bytes=50), files=files)
    files.gate.clear()
    for _ in range(3):
        journal.append([NOTE])
    with pytest.raises(JournalSlowError, match="63 bytes"):
        journal.append([NOTE])
    files.gate.set()
    journal.close()


def test_an_event_loop_goes_on_while_the_disk_is_slow(tmp_path):
    files = FaultyFiles()
    journal = Journal(tmp_path, files=files)

    async def trade():
        files.gate.clear()
        order = []
        first, second = journal.append([NOTE]), journal.append([NOTE])

        async def send(number):
            await journal.wait_async(number)
            order.append(f"sent {number}")

        sending = [asyncio.ensure_future(send(number)) for number in (second, first)]
        for _ in range(3):
            await asyncio.sleep(0)
            order.append("tick")
        files.gate.set()
        await asyncio.gather(*sending)
        await journal.wait_async(first)
        return order

    assert asyncio.run(trade()) == ["tick", "tick", "tick", "sent 1", "sent 2"]
    journal.close()


def test_an_event_loop_learns_of_a_failure(tmp_path):
    files = FaultyFiles()
    journal = Journal(tmp_path, files=files)

    async def trade():
        files.gate.clear()
        waiting = asyncio.ensure_future(journal.wait_async(journal.append([NOTE])))
        await asyncio.sleep(0)
        files.sync_error = errno.EIO
        files.gate.set()
        with pytest.raises(JournalWriteError):
            await waiting
        with pytest.raises(JournalWriteError):
            await journal.wait_async(1)

    asyncio.run(trade())
    journal.close()


def test_a_loop_that_is_gone_is_no_failure(tmp_path):
    files = FaultyFiles()
    journal = Journal(tmp_path, files=files)
    files.gate.clear()

    async def leave():
        asyncio.ensure_future(journal.wait_async(journal.append([NOTE])))  # noqa: RUF006 - nobody waits for it
        await asyncio.sleep(0)

    asyncio.run(leave())
    files.gate.set()
    journal.wait()
    assert journal.append([NOTE]) == 2
    journal.close()


def test_a_listener_hears_of_every_number_in_order(tmp_path):
    with Journal(tmp_path) as journal:
        heard = []
        journal.on_durable(heard.append)
        for _ in range(50):
            journal.append([NOTE])
        journal.wait()
    assert heard == sorted(set(heard))
    assert heard[-1] == 50


def test_a_listener_that_raises_ends_the_journal(tmp_path):
    journal = Journal(tmp_path)

    def fail(_durable):
        raise ZeroDivisionError("nothing to divide")

    journal.on_durable(fail)
    journal.append([NOTE])
    while journal.failure is None:
        journal.health()
    with pytest.raises(JournalWriteError, match="ZeroDivisionError: nothing to divide"):
        journal.append([NOTE])
    journal.close()


def test_writes_share_the_disk(tmp_path):
    files = FaultyFiles()
    journal = Journal(tmp_path, files=files)
    files.gate.clear()
    before = files.syncs
    for _ in range(1_000):
        journal.append([NOTE])
    files.gate.set()
    journal.wait()
    assert journal.health().writes <= 2
    journal.close()
    assert files.syncs - before <= 3  # one of them for the room that is made behind the first write
    journal.close()


def test_many_threads_append_whole_commits(tmp_path):
    with Journal(tmp_path) as journal:

        def work(name):
            for _ in range(50):
                journal.append([Draft(name, 0, b""), Draft(name, 1, b"")])

        threads = [threading.Thread(target=work, args=(f"{number}",)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        journal.wait()
        entries = list(journal.read())
    assert len(entries) == 400
    assert all(one.kind == two.kind and two.ends_commit for one, two in zip(entries[::2], entries[1::2], strict=True))


def test_a_closed_journal_takes_nothing(tmp_path):
    journal = Journal(tmp_path)
    journal.close()
    journal.close()
    with pytest.raises(JournalWriteError, match="is closed"):
        journal.append([NOTE])


@pytest.mark.parametrize(
    "drafts",
    [
        [],
        [Draft("", 0, b"")],
        [Draft("ü" * 128, 0, b"")],
        [Draft("k", 2**63, b"")],
        [Draft("k", 0, b"", 0)],
        [Draft("k", 0, b"", 65_536)],
        [NOTE, Draft("k", 0, bytes(64 * 1024 * 1024 + 1))],
    ],
    ids=range(7),
)
def test_what_is_no_record_is_refused_before_anything_is_taken(tmp_path, drafts):
    with Journal(tmp_path) as journal:
        with pytest.raises(InputError):
            journal.append(drafts)
        assert journal.last == 0


def test_options_that_make_no_sense(tmp_path):
    for options in ({"segment_bytes": 0}, {"compress": "zip"}, {"pending_seconds": -1}, {"keep_segments": 0}):
        with pytest.raises(ParameterError, match=next(iter(options))):
            JournalOptions(**options)
    with pytest.raises(ValueError, match="hope"):
        JournalOptions(on_damage="hope")


def test_giving_way_ends_when_the_disk_is_at_it_and_not_when_it_is_done(tmp_path):
    files = FaultyFiles()
    journal = Journal(tmp_path, files=files)
    files.gate.clear()
    number = journal.append([NOTE])
    journal.give_way(60.0)  # would time out, were it the disk that is waited for
    assert journal.durable < number
    while not written_bytes(tmp_path).count(NOTE.body):
        pass
    assert journal.durable < number
    journal.append([NOTE])
    journal.give_way(60.0)  # the thread is at the first, and was not woken for this one
    files.gate.set()
    journal.wait()
    files.room = 0
    journal.append([NOTE])
    journal.give_way(60.0)  # nor does a failure leave anybody waiting
    journal.close()


def written_bytes(folder):
    return (folder / f"{1:020d}.cbj").read_bytes()
