"""What a storage URL says of a place on the disk."""

from __future__ import annotations

__all__ = ["path_in_url"]


def path_in_url(url: str) -> str:
    """Return the path that a storage URL names; ``""`` where it names none.

    Parameters
    ----------
    url
        ``scheme:path``, or as in SQLAlchemy ``scheme:///relative`` and, with a fourth slash, ``scheme:////absolute``.

    Examples
    --------
    >>> path_in_url("files:state"), path_in_url("files:///state"), path_in_url("files:////var/state")
    ('state', 'state', '/var/state')
    >>> path_in_url("memory:"), path_in_url("postgresql://host/runs")
    ('', '')
    """
    _, _, rest = url.partition(":")
    if rest.startswith("///"):
        return rest[3:]
    return "" if rest.startswith("//") else rest
