"""Key material that follows from a seed: the same venue hands out the same keys again."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ed25519_pair", "rsa_pair", "short_name", "stream", "text_key"]

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_AS_LETTERS = bytes(ord(_LETTERS[byte % len(_LETTERS)]) for byte in range(256))
_EXPONENT = 65_537
# Trial division by them spares most of the costly tests.
_SMALL = [n for n in range(3, 2_000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]


def stream(seed: str) -> Callable[[int], bytes]:
    """Return what answers the next so many bytes that follow from `seed`."""
    left = b""
    block = 0

    def take(count: int) -> bytes:
        nonlocal left, block
        while len(left) < count:
            left += hashlib.sha256(f"{seed}/{block}".encode()).digest()
            block += 1
        found, left = left[:count], left[count:]
        return found

    return take


def text_key(seed: str, length: int = 64) -> str:
    """Return letters and digits that follow from `seed`."""
    return stream(seed)(length).translate(_AS_LETTERS).decode()


def short_name(seed: str) -> str:
    """Return 22 letters and digits that follow from `seed`, cheaply: one is made for every order."""
    return b64encode(hashlib.blake2b(seed.encode(), digest_size=16).digest(), b"ab")[:22].decode()


def ed25519_pair(seed: str) -> tuple[bytes, bytes]:
    """Return (private, public) keys as PEM."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return _pem(Ed25519PrivateKey.from_private_bytes(stream(seed)(32)))


def rsa_pair(seed: str, bits: int = 2048) -> tuple[bytes, bytes]:
    """Return (private, public) keys as PEM; takes a second, since the primes are sought in Python.

    The keys are as good as the seed is secret: they are for a venue on loopback.
    """
    from cryptography.hazmat.primitives.asymmetric import rsa

    take = stream(seed)
    while True:
        p, q = _prime(take, bits // 2), _prime(take, bits // 2)
        phi = (p - 1) * (q - 1)
        if p != q and phi % _EXPONENT:
            break
    d = pow(_EXPONENT, -1, phi)
    numbers = rsa.RSAPrivateNumbers(
        p,
        q,
        d,
        rsa.rsa_crt_dmp1(d, p),
        rsa.rsa_crt_dmq1(d, q),
        rsa.rsa_crt_iqmp(p, q),
        rsa.RSAPublicNumbers(_EXPONENT, p * q),
    )
    return _pem(numbers.private_key())


def _prime(take: Callable[[int], bytes], bits: int) -> int:
    """Return a probable prime with its two highest bits set (Miller-Rabin, 32 bases)."""
    while True:
        found = int.from_bytes(take(bits // 8)) | (3 << (bits - 2)) | 1
        if all(found % small for small in _SMALL) and _probably_prime(found, take):
            return found


def _probably_prime(n: int, take: Callable[[int], bytes]) -> bool:
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd //= 2
        twos += 1
    for _ in range(32):
        x = pow(2 + int.from_bytes(take(32)) % (n - 3), odd, n)
        if x in {1, n - 1}:
            continue
        for _ in range(twos - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def _pem(private: object) -> tuple[bytes, bytes]:
    from cryptography.hazmat.primitives import serialization as s

    secret = private.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())  # type: ignore[attr-defined]
    public = private.public_key().public_bytes(  # type: ignore[attr-defined]
        s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo
    )
    return secret, public
