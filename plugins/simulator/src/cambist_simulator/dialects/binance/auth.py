"""Who sends a request: API keys, and signatures over the raw bytes.

The signed text of a REST request is its query string followed by its body, both as sent, without the pair of the
signature itself; on WebSockets it is the parameters in the order of their names.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from cambist.api import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist_simulator.exchange.users import ApiKey

__all__ = ["parameters_text", "signed_text", "verified"]

_SIGNATURE = b"signature="


def signed_text(query: str, body: bytes) -> bytes:
    """Return what a REST request's signature is made over."""
    return _without_signature(query.encode("latin-1", "replace")) + _without_signature(body)


def _without_signature(raw: bytes) -> bytes:
    start = raw.find(_SIGNATURE)
    while start > 0 and raw[start - 1] != 38:  # another parameter whose name ends so; 38 is "&"
        start = raw.find(_SIGNATURE, start + 1)
    if start < 0:
        return raw
    end = raw.find(b"&", start)
    if end < 0:
        return raw[: max(0, start - 1)]
    return raw[:start] + raw[end + 1 :]


def parameters_text(params: Mapping[str, Any]) -> bytes:
    """Return what a WebSocket request's signature is made over: ``name=value``, sorted by name, joined by ``&``."""
    pairs = (f"{name}={_text(params[name])}" for name in sorted(params) if name != "signature")
    return "&".join(pairs).encode()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def verified(key: ApiKey, text: bytes, signature: str) -> bool:
    """Whether `signature` was made of `text` with the secret (or private key) that belongs to `key`.

    Parameters
    ----------
    signature
        Hexadecimal for HMAC-SHA-256, in upper or lower case; base64 for RSA (PKCS #1 v1.5, SHA-256) and Ed25519.
    """
    if key.kind == "hmac":
        return hmac.compare_digest(hmac.digest(key.secret, text, "sha256").hex().encode(), signature.lower().encode())
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    public = _public_key(key.secret)
    try:
        if isinstance(public, RSAPublicKey):
            public.verify(raw, text, PKCS1v15(), SHA256())
        else:
            public.verify(raw, text)
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=1024)
def _public_key(pem: bytes) -> RSAPublicKey | Ed25519PublicKey:
    public = load_pem_public_key(pem)
    if not isinstance(public, RSAPublicKey | Ed25519PublicKey):
        raise ParameterError(f"an API key has a public key of {type(public).__name__}; give one of RSA or Ed25519.")
    return public
