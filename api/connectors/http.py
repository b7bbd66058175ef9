"""The connector ``http``: one call of a web service, signed as a webhook if asked for."""

from __future__ import annotations

import email.utils
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from api.connectors.client import REDIRECTS, Answer, HttpClient, Request
from api.connectors.signature import DELIVERY, SIGNATURE, sign
from engine.domain.connector import Call, ConnectorFailed, Description, Setting

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
LONGEST_SECONDS = 60
MOST_BYTES = 1_000_000
SHOWN_OF_ANSWER = 300
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_NOT_DONE = frozenset({425, 429, 503})
_OURS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer",
     "idempotency-key", "proxy-authorization", SIGNATURE.lower(), DELIVERY.lower()}
)  # fmt: skip
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_STATUS = re.compile(r"[1-5](?:\d\d|xx)")

DESCRIPTION = Description(
    "http",
    {"zh-CN": "调用 Web 服务", "en": "Call a web service"},
    (
        Setting("url", "url", required=True),
        Setting("method", "choice", literal=True, choices=METHODS),
        Setting("header.*"),
        Setting("query.*", "any"),
        Setting("body", "any"),
        Setting("body_format", "choice", literal=True, choices=("json", "form", "text")),
        Setting("timeout", "number", literal=True, least=1, most=LONGEST_SECONDS),
        Setting("max_bytes", "number", literal=True, least=1, most=MOST_BYTES),
        Setting("redirects", "number", literal=True, least=0, most=5),
        Setting("statuses", literal=True),
        Setting("result_format", "choice", literal=True, choices=("json", "text", "full")),
        Setting("signature", literal=True),
    ),
)


class HttpConnector:
    """Calls a web service; the answer's body is the result."""

    description = DESCRIPTION

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def run(self, call: Call) -> Any:
        request, wanted = _request(call)
        try:
            answer = self._client.send(request)
        except ConnectorFailed as failure:
            failure.done = failure.done and request.method not in _IDEMPOTENT
            raise
        if not _is_among(answer.status, wanted):
            raise _unexpected(request, answer, call.now)
        return _result(answer, call.text("result_format", "json"))


def _request(call: Call) -> tuple[Request, list[str]]:
    method = call.text("method", "GET")
    body, media_type = _body(call)
    headers = _headers(call)
    given = {name.lower() for name, _ in headers}
    for name, value in (
        ("Accept", "application/json, text/plain;q=0.9, */*;q=0.1"),
        ("User-Agent", "banshi"),
        ("Content-Type", media_type if body or method in ("POST", "PUT", "PATCH") else ""),
        ("Accept-Encoding", "identity"),
    ):
        if value and name.lower() not in given:
            headers.append((name, value))
    headers.append(("Idempotency-Key", call.key))
    if secret := call.text("signature"):
        headers.append((DELIVERY, call.key))
        headers.append((SIGNATURE, sign(secret, call.now, call.key, body)))
    wanted = call.text("statuses", "2xx").split()
    if not all(_STATUS.fullmatch(each) for each in wanted):
        raise ConnectorFailed("the setting statuses has to be like 2xx 404")
    request = Request(
        method=method,
        url=_url(call),
        headers=headers,
        body=body,
        seconds=call.number("timeout", 10),
        most=int(call.number("max_bytes", 262_144)),
        redirects=int(call.number("redirects", 3)),
        ends_with=frozenset(status for status in REDIRECTS if _is_among(status, wanted)),
    )
    return request, wanted


def _url(call: Call) -> str:
    more = [
        (name, each)
        for name, value in call.group("query.").items()
        for each in (value if isinstance(value, list) else [value])
        if each is not None
    ]
    if not more:
        return call.text("url")
    parts = urlsplit(call.text("url"))
    added = urlencode([(name, _word(value)) for name, value in more])
    query = f"{parts.query}&{added}" if parts.query else added
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _headers(call: Call) -> list[tuple[str, str]]:
    headers = []
    for name, value in call.group("header.").items():
        text = _word(value).strip()
        if name.lower() in _OURS or not _TOKEN.fullmatch(name):
            raise ConnectorFailed(f"the header {name[:100]!r} cannot be set")
        if not text.isprintable() or not text.isascii():
            raise ConnectorFailed(f"the value of the header {name} is not plain text")
        headers.append((name, text))
    return headers


def _body(call: Call) -> tuple[bytes, str]:
    value = call.settings.get("body")
    written = call.text("body_format", "text" if isinstance(value, str) else "json")
    if value is None:
        return b"", "application/json" if written == "json" else "text/plain; charset=utf-8"
    if written == "form":
        if not isinstance(value, Mapping):
            raise ConnectorFailed("the body of a form has to be names with values")
        pairs = [(name, _word(each)) for name, each in value.items() if each is not None]
        return urlencode(pairs).encode(), "application/x-www-form-urlencoded"
    if written == "text":
        return _word(value).encode(), "text/plain; charset=utf-8"
    if isinstance(value, str):
        try:
            json.loads(value)
        except (ValueError, RecursionError) as error:
            raise ConnectorFailed("the body is not JSON") from error
        return value.encode(), "application/json"
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode(), "application/json"


def _is_among(status: int, wanted: list[str]) -> bool:
    return str(status) in wanted or f"{status // 100}xx" in wanted


def _unexpected(request: Request, answer: Answer, now: datetime) -> ConnectorFailed:
    shown = " ".join(answer.body[:SHOWN_OF_ANSWER].decode("utf-8", "replace").split())
    return ConnectorFailed(
        f"status {answer.status}: {shown}".rstrip(": "),
        kinds=[str(answer.status), f"{answer.status // 100}xx"],
        again=answer.status in _TRANSIENT,
        after=_retry_after(answer.headers.get("retry-after", ""), now),
        done=request.method not in _IDEMPOTENT and answer.status not in _NOT_DONE,
    )


def _retry_after(text: str, now: datetime) -> timedelta | None:
    if text.isdigit() and len(text) < 9:
        return timedelta(seconds=int(text))
    try:
        at = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return max(at - now, timedelta(0)) if at.tzinfo is not None else None


def _result(answer: Answer, written: str) -> Any:
    if written == "text":
        return answer.body.decode("utf-8", "replace")
    if written == "full":
        media_type = answer.headers.get("content-type", "")
        is_json = "json" in media_type.partition(";")[0].lower()
        body = _json(answer) if is_json else answer.body.decode("utf-8", "replace")
        return {"status": answer.status, "content_type": media_type, "body": body}
    return _json(answer)


def _json(answer: Answer) -> Any:
    if not answer.body.strip():
        return None
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise ConnectorFailed("the answer is not JSON", kinds=["not_json"], done=True) from error
