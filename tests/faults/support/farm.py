"""The whole product as processes that can be killed: database, Redis, web and workers."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pymysql
import redis

from tests.support import servers

ROOT = Path(__file__).resolve().parents[3]
DURABLE = (
    "--innodb-flush-log-at-trx-commit=1", "--skip-log-bin", "--performance-schema=0",
    "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M", "--skip-name-resolve",
    "--max-connections=300", "--innodb-doublewrite=1",
)  # fmt: skip


class Database:
    """A MariaDB that may be killed and started again on the same data."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder / "db", servers.free_port()
        install, server = servers.binary("mariadb-install-db"), servers.binary("mariadbd")
        assert install
        assert server
        self._server = server
        subprocess.run(
            [install, "--no-defaults", f"--datadir={self._folder}", "--user=root",
             "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None
        self.start()
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE banshi CHARACTER SET utf8mb4")

    @property
    def url(self) -> str:
        return f"mysql+pymysql://root@127.0.0.1:{self._port}/banshi"

    def connect(self, database: str | None = None) -> pymysql.Connection:
        return pymysql.connect(
            host="127.0.0.1", port=self._port, user="root", database=database, autocommit=True
        )

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._server, "--no-defaults", f"--datadir={self._folder}", "--user=root",
             f"--port={self._port}", "--bind-address=127.0.0.1",
             f"--socket={self._folder / 's'}", *DURABLE],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        end = time.monotonic() + 30
        while True:
            try:
                self.connect().close()
                return
            except pymysql.MySQLError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()


class Farm:
    """Web processes behind one socket and workers, each replaced when it dies."""

    def __init__(self, folder: Path, database: Database, redis_url: str, **more: str) -> None:
        self.database, self.redis_url = database, redis_url
        self.data = folder / "data"
        self.data.mkdir(exist_ok=True)
        self.environment = {
            **os.environ,
            "BANSHI_DATABASE_URL": database.url,
            "BANSHI_REDIS_URL": redis_url,
            "BANSHI_DATA_DIR": str(self.data),
            "BANSHI_DEMO": "1",
            "PYTHONPATH": str(ROOT),
            **more,
        }
        self.kills = 0
        self._alive: dict[int, str] = {}
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._listening = socket.socket()
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen(512)
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def start(self, webs: int = 3, workers: int = 2) -> None:
        number = self._listening.fileno()

        def hand_over() -> None:
            if number != 3:
                os.dup2(number, 3)

        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.support.zygote", str(webs), str(workers)],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=(3,) if number == 3 else (number, 3),
            preexec_fn=hand_over,  # noqa: PLW1509
        )
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        while len(self._alive) < webs + workers:
            time.sleep(0.02)

    def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            role, pid = line.split()
            with self._lock:
                self._alive[int(pid)] = role

    def kill_one(self, chance: random.Random) -> None:
        """Kill -9 a process chosen by `chance`."""
        with self._lock:
            pids = sorted(self._alive)
            pid = chance.choice(pids) if pids else None
            self._alive.pop(pid or 0, None)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self.kills += 1

    def restart_database(self) -> None:
        self.database.kill()
        self.database.start()

    def flush_redis(self) -> None:
        with redis.Redis.from_url(self.redis_url) as client:
            client.flushall()

    def stop(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait(timeout=20)
            assert self._process.stdout is not None
            self._reader.join(timeout=5)
            self._process.stdout.close()
        self._listening.close()


@contextlib.contextmanager
def farm(**more: str) -> Iterator[Farm]:
    """The product, running, with the demonstration's people and packages."""
    from api.demo.office import open_office
    from api.migrations import migrate
    from api.settings import read_settings
    from api.wiring import wired

    memory = Path("/dev/shm")  # noqa: S108 - a private folder is made in it
    folder = Path(tempfile.mkdtemp(prefix="banshi-", dir=memory if memory.is_dir() else None))
    database = Database(folder)
    try:
        with servers.redis_server() as redis_url:
            made = Farm(folder, database, redis_url, **more)
            with wired(read_settings(made.environment)) as application:
                migrate(application.engine)
                open_office(application)
            made.start()
            try:
                yield made
            finally:
                made.stop()
    finally:
        database.kill()
        shutil.rmtree(folder, ignore_errors=True)
