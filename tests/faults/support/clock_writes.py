"""Requests that can be sent to the routes of clocks, recounts and calendars that write."""

from __future__ import annotations

import json
from typing import Any

from api.wiring import Application
from engine.kernel.ids import new_id
from engine.store.queries.calendars import calendar_row
from engine.store.tables import Notice
from engine.store.uow import Work
from engine.usecases.recount import StartRecount, TurnRecount, start_recount, stop_recount
from engine.usecases.recount_choice import Wanted
from tests.faults.support.sent import Prepare, Sent
from tests.support.play import actor, filed

HALL: dict[str, Any] = {
    "name": "hall",
    "title": {"zh-CN": "大厅", "en": "Hall"},
    "zone": "Asia/Shanghai",
    "extends": "cn",
    "departments": ["FINANCE"],
    "reason": "a new hall",
}
HOLIDAYS_2027 = {
    "year": 2027,
    "days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": True}],
}


def _on_clock(wired: Application) -> Sent:
    body = {"reason": "征求意见", "pause": "third_party"}
    path = f"/api/v1/cases/{filed(wired).id}/clocks/legal/pause"
    return Sent("foi_officer", path, {"json": body})


def _receipt(wired: Application) -> Sent:
    body = {"received_at": "2026-01-05T10:00:00+08:00", "reason": "邮戳"}
    return Sent("foi_lead", f"/api/v1/cases/{filed(wired).id}/receipt", {"json": body})


def _recount(wired: Application, verb: str) -> Sent:
    who = actor(wired, "manager")
    row = wired.uow.run(start_recount, StartRecount(who, Wanted()))
    if verb == "resume":
        wired.uow.run(stop_recount, TurnRecount(who, row.id))
    return Sent("manager", f"/api/v1/recounts/{row.id}/{verb}")


def _unread(wired: Application) -> Sent:
    case = filed(wired)

    def write(work: Work, _: None) -> None:
        notice = Notice(
            id=new_id(), case_id=case.id, clock="legal", rung="-3wd", due_at=work.now,
            department="FOI", text={}, created_at=work.now,
        )  # fmt: skip
        work.session.add(notice)

    wired.uow.run(write, None)
    return Sent("foi_officer", "/api/v1/notices/read", {"json": {}})


def _revision(wired: Application) -> int:
    with wired.uow.read() as session:
        return calendar_row(session, "cn").revision


def _edited(wired: Application) -> Sent:
    year = {"holidays": [{"from": "2028-01-01", "to": "2028-01-03"}]}
    body = {"revision": _revision(wired), "reason": "notice", "years": {"2028": year}}
    return Sent("admin", "/api/v1/calendars/cn", {"json": body})


def _imported(wired: Application) -> Sent:
    file = ("2027.json", json.dumps(HOLIDAYS_2027).encode())
    body = {"files": {"file": file}, "data": {"revision": _revision(wired), "reason": "notice"}}
    return Sent("admin", "/api/v1/calendars/cn/import?apply=true", body)


CLOCKS: dict[str, Prepare] = {
    "POST /api/v1/cases/{case_id}/clocks/{key}/{verb}": _on_clock,
    "POST /api/v1/cases/{case_id}/receipt": _receipt,
    "POST /api/v1/recounts": lambda wired: Sent("manager", "/api/v1/recounts", {"json": {}}),
    "POST /api/v1/recounts/{recount_id}/stop": lambda wired: _recount(wired, "stop"),
    "POST /api/v1/recounts/{recount_id}/resume": lambda wired: _recount(wired, "resume"),
    "POST /api/v1/notices/read": _unread,
    "POST /api/v1/calendars": lambda wired: Sent("admin", "/api/v1/calendars", {"json": HALL}),
    "PATCH /api/v1/calendars/{name}": _edited,
    "POST /api/v1/calendars/{name}/import": _imported,
}
