"""HTTP calls that reach only what the operator allows.

The host is looked up here, its addresses are checked, and the connection is made to the address
that was checked: whoever owns the name cannot change it in between. Each hop of a redirect passes
the same check. The whole call, headers trickling in included, ends by its deadline.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from ipaddress import ip_address
from urllib.parse import urljoin

import httpcore2

from engine.domain.connector import ConnectorFailed
from engine.domain.hosts import Address, AllowedHosts, Target, read_target

Headers = Sequence[tuple[str, str]]
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ELSEWHERE = frozenset({"accept", "user-agent"})
"""The headers that a redirect to another origin keeps."""
_UNANSWERED = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    ssl.SSLError,
    OSError,
)


@dataclass(frozen=True)
class Request:
    """One call. `seconds` are for all of it, redirects included; `most` bytes may be answered."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""
    seconds: float = 10.0
    most: int = 262_144
    redirects: int = 3
    ends_with: frozenset[int] = frozenset()
    """Redirect statuses that are wanted as they are."""


@dataclass(frozen=True)
class Answer:
    """`headers` by their names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def resolve(host: str, port: int) -> list[Address]:
    """The addresses of a host. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # Each once, in the resolver's order.
    return list(dict.fromkeys(ip_address(str(each[4][0]).partition("%")[0]) for each in found))


class HttpClient:
    """Calls hosts of the operator's list."""

    def __init__(
        self,
        hosts: AllowedHosts,
        resolver: Callable[[str, int], list[Address]] = resolve,
    ) -> None:
        self.hosts = hosts
        self._resolve = resolver

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    def send(self, request: Request) -> Answer:
        """The answer, whatever its status.

        Raises ConnectorFailed of the kinds ``host_refused``, ``unreachable``, ``timeout`` or
        ``too_large``.
        """
        deadline = time.monotonic() + request.seconds
        for hops in range(request.redirects + 1):
            answer = self._once(request, deadline)
            following = _following(request, answer)
            if following is None or hops == request.redirects:
                return answer
            request = following
        raise AssertionError("unreachable")

    def _once(self, request: Request, deadline: float) -> Answer:
        try:
            target = read_target(request.url)
        except ValueError as error:
            raise ConnectorFailed(f"no web address: {error}", kinds=["host_refused"]) from error
        backend = _Guarded(self._addresses(target, deadline), deadline)
        host = f"[{target.host}]" if ":" in target.host else target.host
        try:
            with (
                httpcore2.ConnectionPool(ssl_context=self._tls, network_backend=backend) as pool,
                pool.stream(
                    request.method,
                    f"{target.scheme}://{host}:{target.port}{target.path}",
                    headers=[("Host", _host_header(target)), *request.headers],
                    content=request.body,
                ) as response,
            ):
                body = _read(response.iter_stream(), request.most)
                headers = {
                    name.decode("latin-1").lower(): value.decode("latin-1")
                    for name, value in response.headers
                }
                return Answer(response.status, headers, body)
        except _UNANSWERED as error:
            raise _unanswered(error, backend, target) from error

    def _addresses(self, target: Target, deadline: float) -> list[Address]:
        entry = self.hosts.entry(target)
        where = f"{target.host}:{target.port}"
        if entry is None:
            raise ConnectorFailed(f"{where} is not an allowed host", kinds=["host_refused"])
        found = _in_time(lambda: self._resolve(target.host, target.port), deadline)
        if not found:
            raise ConnectorFailed(f"{target.host} is not found", kinds=["unreachable"], again=True)
        allowed = [address for address in found if entry.may_be_at(address)]
        if not allowed:
            raise ConnectorFailed(
                f"{where} is at an address that is not allowed", kinds=["host_refused"]
            )
        return allowed


def _host_header(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    usual = {"http": 80, "https": 443}[target.scheme]
    return host if target.port == usual else f"{host}:{target.port}"


def _in_time(look_up: Callable[[], list[Address]], deadline: float) -> list[Address]:
    """What the resolver finds; nothing, if it does not answer in time or there is no such name."""
    found: list[Address] = []

    def run() -> None:
        try:
            found.extend(look_up())
        except (OSError, UnicodeError):
            found.clear()

    # The resolver of the machine cannot be interrupted, only left behind.
    thread = threading.Thread(target=run, name="banshi-resolver", daemon=True)
    thread.start()
    thread.join(max(0.0, deadline - time.monotonic()))
    return [] if thread.is_alive() else found


def _read(pieces: Iterable[bytes], most: int) -> bytes:
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > most:
            raise ConnectorFailed(
                f"the answer is larger than {most} bytes", kinds=["too_large"], done=True
            )
    return bytes(body)


def _unanswered(error: Exception, backend: _Guarded, target: Target) -> ConnectorFailed:
    where = f"{target.host}:{target.port}"
    late = isinstance(error, httpcore2.TimeoutException) or time.monotonic() >= backend.deadline
    text = f"{where} did not answer in time" if late else f"{where}: {error}"
    kinds = ["timeout" if late else "unreachable"]
    return ConnectorFailed(text[:500], kinds=kinds, again=True, done=backend.connected)


def _following(request: Request, answer: Answer) -> Request | None:
    """The request that a redirect asks for, or None if it is not to be followed."""
    location = answer.headers.get("location")
    if answer.status not in REDIRECTS or answer.status in request.ends_with or not location:
        return None
    try:
        here, there = read_target(request.url), read_target(urljoin(request.url, location))
    except ValueError:
        return None
    if here.scheme == "https" and there.scheme == "http":
        return None
    keeps = answer.status in (307, 308) or request.method in ("GET", "HEAD")
    headers = request.headers
    if here.origin != there.origin:
        if keeps and request.body:
            return None
        headers = [(n, v) for n, v in headers if n.lower() in _ELSEWHERE]
    following = replace(request, url=urljoin(request.url, location), headers=headers)
    if keeps:
        return following
    about_body = ("content-type", "x-banshi-signature")
    headers = [(n, v) for n, v in headers if n.lower() not in about_body]
    return replace(following, method="GET", body=b"", headers=headers)


class _Guarded(httpcore2.NetworkBackend):
    """Connects to the addresses that were checked, whatever host it is asked for."""

    def __init__(self, addresses: Sequence[Address], deadline: float) -> None:
        self._addresses = addresses
        self.deadline = deadline
        self.connected = False
        """Whether anything may have been sent."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        last: Exception = httpcore2.ConnectError("no address")
        for address in self._addresses:
            try:
                made = httpcore2.SyncBackend().connect_tcp(
                    str(address), port, _left(self.deadline, httpcore2.ConnectTimeout)
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                last = error
                continue
            return _Timed(made, self)
        raise last


class _Timed(httpcore2.NetworkStream):
    """A stream whose every wait ends at the deadline of the call."""

    def __init__(self, stream: httpcore2.NetworkStream, backend: _Guarded) -> None:
        self._stream, self._backend = stream, backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = _left(self._backend.deadline, httpcore2.ReadTimeout)
        return self._stream.read(max_bytes, left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._backend.connected = True
        self._stream.write(buffer, _left(self._backend.deadline, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        left = _left(self._backend.deadline, httpcore2.ConnectTimeout)
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, left), self._backend)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def _left(deadline: float, late: type[Exception]) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise late("the call takes too long")
    return left
