"""Jobs as Camunda's clients see external tasks, with the variables of each."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from api.engine_rest.ids import definition_id
from api.engine_rest.typed import instant, typed_value
from engine.domain.ports import Ports
from engine.domain.process import Seen
from engine.domain.variables import RESERVED, Note
from engine.kernel.errors import EngineError
from engine.store.tables import Case, CaseState, ExternalJob, PackageVersion, VariableNote
from engine.store.uow import ReadSession
from engine.usecases.definition import definition
from engine.usecases.external_jobs import FetchJobs
from engine.usecases.variables import notes_of

log = logging.getLogger("banshi.engine_rest")


@dataclass(frozen=True)
class Wishes:
    """What a worker asked for: `names` of variables by topic, None for all, and the topics of
    which it wants only the tasks' own variables."""

    command: FetchJobs
    names: Mapping[str, list[str] | None]
    own_only: Collection[str]


def locked(
    session: ReadSession, ports: Ports, rows: Sequence[ExternalJob], wishes: Wishes
) -> list[dict[str, Any]]:
    """The jobs just locked, each with the variables it sees now."""
    cases = _cases(session, rows)
    states = {
        state.case_id: state
        for state in session.scalars(select(CaseState).where(CaseState.case_id.in_(list(cases))))
    }
    notes = notes_of(session, list(cases))
    made = []
    for row in rows:
        case, version = cases[row.case_id]
        seen = _seen(session, ports, case, states[case.id], row)
        data = seen.own if row.topic in wishes.own_only else seen.data
        names = wishes.names.get(row.topic)
        made.append(
            {
                **_view(row, case, version),
                "variables": variables_view(data, notes[case.id], names),
            }
        )
    return made


def _seen(
    session: ReadSession, ports: Ports, case: Case, state: CaseState, row: ExternalJob
) -> Seen:
    try:
        made = definition(session, case.package_version_id, ports)
        return made.process.seen_by(state.state, row.key)
    except EngineError as error:
        # The case has gone on since the job was locked: its report will be refused.
        log.info("job %s is no longer open: %s", row.id, error)
        return Seen(state.data, {})


def listed(session: ReadSession, rows: Sequence[ExternalJob]) -> list[dict[str, Any]]:
    """Jobs in a list, without variables."""
    cases = _cases(session, rows)
    return [_view(row, *cases[row.case_id]) for row in rows]


def variables_view(
    data: Mapping[str, Any],
    notes: Mapping[str, VariableNote],
    names: Collection[str] | None = None,
) -> dict[str, dict[str, Any]]:
    """The variables `names` (None for all) with their types; the engine's own are left out."""
    return {
        name: typed_value(value, _note(notes.get(name)))
        for name, value in data.items()
        if name not in RESERVED and (names is None or name in names)
    }


def _note(row: VariableNote | None) -> Note | None:
    return None if row is None else Note(row.type, row.info)


def _cases(
    session: ReadSession, rows: Sequence[ExternalJob]
) -> dict[str, tuple[Case, PackageVersion]]:
    found = session.execute(
        select(Case, PackageVersion)
        .join(PackageVersion, PackageVersion.id == Case.package_version_id)
        .where(Case.id.in_({row.case_id for row in rows}))
    )
    return {case.id: (case, version) for case, version in found}


def _view(row: ExternalJob, case: Case, version: PackageVersion) -> dict[str, Any]:
    return {
        "id": row.id,
        "topicName": row.topic,
        "workerId": row.worker,
        "lockExpirationTime": instant(row.locked_until),
        "createTime": instant(row.created_at),
        "activityId": row.element,
        "activityInstanceId": f"{row.element}:{row.key}",
        "executionId": case.id,
        "processInstanceId": case.id,
        "processDefinitionId": definition_id(version),
        "processDefinitionKey": version.process,
        "processDefinitionVersionTag": version.version_tag,
        "retries": row.retries,
        "errorMessage": row.error,
        "errorDetails": row.error_details,
        "suspended": False,
        "tenantId": None,
        "priority": row.priority,
        "businessKey": case.business_key or case.reference,
        "extensionProperties": {},
    }
