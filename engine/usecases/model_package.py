"""The package that is made around a bare model: everything a package says, and nothing else.

The model's own files stay byte for byte as they are. What a package needs besides is written into
its manifest: labels from the names in the drawing, departments for the tasks of staff, an empty
start form, and one service that is not in the catalogue.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from engine.domain.locales import LOCALES
from engine.domain.package import MANIFEST
from engine.domain.process import Element
from engine.domain.variables import START_ANSWERS

REFERENCE_PREFIX = "BPMN"
START_FORM = "start"
_FOR_PEOPLE = ("userTask", "manualTask")
_STAGES = {
    "submitted": ("已提交", "Submitted"),
    "accepted": ("已受理", "Accepted"),
    "handling": ("办理中", "In progress"),
    "decided": ("已决定", "Decided"),
    "finished": ("已办结", "Finished"),
}


def package_key(process: str) -> str:
    """The key of the package around the process of this id; another for every other id."""
    slug = re.sub(r"[^a-z0-9]+", "_", process.lower()).strip("_")[:24]
    return f"model_{slug}_{_digest(process)[:8]}"


def service_code(process: str) -> str:
    """The code of the only service of that package."""
    slug = re.sub(r"[^A-Z0-9]+", "", process.upper())[:5]
    return f"M{slug}{_digest(process)[:6].upper()}"


def _digest(text: str) -> str:
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode().lower()


def package_around(
    files: Mapping[str, bytes],
    process: str,
    title: str,
    elements: Iterable[Element],
    departments: Mapping[str, str],
) -> dict[str, bytes]:
    """The files of the package.

    `departments` names the department of each task of staff whose model names none.
    """
    known = [each for each in elements if each.id]
    settings = {each.id: made for each in known if (made := _settings(each, files, departments))}
    labels = {
        each.id: each.name.strip() or each.id
        for each in known
        if each.kind in (*_FOR_PEOPLE, "sendTask")
    }
    lines = [
        "# Made around a model that was deployed by itself.",
        *_table("package", key=package_key(process), process=process),
        f"reference_prefix = {_text(REFERENCE_PREFIX)}",
        f"title = {_both(title, title)}",
        *_table("start", saves_as=START_ANSWERS),
        "[[services]]",
        f"code = {_text(service_code(process))}",
        f"form = {_text(START_FORM)}",
        "listed = false",
        "[stages]",
        *(f"{stage} = {_both(*words)}" for stage, words in _STAGES.items()),
        "[labels]",
        *(f"{_text(id_)} = {_both(name, name)}" for id_, name in labels.items()),
    ]
    for id_, values in settings.items():
        lines += _table(f"settings.{_text(id_)}", **values)
    empty = {"schema": {"type": "object", "properties": {}}, "ui": {}}
    form = {**empty, "text": {locale: {"": title} for locale in LOCALES}}
    return {
        **files,
        MANIFEST: "\n".join([*lines, ""]).encode(),
        f"forms/{START_FORM}.json": json.dumps(form, ensure_ascii=False).encode(),
    }


def _settings(
    element: Element, files: Mapping[str, bytes], departments: Mapping[str, str]
) -> dict[str, str]:
    made = {}
    if element.kind in _FOR_PEOPLE:
        if element.id in departments:
            made["department"] = departments[element.id]
        if f"forms/{element.properties.get('form')}.json" not in files:
            made["form"] = ""
    elif element.kind == "sendTask" and not element.properties.get("letter"):
        made["letter"] = ""
    return made


def _table(name: str, **values: str) -> list[str]:
    return [f"[{name}]", *(f"{key} = {_text(value)}" for key, value in values.items())]


def _both(chinese: str, english: str) -> str:
    return f"{{ zh-CN = {_text(chinese)}, en = {_text(english)} }}"


def _text(value: Any) -> str:
    """A TOML string: JSON's escapes are among TOML's, but for the delete character."""
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
