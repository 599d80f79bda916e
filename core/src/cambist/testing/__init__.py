"""Conformance suites, and the faults they put in the way; needs the extra ``testing`` (pytest and hypothesis)."""

from cambist.testing.faults import Crash, CrashingFiles, FaultyFiles
from cambist.testing.journal import JournalTests

__all__ = ["Crash", "CrashingFiles", "FaultyFiles", "JournalTests"]
