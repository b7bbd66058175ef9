"""The world of a simulation: the process, those it exchanges messages with, and the clock."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.bpmn import Package
from engine.domain.calendar import load_calendar
from engine.domain.limit import Limit, due
from engine.domain.process import OpenJob, OpenTask, Process, Step, Thrown, Traced
from engine.domain.schedule import after, next_instant, working_days
from engine.kernel.errors import ExecutionFailed
from engine.simulation.answers import Answer, Answers, Sent
from engine.simulation.outcome import FAILED, FINISHED, LIMIT, WAITING, Entry, Outcome, Waiting

Make = Callable[[str], Mapping[str, Any]]
MAX_CASES = 100


@dataclass
class _Case:
    number: int
    id: str
    process: Process
    step: Step | None = None
    seen: set[str] = field(default_factory=set)
    """The keys of tasks, jobs and timers that are already on the agenda."""


@dataclass(order=True)
class _Due:
    at: datetime
    order: int
    what: str = field(compare=False)
    case: _Case | None = field(compare=False, default=None)
    key: str = field(compare=False, default="")
    sent: Sent | None = field(compare=False, default=None)
    answer: Answer | None = field(compare=False, default=None)


class _Stop(Exception):
    def __init__(self, reason: str) -> None:
        self.reason = reason


def simulate(
    package: Package,
    process_id: str,
    answers: Answers,
    *,
    make: Make = lambda element: {},
    limits: Mapping[str, str] | None = None,
    until: str | None = None,
    until_time: datetime | None = None,
    max_steps: int = 1_000,
) -> Outcome:
    """Run `process_id` until it ends, waits for something nobody gives, fails, or meets a limit.

    `make` gives the answers of a user task for which there are none, by its element. `limits` are
    durations for timers of ``limit:<name>``. The end is the entering of the element `until`, or the
    first thing due after `until_time`.
    """
    world = _World(package, answers, make, limits or {}, until, until_time, max_steps)
    return world.run(process_id)


class _World:
    def __init__(
        self,
        package: Package,
        answers: Answers,
        make: Make,
        limits: Mapping[str, str],
        until: str | None,
        until_time: datetime | None,
        max_steps: int,
    ) -> None:
        self.package, self.answers, self.make, self.limits = package, answers, make, limits
        self.until, self.until_time, self.max_steps = until, until_time, max_steps
        self.now = answers.now
        self.outcome = Outcome()
        self.cases: list[_Case] = []
        self.agenda: list[_Due] = []
        self.inbox: list[Thrown] = []
        self.times: Counter[tuple[str, str]] = Counter()
        self.order = 0
        self.steps = 0

    def run(self, process_id: str) -> Outcome:
        outcome = self.outcome
        main: _Case | None = None
        try:
            for sent in self.answers.sent:
                at = after(self.now, sent.after) if sent.after else self.now
                self._plan(at, "sent", sent=sent)
            main = self._begin(process_id, self.answers.data, self.answers.start)
            while not (main.step and main.step.finished):
                if not self._deliver() and not self._next():
                    raise _Stop(WAITING)
            while self._deliver():
                pass
        except _Stop as stop:
            outcome.reason = stop.reason
        except ExecutionFailed as failed:
            outcome.reason = FAILED
            self._note_failure(failed)
        if main is not None and main.step is not None:
            outcome.data = main.step.data
        outcome.waiting = list(self._waiting()) if outcome.reason == WAITING else []
        outcome.now = self.now
        return outcome

    def _note_failure(self, failed: ExecutionFailed) -> None:
        params = failed.params
        element = params.get("element")
        case = self.cases[-1] if self.cases else None
        if self._running is not None:
            case = self._running
        if case is not None:
            self._trace(case, getattr(failed, "trace", ()))
        self.outcome.error = {
            "element": element,
            "reason": params.get("reason"),
            "detail": params.get("detail") or "",
        }

    _running: _Case | None = None

    def _plan(self, at: datetime, what: str, **more: Any) -> None:
        self.order += 1
        heapq.heappush(self.agenda, _Due(at, self.order, what, **more))

    # Steps

    def _begin(self, process_id: str, data: Mapping[str, Any], at: str | None) -> _Case:
        if len(self.cases) >= MAX_CASES:
            raise _Stop(LIMIT)
        case = _Case(len(self.cases) + 1, process_id, self.package.process(process_id))
        self.cases.append(case)
        self._do(case, lambda: case.process.start(data, at))
        return case

    def _do(self, case: _Case, act: Callable[[], Step | None]) -> bool:
        self.steps += 1
        if self.steps > self.max_steps:
            raise _Stop(LIMIT)
        self._running = case
        step = act()
        if step is None:
            return False
        case.step = step
        self._trace(case, step.trace)
        self.outcome.ended_at += step.ended_at if case.number == 1 else []
        for thrown in step.thrown:
            if thrown.kind == "signal":
                self._broadcast(thrown.name, thrown.data, thrower=case)
            else:
                self.inbox.append(thrown)
        if self.until is not None and any(e.element == self.until for e in step.trace):
            raise _Stop(FINISHED)
        self._put_on_agenda(case, step)
        return True

    def _trace(self, case: _Case, trace: Any) -> None:
        for each in trace:
            assert isinstance(each, Traced)  # noqa: S101
            element = case.process.elements.get(each.element)
            self.outcome.trace.append(
                Entry(
                    self.now,
                    case.number,
                    case.id,
                    each.element,
                    element.name if element is not None else "",
                    element.kind if element is not None else each.kind,
                    each.event,
                )
            )

    def _put_on_agenda(self, case: _Case, step: Step) -> None:
        for timer in step.timers:
            if timer.key not in case.seen:
                case.seen.add(timer.key)
                self._plan(self._due(timer.value, timer.element), "timer", case=case, key=timer.key)
        for task in step.tasks:
            if task.key not in case.seen:
                case.seen.add(task.key)
                self._plan_task(case, task)
        for job in step.jobs:
            if job.key not in case.seen:
                case.seen.add(job.key)
                self._plan_job(case, job)

    def _due(self, value: str, element: str) -> datetime:
        if value.startswith("limit:"):
            value = self.limits.get(value[len("limit:") :], "P30D")
        days = working_days(value)
        if days is not None:
            return due(Limit("working_days", days), self.now, load_calendar())
        try:
            return next_instant(value, self.now)
        except (ValueError, OverflowError) as error:
            raise ExecutionFailed(
                element=element, reason="timer_unreadable", detail=str(error)
            ) from error

    def _plan_task(self, case: _Case, task: OpenTask) -> None:
        time = self.times[("task", task.element)]
        self.times[("task", task.element)] += 1
        answer = self.answers.of_task(task.element, time)
        if answer is None:
            saves_as = task.properties.get("saves_as")
            made = self.make(task.element)
            answer = Answer({str(saves_as): made} if saves_as and made else made)
        self._plan_answer(case, task.key, answer)

    def _plan_job(self, case: _Case, job: OpenJob) -> None:
        time = self.times[("job", job.element)]
        self.times[("job", job.element)] += 1
        answer = self.answers.of_job(job.element, job.topic, time) or Answer({})
        self._plan_answer(case, job.key, answer)

    def _plan_answer(self, case: _Case, key: str, answer: Answer) -> None:
        if not answer.never:
            at = after(self.now, answer.after) if answer.after else self.now
            self._plan(at, "answer", case=case, key=key, answer=answer)

    # What happens next

    def _next(self) -> bool:
        """Do what is due first; False when the agenda is empty."""
        while self.agenda:
            due = heapq.heappop(self.agenda)
            if due.case is not None and not self._still_open(due.case, due.key):
                continue
            if self.until_time is not None and due.at > self.until_time:
                raise _Stop(LIMIT)
            self.now = max(self.now, due.at)
            if due.sent is not None:
                self._send(due.sent)
            elif due.case is not None and due.answer is not None:
                self._answer(due.case, due.key, due.answer)
            elif due.case is not None:
                case = due.case
                self._do(case, _firing(case.process, self._state(case), due.key, {}))
            return True
        return False

    def _state(self, case: _Case) -> bytes:
        assert case.step is not None  # noqa: S101
        return case.step.state

    def _still_open(self, case: _Case, key: str) -> bool:
        step = case.step
        if step is None:
            return False
        keys = {task.key for task in step.tasks} | {timer.key for timer in step.timers}
        return key in keys | {job.key for job in step.jobs}

    def _answer(self, case: _Case, key: str, answer: Answer) -> None:
        process = case.process
        code, error = answer.escalation, answer.error
        if code is not None:
            state = self._state(case)
            self._do(case, lambda: process.escalate(state, key, code))
            if not self._still_open(case, key):
                return
        state = self._state(case)
        if error is not None:
            self._do(case, lambda: process.fail(state, key, error))
        else:
            self._do(case, lambda: process.complete(state, key, answer.data))

    def _send(self, sent: Sent) -> None:
        if sent.kind == "signal":
            if not self._broadcast(sent.name, sent.data):
                self._start_by("signal", sent.name, sent.data)
            return
        self.inbox.append(Thrown("message", "", sent.name, sent.correlation, sent.data))

    def _broadcast(self, name: str, data: Mapping[str, Any], thrower: _Case | None = None) -> bool:
        reached = False
        for case in list(self.cases):
            if case is not thrower and case.step is not None and not case.step.finished:
                state = case.step.state
                reached = self._do_signal(case, state, name, {} if thrower else data) or reached
        if thrower is not None:
            self._start_by("signal", name, {})
        return reached

    def _do_signal(self, case: _Case, state: bytes, name: str, data: Mapping[str, Any]) -> bool:
        return self._do(case, lambda: case.process.signal(state, name, data))

    def _start_by(self, kind: str, name: str, data: Mapping[str, Any]) -> bool:
        begun = False
        for id_ in self.package.processes:
            for trigger in self.package.process(id_).triggers:
                if (trigger.kind, trigger.name) == (kind, name):
                    self._begin(id_, data, trigger.element)
                    begun = True
        return begun

    def _deliver(self) -> bool:
        """Deliver one message of the inbox to whoever waits for it or begins with it."""
        for message in self.inbox:
            for case in self.cases:
                step = case.step
                for waiting in step.subscriptions if step is not None else ():
                    if waiting.kind == "message" and _matches(message, waiting):
                        self.inbox.remove(message)
                        state, key = self._state(case), waiting.key
                        data = message.data if message.element == "" else {}
                        self._do(case, _firing(case.process, state, key, data))
                        return True
            main = self.cases[0].id if self.cases else ""
            ids = {id_ for id_ in self.package.processes if id_ != main or message.element == ""}
            if any(
                (trigger.kind, trigger.name) == ("message", message.name)
                for id_ in ids
                for trigger in self.package.process(id_).triggers
            ):
                self.inbox.remove(message)
                return self._start_by("message", message.name, message.data)
        return False

    def _waiting(self) -> list[Waiting]:
        found = []
        for case in self.cases:
            step = case.step
            if step is None or step.finished:
                continue
            found += [Waiting(each.element, "task", "") for each in step.tasks]
            found += [Waiting(each.element, "job", each.topic) for each in step.jobs]
            found += [Waiting(each.element, each.kind, each.name) for each in step.subscriptions]
            if not (step.tasks or step.jobs or step.subscriptions):
                found.append(Waiting("", "condition", ""))
        return found


def _matches(message: Thrown, waiting: Any) -> bool:
    return bool(message.name == waiting.name) and (
        None in (message.correlation, waiting.correlation)
        or message.correlation == waiting.correlation
    )


def _firing(
    process: Process, state: bytes, key: str, data: Mapping[str, Any]
) -> Callable[[], Step | None]:
    return lambda: process.fire(state, key, data)
