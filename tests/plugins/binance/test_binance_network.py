"""Ways in which the network fails, limits that processes share, who goes first, and how to get there."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from test_binance_life import bid_of, request, session_at, simulator
from websockets.asyncio.server import serve

from cambist.api import Answered, Declined, OrderKey, Subscription, Unanswered, VenueError
from cambist.model import OrderType
from cambist.testing.listening import Listener
from cambist_binance.session import open_spot
from cambist_ccxt.budget import SHARES, Budget, Priority, Window
from cambist_ccxt.credentials import Credentials
from cambist_ccxt.errors import NotSentError
from cambist_ccxt.link import Link, LinkHooks, LinkSettings
from cambist_ccxt.loading import Answer, Network, load_exchange, raw_client
from cambist_ccxt.rest import Ask, RestClient
from cambist_ccxt.shared import SharedUse, id_of
from cambist_ccxt.tls import tls_context

LIMIT = OrderType.LIMIT
OPEN_ENDED = [
    ("timeout", {"stage": "before"}, False),
    ("timeout", {"stage": "after"}, True),
    ("reset", {"stage": "before"}, False),
    ("reset", {"stage": "after"}, True),
    *[("http_error", {"stage": "after", "status": status}, True) for status in (500, 502, 503, 504)],
    *[("http_error", {"stage": "before", "status": status}, False) for status in (500, 503)],
    ("truncated", {}, True),
    ("not_json", {}, None),
    ("html", {}, None),
    ("empty_body", {}, None),
]


@pytest.mark.parametrize("transport", ["rest", "websocket"])
@pytest.mark.parametrize(("action", "arguments", "arrived"), OPEN_ENDED)
def test_a_request_without_a_usable_answer_is_open_and_asked_for(action, arguments, arrived, transport):
    async def test():
        with simulator() as made:
            async with session_at(made, transport=transport, timeout=1.0) as (session, instrument):
                made.add_fault(action, label="order.place", count=1, **arguments)
                asked = request(instrument, "fate1", "buy", 0.01, LIMIT, await bid_of(made) * 0.97)
                outcome = await session.submit(asked)
                assert isinstance(outcome, Unanswered), outcome
                there = [one.client_id for one in made.orders()]
                assert there in ([["fate1"], []] if arrived is None else [["fate1"] if arrived else []])
                async with asyncio.timeout(30):
                    found = await session.find_order(OrderKey("BTC/USDT", "fate1"))
                assert (found.report is not None) == bool(there)

    asyncio.run(test())


@pytest.mark.parametrize("status", [429, 418])
def test_too_many_requests_are_a_definite_no_for_as_long_as_the_venue_says(status):
    async def test():
        with simulator() as made:
            async with session_at(made, transport="rest") as (session, instrument):
                made.add_fault("rate_limit", label="order.place", count=1, retry_after=2, status=status)
                outcome = await session.submit(request(instrument, "busy1", "buy", 0.01))
                assert isinstance(outcome, Declined)
                assert (outcome.reason, outcome.retry_after) == ("rate_limit", 2 * 10**9)
                assert made.orders() == []

    asyncio.run(test())


async def never_left(url):
    """Return the error of a request to somewhere that cannot be reached, and see that it says so."""
    client = raw_client(
        await load_exchange("binance"),
        Credentials("key", "secret"),
        Network(timeout=5.0),
        stamp=lambda: 1,
        urls={"private": url},
    )
    assert client.verify is True
    rest = RestClient(client, Budget([], lambda: 0), lambda _: {})
    try:
        with pytest.raises(NotSentError) as caught:
            await rest.send(Ask(part="private", path="order", method="POST", params={"symbol": "X"}, within=10.0))
    finally:
        await rest.close()
    assert caught.value.code == "unreachable"
    return str(caught.value)


def test_a_name_that_nobody_knows_is_a_definite_no():
    asyncio.run(never_left("http://nowhere.invalid/api/v3"))


def test_a_port_where_nobody_listens_is_a_definite_no():
    asyncio.run(never_left("http://127.0.0.1:9/api/v3"))


def own_certificate(folder):
    """Make a certificate that nobody has signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "own.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_a_certificate_that_is_not_trusted_is_a_definite_no_and_nothing_is_said_to_it(tmp_path):
    async def test():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(own_certificate(tmp_path))
        heard: list[bytes] = []

        async def listen(reader, writer):
            heard.append(await reader.read(100))
            writer.close()

        async with await asyncio.start_server(listen, "127.0.0.1", 0, ssl=context) as server:
            port = server.sockets[0].getsockname()[1]
            told = await never_left(f"https://127.0.0.1:{port}/api/v3")
            assert "certificate" in told.lower()
            # Streams look at it, too.
            session = open_spot(url=f"https://127.0.0.1:{port}", timeout=3.0)
            with pytest.raises(VenueError, match=r"(?i)certificate"):
                await session.open()
            assert b"".join(heard) == b""

    asyncio.run(test())


def test_a_certificate_that_the_system_trusts_is_trusted_by_requests_and_streams(tmp_path, monkeypatch):
    path = own_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    tls_context.cache_clear()

    async def answer(connection, request):
        if request.path == "/api/v3/order":
            return connection.respond(400, '{"code":-1102,"msg":"no"}')
        return None

    async def say(socket):
        await socket.send('{"n":1}')
        await socket.wait_closed()

    class Ear(LinkHooks):
        def __init__(self, url):
            self.url, self.heard = url, asyncio.Event()

        async def address(self):
            return self.url

        def frame(self, connection, data):
            self.heard.set()

    async def test():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        async with serve(say, "127.0.0.1", 0, ssl=context, process_request=answer) as server:
            port = server.sockets[0].getsockname()[1]
            ear = Ear(f"wss://127.0.0.1:{port}/stream")
            link = Link("test", ear, LinkSettings(first_wait=0.01))
            link.start()
            async with asyncio.timeout(10):
                await ear.heard.wait()
            await link.close()
            base = await load_exchange("binance")
            urls = {"private": f"https://127.0.0.1:{port}/api/v3"}
            client = raw_client(base, Credentials("key", "secret"), Network(), stamp=lambda: 1, urls=urls)
            try:
                with pytest.raises(Answer) as caught:
                    await client.fetch(f"{urls['private']}/order")
                assert "-1102" in caught.value.body
            finally:
                await client.close()

    try:
        asyncio.run(test())
    finally:
        tls_context.cache_clear()


def test_what_is_trusted_is_read_once_and_shared():
    async def test():
        base = await load_exchange("binance")
        clients = [raw_client(base, Credentials("key", "secret"), Network(ip=ip), stamp=lambda: 1) for ip in (0, 0, 4)]
        for client in clients:
            client.open()
            assert client.ssl_context is tls_context()
            await client.close()

    asyncio.run(test())


# Limits that processes share.

_OTHER = textwrap.dedent(
    """
    import asyncio, sys
    from cambist.api import OrderKey
    from cambist_binance.session import open_spot

    async def main():
        url, key, secret = sys.argv[1:4]
        session = open_spot(url=url, key=key, secret=secret, transport="rest", timeout=5.0)
        await session.open()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        for number in range(8):
            await session._queries.depth("BTC/USDT")
        print(session._transport.budget.windows["weight-1m"].used, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        print(type(await session.find_order(OrderKey("BTC/USDT", "none1"))).__name__, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await session.close()

    asyncio.run(main())
    """
)


class Other:
    """Another process with a session of the same key."""

    def __init__(self, made) -> None:
        key = made.credentials()
        self.process = subprocess.Popen(
            [sys.executable, "-c", _OTHER, made.url, key.key, key.secret],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    async def told(self) -> str:
        async with asyncio.timeout(60):
            return (await asyncio.to_thread(self.process.stdout.readline)).strip()

    def go_on(self) -> None:
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def test_two_processes_count_together_and_are_quiet_together():
    async def test():
        with simulator() as made:
            other = Other(made)
            try:
                async with session_at(made, transport="rest", timeout=5.0) as (session, instrument):
                    budget, name = session._transport.budget, "weight-1m"
                    assert await other.told() == "ready"
                    before = budget.windows[name].used
                    other.go_on()
                    used = int(await other.told())
                    assert used >= 2_000
                    budget.wait({}, Priority.DATA)  # a look, and no request
                    assert sum(entry.label == "depth" for entry in made.requests()) == 8
                    assert budget.windows[name].used in {used, 0}  # 0 where the minute has turned meanwhile
                    assert used > before

                    # What one of them is told, both obey.
                    made.add_fault("rate_limit", label="order.query", count=1, retry_after=3)
                    other.go_on()
                    assert await other.told() == "Declined"
                    assert budget.wait({}, Priority.CANCEL) > 10**9
                    outcome = await session.find_order(OrderKey(instrument.symbol, "none1"))
                    assert isinstance(outcome, Answered)
                    times = [entry.at for entry in made.requests() if entry.label == "order.query"]
                    assert len(times) == 2
                    assert times[1] - times[0] >= 3 * 10**9
            finally:
                other.end()

    asyncio.run(test())


def test_what_a_process_had_under_way_is_left_out_once_it_is_gone(tmp_path):
    paths = tmp_path / "address", tmp_path / "key"
    now = 600 * 10**9
    child = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    gone = SharedUse(*paths)
    gone._me = id_of(int(child.stdout), 1)  # it counted, and died before the answer came
    mine, theirs = (
        Budget([Window("weight-1m", 100, 60 * 10**9)], lambda: now, shared) for shared in (SharedUse(*paths), gone)
    )
    living = Budget([Window("weight-1m", 100, 60 * 10**9)], lambda: now, SharedUse(*paths))
    theirs.charge({"weight-1m": 60})
    assert mine.wait({"weight-1m": 30}, Priority.DATA) == 0
    living.charge({"weight-1m": 60})
    assert mine.wait({"weight-1m": 30}, Priority.DATA) > 0
    assert mine.wait({"weight-1m": 30}, Priority.ENTRY) == 0
    living.settle({"weight-1m": 60}, {"weight-1m": 10})
    assert mine.wait({"weight-1m": 30}, Priority.DATA) == 0
    assert mine.windows["weight-1m"].used == 10
    living.charge({"weight-1m": 60})
    living.close()
    assert mine.wait({"weight-1m": 30}, Priority.DATA) == 0
    for budget in (mine, theirs):
        budget.close()


# Who goes first.


def test_data_leaves_room_for_orders_and_cancels_even_when_it_is_asked_for_without_end():
    async def test():
        with simulator() as made:
            async with session_at(made, transport="rest", timeout=2.0, shared_limits=False) as (session, instrument):
                window = session._transport.budget.windows["weight-1m"]
                bid = await bid_of(made)
                flood = [asyncio.ensure_future(session._queries.depth(instrument.symbol)) for _ in range(40)]
                async with asyncio.timeout(60):
                    while window.used < 0.6 * window.limit:  # noqa: ASYNC110 - nobody tells
                        await asyncio.sleep(0.01)
                placed = await session.submit(request(instrument, "first1", "buy", 0.01, LIMIT, bid * 0.97))
                assert isinstance(placed, Answered), placed
                gone = await session.cancel(OrderKey(instrument.symbol, "first1"))
                assert isinstance(gone, Answered), gone
                assert window.used <= SHARES[Priority.DATA] * window.limit + 20
                for one in flood:
                    one.cancel()
                ended = await asyncio.gather(*flood, return_exceptions=True)
                assert any(isinstance(one, BaseException) for one in ended)

    asyncio.run(test())


# No wait without an end, and how to get there.


@pytest.mark.parametrize("transport", ["rest", "websocket"])
def test_every_request_ends_where_nothing_is_ever_answered(transport):
    async def test():
        with simulator() as made:
            async with session_at(made, transport=transport, timeout=0.3) as (session, instrument):
                made.add_fault("timeout", stage="before")
                order = request(instrument, "dead1", "buy", 0.01, LIMIT, await bid_of(made) * 0.97)
                key = OrderKey(instrument.symbol, "dead1")
                async with asyncio.timeout(30):
                    asked = await asyncio.gather(
                        session.submit(order),
                        session.cancel(key),
                        session.amend(key, order),
                        session.cancel_all(instrument.symbol),
                        session.find_order(key),
                        session.open_orders(),
                        session.fills(instrument.symbol, 0),
                        session.account(),
                        return_exceptions=True,
                    )
                assert all(isinstance(one, Unanswered) for one in asked[:5]), asked
                assert all(isinstance(one, VenueError) for one in asked[5:]), asked

    asyncio.run(test())


class Proxy:
    """An HTTP proxy that notes where it was asked to go."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def take(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, target, _ = head.split(" ", 2)
        self.asked.append(f"{method} {target}")
        if method == "CONNECT":
            host, _, port = target.partition(":")
            far_reader, far_writer = await asyncio.open_connection(host, int(port))
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            host, _, port = target.split("/")[2].partition(":")
            far_reader, far_writer = await asyncio.open_connection(host, int(port))
            far_writer.write(head.replace(f"http://{host}:{port}", "", 1).encode("latin-1"))

        async def copy(source, sink, prefix=b""):
            try:
                while data := await source.read(65_536):
                    sink.write(data.replace(prefix, b"", 1) if prefix else data)
                    await sink.drain()
            except OSError:
                pass
            finally:
                sink.close()

        prefix = b"" if method == "CONNECT" else f"http://{host}:{port}".encode()
        await asyncio.gather(copy(reader, far_writer, prefix), copy(far_reader, writer))


def quotes_of(session, instrument):
    return Listener(session.market([Subscription(instrument, "quotes")]))


def test_requests_and_streams_go_by_the_proxy():
    async def test():
        proxy = Proxy()
        with simulator() as made:
            async with await asyncio.start_server(proxy.take, "127.0.0.1", 0) as server:
                port = server.sockets[0].getsockname()[1]
                at = session_at(made, proxy=f"http://127.0.0.1:{port}", timeout=5.0)
                async with at as (session, instrument), quotes_of(session, instrument) as heard:
                    await heard.wait(lambda one: hasattr(one, "bid"), 30)
                assert any(one.startswith("GET http://") for one in proxy.asked)
                assert sum(one.startswith("CONNECT ") for one in proxy.asked) >= 2  # account and market

    asyncio.run(test())


def test_the_version_of_the_internet_protocol_is_chosen():
    async def test():
        with simulator() as made:  # listens at an address of version 4
            key = made.credentials()
            url = made.url.replace("127.0.0.1", "localhost")
            session = open_spot(url=url, key=key.key, secret=key.secret, ip=4)
            await session.open()
            assert (await session.account()).balances
            await session.close()
            session = open_spot(url=url, key=key.key, secret=key.secret, ip=6, timeout=3.0)
            with pytest.raises(VenueError, match="cannot be reached"):
                await session.open()

    asyncio.run(test())
