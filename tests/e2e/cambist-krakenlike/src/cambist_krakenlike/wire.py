"""Requests and streams over aiohttp, and how each of them ends."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections import deque
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from cambist.api import VenueError


class RefusedError(VenueError):
    """The venue said no, with a code of its own: it did nothing."""


class NotSentError(VenueError):
    """The request did not leave, or was too much: nothing was done."""


class Wire:
    """Asks the venue, by its clock and in the name of a key."""

    def __init__(self, url, key, secret, timeout):
        self.url, self.key, self._secret = url.rstrip("/"), key, secret
        self._timeout, self._offset = timeout, 0
        self.http = None

    async def open(self):
        self.http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._timeout))
        asked = time.time_ns()
        told = await self.ask("GET", "/v1/time", signed=False)
        self._offset = told["time"] * 1_000_000 - (asked + time.time_ns()) // 2

    async def close(self):
        if self.http is not None:
            await self.http.close()

    def now(self):
        return time.time_ns() + self._offset

    def signature(self, method, target, body=b""):
        at = self.now() // 1_000_000
        text = f"{at}{method}{target}".encode() + body
        return at, hmac.new(self._secret.encode(), text, hashlib.sha256).hexdigest()

    async def ask(self, method, path, query=None, body=None, *, signed=True):
        target = f"{path}?{urlencode(query)}" if query else path
        data = b"" if body is None else json.dumps(body).encode()
        headers = {}
        if signed:
            if not self.key:
                raise NotSentError("there is no API key", code="no_api_key")
            at, signature = self.signature(method, target, data)
            headers = {"X-Key": self.key, "X-Time": str(at), "X-Sign": signature}
        try:
            address = URL(self.url + target, encoded=True)
            async with self.http.request(method, address, data=data or None, headers=headers) as answer:
                return _understood(f"{method} {path}", answer, await answer.read())
        except aiohttp.ClientConnectorError as error:
            raise NotSentError(f"the venue cannot be reached: {error}", code="unreachable") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise VenueError(f"{method} {path}: no answer: {error or type(error).__name__}") from error


def _understood(what, answer, raw):
    try:
        told = json.loads(raw)
    except ValueError:
        told = None
    if answer.status == 200 and told is not None:
        return told
    if answer.status in {418, 429}:
        wait = float(answer.headers.get("Retry-After") or 5.0)
        raise NotSentError(f"{what}: too many requests", code="rate_limit", retry_after=round(wait * 1e9))
    if 400 <= answer.status < 500 and told is not None:
        raise RefusedError(f"{what}: {told['error']['message']}", code=told["error"]["code"])
    raise VenueError(f"{what}: HTTP {answer.status}, which leaves open what was done: {raw[:80]!r}")


class Outlet:
    """What somebody iterates over; bounded, where it may be."""

    def __init__(self, limit=None):
        self._items, self._limit, self._news, self._closed = deque(), limit, asyncio.Event(), False

    def put(self, item, *, always=False):
        if not always and self._limit is not None and len(self._items) >= self._limit:
            return False
        self._items.append(item)
        self._news.set()
        return True

    def close(self):
        self._closed = True
        self._news.set()

    async def __aiter__(self):
        while True:
            while self._items:
                yield self._items.popleft()
            if self._closed:
                return
            self._news.clear()
            await self._news.wait()


class Stream:
    """A WebSocket that comes back; `first` says what is said at its beginning, `take` gets the events."""

    def __init__(self, wire, first, take, tell):
        self._wire, self._first, self._take, self._tell = wire, first, take, tell
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self):
        wait = 0.05
        while True:
            try:
                async with self._wire.http.ws_connect(self._wire.url + "/v1/stream", heartbeat=20.0) as socket:
                    await self._listen(socket)
                reason = "closed"
            except (aiohttp.ClientError, OSError, TimeoutError, VenueError) as error:
                reason = str(error) or type(error).__name__
            self._tell("down", reason)
            await asyncio.sleep(wait)
            wait = min(2 * wait, 15.0)

    async def _listen(self, socket):
        open_ = dict(enumerate(self._first(), 1))
        for number, message in open_.items():
            await socket.send_str(json.dumps({"id": number, **message}))
        waiting = set(open_)
        async for one in socket:
            if one.type is not aiohttp.WSMsgType.TEXT:
                break
            told = json.loads(one.data)
            if "channel" in told:
                self._take(told)
            elif not told["ok"]:
                raise VenueError(f"the venue refuses a stream: {told['error']['message']}")
            else:
                waiting.discard(told["id"])
                if not waiting:
                    self._tell("up", "")
