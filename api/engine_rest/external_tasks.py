"""External tasks: the jobs that programs fetch, hold, report and look at."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.concurrency import run_in_threadpool

from api.access import application
from api.engine_rest import job_views
from api.engine_rest.access import require_administrator, require_worker
from api.engine_rest.asking import (
    NO_CONTENT,
    Asked,
    Body,
    flag,
    milliseconds,
    needed,
    number,
    page_of,
    text,
    texts,
)
from api.engine_rest.bell import Bell, TooManyWaiting
from api.engine_rest.errors import ENGINE, RestError, invalid, unknown
from api.engine_rest.ids import version_ids
from api.engine_rest.typed import read_variables
from api.wiring import Application
from engine.domain.access import Actor
from engine.store.idempotency import write_request
from engine.store.queries import definitions, external
from engine.usecases import external_jobs as jobs
from engine.usecases.external_jobs import FetchJobs, LockJob, Order, SetPriority, Topic
from engine.usecases.job_reports import (
    CompleteJob,
    FailJob,
    JobError,
    SetRetries,
    complete_job,
    fail_job,
    job_error,
    set_retries,
)

router = APIRouter(prefix="/external-task")
Worker = Annotated[Actor, Depends(require_worker)]
Administrator = Annotated[Actor, Depends(require_administrator)]
LONGEST_POLL = 1_800_000
MOST_TOPICS = 200


@router.post("/fetchAndLock")
async def fetch_and_lock(request: Request, actor: Worker, body: Body) -> Response:
    """Lock jobs for a worker and hand them over; wait for some if `asyncResponseTimeout` says."""
    wired, bell = application(request), cast(Bell, request.app.state.bell)
    wishes = await run_in_threadpool(_wishes, wired, body)
    wait = number(body, "asyncResponseTimeout", 0, LONGEST_POLL) or 0
    end = time.monotonic() + wait / 1000
    gone = asyncio.create_task(_gone(request))
    try:
        while not gone.done():
            found = await run_in_threadpool(_fetch, wired, wishes)
            left = end - time.monotonic()
            if found or left <= 0:
                return JSONResponse(found)
            await _wait(bell, wishes.command, left, gone)
    finally:
        gone.cancel()
    return JSONResponse([])


async def _wait(bell: Bell, command: FetchJobs, seconds: float, gone: asyncio.Task[None]) -> None:
    """Until there may be work, the time is over, or nobody wants the answer any more."""
    rung = asyncio.create_task(bell.wait([topic.name for topic in command.topics], seconds))
    try:
        await asyncio.wait({rung, gone}, return_when=asyncio.FIRST_COMPLETED)
        if rung.done():
            rung.result()
    except TooManyWaiting:
        raise RestError(500, ENGINE, "Too many requests wait for external tasks") from None
    finally:
        rung.cancel()


async def _gone(request: Request) -> None:
    """Ends when the client has hung up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _fetch(wired: Application, wishes: job_views.Wishes) -> list[dict[str, Any]]:
    sent = write_request.get()
    with wired.uow.read() as session:
        # Most polls find nothing, and need not write to learn it.
        again = sent is not None and sent.key is not None
        if not again and not jobs.free_jobs(session, wishes.command, wired.ports.clock.now(), 1):
            return []
    rows = wired.uow.run(jobs.fetch_jobs, wishes.command)
    if not rows:
        return []
    with wired.uow.read() as session:
        return job_views.locked(session, wired.ports, rows, wishes)


def _wishes(wired: Application, body: Mapping[str, Any]) -> job_views.Wishes:
    rows = body.get("topics")
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise invalid("topics must be a list of topics")
    if len(rows) > MOST_TOPICS:
        raise invalid(f"At most {MOST_TOPICS} topics can be fetched at once")
    topics = [_topic(wired, row) for row in rows]
    if len({topic.name for topic in topics}) < len(topics):
        raise invalid("A topic is named twice")
    most = number(body, "maxTasks", 1)
    if most is None:
        raise invalid("maxTasks must be given")
    command = FetchJobs(
        worker=needed(body, "workerId", 120),
        topics=topics,
        at_most=most,
        by_priority=flag(body, "usePriority"),
        created=_created(body),
    )
    return job_views.Wishes(
        command,
        {needed(row, "topicName"): texts(row, "variables") for row in rows},
        frozenset(needed(row, "topicName") for row in rows if flag(row, "localVariables")),
    )


def _created(body: Mapping[str, Any]) -> Order | None:
    orders = body.get("sorting") or []
    if not isinstance(orders, list) or not all(isinstance(each, Mapping) for each in orders):
        raise invalid("sorting must be a list")
    for each in orders:
        if each.get("sortBy") != "createTime" or each.get("sortOrder") not in ("asc", "desc"):
            raise invalid("Only sorting by createTime, asc or desc, is possible")
    return cast(Order, orders[0]["sortOrder"]) if orders else None


def _topic(wired: Application, row: Mapping[str, Any]) -> Topic:
    processes, ids = texts(row, "processDefinitionKeyIn"), texts(row, "processDefinitionIdIn")
    key, id_ = text(row, "processDefinitionKey"), text(row, "processDefinitionId")
    tag = text(row, "processDefinitionVersionTag")
    if key is not None:
        processes = [key] if processes is None or key in processes else []
    if id_ is not None:
        ids = [id_] if ids is None or id_ in ids else []
    versions = None
    if processes is not None or ids is not None or tag is not None:
        with wired.uow.read() as session:
            wanted = version_ids(ids) if ids is not None else None
            versions = definitions.ids_of(session, processes, wanted, tag)
    if texts(row, "tenantIdIn"):
        versions = frozenset()  # nothing here belongs to a tenant
    equal = row.get("processVariables") or {}
    if not isinstance(equal, Mapping):
        raise invalid("processVariables must be an object")
    return Topic(
        name=needed(row, "topicName", 160),
        lock=milliseconds(row, "lockDuration", positive=True),
        business_key=text(row, "businessKey"),
        versions=versions,
        equal=dict(equal),
    )


@router.post("/{id_}/complete", **NO_CONTENT)
def complete(request: Request, actor: Worker, id_: str, body: Body) -> None:
    command = CompleteJob(
        actor,
        needed(body, "workerId"),
        id_,
        read_variables(body.get("variables")),
        read_variables(body.get("localVariables"), "localVariables"),
    )
    application(request).uow.run(complete_job, command)


@router.post("/{id_}/failure", **NO_CONTENT)
def failure(request: Request, actor: Worker, id_: str, body: Body) -> None:
    """With no retries left the job becomes an incident; else it is offered after a while."""
    command = FailJob(
        actor,
        needed(body, "workerId"),
        id_,
        str(body.get("errorMessage") or ""),
        str(body.get("errorDetails") or ""),
        number(body, "retries"),
        timedelta(milliseconds=number(body, "retryTimeout", 0, 2**53) or 0),
        read_variables(body.get("variables")),
    )
    application(request).uow.run(fail_job, command)


@router.post("/{id_}/bpmnError", **NO_CONTENT)
def bpmn_error(request: Request, actor: Worker, id_: str, body: Body) -> None:
    command = JobError(
        actor,
        needed(body, "workerId"),
        id_,
        needed(body, "errorCode"),
        str(body.get("errorMessage") or ""),
        read_variables(body.get("variables")),
    )
    application(request).uow.run(job_error, command)


@router.post("/{id_}/lock", **NO_CONTENT)
def lock(request: Request, actor: Worker, id_: str, body: Body) -> None:
    duration = milliseconds(body, "lockDuration", positive=True)
    command = LockJob(needed(body, "workerId", 120), id_, duration)
    application(request).uow.run(jobs.lock_job, command)


@router.post("/{id_}/extendLock", **NO_CONTENT)
def extend_lock(request: Request, actor: Worker, id_: str, body: Body) -> None:
    duration = milliseconds(body, "newDuration", positive=True)
    command = LockJob(needed(body, "workerId", 120), id_, duration, extend=True)
    application(request).uow.run(jobs.lock_job, command)


@router.post("/{id_}/unlock", **NO_CONTENT)
def unlock(request: Request, actor: Worker, id_: str) -> None:
    application(request).uow.run(jobs.unlock_job, id_)


@router.put("/{id_}/retries", **NO_CONTENT)
def put_retries(request: Request, actor: Administrator, id_: str, body: Body) -> None:
    retries = number(body, "retries")
    if retries is None:
        raise invalid("The number of retries cannot be null")
    application(request).uow.run(set_retries, SetRetries(actor, id_, retries))


@router.put("/{id_}/priority", **NO_CONTENT)
def put_priority(request: Request, actor: Administrator, id_: str, body: Body) -> None:
    priority = number(body, "priority", -(2**31))
    if priority is None:
        raise invalid("priority must be given")
    application(request).uow.run(jobs.set_priority, SetPriority(id_, priority))


@router.get("")
@router.post("")
def list_tasks(request: Request, actor: Worker, asked: Asked) -> list[dict[str, Any]]:
    """The open jobs that fit, without their variables."""
    wired = application(request)
    with wired.uow.read() as session:
        rows = external.open_jobs(session, _filter(wired, asked), *page_of(asked))
        return job_views.listed(session, rows)


@router.get("/count")
@router.post("/count")
def count_tasks(request: Request, actor: Worker, asked: Asked) -> dict[str, int]:
    wired = application(request)
    with wired.uow.read() as session:
        return {"count": external.count_open_jobs(session, _filter(wired, asked))}


def _filter(wired: Application, asked: Mapping[str, Any]) -> external.JobFilter:
    key, id_ = text(asked, "processDefinitionKey"), text(asked, "processDefinitionId")
    versions = None
    if key is not None or id_ is not None:
        with wired.uow.read() as session:
            ids = version_ids([id_]) if id_ is not None else None
            versions = definitions.ids_of(session, [key] if key is not None else None, ids)
    return external.JobFilter(
        now=wired.ports.clock.now(),
        id=text(asked, "externalTaskId"),
        topic=text(asked, "topicName"),
        worker=text(asked, "workerId"),
        case_id=text(asked, "processInstanceId"),
        element=text(asked, "activityId"),
        versions=versions,
        locked=_either(asked, "locked", "notLocked"),
        with_retries=_either(asked, "withRetriesLeft", "noRetriesLeft"),
    )


def _either(asked: Mapping[str, Any], yes: str, no: str) -> bool | None:
    if flag(asked, yes):
        return True
    return False if flag(asked, no) else None


@router.get("/{id_}")
def get_task(request: Request, actor: Worker, id_: str) -> dict[str, Any]:
    wired = application(request)
    with wired.uow.read() as session:
        wanted = external.JobFilter(now=wired.ports.clock.now(), id=id_)
        found = job_views.listed(session, external.open_jobs(session, wanted, 0, 1))
    if not found:
        raise unknown("External task", id_)
    return found[0]


@router.get("/{id_}/errorDetails")
def error_details(request: Request, actor: Worker, id_: str) -> Response:
    """What the worker told of the last failure, as plain text."""
    with application(request).uow.read() as session:
        row = external.job(session, id_)
    if row is None:
        raise unknown("External task", id_)
    return PlainTextResponse(row.error_details or "", 200 if row.error_details else 204)
