"""A package of one service whose process a test draws itself."""

from __future__ import annotations

from typing import Any

from api.demo.office import shipped_package
from api.wiring import Application
from engine.domain.access import SYSTEM
from engine.store.tables import Case
from engine.usecases.publish import PublishPackage, publish
from engine.usecases.start_case import StartCase, start_case
from tests.support.play import REQUEST, actor
from tests.unit.bpmn.models import HEAD, settings

LABELLED = ("a", "b", "c", "d")
_TOML = """
[package]
key = "{key}"
process = "p"
reference_prefix = "SM"
title = {{ zh-CN = "小流程", en = "Small" }}
[start]
saves_as = "application"
[[services]]
code = "{service}"
form = "start"
[stages]
submitted = {{ zh-CN = "提交", en = "Submitted" }}
accepted = {{ zh-CN = "受理", en = "Accepted" }}
handling = {{ zh-CN = "办理", en = "In progress" }}
decided = {{ zh-CN = "决定", en = "Decided" }}
finished = {{ zh-CN = "办结", en = "Finished" }}
[labels]
"""


def person(id_: str) -> str:
    """A task of the information office without a form."""
    inner = settings(department="FOI", saves_as=id_)
    return f'<bpmn:manualTask id="{id_}">{inner}</bpmn:manualTask>'


def files_of(
    body: str, beside: str = "", service: str = "F001", key: str = "small"
) -> dict[str, bytes]:
    """The files of a package whose process ``p`` is `body`, for one service."""
    form = shipped_package("information_request")["forms/request.json"]
    labels = "".join(f'{each} = {{ zh-CN = "{each}", en = "{each}" }}\n' for each in LABELLED)
    model = (
        f'{HEAD}{beside}<bpmn:process id="p" isExecutable="true">{body}'
        "</bpmn:process></bpmn:definitions>"
    )
    return {
        "package.toml": (_TOML.format(service=service, key=key) + labels).encode(),
        "process.bpmn": model.encode(),
        "forms/start.json": form,
    }


def published(wired: Application, body: str, beside: str = "", **more: str) -> str:
    """Publish `files_of` the body; the id of the version."""
    made = wired.uow.run(publish, PublishPackage(SYSTEM, files_of(body, beside, **more)))
    assert made.version_id is not None
    return made.version_id


def begun(wired: Application, by: str = "citizen", service: str = "F001", **more: Any) -> Case:
    """A case of the small package, just filed."""
    command = StartCase(actor(wired, by), service, REQUEST | more)
    return wired.uow.run(start_case, command)
