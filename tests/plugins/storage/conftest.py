"""A real PostgreSQL server, started for these tests and ended with them."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

import pytest

_PASSWORD = "p@ss/w:rd #1"


class PostgresServer:
    """A cluster in a folder of its own, on a free port of the loopback; ``initdb`` refuses to run as root."""

    def __init__(self, binaries):
        self.binaries = binaries
        self.folder = Path(tempfile.mkdtemp(prefix="cambist-pg-"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            shutil.chown(self.folder, self.user)
        password = self.folder / "password"
        password.write_text(_PASSWORD)
        if os.geteuid() == 0:
            shutil.chown(password, self.user)
        self._run("initdb", "-D", self.data, "-U", "cambist", "-A", "scram-sha-256", "--pwfile", password, "-N")
        self.start()

    @property
    def data(self):
        return self.folder / "data"

    def _run(self, name, *arguments):
        command = [self.binaries / name, *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", self.user, "--", *command]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd="/", check=False)
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        self._run("pg_ctl", "-D", self.data, "-l", self.folder / "log", "-w", "-o", options, "start")

    def stop(self):
        self._run("pg_ctl", "-D", self.data, "-m", "fast", "-w", "stop")

    def url(self, database="postgres", password=_PASSWORD):
        return f"postgresql://cambist:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def new_database(self, name):
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)


def _binaries():
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if folders:
        return folders[-1]
    found = shutil.which("initdb")
    return Path(found).parent if found else None


@pytest.fixture(scope="session")
def postgres():
    binaries = _binaries()
    if binaries is None:
        if os.environ.get("CI"):
            pytest.fail("no PostgreSQL here, and .ci/run was to install it")
        pytest.skip("PostgreSQL is not installed; apt-get install postgresql brings it")
    server = PostgresServer(binaries)
    yield server
    server.stop()
    shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def sql_url(request, tmp_path):
    """The URL of an empty database, once for each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'storage.db'}"
    return request.getfixturevalue("postgresql_url")


@pytest.fixture
def postgresql_url(postgres, tmp_path):
    """The URL of an empty database on the server."""
    return postgres.new_database(f"test-{os.getpid()}-{abs(hash(str(tmp_path)))}")
