"""The stored form of a running process: only tasks and data, never the specification.

Layout: ``BNS`` and the format's version (1 byte), CRC-32 of the rest (4 bytes, big-endian), then
zstd(msgpack). A task's data is kept as its difference from its parent's. Data is plain msgpack, so
that no key in it can name a class.
"""

from __future__ import annotations

import threading
import zlib
from typing import Any
from uuid import UUID

import msgpack
import zstandard
from SpiffWorkflow.bpmn.specs.mixins.subworkflow_task import SubWorkflowTask
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.bpmn.events import FIRED, VALUE
from engine.bpmn.joins import ARRIVED
from engine.bpmn.workflow import CaseSubWorkflow, CaseWorkflow
from engine.kernel.errors import StateUnreadable

MAGIC, VERSION = b"BNS", 1
MAX_BYTES = 8_000_000
_KEPT = (VALUE, FIRED, ARRIVED)
_UNKNOWN = TaskState.PREDICTED_MASK | TaskState.FUTURE
_local = threading.local()


class StateTooLarge(ValueError):
    """The data of the case has outgrown what is stored."""


def encode(workflow: CaseWorkflow) -> bytes:
    """The state of `workflow`. Raises StateTooLarge, or TypeError for data that is not plain."""
    body = {
        "ticks": workflow.ticks,
        "main": _encode_scope(workflow),
        "subs": [
            [host.bytes, scope.spec.name, _encode_scope(scope)]
            for host, scope in workflow.subprocesses.items()
        ],
    }
    raw = msgpack.packb(body)
    if len(raw) > MAX_BYTES:
        raise StateTooLarge(f"{len(raw)} bytes")
    packed = _codec()[0].compress(raw)
    return MAGIC + bytes([VERSION]) + zlib.crc32(packed).to_bytes(4, "big") + packed


def decode(state: bytes, workflow: CaseWorkflow) -> None:
    """Fill the empty `workflow` with `state`. Raises StateUnreadable."""
    if len(state) < 9 or state[:4] != MAGIC + bytes([VERSION]):
        raise StateUnreadable
    if zlib.crc32(state[8:]) != int.from_bytes(state[4:8], "big"):
        raise StateUnreadable
    try:
        raw = _codec()[1].decompress(state[8:], max_output_size=MAX_BYTES)
        body = msgpack.unpackb(raw)
        workflow.ticks = body["ticks"]
        _decode_scope(workflow, body["main"])
        for host, spec, scope in body["subs"]:
            _attach(workflow, UUID(bytes=host), spec, scope)
    except (zstandard.ZstdError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise StateUnreadable from error


def _codec() -> tuple[zstandard.ZstdCompressor, zstandard.ZstdDecompressor]:
    if not hasattr(_local, "codec"):
        _local.codec = zstandard.ZstdCompressor(level=1), zstandard.ZstdDecompressor()
    made: tuple[zstandard.ZstdCompressor, zstandard.ZstdDecompressor] = _local.codec
    return made


def _encode_scope(scope: Any) -> dict[str, Any]:
    tasks = list(scope.tasks.values())
    places = {task.id: place for place, task in enumerate(tasks)}
    last = scope.last_task
    return {
        "tasks": [_encode_task(task, places) for task in tasks],
        "last": places.get(last.id, -1) if last is not None else -1,
        "success": scope.success,
        "completed": scope.completed,
    }


def _encode_task(task: Task, places: dict[UUID, int]) -> list[Any]:
    parent = task.parent
    before = parent.data if parent is not None else {}
    data = before if task.has_state(_UNKNOWN) else task.data
    changed = {
        key: value for key, value in data.items() if key not in before or before[key] != value
    }
    return [
        task.id.bytes,
        places[parent.id] if parent is not None else -1,
        task.state,
        task.task_spec.name,
        {key: task.internal_data[key] for key in _KEPT if key in task.internal_data},
        changed,
        [key for key in before if key not in data],
    ]


def _decode_scope(scope: Any, body: dict[str, Any]) -> None:
    tasks: list[Task] = []
    for id_, parent, state, name, internal, changed, gone in body["tasks"]:
        task = Task(scope, scope.spec.task_specs[name], state=state, id=UUID(bytes=id_))
        before: dict[str, Any] = {}
        if parent >= 0:
            task._parent = tasks[parent].id
            tasks[parent]._children.append(task.id)
            before = tasks[parent].data
        task.internal_data = internal
        if not task.has_state(_UNKNOWN):
            task.data = {k: v for k, v in before.items() if k not in gone} | changed
        tasks.append(task)
    scope.task_tree = tasks[0]
    scope.success, scope.completed = body["success"], body["completed"]
    if body["last"] >= 0:
        scope.last_task = tasks[body["last"]]


def _attach(workflow: CaseWorkflow, host_id: UUID, spec: str, body: dict[str, Any]) -> None:
    host = next(
        scope.tasks[host_id]
        for scope in (workflow, *workflow.subprocesses.values())
        if host_id in scope.tasks
    )
    if not isinstance(host.task_spec, SubWorkflowTask) or host.task_spec.spec != spec:
        raise ValueError(spec)
    scope = CaseSubWorkflow(workflow.subprocess_specs[spec], host.id, workflow, deserializing=True)
    _decode_scope(scope, body)
    workflow.subprocesses[host.id] = scope
    scope.completed_event.connect(host.task_spec._on_subworkflow_completed, host)
