"""All resources under /api/v1."""

from __future__ import annotations

from fastapi import APIRouter

from api.rest import (
    absences,
    calendars,
    cases,
    clock,
    clocks,
    dispatch,
    incidents,
    merging,
    notices,
    operations,
    packages,
    people,
    performance,
    recounts,
    session,
    tasks,
    webhooks,
)

router = APIRouter(prefix="/api/v1")
for module in (
    session,
    dispatch,
    tasks,
    cases,
    merging,
    clocks,
    recounts,
    notices,
    packages,
    performance,
    people,
    absences,
    operations,
    incidents,
    webhooks,
    calendars,
    clock,
):
    router.include_router(module.router)
