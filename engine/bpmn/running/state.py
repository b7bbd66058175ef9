"""The stored form of a running process: its tokens, scopes and variables, never the specification.

Layout: ``BNS`` and the format's version (1 byte), CRC-32 of the rest (4 bytes, big-endian), then
zstd(msgpack). Data is plain msgpack, so that no key in it can name a class.
"""

from __future__ import annotations

import threading
import zlib
from typing import Any

import msgpack
import zstandard

from engine.bpmn.running.workflow import CaseWorkflow, ScopeRun, Token
from engine.kernel.errors import StateUnreadable

MAGIC, VERSION = b"BNS", 2
MAX_BYTES = 8_000_000
_VARIABLES = 6
"""Where a scope's row has its variables."""
_local = threading.local()


class StateTooLarge(ValueError):
    """The data of the case has outgrown what is stored."""


def encode(workflow: CaseWorkflow) -> bytes:
    """The state of `workflow`. Raises StateTooLarge, or TypeError for data that is not plain."""
    body = {
        "root": workflow.root.id if workflow.root is not None else 0,
        "next": workflow.next_scope,
        "completed": workflow.completed,
        "scopes": [_scope(scope) for scope in _all_scopes(workflow)],
        "tokens": [_token(token) for token in workflow.tasks.values()],
    }
    raw = msgpack.packb(body)
    if len(raw) > MAX_BYTES:
        raise StateTooLarge(f"{len(raw)} bytes")
    packed = _codec()[0].compress(raw)
    return MAGIC + bytes([VERSION]) + zlib.crc32(packed).to_bytes(4, "big") + packed


def read_body(state: bytes) -> dict[str, Any]:
    """The plain contents of a state. Raises StateUnreadable."""
    if len(state) < 9 or state[:4] != MAGIC + bytes([VERSION]):
        raise StateUnreadable
    if zlib.crc32(state[8:]) != int.from_bytes(state[4:8], "big"):
        raise StateUnreadable
    try:
        raw = _codec()[1].decompress(state[8:], max_output_size=MAX_BYTES)
        body: dict[str, Any] = msgpack.unpackb(raw)
    except (zstandard.ZstdError, ValueError, TypeError) as error:
        raise StateUnreadable from error
    return body


def process_data(state: bytes) -> dict[str, Any]:
    """The variables of the process in a state. Raises StateUnreadable."""
    body = read_body(state)
    try:
        data: dict[str, Any] = next(
            row[_VARIABLES] for row in body["scopes"] if row[0] == body["root"]
        )
    except (StopIteration, LookupError, TypeError) as error:
        raise StateUnreadable from error
    return data


def decode(state: bytes, workflow: CaseWorkflow) -> None:
    """Fill the empty `workflow` with `state`. Raises StateUnreadable."""
    fill(read_body(state), workflow)


def fill(body: dict[str, Any], workflow: CaseWorkflow) -> None:
    """Fill the empty `workflow` with the contents of a state. Raises StateUnreadable."""
    try:
        workflow.next_scope = body["next"]
        workflow.completed = body["completed"]
        for row in body["scopes"]:
            _read_scope(workflow, row)
        for row in body["tokens"]:
            _read_token(workflow, row)
        for row in body["tokens"]:
            _attach(workflow, row)
        for row in body["scopes"]:
            _host(workflow, row)
        workflow.root = workflow.scopes[body["root"]]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise StateUnreadable from error


def _codec() -> tuple[zstandard.ZstdCompressor, zstandard.ZstdDecompressor]:
    if not hasattr(_local, "codec"):
        _local.codec = zstandard.ZstdCompressor(level=1), zstandard.ZstdDecompressor()
    made: tuple[zstandard.ZstdCompressor, zstandard.ZstdDecompressor] = _local.codec
    return made


def _all_scopes(workflow: CaseWorkflow) -> list[ScopeRun]:
    return sorted(workflow.scopes.values(), key=lambda scope: scope.id)


def _scope(scope: ScopeRun) -> list[Any]:
    return [
        scope.id,
        scope.kind,
        scope.process,
        scope.model.id,
        scope.parent.id if scope.parent is not None else 0,
        bytes.fromhex(scope.host.id) if scope.host is not None else b"",
        scope.variables,
        scope.done,
    ]


def _read_scope(workflow: CaseWorkflow, row: list[Any]) -> None:
    id_, kind, process, model, parent, _, variables, done = row
    made = ScopeRun(
        id_,
        kind,
        workflow.processes[process].scopes[model],
        process,
        workflow.scopes[parent] if parent else None,
        None,
        variables,
    )
    made.done = done
    workflow.scopes[id_] = made
    if made.parent is not None:
        made.parent.inside[id_] = made


def _host(workflow: CaseWorkflow, row: list[Any]) -> None:
    if row[5]:
        scope = workflow.scopes[row[0]]
        scope.host = workflow.tasks[row[5].hex()]
        scope.host.inner.append(scope)


def _token(token: Token) -> list[Any]:
    return [
        bytes.fromhex(token.id),
        token.scope.id,
        token.node.id,
        token.state,
        token.internal_data,
        bytes.fromhex(token.host.id) if token.host is not None else b"",
    ]


def _read_token(workflow: CaseWorkflow, row: list[Any]) -> None:
    id_, scope_id, node, state, internal, _ = row
    scope = workflow.scopes[scope_id]
    spec = workflow.spec.task_specs[f"{scope.process}/{node}"]
    token = Token(workflow, spec, scope, state=state, id=id_.hex())
    token.internal_data = internal
    scope.tokens[token.id] = token


def _attach(workflow: CaseWorkflow, row: list[Any]) -> None:
    if row[5]:
        token = workflow.tasks[row[0].hex()]
        token.host = workflow.tasks[row[5].hex()]
        token.host.boundaries.append(token)
