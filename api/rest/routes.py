"""All resources under /api/v1."""

from __future__ import annotations

from fastapi import APIRouter

from api.rest import (
    calendars,
    cases,
    clock,
    incidents,
    operations,
    packages,
    people,
    performance,
    session,
    tasks,
    webhooks,
)

router = APIRouter(prefix="/api/v1")
for module in (
    session,
    tasks,
    cases,
    packages,
    performance,
    people,
    operations,
    incidents,
    webhooks,
    calendars,
    clock,
):
    router.include_router(module.router)
