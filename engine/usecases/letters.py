"""Letters: promised with the step that asks for them, rendered and sent by a job."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from engine.domain.access import SYSTEM, Actor
from engine.domain.process import Effect
from engine.kernel.errors import ExecutionFailed
from engine.kernel.ids import new_id
from engine.store import jobs
from engine.store.audit import record
from engine.store.tables import Case, Department, Event, Letter, User
from engine.store.uow import ReadSession, Work
from engine.usecases.clock_letters import tells_of
from engine.usecases.definition import Definition

WRITTEN = "letter_written"
DATES = ("received_on", "legal_due", "promised_due", "previous_promised")


def write_letter(work: Work, made: Definition, case: Case, effect: Effect, actor: Actor) -> None:
    """Keep what the letter says at this instant, and promise to render and send it."""
    key = str(effect.properties.get("letter"))
    if key not in made.letters:
        raise ExecutionFailed(element=effect.element, reason="letter_missing", letter=key)
    to = effect.properties.get("to") or "applicant"
    applicant = work.rows.get_one(User, case.applicant_id)
    to_applicant = to == "applicant"
    previous = effect.properties.get("previous_promised")
    context = _context(work, made, case, effect.data, applicant, case.department, previous)
    row = Letter(
        id=new_id(),
        case_id=case.id,
        letter=key,
        element=effect.element,
        to_applicant=to_applicant,
        address=applicant.email if to_applicant else str(to)[:254],
        locale=case.locale,
        context=context,
        state="waiting",
        created_at=work.now,
    )
    _keep(work, made, case, row, actor)


def _keep(work: Work, made: Definition, case: Case, row: Letter, actor: Actor) -> None:
    work.rows.add(row)
    tells_of(work, made, case, row)
    record(work, case, WRITTEN, actor, letter=row.letter, element=row.element, letter_id=row.id)
    jobs.promise(work, "letter", f"letter:{row.id}", {"letter_id": row.id}, case_id=case.id)


def letters_since_decision(work: Work, case: Case) -> list[Letter]:
    """What the applicant of a decided case was told with and after its last decision, in order."""
    events = work.rows.select(
        Event,
        "case_id = %s AND kind IN %s ORDER BY number",
        case.id,
        [WRITTEN, "case_decided"],
    )
    ids: list[str] = []
    for event in events:
        ids = [*ids, event.details.get("letter_id", "")] if event.kind == WRITTEN else []
    if not ids:
        return []
    found = {row.id: row for row in work.rows.select(Letter, "id IN %s", ids)}
    return [found[id_] for id_ in ids if id_ in found and found[id_].to_applicant]


def write_same_letter(
    work: Work, made: Definition, case: Case, letter: Letter, main: Case, own: dict[str, Any]
) -> None:
    """The letter that the applicant of `main` got, to the applicant of a case that follows it.

    `own` is the process data of the case: what its applicant wrote stands in the letter instead
    of what the other did.
    """
    applicant = work.rows.get_one(User, case.applicant_id)
    data = {**letter.context["data"]}
    department = letter.context["department"].get("code") or main.department
    for name in ("case", made.manifest.saves_as):
        data[name] = own.get(name)
    row = Letter(
        id=new_id(),
        case_id=case.id,
        letter=letter.letter,
        element=letter.element,
        to_applicant=True,
        address=applicant.email,
        locale=case.locale,
        context=_context(work, made, case, data, applicant, department),
        state="waiting",
        created_at=work.now,
    )
    _keep(work, made, case, row, SYSTEM)


def _context(
    work: Work,
    made: Definition,
    case: Case,
    data: Mapping[str, Any],
    applicant: User,
    department: str | None,
    previous_promised: datetime | None = None,
) -> dict[str, Any]:
    calendar = work.ports.calendars.named(made.manifest.calendar_of(case.service))
    locale = case.locale

    def day(at: datetime | None) -> str | None:
        return calendar.local_date(at).isoformat() if at else None

    outcome = made.manifest.outcomes.get(case.outcome or "")
    service = work.ports.catalogue.services.get(case.service)
    return {
        "case": {
            "reference": case.reference,
            "service": case.service,
            "title": service.name[locale] if service else made.manifest.title[locale],
            "received_on": day(case.received_at),
            "legal_due": day(case.legal_due_at),
            "promised_due": day(case.promised_due_at),
            "previous_promised": day(previous_promised),
            "outcome": case.outcome,
            "outcome_label": outcome[locale] if outcome else None,
        },
        "applicant": {"name": applicant.display_name},
        "data": dict(data),
        "department": _department(work, department, locale),
        "office": {
            name: value[locale] if isinstance(value, dict) else value
            for name, value in work.ports.office.items()
        },
        "today": day(work.now),
    }


def _department(work: Work, code: str | None, locale: str) -> dict[str, str]:
    # The one that has the case now, or had it last.
    department = work.rows.get(Department, code) if code else None
    if department is None:
        office = work.ports.office
        return {
            "name": office["name"][locale],
            "phone": office["phone"],
            "address": office["address"][locale],
        }
    return {
        "code": department.code,
        "name": department.name[locale],
        "phone": department.phone,
        "address": (department.address or {}).get(locale, ""),
    }


def letter_for_rendering(session: ReadSession, letter_id: str) -> Letter | None:
    """The letter if it still waits to be rendered."""
    letter = session.get(Letter, letter_id)
    return letter if letter is not None and letter.state == "waiting" else None


def with_dates(context: dict[str, Any]) -> dict[str, Any]:
    """The kept context with its dates as dates again."""
    case = {
        name: date.fromisoformat(value) if name in DATES and value else value
        for name, value in context["case"].items()
    }
    return context | {"case": case, "today": date.fromisoformat(context["today"])}
