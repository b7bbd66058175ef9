"""The stored form of a running process: only tasks and data, never the specification.

``BSP1`` + CRC-32 (4 bytes, big-endian) + zstd(msgpack). A task's data is kept as its difference
from its parent's. Data is plain msgpack, so that no key in it can name a class.
"""

from __future__ import annotations

import threading
import zlib
from typing import Any
from uuid import UUID

import msgpack
import zstandard
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.bpmn.specs.mixins.subworkflow_task import SubWorkflowTask
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.bpmn.specs import FIRED, VALUE
from engine.bpmn.workflow import CaseSubWorkflow
from engine.kernel.errors import StateUnreadable

MAGIC = b"BSP1"
MAX_BYTES = 32_000_000
_MISSING = object()
_local = threading.local()


def encode(workflow: BpmnWorkflow) -> bytes:
    """The state of `workflow`. Raises TypeError for data that is not plain."""
    body = {
        "main": _encode_one(workflow),
        "subs": [
            [task_id.bytes, subprocess.spec.name, _encode_one(subprocess)]
            for task_id, subprocess in workflow.subprocesses.items()
        ],
    }
    packed = _compressor().compress(msgpack.packb(body))
    return MAGIC + zlib.crc32(packed).to_bytes(4, "big") + packed


def decode(state: bytes, workflow: BpmnWorkflow) -> None:
    """Fill the empty `workflow` with `state`. Raises StateUnreadable."""
    if state[:4] != MAGIC or zlib.crc32(state[8:]) != int.from_bytes(state[4:8], "big"):
        raise StateUnreadable
    try:
        packed = zstandard.ZstdDecompressor().decompress(state[8:], max_output_size=MAX_BYTES)
        body = msgpack.unpackb(packed, strict_map_key=False)
        _decode_one(workflow, body["main"])
        subs = {UUID(bytes=row[0]): row for row in body["subs"]}
        _attach(workflow, workflow, subs)
    except (zstandard.ZstdError, ValueError, KeyError, TypeError, IndexError) as error:
        raise StateUnreadable from error


def _compressor() -> zstandard.ZstdCompressor:
    if not hasattr(_local, "compressor"):
        _local.compressor = zstandard.ZstdCompressor(level=1)
    made: zstandard.ZstdCompressor = _local.compressor
    return made


def _encode_one(workflow: Any) -> dict[str, Any]:
    return {
        "tasks": [_encode_task(task) for task in workflow.tasks.values()],
        "root": workflow.task_tree.id.bytes,
        "last": workflow.last_task.id.bytes if workflow.last_task is not None else None,
        "success": workflow.success,
        "completed": workflow.completed,
    }


def _encode_task(task: Task) -> list[Any]:
    parent = task.parent
    before = parent.data if parent is not None else {}
    predicted = task.has_state(TaskState.PREDICTED_MASK | TaskState.FUTURE)
    changed = (
        {}
        if predicted
        else {
            key: value for key, value in task.data.items() if before.get(key, _MISSING) != value
        }
    )
    gone = [] if predicted else [key for key in before if key not in task.data]
    internal = {key: task.internal_data[key] for key in _KEPT if key in task.internal_data}
    return [
        task.id.bytes,
        task._parent.bytes if parent is not None else None,
        [child.bytes for child in task._children],
        task.last_state_change,
        task.state,
        task.task_spec.name,
        task.triggered,
        internal,
        changed,
        gone,
        predicted,
    ]


_KEPT = (VALUE, FIRED, "choice", "has_fired", "outstanding", "split_task")


def _decode_one(workflow: Any, body: dict[str, Any]) -> None:
    for row in body["tasks"]:
        id_, parent, children, changed_at, state, name, triggered, internal = row[:8]
        spec = workflow.spec.task_specs[name]
        task = Task(workflow, spec, state=state, id=UUID(bytes=id_))
        task._parent = UUID(bytes=parent) if parent is not None else None
        task._children = [UUID(bytes=child) for child in children]
        task.last_state_change = changed_at
        task.triggered = triggered
        task.internal_data = internal
        workflow.tasks[task.id] = task
        changed, gone, predicted = row[8:]
        if predicted:
            task.data = {}
        else:
            before = task.parent.data if task._parent is not None else {}
            task.data = {key: value for key, value in before.items() if key not in gone} | changed
        if isinstance(spec, CatchingEvent) and task.has_state(TaskState.WAITING):
            workflow.top_workflow.event_manager.add_task(task)
    workflow.task_tree = workflow.tasks[UUID(bytes=body["root"])]
    workflow.success, workflow.completed = body["success"], body["completed"]
    if body["last"] is not None:
        workflow.last_task = workflow.tasks.get(UUID(bytes=body["last"]))


def _attach(top: Any, workflow: Any, subs: dict[UUID, list[Any]]) -> None:
    for task in list(workflow.tasks.values()):
        row = subs.pop(task.id, None)
        if row is None or not isinstance(task.task_spec, SubWorkflowTask):
            continue
        sub = CaseSubWorkflow(top.subprocess_specs[row[1]], task.id, top, deserializing=True)
        _decode_one(sub, row[2])
        top.subprocesses[task.id] = sub
        sub.completed_event.connect(task.task_spec._on_subworkflow_completed, task)
        _attach(top, sub, subs)
