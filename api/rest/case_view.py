"""One case as staff see it: every part of its record in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from fastapi import Request

from api.access import application
from api.ledger_words import reason_text
from api.rest import schemas as shapes
from api.rest.clock_view import CaseClocks
from api.rest.task_view import CaseTasks
from api.rest.words import Words
from api.sentences import say
from engine.domain.access import Actor, may_correct_receipt
from engine.domain.lifecycle import STAGES
from engine.store.queries.case_record import CaseRecord, case_record
from engine.store.tables import Case, Document, Event, Letter
from engine.usecases.department_time import stays, time_by_department
from engine.usecases.documents import document_ids
from engine.usecases.substitution import acting_now
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
        self.calendar = words.calendar(record.case)
        self.locale = words.locale
        self.clocks = CaseClocks(record, words, self.made_of, actor)
        self.documents = {row.id: row for row in record.documents}
        acting = acting_now(words.session, actor, self.now)
        self.tasks = CaseTasks(record, words, self.made_of, acting)

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
            clocks=list(self.clocks.views()),
            tasks=[self.tasks.view(task) for task in record.tasks],
            answers=list(self.answers()),
            documents=[document_view(row) for row in record.documents],
            letters=[self.letter(row) for row in record.letters],
            events=[self.event(row) for row in record.events if row.kind in _SHOWN],
            rating=record.rating.grade if record.rating else None,
            active_elements=[
                task.element for task in record.tasks if task.state in ("open", "held")
            ],
            passed_elements=self.passed(),
            return_reasons=list(self.tasks.return_reasons()),
            main=_link(record.main) if record.main else None,
            followers=[_link(each) for each in record.followers],
            may_merge=self.may_merge(),
            may_correct_receipt=case.state == "open" and may_correct_receipt(self.actor),
            department_hours=self.department_hours(),
        )

    def may_merge(self) -> bool:
        case, actor = self.record.case, self.actor
        mine = actor.oversees_office or case.department == actor.department
        return mine and case.state == "open" and case.decided_at is None

    def department_hours(self) -> dict[str, float]:
        found = time_by_department(stays(self.record.tasks, self.record.moves), self.now)
        return {
            self.words.department(code) or code: round(time.total_seconds() / 3600, 1)
            for code, time in found.items()
        }

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
            actor=self.event_actor(row),
            at=row.at,
        )

    def event_actor(self, row: Event) -> str:
        if row.actor_id == "system":
            return say(self.locale, "actor.system")
        principal = row.details.get("for_name")
        if principal is None:
            return row.actor_name
        return say(self.locale, "event.for", actor=row.actor_name, name=principal)

    def event_text(self, row: Event) -> str:
        details = dict(row.details)
        manifest = self.made_of.manifest
        outcome = manifest.outcomes.get(details.get("outcome") or "")
        reason = details.get("reason", "")
        returned = manifest.dispatch.reasons.get(reason) if row.kind == "task_returned" else None
        department = self.words.department(details.get("department")) or ""
        departments = details.get("departments") or []
        position, kind = details.get("position"), details.get("part")
        element = self.made_of.label(details.get("element", ""), self.locale)
        return say(
            self.locale,
            f"event.{row.kind}",
            element=say(self.locale, f"part.{kind}", element=element) if kind else element,
            stage=manifest.stages.get(details.get("stage", ""), {}).get(self.locale, ""),
            outcome=outcome[self.locale] if outcome else "",
            clock=self.clocks.says.title(details.get("clock", "legal")),
            reason=returned.title[self.locale] if returned else reason,
            rule=reason_text(details.get("rule", ""), self.locale),
            basis=details.get("basis", ""),
            name=details.get("name", ""),
            reference=details.get("reference", ""),
            department=department,
            departments=", ".join(self.words.department(each) or each for each in departments),
            position=say(self.locale, f"position.{position}") if position else "",
        ).strip()

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
        "task_returned",
        "task_assigned",
        "task_redispatched",
        "task_adjudicated",
        "task_reassigned",
        "task_delegated",
        "question_answered",
        "task_taken_back",
        "joint_requested",
        "joint_answered",
        "joint_lapsed",
        "case_merged",
        "case_followed",
        "case_unmerged",
        "case_unfollowed",
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


def _link(case: Case) -> shapes.CaseLink:
    return shapes.CaseLink(id=case.id, reference=case.reference)


def document_view(row: Document) -> shapes.DocumentView:
    return shapes.DocumentView(
        id=row.id,
        name=row.name,
        media_type=row.media_type,
        size=row.size,
        uploaded_at=row.uploaded_at,
    )
