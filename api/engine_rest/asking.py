"""Reading requests: JSON bodies, and filters given in the query or in a body alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import Response

from api.engine_rest.errors import invalid

MAX_BODY = 16_000_000
MOST_ROWS = 1_000
NO_CONTENT: dict[str, Any] = {"status_code": 204, "response_class": Response}
"""Of routes that answer nothing. A content type of JSON would make clients read the nothing."""
_LONGEST = 366 * 86_400_000


async def json_body(request: Request) -> dict[str, Any]:
    """The object in the request's body; an empty body is an empty object. Raises RestError."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise invalid("The request is too large")
    if not body.strip():
        return {}
    try:
        read = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid(f"Cannot parse JSON: {error}"[:300]) from None
    if not isinstance(read, dict):
        raise invalid("The request body must be a JSON object")
    return read


async def asked(request: Request) -> dict[str, Any]:
    """The filters of a query: those of the address, and of the body of a POST."""
    made: dict[str, Any] = dict(request.query_params)
    if request.method == "POST":
        made |= await json_body(request)
    return made


Body = Annotated[dict[str, Any], Depends(json_body)]
Asked = Annotated[dict[str, Any], Depends(asked)]


def text(given: Mapping[str, Any], name: str, longest: int = 255) -> str | None:
    """The text `name`, or None. Raises RestError for anything else than text."""
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > longest:
        raise invalid(f"{name} must be text of at most {longest} characters")
    return value


def needed(given: Mapping[str, Any], name: str, longest: int = 255) -> str:
    value = text(given, name, longest)
    if not value:
        raise invalid(f"{name} must be given")
    return value


def texts(given: Mapping[str, Any], name: str) -> list[str] | None:
    """A list of texts, or texts separated by commas, or None."""
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, str):
        value = [each.strip() for each in value.split(",")]
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise invalid(f"{name} must be a list of texts")
    if len(value) > MOST_ROWS:
        raise invalid(f"{name} has too many entries")
    return value


def number(
    given: Mapping[str, Any], name: str, lowest: int = 0, highest: int = 2**31 - 1
) -> int | None:
    """The whole number `name` within its bounds, or None."""
    value = given.get(name)
    if value is None:
        return None
    try:
        if isinstance(value, bool):
            raise ValueError
        made = int(value)
    except (TypeError, ValueError, OverflowError):
        raise invalid(f"{name} must be a whole number") from None
    if not lowest <= made <= highest:
        raise invalid(f"{name} must be from {lowest} to {highest}")
    return made


def flag(given: Mapping[str, Any], name: str, default: bool = False) -> bool:
    value = given.get(name)
    if value is None:
        return default
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise invalid(f"{name} must be true or false")
    return value


def milliseconds(given: Mapping[str, Any], name: str, *, positive: bool = False) -> timedelta:
    """The duration `name`. Raises RestError if it is missing or, where it must be, not positive."""
    value = number(given, name, 1 if positive else 0, _LONGEST)
    if value is None:
        raise invalid(f"{name} must be given")
    return timedelta(milliseconds=value)


def page_of(given: Mapping[str, Any]) -> tuple[int, int]:
    """The first row wanted and how many at most."""
    most = number(given, "maxResults")
    wanted = MOST_ROWS if most is None else min(most, MOST_ROWS)
    return number(given, "firstResult") or 0, wanted
