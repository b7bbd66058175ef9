"""Dispatch in a package of a test's own: nothing in it is drawn in the model."""

from __future__ import annotations

import pytest

from api.wiring import Application
from engine.domain.access import SYSTEM
from engine.kernel import errors
from engine.store.tables import Case, Task
from engine.usecases.claim import ClaimTask, claim
from engine.usecases.complete import CompleteTask, complete
from engine.usecases.dispatch_again import DispatchAgain, dispatch_again
from engine.usecases.invariants import violations
from engine.usecases.merge import MergeCases, merge
from engine.usecases.migrate import MigrateCase, Migration, migrate_case
from engine.usecases.publish import PublishPackage, publish
from engine.usecases.repair import SkipPlace, skip_place
from engine.usecases.return_task import ReturnTask, return_task
from tests.support.complaints import main_task, part
from tests.support.play import actor, drain
from tests.support.small_package import begun, files_of, person
from tests.unit.bpmn.coverage.play import end, start, straight
from tests.unit.bpmn.models import node, settings
from tests.unit.bpmn.tables import table

RULES = """
[dispatch]
table = "whose"
returns = true
dispatcher = { department = "HOTLINE" }
adjudicator = { department = "HOTLINE", role = "manager" }
[[returns]]
code = "no"
title = { zh-CN = "不是", en = "No" }
needs_basis = false
"""
WHOSE = [
    ['"planning"', '"ROADS"', '"1"', '"ENV, WATER"'],
    ["-", '"WATER"', '"3"', "null"],
]


def anybody(id_: str, **more: str) -> str:
    """A task for which the model names no department."""
    return node("manualTask", id_, settings(saves_as=id_, **more))


def _files(body: str, rules: str = RULES) -> dict[str, bytes]:
    files = files_of(body)
    manifest = files["package.toml"].decode()
    files["package.toml"] = (manifest.replace("[start]", rules + "[start]", 1)).encode()
    outputs = ["department", "priority", "co_handlers"]
    files["whose.dmn"] = table("whose", ["application.subject"], outputs, WHOSE)
    return files


def _published(office: Application, body: str) -> str:
    made = office.uow.run(publish, PublishPackage(SYSTEM, _files(body)))
    assert made.version_id is not None
    return made.version_id


ONE = straight(start(), anybody("a"), end())
RENAMED = straight(start(), anybody("b"), end())


def _returned(office: Application, case: Case, element: str, by: str) -> None:
    command = ReturnTask(actor(office, by), main_task(office, case, element).id, "no")
    office.uow.run(return_task, command)


def _decided(office: Application, case: Case, kind: str, by: str, department: str) -> Task:
    who, task = actor(office, by), part(office, case, kind)
    office.uow.run(claim, ClaimTask(who, task.id))
    return office.uow.run(dispatch_again, DispatchAgain(who, task.id, department, "说明"))


def test_a_table_gives_department_priority_and_co_handlers(office: Application) -> None:
    _published(office, ONE)
    case = begun(office)
    task = main_task(office, case, "a")
    assert (task.department, task.priority) == ("ROADS", 1)
    assert task.joint["waiting"] == ["ENV", "WATER"]
    assert part(office, case, "joint", "ENV").priority == 1
    assert main_task(office, begun(office, subject="water"), "a").department == "WATER"


def test_returning_needs_no_gateways_and_ends_with_the_task(office: Application) -> None:
    _published(office, ONE)
    case = begun(office)
    _returned(office, case, "a", "roads")
    # The co-handlers of the department that gave it back have nothing to answer any more.
    with pytest.raises(Exception, match="No row"):
        part(office, case, "joint")
    _decided(office, case, "redispatch", "hotline", "WATER")
    who, task = actor(office, "water"), main_task(office, case, "a")
    office.uow.run(claim, ClaimTask(who, task.id))
    assert office.uow.run(complete, CompleteTask(who, task.id, {})).state == "closed"
    assert list(violations(office.uow)) == []


def test_what_the_process_ends_takes_the_dispute_with_it(office: Application) -> None:
    _published(office, straight(start(), anybody("a"), person("b"), end()))
    case = begun(office)
    _returned(office, case, "a", "roads")
    key = main_task(office, case, "a").key
    office.uow.run(skip_place, SkipPlace(actor(office, "admin"), case.id, key, "不再需要"))
    with pytest.raises(Exception, match="No row"):
        part(office, case, "redispatch")
    assert main_task(office, case, "b").state == "open"
    assert list(violations(office.uow)) == []


def test_a_dispute_goes_on_in_a_case_that_was_migrated(office: Application) -> None:
    old = _published(office, ONE)
    case = begun(office)
    _returned(office, case, "a", "roads")
    migration = Migration(old, _published(office, RENAMED), {"a": "b"})
    office.uow.run(migrate_case, MigrateCase(actor(office, "designer"), case.id, migration))
    _decided(office, case, "redispatch", "hotline", "WATER")
    _returned(office, case, "b", "water")
    _decided(office, case, "adjudicate", "hotline_lead", "ROADS")
    with pytest.raises(errors.ReturnRefused) as told:
        _returned(office, case, "b", "roads")
    assert told.value.params["why"] == "final"
    assert list(violations(office.uow)) == []


def test_a_package_without_a_rating_closes_its_followers_at_once(office: Application) -> None:
    _published(office, straight(start(), person("a"), end()))
    main, other = begun(office), begun(office, "citizen2")
    office.uow.run(merge, MergeCases(actor(office, "foi_officer"), other.id, main.id))
    who, task = actor(office, "foi_officer"), main_task(office, main, "a")
    office.uow.run(claim, ClaimTask(who, task.id))
    office.uow.run(complete, CompleteTask(who, task.id, {}))
    drain(office)
    # It ended without a decision: there is nothing to tell anybody, so the other goes on.
    with office.uow.read() as session:
        row = session.get_one(Case, other.id)
    assert (row.main_id, row.state) == (None, "open")
    assert main_task(office, other, "a").state == "open"


@pytest.mark.parametrize(
    ("body", "rules", "code"),
    [
        (ONE, "", "staff_task_without_department"),
        (ONE, '[dispatch]\ntable = "nobody"\n', "dispatch_table_wrong"),
        (straight(start(), anybody("a", dispatch_table="x"), end()), "", "dispatch_table_wrong"),
    ],
)
def test_a_task_that_would_be_nobodys_is_refused_at_publish(
    small_office: Application, body: str, rules: str, code: str
) -> None:
    with pytest.raises(errors.PackageRefused) as told:
        small_office.uow.run(publish, PublishPackage(SYSTEM, _files(body, rules)))
    assert code in {each.code for each in told.value.params["findings"]}
