"""Secrets in one encrypted file: scrypt makes a key of a passphrase, AES-256-GCM encrypts and seals what is in it.

The file is a line that says what it is; how the key is made (logarithm of scrypt's N, r, p, salt); a nonce; the
secrets, as JSON, encrypted; and a SHA-256 of all that, which tells damage from a wrong passphrase. It is never changed
in place: a new one is written beside it, read back, and put in its place.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import struct
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import attrs

from cambist.errors import ConfigError, MissingDependencyError
from cambist.observe.redaction import register_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

__all__ = ["SHORTEST_PASSPHRASE", "SecretsFile"]

#: Fewer characters than this are guessed too soon.
SHORTEST_PASSPHRASE: Final = 8
_MAGIC: Final = b"cambist secrets\n"
_VERSION: Final = 1
_HEAD = struct.Struct(">16sBBBB16s12s")
_DIGEST: Final = 32
#: scrypt's N is two to the power of this: 128 MiB and some tenths of a second for each guess.
_COST: Final = 17
_R: Final = 8
_P: Final = 1
#: What a file may ask for: more than 4 GiB of memory is no work of ours.
_LARGEST_COST: Final = 22
#: The length tells only roughly how much is in it.
_PAGE: Final = 1024
_LARGEST_FILE: Final = 16 * 1024 * 1024

#: Keys that were made in this process, by file and by what they were made of.
_KEYS: dict[tuple[str, bytes], bytes] = {}


@attrs.frozen
class _Sealed:
    """A file, taken apart."""

    cost: int
    r: int
    p: int
    salt: bytes
    nonce: bytes
    head: bytes
    body: bytes = attrs.field(repr=False)

    @property
    def recipe(self) -> bytes:
        """How the key is made; the same as long as the passphrase is not changed."""
        return struct.pack(">BBB16s", self.cost, self.r, self.p, self.salt)


class SecretsFile:
    """An encrypted file of secrets.

    Parameters
    ----------
    path
        Of the file. It need not be there yet.
    cost
        How hard a key is to make for a new passphrase: scrypt's N is two to the power of it.

    Examples
    --------
    ::

        file = SecretsFile(Path("secrets"))
        file.put("binance-key", "s3cr3t", "a long passphrase")
        assert file.get("binance-key", lambda: "a long passphrase") == "s3cr3t"
    """

    def __init__(self, path: Path, *, cost: int = _COST) -> None:
        self.path = path.expanduser().absolute()
        self._cost = cost

    def names(self, passphrase: str) -> dict[str, str]:
        """Return when each secret was set (ISO 8601, UTC), by name.

        Raises
        ------
        ConfigError
            There is no such file, it is damaged or open to others, or the passphrase is another one: ``code`` is
            ``"no_secrets_file"``, ``"damaged"``, ``"exposed"`` or ``"wrong_passphrase"``. The file is left as it is.
        """
        return {name: one["set_at"] for name, one in sorted(self._open(lambda: passphrase)[0].items())}

    def get(self, name: str, passphrase: Callable[[], str]) -> str | None:
        """Return a secret, or None where there is none of that name.

        Parameters
        ----------
        name
            Of the secret.
        passphrase
            Asked for it where the file was not opened in this process before; errors as `names`.
        """
        found = self._open(passphrase, again=True)[0].get(name)
        return None if found is None else found["value"]

    def put(self, name: str, value: str, passphrase: str) -> bool:
        """Keep a secret; return whether there was one of that name, which is gone then.

        Raises
        ------
        ConfigError
            As `names`, save that a file which is not there is made; or it cannot be written (``"not_written"``).
        """
        register_secret(value)
        with self._locked():
            secrets, key, sealed = ({}, None, None) if not self.path.exists() else self._open(lambda: passphrase)
            known = name in secrets
            secrets[name] = {"value": value, "set_at": datetime.now(UTC).isoformat(timespec="seconds")}
            self._write(secrets, passphrase, key, sealed)
        return known

    def remove(self, names: Iterable[str], passphrase: str) -> None:
        """Forget secrets; all that are named, or none where one is not there.

        Raises
        ------
        ConfigError
            As `put`; or there is none of a name (``"no_such_secret"``).
        """
        with self._locked():
            secrets, key, sealed = self._open(lambda: passphrase)
            gone = set(names)
            for name in sorted(gone - set(secrets)):
                known = ", ".join(sorted(secrets)) or "none"
                raise ConfigError(
                    f"{self.path} has no secret {name!r}; it has: {known}. Nothing was removed.", code="no_such_secret"
                )
            kept = {name: one for name, one in secrets.items() if name not in gone}
            self._write(kept, passphrase, key, sealed)

    def rotate(self, old: str, new: str) -> int:
        """Encrypt everything anew, under another passphrase and salt; return how many secrets there are.

        Until the new file is whole and was read back, the old one is there.

        Raises
        ------
        ConfigError
            As `put`.
        """
        with self._locked():
            secrets, _, _ = self._open(lambda: old)
            self._write(secrets, new, None, None)
        return len(secrets)

    # Reading.

    def _open(self, passphrase: Callable[[], str], *, again: bool = False) -> tuple[dict[str, Any], bytes, _Sealed]:
        """Decrypt the file; `again` takes the key that was made in this process before, if the file still has it."""
        sealed = self._take_apart(self._bytes())
        place = (str(self.path), sealed.recipe)
        key = (_KEYS.get(place) if again else None) or _derived(sealed, passphrase())
        secrets = _decrypted(sealed, key)
        if secrets is None:
            raise ConfigError(
                f"the passphrase does not open {self.path}; or somebody wrote another file in its place. Nothing was "
                "changed.",
                code="wrong_passphrase",
            )
        _KEYS[place] = key
        for one in secrets.values():
            register_secret(one["value"])
        return secrets, key, sealed

    def _bytes(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                data = file.read(_LARGEST_FILE + 1)
        except FileNotFoundError:
            raise ConfigError(
                f"there is no secrets file {self.path}. 'cambist secrets set NAME' makes one.", code="no_secrets_file"
            ) from None
        except OSError as error:
            raise ConfigError(f"{self.path} cannot be read: {error.strerror or error}.", code="exposed") from None
        if os.name == "posix" and mode & 0o077:
            raise ConfigError(
                f"{self.path} is open to other users (mode {mode:04o}). Close it: chmod 600 {self.path}", code="exposed"
            )
        return data

    def _take_apart(self, data: bytes) -> _Sealed:
        if len(data) < _HEAD.size + _DIGEST or not data.startswith(_MAGIC) or len(data) > _LARGEST_FILE:
            raise self._damaged("it is no secrets file, or only a part of one")
        if hashlib.sha256(data[:-_DIGEST]).digest() != data[-_DIGEST:]:
            raise self._damaged("its checksum is another one")
        _, version, cost, r, p, salt, nonce = _HEAD.unpack_from(data)
        if version != _VERSION:
            raise ConfigError(
                f"{self.path} was of a newer Cambist (format {version}; this one knows {_VERSION}). Install that.",
                code="damaged",
            )
        if not (1 <= cost <= _LARGEST_COST and 1 <= r <= 32 and 1 <= p <= 16):
            raise self._damaged("what it says of its key makes no sense")
        return _Sealed(cost, r, p, salt, nonce, data[: _HEAD.size], data[_HEAD.size : -_DIGEST])

    def _damaged(self, why: str) -> ConfigError:
        return ConfigError(
            f"{self.path} is damaged: {why}. It was left as it is; put a backup in its place, or move it away and set "
            "the secrets anew.",
            code="damaged",
        )

    # Writing.

    def _write(self, secrets: dict[str, Any], passphrase: str, key: bytes | None, before: _Sealed | None) -> None:
        """Put a new file in the place of the old one; under the key of the old one where that is given."""
        salt = before.salt if before is not None else os.urandom(16)
        terms = (before.cost, before.r, before.p) if before is not None else (self._cost, _R, _P)
        nonce = os.urandom(12)
        head = _HEAD.pack(_MAGIC, _VERSION, *terms, salt, nonce)
        sealed = _Sealed(*terms, salt, nonce, head, b"")
        key = key or _derived(sealed, passphrase)
        text = json.dumps(secrets).encode()
        text += b" " * (-len(text) % _PAGE)
        whole = head + _cryptography().AESGCM(key).encrypt(nonce, text, head)
        whole += hashlib.sha256(whole).digest()
        passing = self.path.with_name(f".{self.path.name}.{os.getpid()}.new")
        try:
            self._put_in_place(passing, whole, key, secrets)
        except OSError as error:
            raise ConfigError(
                f"{self.path} cannot be written: {error.strerror or error}. It is as it was.", code="not_written"
            ) from None
        finally:
            passing.unlink(missing_ok=True)
        _KEYS[str(self.path), sealed.recipe] = key

    def _put_in_place(self, passing: Path, whole: bytes, key: bytes, secrets: dict[str, Any]) -> None:
        passing.unlink(missing_ok=True)
        with os.fdopen(os.open(passing, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(whole)
            file.flush()
            os.fsync(file.fileno())
        # What cannot be read back must not take the place of what can.
        back = passing.read_bytes()
        if back != whole or _decrypted(self._take_apart(back), key) != secrets:
            raise OSError("what was written is not what is read back")
        passing.replace(self.path)
        if os.name == "posix":
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one process at a time read, change and write; the lock is the folder's, since the file is exchanged."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder = os.open(self.path.parent, os.O_RDONLY) if os.name == "posix" else None
        except OSError as error:
            raise ConfigError(
                f"{self.path} cannot be written: {error.strerror or error}.", code="not_written"
            ) from None
        if folder is None:  # where folders cannot be locked
            yield
            return
        import fcntl

        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)


def _derived(sealed: _Sealed, passphrase: str) -> bytes:
    kdf = _cryptography().Scrypt(salt=sealed.salt, length=32, n=1 << sealed.cost, r=sealed.r, p=sealed.p)
    key: bytes = kdf.derive(passphrase.encode("utf-8", "surrogatepass"))
    return key


def _decrypted(sealed: _Sealed, key: bytes) -> dict[str, Any] | None:
    """Return what is in a file; None where the key does not fit."""
    library = _cryptography()
    try:
        text = library.AESGCM(key).decrypt(sealed.nonce, sealed.body, sealed.head)
    except library.InvalidTag:
        return None
    found: dict[str, Any] = json.loads(text)
    return found


def _cryptography() -> Any:
    try:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "the encrypted secrets file needs cryptography: pip install 'cambist[secrets]'."
        ) from error
    return SimpleNamespace(AESGCM=AESGCM, InvalidTag=InvalidTag, Scrypt=Scrypt)
