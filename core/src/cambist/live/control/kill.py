"""The kill switch: halts trading, cancels everything, closes positions, and makes sure at the venue that it is so."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

from cambist.errors import CambistError, ControlError, VenueError
from cambist.live.control.clearing import Cleared, Clearing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cambist.live.control.heartbeat import Bridge
    from cambist.live.control.operator import Operator
    from cambist.live.control.places import ControlFolder
    from cambist.ports.venue import VenueSession

__all__ = ["KillSwitch", "Killed", "Open", "clear_account", "read_kill_file", "write_kill_file", "write_report"]

_log = logging.getLogger("cambist.live.control")
#: Between two looks for the file, s.
_LOOK_EVERY = 0.2
#: How long a run that is not ready yet is waited for, before the switch acts without it, s.
_READY_WITHIN = 5.0
_CLOSE_WITHIN = 5.0


class Killed(Cleared, kw_only=True):
    """What the kill switch did.

    Attributes
    ----------
    at
        When, ns, UTC, wall clock.
    by, via
        Who threw it, and how: ``"socket"``, ``"file"``, ``"signal"``, ``"watchdog"`` or ``"command"``.
    acted
        ``"run"`` where the run did it itself; ``"session"`` where it could not, and a session of the switch's own did.
    """

    at: int
    by: str
    via: str
    flatten: bool
    acted: str = ""


@attrs.frozen
class Open:
    """What the switch has to know where it acts without the run.

    Attributes
    ----------
    symbols
        Of the run's instruments.
    held
        What the run holds, by symbol.
    known
        Numbers of the run's orders by client id.
    closing
        Client ids, by symbol, of orders of the run that are to close what it holds, and are not answered.
    """

    symbols: Sequence[str]
    held: Mapping[str, float]
    known: Mapping[str, int]
    closing: Mapping[str, str] = attrs.field(factory=dict)


async def clear_account(session: VenueSession, what: Open, *, flatten: bool, within: float) -> Cleared:
    """Cancel all orders of an account by a session of one's own, and close positions where that is wanted.

    Parameters
    ----------
    session
        Not yet open; it is closed at the end.
    """
    clearing = Clearing(session, within, what.known)
    try:
        async with asyncio.timeout(within):
            await session.open()
        clear = await clearing.cancel(whole=what.symbols)
        if flatten:
            traded = {one.symbol: one for one in session.instruments()}
            held = await clearing.still_held(what.held, what.closing)
            clear &= await clearing.close([traded[one] for one in what.symbols if one in traded], held)
            clear &= len(held) == len(what.held)
        clearing.done.verified = clear
    except VenueError as error:
        clearing.done.problems.append(str(error))
    except TimeoutError:
        clearing.done.problems.append(f"{session.name} did not answer within {within:g} s")
    finally:
        with contextlib.suppress(VenueError, TimeoutError):
            async with asyncio.timeout(_CLOSE_WITHIN):
                await session.close()
    return clearing.done


def write_kill_file(folder: ControlFolder, said: Mapping[str, Any]) -> None:
    """Say by the file that the switch was thrown; it survives the process and a loss of power."""
    descriptor = os.open(folder.kill, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, msgspec.json.encode(dict(said)) + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_kill_file(folder: ControlFolder) -> str | None:
    """Return what the file says; None where it is not there."""
    try:
        return folder.kill.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:  # it is there, and that is what counts
        return f"({error.strerror})"


def write_report(folder: ControlFolder, killed: Killed) -> None:
    """Leave word of what the switch did; that it was done counts more."""
    document = msgspec.json.format(msgspec.json.encode(killed, enc_hook=str), indent=2)
    with contextlib.suppress(OSError):
        folder.report.write_bytes(document + b"\n")


class KillSwitch:
    """Throws the switch, whoever asks: in a loop of its own, so that a run that does not get on cannot keep it from it.

    Parameters
    ----------
    folder
        With the file, by whose being there trading stays halted until somebody resumes it.
    operator
        Of the run.
    bridge
        To the run.
    open_now
        Answers what the switch has to know where it acts without the run.
    make_session
        Makes a session of the account, not yet open; None where there is none, and the switch acts by the run alone.
    tell
        Told of what a person should know; any thread may call it.
    within
        How long canceling, and closing, may take, s.
    """

    def __init__(
        self,
        folder: ControlFolder,
        operator: Operator,
        bridge: Bridge,
        open_now: Callable[[], Open],
        make_session: Callable[[], VenueSession] | None,
        tell: Callable[[str, str], None],
        *,
        within: float = 20.0,
    ) -> None:
        self._folder, self._operator, self._bridge = folder, operator, bridge
        self._open_now, self._make_session, self._tell, self._within = open_now, make_session, tell, within
        self._throwing = asyncio.Lock()
        self._seen: tuple[int, int] | None = None

    async def throw(self, by: str, via: str, *, flatten: bool, reason: str = "") -> Killed:
        """Halt, cancel, close, look, and tell; a second one waits for the first, and does it again."""
        async with self._throwing:
            killed = Killed(at=time.time_ns(), by=by, via=via, flatten=flatten)
            self._tell("kill_switch", f"the kill switch was thrown by {by} ({via}){f': {reason}' if reason else ''}.")
            self._mark(killed)
            done = await self._by_run(killed, reason) or await self._by_session(killed)
            for field in msgspec.structs.fields(Cleared):
                setattr(killed, field.name, getattr(done, field.name))
            self._report(killed)
            return killed

    async def watch_file(self) -> None:
        """Throw the switch when the file appears, or is there already."""
        while True:
            found = self._stamp()
            if found is not None and found != self._seen:
                said = read_kill_file(self._folder) or ""
                self._seen = found
                await self.throw(_author(said), "file", flatten="flatten" in said and '"flatten":false' not in said)
            await asyncio.sleep(_LOOK_EVERY)

    def forget(self) -> None:
        """Take the file away: trading was resumed."""
        try:
            self._folder.kill.unlink(missing_ok=True)
        except OSError as error:
            self._tell("kill_switch", f"{self._folder.kill} cannot be removed ({error}); the next start halts again.")
        self._seen = None

    def _mark(self, killed: Killed) -> None:
        """Leave the file, so that a restart finds the run halted."""
        if self._stamp() is None or killed.flatten:
            said = {"by": killed.by, "via": killed.via, "at": killed.at, "flatten": killed.flatten}
            try:
                write_kill_file(self._folder, said)
            except OSError as error:
                self._tell("kill_switch", f"{self._folder.kill} cannot be written ({error}); a restart may trade.")
        self._seen = self._stamp()

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self._folder.kill.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns

    async def _by_run(self, killed: Killed, reason: str) -> Cleared | None:
        """Have the run do it; None where it cannot."""
        operator, by = self._operator, killed.by
        operator.seal()
        why = f"kill switch ({killed.via}){f': {reason}' if reason else ''}"
        killed.acted = "run"
        deadline = asyncio.get_running_loop().time() + _READY_WITHIN
        try:
            await self._bridge.call(lambda: operator.halt_for_kill(by, why))
            while True:
                try:
                    done = await self._bridge.call(lambda: operator.clear(by, flatten=killed.flatten))
                except ControlError as error:
                    if error.code != "not_ready" or asyncio.get_running_loop().time() >= deadline:
                        raise
                    await asyncio.sleep(_LOOK_EVERY)
                else:
                    break
        except Exception as error:  # noqa: BLE001 - whatever the run has, the venue can still be asked
            _log.warning("the run could not carry out the kill switch: %s", error, exc_info=not _known(error))
            killed.problems.append(str(error))
            return None
        if done["verified"] or self._make_session is None:
            return Cleared(
                orders=done["orders"],
                positions=done.get("positions", []),
                verified=done["verified"],
                problems=done["problems"],
            )
        killed.problems += done["problems"]
        return None

    async def _by_session(self, killed: Killed) -> Cleared:
        before = list(killed.problems)
        if self._make_session is None:
            return Cleared(problems=[*before, "there is no session of the switch's own: act at the venue by hand."])
        killed.acted = "session"
        try:
            done = await clear_account(
                self._make_session(), self._open_now(), flatten=killed.flatten, within=self._within
            )
        except Exception as error:  # noqa: BLE001 - people have to know that it was not done
            _log.critical("the kill switch failed: %s", error, exc_info=not _known(error))
            done = Cleared(problems=[str(error)])
        done.problems = before + done.problems
        return done

    def _report(self, killed: Killed) -> None:
        """Leave word of what was done, and tell people."""
        write_report(self._folder, killed)
        orders = sum(one.outcome != "open" for one in killed.orders)
        what = f"{orders} of {len(killed.orders)} orders ended"
        if killed.flatten:
            closed = sum(one.outcome != "open" for one in killed.positions)
            what += f", {closed} of {len(killed.positions)} positions closed"
        if killed.verified:
            self._tell("kill_switch_done", f"{what}; the venue says that nothing is open.")
        else:
            why = f" {' '.join(killed.problems)}" if killed.problems else ""
            self._tell("kill_switch_failed", f"{what}, and SOMETHING MAY BE OPEN at the venue: look there now.{why}")


def _known(error: Exception) -> bool:
    return isinstance(error, CambistError)


def _author(said: str) -> str:
    """Return who is said to have made the file."""
    try:
        by = msgspec.json.decode(said)["by"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return "a file"
    return str(by)
