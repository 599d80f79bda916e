"""The channels of the core pass the suite that ships for those of others; one that loses or shows things does not."""

from __future__ import annotations

import http.server
import inspect
import json
import logging
import threading
from types import SimpleNamespace

import pytest

from cambist.api import DeliveryError, Secret
from cambist.notify import LogNotifier, WebhookNotifier
from cambist.ports import Notice
from cambist.testing import NotifierTests


class TestTheLog(NotifierTests):
    can_fail = False

    @pytest.fixture
    def notifier(self):
        return LogNotifier("tests.people")

    @pytest.fixture
    def received(self, caplog):
        caplog.set_level(logging.DEBUG, "tests.people")
        return lambda: [record.getMessage() for record in caplog.records if record.name == "tests.people"]


class TestTheWebhook(NotifierTests):
    secrets = ("hook-key-1234", "header-key-5678")

    @pytest.fixture
    def bodies(self):
        return []

    @pytest.fixture
    def server(self, bodies):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        stopped = threading.Event()

        def stop():
            if not stopped.is_set():
                stopped.set()
                server.shutdown()
                thread.join()
                server.server_close()

        yield server, stop
        stop()

    @pytest.fixture(params=[None, "text"])
    def notifier(self, server, request):
        url = Secret(f"http://127.0.0.1:{server[0].server_port}/{self.secrets[0]}")
        return WebhookNotifier(url, headers={"X-Key": Secret(self.secrets[1])}, text_key=request.param)

    @pytest.fixture
    def received(self, bodies):
        def texts(value):
            return f"{value}" if isinstance(value, str) else "\n".join(f"{k}\n{texts(v)}" for k, v in value.items())

        return lambda: [texts(body) for body in bodies]

    @pytest.fixture
    def break_channel(self, server):
        return server[1]


class _Faulty:
    """A channel with one fault."""

    def __init__(self, fault):
        self.fault, self.texts, self.broken = fault, [], False

    def __repr__(self):
        return "Faulty(key-0000)" if self.fault == "shows" else "Faulty()"

    def send(self, notice):
        if self.broken:
            if self.fault == "silent":
                return
            raise DeliveryError("key-0000" if self.fault == "tells" else "broken")
        fields = {} if self.fault == "fieldless" else notice.fields
        text = "\n".join([notice.title, notice.text, *(f"{name}={value}" for name, value in fields.items())])
        if self.fault == "changes":
            notice.fields.clear()
        self.texts += [text] * (2 if self.fault == "doubles" else 1)


def _run(fault, name, *more):
    """Run one test of the suite on a channel with a fault."""
    channel = _Faulty(fault)
    suite = type("Suite", (NotifierTests,), {"secrets": ("key-0000",)})()
    fixtures = {
        "notifier": channel,
        "received": lambda: channel.texts,
        "request": SimpleNamespace(getfixturevalue=lambda _name: lambda: setattr(channel, "broken", True)),
    }
    test = getattr(suite, name)
    wanted = [fixtures[one] for one in inspect.signature(test).parameters if one in fixtures]
    test(*wanted, *more)


@pytest.mark.parametrize(
    ("fault", "name", "more"),
    [
        ("fieldless", "test_all_of_a_notice_arrives", (Notice(title="t", fields={"a": "b"}),)),
        ("doubles", "test_order_is_kept", ()),
        ("changes", "test_a_notice_is_left_as_it_is", ()),
        ("silent", "test_a_failure_is_raised_and_shows_no_secret", ()),
        ("tells", "test_a_failure_is_raised_and_shows_no_secret", ()),
        ("shows", "test_it_does_not_show_its_secrets", ()),
    ],
)
def test_a_fault_is_found(fault, name, more):
    _run("none", name, *more)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        _run(fault, name, *more)
