"""Typed values: ``{"type", "value", "valueInfo"}`` to plain data and back.

Text, numbers, truth, null and JSON tell their types themselves; the others are noted beside the
value (`engine.domain.variables.Note`). Numbers come out as Integer or Long by their size.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from api.engine_rest.errors import RestError, invalid
from engine.domain.variables import Note, SentFile, Variables

_INTEGERS = {"short": 16, "integer": 32, "long": 64}
_TEXTS = {"string", "xml"}
_NAMES = {
    "short": "Short", "long": "Long", "double": "Double", "date": "Date", "bytes": "Bytes",
    "file": "File", "xml": "Xml", "json": "Json",
}  # fmt: skip
_INTEGER_TEXT = re.compile(r"[+-]?\d{1,20}")


def read_variables(sent: Any, where: str = "variables") -> Variables:
    """The variables of a request body. Raises RestError(400) naming the variable."""
    if sent is None:
        return Variables()
    if not isinstance(sent, Mapping):
        raise invalid(f"{where} must be an object")
    values: dict[str, Any] = {}
    notes: dict[str, Note] = {}
    for name, typed in sent.items():
        if not isinstance(typed, Mapping):
            raise _wrong(name, "must be an object with value and type")
        values[name], note = _read(name, typed)
        if note is not None:
            notes[name] = note
    transient = frozenset(
        name for name, typed in sent.items() if (typed.get("valueInfo") or {}).get("transient")
    )
    return Variables(values, notes, transient)


def _read(name: str, typed: Mapping[str, Any]) -> tuple[Any, Note | None]:
    value, kind = typed.get("value"), str(typed.get("type") or "").lower()
    info = typed.get("valueInfo") or {}
    if not isinstance(info, Mapping):
        raise _wrong(name, "valueInfo must be an object")
    if kind == "null" or (value is None and kind != "file"):
        return None, None
    if kind in _INTEGERS:
        number = _integer(name, value, _INTEGERS[kind])
        inferred = "integer" if -(2**31) <= number < 2**31 else "long"
        return number, None if kind == inferred else Note(kind)
    if kind in ("double", "float", "number"):
        return _double(name, value)
    if kind == "boolean":
        return _boolean(name, value), None
    if kind in _TEXTS:
        return _text(name, value), Note(kind) if kind == "xml" else None
    if kind in ("json", "object"):
        return _json(name, value)
    if kind == "date":
        return _date(name, value), Note("date")
    if kind == "bytes":
        return base64.b64encode(_decoded(name, value)).decode(), Note("bytes")
    if kind == "file":
        return _file(name, value, info)
    if kind:
        raise _wrong(name, f"unsupported value type '{kind[:40]}'")
    return _untyped(name, value)


def _integer(name: str, value: Any, bits: int) -> int:
    if isinstance(value, str) and _INTEGER_TEXT.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(name, "is not a whole number")
    if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
        raise _wrong(name, f"does not fit into {bits} bits")
    return value


def _double(name: str, value: Any) -> tuple[float, None]:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise _wrong(name, "is not a number") from None
    if isinstance(value, bool) or not math.isfinite(number):
        raise _wrong(name, "is not a finite number")
    return number, None


def _boolean(name: str, value: Any) -> bool:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise _wrong(name, "is neither true nor false")
    return value


def _text(name: str, value: Any) -> str:
    if isinstance(value, Mapping | list):
        raise _wrong(name, "is not text")
    return value if isinstance(value, str) else json.dumps(value)


def _json(name: str, value: Any) -> tuple[Any, Note | None]:
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise _wrong(name, f"is not JSON: {error}"[:200]) from None
    return value, None if isinstance(value, Mapping | list) else Note("json")


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def _date(name: str, value: Any) -> str:
    """ISO 8601 in UTC, which expressions and timers read."""
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        raise _wrong(name, "is not a date like 2026-11-24T10:00:00.000+0000") from None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def _decoded(name: str, value: Any) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except (binascii.Error, ValueError):
        raise _wrong(name, "is not Base64") from None


def _file(name: str, value: Any, info: Mapping[str, Any]) -> tuple[SentFile, Note]:
    file_name = info.get("filename")
    if not isinstance(file_name, str) or not file_name.strip():
        raise _wrong(name, "needs a file name in valueInfo.filename")
    media = info.get("mimeType") or info.get("mimetype")
    kept = {"filename": file_name[:255]}
    if isinstance(media, str):
        kept["mimeType"] = media[:100]
    if isinstance(info.get("encoding"), str):
        kept["encoding"] = info["encoding"][:40]
    return SentFile(file_name, _decoded(name, value or ""), kept), Note("file", kept)


def _untyped(name: str, value: Any) -> tuple[Any, Note | None]:
    if isinstance(value, bool | str | Mapping | list):
        return value, None
    if isinstance(value, int):
        return _integer(name, value, 64), None
    return _double(name, value)


def _wrong(name: str, why: str) -> RestError:
    return invalid(f"Cannot read variable '{str(name)[:60]}': {why}")


def typed_value(value: Any, note: Note | None = None) -> dict[str, Any]:
    """A value with its type. A note that no longer fits the value is passed over."""
    kind, info = _kind(value, note)
    if kind == "Json":
        value = json.dumps(value, ensure_ascii=False)
    elif kind == "Date":
        value = instant(datetime.fromisoformat(value))
    elif kind == "File":
        value = None
    return {"type": kind, "value": value, "valueInfo": info}


def _kind(value: Any, note: Note | None) -> tuple[str, dict[str, Any]]:
    if note is not None and _fits(value, note.type):
        info = dict(note.info)
        if note.type == "file" and "mimeType" in info:
            info["mimetype"] = info["mimeType"]
        return _NAMES[note.type], info
    if value is None:
        return "Null", {}
    if isinstance(value, bool):
        return "Boolean", {}
    if isinstance(value, int):
        return ("Integer" if -(2**31) <= value < 2**31 else "Long"), {}
    if isinstance(value, float):
        return "Double", {}
    if isinstance(value, str):
        return "String", {}
    return "Json", {}


def _fits(value: Any, kind: str) -> bool:
    if kind in ("short", "long"):
        bits = _INTEGERS[kind]
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole and -(2 ** (bits - 1)) <= value < 2 ** (bits - 1)
    if kind == "date":
        try:
            return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
        except ValueError:
            return False
    return kind == "json" or isinstance(value, str)


def instant(at: datetime | None) -> str | None:
    """Camunda's way to write an instant: ``2026-11-24T10:00:00.000+0000``."""
    if at is None:
        return None
    utc = at.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}+0000"
