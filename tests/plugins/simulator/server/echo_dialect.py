"""A dialect that says back what it is told: the server's own behaviour and nothing else shows."""

from __future__ import annotations

import json

from cambist_simulator.server.wire import Limits, Response


class EchoSession:
    def __init__(self, dialect, connection):
        self.dialect = dialect
        self.connection = connection

    def received(self, text):
        if text == "fail":
            raise RuntimeError("a session failed on purpose")
        if text.startswith("burst "):
            for number in range(int(text[6:])):
                self.connection.send(b"%d" % number, kind="trade", symbol="X")
            return
        self.connection.send(text.encode("utf-8", "replace"), kind="answer")

    def describe(self, text):
        return "say", {"symbol": text[:3]}

    def closed(self):
        self.dialect.sessions.remove(self)


class EchoDialect:
    name = "echo"
    gzip_from = 0

    def __init__(self, limits=None):
        self.sessions = []
        self.limits = limits or Limits()
        self.timers = 0

    def describe(self, request):
        return request.path.strip("/").replace("/", "."), {"symbol": request.query}

    def failure(self, status):
        return Response(status=status, body=b'{"failure":%d}' % status)

    def handle(self, request):
        if request.path == "/fail":
            raise RuntimeError("a dialect failed on purpose")
        label, facts = self.describe(request)
        told = {
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "body": request.body.decode("utf-8", "replace"),
            "key": request.headers.get("x-key", ""),
        }
        return Response(
            body=json.dumps(told).encode(), headers={"X-Number": str(request.number)}, label=label, facts=facts
        )

    def connect(self, connection):
        if connection.path == "/closed":
            return Response(status=403, body=b"no")
        connection.limits = self.limits
        session = EchoSession(self, connection)
        self.sessions.append(session)
        if connection.path == "/greet":
            connection.send(b"hello", kind="answer")
        return session

    def labels(self):
        return ["fail", "say"]

    def endpoints(self, http, ws):
        return {"rest": http, "stream": ws}

    def on_timer(self):
        self.timers += 1

    def apply(self, action, arguments):
        return False
