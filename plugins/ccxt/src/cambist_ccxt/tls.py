"""What certificates a venue is held against: read once in a process, for its requests and its streams."""

from __future__ import annotations

import functools
import ssl

import certifi

__all__ = ["tls_context"]


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Return the settings of TLS that all connections of the process share.

    They trust what the system trusts (``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` are heeded), and the list of `certifi` for
    systems that carry none. Reading the lists takes tens of milliseconds, in which a loop stands still: so it is done
    once, in the thread that imports ccxt, and not by each connection.
    """
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context
