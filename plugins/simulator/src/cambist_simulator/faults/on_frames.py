"""Faults of single frames on their way to a client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist_simulator.server.wire import frame_text, text_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cambist_simulator.faults.occasions import Frame, Ground
    from cambist_simulator.server.connection import SocketConnection

__all__ = ["FRAME_ACTIONS", "Holds"]


class Holds:
    """Frames that wait: for others to overtake them, or for a time to pass.

    Parameters
    ----------
    ground
        Whose clock counts.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        #: By connection: frames to be overtaken, each with the number of frames that still have to.
        self._overtaken: dict[int, list[tuple[int, bytes]]] = {}
        #: By connection: the kinds that are held back ("" is all), and what is held.
        self._stalled: dict[tuple[int, str], list[bytes]] = {}

    @property
    def any(self) -> bool:
        """Whether any frame waits, or would have to."""
        return bool(self._overtaken or self._stalled)

    def later(self, connection: SocketConnection, frame: bytes, span: int) -> None:
        """Let `span` frames overtake this one."""
        self._overtaken.setdefault(connection.id, []).append((span, frame))

    def stall(self, connection: SocketConnection, kind: str, frame: bytes, span: int) -> None:
        """Hold this frame back for `span` ns, and all of its kind that come meanwhile; kind ``""`` is all."""
        key = (connection.id, kind)
        self._stalled.setdefault(key, []).append(frame)
        self._ground.timers("server").after(span, lambda: connection.write_all(self._stalled.pop(key, ())))

    def stalls(self, connection: SocketConnection, kind: str, frame: bytes) -> bool:
        """Whether a frame is held back, and if so hold it."""
        for one in ("", kind):
            held = self._stalled.get((connection.id, one))
            if held is not None:
                held.append(frame)
                return True
        return False

    def passed(self, connection: SocketConnection, frames: Iterable[bytes]) -> list[bytes]:
        """Return frames that leave, and after them those that have been overtaken by enough."""
        leaving = list(frames)
        waiting = self._overtaken.get(connection.id)
        if not waiting:
            return leaving
        counted = [(span - len(leaving), frame) for span, frame in waiting]
        ready = [frame for span, frame in counted if span <= 0]
        self._overtaken[connection.id] = [one for one in counted if one[0] > 0]
        if not self._overtaken[connection.id]:
            del self._overtaken[connection.id]
        return leaving + ready

    def forget(self, connection_id: int) -> None:
        """Forget what waits for a connection that has ended."""
        self._overtaken.pop(connection_id, None)
        for key in [key for key in self._stalled if key[0] == connection_id]:
            del self._stalled[key]


def _drop(_: Ground, frame: Frame) -> Iterable[bytes]:  # noqa: ARG001 -- what it is does not matter
    return ()


def _duplicate(_: Ground, frame: Frame) -> Iterable[bytes]:
    times: int = frame.rule.fault.arguments["times"]
    return (frame.data,) * (1 + times)


def _delay(ground: Ground, frame: Frame) -> Iterable[bytes]:
    ground.timers("server").after(frame.rule.fault.arguments["by"], lambda: frame.connection.write(frame.data))
    return ()


def _reorder(_: Ground, frame: Frame) -> Iterable[bytes]:
    frame.holds.later(frame.connection, frame.data, frame.rule.fault.arguments["span"])
    return ()


def _stall(_: Ground, frame: Frame) -> Iterable[bytes]:
    frame.holds.stall(frame.connection, "", frame.data, frame.rule.fault.arguments["for"])
    return ()


def _stale_book(_: Ground, frame: Frame) -> Iterable[bytes]:
    frame.holds.stall(frame.connection, frame.kind, frame.data, frame.rule.fault.arguments["for"])
    return ()


def _sequence_gap(_: Ground, frame: Frame) -> Iterable[bytes]:
    frame.rule.burst = frame.rule.fault.arguments["frames"] - 1
    return ()


def _corrupt(_: Ground, frame: Frame) -> Iterable[bytes]:
    text = frame_text(frame.data)
    kept = text[: int(len(text) * frame.rule.fault.arguments["keep"])]
    # A frame whose text is no UTF-8 would be another fault than this one.
    return (text_frame(kept.decode("utf-8", "ignore").encode()),)


def _cut(_: Ground, frame: Frame) -> Iterable[bytes]:
    frame.connection.break_off(frame.data, max(1, int(len(frame.data) * frame.rule.fault.arguments["keep"])))
    return ()


#: What leaves instead of a frame.
FRAME_ACTIONS: Mapping[str, Callable[[Ground, Frame], Iterable[bytes]]] = {
    "drop": _drop,
    "duplicate": _duplicate,
    "delay": _delay,
    "reorder": _reorder,
    "stall": _stall,
    "stale_book": _stale_book,
    "sequence_gap": _sequence_gap,
    "lost_fill": _drop,
    "corrupt_frame": _corrupt,
    "cut_mid_frame": _cut,
}
