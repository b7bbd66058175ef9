"""All resources under /api/v1."""

from __future__ import annotations

from fastapi import APIRouter

from api.rest import (
    cases,
    clocks,
    notices,
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
    session, tasks, cases, clocks, notices, packages, performance, people, operations, webhooks,
):  # fmt: skip
    router.include_router(module.router)
