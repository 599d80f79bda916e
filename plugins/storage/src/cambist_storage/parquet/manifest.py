"""The list of a series' files: what a reader goes by, and the one thing that a write replaces last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cambist.api import StorageError
from cambist.model import Instrument

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FORMAT", "Manifest", "Part", "checksum"]

#: Of the folder. It grows when a reader of the older one would misread the newer.
FORMAT = 1


class Part(msgspec.Struct, frozen=True):
    """One file.

    Attributes
    ----------
    period
        Which bars it holds: ``"2024-03"``, or ``"2024"`` for bars of a day and more.
    file
        Its name: period and checksum, so that another content has another name.
    first, last, rows
        Open times of its first and last bar, ns, UTC, and how many it has.
    size, checksum
        Of its bytes; see `checksum`.
    """

    period: str
    file: str
    first: int
    last: int
    rows: int
    size: int
    checksum: str


class Manifest(msgspec.Struct, frozen=True):
    """What a series consists of.

    Attributes
    ----------
    instrument
        See `Instrument.to_fields`.
    timeframe
        As text.
    parts
        In the order of time; no period twice.
    """

    instrument: dict[str, Any]
    timeframe: str
    parts: tuple[Part, ...]

    @classmethod
    def read(cls, path: Path) -> Manifest | None:
        """Return the manifest at `path`, or None where there is none.

        Raises
        ------
        StorageError
            It is damaged, or of a newer format.
        """
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"{path}: the list of files cannot be read: {error.strerror}.") from error
        try:
            envelope = msgspec.json.decode(data, type=_Envelope)
            if envelope.format > FORMAT:
                raise StorageError(
                    f"{path}: a newer cambist-storage wrote this, in format {envelope.format}; this one reads up to "
                    f"{FORMAT}. Upgrade cambist-storage."
                )
            if checksum(bytes(envelope.manifest)) != envelope.checksum:
                raise StorageError(_damaged(path, "its checksum is not the one written in it"))
            return msgspec.json.decode(bytes(envelope.manifest), type=cls)
        except msgspec.MsgspecError as error:
            raise StorageError(_damaged(path, str(error))) from error

    def encode(self) -> bytes:
        """Return the bytes of the file."""
        body = msgspec.json.encode(self)
        return msgspec.json.encode(_Envelope(FORMAT, checksum(body), msgspec.Raw(body)))

    def load_instrument(self) -> Instrument:
        """Return the instrument."""
        return Instrument(**self.instrument)


class _Envelope(msgspec.Struct):
    format: int
    checksum: str
    manifest: msgspec.Raw


def _damaged(path: Path, reason: str) -> str:
    return (
        f"{path}: the list of a series' files is damaged: {reason}. Restore it from a backup, or delete the folder and "
        "fetch the bars again."
    )


def checksum(data: Any) -> str:
    """Return the BLAKE2b checksum of bytes, 16 of them in hexadecimal digits."""
    from hashlib import blake2b

    return blake2b(data, digest_size=16).hexdigest()
