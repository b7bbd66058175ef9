"""Requests that can be sent to the routes of dispatch, merging and absences that write."""

from __future__ import annotations

from datetime import date
from typing import Any

from api.demo.office import shipped_package
from api.wiring import Application
from engine.domain.access import SYSTEM
from engine.store.tables import Task
from engine.usecases.absences import EnterAbsence, enter_absence
from engine.usecases.claim import ClaimTask, claim
from engine.usecases.delegate import DelegateTask, delegate
from engine.usecases.joint_answers import AskJointly, ask_jointly
from engine.usecases.merge import MergeCases, merge
from engine.usecases.publish import PublishPackage, publish
from tests.faults.support.sent import Prepare, Sent
from tests.support.complaints import complained, dispatched, main_task, part, returned
from tests.support.play import actor

FIRST, LAST = date(2026, 3, 9), date(2026, 3, 13)
"""Days away that have not come when the requests are sent, so that nobody is missing."""


def _task(wired: Application, claimed: bool = False) -> Task:
    """The task of the roads bureau to handle a complaint."""
    task = main_task(wired, dispatched(wired))
    if claimed:
        wired.uow.run(claim, ClaimTask(actor(wired, "roads"), task.id))
    return task


def _on_task(user: str, task: Task, verb: str, **body: Any) -> Sent:
    return Sent(user, f"/api/v1/tasks/{task.id}/{verb}", {"json": body})


def _decide(wired: Application) -> Sent:
    case = dispatched(wired)
    returned(wired, case, "roads")
    task = part(wired, case, "redispatch")
    wired.uow.run(claim, ClaimTask(actor(wired, "hotline"), task.id))
    body = {"department": "WATER", "reason": "河道", "co_handlers": ["ENV"]}
    return _on_task("hotline", task, "decide", **body)


def _delegated(wired: Application) -> Task:
    """A task about which the lead is asked."""
    task, lead = _task(wired, claimed=True), actor(wired, "roads_lead")
    command = DelegateTask(actor(wired, "roads"), task.id, lead.user_id, "哪种灯具？")
    return wired.uow.run(delegate, command)


def _delegate(wired: Application) -> Sent:
    to_id = actor(wired, "roads_lead").user_id
    task = _task(wired, claimed=True)
    return _on_task("roads", task, "delegate", to_id=to_id, question="哪种灯具？")


def joint_answer(wired: Application) -> Sent:
    """What a co-handler answers, at the address where a colleague's question is, too."""
    case = dispatched(wired)
    lead, other = actor(wired, "roads"), actor(wired, "environment")
    task = main_task(wired, case)
    wired.uow.run(claim, ClaimTask(lead, task.id))
    wired.uow.run(ask_jointly, AskJointly(lead, task.id, ("ENV",), "是否涉及排污？"))
    joint = part(wired, case, "joint")
    wired.uow.run(claim, ClaimTask(other, joint.id))
    return _on_task("environment", joint, "answer", position="disagree", text="不涉及")


def _reassign(wired: Application) -> Sent:
    body = {
        "task_ids": [_task(wired).id for _ in range(2)],
        "assignee_id": actor(wired, "roads").user_id,
        "reason": "均衡",
    }
    return Sent("roads_lead", "/api/v1/tasks/reassign", {"json": body})


def _apply(wired: Application) -> Sent:
    tasks = [_task(wired).id for _ in range(2)]
    files = shipped_package("complaint")
    table = files["dispatch.dmn"].replace(b'<text>"ROADS"</text>', b'<text>"WATER"</text>')
    wired.uow.run(publish, PublishPackage(SYSTEM, files | {"dispatch.dmn": table}))
    return Sent("designer", "/api/v1/dispatch/apply", {"json": {"task_ids": tasks}})


def _merge(wired: Application) -> Sent:
    main, other = dispatched(wired), complained(wired, "citizen2")
    return Sent("hotline", f"/api/v1/cases/{other.id}/merge", {"json": {"into": main.reference}})


def _unmerge(wired: Application) -> Sent:
    main, other = dispatched(wired), complained(wired, "citizen2")
    wired.uow.run(merge, MergeCases(actor(wired, "hotline"), other.id, main.id))
    return Sent("hotline", f"/api/v1/cases/{other.id}/unmerge")


def _away(wired: Application) -> Sent:
    body = {
        "first_day": str(FIRST),
        "last_day": str(LAST),
        "substitute_id": actor(wired, "foi_lead").user_id,
    }
    return Sent("foi_officer", "/api/v1/absences", {"json": body})


def _back(wired: Application) -> Sent:
    who = actor(wired, "roads")
    row = wired.uow.run(enter_absence, EnterAbsence(who, who.user_id, FIRST, LAST))
    return Sent("roads_lead", f"/api/v1/absences/{row.id}/end")


DISPATCH: dict[str, Prepare] = {
    "POST /api/v1/tasks/{task_id}/return": lambda wired: _on_task(
        "roads", _task(wired), "return", reason="not_our_area", basis="见权属图"
    ),
    "POST /api/v1/tasks/{task_id}/decide": _decide,
    "POST /api/v1/tasks/{task_id}/joint": lambda wired: _on_task(
        "roads", _task(wired, claimed=True), "joint", departments=["ENV"], question="是否涉及排污？"
    ),
    "POST /api/v1/tasks/{task_id}/delegate": _delegate,
    "POST /api/v1/tasks/{task_id}/answer": lambda wired: _on_task(
        "roads_lead", _delegated(wired), "answer", text="LED"
    ),
    "POST /api/v1/tasks/{task_id}/take-back": lambda wired: _on_task(
        "roads", _delegated(wired), "take-back"
    ),
    "POST /api/v1/tasks/reassign": _reassign,
    "POST /api/v1/dispatch/apply": _apply,
    "POST /api/v1/cases/{case_id}/merge": _merge,
    "POST /api/v1/cases/{case_id}/unmerge": _unmerge,
    "POST /api/v1/absences": _away,
    "POST /api/v1/absences/{absence_id}/end": _back,
}
