"""Running a process a step at a time: state in, `Step` out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from engine.bpmn.decisions import Decision, facts_of
from engine.bpmn.languages import Expression
from engine.bpmn.model import ProcessModel
from engine.bpmn.plain import plain_copy
from engine.bpmn.running import migration, state
from engine.bpmn.running.blame import BlamingWorkflow, blame
from engine.bpmn.running.events import deliver_signal
from engine.bpmn.running.listing import (
    REACHED_BEFORE,
    Settings,
    index_of,
    is_job,
    is_task,
    keys_of,
    standing,
    stuck_at,
)
from engine.bpmn.running.live import LiveProcesses
from engine.bpmn.running.subprocesses import begin_scope
from engine.bpmn.running.throwing import throw_error, throw_escalation
from engine.bpmn.running.ways import triggers_of, ways_of
from engine.bpmn.running.workflow import DEFAULT_BUDGET, Budget, Token
from engine.domain.process import (
    NOTHING,
    DecisionFacts,
    Effect,
    Element,
    Migrated,
    OpenJob,
    OpenTask,
    Process,
    Ruling,
    Seen,
    StartTrigger,
    Step,
    Thrown,
    Waits,
    Way,
)
from engine.kernel.errors import ExecutionFailed, TaskNotOpen

LIVE: LiveProcesses[tuple[BlamingWorkflow, Waits]] = LiveProcesses()


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

    @cached_property
    def ways(self) -> Mapping[str, Way]:
        return ways_of(self.model)

    def setting(self, element: str, name: str, data: Mapping[str, Any]) -> Any:
        expression = self.settings.get(element, {}).get(name)
        if expression is None:
            return self.elements[element].properties.get(name)
        with blame(element):
            return expression.evaluate(data)

    @property
    def triggers(self) -> tuple[StartTrigger, ...]:
        return triggers_of(self.model)

    def decision_facts(self, decision: str) -> DecisionFacts | None:
        known = self.decisions.get(decision)
        return None if known is None else facts_of(known)

    def rule(self, decision: str, data: Mapping[str, Any], element: str) -> Ruling:
        known = self.decisions.get(decision)
        if known is None:
            raise ExecutionFailed(element=element, reason="decision_unknown", detail=decision)
        with blame(element):
            outputs, number, description = known.decide_with_rule(data)
        if not isinstance(outputs, Mapping):
            outputs = {known.id: outputs}
        return Ruling(outputs, number, description)

    def waits(self, state: bytes) -> Waits:
        run = _Run(self)
        run.load(state, to_change=False)
        return run.before

    @property
    def version_tag(self) -> str | None:
        return self.model.version_tag

    def start(self, data: Mapping[str, Any], at: str | None = None) -> Step:
        run = _Run(self)
        workflow = run.workflow()
        root = self.model.root
        if at is not None and at not in root.nodes:
            raise ExecutionFailed(element=at, reason="element_unknown")
        with blame(None):
            scope = workflow.open_scope("process", root, self.id, None)
            workflow.root = scope
            workflow.write_plain(scope, data)
        if at is None and not root.starts and root.triggered:
            at = root.triggered[0]
        with blame(at):
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
        with blame(token.node.id):
            workflow.write_plain(token.task_spec.variables(token), data)
            if own:
                token.task_spec.keep_own(token, plain_copy(own))
            token.complete()
        return run.advance(workflow)

    def seen_by(self, state: bytes, key: str) -> Seen:
        _, token = _Run(self).open(state, key, to_change=False)
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
        with blame(token.node.id):
            token.task_spec.fire(token, index, dict(data or {}))
        return run.advance(workflow)

    def signal(self, state: bytes, name: str, data: Mapping[str, Any]) -> Step | None:
        run = _Run(self)
        workflow = run.load(state)
        with blame(None):
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
        with blame(token.node.id):
            workflow.write_plain(token.task_spec.variables(token), data or {})
            workflow.log("thrown", token)
            if not throw_error(token, code, message):
                raise ExecutionFailed(element=token.node.id, reason="error_not_caught", detail=code)
        return run.advance(workflow)

    def escalate(self, state: bytes, key: str, code: str) -> Step:
        run = _Run(self)
        workflow, token = run.open(state, key)
        with blame(token.node.id):
            workflow.log("thrown", token)
            throw_escalation(token, code, at_itself=True)
        return run.advance(workflow)

    def skip(self, state: bytes, key: str) -> Step:
        run = _Run(self)
        workflow, token = run.waiting(state, key)
        with blame(token.node.id):
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
        with blame(element):
            workflow.cancel_token(token)
            workflow.enter(target, scope)
        return run.advance(workflow)

    def holds(self, element: str) -> bool:
        node = self.model.root.nodes.get(element)
        return node is not None and node.kind != "boundaryEvent"

    def begin_at(self, state: bytes, element: str) -> Step:
        run = _Run(self)
        workflow = run.load(state)
        if workflow.root is None or not self.holds(element):
            raise ExecutionFailed(element=element, reason="element_elsewhere")
        target = self.model.root.nodes[element]
        with blame(element):
            workflow.cancel_inside(workflow.root)
            workflow.enter(target, workflow.root)
        return run.advance(workflow)

    def correct(self, state: bytes, data: Mapping[str, Any]) -> Step:
        run = _Run(self)
        workflow = run.load(state)
        assert workflow.root is not None  # noqa: S101
        with blame(None):
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
        run.before = source.waits(state)
        step = run.advance(workflow)
        # A case that could not be loaded afterwards must not be written.
        _Run(self).load(step.state, to_change=False)
        return Migrated(places, step)


@dataclass
class _Run:
    """One step: what it passed and what it asked for."""

    process: PackagedProcess
    effects: list[Effect] = field(default_factory=list)
    skips: frozenset[str] = frozenset()
    before: Waits = NOTHING

    def workflow(self) -> BlamingWorkflow:
        made = BlamingWorkflow(
            self.process.spec,
            self.process.processes,
            self.process.decisions,
            act=self._act,
            budget=self.process.budget,
        )
        made.skips = self.skips
        return made

    def load(self, stored: bytes, to_change: bool = True) -> BlamingWorkflow:
        kept = LIVE.take(self.process, stored) if to_change else None
        if kept is not None:
            workflow, self.before = kept
            workflow.begin_step(self._act)
            workflow.skips = self.skips
            return workflow
        workflow = self.workflow()
        state.decode(stored, workflow)
        self.before = standing(workflow.tasks.values()).waits
        return workflow

    def open(
        self, stored: bytes, key: str, to_change: bool = True
    ) -> tuple[BlamingWorkflow, Token]:
        """The open task or job `key`. Raises TaskNotOpen."""
        workflow, token = self.waiting(stored, key, to_change)
        if not (is_task(token) or is_job(token)):
            raise TaskNotOpen
        return workflow, token

    def waiting(
        self, stored: bytes, key: str, to_change: bool = True
    ) -> tuple[BlamingWorkflow, Token]:
        workflow = self.load(stored, to_change)
        token = workflow.find(key)
        if token is None or not token.waits() or token.internal_data.get("subscribed"):
            raise TaskNotOpen
        return workflow, token

    def advance(self, workflow: BlamingWorkflow) -> Step:
        try:
            return self._advance(workflow)
        except ExecutionFailed as failed:
            failed.trace = tuple(workflow.trace)
            raise

    def _advance(self, workflow: BlamingWorkflow) -> Step:
        workflow.run_on()
        tokens = list(workflow.tasks.values())
        stands = standing(tokens)
        now = stands.waits
        finished = workflow.completed
        if not (finished or now or workflow.conditionals()):
            raise ExecutionFailed(element=stuck_at(tokens), reason="deadlock")
        assert workflow.root is not None  # noqa: S101
        with blame(None):
            stored = state.encode(workflow)
        if not finished:
            LIVE.keep(self.process, stored, (workflow, now))
        opened = now.without(self.before)
        return Step(
            state=stored,
            tasks=tuple(self._open_task(token, opened.tasks) for token in stands.tasks),
            timers=tuple(stands.timers),
            effects=tuple(self.effects),
            passed=tuple(e.element for e in workflow.trace if e.event == "completed"),
            finished=finished,
            data=dict(workflow.root.variables),
            subscriptions=tuple(stands.subscriptions),
            jobs=tuple(self._open_job(token, opened.jobs) for token in stands.jobs),
            thrown=tuple(
                Thrown(t["kind"], t["element"], str(t["name"]), t["key"], t["data"])
                for t in workflow.thrown
            ),
            trace=tuple(workflow.trace),
            ended_at=tuple(workflow.ended_at),
            opened=opened,
            closed=self.before.without(now),
        )

    def _act(self, what: str, token: Token) -> None:
        """What the settings of a flow node ask for when it is entered, acts or completes."""
        element = self.process.elements.get(token.node.id)
        if element is None:
            return
        early = element.kind in REACHED_BEFORE
        if "stage" in element.properties and what == ("entered" if early else "completed"):
            self._stage(element, token)
        if what == "acted":
            action = "letter.send" if element.kind == "sendTask" else ""
            action = element.properties.get("action", action)
            if element.kind == "sendTask" and not element.properties.get("letter"):
                action = ""
            if action:
                data = dict(token.task_spec.view(token))
                settings = self._settings(element, data)
                self.effects.append(Effect(element.id, action, settings, data))

    def _stage(self, element: Element, token: Token) -> None:
        data = dict(token.scope.view())
        reached = self.process.setting(element.id, "stage", data)
        self.effects.append(Effect(element.id, "stage", {"stage": reached}, data))

    def _settings(
        self, element: Element, data: Mapping[str, Any], at_once: bool = True
    ) -> Mapping[str, Any]:
        expressions = self.process.settings.get(element.id)
        if not expressions:
            return element.properties
        found = Settings(element.properties, expressions, data, lambda: blame(element.id))
        return dict(found) if at_once else found

    def _open_task(self, token: Token, new: Collection[str]) -> OpenTask:
        element = self.process.elements[token.node.id]
        data = token.task_spec.view(token)
        # What a task asks for is settled when it opens; a mistake in it must stop that step.
        settings = self._settings(element, data, at_once=token.id in new)
        return OpenTask(token.id, element.id, settings, data)

    def _open_job(self, token: Token, new: Collection[str]) -> OpenJob:
        element, topic = self.process.elements[token.node.id], token.node.topic
        data = token.task_spec.view(token)
        with blame(element.id):
            name = topic.evaluate(data) if isinstance(topic, Expression) else topic
        return OpenJob(
            token.id,
            element.id,
            str(name),
            int(token.internal_data.get("retries", 3)),
            self._settings(element, data, at_once=token.id in new),
            data,
        )
