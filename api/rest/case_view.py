"""One case as staff see it: every part of its record in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from fastapi import Request

from api.access import application
from api.clock_words import ClockWords, entries_by_clock, line_of, reason_text
from api.rest import schemas as shapes
from api.rest.words import Words
from api.sentences import say
from engine.domain import sla
from engine.domain.access import Actor, may_take_task
from engine.domain.clock_terms import KINDS
from engine.domain.lifecycle import STAGES
from engine.store.queries.case_record import CaseRecord, case_record
from engine.store.tables import ClockEntry, ClockRow, Document, Event, Letter, Task
from engine.usecases.clock_buttons import buttons
from engine.usecases.documents import document_ids
from forms import answer_rows


def case_view(request: Request, actor: Actor, case_id: str) -> shapes.CaseView:
    """The case's whole record. Raises NotFound for one the actor may not see."""
    wired = application(request)
    with wired.uow.read() as session:
        record = case_record(session, actor, case_id)
        words = Words(wired, session, request.state.locale)
        return _View(record, words, actor).made()


class _View:
    def __init__(self, record: CaseRecord, words: Words, actor: Actor) -> None:
        self.record, self.words, self.actor = record, words, actor
        self.made_of = words.definition(record.case)
        self.now = words.wired.ports.clock.now()
        self.locale = words.locale
        self.clock_words = ClockWords(self.made_of, self.locale, words.wired.ports.calendar)
        self.documents = {row.id: row for row in record.documents}

    def made(self) -> shapes.CaseView:
        case, record, manifest = self.record.case, self.record, self.made_of.manifest
        outcome = manifest.outcomes.get(case.outcome or "")
        return shapes.CaseView(
            id=case.id,
            reference=case.reference,
            service=case.service,
            service_name=self.words.service(case.service),
            package=self.made_of.manifest.key,
            version=self.made_of.version,
            state=case.state,
            stage=case.stage,
            stages=list(self.stages()),
            waiting_for=case.waiting_for,
            outcome=case.outcome,
            outcome_name=outcome[self.locale] if outcome else None,
            applicant_name=record.applicant.display_name,
            applicant_contact={
                name: value
                for name, value in (
                    ("email", record.applicant.email),
                    ("phone", record.applicant.phone),
                )
                if value
            },
            department=case.department,
            department_name=self.words.department(case.department),
            received_at=case.received_at,
            legal_due_at=case.legal_due_at,
            promised_due_at=case.promised_due_at,
            closed_at=case.closed_at,
            revision=case.revision,
            clocks=list(self.clocks()),
            tasks=[self.task(task) for task in record.tasks],
            answers=list(self.answers()),
            documents=[document_view(row) for row in record.documents],
            letters=[self.letter(row) for row in record.letters],
            events=[self.event(row) for row in record.events if row.kind in _SHOWN],
            rating=record.rating.grade if record.rating else None,
            active_elements=[task.element for task in record.tasks if task.state == "open"],
            passed_elements=self.passed(),
        )

    def stages(self) -> Iterator[shapes.StageView]:
        at = STAGES.index(self.record.case.stage)
        ended = self.record.case.state != "open"
        for number, key in enumerate(STAGES):
            state: Literal["done", "current", "ahead"] = "ahead"
            if number < at or ended:
                state = "done"
            elif number == at:
                state = "current"
            yield shapes.StageView(
                key=key, name=self.made_of.manifest.stages[key][self.locale], state=state
            )

    def clocks(self) -> Iterator[shapes.ClockView]:
        """Those of the case first; of the tasks' only those that still count."""
        ledger = entries_by_clock(self.record.entries)
        order: dict[str, int] = {kind: number for number, kind in enumerate(KINDS)}
        for row in sorted(self.record.clocks, key=lambda row: (order[row.kind], row.key)):
            if row.kind != "task" or row.state != "stopped":
                yield self.clock(row, ledger.get(row.key, []))

    def clock(self, row: ClockRow, entries: list[ClockEntry]) -> shapes.ClockView:
        clock = sla.clock_from_mapping(row.body)
        terms = self.made_of.manifest.terms(row.key)
        pauses = terms.pauses if terms is not None else {}
        return shapes.ClockView(
            key=row.key,
            kind=row.kind,
            name=self.clock_words.title(row.key, clock.begun_by),
            state=row.state,
            due_at=row.due_at,
            provisional=clock.provisional,
            remaining_working_days=self.words.remaining_working_days(row.due_at, self.now),
            why=self.clock_words.why(entries),
            lines=[self.line(each) for each in entries],
            buttons=list(buttons(self.made_of, self.record.case, row, self.actor)),
            pauses={name: each.title[self.locale] for name, each in pauses.items()},
            open_pauses=[pause.name for pause in clock.pauses],
            extensions=list(terms.extension.limits) if terms is not None else [],
        )

    def line(self, entry: ClockEntry) -> shapes.ClockLine:
        line, calendar = line_of(entry), self.words.wired.ports.calendar
        return shapes.ClockLine(
            clock=entry.clock,
            verb=entry.verb,
            at=entry.at,
            text=self.clock_words.sentence(line),
            previous_due=calendar.local_date(line.previous_due) if line.previous_due else None,
            new_due=calendar.local_date(line.new_due) if line.new_due else None,
            working_days=line.working_days,
            basis=line.basis.get(self.locale, ""),
            reason=reason_text(line.reason, self.locale),
            actor_name=entry.actor_name or say(self.locale, "actor.system"),
            letter_id=entry.letter_id,
        )

    def task(self, task: Task) -> shapes.CaseTask:
        return shapes.CaseTask(
            id=task.id,
            element=task.element,
            name=self.made_of.label(task.element, self.locale),
            audience=task.audience,
            department_name=self.words.department(task.department),
            assignee_name=self.record.names.get(task.assignee_id or task.finished_by or ""),
            state=task.state,
            due_at=task.due_at,
            finished_at=task.finished_at,
            mine=task.assignee_id == self.actor.user_id,
            may_claim=task.state == "open"
            and task.assignee_id is None
            and may_take_task(self.actor, task.audience, task.department, task.role),
            has_form=task.form is not None,
        )

    def answers(self) -> Iterator[shapes.AnswerGroup]:
        case, manifest = self.record.case, self.made_of.manifest
        form_key = manifest.services[case.service].form
        flagged = {
            name for task in self.record.tasks if task.state == "open" for name in task.flagged
        }
        current = self.record.state.data.get(manifest.saves_as, {})
        yield self.group(
            self.words.service(case.service),
            self.record.applicant.display_name,
            case.received_at,
            form_key,
            current,
            flagged,
        )
        for task in self.record.tasks:
            if task.state == "done" and task.form and task.answers and not task.corrects:
                yield self.group(
                    self.made_of.label(task.element, self.locale),
                    self.record.names.get(task.finished_by or ""),
                    task.finished_at,
                    task.form,
                    task.answers,
                    set(),
                )

    def group(
        self, title: str, by: str | None, at: Any, form_key: str, answers: Any, flagged: set[str]
    ) -> shapes.AnswerGroup:
        form = self.made_of.forms[form_key]
        start_form = self.made_of.forms[
            self.made_of.manifest.services[self.record.case.service].form
        ]
        files: dict[str, list[shapes.DocumentView]] = {}
        for name, document in document_ids(form, answers):
            if document in self.documents:
                files.setdefault(name, []).append(document_view(self.documents[document]))
        rows = [
            shapes.Answer(
                field=row.field,
                label=row.label,
                value="" if row.field in files else row.value,
                documents=files.get(row.field, []),
                flagged=row.field in flagged,
            )
            for row in answer_rows(form, answers, self.locale, start_form=start_form)
        ]
        return shapes.AnswerGroup(title=title, by=by, at=at, rows=rows)

    def letter(self, row: Letter) -> shapes.LetterView:
        return shapes.LetterView(
            id=row.id,
            name=self.made_of.label(row.element, self.locale),
            state=row.state,
            subject=row.subject,
            body=row.body,
            to=self.record.applicant.display_name if row.to_applicant else row.address or "",
            created_at=row.created_at,
            sent_at=row.sent_at,
        )

    def event(self, row: Event) -> shapes.EventView:
        return shapes.EventView(
            number=row.number,
            kind=row.kind,
            text=self.event_text(row),
            actor=say(self.locale, "actor.system") if row.actor_id == "system" else row.actor_name,
            at=row.at,
        )

    def event_text(self, row: Event) -> str:
        details = dict(row.details)
        manifest = self.made_of.manifest
        outcome = manifest.outcomes.get(details.get("outcome") or "")
        return say(
            self.locale,
            f"event.{row.kind}",
            element=self.made_of.label(details.get("element", ""), self.locale),
            stage=manifest.stages.get(details.get("stage", ""), {}).get(self.locale, ""),
            outcome=outcome[self.locale] if outcome else "",
            clock=self.clock_words.title(details.get("clock", "legal")),
            reason=details.get("reason", ""),
            rule=reason_text(details.get("rule", ""), self.locale),
        )

    def passed(self) -> list[str]:
        passed: dict[str, None] = {}
        for row in self.record.events:
            if row.kind == "process_advanced":
                passed.update(dict.fromkeys(row.details["passed"]))
        return list(passed)


_SHOWN = frozenset(
    {
        "case_filed",
        "case_imported",
        "task_claimed",
        "task_unclaimed",
        "task_completed",
        "letter_written",
        "stage_reached",
        "case_decided",
        "case_closed",
        "case_withdrawn",
        "clock_pause",
        "clock_resume",
        "clock_extend",
        "clock_reset",
        "clock_recount",
        "silence_applied",
        "receipt_corrected",
        "clock_warned",
        "clock_breached",
        "next_services_suggested",
    }
)


def document_view(row: Document) -> shapes.DocumentView:
    return shapes.DocumentView(
        id=row.id,
        name=row.name,
        media_type=row.media_type,
        size=row.size,
        uploaded_at=row.uploaded_at,
    )
