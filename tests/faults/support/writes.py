"""Every route that writes, and requests for those of cases, packages and people.

Those of clocks, of dispatch and of /engine-rest stand beside it. All of it is for duplicates.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select

from api import portal
from api.engine_rest import engine_rest
from api.main import create_app
from api.wiring import Application
from engine.kernel.errors import ExecutionFailed
from engine.store.tables import Incident, OfferedServiceRow, PackageVersion
from engine.store.uow import Work
from engine.usecases.claim import ClaimTask, claim
from engine.usecases.complete import CompleteTask
from engine.usecases.complete import complete as complete_task
from engine.usecases.repair import CorrectData, correct_data
from tests.faults.support.sent import Prepare, Sent
from tests.support.play import REQUEST, actor, filed, open_task
from tests.support.small_package import begun, files_of, person, published
from tests.unit.bpmn.coverage.play import catch, end, script, start, straight

READ_BY_POST = frozenset(
    f"POST /engine-rest/{path}"
    for path in (
        "task", "task/count", "process-instance", "process-instance/count", "external-task",
        "external-task/count", "history/process-instance", "history/process-instance/count",
    )
)  # fmt: skip
"""Routes that only ask, as Camunda's clients do, with a body."""
PREVIEWS = frozenset(
    f"POST /api/v1/{path}/preview" for path in ("recounts", "calendars/{name}", "dispatch")
)
"""Routes that say what would happen."""
SAFE = {"GET", "HEAD", "OPTIONS"}


def routes_that_write(wired: Application) -> set[str]:
    """``METHOD /path`` of every route of the product that may change something."""
    described = create_app(wired).openapi()["paths"]
    found = {f"{m.upper()} {path}" for path, methods in described.items() for m in methods}
    found |= {f"{m} {r.path}" for r in _walk(portal.router.routes) for m in r.methods}
    inner = _walk(engine_rest(wired).routes)
    found |= {f"{m} /engine-rest{r.path}" for r in inner for m in r.methods}
    return {line for line in found if line.split(" ")[0] not in SAFE} - READ_BY_POST - PREVIEWS


def _walk(routes: Any) -> Iterator[Any]:
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from _walk(inner.routes)
        elif hasattr(route, "methods"):
            yield route


def _task(wired: Application, claimed: bool = False) -> str:
    task = open_task(wired, filed(wired))
    if claimed:
        wired.uow.run(claim, ClaimTask(actor(wired, "foi_officer"), task.id))
    return task.id


def _versions(wired: Application) -> list[str]:
    with wired.uow.read() as session:
        return list(session.scalars(select(PackageVersion.id)))


def _failed(wired: Application) -> str:
    """The id of an incident that would not fail again."""
    # Another model each time, so that it takes the service over.
    divide = script("b", f"x = 1 / n + {len(_versions(wired))}")
    published(wired, straight(start(), person("a"), divide, person("c"), end()))
    case = begun(wired)
    task, who = open_task(wired, case), actor(wired, "foi_officer")
    wired.uow.run(claim, ClaimTask(who, task.id))
    try:
        wired.uow.run(complete_task, CompleteTask(who, task.id, {}))
    except ExecutionFailed:
        wired.uow.run(correct_data, CorrectData(actor(wired, "admin"), case.id, {"n": 2}, "x"))
    with wired.uow.read() as session:
        found: str = session.scalars(select(Incident.id).where(Incident.case_id == case.id)).one()
    return found


def _archive(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def _package(wired: Application) -> Sent:
    files = files_of(straight(start(), person("a"), end()), service="S004", key="fresh")
    return Sent("designer", "/api/v1/packages", {"files": {"file": ("p.zip", _archive(files))}})


def _migration(wired: Application) -> Sent:
    source = published(wired, straight(start(), person("a"), end()))
    begun(wired)
    target = published(wired, straight(start(), person("a"), person("b"), end()))
    body = {"source_id": source, "target_id": target, "apply": True}
    return Sent("designer", "/api/v1/migrations", {"json": body})


def awaiting_signal(wired: Application) -> Sent:
    """A case waits for the signal that is sent."""
    body = straight(start(), catch("wait", '<bpmn:signalEventDefinition signalRef="sg"/>'), end())
    published(wired, body, '<bpmn:signal id="sg" name="storm"/>')
    begun(wired)
    return Sent("admin", "/api/v1/signals", {"json": {"name": "storm"}})


def _repair(wired: Application) -> Sent:
    case = filed(wired)
    body = {"verb": "skip", "key": open_task(wired, case).key, "reason": "on paper"}
    return Sent("admin", f"/api/v1/cases/{case.id}/repairs", {"json": body})


def _user(wired: Application) -> Sent:
    body = {"user_name": "newcomer", "display_name": "New", "password": "a long pass phrase",
            "roles": ["caseworker"], "department": "FOI"}  # fmt: skip
    return Sent("admin", "/api/v1/users", {"json": body})


REST: dict[str, Prepare] = {
    "POST /api/v1/cases": lambda wired: Sent(
        "citizen", "/api/v1/cases", {"json": {"service": "F001", "answers": REQUEST}}
    ),
    "POST /api/v1/tasks/next": lambda wired: Sent(
        "foi_officer", f"/api/v1/tasks/next?case={_task(wired)}"
    ),
    "POST /api/v1/tasks/{task_id}/claim": lambda wired: Sent(
        "foi_officer", f"/api/v1/tasks/{_task(wired)}/claim"
    ),
    "POST /api/v1/tasks/{task_id}/unclaim": lambda wired: Sent(
        "foi_officer", f"/api/v1/tasks/{_task(wired, claimed=True)}/unclaim"
    ),
    "POST /api/v1/tasks/{task_id}/complete": lambda wired: Sent(
        "foi_officer",
        f"/api/v1/tasks/{_task(wired, claimed=True)}/complete",
        {"data": {"outcome": "accept"}, "files": {"attachment": ("a.pdf", b"%PDF-1.7 a")}},
    ),
    "POST /api/v1/cases/{case_id}/repairs": _repair,
    "POST /api/v1/incidents/{incident_id}/retry": lambda wired: Sent(
        "admin", f"/api/v1/incidents/{_failed(wired)}/retry", {"json": {"note": "mended"}}
    ),
    "POST /api/v1/incidents/retry": lambda wired: Sent(
        "admin", "/api/v1/incidents/retry", {"json": {"ids": [_failed(wired)], "apply": True}}
    ),
    "POST /api/v1/messages": lambda wired: Sent(
        "admin", "/api/v1/messages", {"json": {"name": "paid", "life_seconds": 600}}
    ),
    "POST /api/v1/signals": awaiting_signal,
    "POST /api/v1/migrations": _migration,
    "POST /api/v1/packages": _package,
    "POST /api/v1/users": _user,
    "PATCH /api/v1/users/{user_id}": lambda wired: Sent(
        "admin", f"/api/v1/users/{actor(wired, 'inspector').user_id}", {"json": {"active": False}}
    ),
    "PUT /api/v1/me/locale": lambda wired: Sent(
        "citizen", "/api/v1/me/locale", {"json": {"locale": "en"}}
    ),
}


def restored(wired: Application) -> None:
    """Let services be taken again by the packages they ship with."""

    def offer(work: Work, _: None) -> None:
        for service, key in (("F001", "information_request"), ("C001", "complaint")):
            shipped = select(PackageVersion.id).where(
                PackageVersion.key == key, PackageVersion.version == 1
            )
            row = work.session.get_one(OfferedServiceRow, service)
            row.package_version_id = work.session.scalars(shipped).one()

    wired.uow.run(offer, None)
