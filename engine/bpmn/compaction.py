"""Forgets what is over, so that a case can go round a loop for ever at a flat cost.

Kept are the tasks that are not finished, and of their ancestors only those that still matter: the
first of all, the parent of each, where open paths part, and where a boundary event was attached
to something still open.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from SpiffWorkflow.bpmn.specs.control import BoundaryEventJoin, BoundaryEventSplit
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState


def compact(workflow: Any) -> None:
    """Forget the finished tasks of a process and of its subprocesses that no longer matter."""
    for scope in (workflow, *workflow.subprocesses.values()):
        _compact_scope(scope)
    for host in list(workflow.subprocesses):
        if not _is_open(workflow, host):
            del workflow.subprocesses[host]


def _is_open(workflow: Any, host: UUID) -> bool:
    for scope in (workflow, *workflow.subprocesses.values()):
        task = scope.tasks.get(host)
        if task is not None:
            return bool(task.has_state(TaskState.NOT_FINISHED_MASK))
    return False


def _compact_scope(scope: Any) -> None:
    live = [task for task in scope.tasks.values() if task.has_state(TaskState.NOT_FINISHED_MASK)]
    needed = _needed(scope, live)
    leads = _leading_to(needed, scope)
    for task in list(scope.tasks.values()):
        if task.id not in leads:
            _forget(scope, task)
    for task in list(scope.tasks.values()):
        if task.id not in needed and len(task._children) == 1:
            _contract(scope, task)


def _needed(scope: Any, live: list[Task]) -> set[UUID]:
    needed = {scope.task_tree.id, *(task.id for task in live)}
    if scope.last_task is not None and scope.last_task.id in scope.tasks and not live:
        needed.add(scope.last_task.id)
    splits = {}
    for task in live:
        if task.parent is not None:
            needed.add(task.parent.id)
            if isinstance(task.parent.task_spec, BoundaryEventSplit):
                splits[task.parent.id] = task.parent
        if isinstance(task.task_spec, BoundaryEventJoin):
            split = _ancestor(task, task.task_spec.split_task)
            if split is not None:
                splits[split.id] = split
    for split in splits.values():
        needed |= {split.id, *split._children}
    return needed


def _ancestor(task: Task, spec_name: str) -> Task | None:
    above = task.parent
    while above is not None and above.task_spec.name != spec_name:
        above = above.parent
    return above


def _leading_to(needed: set[UUID], scope: Any) -> set[UUID]:
    leads: set[UUID] = set()
    for id_ in needed:
        task = scope.tasks.get(id_)
        while task is not None and task.id not in leads:
            leads.add(task.id)
            task = task.parent
    return leads


def _forget(scope: Any, task: Task) -> None:
    above = task.parent
    if above is not None:
        above._children.remove(task.id)
    del scope.tasks[task.id]


def _contract(scope: Any, task: Task) -> None:
    above, below = task.parent, task.children[0]
    above._children[above._children.index(task.id)] = below.id
    below._parent = above.id
    del scope.tasks[task.id]
