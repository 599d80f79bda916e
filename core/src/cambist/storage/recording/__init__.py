"""The recording: what a run was told and no journal keeps, in compressed blocks beside the journal's segments."""

from __future__ import annotations

from cambist.storage.recording.background import BackgroundRecording
from cambist.storage.recording.blocks import FOLDER, RecordingHead
from cambist.storage.recording.reader import RecordingFolder
from cambist.storage.recording.writer import RecordingWriter

__all__ = ["FOLDER", "BackgroundRecording", "RecordingFolder", "RecordingHead", "RecordingWriter"]
