"""Cases as process instances."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from sqlalchemy import select

from api.engine_rest.errors import unknown
from api.engine_rest.ids import definition_id
from api.engine_rest.job_views import variables_view
from engine.store.queries.case_rows import CaseRows
from engine.store.tables import Case, CaseState, PackageVersion, VariableNote
from engine.store.uow import ReadSession


def case_with_version(session: ReadSession, id_: str) -> tuple[Case, PackageVersion]:
    """Raises RestError(404)."""
    found = session.execute(
        select(Case, PackageVersion)
        .join(PackageVersion, PackageVersion.id == Case.package_version_id)
        .where(Case.id == id_)
    ).first()
    if found is None:
        raise unknown("Process instance", id_)
    return found[0], found[1]


def instance_view(
    request: Request, session: ReadSession, id_: str, with_variables: bool = False
) -> dict[str, Any]:
    """The case as a process instance. Raises RestError(404)."""
    case, version = case_with_version(session, id_)
    made = row_view(case, version)
    href = f"{str(request.base_url).rstrip('/')}/engine-rest/process-instance/{case.id}"
    made["links"] = [{"method": "GET", "href": href, "rel": "self"}]
    if with_variables:
        made["variables"] = variables_of(session, case)
    return made


def row_view(case: Case, version: PackageVersion) -> dict[str, Any]:
    return {
        "id": case.id,
        "definitionId": definition_id(version),
        "definitionKey": version.process,
        "businessKey": case.business_key or case.reference,
        "caseInstanceId": None,
        "tenantId": None,
        "ended": case.state != "open",
        "suspended": False,
        "links": [],
    }


def variables_of(session: ReadSession, case: Case) -> dict[str, dict[str, Any]]:
    """The case's variables with their types."""
    rows = CaseRows(session, case)
    state, notes = rows.first(CaseState), {row.name: row for row in rows.all(VariableNote)}
    return variables_view(state.data if state is not None else {}, notes)
