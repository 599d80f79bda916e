"""A clock that moves when it is told to, and a web server on this machine that answers as it is told."""

from __future__ import annotations

import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ManualClock:
    """Seconds that pass when `advance` says so; who waits is woken then, and looks again."""

    def __init__(self):
        self._now = 1_000.0
        self._conditions = set()

    def now(self):
        return self._now

    def wait(self, condition, seconds):
        assert seconds is None or seconds > 0.0, "waiting for what is due already would never end"
        self._conditions.add(condition)
        condition.wait()

    def advance(self, seconds):
        self._now += seconds
        for condition in list(self._conditions):
            with condition:
                condition.notify_all()


class Site:
    """A server on loopback. `answers` are given in turn, the last one for ever: a status, or something to be done."""

    def __init__(self, tls=None):
        self.answers = deque([200])
        self.requests = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = site.answers.popleft() if len(site.answers) > 1 else site.answers[0]
                site.requests.append((self.path, dict(self.headers), body))
                if callable(answer):
                    answer(self)
                    return
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_CONNECT = do_POST  # noqa: N815 - the name that the base class calls

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                """A client that hangs up is what some tests are about."""

        self.server = Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    @property
    def bodies(self):
        return [json.loads(body) for _, _, body in self.requests]

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
