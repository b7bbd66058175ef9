"""Start a case: the citizen's answers become a case with a reference number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.domain.access import Actor
from engine.kernel.errors import AnswersInvalid, NotFound
from engine.kernel.ids import case_reference, new_id
from engine.store.audit import record
from engine.store.statements import Query
from engine.store.tables import Case, ClockRow, Counter, Draft, OfferedServiceRow, User
from engine.store.tables.cases import FIRST
from engine.store.uow import Work
from engine.usecases.advance import advance
from engine.usecases.clock_calendar import service_calendar
from engine.usecases.definition import Definition, definition_for, offered_for
from engine.usecases.documents import attach_documents
from engine.usecases.stage_clocks import follow_stage


@dataclass(frozen=True)
class StartCase:
    """`answers` to the service's start form, or those of the applicant's `draft_id`."""

    actor: Actor
    service: str
    answers: Mapping[str, Any]
    locale: str = "zh-CN"
    channel: str = "web"
    draft_id: str | None = None


def start_case(work: Work, command: StartCase) -> Case:
    """File the case. A draft that was filed before gives the case it became.

    Raises ServiceNotOffered, NotFound for somebody else's draft, AnswersInvalid(fields), or
    ExecutionFailed.
    """
    draft, answers = None, command.answers
    if work.rows.known(User, command.actor.user_id) is None:
        read_starts(work, [command])
    if command.draft_id is not None:
        draft = work.rows.first(Draft, "id = %s", command.draft_id, lock=True)
        if draft is None or draft.owner_id != command.actor.user_id:
            raise NotFound(what="draft")
        if draft.case_id is not None:
            return work.rows.get_one(Case, draft.case_id)
        answers = draft.answers
        made = definition_for(work, draft.package_version_id)
    else:
        made = offered_for(work, command.service)
    service = made.manifest.services[command.service]
    form = made.forms[service.form]
    kept, errors = work.ports.forms.validate(form, answers)
    if errors:
        raise AnswersInvalid(fields=tuple(errors))
    case = _file(work, command, made)
    attach_documents(work, case, command.actor, form, kept)
    record(work, case, "case_filed", command.actor, service=case.service)
    follow_stage(work, made, case, command.actor)
    step = made.process.start(_data(work, command, made, case, kept))
    advance(work, made, case, step, command.actor)
    if draft is not None:
        draft.case_id = case.id
    return case


@dataclass(frozen=True)
class StartByMessage:
    """A message begins a case of `service` for `applicant` at the start event `element`.

    Without `element` it begins where a case that was filed would.
    """

    applicant: Actor
    service: str
    element: str | None
    data: Mapping[str, Any]


def start_by_message(work: Work, command: StartByMessage) -> Case:
    """File a case that nobody filled in a form for; the message's data becomes the case's.

    Raises ServiceNotOffered, ExecutionFailed.
    """
    made = offered_for(work, command.service)
    filed = StartCase(command.applicant, command.service, {}, channel="message")
    case = _file(work, filed, made)
    record(work, case, "case_filed", command.applicant, service=case.service)
    follow_stage(work, made, case, command.applicant)
    data = {**_data(work, filed, made, case, {}), **command.data}
    step = made.process.start(data, command.element)
    advance(work, made, case, step, command.applicant)
    return case


def _file(work: Work, command: StartCase, made: Definition) -> Case:
    year = work.ports.calendar.local_date(work.now).year
    prefix = made.manifest.reference_prefix
    case = Case(
        id=new_id(),
        reference=case_reference(
            prefix, year, _next_number(work, command.service, f"{prefix}-{year}")
        ),
        service=command.service,
        package_version_id=made.id,
        applicant_id=command.actor.user_id,
        locale=command.locale,
        channel=command.channel,
        state="open",
        stage="submitted",
        waiting_for="office",
        received_at=work.now,
        revision=1,
        events=0,
        head=FIRST,
    )
    work.rows.add(case)
    work.rows.whole(ClockRow, case.id)
    work.locked.add(case.id)
    return case


def _next_number(work: Work, service: str, name: str) -> int:
    _COUNTERS[service] = name
    counter = work.rows.known(Counter, name)
    if counter is None:
        counter = work.rows.first(Counter, "name = %s", name, lock=True)
    if counter is None:
        counter = Counter(name=name, last=0)
        work.rows.add(counter)
    counter.last += 1
    return counter.last


_COUNTERS: dict[str, str] = {}
"""The counter that gave a service its last number, to be read with all else at the beginning."""


def read_starts(work: Work, commands: Sequence[StartCase]) -> None:
    """Read what the filing of these cases needs, in one round trip."""
    services = {command.service for command in commands}
    counters = {_COUNTERS[each] for each in services if each in _COUNTERS}
    work.rows.fetch(
        Query(OfferedServiceRow, "service IN %s", (sorted(services),)),
        Query(User, "id IN %s", (sorted({each.actor.user_id for each in commands}),)),
        # Last, as it is locked until the commit.
        *([Query(Counter, "name IN %s", (sorted(counters),), lock=True)] if counters else []),
    )


def _data(
    work: Work, command: StartCase, made: Definition, case: Case, answers: Mapping[str, Any]
) -> dict[str, Any]:
    applicant = work.rows.get_one(User, case.applicant_id)
    service = work.ports.catalogue.services.get(case.service)
    return {
        "case": {
            "reference": case.reference,
            "service": case.service,
            "form": made.manifest.services[case.service].form,
            "channel": case.channel,
            "received_on": _received_on(work, made, case),
            "title": dict(service.name if service else made.manifest.title),
            "applicant": {
                "id": applicant.id,
                "name": applicant.display_name,
                "email": applicant.email or "",
                "phone": applicant.phone or "",
            },
        },
        made.manifest.saves_as: dict(answers),
    }


def _received_on(work: Work, made: Definition, case: Case) -> str:
    calendar = service_calendar(work.ports.calendars, made, case.service)
    return calendar.local_date(case.received_at).isoformat()
