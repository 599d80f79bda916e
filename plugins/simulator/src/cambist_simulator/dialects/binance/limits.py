"""How much a client may ask: weight of requests per address, orders per account, and bans for those who go on.

Windows begin at full minutes, tens of seconds and days of the server clock, as the venue counts them.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from cambist_simulator.dialects.binance.errors import ApiError

__all__ = ["Bans", "Limit", "OrderCounts", "Weights"]

_MS: Final = {"SECOND": 1_000, "MINUTE": 60_000, "HOUR": 3_600_000, "DAY": 86_400_000}
#: Requests that were answered with 429 and that an address may send on before it is banned.
_PATIENCE: Final = 20
_FIRST_BAN: Final = 120_000
_LONGEST_BAN: Final = 3 * 86_400_000
_ADVICE: Final = "Please use WebSocket Streams for live updates to avoid"


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """A limit, as ``exchangeInfo`` lists it.

    Attributes
    ----------
    kind
        ``REQUEST_WEIGHT``, ``ORDERS`` or ``RAW_REQUESTS``.
    interval, number
        ``MINUTE``, 5 is five minutes.
    most
        Allowed in an interval.
    """

    kind: str
    interval: str
    number: int
    most: int

    @property
    def length(self) -> int:
        """Of the interval, ms."""
        return _MS[self.interval] * self.number

    @property
    def suffix(self) -> str:
        """Of the header that tells the count, such as ``1m``."""
        return f"{self.number}{self.interval[0].lower()}"

    def described(self, count: int | None = None) -> dict[str, Any]:
        """Return the limit as the venue writes it, with the count where there is one."""
        described: dict[str, Any] = {
            "rateLimitType": self.kind,
            "interval": self.interval,
            "intervalNum": self.number,
            "limit": self.most,
        }
        if count is not None:
            described["count"] = count
        return described


class Bans:
    """Addresses that went on after they were told to wait; shared by all APIs of the venue."""

    def __init__(self) -> None:
        self._until: dict[str, int] = {}
        self._warned: dict[str, int] = {}
        self._bans: dict[str, int] = {}

    def check(self, ip: str, now: int) -> None:
        """Refuse an address that is banned at `now`, ms."""
        until = self._until.get(ip)
        if until is None:
            return
        if now >= until:
            del self._until[ip]
            return
        raise _banned(until, now)

    def ban(self, ip: str, now: int, lasting: int | None = None) -> int:
        """Ban an address, for longer each time; return until when, ms."""
        times = self._bans.get(ip, 0)
        self._bans[ip] = times + 1
        self._warned.pop(ip, None)
        until = now + (lasting if lasting is not None else min(_FIRST_BAN << times, _LONGEST_BAN))
        self._until[ip] = until
        return until

    def warn(self, ip: str, now: int) -> None:
        """Count a request that was answered with 429; too many of them end in a ban."""
        warned = self._warned[ip] = self._warned.get(ip, 0) + 1
        if warned > _PATIENCE:
            raise _banned(self.ban(ip, now), now)

    def forgive(self, ip: str) -> None:
        """Forget the warnings of an address that waited."""
        self._warned.pop(ip, None)

    def lift(self) -> None:
        """Forget all bans."""
        self._until.clear()
        self._bans.clear()
        self._warned.clear()


def _banned(until: int, now: int) -> ApiError:
    return ApiError(
        -1003,
        f"Way too much request weight used; IP banned until {until}. {_ADVICE} bans.",
        status=418,
        socket_data={"serverTime": now, "retryAfter": until},
        retry_after=-(-(until - now) // 1000),
    )


class Weights:
    """Weight used by each address in the running interval.

    Parameters
    ----------
    limit
        Of kind ``REQUEST_WEIGHT``.
    bans
        Those of the venue.
    enforced
        Whether anybody is refused; weight is counted all the same.
    """

    def __init__(self, limit: Limit, bans: Bans, *, enforced: bool = True) -> None:
        self.limit = limit
        self.enforced = enforced
        self.bans = bans
        self._length = limit.length
        self._used: dict[str, tuple[int, int]] = {}

    def charge(self, ip: str, weight: int, now: int) -> int:
        """Add `weight`, and return what is used; 429 or 418 where it is too much."""
        self.bans.check(ip, now)
        window = now // self._length
        began, used = self._used.get(ip, (window, 0))
        if began != window:
            used = 0
            self.bans.forgive(ip)
        used += weight
        self._used[ip] = window, used
        if used > self.limit.most and self.enforced:
            self.bans.warn(ip, now)
            raise self._too_much(now)
        return used

    def refund(self, ip: str, weight: int, now: int) -> int:
        """Take back what a successful order does not weigh, and return what is used."""
        window = now // self._length
        began, used = self._used.get(ip, (window, 0))
        used = max(0, used - weight) if began == window else 0
        self._used[ip] = window, used
        return used

    def used(self, ip: str, now: int) -> int:
        """Return the weight used in the interval of `now`."""
        window = now // self._length
        began, used = self._used.get(ip, (window, 0))
        return used if began == window else 0

    def _too_much(self, now: int) -> ApiError:
        until = (now // self._length + 1) * self._length
        limit = self.limit
        return ApiError(
            -1003,
            f"Too much request weight used; current limit is {limit.most} request weight per {limit.number} "
            f"{limit.interval}. {_ADVICE} polling the API.",
            status=429,
            socket_data={"serverTime": now, "retryAfter": until},
            retry_after=-(-(until - now) // 1000),
        )


class OrderCounts:
    """Orders of each account in the running intervals.

    Parameters
    ----------
    limits
        Of kind ``ORDERS``, one or more.
    enforced
        Whether orders are refused; they are counted all the same.
    """

    def __init__(self, limits: tuple[Limit, ...], *, enforced: bool = True) -> None:
        self.limits = limits
        self.enforced = enforced
        self._lengths = tuple(limit.length for limit in limits)
        self._counts: dict[str, list[tuple[int, int]]] = {}

    def charge(self, account: str, orders: int, now: int) -> list[int]:
        """Count `orders` more, and return the counts; 429 where a limit does not allow it, and nothing is counted."""
        counts = self._counts.get(account)
        if counts is None:
            counts = self._counts[account] = [(0, 0)] * len(self.limits)
        found = []
        for number, length in enumerate(self._lengths):
            window = now // length
            began, count = counts[number]
            count = (count if began == window else 0) + orders
            limit = self.limits[number]
            if count > limit.most and self.enforced:
                raise ApiError(
                    -1015,
                    f"Too many new orders; current limit is {limit.most} orders per {limit.number} {limit.interval}.",
                    status=429,
                )
            found.append((window, count))
        counts[:] = found
        return [count for _, count in found]

    def counted(self, account: str, now: int) -> list[int]:
        """Return the counts in the intervals of `now`."""
        counts = self._counts.get(account) or [(0, 0)] * len(self.limits)
        return [
            count if began == now // length else 0 for (began, count), length in zip(counts, self._lengths, strict=True)
        ]

    def described(self, account: str, now: int) -> list[dict[str, Any]]:
        """Return limits and counts as the venue writes them."""
        return [limit.described(count) for limit, count in zip(self.limits, self.counted(account, now), strict=True)]
