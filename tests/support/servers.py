"""Throw-away MariaDB and Redis on private loopback ports, gone with the test session."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pymysql
import redis

SECONDS = 20
_MARIADB = (
    "--innodb-flush-method=nosync", "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0", "--skip-log-bin", "--performance-schema=0",
    "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=16M", "--skip-name-resolve",
    "--max-connections=200",
)  # fmt: skip


def binary(*names: str) -> str | None:
    """The first of these programs that is installed."""
    for name in names:
        for found in (shutil.which(name), f"/usr/sbin/{name}"):
            if found and Path(found).exists():
                return found
    return None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _folder() -> Path:
    memory = Path("/dev/shm")  # noqa: S108 - a private folder is made in it
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 256_000_000
    return Path(tempfile.mkdtemp(prefix="banshi-", dir=memory if roomy else None))


@contextlib.contextmanager
def mariadb(options: Sequence[str] = _MARIADB) -> Iterator[str]:
    """A fresh MariaDB; gives its address as ``mysql+pymysql://root@127.0.0.1:port``."""
    with mariadb_process(options) as (url, _):
        yield url


@contextlib.contextmanager
def mariadb_process(options: Sequence[str] = _MARIADB) -> Iterator[tuple[str, int]]:
    """As `mariadb`, with the process id of the server."""
    server, install = binary("mariadbd"), binary("mariadb-install-db")
    assert server, "mariadb-server-core is not installed"
    assert install, "mariadb-server-core is not installed"
    folder, port = _folder(), free_port()
    data = folder / "data"
    subprocess.run(
        [install, "--no-defaults", f"--datadir={data}", "--user=root",
         "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    process = subprocess.Popen(
        [server, "--no-defaults", f"--datadir={data}", "--user=root", f"--port={port}",
         "--bind-address=127.0.0.1", f"--socket={folder / 's'}", *options],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait(lambda: pymysql.connect(host="127.0.0.1", port=port, user="root").close())
        yield f"mysql+pymysql://root@127.0.0.1:{port}", process.pid
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def redis_server() -> Iterator[str]:
    """A fresh Redis that keeps nothing; gives its address."""
    server = binary("redis-server")
    assert server, "redis-server is not installed"
    port = free_port()
    process = subprocess.Popen(
        [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"redis://127.0.0.1:{port}/0"

    def ping() -> None:
        with redis.Redis.from_url(url) as client:
            client.ping()

    try:
        _wait(ping)
        yield url
    finally:
        process.kill()
        process.wait()


def _wait(probe: object) -> None:
    end = time.monotonic() + SECONDS
    while True:
        try:
            probe()  # type: ignore[operator]
        except (OSError, pymysql.MySQLError, redis.RedisError):
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return
