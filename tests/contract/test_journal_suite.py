"""The journal of the core passes the suite that ships with it."""

from typing import ClassVar

from cambist.testing import JournalTests


class TestJournal(JournalTests):
    pass


class TestPackedWithLzma(JournalTests):
    options: ClassVar = {"segment_bytes": 600, "compress": "lzma", "keep_segments": 1}
    examples = 15
    stride = 6


class TestPlainAndWhole(JournalTests):
    options: ClassVar = {"segment_bytes": 10_000, "compress": None}
    examples = 15
    stride = 6
