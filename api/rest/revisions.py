"""The revision of a case as an entity tag: shown with an answer, insisted on with a write."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends, Header, Response

_TAG = re.compile(r'(?:W/)?"?(\d{1,9})"?')
_NEVER = -1
"""A tag that is none of ours fits no revision."""


def wanted_revision(if_match: Annotated[str | None, Header()] = None) -> int | None:
    """The revision a write insists on; None for any. A plain number is taken as well."""
    if if_match is None or if_match.strip() == "*":
        return None
    found = _TAG.fullmatch(if_match.strip())
    return int(found[1]) if found else _NEVER


WantedRevision = Annotated[int | None, Depends(wanted_revision)]


def show_revision(response: Response, revision: int) -> None:
    """Say which revision of the case the answer is about."""
    response.headers["ETag"] = f'"{revision}"'
