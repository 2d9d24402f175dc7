"""A PostgreSQL server of our own for one run, so that nothing else on the machine is asked or disturbed.

It runs with the settings of a fresh installation. The tests' server leaves out `fsync` to be quick; a measurement must
not, because every commit would look cheaper than it is.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

MISSING = "PostgreSQL is left out: its binaries (initdb, postgres) were not found."


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs. `address` lacks the name of a database; `postmaster` is the number of its first process."""

    address: str
    postmaster: int

    def processor(self) -> float:
        """Seconds of processor time that the server has used so far, with all its processes, living and gone."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                pid, rest = int(stat.parent.name), stat.read_text().rpartition(")")[2].split()
                own, of_the_gone, parent = rest[11:13], rest[13:15], int(rest[1])
                if pid == self.postmaster:
                    ticks += sum(map(int, own + of_the_gone))
                elif parent == self.postmaster:
                    ticks += sum(map(int, own))
        return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def server() -> Iterator[Server | None]:
    """A server of our own until the end; None where PostgreSQL is not installed."""
    binaries = _binaries()
    if binaries is None:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="arrears-bench-postgres-"))
    user = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    if user:
        shutil.chown(folder, user)
    data = str(folder / "data")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def run(*command: str) -> None:
        become = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"] if user else []
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(folder)}
        subprocess.run([*become, *command], check=True, capture_output=True, cwd=folder, env=environment)

    pg_ctl = str(binaries / "pg_ctl")
    run(str(binaries / "initdb"), "-D", data, "-A", "trust", "-U", "arrears", "-E", "UTF8")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
    run(pg_ctl, "-D", data, "-w", "-l", f"{folder}/log", "-o", options, "start")
    try:
        postmaster = int(Path(data, "postmaster.pid").read_text().split()[0])
        yield Server(f"postgresql://arrears@127.0.0.1:{port}", postmaster)
    finally:
        run(pg_ctl, "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def new_database(address: str, name: str) -> str:
    """Makes an empty database on the server. Returns its address."""
    with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{address}/{name}"


def drop_database(address: str, name: str) -> None:
    with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def put_in_order(url: str) -> None:
    """Tidies up what the last measurement left, which PostgreSQL would otherwise do by itself in the next one."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")


def _binaries() -> Path | None:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    if installed:
        return installed[0].parent
    there = shutil.which("initdb")
    return Path(there).resolve().parent if there else None
