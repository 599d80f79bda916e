"""Notices over HTTP, against a server on this machine that answers in all the ways in which servers do."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import socket
import ssl
import struct
import time
import traceback
from email.utils import format_datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from loopback import Site

from cambist.api import ConfigError, DeliveryError, ParameterError, Secret
from cambist.config.settings import check_settings
from cambist.notify import Channel, Dispatcher, WebhookNotifier
from cambist.ports import Notice

NOTICE = Notice(level="error", title="The stream is down", text="since a minute", fields={"symbol": "BTC/USDT"})
KEY = "T0K3N-of-the-hook"


def hook(site, **settings):
    return WebhookNotifier(Secret(f"{site.url}/hooks/{KEY}"), **settings)


def refusal(notifier):
    """Return the error of a notice, having looked for the key in all that a traceback shows."""
    with pytest.raises(DeliveryError) as caught:
        notifier.send(NOTICE)
    assert KEY not in "".join(traceback.format_exception(caught.value))
    return caught.value


def test_a_notice_is_posted_as_json(site):
    hook(site, headers={"Authorization": Secret("Bearer abcdef")}).send(NOTICE)
    ((path, headers, body),) = site.requests
    assert path == f"/hooks/{KEY}"
    assert headers["Authorization"] == "Bearer abcdef"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert json.loads(body) == {
        "level": "error",
        "title": "The stream is down",
        "text": "since a minute",
        "fields": {"symbol": "BTC/USDT"},
    }


def test_or_as_one_text_under_a_key(site):
    hook(site, text_key="content").send(NOTICE)
    assert site.bodies == [{"content": "[error] The stream is down\nsince a minute\nsymbol: BTC/USDT"}]


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_success_will_do(site, status):
    site.answers[0] = status
    hook(site).send(NOTICE)
    assert len(site.requests) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_be_better_later_is_to_be_tried_again(site, status):
    site.answers[0] = status
    error = refusal(hook(site))
    assert (error.again, error.after) == (True, None)
    assert str(error) == f"webhook: 127.0.0.1 answered {status}. It is tried again."


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 422])
def test_what_will_not_is_not(site, status):
    site.answers[0] = status, {"Retry-After": "5"}
    error = refusal(hook(site))
    assert (error.again, error.after) == (False, None)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(site, status):
    site.answers[0] = status, {"Location": f"{site.url}/elsewhere"}
    error = refusal(hook(site))
    assert not error.again
    assert "Redirects are not followed" in str(error)
    assert len(site.requests) == 1


@pytest.mark.parametrize(
    ("text", "after"), [("7", 7.0), ("999999999999", 3_600.0), ("soon", None), ("-1", None), ("", None), ("²", None)]
)
def test_the_server_says_when(site, text, after):
    site.answers[0] = 429, {"Retry-After": text.encode("latin-1").decode("latin-1")}
    assert refusal(hook(site)).after == after


def test_the_server_says_when_by_a_date(site):
    when = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=30)
    site.answers[0] = 503, {"Retry-After": format_datetime(when, usegmt=True)}
    assert 1_000 < refusal(hook(site)).after <= 1_800
    site.answers[0] = 503, {"Retry-After": format_datetime(when - dt.timedelta(days=1), usegmt=True)}
    assert refusal(hook(site)).after == 0.0


def cut(handler):
    """Reset the connection instead of an answer."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def raw(data):
    def answer(handler):
        handler.wfile.write(data)
        handler.close_connection = True

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        cut,
        raw(b""),
        raw(b"HTTP/1.1 2"),
        raw(b"hello\r\n\r\n"),
        raw(b"HTTP/1.1 999999 Odd\r\n\r\n"),
        raw(b"\x00" * 99_999),
    ],
    ids=["reset", "nothing", "half a line", "no HTTP", "no status", "endless line"],
)
def test_an_answer_that_is_none_is_a_failure(site, answer):
    site.answers[0] = answer
    error = refusal(hook(site))
    assert error.again
    assert "127.0.0.1 could not be reached, or gave no answer that makes sense" in str(error)


def test_a_server_that_does_not_answer_is_given_up(site):
    site.answers[0] = lambda handler: time.sleep(0.5)
    error = refusal(hook(site, timeout=0.05))
    assert error.again
    assert str(error) == "webhook: 127.0.0.1 did not answer within 0.05 s."


def test_nobody_is_there():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/{KEY}"
        error = refusal(WebhookNotifier(Secret(url)))
    assert str(error) == "webhook: 127.0.0.1 refused the connection."


@pytest.mark.parametrize(
    "url",
    [KEY, f"ftp://host/{KEY}", f"file:///{KEY}", f"https:///{KEY}", f"http://[::1/{KEY}", f"https://host:99999/{KEY}"],
)
def test_a_url_that_is_none(url):
    error = refusal(WebhookNotifier(Secret(url)))
    assert not error.again
    assert "url" in str(error)


def test_plain_http_stays_on_this_machine():
    error = refusal(WebhookNotifier(Secret(f"http://hooks.example/{KEY}")))
    assert "everybody between would read" in str(error)


def test_proxies_come_from_the_settings_and_not_from_the_environment(site, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    hook(site).send(NOTICE)
    assert len(site.requests) == 1
    proxy = Site()
    try:
        WebhookNotifier(Secret(f"http://hooks.example/{KEY}"), proxy=Secret(proxy.url), plain_http=True).send(NOTICE)
        ((path, _, _),) = proxy.requests
        assert path == f"http://hooks.example/{KEY}"
        # Of TLS the proxy sees the host alone.
        proxy.answers[0] = 403
        refusal(WebhookNotifier(Secret(f"https://hooks.example/{KEY}"), proxy=Secret(proxy.url)))
    finally:
        proxy.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of 127.0.0.1 that nobody has signed but itself, as one file with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "site.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return file


@pytest.fixture
def safe_site(certificate):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    made = Site(tls)
    yield made
    made.close()


def test_a_certificate_has_to_be_trusted(safe_site, certificate):
    error = refusal(hook(safe_site))
    assert "the certificate of 127.0.0.1 is not trusted" in str(error)
    assert safe_site.requests == []
    hook(safe_site, ca_file=str(certificate)).send(NOTICE)
    assert len(safe_site.requests) == 1
    other = WebhookNotifier(Secret(safe_site.url.replace("127.0.0.1", "localhost")), ca_file=str(certificate))
    assert "the certificate of localhost is not trusted" in str(refusal(other))


def test_settings_that_are_of_no_use(tmp_path):
    url = Secret("https://hooks.example/x")
    for timeout in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ParameterError, match="timeout"):
            WebhookNotifier(url, timeout=timeout)
    with pytest.raises(ParameterError, match="text_key"):
        WebhookNotifier(url, text_key="")
    with pytest.raises(ParameterError, match=r"ca_file is .*nowhere\.pem"):
        WebhookNotifier(url, ca_file=str(tmp_path / "nowhere.pem"))
    (tmp_path / "text.pem").write_text("no certificate")
    with pytest.raises(ParameterError, match=r"ca_file is .*text\.pem"):
        WebhookNotifier(url, ca_file=str(tmp_path / "text.pem"))


def test_a_header_that_is_none_shows_nothing(site):
    error = refusal(hook(site, headers={"X-Key": Secret(f"{KEY}\r\nInjected: 1")}))
    assert site.requests == []
    assert "127.0.0.1" in str(error)


def test_secrets_are_looked_at_when_they_are_needed(site, monkeypatch):
    monkeypatch.delenv("PAGER_URL", raising=False)
    notifier = WebhookNotifier(Secret.parse("${env:PAGER_URL}"))
    with pytest.raises(ConfigError, match="PAGER_URL is not set"):
        notifier.send(NOTICE)
    monkeypatch.setenv("PAGER_URL", site.url)
    notifier.send(NOTICE)
    assert len(site.requests) == 1


def test_the_dispatcher_brings_it_through_a_bad_hour(site, clock, caplog):
    for answer in (503, cut, (429, {"Retry-After": "60"}), 204):
        site.answers.append(answer)
    site.answers.popleft()
    with Dispatcher([Channel(name="hook", notifier=hook(site))], clock=clock) as people:
        people.notify(NOTICE)
        for failures, wait in enumerate((1, 2, 60), start=1):
            with people._changed:
                assert people._changed.wait_for(lambda n=failures: people.stats["hook"].attempts_failed == n, 20)
            clock.advance(wait)
        assert people.flush(20)
    assert people.stats["hook"].delivered == 1
    assert [body["title"] for body in site.bodies] == ["The stream is down"] * 4
    assert KEY not in caplog.text


def test_its_settings_in_a_run_file_are_checked_and_its_secrets_named(monkeypatch):
    monkeypatch.delenv("PAGER_KEY", raising=False)
    table = {"url": "https://hooks.example/x", "headers": {"X-Key": "${env:PAGER_KEY}"}, "timeout": 5}
    settings, problems = check_settings(table, None, WebhookNotifier, 0, ("notify", 0))
    assert problems == []
    with pytest.raises(ConfigError, match=r"^notify\[1\]\.headers\.X-Key, the secret \$\{env:PAGER_KEY\}"):
        WebhookNotifier(**settings).send(NOTICE)
    _, problems = check_settings({"url": [KEY], "timeout": "5"}, None, WebhookNotifier, 0, ("notify", 0))
    told = [f"{one.where[-1]}: {one.message}" for one in problems]
    assert [one.partition(":")[0] for one in told] == ["url", "timeout"]
    assert KEY not in "".join(told)
