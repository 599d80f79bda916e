"""Signatures of requests on the WebSocket API; those of REST are ccxt's."""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cambist.api import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist_ccxt.credentials import Credentials

__all__ = ["Signer", "payload"]

#: Bytes that SHA-256 takes at a time.
_BLOCK = sha256().block_size


def payload(params: Mapping[str, Any]) -> str:
    """Return the text that is signed: parameters by name, joined as they are."""
    return "&".join([f"{name}={params[name]}" for name in sorted(params)])


class Signer:
    """Signs parameters with a key of any of the venue's kinds: HMAC, RSA, Ed25519.

    Raises
    ------
    ParameterError
        The secret is a private key that cannot be read; what it holds is not shown.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._key = credentials.key
        self._sign = _signature(credentials.secret)

    def sign(self, params: Mapping[str, Any], stamp: int, recv_window: int) -> dict[str, Any]:
        """Return parameters with key, time stamp (ms) and signature."""
        signed = {**params, "apiKey": self._key, "recvWindow": recv_window, "timestamp": stamp}
        signed["signature"] = self._sign(payload(signed).encode())
        return signed


def _hmac(key: bytes) -> Callable[[bytes], str]:
    """Return what makes HMACs of SHA-256 (RFC 2104), in hexadecimal digits.

    The key is worked in once, and what is copied for each text are two plain hashes: `hmac` takes seven times as long
    for it, and `hmac.digest`, which looks for the algorithm each time, ten times.
    """
    block = (sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner, outer = sha256(bytes([one ^ 0x36 for one in block])), sha256(bytes([one ^ 0x5C for one in block]))

    def sign(text: bytes) -> str:
        inside, outside = inner.copy(), outer.copy()
        inside.update(text)
        outside.update(inside.digest())
        return outside.hexdigest()

    return sign


def _signature(secret: str) -> Callable[[bytes], str]:
    if "PRIVATE KEY" not in secret:
        return _hmac(secret.encode())
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        private = load_pem_private_key(secret.encode(), None)
    except (ValueError, TypeError):
        raise ParameterError(
            "the secret looks like a private key and cannot be read; give the PEM text, not encrypted."
        ) from None
    if isinstance(private, Ed25519PrivateKey):
        return lambda text: base64.b64encode(private.sign(text)).decode()
    if isinstance(private, RSAPrivateKey):
        return lambda text: base64.b64encode(private.sign(text, PKCS1v15(), SHA256())).decode()
    raise ParameterError("the secret is a private key of a kind that Binance does not take; it takes RSA and Ed25519.")
