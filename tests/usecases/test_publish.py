"""Publishing: immutable versions, and refusals that say where and why."""

from __future__ import annotations

import pytest

from api.demo.office import shipped_package
from api.sentences import finding_view
from api.wiring import Application
from engine.domain.access import SYSTEM
from engine.domain.process import Finding
from engine.kernel.errors import NotAllowed, PackageRefused
from engine.store.queries.packages import offered_services
from engine.usecases.publish import PublishPackage, publish
from tests.support.play import actor, done, filed, open_task

KEY = "information_request"


def refused(wired: Application, files: dict[str, bytes]) -> tuple[Finding, ...]:
    with wired.uow.read() as session:
        before = offered_services(session)
    with pytest.raises(PackageRefused) as told:
        wired.uow.run(publish, PublishPackage(SYSTEM, files))
    with wired.uow.read() as session:
        assert offered_services(session) == before
    findings: tuple[Finding, ...] = told.value.params["findings"]
    return findings


def test_the_same_files_stay_one_version_and_changed_ones_make_the_next(
    office: Application,
) -> None:
    files = shipped_package(KEY)
    again = office.uow.run(publish, PublishPackage(SYSTEM, files))
    assert (again.version, again.unchanged) == (1, True)
    changed = files | {"package.toml": files["package.toml"] + b"\n# changed\n"}
    assert office.uow.run(publish, PublishPackage(SYSTEM, changed, trial=True)).published is False
    assert office.uow.run(publish, PublishPackage(SYSTEM, changed)).version == 2


def test_a_running_case_keeps_its_version(office: Application) -> None:
    case = filed(office)
    files = shipped_package(KEY)
    model = (
        files["process.bpmn"]
        .replace(b'<bpmn:endEvent id="finished"', b'<bpmn:endEvent id="finished_now"')
        .replace(b'"finished"', b'"finished_now"')
        .replace(b">finished<", b">finished_now<")
    )
    toml = files["package.toml"].replace(
        b'finished = { zh-CN = "\xe5\x8a\x9e\xe7\xbb\x93"',
        b'finished_now = { zh-CN = "\xe5\x8a\x9e\xe7\xbb\x93"',
        1,
    )
    office.uow.run(
        publish, PublishPackage(SYSTEM, files | {"process.bpmn": model, "package.toml": toml})
    )
    done(office, case, "check_request", "foi_officer", outcome="accept")
    assert open_task(office, case).element == "search"
    assert filed(office).package_version_id != case.package_version_id


@pytest.mark.parametrize(
    ("change", "code", "file"),
    [
        ({"process.bpmn": b"<bpmn:definitions"}, "xml_unreadable", "process.bpmn"),
        (
            {"process.bpmn": b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'},
            "doctype_refused",
            "process.bpmn",
        ),
        ({"forms/search.json": None}, "form_missing", "process.bpmn"),
        ({"letters/decision.en.j2": None}, "letter_missing", "letters/decision.en.j2"),
        ({"dispatch.dmn": b"<definitions/>"}, "decision_table_unreadable", "dispatch.dmn"),
        ({"forms/request.json": b"{"}, "form_unreadable", "forms/request.json"),
        ({"package.toml": b"[package"}, "manifest_unreadable", "package.toml"),
        (
            {"letters/receipt.en.j2": b"{% include 'x' %}"},
            "letter_part_refused",
            "letters/receipt.en.j2",
        ),
    ],
)
def test_a_broken_package_is_refused_with_file_and_reason(
    small_office: Application, change: dict[str, bytes | None], code: str, file: str
) -> None:
    files: dict[str, bytes | None] = {**shipped_package(KEY), **change}
    findings = refused(small_office, {k: v for k, v in files.items() if v is not None})
    found = [finding for finding in findings if finding.code == code]
    assert found, findings
    assert found[0].file == file
    for locale in ("zh-CN", "en"):
        assert finding_view(found[0], locale)["message"] != code


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("check.outcome == 'correction'", "__import__('os').system('x')", "expression_refused"),
        ('value="check_request"', 'value="no_such_form"', "form_missing"),
        ("limit:correction_reply", "some day", "timer_unreadable"),
        ('value="clock.start"', 'value="clock.wind"', "action_unknown"),
        ("<bpmn:sendTask", "<bpmn:wishTask", "element_unknown"),
        ('name="letter" value="receipt"', 'name="note" value="x"', "send_task_without_letter"),
        ('name="department" value="FOI"', 'name="note" value="x"', "staff_task_without_department"),
    ],
)
def test_a_wrong_diagram_names_the_element_and_its_line(
    small_office: Application, old: str, new: str, code: str
) -> None:
    files = shipped_package(KEY)
    text = files["process.bpmn"].decode()
    assert old in text
    text = text.replace(old, new).replace(
        "</bpmn:sendTask", "</" + new.strip("<") if "Task" in new else "</bpmn:sendTask"
    )
    findings = refused(small_office, files | {"process.bpmn": text.encode()})
    found = [finding for finding in findings if finding.code == code]
    assert found, findings
    assert found[0].element
    assert found[0].line


def test_a_caseworker_may_not_publish(small_office: Application) -> None:
    command = PublishPackage(actor(small_office, "foi_officer"), shipped_package(KEY))
    with pytest.raises(NotAllowed):
        small_office.uow.run(publish, command)
