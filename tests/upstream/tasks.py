"""What stands for SpiffWorkflow's `Task`: a token of this engine, or what is left of one."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from SpiffWorkflow.bpmn.specs.event_definitions import (
    MessageEventDefinition,
    SignalEventDefinition,
)
from SpiffWorkflow.util.task import TaskState

from engine.bpmn.model import FOR_PEOPLE, Node
from engine.bpmn.running.activities import Activity
from engine.bpmn.running.events import WAITS
from engine.bpmn.running.listing import is_body
from engine.bpmn.running.workflow import Token
from tests.upstream.reading import NotOurs

if TYPE_CHECKING:
    from tests.upstream.playing import Playing


DEFINITIONS: Mapping[str, type] = {
    "message": MessageEventDefinition,
    "signal": SignalEventDefinition,
}


class TaskSpecStandIn:
    """The name of a task's node, and what else of a specification a test may ask for."""

    def __init__(self, node: Node | None, name: str, title: str = "", lane: str | None = None):
        self.node, self.name, self.bpmn_id = node, name, node.id if node is not None else name
        self.bpmn_name, self.lane = title or None, lane
        self.description = title or name
        self.manual = node is not None and node.kind in FOR_PEOPLE

    @property
    def event_definition(self) -> Any:
        """The message or signal the node waits for, in the library's words."""
        event = self.node.event if self.node is not None and len(self.node.events) == 1 else None
        made = DEFINITIONS.get(event.kind) if event is not None else None
        if made is None or event is None or not isinstance(event.name, str):
            raise NotOurs("task_spec.event_definition")
        return made(event.name)

    def __getattr__(self, name: str) -> Any:
        raise NotOurs(f"task_spec.{name}")


class TaskStandIn:
    """A task that has come, is open, or is over."""

    def __init__(
        self,
        workflow: Playing,
        spec: TaskSpecStandIn,
        token: Token | None,
        parent: TaskStandIn | None = None,
    ) -> None:
        self.workflow, self.task_spec, self.token, self.parent = workflow, spec, token, parent
        self.id = token.id if token is not None else spec.name
        self.failed = False
        self._over: int | None = None
        self._data: dict[str, Any] | None = None
        self._seen: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        raise NotOurs(f"task.{name}")

    @property
    def state(self) -> int:
        if self.failed:
            return TaskState.ERROR
        if self._over is not None:
            return self._over
        token = self.token
        assert token is not None
        if token.id not in self.workflow.kept.tasks:
            done = token.has_state(TaskState.COMPLETED)
            return TaskState.COMPLETED if done else TaskState.CANCELLED
        if self.workflow.is_due(token) or token.has_state(TaskState.READY):
            return TaskState.READY
        if token.node.kind in FOR_PEOPLE and token.waits() and not is_body(token):
            return TaskState.READY
        if token.internal_data.get(WAITS) or token.has_state(TaskState.WAITING):
            return TaskState.WAITING
        return TaskState.STARTED

    def has_state(self, mask: int) -> bool:
        return bool(self.state & mask)

    @property
    def data(self) -> dict[str, Any]:
        """A copy of what the task sees; what a test changes in it is written when the task runs."""
        if self._data is None:
            self._seen = self._view()
            self._data = deepcopy(self._seen)
        return self._data

    @data.setter
    def data(self, value: dict[str, Any]) -> None:
        self._seen = self._view()
        self._data = dict(value)

    def _view(self) -> dict[str, Any]:
        token = self.token
        if token is None or token.id not in self.workflow.kept.tasks:
            return {}
        spec = token.task_spec
        view = spec.view(token) if isinstance(spec, Activity) else token.scope.view()
        return deepcopy(dict(view))

    def set_data(self, **values: Any) -> None:
        self.data.update(values)

    def update_data(self, values: dict[str, Any]) -> None:
        self.data.update(values)

    def get_data(self, name: str, default: Any = None) -> Any:
        return self.data.get(name, default)

    def changed(self) -> dict[str, Any]:
        """What the test has set in the data."""
        return {
            name: value
            for name, value in self.data.items()
            if name not in self._seen or self._seen[name] != value
        }

    def end(self, data: dict[str, Any]) -> None:
        """The task has completed and leaves `data`."""
        self._data = deepcopy(data)

    def run(self) -> None:
        self.workflow.run_task(self)

    complete = run

    def row(self) -> list[Any]:
        """What is kept of a task that is over, as plain data."""
        spec = self.task_spec
        return [self.id, spec.bpmn_id, spec.name, int(self.state), self._data or {}]


class Gone(TaskStandIn):
    """A task that was over when the workflow was stored, or the very first one."""

    def __init__(
        self, workflow: Playing, spec: TaskSpecStandIn, id_: str, state: int, data: dict[str, Any]
    ) -> None:
        super().__init__(workflow, spec, None)
        self.id, self._over = id_, state
        self._data = self._seen = data


class Opening(Gone):
    """SpiffWorkflow's first task, or a start event with a trigger; running it begins the case."""

    def __init__(self, workflow: Playing, spec: TaskSpecStandIn, state: int) -> None:
        super().__init__(workflow, spec, spec.name, state, {})

    def close(self, state: int) -> None:
        self._over = state

    def run(self) -> None:
        self.workflow.begin()


class Ahead(Gone):
    """A task that may come: SpiffWorkflow predicts it, here nothing is known of it."""

    def __init__(self, workflow: Playing, spec: TaskSpecStandIn) -> None:
        super().__init__(workflow, spec, "", TaskState.FUTURE, {})

    def run(self) -> None:
        raise NotOurs("running a task that has not come")
