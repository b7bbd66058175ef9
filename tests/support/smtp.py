"""A mail server on loopback that keeps what it is given."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Iterator


class SmtpServer(socketserver.ThreadingTCPServer):
    """Speaks enough of RFC 5321 to take mail; `refusals` are its first answers to RCPT."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, refusals: list[str]) -> None:
        self.refusals, self.mails = refusals, list[bytes]()
        super().__init__(("127.0.0.1", 0), _Conversation)


class _Conversation(socketserver.StreamRequestHandler):
    server: SmtpServer

    def handle(self) -> None:
        self.say("220 here")
        while line := self.rfile.readline().decode().strip():
            verb = line[:4].upper()
            if verb == "QUIT":
                return self.say("221 bye")
            if verb == "RCPT" and self.server.refusals:
                self.say(self.server.refusals.pop(0))
            elif verb == "DATA":
                self.say("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.mails.append(b"".join(lines))
                self.say("250 taken")
            else:
                self.say("250 fine")
        return None

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextlib.contextmanager
def smtp_server(*refusals: str) -> Iterator[SmtpServer]:
    with SmtpServer(list(refusals)) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()
