"""What every journal has to hold: subclass `JournalTests` in a test module and pytest runs all of it."""

from __future__ import annotations

import contextlib
import itertools
import random
import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from cambist.errors import JournalError
from cambist.ports.journal import Draft
from cambist.storage.journal import Files, Journal, JournalFolder, JournalOptions
from cambist.testing.conformance import Suite
from cambist.testing.faults import CrashingFiles

if TYPE_CHECKING:
    from cambist.ports.journal import JournalEntry

__all__ = ["JournalTests", "drafts"]


def drafts() -> st.SearchStrategy[Draft]:
    """Records of any kind: unicode, big and empty bodies, times that go back."""
    bodies = st.one_of(st.binary(max_size=60), st.integers(200, 3_000).map(lambda size: bytes([size % 251]) * size))
    return st.builds(
        Draft,
        kind=st.text(st.characters(codec="utf-8"), min_size=1, max_size=20),
        ts=st.integers(-(2**63), 2**63 - 1),
        body=bodies,
        version=st.integers(1, 65_535),
    )


def facts(entry: JournalEntry | Draft) -> tuple[str, int, bytes, int]:
    """Return what was given of a record."""
    return entry.kind, entry.ts, entry.body, entry.version


class JournalTests(Suite):
    """The promises of a journal.

    A subclass may override `open`, which is all that the tests know of how a journal is made.

    Attributes
    ----------
    options
        Of the journals that are opened: segments of a few records, so that everything happens at their edges too.
    examples
        How many random histories are played.
    stride
        How many operations are left out between two at which the machine dies.
    """

    prefix = "JRN"
    options: ClassVar[dict[str, Any]] = {"segment_bytes": 600, "keep_segments": 3}
    examples: ClassVar[int] = 40
    stride: ClassVar[int] = 0

    def open(self, folder: Path, files: Files | None = None, **options: Any) -> Journal:
        """Open the journal in `folder`."""
        return Journal(folder, JournalOptions(**{**self.options, **options}), files=files)

    def test_it_is_a_list_whatever_happens(self) -> None:
        """Random operations, crashes among them, against a plain list."""

        class History(_History):
            suite = self

        run_state_machine_as_test(
            History,
            settings=settings(
                max_examples=self.examples,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )

    @pytest.mark.parametrize("part", [0.0, 0.5, 1.0], ids="{:.0%} of the write".format)
    def test_it_survives_a_crash_at_every_operation(self, tmp_path: Path, part: float) -> None:
        """Die at each operation in turn: what was told to be safe is there, and nothing that is half."""
        survived = False
        for at in itertools.count(1, 1 + self.stride if part == 0.0 else 4 + self.stride):
            folder = tmp_path / str(at)
            files = CrashingFiles(at, part)
            safe, taken = self._live(folder, files)
            files.die()
            files.lose_power(random.Random(at))  # noqa: S311 - a test
            with self.open(folder) as journal:
                first = journal.first  # what comes after this may have old segments removed meanwhile
                kept = list(journal.read(first))
                for before, entry in enumerate(kept):
                    assert facts(entry) == taken[first + before - 1]
                assert journal.durable >= safe, f"died at operation {at}: record {journal.durable + 1} is lost"
                assert not kept or kept[-1].ends_commit, f"died at operation {at}: half a commit is left"
                number = journal.append([Draft("after", 0, b"")])
                journal.wait(number)
                assert number == first + len(kept)
            shutil.rmtree(folder)
            if not files.is_dead or files.operations < at:
                survived = True
                break
        assert survived
        assert at > 30, "a journal that hardly touches the disk is not tested by this"

    def _live(self, folder: Path, files: CrashingFiles) -> tuple[int, list[tuple[str, int, bytes, int]]]:
        """Use a journal until the machine dies; return the newest record known to be safe, and all that were given."""
        safe = 0
        taken: list[tuple[str, int, bytes, int]] = []
        try:
            journal = self.open(folder, files, compress=None)
        except JournalError:
            return safe, taken
        try:
            for number in range(12):
                sizes = (40, 5, 90)[: number % 3 + 1]
                commit = [Draft(f"kind {number}", number, bytes([number]) * size) for size in sizes]
                taken += map(facts, commit)
                last = journal.append(commit)
                journal.wait(last)
                safe = last
                if number in (5, 9):
                    journal.cursor("reader").advance(last - 1)
                    journal.snapshots.save(last, b"state")
                    journal.prune()
                    journal.options = JournalOptions(compress="zlib", keep_segments=2)
                    journal.tidy()
        except (JournalError, OSError):
            assert files.is_dead
        finally:
            with contextlib.suppress(OSError):
                journal.close()
        return safe, taken

    def test_a_reader_beside_the_writer_sees_a_prefix(self, tmp_path: Path) -> None:
        """Read in another thread while records come: whole commits, in order, never more than was appended."""
        with self.open(tmp_path / "journal") as journal:
            seen: list[int] = []
            done = threading.Event()

            def read() -> None:
                beside, position = JournalFolder(tmp_path / "journal"), 0
                while not (done.is_set() and position == 300):
                    for entry in beside.read(position + 1):
                        position = entry.sequence
                        seen.append(position)

            thread = threading.Thread(target=read)
            thread.start()
            for number in range(100):
                journal.append([Draft("k", number, b"x" * 50)] * 3)
            journal.wait()
            done.set()
            thread.join()
        assert seen == list(range(1, 301))

    def test_big_values_and_any_text_come_back(self, tmp_path: Path) -> None:
        """Megabytes, every plane of Unicode, the least and the greatest time."""
        given = [
            Draft("größe 価格 \U0001f4c8 \x00", -(2**63), b""),
            Draft("k", 2**63 - 1, bytes(range(256)) * 20_000, 65_535),
            Draft("x" * 255, 0, b"\x1eCJR" * 1_000),
        ]
        with self.open(tmp_path) as journal:
            journal.append(given)
        with self.open(tmp_path) as journal:
            assert [facts(entry) for entry in journal.read()] == [facts(one) for one in given]

    def test_a_clock_that_goes_back_changes_no_order(self, tmp_path: Path) -> None:
        """Sequence numbers alone order records."""
        with self.open(tmp_path) as journal:
            for ts in (5, 3, 9, -1):
                journal.append([Draft("k", ts, b"")])
        with self.open(tmp_path) as journal:
            assert [(entry.sequence, entry.ts) for entry in journal.read()] == [(1, 5), (2, 3), (3, 9), (4, -1)]


class _History(RuleBasedStateMachine):
    """A journal and the list it should be."""

    suite: JournalTests

    @initialize()
    def begin(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="journal"))
        self.taken: list[tuple[str, int, bytes, int]] = []
        self.ends: set[int] = {0}
        self.safe = 0
        self.reader = 0
        self._open()

    def _open(self, **options: Any) -> None:
        self.files = CrashingFiles()
        self.journal = self.suite.open(self.root / "journal", self.files, **options)

    @rule(commit=st.lists(drafts(), min_size=1, max_size=4))
    def append(self, commit: list[Draft]) -> None:
        last = self.journal.append(commit)
        self.taken += map(facts, commit)
        assert last == len(self.taken) == self.journal.last
        self.ends.add(last)

    @rule()
    def wait(self) -> None:
        self.journal.wait()
        self.safe = len(self.taken)
        assert self.journal.durable == self.safe

    @rule(share=st.floats(0, 1))
    def read(self, share: float) -> None:
        known = self.journal.durable
        start = max(self.journal.first, int(share * known))
        entries = list(self.journal.read(start))
        assert [facts(entry) for entry in entries][: known - start + 1] == self.taken[start - 1 : known]
        assert [entry.sequence for entry in entries] == list(range(start, start + len(entries)))
        assert all(entry.ends_commit == (entry.sequence in self.ends) for entry in entries)

    @rule()
    def read_on(self) -> None:
        cursor = self.journal.cursor("reader")
        assert cursor.sequence == self.reader or (self.reader == 0 and cursor.sequence == self.journal.first - 1)
        for entry in self.journal.read(cursor.sequence + 1):
            assert facts(entry) == self.taken[entry.sequence - 1]
            cursor.advance(entry.sequence)
        self.reader = cursor.sequence

    @rule()
    def snapshot(self) -> None:
        if self.safe:  # no precondition: how much survives a crash is the scheduler's choice, which no run repeats
            self.journal.snapshots.save(self.safe, f"state {self.safe}".encode())

    @rule()
    def tidy(self) -> None:
        first = self.journal.first
        self.journal.tidy()
        assert self.journal.first >= first
        if self.journal.first > first:  # what was removed is in a snapshot, and no reader waits for it
            kept = self.journal.snapshots.newest(1)
            assert kept is not None
            assert kept.sequence >= self.journal.first - 1

    @rule()
    def reopen(self) -> None:
        self.journal.close()
        self.safe = len(self.taken)
        self._open()
        assert self.journal.recovery.problem is None
        assert self.journal.last == self.safe

    @rule(seed=st.integers(0, 2**32), sudden=st.booleans())
    def crash(self, seed: int, sudden: bool) -> None:
        if sudden:
            self.files.die()
        self.journal.wait() if not sudden else None
        self.files.die()
        known = self.safe if sudden else len(self.taken)
        self._bury()
        self.files.lose_power(random.Random(seed))  # noqa: S311 - a test
        self._open()
        last = self.journal.last
        assert known <= last <= len(self.taken), "what was safe is lost, or what was never given is there"
        assert last in self.ends, "half a commit is there"
        del self.taken[last:]
        self.ends = {end for end in self.ends if end <= last}
        self.safe = last

    def _bury(self) -> None:
        with contextlib.suppress(OSError):
            self.journal.close()

    @invariant()
    def another_process_sees_whole_commits(self) -> None:
        if not hasattr(self, "journal"):
            return
        beside = JournalFolder(self.root / "journal")
        try:
            entries = list(beside.read(beside.first))
        except JournalError as error:
            if error.code != "removed":  # by the thread that tidies up, a moment ago
                raise
            return
        assert not entries or entries[-1].sequence in self.ends
        assert all(facts(entry) == self.taken[entry.sequence - 1] for entry in entries)

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self._bury()
            shutil.rmtree(self.root, ignore_errors=True)
