"""The commands of the command line operate a run, say what came of it, and end with the codes that scripts build on."""

from __future__ import annotations

import asyncio
import io
import json
from decimal import Decimal

import pytest
from click.testing import CliRunner
from going import until
from rich.console import Console
from test_control import Operated, place_foreign
from test_live_run import MINUTE, Alternate, Resting, bars, truth
from venue_in_process import SYMBOL, Loopback, make_exchange

from cambist.cli.exits import Exit, exit_of
from cambist.cli.main import root
from cambist.cli.operate.tables import status_view
from cambist.errors import NotRunningError


@pytest.fixture
def venue():
    exchange = make_exchange()
    user = exchange.users.add("trader")
    exchange.deposit(user, "USDT", Decimal(1000))
    session = Loopback(exchange, user)
    session.quote("99.99", "100.01")
    return session


def command(*words):
    return CliRunner().invoke(root, [str(word) for word in words], catch_exceptions=True)


async def said(*words):
    return await asyncio.to_thread(command, *words)


def test_a_run_is_shown_and_operated_by_commands(venue, tmp_path):
    async def play():
        one = Operated(tmp_path, venue, Resting())
        journal = one.run.journal.folder
        done = {}
        async with one.going():
            venue.bar(bars(1)[0], MINUTE)
            await until(lambda: any(order.accepted for order in one.run.engine.orders.open))
            place_foreign(venue)
            done["status"] = await said("status")
            done["json"] = await said("status", journal, "--json")
            done["orders"] = await said("orders", journal, "--venue", "--json")
            done["positions"] = await said("positions", journal, "--venue")
            done["unsaid"] = await said("cancel", journal)
            done["unasked"] = await said("cancel", journal, "--all")
            done["halt"] = await said("halt", journal, "--reason", "lunch", "--orders", "keep")
            done["typo"] = await said("halt", journal, "--scope", "symbol:BTCUSDT")
            done["cancel"] = await said("cancel", journal, "--all", "--yes", "--json")
            done["resume"] = await said("resume", journal)
            done["watch"] = await said("watch", journal, "--every", "0.2", "--for", "0.3")
            done["stop"] = await said("stop", journal)
        done["gone"] = await said("status", journal)
        return done

    done = asyncio.run(play())
    assert "in-process" in done["status"].output
    assert json.loads(done["json"].output)["orders"]["open"] == 1
    assert sorted(one["order"] for one in json.loads(done["orders"].output)["venue"]) == [0, 1]
    assert "USDT" in done["positions"].output
    for name in ("unsaid", "unasked"):
        assert exit_of(done[name].exception) is Exit.BAD_INPUT
    assert "--yes" in str(done["unasked"].exception)
    assert done["halt"].output == "halted everything by " + done["halt"].output.split(" by ")[1]
    assert "lunch" in done["halt"].output
    assert exit_of(done["typo"].exception) is Exit.FAILED
    assert "nothing in the scope" in str(done["typo"].exception)
    assert done["cancel"].exit_code == 0
    assert {one["outcome"] for one in json.loads(done["cancel"].output)["orders"]} == {"canceled"}
    assert done["resume"].output == "everything may be traded\n"
    lines = done["watch"].output.splitlines()
    assert len(lines) == 2
    assert "open=0" in lines[0]
    assert done["stop"].output == "the run has ended\n"
    assert isinstance(done["gone"].exception, NotRunningError)
    assert exit_of(done["gone"].exception) is Exit.NOT_RUNNING


def test_a_run_is_found_by_the_run_file_that_names_its_journal(venue, tmp_path):
    file = tmp_path / "run.toml"
    file.write_text('[live]\njournal = "journal"\n', encoding="utf-8")

    async def play():
        one = Operated(tmp_path, venue, Alternate())
        async with one.going():
            return await said("status", file, "--json")

    assert json.loads(asyncio.run(play()).output)["phase"] == "run"
    assert isinstance(command("status", file).exception, NotRunningError)


def test_positions_are_closed_by_a_command(venue, tmp_path):
    async def play():
        one = Operated(tmp_path, venue, Alternate())
        async with one.going():
            venue.bar(bars(1)[0], MINUTE)
            await until(lambda: len(one.run.kernel.fills) == 1)
            done = await said("flatten", "--symbol", SYMBOL, "--yes")
            assert truth(venue)["BTC"] == 0
            return done

    done = asyncio.run(play())
    assert done.exit_code == 0
    assert "closed" in done.output


@pytest.mark.parametrize("width", [40, 80, 160])
def test_the_view_fits_the_terminal(venue, tmp_path, width):
    async def play():
        one = Operated(tmp_path, venue, Resting())
        async with one.going():
            venue.bar(bars(1)[0], MINUTE)
            await until(lambda: any(order.accepted for order in one.run.engine.orders.open))
            one.run.alarm("stream_down", "a sentence that is longer than the narrowest of these terminals is wide")
            await one.call("halt", reason="lunch")
            return await one.call("status")

    status = asyncio.run(play())
    screen = Console(width=width, file=io.StringIO())
    screen.print(status_view(status, width))
    shown = screen.file.getvalue()
    assert max(map(len, shown.splitlines())) <= width
    for word in ("in-process", "halted", "lunch", SYMBOL, "stream_down"):
        assert word in shown
