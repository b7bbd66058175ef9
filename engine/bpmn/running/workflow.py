"""A running process in memory: SpiffWorkflow's `Workflow` and `Task`, one task a token.

SpiffWorkflow runs each task and keeps its state. Ours are the specs of the tasks (`engine.bpmn.
running.nodes` and beside it), the scopes they stand in, and the order: a task is forgotten once it
has completed, so that a case may go round a loop for ever at a flat cost.
"""

from __future__ import annotations

import random
import time
from collections import ChainMap, deque
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from SpiffWorkflow.specs import WorkflowSpec
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState
from SpiffWorkflow.workflow import Workflow

from engine.bpmn import model
from engine.bpmn.decisions import Decision
from engine.bpmn.plain import plain_copy
from engine.domain.process import Traced
from engine.kernel.errors import ExecutionFailed

_WAITS = int(TaskState.WAITING | TaskState.STARTED)
_OPEN = int(TaskState.WAITING | TaskState.READY | TaskState.STARTED)


@dataclass(frozen=True)
class Budget:
    """What one step may use: flow nodes passed, tokens made, seconds, nested scopes."""

    steps: int = 20_000
    tokens: int = 60_000
    seconds: float = 2.5
    depth: int = 24


DEFAULT_BUDGET = Budget()


@dataclass(eq=False)
class ScopeRun:
    """A running process, subprocess, or layer of variables around one activity or round of a loop.

    `kind` is process, called, subprocess, event, local, revived. `host` is the token that waits for
    this scope to end.
    """

    id: int
    kind: str
    model: model.Scope
    process: str
    parent: ScopeRun | None
    host: Token | None
    variables: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    done: list[dict[str, Any]] = field(default_factory=list)
    """The activities in it that can be compensated, in the order in which they completed."""
    ended: bool = False
    inside: dict[int, ScopeRun] = field(default_factory=dict)
    """The scopes directly in this one, by id."""

    @property
    def container(self) -> ScopeRun:
        """The process or subprocess this is, or is a layer in."""
        scope = self
        while scope.kind == "local" and scope.parent is not None:
            scope = scope.parent
        return scope

    def view(self) -> MutableMapping[str, Any]:
        """All the variables that can be seen from here; reading only."""
        maps, scope = [], self
        while True:
            if scope.variables or scope.kind in ("process", "called"):
                maps.append(scope.variables)
            if scope.parent is None or scope.kind == "called":
                break
            scope = scope.parent
        return maps[0] if len(maps) == 1 else ChainMap(*maps)

    def owner_of(self, name: str) -> ScopeRun:
        """The scope that has the variable, or the process if none has."""
        scope = self
        while True:
            if name in scope.variables or scope.parent is None or scope.kind == "called":
                return scope
            scope = scope.parent


class Token(Task):  # type: ignore[misc]
    """A token: a task of SpiffWorkflow that knows its scope and how it came there."""

    task_spec: Any
    node: model.Node
    workflow: CaseWorkflow
    internal_data: dict[str, Any]

    def __init__(
        self,
        workflow: CaseWorkflow,
        spec: Any,
        scope: ScopeRun,
        state: int = TaskState.FUTURE,
        id: str | None = None,
    ) -> None:
        # As SpiffWorkflow does, without what only its own tree of tasks needs. Its ids are UUIDs,
        # which take longer to make and to look up than their text.
        self.id = id or f"{random.getrandbits(128):032x}"
        workflow.tasks[self.id] = self
        self.workflow, self.task_spec = workflow, spec
        self._parent, self._state = None, state
        self._children: tuple[str, ...] = ()
        self.triggered, self.thread_id = False, 0
        self.data: dict[str, Any] = {}
        self.internal_data = {}
        self.last_state_change = 0.0
        self.scope, self.node = scope, spec.node
        self.host: Token | None = None
        """The activity a waiting boundary event is attached to."""
        self.inner: list[ScopeRun] = []
        self.boundaries: list[Token] = []

    def collect_log_extras(self, dct: Any = None) -> dict[str, Any]:
        return {}

    def _set_state(self, value: int) -> None:
        # The library composes a log record here each time, wanted or not.
        self._state = value

    def waits(self) -> bool:
        return bool(self._state & _WAITS)

    def is_open(self) -> bool:
        return bool(self._state & _OPEN)


class CaseWorkflow(Workflow):  # type: ignore[misc]
    """One case's process. `act` is called with each token that reaches out of the process."""

    spec: Any
    tasks: dict[str, Token]

    def __init__(
        self,
        spec: WorkflowSpec,
        processes: Mapping[str, model.ProcessModel],
        decisions: Mapping[str, Decision],
        act: Callable[[str, Token], None],
        budget: Budget = DEFAULT_BUDGET,
    ) -> None:
        super().__init__(spec, deserializing=True)
        self.processes, self.decisions = processes, decisions
        self.budget = budget
        self.scopes: dict[int, ScopeRun] = {}
        self.root: ScopeRun | None = None
        self.next_scope = 1
        self.begin_step(act)

    def begin_step(self, act: Callable[[str, Token], None]) -> None:
        """Nothing has happened yet in this step; its budget is whole."""
        self.act = act
        self.trace: list[Traced] = []
        self.thrown: list[dict[str, Any]] = []
        self.changed = False
        self.ended_at: list[str] = []
        self.skips: frozenset[str] = frozenset()
        """Activities that an operator lets pass without doing them."""
        self._ready: deque[Token] = deque()
        self._made = 0
        self._until = time.monotonic() + self.budget.seconds

    def collect_log_extras(self, dct: Any = None) -> dict[str, Any]:
        return {}

    def _task_completed_notify(self, task: Task) -> None:
        self.last_task = task

    # Scopes and data

    def open_scope(
        self,
        kind: str,
        inside: model.Scope,
        process: str,
        parent: ScopeRun | None,
        host: Token | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> ScopeRun:
        scope = ScopeRun(self.next_scope, kind, inside, process, parent, host)
        scope.variables.update(variables or {})
        self.next_scope += 1
        self.scopes[scope.id] = scope
        if parent is not None:
            parent.inside[scope.id] = scope
        if host is not None:
            host.inner.append(scope)
        depth, above = 0, parent
        while above is not None:
            depth, above = depth + (above.kind != "local"), above.parent
        if depth > self.budget.depth:
            raise ExecutionFailed(
                element=host.node.id if host else None, reason="too_many_calls", detail=str(depth)
            )
        return scope

    def layer(self, parent: ScopeRun, host: Token | None, variables: Mapping[str, Any]) -> ScopeRun:
        """A layer of variables in `parent`, for one activity or one round of a loop."""
        return self.open_scope("local", parent.model, parent.process, parent, host, variables)

    def close_scope(self, scope: ScopeRun) -> None:
        scope.ended = True
        self.scopes.pop(scope.id, None)
        if scope.parent is not None:
            scope.parent.inside.pop(scope.id, None)
        if scope.host is not None and scope in scope.host.inner:
            scope.host.inner.remove(scope)

    def write(self, scope: ScopeRun, values: Mapping[str, Any]) -> None:
        """Set variables, each where it is known, new ones in the process."""
        for name, value in values.items():
            scope.owner_of(name).variables[name] = value
        self.changed = self.changed or bool(values)

    def delete(self, scope: ScopeRun, names: Iterable[str]) -> None:
        """Take variables away, each where it is known."""
        for name in names:
            scope.owner_of(name).variables.pop(name, None)
        self.changed = True

    def write_plain(self, scope: ScopeRun, values: Mapping[str, Any]) -> None:
        """Like `write`, for what comes from outside. Raises NotPlain."""
        self.write(scope, plain_copy(values))

    # Tokens

    def make(self, node: model.Node, scope: ScopeRun, **data: Any) -> Token:
        """A new token at `node`, not yet told to begin. Every token is made here."""
        self._made += 1
        if self._made > self.budget.tokens:
            raise ExecutionFailed(element=node.id, reason="too_many_tokens")
        spec = self.spec.task_specs[f"{scope.process}/{node.id}"]
        token = Token(self, spec, scope)
        token.internal_data.update(data)
        scope.tokens[token.id] = token
        return token

    def enter(self, node: model.Node, scope: ScopeRun, **data: Any) -> Token:
        """A token arrives at `node`."""
        token = self.make(node, scope, **data)
        token.task_spec._update(token)
        return token

    def forget(self, token: Token) -> None:
        """Take the token away; whatever hung on it must be gone already."""
        self.tasks.pop(token.id, None)
        token.scope.tokens.pop(token.id, None)

    def log(self, event: str, token: Token) -> None:
        self.trace.append(Traced(event, token.node.id, token.node.kind))

    def queue(self, token: Token) -> None:
        self._ready.append(token)

    # Cancelling

    def cancel_token(self, token: Token) -> None:
        """The token and all that happens in it end, unfinished."""
        if token.id not in self.tasks:
            return
        started = token.is_open()
        self.drop_boundaries(token)
        for scope in list(token.inner):
            self.cancel_scope(scope)
        self.forget(token)
        token._set_state(TaskState.CANCELLED)
        own = token.internal_data.get("layer")
        if own in self.scopes:
            self.close_scope(self.scopes[own])
        if started and not token.internal_data.get("subscribed"):
            self.log("cancelled", token)

    def cancel_scope(self, scope: ScopeRun) -> None:
        for token in list(scope.tokens.values()):
            self.cancel_token(token)
        for inner in list(scope.inside.values()):
            self.cancel_scope(inner)
        self.close_scope(scope)

    def cancel_inside(self, scope: ScopeRun, keep: Token | None = None) -> None:
        """End everything in the scope, layers included, except `keep`."""
        for token in list(scope.tokens.values()):
            if token is not keep:
                self.cancel_token(token)
        for inner in list(scope.inside.values()):
            if inner.kind in ("local", "revived") and not (
                keep is not None
                and (keep.scope is inner or keep.internal_data.get("layer") == inner.id)
            ):
                self.cancel_scope(inner)

    def drop_boundaries(self, token: Token) -> None:
        for boundary in token.boundaries:
            self.forget(boundary)
        token.boundaries.clear()

    # Going on

    def next_ready(self) -> Token | None:
        while self._ready:
            token = self._ready.popleft()
            if token.id in self.tasks and token.has_state(TaskState.READY):
                return token
        return None

    def run_on(self) -> None:
        """Run until nothing can go on by itself. Raises ExecutionFailed at a limit."""
        steps = 0
        while True:
            if self.changed:
                self.changed = False
                for token in self.conditionals():
                    token.task_spec.reconsider(token)
            ready = self.next_ready()
            if ready is None:
                if not self._settle():
                    return
                continue
            steps += 1
            if steps > self.budget.steps or (steps % 64 == 0 and time.monotonic() > self._until):
                raise ExecutionFailed(element=ready.node.id, reason="too_many_steps")
            self.run_token(ready)

    def run_token(self, token: Token) -> None:
        """Run one token; a step that fails for want of data or a rule says so."""
        token.run()

    def _settle(self) -> bool:
        """Let joins that waited to see what else arrives decide; whether one now goes on."""
        for token in list(self.tasks.values()):
            decide = getattr(token.task_spec, "decide", None)
            if decide is not None and token.has_state(TaskState.WAITING) and decide(token):
                return True
        return False

    def conditionals(self) -> list[Token]:
        return [
            token
            for token in self.tasks.values()
            if ["conditional"] in token.internal_data.get("waits", ())
        ]

    # Looking

    def find(self, key: str) -> Token | None:
        return self.tasks.get(key.partition(".")[0])
