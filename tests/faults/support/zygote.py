"""Web processes and workers that are born in milliseconds: forked off one that has imported all.

Run as ``python -m tests.faults.support.zygote <webs> <workers>``; the listening socket is file
descriptor 3, and a line ``<role> <pid>`` is written for each child that is born. A child that dies
is replaced at once. It ends, with its children, when its standard input does.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time

import sqlalchemy
import uvicorn

from api.main import create_app
from api.settings import read_settings
from api.wiring import wire, wired
from engine.store.tables import OfferedServiceRow
from engine.usecases.definition import definition

SOCKET = 3


def web() -> None:
    server = uvicorn.Server(uvicorn.Config(create_app(wire(read_settings())), log_level="error"))
    server.run(sockets=[socket.socket(fileno=os.dup(SOCKET))])


def worker() -> None:
    """What the Celery task does, again and again: the sweep alone must be enough."""
    application = wire(read_settings())
    while True:
        try:
            if application.run_due() == 0:
                time.sleep(0.1)
        except Exception:  # the database is away; the next sweep finds what is due
            time.sleep(0.1)


def warm() -> None:
    """Read the packages on offer, so that no child has to."""
    with wired(read_settings()) as application, application.uow.read() as session:
        for offered in session.scalars(sqlalchemy.select(OfferedServiceRow)):
            definition(session, offered.package_version_id, application.ports)


def main(webs: int, workers: int) -> None:
    warm()
    alive: dict[int, str] = {}

    def spawn(role: str) -> None:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            try:
                {"web": web, "worker": worker}[role]()
            finally:
                os._exit(1)
        alive[pid] = role
        sys.stdout.write(f"{role} {pid}\n")
        sys.stdout.flush()

    for role in ["web"] * webs + ["worker"] * workers:
        spawn(role)
    while True:
        ended, _, _ = select.select([sys.stdin], [], [], 0.01)
        if ended:
            break
        pid, _ = os.waitpid(-1, os.WNOHANG)
        if pid:
            spawn(alive.pop(pid))
    for pid in alive:
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
