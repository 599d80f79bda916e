"""Listen keys of futures: an hour of user data for whoever shows one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cambist_simulator.exchange.keys import text_key

if TYPE_CHECKING:
    from cambist_simulator.exchange.listing import Segment

__all__ = ["ListenKeys"]

_LIFE: Final = 3_600_000


class ListenKeys:
    """Keys by user and segment; times are ms of the server clock.

    Parameters
    ----------
    seed
        What keys follow from: the same requests get the same keys.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._made = 0
        self._keys: dict[tuple[Segment, str], str] = {}
        self._owners: dict[str, tuple[Segment, str, int]] = {}

    def start(self, segment: Segment, user: str, now: int) -> str:
        """Return the user's key, which is good for an hour from `now`; a new one where he has none."""
        key = self._keys.get((segment, user))
        if key is None or self.owner(key, now) is None:
            self._made += 1
            key = text_key(f"{self._seed}/{segment}/{user}/{self._made}")
            self._keys[segment, user] = key
        self._owners[key] = segment, user, now + _LIFE
        return key

    def extend(self, segment: Segment, user: str, now: int) -> str | None:
        """Let the user's key be good for an hour from `now`; None where he has none."""
        key = self._keys.get((segment, user))
        if key is None or self.owner(key, now) is None:
            return None
        self._owners[key] = segment, user, now + _LIFE
        return key

    def stop(self, segment: Segment, user: str) -> str | None:
        """Take the user's key back; return it."""
        key = self._keys.pop((segment, user), None)
        if key is not None:
            self._owners.pop(key, None)
        return key

    def owner(self, key: str, now: int) -> tuple[Segment, str] | None:
        """Return segment and user of a key; None where it is unknown or over."""
        found = self._owners.get(key)
        return None if found is None or now >= found[2] else found[:2]

    def expired(self, now: int) -> list[tuple[str, Segment, str]]:
        """Forget the keys that are over at `now`, and return them with segment and user."""
        over = [(key, segment, user) for key, (segment, user, until) in self._owners.items() if now >= until]
        for key, segment, user in over:
            del self._owners[key]
            if self._keys.get((segment, user)) == key:
                del self._keys[segment, user]
        return over

    def expire_all(self, user: str | None = None) -> None:
        """Let all keys, or those of one user, be over at once."""
        for key, (segment, owner, _) in self._owners.items():
            if user is None or owner == user:
                self._owners[key] = segment, owner, 0
