"""The notification channel over HTTP: one POST of JSON a notice."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.request
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from cambist.config.secrets import Secret
from cambist.errors import DeliveryError, ParameterError

if TYPE_CHECKING:
    from cambist.ports.notifier import Notice

__all__ = ["WebhookNotifier"]

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
#: Answers after which the same request may succeed: time-out, too early, too many, and what a server says of itself.
_AGAIN = frozenset({408, 425, 429})
_LONGEST_PAUSE = 3_600.0


class WebhookNotifier:
    """Posts each notice as JSON to a URL, and takes any answer of 200 to 299 for delivered.

    Certificates are checked, redirects are not followed, and neither proxies nor anything else is taken from the
    environment. No error names more of the URL than its host: the rest of it often is the key.

    Parameters
    ----------
    url
        Where to. Without TLS only on this machine, unless `plain_http` is set.
    headers
        Sent along, such as ``{"Authorization": Secret.parse("${env:PAGER_TOKEN}")}``.
    text_key
        Default: the body is ``{"level", "title", "text", "fields"}``. With a key it is one text under that key, as
        Slack and Mattermost (``"text"``) and Discord (``"content"``) take it.
    timeout
        Seconds for the connection, and for each piece of the answer.
    proxy
        Of requests, such as ``"http://proxy:3128"``.
    ca_file
        Certificates to trust in place of the system's, as PEM.
    plain_http
        Allow ``http://`` to other machines: everybody between reads the notices and the key.

    Raises
    ------
    ParameterError
        A setting that is of no use; secrets are looked at when the first notice is sent.
    """

    def __init__(
        self,
        url: Secret,
        *,
        headers: dict[str, Secret] | None = None,
        text_key: str | None = None,
        timeout: float = 10.0,
        proxy: Secret | None = None,
        ca_file: str | None = None,
        plain_http: bool = False,
    ) -> None:
        if not (timeout > 0.0 and isfinite(timeout)):
            raise ParameterError(f"timeout is {timeout!r}; it is a number of seconds above 0.")
        if text_key is not None and not text_key:
            raise ParameterError("text_key is empty; leave it out for the whole notice, or give a key such as 'text'.")
        self._url = Secret.parse(url)
        self._headers = {name: Secret.parse(value) for name, value in (headers or {}).items()}
        self._proxy = None if proxy is None else Secret.parse(proxy)
        self._text_key = text_key
        self._timeout = timeout
        self._plain_http = plain_http
        self._tls = _tls(ca_file)

    def __repr__(self) -> str:
        return f"WebhookNotifier({self._url!r})"

    def send(self, notice: Notice) -> None:
        """Post one notice.

        Raises
        ------
        DeliveryError
            It was not taken: ``again`` says whether it may be later, ``after`` how long the server asks to wait.
        ConfigError
            A secret cannot be had, or is no URL.
        """
        url = self._url.reveal()
        host = _host(url, plain_http=self._plain_http)
        headers = {name: value.reveal() for name, value in self._headers.items()}
        try:
            request = urllib.request.Request(  # noqa: S310 - the scheme was looked at
                url,
                data=self._body(notice),
                headers={"Content-Type": "application/json; charset=utf-8", "User-Agent": "cambist", **headers},
                method="POST",
            )
            with self._opener().open(request, timeout=self._timeout):
                return
        except urllib.error.HTTPError as error:
            with error:
                _refused(host, error)
        except (OSError, http.client.HTTPException, ValueError) as error:
            # Only its kind: what it says may hold the URL, or a header that was no header.
            raise DeliveryError(f"webhook: {_trouble(host, error, self._timeout)}") from None

    def _opener(self) -> urllib.request.OpenerDirector:
        proxy = None if self._proxy is None else self._proxy.reveal()
        return urllib.request.build_opener(
            urllib.request.ProxyHandler({} if proxy is None else {"http": proxy, "https": proxy}),
            urllib.request.HTTPSHandler(context=self._tls),
            _NoRedirects,
        )

    def _body(self, notice: Notice) -> bytes:
        if self._text_key is None:
            body: dict[str, Any] = {
                "level": str(notice.level),
                "title": notice.title,
                "text": notice.text,
                "fields": {name: str(value) for name, value in notice.fields.items()},
            }
        else:
            facts = [f"{name}: {value}" for name, value in notice.fields.items()]
            lines = [f"[{notice.level}] {notice.title}", notice.text, *facts]
            body = {self._text_key: "\n".join(line for line in lines if line)}
        return json.dumps(body).encode()


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A POST that is redirected becomes a GET without its body, and its headers go to whoever was named."""

    def redirect_request(self, *_arguments: Any, **_keywords: Any) -> None:
        return None


def _tls(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ParameterError(
            f"ca_file is {ca_file!r}, which cannot be read as certificates: {error}. Give a file in PEM format."
        ) from None


def _host(url: str, *, plain_http: bool) -> str:
    """Return the host of a URL; raise if notices cannot, or should not, be sent there."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in {"http", "https"} or not host:
        raise DeliveryError("webhook: its url is none. It begins with https:// and a host.", again=False)
    if parts.scheme == "http" and host not in _LOOPBACK and not plain_http:
        raise DeliveryError(
            f"webhook: the url of {host} is http://, and everybody between would read the notices and the key. Use "
            "https://, or set plain_http = true.",
            again=False,
        )
    return host


def _refused(host: str, error: urllib.error.HTTPError) -> NoReturn:
    """Raise what an answer that is no success means."""
    again = error.code in _AGAIN or error.code >= 500
    hint = (
        "It is tried again."
        if again
        else "Redirects are not followed; give the address that it leads to."
        if error.code in range(300, 400)
        else "Look at url and headers."
    )
    after = _pause(error.headers.get("Retry-After")) if again else None
    raise DeliveryError(f"webhook: {host} answered {error.code}. {hint}", again=again, after=after) from None


def _pause(text: str | None) -> float | None:
    """Return the seconds of a ``Retry-After``, a number or a date, an hour at most; None where there is none."""
    if text is None:
        return None
    try:
        seconds = float(text) if text.strip().isdigit() else _until(parsedate_to_datetime(text))
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, seconds), _LONGEST_PAUSE)


def _until(moment: datetime) -> float:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - datetime.now(UTC)).total_seconds()


def _trouble(host: str, error: Exception, timeout: float) -> str:
    """Say in our words what kept a request from being answered."""
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return f"{host} did not answer within {timeout:g} s."
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate of {host} is not trusted: {cause.verify_message}. Give its issuer as ca_file."
    if isinstance(cause, ConnectionRefusedError):
        return f"{host} refused the connection."
    return f"{host} could not be reached, or gave no answer that makes sense ({type(cause).__name__})."
