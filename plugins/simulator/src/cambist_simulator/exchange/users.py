"""Who trades: users with their keys, the same again for the same seed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec

from cambist.api import InputError, ParameterError, did_you_mean
from cambist_simulator.exchange.keys import ed25519_pair, rsa_pair, text_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["PERMISSIONS", "ApiKey", "User", "Users"]

#: What a key may be allowed: see what is there, trade on spot, trade futures, withdraw.
PERMISSIONS: Final = frozenset({"read", "spot", "futures", "withdraw"})
_KINDS: Final = ("hmac", "rsa", "ed25519")


class ApiKey(msgspec.Struct, kw_only=True, eq=False):
    """A key of a user; whoever runs the venue may change it while it is in use.

    Attributes
    ----------
    key
        What requests name it by.
    kind
        ``"hmac"``, ``"rsa"`` or ``"ed25519"``.
    secret
        Of an HMAC key the secret, of the others the public key as PEM: what the venue checks signatures with.
    private
        What the client signs with: the same secret, or the private key as PEM.
    permissions
        See `PERMISSIONS`.
    ips
        Addresses that may use it; empty for all.
    enabled
        Whether it works at all.
    """

    key: str
    kind: str
    secret: bytes
    private: bytes
    permissions: frozenset[str] = frozenset({"read", "spot", "futures"})
    ips: tuple[str, ...] = ()
    enabled: bool = True

    def allows(self, ip: str) -> bool:
        """Tell whether it may be used from an address."""
        return not self.ips or ip in self.ips


class User(msgspec.Struct, kw_only=True, eq=False):
    """Somebody with an account at the venue.

    Attributes
    ----------
    id
        Stable; what orders and events name him by.
    number
        Counts the users, from 1.
    keys
        By `ApiKey.key`.
    maker_fee, taker_fee
        Shares of the money traded; None for those of the listing.
    fee_asset, fee_discount
        An asset that spot fees are paid in as long as he has some, and the share that is taken off then; ``""`` for
        none.
    can_trade, can_withdraw, can_deposit
        What the venue lets him do.
    """

    id: str
    name: str
    number: int
    keys: dict[str, ApiKey] = {}
    maker_fee: Decimal | None = None
    taker_fee: Decimal | None = None
    fee_asset: str = ""
    fee_discount: Decimal = Decimal("0.25")
    can_trade: bool = True
    can_withdraw: bool = True
    can_deposit: bool = True


class Users:
    """The users of a venue, by id and by key.

    Parameters
    ----------
    seed
        What keys follow from.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._users: dict[str, User] = {}
        self._keys: dict[str, tuple[User, ApiKey]] = {}

    def __iter__(self) -> Iterator[User]:
        return iter(self._users.values())

    def __len__(self) -> int:
        return len(self._users)

    def add(self, name: str = "", *, seed: int | None = None, kind: str = "hmac") -> User:
        """Add a user with one key.

        Parameters
        ----------
        name
            For people, and his id; unique. ``""`` makes one.
        seed
            What his key follows from; None for the seed of all users.
        kind
            Of the key, see `ApiKey`.

        Raises
        ------
        ParameterError
            If there is such a user, or no such kind of key.
        """
        number = len(self._users) + 1
        name = name or f"user{number}"
        if name in self._users:
            raise ParameterError(f"there is a user {name!r} already; give another name.")
        user = User(id=name, name=name, number=number)
        self._users[name] = user
        self.add_key(user, kind=kind, seed=seed)
        return user

    def add_key(
        self,
        user: User,
        *,
        kind: str = "hmac",
        seed: int | None = None,
        permissions: Iterable[str] = ("read", "spot", "futures"),
        ips: Iterable[str] = (),
    ) -> ApiKey:
        """Give a user a further key."""
        if kind not in _KINDS:
            raise ParameterError(f"the kind of a key is {kind!r}.{did_you_mean(kind, _KINDS)}")
        allowed = frozenset(permissions)
        if unknown := sorted(allowed - PERMISSIONS):
            raise ParameterError(f"a key cannot permit {unknown[0]!r}. Known: {', '.join(sorted(PERMISSIONS))}.")
        root = f"{self.seed if seed is None else seed}/{user.id}/{len(user.keys)}/{kind}"
        if kind == "hmac":
            private = secret = text_key(f"{root}/secret").encode()
        else:
            private, secret = (rsa_pair if kind == "rsa" else ed25519_pair)(root)
        key = ApiKey(
            key=text_key(f"{root}/key"), kind=kind, secret=secret, private=private, permissions=allowed, ips=tuple(ips)
        )
        self._register(user, key)
        return key

    def add_public_key(self, user: User, key: str, kind: str, public: bytes) -> ApiKey:
        """Take a key of which the user keeps the private half to himself."""
        made = ApiKey(key=key, kind=kind, secret=public, private=b"")
        self._register(user, made)
        return made

    def _register(self, user: User, key: ApiKey) -> None:
        user.keys[key.key] = key
        self._keys[key.key] = (user, key)

    def remove_key(self, key: str) -> None:
        """Delete a key, as its owner could on the venue's website."""
        user, _ = self._keys.pop(key)
        del user.keys[key]

    def by_key(self, key: str) -> tuple[User, ApiKey] | None:
        """Return whose key that is, and the key; None where it is nobody's."""
        return self._keys.get(key)

    def save(self) -> bytes:
        """Return all users with their keys as bytes."""
        return msgspec.msgpack.encode(list(self._users.values()))

    def restore(self, data: bytes) -> None:
        """Have the users that were saved, in place of those that are here.

        Raises
        ------
        InputError
            If the bytes are no saved users.
        """
        try:
            users = msgspec.msgpack.decode(data, type=list[User])
        except msgspec.MsgspecError as error:
            raise InputError(f"these are no saved users: {error}") from None
        self._users = {one.id: one for one in users}
        self._keys = {key.key: (one, key) for one in users for key in one.keys.values()}

    def get(self, user_id: str) -> User:
        """Return a user.

        Raises
        ------
        ParameterError
            If there is none of that id.
        """
        try:
            return self._users[user_id]
        except KeyError:
            raise ParameterError(f"there is no user {user_id!r}.{did_you_mean(user_id, self._users)}") from None
