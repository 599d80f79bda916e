"""Processes that journal at full speed, killed with SIGKILL at random instants: nothing that was promised is lost."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from journal_writer import SEGMENT, commits_from, draft_of

from cambist.storage.journal import Journal, JournalFolder, JournalOptions

WRITER = Path(__file__).with_name("journal_writer.py")


def killed(folder, patience):
    """Run a writer, kill it after about `patience` promises, and return the greatest number it promised."""
    process = subprocess.Popen([sys.executable, str(WRITER), str(folder)], stdout=subprocess.PIPE)
    promised = 0
    try:
        opened = process.stdout.readline().decode()
        assert opened.endswith("loaded nothing heavy\n"), opened
        start = int(opened.split()[2].rstrip(","))
        for _ in range(patience):
            promised = int(process.stdout.readline())
    finally:
        process.kill()
        rest = process.stdout.read()
        process.wait()
        process.stdout.close()
    # What came until it died was promised too; the last line may be cut.
    promised = max([promised, *map(int, rest.split(b"\n")[:-1])])
    return start, promised


def check(folder, promised):
    """Open what a killed process left, and return the number of the last record."""
    with Journal(folder, JournalOptions(segment_bytes=SEGMENT)) as journal:
        assert journal.recovery.left_by is not None
        assert journal.last >= promised, f"record {journal.last + 1} was promised and is lost"
        begin = 1
        for entry in journal.read():
            wanted = draft_of(entry.sequence)
            assert (entry.kind, entry.ts, entry.body, entry.version) == (
                wanted.kind,
                wanted.ts,
                wanted.body,
                wanted.version,
            )
            assert entry.ends_commit == (entry.sequence == begin + len(commits_from(begin)) - 1)
            if entry.ends_commit:
                begin = entry.sequence + 1
        assert begin == journal.last + 1, "half a commit was accepted"
        return journal.last, journal.recovery


@pytest.mark.slow
def test_no_promise_is_broken_however_often_a_process_is_killed(tmp_path, request):
    chance = random.Random(20_240_301)
    folder = tmp_path / "journal"
    last = 0
    for number in range(request.config.getoption("--kills")):
        if number % 20 == 0:
            folder = tmp_path / f"journal {number}"
            last = 0
        start, promised = killed(folder, chance.choice([0, 1, 2, 5, 12, 30]))
        assert start == last, "a process began elsewhere than the one before had ended"
        last, recovery = check(folder, promised)
        # Half a record is left now and then; nothing else ever is.
        assert recovery.problem is None or recovery.problem.code in ("torn_record", "torn_commit")
    assert [checked.error for checked in JournalFolder(folder).check() if checked.error] == []


def test_a_process_that_is_killed_while_it_begins_leaves_a_journal_that_begins(tmp_path):
    for number in range(4):
        folder = tmp_path / str(number)
        process = subprocess.Popen([sys.executable, str(WRITER), str(folder)], stdout=subprocess.PIPE)
        while not folder.is_dir() and process.poll() is None:
            pass
        process.kill()
        process.wait()
        process.stdout.close()
        with Journal(folder) as journal:
            assert journal.append(commits_from(journal.last + 1)) > 0
