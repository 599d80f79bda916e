"""A run is operated: by its socket, by a file, by a signal, by whoever asks, and whatever its strategy does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import stat
from decimal import Decimal

import pytest
from going import running, until
from test_live_run import MINUTE, Alternate, Resting, bars, make_run, told, truth
from venue_in_process import SYMBOL, Loopback, make_exchange

from cambist.cli.exits import Exit
from cambist.errors import ControlError, NotRunningError
from cambist.live.control import Control, ControlClient, ControlFolder, ControlSettings, find_run, operator
from cambist.live.control import running as live_runs
from cambist.live.control.protocol import MAX_REQUEST, Request, decode_answer, encode
from cambist.live.control.snapshot import status_of
from cambist.live.control.watchdog import FROZEN_STATUS
from cambist.live.settings import OnStop
from cambist.model import OrderStatus, OrderType, Side
from cambist_simulator.exchange.orders import OrderTerms


@pytest.fixture
def venue():
    exchange = make_exchange()
    user = exchange.users.add("trader")
    exchange.deposit(user, "USDT", Decimal(1000))
    session = Loopback(exchange, user)
    session.quote("99.99", "100.01")
    return session


class Operated:
    """A run with its control, and a client of it."""

    def __init__(self, tmp_path, venue, strategy, *, control=None, **settings) -> None:
        self.told: list[tuple[str, str]] = []
        self.control = Control(
            control or ControlSettings(on_signal=False, clear_within=8.0),
            tell=lambda word, text: self.told.append((word, text)),
            name="test",
            environment="dev",
        )
        self.run = make_run(tmp_path, venue, strategy, companions=[self.control], **settings)
        self.folder = ControlFolder(self.run.journal.folder)

    @contextlib.asynccontextmanager
    async def going(self):
        async with running(self.run) as task:
            await until(self.folder.socket.exists)
            yield task
        self.run.journal.close()

    async def call(self, do, **arguments):
        return await asyncio.to_thread(self._call, do, arguments)

    def _call(self, do, arguments):
        with ControlClient(find_run(self.run.journal.folder), by="tester", timeout=30) as client:
            return client.call(do, **arguments)

    @property
    def words(self):
        return [word for word, _ in self.told]


def commands(tmp_path):
    from cambist.engine.codec import CODEC
    from cambist.storage.journal import Journal

    with Journal(tmp_path / "journal") as journal:
        return [
            (fields.name, fields.by)
            for fields in (CODEC.decode(entry) for entry in journal.read() if entry.kind == "operator_command")
        ]


def place_foreign(venue, client_id="by-hand", price="91.00"):
    return venue.exchange.place(
        venue.user,
        OrderTerms(
            symbol="BTCUSDT",
            side=Side.BUY,
            type=OrderType.LIMIT,
            size=Decimal("0.2"),
            price=Decimal(price),
            client_id=client_id,
        ),
    )


def test_a_status_tells_what_the_run_does(venue, tmp_path):
    async def play():
        one = Operated(tmp_path, venue, Alternate())
        async with one.going():
            venue.bar(bars(1)[0], MINUTE)
            await until(lambda: len(one.run.kernel.fills) == 1)
            await asyncio.sleep(0.15)
            status = await one.call("status")
            positions = await one.call("positions", venue=True)
        return one, status, positions

    one, status, positions = asyncio.run(play())
    assert status["phase"] == "run"
    assert (status["venue"], status["name"], status["environment"]) == ("in-process", "test", "dev")
    assert status["token"] == one.run.kernel.book.token
    assert status["strategies"] == ["Alternate"]
    assert [order["status"] for order in status["decisions"]] == ["filled"]
    assert status["fills"][0]["price"] == 100.01
    assert status["orders"] == {"open": 0, "unknown": 0, "waiting_for_journal": 0, "being_asked_about": 0}
    assert set(status["streams"]) == {"private", "market"}
    assert status["trading"] == {"state": "active", "holds": []}
    assert status["journal"]["lag_records"] == 0
    assert not status["kill_switch"]["thrown"]
    assert {hook["hook"] for hook in status["hooks"]} == {"on_start", "on_bar", "on_order"}
    held = one.run.kernel.portfolio.positions[SYMBOL].size
    assert positions["positions"][0]["size"] == held
    assert {one["asset"]: Decimal(one["total"]) for one in positions["balances"]} == {
        asset: amount for asset, amount in truth(venue).items() if amount
    }


def test_one_order_is_canceled_by_its_number_or_by_the_name_the_venue_knows(venue, tmp_path):
    async def play():
        one = Operated(tmp_path, venue, Resting())
        async with one.going():
            venue.bar(bars(1)[0], MINUTE)
            await until(lambda: any(order.accepted for order in one.run.engine.orders.open))
            foreign = place_foreign(venue)
            shown = await one.call("orders", venue=True)
            first = await one.call("cancel", order="1")
            second = await one.call("cancel", order="by-hand")
            third = None
            try:
                await one.call("cancel", order="nobody")
            except ControlError as error:
                third = error
            assert not venue.exchange.open_orders(venue.user)
        return shown, first, second, third, foreign

    shown, first, second, third, foreign = asyncio.run(play())
    assert [order["order"] for order in shown["orders"]] == [1]
    assert sorted(order["order"] for order in shown["venue"]) == [0, 1]
    assert first["verified"]
    assert [(item["order"], item["outcome"]) for item in first["orders"]] == [(1, "canceled")]
    assert second["verified"]
    assert [(item["order"], item["venue_id"], item["outcome"]) for item in second["orders"]] == [
        (0, str(foreign.id), "canceled")
    ]
    assert third.code == "refused"
    assert "nobody" in str(third)
    assert ("cancel_orders", "tester") in commands(tmp_path)
    assert ("cancel", "tester") in commands(tmp_path)


def test_canceling_all_covers_orders_that_the_run_does_not_know(venue, tmp_path):
    async def play():
        one = Operated(tmp_path, venue, Resting())
        async with one.going():
            venue.bar(bars(1)[0], MINUTE)
            await until(lambda: any(order.accepted for order in one.run.engine.orders.open))
            place_foreign(venue)
            done = await one.call("cancel")
            assert not venue.exchange.open_orders(venue.user)
            assert not one.run.engine.orders.open
        return done

    done = asyncio.run(play())
    assert done["verified"]
    assert sorted((item["order"], item["outcome"]) for item in done["orders"]) == [(0, "canceled"), (1, "canceled")]


def test_what_the_strategy_sends_again_is_not_canceled_by_a_command_from_before(venue, tmp_path):
    async def play():
        one = Operated(tmp_path, venue, Resting())
        async with one.going():
            venue.bar(bars(1)[0], MINUTE)
            await until(lambda: any(order.accepted for order in one.run.engine.orders.open))
            asked = asyncio.create_task(one.call("cancel"))
            await until(lambda: not one.run.engine.orders.open)
            venue.bar(bars(1, first=1)[0], MINUTE)  # the strategy orders again at once
            done = await asked
            assert [order.id for order in one.run.engine.orders.open] == [2]
            assert len(venue.exchange.open_orders(venue.user)) == 1
        return done

    done = asyncio.run(play())
    assert done["verified"]
    assert [(item["order"], item["outcome"]) for item in done["orders"]] == [(1, "canceled")]


def test_flatten_closes_what_the_run_holds_and_says_so(venue, tmp_path):
    async def play():
        one = Operated(tmp_path, venue, Alternate())
        async with one.going():
            venue.bar(bars(1)[0], MINUTE)
            await until(lambda: len(one.run.kernel.fills) == 1)
            done = await one.call("flatten", symbol=SYMBOL)
            assert one.run.kernel.portfolio.positions[SYMBOL].size == 0.0
            with pytest.raises(ControlError, match="does not trade 'ETH/USDT'"):
                await one.call("flatten", symbol="ETH/USDT")
        return done

    done = asyncio.run(play())
    assert done["verified"]
    assert [(item["symbol"], item["outcome"]) for item in done["positions"]] == [(SYMBOL, "closed")]
    assert truth(venue)["BTC"] == 0


def test_halting_keeps_orders_from_leaving_until_trading_is_resumed(venue, tmp_path):
    async def play():
        one = Operated(tmp_path, venue, Alternate())
        async with one.going():
            halted = await one.call("halt", reason="lunch")
            venue.bar(bars(1)[0], MINUTE)
            await until(lambda: one.run.kernel.book.orders)
            resumed = await one.call("resume")
            statuses = [order.status for order in one.run.kernel.book.orders]
            with pytest.raises(ControlError, match="nothing in the scope"):
                await one.call("halt", scope="symbol:ETH/USDT")
        return halted, resumed, statuses

    halted, resumed, statuses = asyncio.run(play())
    assert [(hold["state"], hold["reason"], hold["by"]) for hold in halted["holds"]] == [("halted", "lunch", "tester")]
    assert resumed["holds"] == []
    assert statuses == [OrderStatus.REJECTED]
    assert not venue.submits


def test_a_stop_says_what_becomes_of_orders(venue, tmp_path):
    async def play():
        one = Operated(tmp_path, venue, Resting(), on_stop=OnStop.CANCEL)
        async with one.going() as task:
            venue.bar(bars(1)[0], MINUTE)
            await until(lambda: any(order.accepted for order in one.run.engine.orders.open))
            with pytest.raises(ControlError, match="Did you mean 'keep'"):
                await one.call("stop", policy="keeps")
            done = await one.call("stop", policy="keep")
            await asyncio.wait_for(task, 10)
            assert len(venue.exchange.open_orders(venue.user)) == 1
        assert not one.folder.socket.exists()
        return done

    assert asyncio.run(play())["policy"] == "keep"
    assert told(tmp_path).stopped == "stopped by tester"


def test_the_kill_switch_halts_for_good_and_leaves_nothing_open(venue, tmp_path):
    async def play():
        one = Operated(tmp_path, venue, Alternate())
        async with one.going():
            venue.bar(bars(1)[0], MINUTE)
            await until(lambda: len(one.run.kernel.fills) == 1)
            place_foreign(venue)
            done = await one.call("kill", flatten=True)
            assert not venue.exchange.open_orders(venue.user)
            assert truth(venue)["BTC"] == 0
        again = Operated(tmp_path, venue, Alternate())
        async with again.going():
            status = await again.call("status")
            for bar in bars(2, first=5):  # the first of them would sell what is not held any more
                venue.bar(bar, MINUTE)
            await until(lambda: len(again.run.kernel.book.orders) > 2)
            refused = again.run.kernel.book.orders[-1].status
            await again.call("resume")
            await until(lambda: not again.folder.kill.exists())
            for bar in bars(2, first=7):
                venue.bar(bar, MINUTE)
            await until(lambda: len(again.run.kernel.fills) > 2)
        return one, done, status, refused

    one, done, status, refused = asyncio.run(play())
    assert done["verified"]
    assert done["acted"] == "run"
    assert [(item["client_id"], item["outcome"]) for item in done["orders"]] == [("by-hand", "canceled")]
    assert [item["outcome"] for item in done["positions"]] == ["closed"]
    assert one.words == ["kill_switch", "kill_switch_done"]
    assert status["trading"]["state"] == "halted"
    assert status["kill_switch"]["thrown"]
    assert refused is OrderStatus.REJECTED


def test_a_file_made_by_hand_throws_the_kill_switch(venue, tmp_path):
    async def play():
        one = Operated(tmp_path, venue, Resting())
        async with one.going():
            venue.bar(bars(1)[0], MINUTE)
            await until(lambda: any(order.accepted for order in one.run.engine.orders.open))
            one.folder.kill.touch()
            await until(lambda: "kill_switch_done" in one.words)
            assert not venue.exchange.open_orders(venue.user)
            assert one.run.kernel.trading.holds.find("", "").state == "halted"
        return one

    one = asyncio.run(play())
    assert one.folder.report.exists()


def test_a_signal_throws_the_kill_switch(venue, tmp_path):
    async def play():
        one = Operated(tmp_path, venue, Resting(), control=ControlSettings(clear_within=8.0))
        async with one.going():
            venue.bar(bars(1)[0], MINUTE)
            await until(lambda: any(order.accepted for order in one.run.engine.orders.open))
            os.kill(os.getpid(), signal.SIGUSR1)
            await until(lambda: "kill_switch_done" in one.words)
            assert not venue.exchange.open_orders(venue.user)
        return one

    before = signal.getsignal(signal.SIGUSR1)
    one = asyncio.run(play())
    assert signal.getsignal(signal.SIGUSR1) is before
    assert "SIGUSR1" in one.told[0][1]


def test_only_the_owner_may_operate_a_run(venue, tmp_path):
    async def play():
        one = Operated(tmp_path, venue, Alternate())
        async with one.going():
            assert stat.S_IMODE(one.folder.socket.stat().st_mode) == 0o600
            assert stat.S_IMODE(one.folder.path.stat().st_mode) == 0o700
            assert [card.journal for card in live_runs()] == [str(tmp_path / "journal")]
        assert live_runs() == []
        with pytest.raises(NotRunningError):
            find_run(tmp_path / "journal")
        one.folder.path.chmod(0o777)
        other = Operated(tmp_path, venue, Alternate())
        async with running(other.run):
            pass
        other.run.journal.close()
        return other.run.alarms

    alarms = asyncio.run(play())
    assert [word for word, _ in alarms] == ["companion_failed"]
    assert "chmod 700" in alarms[0][1]


def test_a_socket_that_a_dead_process_left_is_replaced_and_a_long_path_is_no_obstacle(venue, tmp_path):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)

    async def play(folder):
        left = ControlFolder(folder / "journal").make()
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as dead:
            dead.bind(str(left.socket))
        one = Operated(folder, venue, Alternate())
        async with one.going():
            return (await one.call("status"))["phase"], len(str(one.folder.socket))

    (near, _), (far, length) = asyncio.run(play(tmp_path)), asyncio.run(play(deep))
    assert near == far == "run"
    assert length <= 100


def test_what_is_no_request_is_refused_and_nobody_else_notices(venue, tmp_path):
    async def play():
        one = Operated(tmp_path, venue, Alternate())
        answers = []
        async with one.going():
            path = str(one.folder.socket)
            for line in (
                b"hello\n",
                b'{"do": "statsu"}\n',
                b'{"do": "status", "v": 9}\n',
                b'{"do": "halt", "arguments": {"scop": ""}}\n',
                b"x" * (2 * MAX_REQUEST) + b"\n",
            ):
                reader, writer = await asyncio.open_unix_connection(path)
                writer.write(line)
                answers.append(decode_answer(await reader.readline()))
                writer.close()
            silent = [await asyncio.open_unix_connection(path) for _ in range(3)]
            reader, writer = await asyncio.open_unix_connection(path)
            # Two requests at once are answered in order.
            writer.write(encode(Request(do="orders", id=7)) + encode(Request(do="status", id=8)))
            numbers = [decode_answer(await reader.readline()).id for _ in range(2)]
            for _, other in (*silent, (reader, writer)):
                other.close()
        return answers, numbers

    answers, numbers = asyncio.run(play())
    assert [answer.code for answer in answers] == [
        "bad_request", "unknown_command", "version", "bad_request", "bad_request",
    ]  # fmt: skip
    assert "Did you mean 'status'" in answers[1].error
    assert numbers == [7, 8]


def test_however_many_ask_how_often_a_status_is_made_now_and_then(venue, tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(operator, "status_of", lambda run: made.append(run) or status_of(run))

    async def play():
        one = Operated(tmp_path, venue, Alternate())
        async with one.going():

            def ask():
                with ControlClient(find_run(one.run.journal.folder)) as client:
                    return [client.call("status")["phase"] for _ in range(100)]

            began = asyncio.get_running_loop().time()
            answers = await asyncio.gather(*(asyncio.to_thread(ask) for _ in range(6)))
            return answers, asyncio.get_running_loop().time() - began

    answers, took = asyncio.run(play())
    assert sum(map(len, answers)) == 600
    assert 1 <= len(made) <= 1 + took / 0.1


def test_exit_codes_are_those_of_the_command_line():
    assert FROZEN_STATUS == Exit.FROZEN
