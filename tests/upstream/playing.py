"""What stands for SpiffWorkflow's `BpmnWorkflow`: a case of this engine, kept in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from SpiffWorkflow.bpmn.exceptions import WorkflowTaskException
from SpiffWorkflow.util.task import TaskState

from engine.bpmn import model
from engine.bpmn.running import state
from engine.bpmn.running.blame import BlamingWorkflow, blame
from engine.bpmn.running.events import FIRED, WAITS
from engine.bpmn.running.listing import index_of, keys_of
from engine.bpmn.running.process import _Run
from engine.bpmn.running.subprocesses import begin_scope
from engine.bpmn.running.workflow import Token
from engine.domain.schedule import timer_instant
from engine.kernel.errors import ExecutionFailed
from tests.upstream.reading import NotOurs, Spec
from tests.upstream.tasks import (
    DEFINITIONS,
    Ahead,
    Gone,
    Opening,
    TaskSpecStandIn,
    TaskStandIn,
)

LISTENING = frozenset({"intermediateCatchEvent", "receiveTask"})


class Playing:
    """A case, and all its tasks from the first, in the order in which they came."""

    def __init__(
        self, spec: Spec, subprocess_specs: Any = None, script_engine: Any = None, **_: Any
    ) -> None:
        if not isinstance(spec, Spec):
            raise NotOurs("a specification made by hand")
        self.spec, self.script_engine = spec, script_engine
        self.parent = self.top_workflow = self
        self.tasks: list[TaskStandIn] = []
        self._by_token: dict[str, TaskStandIn] = {}
        self._initial: dict[str, Any] = {}
        self._pending: dict[str, tuple[int, dict[str, Any]]] = {}
        self._since: dict[str, datetime] = {}
        self._running: TaskStandIn | None = None
        self._said = 0
        self.kept = self._workflow()
        root = spec.process.model.root
        triggered = () if root.starts else root.triggered
        self.openings = [
            Opening(self, self.spec_of(root.nodes[each]), TaskState.WAITING) for each in triggered
        ] or [Opening(self, TaskSpecStandIn(None, "Start"), TaskState.READY)]
        self.tasks += self.openings

    def __getattr__(self, name: str) -> Any:
        raise NotOurs(f"workflow.{name}")

    def _workflow(self) -> _Remembering:
        run = _Run(self.spec.process)
        plain = run.workflow()
        return _Remembering(
            self, plain.spec, plain.processes, plain.decisions, plain.act, plain.budget
        )

    def spec_of(self, node: model.Node, is_round: bool = False) -> TaskSpecStandIn:
        element = self.spec.process.elements.get(node.id)
        name = f"{node.id} [child]" if is_round else node.id
        title, lane = (element.name, element.lane) if element is not None else ("", None)
        return TaskSpecStandIn(node, name, title, lane)

    def came(self, token: Token) -> None:
        is_round = "round" in token.internal_data
        made = TaskStandIn(self, self.spec_of(token.node, is_round), token, self._running)
        self.tasks.append(made)
        self._by_token[token.id] = made

    def ended(self, token: Token) -> None:
        if token.id in self._by_token:
            self._by_token[token.id].end(dict(token.scope.view()))

    # Going on

    def begin(self, at: str | None = None) -> None:
        if self.kept.root is not None:
            return
        opening = next((each for each in self.openings if each.task_spec.name == at), None)
        first = opening or self.openings[0]
        for each in self.openings:
            each.close(TaskState.COMPLETED if each is first else TaskState.CANCELLED)
        kept, process = self.kept, self.spec.process
        with self._during(first):
            kept.root = kept.open_scope("process", process.model.root, process.id, None)
            kept.write_plain(kept.root, {**self._initial, **first.data})
            begin_scope(kept, kept.root, at)

    def do_engine_steps(self, *_: Any, **__: Any) -> None:
        if self.kept.root is None and not self.openings[0].has_state(TaskState.READY):
            return
        self.begin()
        with self._during(None):
            for id_, (index, data) in list(self._pending.items()):
                self._pending.pop(id_)
                token = self.kept.find(id_)
                if token is not None:
                    self._running = self._by_token[id_]
                    token.task_spec.fire(token, index, data)
            self.kept.run_on()

    def refresh_waiting_tasks(self, *_: Any, **__: Any) -> None:
        now = datetime.now(UTC)
        for token in list(self.kept.tasks.values()):
            for key in keys_of(token):
                index = index_of(key) or 0
                wait = token.internal_data[WAITS][index]
                if wait[0] == "timer" and token.id not in self._pending:
                    with self._during(self._by_token[token.id]):
                        due = timer_instant(wait[1], self._since[key], token.node.id)
                    if due <= now:
                        self._pending[token.id] = (index, {})

    refresh_timers = refresh_waiting_tasks

    def run_task(self, task: TaskStandIn) -> None:
        token = task.token
        if token is None or token.id not in self.kept.tasks:
            raise NotOurs("running a task that is over")
        with self._during(task):
            if token.id in self._pending:
                token.task_spec.fire(token, *self._pending.pop(token.id))
                return
            changed = task.changed()
            if token.has_state(TaskState.READY):
                # A person's task that has come only now begins to wait.
                self.kept.write_plain(token.scope, changed)
                self.kept.run_token(token)
            else:
                self.kept.write_plain(token.task_spec.variables(token), changed)
            if task.task_spec.manual and token.id in self.kept.tasks and token.waits():
                token.complete()

    def catch(self, event: Any, *_: Any) -> None:
        definition = event.event_definition
        kind = _kind_of(definition)
        payload = dict(event.payload) if isinstance(event.payload, Mapping) else {}
        if self.kept.root is None:
            self._catch_first(kind, definition.name)
        for token in list(self.kept.tasks.values()):
            for index, wait in enumerate(token.internal_data.get(WAITS, ())):
                if wait[:2] == [kind, definition.name] and token.waits():
                    self._caught(token, index, payload)

    send_event = catch

    def _catch_first(self, kind: str, name: str) -> None:
        nodes = self.spec.process.model.root.nodes
        for opening in self.openings:
            node = nodes.get(opening.task_spec.name)
            if node is not None and any(e.kind == kind and e.name == name for e in node.events):
                if node.parallel_multiple:
                    raise NotOurs("a start event that waits for several messages")
                self.begin(node.id)
                return

    def _caught(self, token: Token, index: int, payload: dict[str, Any]) -> None:
        got = set(token.internal_data.get(FIRED, [])) | {index}
        if token.node.parallel_multiple and len(got) < len(token.node.events):
            token.task_spec.fire(token, index, payload)
        else:
            self._pending[token.id] = (index, payload)

    @contextmanager
    def _during(self, task: TaskStandIn | None) -> Iterator[None]:
        """While `task` runs: what comes is from it; what fails is told as SpiffWorkflow does."""
        self._running = task
        self.kept._until, self.kept._made = monotonic() + self.kept.budget.seconds, 0
        try:
            with blame(task.task_spec.bpmn_id if task is not None else None):
                yield
        except ExecutionFailed as failed:
            at = self._at(failed.params.get("element")) or task or self.tasks[0]
            at.failed = True
            raise WorkflowTaskException(str(failed.params), task=at) from failed
        finally:
            self._running = None
        self._let_listen()
        for token in self.kept.tasks.values():
            for key in keys_of(token):
                self._since.setdefault(key, datetime.now(UTC))

    def _let_listen(self) -> None:
        """There an event waits from when a token comes to it, here from the next step on."""
        for token in list(self.kept.tasks.values()):
            if token.has_state(TaskState.READY) and token.node.kind in LISTENING:
                self.kept.run_token(token)

    def _at(self, element: Any) -> TaskStandIn | None:
        found = [each for each in self.tasks if each.task_spec.bpmn_id == element]
        return found[-1] if found else None

    def is_due(self, token: Token) -> bool:
        """Whether what the token waits for has come, and the next step takes it."""
        if token.id in self._pending:
            return True
        if ["conditional"] not in token.internal_data.get(WAITS, ()):
            return False
        view = token.scope.view()
        return any(e.value is not None and e.value.holds(view) for e in token.node.events)

    # Looking

    @property
    def data(self) -> dict[str, Any]:
        return self._initial if self.kept.root is None else self.kept.root.variables

    def get_data(self, name: str, default: Any = None) -> Any:
        return self.data.get(name, default)

    def set_data(self, **values: Any) -> None:
        self.data.update(values)

    @property
    def completed(self) -> bool:
        return bool(self.kept.completed)

    def is_completed(self) -> bool:
        return self.completed

    @property
    def task_tree(self) -> TaskStandIn:
        return self.openings[0]

    @property
    def last_task(self) -> TaskStandIn | None:
        last = self.kept.last_task
        return None if last is None else self._by_token.get(last.id)

    @property
    def subprocesses(self) -> dict[str, Any]:
        scopes = self.kept.scopes.values()
        return {s.host.id: s for s in scopes if s.kind in ("called", "subprocess") and s.host}

    def get_tasks(
        self,
        state: int = TaskState.ANY_MASK,
        spec_name: str | None = None,
        manual: bool | None = None,
        lane: str | None = None,
        end_at_spec: str | None = None,
        **others: Any,
    ) -> list[TaskStandIn]:
        if set(others) - {"updated_ts"}:
            raise NotOurs(f"get_tasks({', '.join(others)})")
        if end_at_spec is not None and self.kept.root is None:
            return list(self.openings)
        return [
            task
            for task in self.tasks
            if task.has_state(state)
            and (spec_name is None or task.task_spec.name == spec_name)
            and (manual is None or task.task_spec.manual is manual)
            and (lane is None or task.task_spec.lane == lane)
        ]

    def get_next_task(self, *first: Any, **wanted: Any) -> TaskStandIn | None:
        found = self.get_tasks(**wanted)
        if found:
            return found[0]
        name = wanted.get("spec_name")
        if name and wanted.get("state", TaskState.ANY_MASK) & TaskState.FUTURE:
            for scope in self.spec.process.model.scopes.values():
                if name in scope.nodes:
                    return Ahead(self, self.spec_of(scope.nodes[name]))
        return None

    def get_task_from_id(self, id_: str) -> TaskStandIn | None:
        return next((task for task in self.tasks if task.id == id_), None)

    def waiting_events(self) -> list[Any]:
        return [
            wait
            for token in self.kept.tasks.values()
            if token.waits() and token.id not in self._pending
            for wait in token.internal_data.get(WAITS, ())
        ]

    def get_dump(self) -> str:
        return "\n".join(f"{each.id} {each.state} {each.task_spec.name}" for each in self.tasks)

    # Storing

    def stored(self) -> dict[str, Any]:
        """The case as plain data: the product's own state, and what only tests look back at."""
        over = [each for each in self.tasks if each.state & TaskState.FINISHED_MASK]
        return {
            "begun": self.kept.root is not None,
            "initial": {**self._initial, **self.openings[0].data},
            "state": state.encode(self.kept).hex() if self.kept.root is not None else "",
            "past": [each.row() for each in over],
            "order": [each.id for each in self.tasks],
            "pending": {id_: list(each) for id_, each in self._pending.items()},
            "since": {key: at.isoformat() for key, at in self._since.items()},
        }

    @classmethod
    def restored(cls, spec: Spec, rows: Mapping[str, Any]) -> Playing:
        """The case that `stored` gave."""
        made = cls(spec)
        if not rows["begun"]:
            made.openings[0].data.update(rows["initial"])
            return made
        nodes = {
            id_: node
            for process in spec.process.processes.values()
            for scope in process.scopes.values()
            for id_, node in scope.nodes.items()
        }
        made.openings.clear()
        made.tasks.clear()
        for id_, node, name, how, data in rows["past"]:
            title = made.spec_of(nodes[node]) if node in nodes else TaskSpecStandIn(None, name)
            title.name = name
            made.tasks.append(Gone(made, title, id_, how, data))
        made.openings.append(Opening(made, TaskSpecStandIn(None, "Start"), TaskState.COMPLETED))
        state.decode(bytes.fromhex(rows["state"]), made.kept)
        for token in made.kept.tasks.values():
            made.came(token)
            if token.has_state(TaskState.READY):
                made.kept.queue(token)
        order = {id_: number for number, id_ in enumerate(rows["order"])}
        made.tasks.sort(key=lambda task: order[task.id])
        made.kept.changed = True
        made._pending = {id_: (index, data) for id_, (index, data) in rows["pending"].items()}
        made._since = {key: datetime.fromisoformat(at) for key, at in rows["since"].items()}
        return made


class _Remembering(BlamingWorkflow):
    """Tells of each token that comes and of each that completes."""

    def __init__(self, playing: Playing, *given: Any) -> None:
        super().__init__(*given)
        self.playing = playing

    def make(self, node: model.Node, scope: Any, **data: Any) -> Token:
        token = super().make(node, scope, **data)
        self.playing.came(token)
        return token

    def log(self, event: str, token: Token) -> None:
        super().log(event, token)
        if event == "completed":
            self.playing.ended(token)

    def run_token(self, token: Token) -> None:
        self.playing._running = self.playing._by_token.get(token.id)
        super().run_token(token)


def _kind_of(definition: Any) -> str:
    for name, kind in DEFINITIONS.items():
        if isinstance(definition, kind):
            return name
    raise NotOurs(f"catching a {type(definition).__name__}")
