"""Running a process a step at a time: state in, `Step` out."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from SpiffWorkflow.exceptions import SpiffWorkflowException

from engine.bpmn.decisions import Decision, DecisionFailed
from engine.bpmn.expressions import ExpressionFailed
from engine.bpmn.languages import Expression
from engine.bpmn.model import ProcessModel
from engine.bpmn.plain import NotPlain, plain_copy
from engine.bpmn.running import migration, state
from engine.bpmn.running.events import deliver_signal
from engine.bpmn.running.listing import (
    index_of,
    is_job,
    is_task,
    keys_of,
    stuck_at,
    subscriptions_of,
    timers_of,
)
from engine.bpmn.running.subprocesses import begin_scope
from engine.bpmn.running.throwing import throw_error, throw_escalation
from engine.bpmn.running.workflow import DEFAULT_BUDGET, Budget, CaseWorkflow, Token
from engine.domain.process import (
    Effect,
    Element,
    Migrated,
    OpenJob,
    OpenTask,
    Process,
    Seen,
    StartTrigger,
    Step,
    Thrown,
)
from engine.kernel.errors import EngineError, ExecutionFailed, TaskNotOpen

_REACHED_BEFORE = frozenset(
    {"userTask", "manualTask", "sendTask", "serviceTask", "subProcess", "callActivity"}
)
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (ExpressionFailed, "expression_failed"),
    (NotPlain, "data_not_plain"),
    (state.StateTooLarge, "state_too_large"),
    (RecursionError, "too_many_steps"),
    (SpiffWorkflowException, "engine_refused"),
)
TECHNICAL = frozenset({"expression_failed", "no_rule_matched", "several_rules_matched"})
"""Failures of one activity that an error event without a code may catch."""

# The library composes log records for every change of state, wanted or not.
for _name in ("spiff", "spiff.task", "spiff.workflow"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@contextmanager
def _blame(element: str | None) -> Iterator[None]:
    """Turns whatever the library or the sandbox raises into ExecutionFailed at `element`."""
    try:
        yield
    except EngineError:
        raise
    except DecisionFailed as error:
        raise ExecutionFailed(element=element, reason=str(error)) from error
    except Exception as error:
        reason = next((code for kind, code in _REASONS if isinstance(error, kind)), "unexpected")
        detail = f"{error}" if reason != "unexpected" else f"{type(error).__name__}: {error}"
        raise ExecutionFailed(element=element, reason=reason, detail=detail[:500]) from error


class _Workflow(CaseWorkflow):
    """Blames the flow node at which something failed, and lets its error event catch it."""

    def run_token(self, token: Token) -> None:
        try:
            with _blame(token.node.id):
                token.run()
        except ExecutionFailed as failed:
            reason = failed.params.get("reason")
            if reason not in TECHNICAL or token.id not in self.tasks:
                raise
            detail = str(failed.params.get("detail") or "")
            if not throw_error(token, None, detail):
                raise


@dataclass(eq=False)
class PackagedProcess:
    """One published process, shared by all its cases. Satisfies `engine.domain.process.Process`."""

    id: str
    elements: Mapping[str, Element]
    spec: Any
    processes: Mapping[str, ProcessModel]
    decisions: Mapping[str, Decision]
    settings: Mapping[str, Mapping[str, Expression]]
    """The settings of each flow node that are expressions."""
    budget: Budget = field(default=DEFAULT_BUDGET)

    @property
    def model(self) -> ProcessModel:
        return self.processes[self.id]

    @property
    def triggers(self) -> tuple[StartTrigger, ...]:
        nodes = self.model.root.nodes
        return tuple(
            StartTrigger(
                id_,
                event.kind,
                event.value.source if event.value is not None else str(event.name or ""),
            )
            for id_ in self.model.root.triggered
            for event in nodes[id_].events
        )

    @property
    def version_tag(self) -> str | None:
        return self.model.version_tag

    def start(self, data: Mapping[str, Any], at: str | None = None) -> Step:
        run = _Run(self)
        workflow = run.workflow()
        root = self.model.root
        if at is not None and at not in root.nodes:
            raise ExecutionFailed(element=at, reason="element_unknown")
        with _blame(None):
            scope = workflow.open_scope("process", root, self.id, None)
            workflow.root = scope
            workflow.write_plain(scope, data)
        if at is None and not root.starts and root.triggered:
            at = root.triggered[0]
        with _blame(at):
            begin_scope(workflow, scope, at)
        return run.advance(workflow)

    def complete(
        self,
        state: bytes,
        key: str,
        data: Mapping[str, Any],
        skip: Collection[str] = (),
        own: Mapping[str, Any] | None = None,
    ) -> Step:
        run = _Run(self, skips=frozenset(skip))
        workflow, token = run.open(state, key)
        with _blame(token.node.id):
            workflow.write_plain(token.task_spec.variables(token), data)
            if own:
                token.task_spec.keep_own(token, plain_copy(own))
            token.complete()
        return run.advance(workflow)

    def seen_by(self, state: bytes, key: str) -> Seen:
        _, token = _Run(self).open(state, key)
        variables = token.task_spec.variables(token)
        own = variables.variables if variables.kind == "local" else {}
        return Seen(dict(variables.view()), dict(own))

    def fire(
        self,
        state: bytes,
        key: str,
        data: Mapping[str, Any] | None = None,
        skip: Collection[str] = (),
    ) -> Step | None:
        run = _Run(self, skips=frozenset(skip))
        workflow = run.load(state)
        token = workflow.find(key)
        index = index_of(key)
        if token is None or index is None or key not in keys_of(token):
            return None
        with _blame(token.node.id):
            token.task_spec.fire(token, index, dict(data or {}))
        return run.advance(workflow)

    def signal(self, state: bytes, name: str, data: Mapping[str, Any]) -> Step | None:
        run = _Run(self)
        workflow = run.load(state)
        with _blame(None):
            if not deliver_signal(workflow, name, data):
                return None
        return run.advance(workflow)

    def fail(
        self,
        state: bytes,
        key: str,
        code: str,
        message: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> Step:
        run = _Run(self)
        workflow, token = run.open(state, key)
        with _blame(token.node.id):
            workflow.write_plain(token.task_spec.variables(token), data or {})
            workflow.log("thrown", token)
            if not throw_error(token, code, message):
                raise ExecutionFailed(element=token.node.id, reason="error_not_caught", detail=code)
        return run.advance(workflow)

    def escalate(self, state: bytes, key: str, code: str) -> Step:
        run = _Run(self)
        workflow, token = run.open(state, key)
        with _blame(token.node.id):
            workflow.log("thrown", token)
            throw_escalation(token, code, at_itself=True)
        return run.advance(workflow)

    def skip(self, state: bytes, key: str) -> Step:
        run = _Run(self)
        workflow, token = run.waiting(state, key)
        with _blame(token.node.id):
            for scope in list(token.inner):
                workflow.cancel_scope(scope)
            token.complete()
        return run.advance(workflow)

    def move(self, state: bytes, key: str, element: str) -> Step:
        run = _Run(self)
        workflow, token = run.waiting(state, key)
        scope = token.scope
        target = scope.model.nodes.get(element)
        if target is None or target.kind == "boundaryEvent" or scope.kind == "local":
            raise ExecutionFailed(element=element, reason="element_elsewhere")
        with _blame(element):
            workflow.cancel_token(token)
            workflow.enter(target, scope)
        return run.advance(workflow)

    def correct(self, state: bytes, data: Mapping[str, Any]) -> Step:
        run = _Run(self)
        workflow = run.load(state)
        assert workflow.root is not None  # noqa: S101
        with _blame(None):
            workflow.write_plain(workflow.root, data)
        return run.advance(workflow)

    def migrate(self, state: bytes, source: Process, mapping: Mapping[str, str]) -> Migrated:
        assert isinstance(source, PackagedProcess)  # noqa: S101
        run = _Run(self)
        body, places = migration.moved(state, source, self, mapping)
        if body is None:
            return Migrated(places, None)
        workflow = run.workflow()
        migration.put_in(body, workflow)
        step = run.advance(workflow)
        # A case that could not be loaded afterwards must not be written.
        _Run(self).load(step.state)
        return Migrated(places, step)


@dataclass
class _Run:
    """One step: what it passed and what it asked for."""

    process: PackagedProcess
    effects: list[Effect] = field(default_factory=list)
    skips: frozenset[str] = frozenset()

    def workflow(self) -> _Workflow:
        made = _Workflow(
            self.process.spec,
            self.process.processes,
            self.process.decisions,
            act=self._act,
            budget=self.process.budget,
        )
        made.skips = self.skips
        return made

    def load(self, stored: bytes) -> _Workflow:
        workflow = self.workflow()
        state.decode(stored, workflow)
        return workflow

    def open(self, stored: bytes, key: str) -> tuple[_Workflow, Token]:
        """The open task or job `key`. Raises TaskNotOpen."""
        workflow, token = self.waiting(stored, key)
        if not (is_task(token) or is_job(token)):
            raise TaskNotOpen
        return workflow, token

    def waiting(self, stored: bytes, key: str) -> tuple[_Workflow, Token]:
        workflow = self.load(stored)
        token = workflow.find(key)
        if token is None or not token.waits() or token.internal_data.get("subscribed"):
            raise TaskNotOpen
        return workflow, token

    def advance(self, workflow: _Workflow) -> Step:
        with self._told(workflow):
            return self._advance(workflow)

    @contextmanager
    def _told(self, workflow: _Workflow) -> Iterator[None]:
        try:
            yield
        except ExecutionFailed as failed:
            failed.trace = tuple(workflow.trace)
            raise

    def _advance(self, workflow: _Workflow) -> Step:
        workflow.run_on()
        tokens = list(workflow.tasks.values())
        tasks = [token for token in tokens if is_task(token)]
        jobs = [token for token in tokens if is_job(token)]
        timers = tuple(each for token in tokens for each in timers_of(token))
        subscriptions = tuple(each for token in tokens for each in subscriptions_of(token))
        conditions = workflow.conditionals()
        finished = workflow.completed
        if not finished and not (tasks or jobs or timers or subscriptions or conditions):
            raise ExecutionFailed(element=stuck_at(tokens), reason="deadlock")
        assert workflow.root is not None  # noqa: S101
        with _blame(None):
            stored = state.encode(workflow)
        return Step(
            state=stored,
            tasks=tuple(self._open_task(token) for token in tasks),
            timers=timers,
            effects=tuple(self.effects),
            passed=tuple(e.element for e in workflow.trace if e.event == "completed"),
            finished=finished,
            data=dict(workflow.root.variables),
            subscriptions=subscriptions,
            jobs=tuple(self._open_job(token) for token in jobs),
            thrown=tuple(
                Thrown(t["kind"], t["element"], str(t["name"]), t["key"], t["data"])
                for t in workflow.thrown
            ),
            trace=tuple(workflow.trace),
            ended_at=tuple(workflow.ended_at),
        )

    def _act(self, what: str, token: Token) -> None:
        """What the settings of a flow node ask for when it is entered, acts or completes."""
        element = self.process.elements.get(token.node.id)
        if element is None:
            return
        early = element.kind in _REACHED_BEFORE
        if "stage" in element.properties and what == ("entered" if early else "completed"):
            self._stage(element, token)
        if what == "acted":
            action = "letter.send" if element.kind == "sendTask" else ""
            action = element.properties.get("action", action)
            if element.kind == "sendTask" and not element.properties.get("letter"):
                action = ""
            if action:
                data = dict(token.task_spec.view(token))
                self.effects.append(Effect(element.id, action, self._settings(element, data), data))

    def _stage(self, element: Element, token: Token) -> None:
        data = dict(token.scope.view())
        reached = self._setting(element.id, "stage", element.properties["stage"], data)
        self.effects.append(Effect(element.id, "stage", {"stage": reached}, data))

    def _settings(self, element: Element, data: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: self._setting(element.id, name, value, data)
            for name, value in element.properties.items()
        }

    def _setting(self, element: str, name: str, value: str, data: Mapping[str, Any]) -> Any:
        expression = self.process.settings.get(element, {}).get(name)
        return value if expression is None else expression.evaluate(data)

    def _open_task(self, token: Token) -> OpenTask:
        element = self.process.elements[token.node.id]
        data = dict(token.task_spec.view(token))
        with _blame(element.id):
            return OpenTask(token.id.hex, element.id, self._settings(element, data), data)

    def _open_job(self, token: Token) -> OpenJob:
        element, topic = self.process.elements[token.node.id], token.node.topic
        data = dict(token.task_spec.view(token))
        with _blame(element.id):
            name = topic.evaluate(data) if isinstance(topic, Expression) else topic
            return OpenJob(
                token.id.hex,
                element.id,
                str(name),
                int(token.internal_data.get("retries", 3)),
                self._settings(element, data),
                data,
            )
