"""The manager's page: how limits are kept, by law and by promise."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from api.access import application, require_performance
from api.rest.dispatch_schemas import ReturnPage, ReturnView
from api.rest.performance_schemas import SlaCell, SlaFigures, SlaMonth, SlaRisk
from api.rest.task_view import task_name
from api.rest.words import Words, remaining_working_days
from engine.domain.access import Actor
from engine.store.queries.performance import Figures, RiskRow, cases_at_risk, open_incidents
from engine.store.queries.returns import ReturnRow, returns
from engine.usecases.figures import figures, soon

router = APIRouter(tags=["performance"])


@router.get("/sla", operation_id="get_sla", response_model=SlaFigures)
def get_sla(request: Request, actor: Annotated[Actor, Depends(require_performance)]) -> SlaFigures:
    """The office's figures as they were counted `at` an instant, some seconds ago at most."""
    wired = application(request)
    made = figures(wired.uow)
    cells = made.cells.values()
    with wired.uow.read() as session:
        words = Words(wired, session, request.state.locale)
        months = [
            SlaMonth(
                month=month,
                closed=row.closed,
                on_time_legal=row.on_time_legal,
                on_time_promised=row.on_time_promised,
            )
            for month, row in sorted(made.months.items())
        ]
        at_risk = cases_at_risk(session, soon(wired.ports.calendar, wired.ports.clock.now()))
        return SlaFigures(
            at=made.at,
            open=sum(cell.open for cell in cells),
            due_soon=sum(cell.due_soon for cell in cells),
            overdue_promised=sum(cell.overdue for cell in cells),
            overdue_legal=sum(cell.overdue_legal for cell in cells),
            closed=sum(month.closed for month in months),
            on_time_legal=sum(month.on_time_legal for month in months),
            on_time_promised=sum(month.on_time_promised for month in months),
            ratings=[sum(grade) for grade in zip(*_ratings(made), strict=True)],
            cells=_cells(made, words),
            at_risk=[_risk(row, words) for row in at_risk],
            months=months,
            incidents=open_incidents(session),
        )


@router.get("/returns", operation_id="list_returns", response_model=ReturnPage)
def list_returns(
    request: Request, actor: Annotated[Actor, Depends(require_performance)]
) -> ReturnPage:
    """The newest returned tasks: of the whole office, or of the manager's own department."""
    wired = application(request)
    with wired.uow.read() as session:
        words = Words(wired, session, request.state.locale)
        return ReturnPage(items=[_return(row, words) for row in returns(session, actor.department)])


def _return(row: ReturnRow, words: Words) -> ReturnView:
    move, made = row.move, words.definition(row.case)
    now = words.wired.ports.clock.now()
    reason = made.manifest.dispatch.reasons.get(move.reason)
    undecided = (move.decided_at or row.task.finished_at or now) - move.left_at
    return ReturnView(
        case_id=row.case.id,
        reference=row.case.reference,
        service_name=words.service(row.case.service),
        task_name=made.label(row.task.element, words.locale),
        number=move.number,
        department=move.department,
        department_name=words.department(move.department),
        by=row.by,
        returned_at=move.left_at,
        reason_name=reason.title[words.locale] if reason else move.reason,
        basis=move.basis,
        hours=_hours(move.left_at - move.came_at),
        undecided_hours=_hours(undecided),
        outcome=row.outcome,
        to_name=words.department(move.to_department),
        decided_by=row.decided_by,
        decision=move.decision,
    )


def _hours(time: timedelta) -> float:
    return round(time.total_seconds() / 3600, 1)


def _ratings(made: Figures) -> list[list[int]]:
    return [[0] * 5, *(month.ratings for month in made.months.values())]


def _cells(made: Figures, words: Words) -> list[SlaCell]:
    return [
        SlaCell(
            department=department,
            department_name=words.department(department) or "",
            service=service,
            service_name=words.service(service),
            open=cell.open,
            due_soon=cell.due_soon,
            overdue=cell.overdue,
            paused=cell.paused,
            returned=cell.returned,
        )
        for (department, service), cell in sorted(made.cells.items())
    ]


def _risk(row: RiskRow, words: Words) -> SlaRisk:
    case, now = row.case, words.wired.ports.clock.now()
    made = words.definition(case)
    label = task_name(made, row.task, words.locale) if row.task else None
    return SlaRisk(
        case_id=case.id,
        reference=case.reference,
        service_name=words.service(case.service),
        department_name=words.department(case.department),
        task_name=label,
        assignee_name=row.assignee,
        promised_due_at=case.promised_due_at,
        legal_due_at=case.legal_due_at,
        remaining_working_days=remaining_working_days(
            words.calendar(case), case.promised_due_at, now
        ),
        overdue=case.promised_due_at is not None and case.promised_due_at < now,
    )
