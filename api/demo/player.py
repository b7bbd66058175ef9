"""Play a scenario on the real engine: the same use cases, jobs and letters, on a movable clock."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from api.demo.expectations import unmet
from api.demo.played import Played, PlayedStep
from api.demo.scenario import Scenario, ScenarioStep
from api.sentences import say, texts
from api.wiring import Application
from engine.domain.access import Actor
from engine.domain.ports import Form
from engine.kernel.clock import SettableClock
from engine.kernel.errors import EngineError
from engine.store import jobs
from engine.store.tables import Case, ClockRow, Letter, Notice, Suggestion, Task, User
from engine.store.uow import ReadSession
from engine.usecases.claim import ClaimTask, claim
from engine.usecases.clock_buttons import PressButton, press_button
from engine.usecases.complete import CompleteTask, complete
from engine.usecases.correct import CorrectAnswers, correct
from engine.usecases.definition import Definition, definition, offered_definition
from engine.usecases.dispatch_again import DispatchAgain, dispatch_again
from engine.usecases.documents import FORMAT, StoreDocument, store_document
from engine.usecases.job_runner import run_due
from engine.usecases.joint_answers import AnswerJointly, answer_jointly
from engine.usecases.merge import MergeCases, merge
from engine.usecases.people import actor_of
from engine.usecases.return_task import ReturnTask, return_task
from engine.usecases.start_case import StartCase, start_case
from engine.usecases.withdraw import WithdrawCase, withdraw

SAMPLE_FILE = b"%PDF-1.4\n% a sample document of the demonstration\n%%EOF\n"


class ScenarioFailed(Exception):
    """Something is not as the scenario expects; the message says what and after which step."""


class Player:
    """Plays scenarios on `wired`, whose clock must be `clock`."""

    def __init__(self, wired: Application, clock: SettableClock, locale: str = "zh-CN") -> None:
        self._wired, self._clock, self._locale = wired, clock, locale

    def play(
        self, scenario: Scenario, watch: Callable[[PlayedStep], None] = lambda step: None
    ) -> Played:
        """Play it to the end or to the first thing that is not as expected."""
        return self._played(scenario, watch, lambda run: run.all())

    def begin(self, scenario: Scenario, steps: int) -> Played:
        """Play the first `steps` only."""
        return self._played(scenario, lambda step: None, lambda run: run.begin(steps))

    def go_on(self, scenario: Scenario, reference: str, steps: int) -> Played:
        """Play what comes after the first `steps`, in the case with this number, to its end."""
        return self._played(scenario, lambda step: None, lambda run: run.go_on(reference, steps))

    def _played(
        self,
        scenario: Scenario,
        watch: Callable[[PlayedStep], None],
        play: Callable[[_Run], None],
    ) -> Played:
        played = Played(scenario.name, scenario.title[self._locale], scenario.service)
        run = _Run(self._wired, self._clock, self._locale, scenario, played, watch)
        try:
            play(run)
        except ScenarioFailed as error:
            played.problem = str(error)
        except EngineError as error:
            fields = [vars(each) for each in error.params.get("fields", ())]
            played.problem = f"{run.where}: {error.code} {fields or dict(error.params)}"
        return played


@dataclass
class _Run:
    wired: Application
    clock: SettableClock
    locale: str
    scenario: Scenario
    played: Played
    watch: Callable[[PlayedStep], None]
    case_id: str = ""
    where: str = "filing"
    seen: int = 0
    told: int = 0

    def all(self) -> None:
        self.begin(len(self.scenario.steps))
        self.end()

    def go_on(self, reference: str, steps: int) -> None:
        with self.wired.uow.read() as session:
            case = session.scalars(select(Case).where(Case.reference == reference)).one()
            sent = select(Letter).where(Letter.case_id == case.id, Letter.state == "sent")
            self.seen = len(session.scalars(sent).all())
        self.case_id, self.played.reference = case.id, reference
        self.steps(steps, len(self.scenario.steps))
        self.end()

    def begin(self, steps: int) -> None:
        scenario = self.scenario
        self.clock.set(scenario.at)
        applicant = self.actor(scenario.applicant)
        case = self.file(applicant, scenario.answers)
        self.case_id, self.played.reference = case.id, case.reference
        self.drain()
        self.note("filed", applicant.display_name)
        self.steps(0, steps)

    def file(self, applicant: Actor, answers: Mapping[str, Any]) -> Case:
        service = self.scenario.service
        with self.wired.uow.read() as session:
            made = offered_definition(session, service, self.wired.ports)
            form = made.forms[made.manifest.services[service].form]
        given = self.with_files(applicant, form, answers)
        return self.wired.uow.run(start_case, StartCase(applicant, service, given, self.locale))

    def add_follower(self, actor: Actor, applicant: str, answers: Mapping[str, Any]) -> None:
        """Somebody else asks for the same, and their case follows this one."""
        other = self.file(self.actor(applicant), answers)
        self.drain()
        self.wired.uow.run(merge, MergeCases(actor, other.id, self.case_id))

    def steps(self, first: int, last: int) -> None:
        for number, step in enumerate(self.scenario.steps[first:last], start=first + 1):
            self.where = f"step {number} ({step.task or step.returned or 'waiting'})"
            self.step(step)

    def end(self) -> None:
        self.where = "the end"
        self.note_end()
        told = [notice for step in self.played.steps for notice in step.notices]
        self.check(self.scenario.expect, self.played.letters, told)

    def step(self, step: ScenarioStep) -> None:
        if step.at is not None:
            self.move_to(step.at)
        if step.wait_until is not None:
            self.move_to(step.wait_until)
            self.note("time", "")
        elif step.withdraw is not None:
            actor = self.actor(self.scenario.applicant)
            self.wired.uow.run(withdraw, WithdrawCase(actor, self.case_id, step.withdraw))
            self.drain()
            self.note("withdrawn", actor.display_name)
        elif step.returned is not None:
            actor = self.actor(str(step.by))
            task = self.open_task(step.returned)
            self.wired.uow.run(return_task, ReturnTask(actor, task.id, **step.answers))
            self.drain()
            self.note(step.returned, actor.display_name)
        elif step.merge is not None:
            actor = self.actor(str(step.by))
            self.add_follower(actor, **step.merge)
            self.drain()
            self.note("merged", actor.display_name)
        elif step.clock is not None:
            actor = self.actor(str(step.by))
            self.wired.uow.run(press_button, PressButton(actor, self.case_id, **step.clock))
            self.drain()
            self.note(str(step.clock["verb"]), actor.display_name)
        elif step.task is not None:
            by = self.scenario.applicant if step.by in (None, "applicant") else step.by
            actor = self.actor(str(by))
            self.complete(step, actor)
            self.drain()
            self.note(step.task, actor.display_name)
        last = self.played.steps[-1]
        self.check(step.expect, last.letters, last.notices)

    def open_task(self, name: str) -> Task:
        """The open task of an element, or beside one, of a kind."""
        with self.wired.uow.read() as session:
            tasks = self.open_tasks(session)
        found = [task for task in tasks if _name(task) == name]
        if not found:
            names = sorted(_name(task) for task in tasks)
            raise ScenarioFailed(f"{self.where}: not open; open are {names}")
        return found[0]

    def complete(self, step: ScenarioStep, actor: Actor) -> None:
        task = self.open_task(str(step.task))
        with self.wired.uow.read() as session:
            case = session.get_one(Case, self.case_id)
            made = definition(session, case.package_version_id, self.wired.ports)
        if task.part_of is not None:
            self.complete_part(task, step, actor)
            return
        form = made.forms.get(task.form or "", {"schema": {}})
        answers = self.with_files(actor, form, step.answers)
        if task.audience == "staff":
            self.wired.uow.run(claim, ClaimTask(actor, task.id))
            self.wired.uow.run(complete, CompleteTask(actor, task.id, answers))
        elif task.corrects:
            self.wired.uow.run(correct, CorrectAnswers(actor, task.id, answers))
        else:
            self.wired.uow.run(complete, CompleteTask(actor, task.id, answers))

    def complete_part(self, task: Task, step: ScenarioStep, actor: Actor) -> None:
        """A task beside another: whose the other is, or a co-handler's answer."""
        self.wired.uow.run(claim, ClaimTask(actor, task.id))
        if task.kind == "joint":
            self.wired.uow.run(answer_jointly, AnswerJointly(actor, task.id, **step.answers))
            return
        answers = dict(step.answers)
        answers["co_handlers"] = tuple(answers.get("co_handlers") or ())
        self.wired.uow.run(dispatch_again, DispatchAgain(actor, task.id, **answers))

    def with_files(self, actor: Actor, form: Form, answers: Mapping[str, Any]) -> dict[str, Any]:
        """The answers, with a sample document uploaded for each file a scenario names."""
        made = dict(answers)
        for name, schema in form["schema"].get("properties", {}).items():
            if name not in made:
                continue
            if schema.get("format") == FORMAT:
                made[name] = self.upload(actor, str(made[name]))
            elif schema.get("items", {}).get("format") == FORMAT:
                made[name] = [self.upload(actor, str(each)) for each in made[name]]
        return made

    def upload(self, actor: Actor, name: str) -> str:
        file = name if name.endswith(".pdf") else f"{name}.pdf"
        command = StoreDocument(actor, file, io.BytesIO(SAMPLE_FILE))
        return self.wired.uow.run(store_document, command).id

    def move_to(self, at: datetime) -> None:
        """Let time pass; what falls due on the way happens at its own time, in order."""
        while True:
            with self.wired.uow.read() as session:
                due = jobs.next_due(session)
            if due is None or due > at:
                break
            self.clock.set(max(due, self.clock.now()))
            run_due(self.wired.uow)
        self.clock.set(max(at, self.clock.now()))
        self.drain()

    def drain(self) -> None:
        while run_due(self.wired.uow):
            pass

    def actor(self, user_name: str) -> Actor:
        with self.wired.uow.read() as session:
            user = session.scalar(select(User).where(User.user_name == user_name))
        if user is None:
            raise ScenarioFailed(f"{self.where}: nobody is called {user_name}")
        return actor_of(user)

    def open_tasks(self, session: ReadSession) -> list[Task]:
        found = select(Task).where(Task.case_id == self.case_id, Task.state == "open")
        return list(session.scalars(found.order_by(Task.opened_at, Task.id)))

    def day(self, at: datetime | None) -> str | None:
        return self.wired.ports.calendar.local_date(at).isoformat() if at else None

    def note(self, element: str, by: str) -> None:
        with self.wired.uow.read() as session:
            case = session.get_one(Case, self.case_id)
            made = definition(session, case.package_version_id, self.wired.ports)
            letters = list(
                session.scalars(
                    select(Letter.letter)
                    .where(Letter.case_id == self.case_id, Letter.state == "sent")
                    .order_by(Letter.created_at, Letter.letter)
                )
            )
            notices = self.notices(session)
        step = PlayedStep(
            at=self.clock.now(),
            element=element,
            label=self.label(made, element),
            by=by,
            letters=letters[self.seen :],
            stage=case.stage,
            promised_due=self.day(case.promised_due_at),
            legal_due=self.day(case.legal_due_at),
            notices=notices[self.told :],
        )
        self.seen, self.told = len(letters), len(notices)
        self.played.letters = letters
        self.played.steps.append(step)
        self.watch(step)

    def label(self, made: Definition, element: str) -> str:
        if element in made.process.elements:
            return made.label(element, self.locale)
        keys = (f"part.{element}.short", f"demo.step.{element}", f"clock.verb.{element}")
        return say(self.locale, next(key for key in keys if key in texts(self.locale)))

    def notices(self, session: ReadSession) -> list[str]:
        """All that staff were told of the case, each as ``2026-03-18 promised -3wd planning``."""
        elements = {
            f"task:{task.key}": f"task:{task.element}"
            for task in session.scalars(select(Task).where(Task.case_id == self.case_id))
        }
        found = []
        for row, name in session.execute(
            select(Notice, User.user_name)
            .outerjoin(User, User.id == Notice.user_id)
            .where(Notice.case_id == self.case_id)
            .order_by(
                Notice.created_at, Notice.clock, Notice.rung, User.user_name, Notice.department
            )
        ):
            clock, to = elements.get(row.clock, row.clock), name or row.department
            found.append(f"{self.day(row.created_at)} {clock} {row.rung} {to}")
        return found

    def note_end(self) -> None:
        with self.wired.uow.read() as session:
            case = session.get_one(Case, self.case_id)
            suggested = session.scalars(
                select(Suggestion.service)
                .where(Suggestion.case_id == self.case_id)
                .order_by(Suggestion.position)
            )
            self.played.suggestions = list(suggested)
        played = self.played
        played.state, played.outcome = case.state, case.outcome
        played.legal_due, played.promised_due = (
            self.day(case.legal_due_at),
            self.day(case.promised_due_at),
        )

    def check(self, expect: Mapping[str, Any], letters: list[str], notices: list[str]) -> None:
        with self.wired.uow.read() as session:
            case = session.get_one(Case, self.case_id)
            due = {_name(task): self.day(task.due_at) for task in self.open_tasks(session)}
            rows = session.scalars(select(ClockRow).where(ClockRow.case_id == self.case_id))
            clocks = {row.key: self.day(row.due_at) for row in rows}
            followers = [self.dates(each) for each in session.scalars(_followers(self.case_id))]
        actual: dict[str, Any] = {
            **self.dates(case),
            "waiting_for": case.waiting_for,
            "letters": letters,
            "notices": notices,
            "open": sorted(due),
            "task_due": due,
            "clocks": clocks,
            "followers": followers,
            "suggestions": self.played.suggestions,
        }
        problem = unmet(expect, actual)
        if problem is not None:
            raise ScenarioFailed(f"{self.where}: {problem}")

    def dates(self, case: Case) -> dict[str, Any]:
        """Where a case stands, and until when."""
        return {
            "stage": case.stage,
            "state": case.state,
            "outcome": case.outcome,
            "legal_due": self.day(case.legal_due_at),
            "promised_due": self.day(case.promised_due_at),
        }


def _followers(case_id: str) -> Select[Case]:
    return select(Case).where(Case.main_id == case_id).order_by(Case.reference)


def _name(task: Task) -> str:
    return task.kind if task.part_of is not None else task.element
