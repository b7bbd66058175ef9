"""Letters: promised with the step that asks for them, rendered and sent by a job."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from engine.domain.access import Actor
from engine.domain.process import Effect
from engine.kernel.errors import ExecutionFailed
from engine.kernel.ids import new_id
from engine.store import jobs
from engine.store.audit import record
from engine.store.tables import Case, Department, Letter, User
from engine.store.uow import ReadSession, Work
from engine.usecases.clock_letters import tells_of
from engine.usecases.definition import Definition

DATES = ("received_on", "legal_due", "promised_due", "previous_promised")


def write_letter(work: Work, made: Definition, case: Case, effect: Effect, actor: Actor) -> Letter:
    """Keep what the letter says at this instant, and promise to render and send it."""
    key = str(effect.properties.get("letter"))
    if key not in made.letters:
        raise ExecutionFailed(element=effect.element, reason="letter_missing", letter=key)
    to = effect.properties.get("to") or "applicant"
    applicant = work.rows.get_one(User, case.applicant_id)
    to_applicant = to == "applicant"
    row = Letter(
        id=new_id(),
        case_id=case.id,
        letter=key,
        element=effect.element,
        to_applicant=to_applicant,
        address=applicant.email if to_applicant else str(to)[:254],
        locale=case.locale,
        context=_context(work, made, case, effect, applicant),
        state="waiting",
        created_at=work.now,
    )
    work.rows.add(row)
    tells_of(work, made, case, row)
    record(work, case, "letter_written", actor, letter=key, element=effect.element)
    jobs.promise(work, "letter", f"letter:{row.id}", {"letter_id": row.id}, case_id=case.id)
    return row


def _context(
    work: Work, made: Definition, case: Case, effect: Effect, applicant: User
) -> dict[str, Any]:
    calendar, locale = work.ports.calendar, case.locale

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
            "previous_promised": day(effect.properties.get("previous_promised")),
            "outcome": case.outcome,
            "outcome_label": outcome[locale] if outcome else None,
        },
        "applicant": {"name": applicant.display_name},
        "data": dict(effect.data),
        "department": _department(work, case, locale),
        "office": {
            name: value[locale] if isinstance(value, dict) else value
            for name, value in work.ports.office.items()
        },
        "today": day(work.now),
    }


def _department(work: Work, case: Case, locale: str) -> dict[str, str]:
    # The one that has the case now, or had it last.
    department = work.rows.get(Department, case.department) if case.department else None
    if department is None:
        office = work.ports.office
        return {
            "name": office["name"][locale],
            "phone": office["phone"],
            "address": office["address"][locale],
        }
    return {
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
