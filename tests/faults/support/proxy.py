"""A TCP proxy on loopback before a server, which is slow, silent, or hangs up when told to."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Literal

COMMIT = re.compile(rb"[\n\x03]COMMIT(;|$)")
Fate = Literal["answer_lost", "never_sent", "delivered"]


class Proxy:
    """Passes on what it gets, as long as nothing else is wanted.

    `delay` are seconds before each piece; `stalled` holds everything back while it is set.
    """

    def __init__(self, port: int) -> None:
        self._upstream = port
        self.delay = 0.0
        self.flowing = threading.Event()
        self.flowing.set()
        self.refusing = False
        self.answers = 0
        self._cut_at: tuple[int, bool] | None = None
        self._fate: Fate = "delivered"
        self._commits = 0
        self.on_commit: Callable[[], None] = lambda: None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    # What goes wrong

    def cut(self) -> None:
        """Hang up on everybody."""
        with self._lock:
            sockets, self._open = self._open, set()
        for each in sockets:
            _close(each)

    def cut_at_answer(self, number: int, half: bool = False) -> None:
        """Hang up instead of the server's `number`-th piece from now, or in its middle."""
        with self._lock:
            self.answers, self._cut_at = 0, (number, half)

    @property
    def has_cut(self) -> bool:
        """Whether the piece that was waited for has come."""
        return self._cut_at is None

    def lose_commit(self, fate: Fate, number: int = 1) -> None:
        """Hang up at a commit to come: after it was carried out, or before the server hears."""
        self._fate, self._commits = fate, number

    def refuse(self) -> None:
        """Hang up, and take nobody."""
        self.refusing = True
        self.cut()

    def heal(self) -> None:
        """Pass everything on again."""
        self.refusing, self.delay, self._fate, self._cut_at = False, 0.0, "delivered", None
        self.on_commit = lambda: None
        self.flowing.set()

    def close(self) -> None:
        self.heal()
        _close(self._listening)
        self.cut()

    # How it passes on

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                if self.refusing:
                    _close(client)
                    continue
                server = socket.create_connection(("127.0.0.1", self._upstream))
                for each in (client, server):
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self._open |= {client, server}
                lost = threading.Event()
                for act in (self._ask, self._answer):
                    threading.Thread(target=act, args=(client, server, lost), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        with contextlib.suppress(OSError):
            for piece in self._pieces(client):
                fate = self._fate_of(piece)
                if fate == "answer_lost":
                    lost.set()
                elif fate == "never_sent":
                    self.on_commit()
                    break
                server.sendall(piece)
        self._end(client, server)

    def _answer(self, client: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        with contextlib.suppress(OSError):
            for piece in self._pieces(server):
                if lost.is_set():
                    self.on_commit()
                    break
                cut, half = self._is_cut()
                if cut:
                    client.sendall(piece[: len(piece) // 2] if half else b"")
                    break
                client.sendall(piece)
        self._end(client, server)

    def _fate_of(self, piece: bytes) -> Fate:
        with self._lock:
            if not COMMIT.search(piece) or self._fate == "delivered":
                return "delivered"
            self._commits -= 1
            if self._commits:
                return "delivered"
            fate, self._fate = self._fate, "delivered"
            return fate

    def _is_cut(self) -> tuple[bool, bool]:
        with self._lock:
            self.answers += 1
            if self._cut_at is None or self.answers < self._cut_at[0]:
                return False, False
            (_, half), self._cut_at = self._cut_at, None
            return True, half

    def _pieces(self, source: socket.socket) -> Iterator[bytes]:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                if self.delay:
                    time.sleep(self.delay)
                self.flowing.wait()
                yield piece

    def _end(self, *sockets: socket.socket) -> None:
        with self._lock:
            self._open -= set(sockets)
        for each in sockets:
            _close(each)


def _close(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()


@contextlib.contextmanager
def proxy(port: int) -> Iterator[Proxy]:
    made = Proxy(port)
    try:
        yield made
    finally:
        made.close()
