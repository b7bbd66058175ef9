"""Where paths meet: the gateways that wait for several of them, and the end of a scope.

SpiffWorkflow's joins mistake a path of an earlier round of a loop for one of this round, and let
what a branch merely remembers overwrite what another changed. These count tokens as BPMN does: a
token waits at the flow it came by, and is consumed when the gateway fires.
"""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.bpmn.specs.bpmn_task_spec import BpmnTaskSpec
from SpiffWorkflow.bpmn.specs.control import BoundaryEventJoin
from SpiffWorkflow.bpmn.specs.defaults import InclusiveGateway, ParallelGateway
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.bpmn.plain import merge_changes
from engine.kernel.errors import ExecutionFailed

ARRIVED = "arrived"
ACTIVE = TaskState.WAITING | TaskState.READY | TaskState.STARTED


def tokens(workflow: Any) -> list[Task]:
    """Where the scope stands: the tasks that are reached and not finished."""
    return [
        task
        for task in workflow.tasks.values()
        if task.has_state(ACTIVE)
        or (
            # Just left by its predecessor, not yet told so.
            task.has_state(TaskState.FUTURE)
            and task.parent is not None
            and task.parent.has_state(TaskState.COMPLETED)
        )
    ]


def common_ancestor(tasks: list[Task]) -> Task | None:
    """The task from which the paths of all `tasks` parted."""
    shared: dict[Any, Task] | None = None
    for task in tasks:
        line: dict[Any, Task] = {}
        above = task.parent
        while above is not None:
            line[above.id] = above
            above = above.parent
        shared = line if shared is None else {k: v for k, v in shared.items() if k in line}
    return next(iter(shared.values()), None) if shared else None


def merged(tasks: list[Task], data: list[dict[str, Any]]) -> dict[str, Any]:
    """The data of several paths brought together: all that any of them changed, later ones last."""
    parted = common_ancestor(tasks)
    base: dict[str, Any] = parted.data if parted is not None else {}
    result = dict(base)
    for each in data:
        merge_changes(base, result, each)
    return result


class _Join:
    """Waits for tokens; `_consumed` says with which others this one goes on, or None to wait."""

    def _update_hook(self, my_task: Task) -> bool:
        self._arrive(my_task)
        others = self._consumed(my_task)
        if others is None:
            if not my_task.has_state(TaskState.WAITING):
                my_task._set_state(TaskState.WAITING)
            return False
        self._absorb(my_task, others)
        return True

    def _arrive(self, my_task: Task) -> None:
        if ARRIVED not in my_task.internal_data:
            my_task.internal_data[ARRIVED] = my_task.workflow.top_workflow.tick()
            my_task.data = dict(my_task.parent.data)

    def _absorb(self, my_task: Task, others: list[Task]) -> None:
        if others:
            together = sorted([my_task, *others], key=_arrival)
            my_task.data = merged(together, [task.data for task in together])
            for task in others:
                my_task.workflow._remove_task(task.id)

    def _consumed(self, my_task: Task) -> list[Task] | None:
        raise NotImplementedError

    def _waiting(self, my_task: Task) -> list[Task]:
        """The tokens that have arrived here, this one too, in order of arrival."""
        return sorted(
            (
                task
                for task in my_task.workflow.tasks.values()
                if task.task_spec is self
                and ARRIVED in task.internal_data
                and (task is my_task or task.has_state(TaskState.WAITING))
            ),
            key=_arrival,
        )

    def _first_of_each_flow(self, my_task: Task) -> dict[str, Task]:
        first: dict[str, Task] = {}
        for task in self._waiting(my_task):
            first.setdefault(task.parent.task_spec.name, task)
        return first


def _arrival(task: Task) -> int:
    return int(task.internal_data[ARRIVED])


class ParallelJoin(_Join, ParallelGateway):  # type: ignore[misc]
    """Fires when a token waits at every incoming flow; forks to all outgoing flows."""

    def _consumed(self, my_task: Task) -> list[Task] | None:
        first = self._first_of_each_flow(my_task)
        if len(first) < len(set(self._inputs)) or my_task not in first.values():
            return None
        return [task for task in first.values() if task is not my_task]

    def _run_hook(self, my_task: Task) -> bool:
        return True


class InclusiveJoin(_Join, InclusiveGateway):  # type: ignore[misc]
    """Fires when no other token can still arrive; forks to every flow whose condition holds."""

    def _consumed(self, my_task: Task) -> list[Task] | None:
        first = self._first_of_each_flow(my_task)
        if my_task not in first.values():
            return None
        empty = set(self._inputs) - set(first)
        if empty and any(self._may_arrive(task, empty, first) for task in tokens(my_task.workflow)):
            return None
        return [task for task in first.values() if task is not my_task]

    def _may_arrive(self, token: Task, empty: set[str], full: dict[str, Task]) -> bool:
        if token.task_spec is self:
            return False
        seen, ahead = {token.task_spec.name}, [token.task_spec]
        while ahead:
            for spec in ahead.pop().outputs:
                if spec is not self and spec.name not in seen:
                    seen.add(spec.name)
                    ahead.append(spec)
        return bool(seen & empty) and not seen & set(full)

    def _run_hook(self, my_task: Task) -> bool:
        chosen, otherwise = self._get_matching_outputs(my_task)
        if not chosen and not otherwise:
            raise ExecutionFailed(element=self.bpmn_id, reason="no_condition_met")
        go_on(my_task, chosen or otherwise)
        return True


def go_on(my_task: Task, specs: list[Any]) -> None:
    my_task._sync_children(specs, TaskState.FUTURE)
    for child in my_task.children:
        child.task_spec._predict(child, mask=TaskState.FUTURE | TaskState.PREDICTED_MASK)


class ScopeEnd(_Join, BpmnTaskSpec):  # type: ignore[misc]
    """The end of a process or subprocess: fires when nothing else is left in it."""

    def _consumed(self, my_task: Task) -> list[Task] | None:
        # All that have ended wait as one, so that reminders sent in a loop do not pile up.
        self._absorb(my_task, [task for task in self._waiting(my_task) if task is not my_task])
        for task in my_task.workflow.tasks.values():
            if task.has_state(TaskState.NOT_FINISHED_MASK) and not (
                task.task_spec is self or task.task_spec.name == "End"
            ):
                return None
        return []


def scope_data(workflow: Any) -> dict[str, Any]:
    """What a scope knows now: of all its open paths together, or of its last task at the end."""
    here = [task for task in tokens(workflow) if not isinstance(task.task_spec, BoundaryEventJoin)]
    if workflow.completed or not here:
        last = workflow.last_task or workflow.task_tree
        return dict(last.data)
    return merged(here, [_token_data(task) for task in here])


def _token_data(task: Task) -> dict[str, Any]:
    inner = task.workflow.top_workflow.subprocesses.get(task.id)
    if inner is not None:
        return scope_data(inner)
    if task.has_state(TaskState.FUTURE):
        return dict(task.parent.data)
    return dict(task.data)
