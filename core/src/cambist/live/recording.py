"""The recording of a live or paper run: what its kernel took in and no journal keeps, so that it can be replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.engine.recorded import RecordingRecorder
from cambist.storage.recording import BackgroundRecording, RecordingWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist.engine.journaled import Journaling
    from cambist.live.settings import LiveSettings
    from cambist.storage.journal import Journal

__all__ = ["RunRecording", "about_run"]


class RunRecording:
    """Records what a kernel takes in; the kernel gets a recorder that does so.

    It never keeps the run waiting: what finds no room in its queue, or on the disk, ends the recording and not the run.

    Parameters
    ----------
    kernel
        Not started yet.
    journal
        Of the run.
    about
        What a replay has to know; see `about_run`.
    alarm
        Told, once, that the recording ends early.
    room
        Rows that may wait to be written.
    """

    def __init__(
        self,
        kernel: Journaling,
        journal: Journal,
        about: Mapping[str, Any],
        alarm: Callable[[str, str], None],
        *,
        room: int = 200_000,
    ) -> None:
        writer = RecordingWriter(journal.folder, journal.id, about, goes_on=True)
        self._kept = BackgroundRecording(
            writer,
            lambda why: alarm("recording_lost", f"{why}. The run goes on; it cannot be replayed beyond."),
            room=room,
        )
        self._recorder = RecordingRecorder(kernel, journal.append, self._kept.add, lambda _reason: False)
        kernel.recorder = self._recorder

    def begin(self, sequence: int, ts: int) -> None:
        """Say that the run begins, or goes on, behind record number `sequence` of the journal."""
        self._recorder.sequence = sequence
        self._recorder.begin(ts)

    def end(self) -> None:
        """Say that the run has ended and nothing is missing."""
        self._recorder.end()

    def close(self) -> None:
        """Write what was taken."""
        self._kept.close()


def about_run(kernel: Journaling, settings: LiveSettings, fees: Any) -> dict[str, Any]:
    """Return what a replay has to know of a run; plain values.

    Parameters
    ----------
    fees
        By which the risk gate reckons, as a paper run's settings say it; None for each instrument's own rates.
    """
    options: dict[str, Any] = {}
    objects: dict[str, str] = {}

    def tell(name: str, given: Any) -> None:
        """Tell of a setting as it is, or of what kind it was where no file can keep it."""
        if given is not None:
            plain = _is_plain(given) or (isinstance(given, dict) and all(_is_plain(one) for one in given.values()))
            (options if plain else objects)[name] = given if plain else repr(given)

    tell("fees", fees)
    tell("calendar", settings.calendar)
    if settings.risk:
        objects["risk"] = repr(tuple(settings.risk))
    return {
        "live": True,
        "series": [(instrument.symbol, str(timeframe)) for instrument, timeframe in kernel.series],
        "options": options,
        "objects": objects,
        "cannot": dict(kernel.cannot),
        "streams": [(kind, instrument.symbol) for kind, instrument in getattr(kernel, "streams", ())],
    }


def _is_plain(given: Any) -> bool:
    return isinstance(given, str | int | float)
