"""Stores on both databases. A real PostgreSQL is started from the system's packages when it is there."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from opentpe.records import kinds
from opentpe.records.store import Store


class Clock:
    """A clock that tests wind by hand; each reading is a second later."""

    def __init__(self) -> None:
        self.at = datetime(2026, 2, 18, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


class Postgres:
    """A PostgreSQL server in a folder of its own, reached through a socket only."""

    def __init__(self, programs: Path) -> None:
        self.programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="opentpe-pg-"))
        self.user = "root"
        if os.getuid() == 0:
            names = {entry.pw_name for entry in pwd.getpwall()}
            self.user = "postgres" if "postgres" in names else "nobody"
            shutil.chown(self.folder, self.user)
        else:
            self.user = pwd.getpwuid(os.getuid()).pw_name
        self._run("initdb", "-D", self.cluster, "-U", "opentpe", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        self.count = 0
        self.start()

    @property
    def cluster(self) -> str:
        return str(self.folder / "cluster")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), *arguments]
        if os.getuid() == 0:
            command = ["runuser", "-u", self.user, "--", *command]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")

    def start(self) -> None:
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c max_connections=60"
        self._run("pg_ctl", "-D", self.cluster, "-w", "-o", options, "-l", str(self.folder / "log"), "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self.cluster, "-w", "-m", "immediate", "stop")

    def url(self) -> str:
        """The address of a fresh database."""
        self.count += 1
        name = f"unit_{self.count}"
        with psycopg.connect(f"host={self.folder} user=opentpe dbname=postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://opentpe@/{name}?host={self.folder}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        pytest.skip("SKIPPED LOUDLY: no PostgreSQL in /usr/lib/postgresql; the records are tested on SQLite only")
    server = Postgres(found[-1].parent)
    yield server
    server.stop()
    shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/clinic.db"
    return request.getfixturevalue("postgres").url()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(url: str, clock: Clock) -> Iterator[Store]:
    made = Store(url, clock)
    made.prepare()
    yield made
    made.close()


@pytest.fixture
def ada(store: Store) -> str:
    """A patient's identifier."""
    body = kinds.Patient(identifier="MRN-1", name="Ada Example", sex="female", birth="1992-03-04")
    return store.add(body, "nurse", "admission").id
