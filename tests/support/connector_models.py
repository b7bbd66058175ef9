"""Small models with a connector's task, and what became of their cases."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import quoteattr

from sqlalchemy import select

from api.wiring import Application
from engine.store.tables import Case, CaseState, ExternalJob, Incident, Job
from tests.support.small_package import person
from tests.unit.bpmn.coverage.play import end, start, straight

ERROR = '<bpmn:error id="gone" errorCode="not_found"/>'


def connector_task(connector: str, id_: str = "call", **settings: str) -> str:
    """Settings with a dot are written with two underscores: ``header__Accept``."""
    rows = "".join(
        f'<spiffworkflow:property name="{name.replace("__", ".")}" value={quoteattr(value)}/>'
        for name, value in ({"connector": connector} | settings).items()
    )
    return (
        f'<bpmn:serviceTask id="{id_}"><bpmn:extensionElements><spiffworkflow:properties>{rows}'
        "</spiffworkflow:properties></bpmn:extensionElements></bpmn:serviceTask>"
    )


def calling(connector: str, **settings: str) -> str:
    """Start, person ``a``, the connector's task ``call``, person ``b``, end."""
    task = connector_task(connector, **settings)
    return straight(start(), person("a"), task, person("b"), end())


def data_of(wired: Application, case: Case) -> dict[str, Any]:
    with wired.uow.read() as session:
        return dict(session.get_one(CaseState, case.id).data)


def waiting_of(wired: Application, case: Case) -> ExternalJob:
    with wired.uow.read() as session:
        return session.scalars(select(ExternalJob).where(ExternalJob.case_id == case.id)).one()


def calls_of(wired: Application, case: Case) -> list[Job]:
    """The jobs that call connectors, oldest first."""
    with wired.uow.read() as session:
        return list(
            session.scalars(
                select(Job)
                .where(Job.case_id == case.id, Job.kind == "connector")
                .order_by(Job.created_at, Job.id)
            )
        )


def incidents_of(wired: Application, case: Case) -> list[Incident]:
    with wired.uow.read() as session:
        return list(session.scalars(select(Incident).where(Incident.case_id == case.id)))
