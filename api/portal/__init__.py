"""The citizen's portal: server-rendered pages that need no script."""

from fastapi import APIRouter

from api.portal import case_pages, draft_pages, people_pages, service_pages
from api.portal.page import error_page

__all__ = ["error_page", "router"]

router = APIRouter(include_in_schema=False)
for _pages in (service_pages, people_pages, draft_pages, case_pages):
    router.include_router(_pages.router)
