"""Assigning by rule, skills, delegating, reassigning, co-handlers, and a changed rule."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from api.demo.office import shipped_package
from api.wiring import Application
from engine.domain.access import SYSTEM, Actor
from engine.kernel import errors
from engine.kernel.clock import SettableClock
from engine.store.tables import CaseState, Task, TaskMove, User
from engine.usecases.claim import ClaimNextTask, ClaimTask, claim, claim_next
from engine.usecases.complete import CompleteTask, complete
from engine.usecases.definition import read_contents
from engine.usecases.delegate import (
    AnswerQuestion,
    DelegateTask,
    TakeBack,
    answer_question,
    delegate,
    take_back,
)
from engine.usecases.dispatch_preview import MoveByRule, move_by_rule, would_move
from engine.usecases.invariants import violations
from engine.usecases.joint_answers import AnswerJointly, AskJointly, answer_jointly, ask_jointly
from engine.usecases.people import AddUser, add_user
from engine.usecases.publish import PublishPackage, publish
from engine.usecases.reassign import ReassignTask, reassign
from engine.usecases.return_task import ReturnTask, return_task
from engine.usecases.unclaim import UnclaimTask, unclaim
from tests.support.complaints import (
    SOLVED,
    decided,
    dispatched,
    handled,
    main_task,
    part,
    returned,
)
from tests.support.play import actor, drain, filed, open_task


def hired(office: Application, name: str, department: str = "ROADS", **more: object) -> Actor:
    """One more caseworker."""
    command = AddUser(SYSTEM, name, name, "!", ("caseworker",), department, **more)  # type: ignore[arg-type]
    office.uow.run(add_user, command)
    return actor(office, name)


def published_with(office: Application, **changes: tuple[str, str]) -> None:
    """The complaint package once more, with texts of its files replaced; by file name."""
    files = shipped_package("complaint")
    for name, (old, new) in changes.items():
        path = {"manifest": "package.toml", "table": "dispatch.dmn"}[name]
        assert old.encode() in files[path]
        files[path] = files[path].replace(old.encode(), new.encode())
    office.uow.run(publish, PublishPackage(SYSTEM, files))


LEAST = ("returns = true", 'returns = true\nassign = "least_loaded"')


def test_the_least_loaded_gets_the_next_task(office: Application) -> None:
    published_with(office, manifest=LEAST)
    names = {"roads": 0, "roads2": 0}
    hired(office, "roads2")
    for _ in range(4):
        task = main_task(office, dispatched(office))
        with office.uow.read() as session:
            names[session.get_one(User, task.assignee_id).user_name] += 1
    assert names == {"roads": 2, "roads2": 2}


def test_a_full_day_leaves_the_rest_to_the_queue(office: Application, clock: SettableClock) -> None:
    published_with(office, manifest=LEAST)

    def limit(work: object, _: None) -> None:
        user = work.session.scalar(select(User).where(User.user_name == "roads"))  # type: ignore[attr-defined]
        user.daily_capacity = 2

    office.uow.run(limit, None)  # type: ignore[arg-type]
    tasks = [main_task(office, dispatched(office)) for _ in range(3)]
    assert [task.assignee_id is not None for task in tasks] == [True, True, False]
    clock.advance(timedelta(days=1))
    assert main_task(office, dispatched(office)).assignee_id is not None


SKILLED = (
    '<output id="dispatch_output_department"',
    '<output id="dispatch_output_skill" name="skill" typeRef="string" />'
    '<output id="dispatch_output_department"',
)


def _with_skill(office: Application, skill: str) -> None:
    """Rules that ask everybody for the skill."""
    files = shipped_package("complaint")
    text = files["dispatch.dmn"].decode().replace(*SKILLED)
    text = text.replace(
        "<outputEntry", f'<outputEntry><text>"{skill}"</text></outputEntry><outputEntry'
    )
    files["dispatch.dmn"] = text.encode()
    files["package.toml"] = files["package.toml"].replace(*(each.encode() for each in LEAST))
    office.uow.run(publish, PublishPackage(SYSTEM, files))


def test_only_who_has_the_skill_gets_or_takes_the_task(office: Application) -> None:
    _with_skill(office, "lamps")
    task = main_task(office, dispatched(office))
    assert (task.skill, task.assignee_id) == ("lamps", None)
    plain = actor(office, "roads")
    assert office.uow.run(claim_next, ClaimNextTask(plain)) is None
    with pytest.raises(errors.SkillMissing):
        office.uow.run(claim, ClaimTask(plain, task.id))
    able = hired(office, "electrician", skills=("lamps",))
    taken = office.uow.run(claim_next, ClaimNextTask(able))
    assert taken is not None
    assert taken.id == task.id
    # From now on the rule finds somebody.
    assert main_task(office, dispatched(office)).assignee_id == able.user_id


def test_a_colleague_answers_and_the_owner_has_it_back(office: Application) -> None:
    case = dispatched(office)
    task, owner, other = main_task(office, case), actor(office, "roads"), hired(office, "roads2")
    office.uow.run(claim, ClaimTask(owner, task.id))
    office.uow.run(delegate, DelegateTask(owner, task.id, other.user_id, "哪种灯具？"))
    for who, refused in ((owner, errors.TaskNotYours), (other, errors.QuestionOpen)):
        with pytest.raises(refused):
            office.uow.run(complete, CompleteTask(who, task.id, SOLVED))
    # Who was only asked gives the task to nobody.
    for act, command in (
        (unclaim, UnclaimTask(other, task.id)),
        (return_task, ReturnTask(other, task.id, "duplicate")),
        (delegate, DelegateTask(other, task.id, owner.user_id, "？")),
    ):
        with pytest.raises(errors.QuestionOpen):
            office.uow.run(act, command)  # type: ignore[arg-type]
    office.uow.run(answer_question, AnswerQuestion(other, task.id, "LED"))
    assert office.uow.run(complete, CompleteTask(owner, task.id, SOLVED)).outcome == "resolved"


def test_the_owner_takes_it_back_unanswered(office: Application) -> None:
    task, owner = main_task(office, dispatched(office)), actor(office, "roads")
    other = hired(office, "roads2")
    office.uow.run(claim, ClaimTask(owner, task.id))
    office.uow.run(delegate, DelegateTask(owner, task.id, other.user_id, "？"))
    with pytest.raises(errors.TaskNotYours):
        office.uow.run(take_back, TakeBack(other, task.id))
    assert office.uow.run(take_back, TakeBack(owner, task.id)).assignee_id == owner.user_id


@pytest.mark.parametrize(("to", "why"), [("water", "not_of_department"), ("roads", "same_person")])
def test_a_question_stays_in_the_department(office: Application, to: str, why: str) -> None:
    task, owner = main_task(office, dispatched(office)), actor(office, "roads")
    office.uow.run(claim, ClaimTask(owner, task.id))
    command = DelegateTask(owner, task.id, actor(office, to).user_id, "？")
    with pytest.raises(errors.HandOverRefused) as told:
        office.uow.run(delegate, command)
    assert told.value.params["why"] == why


def test_a_manager_reassigns_and_may_look_first(office: Application) -> None:
    task, lead = main_task(office, dispatched(office)), actor(office, "roads_lead")
    other = hired(office, "roads2")
    trial = ReassignTask(lead, task.id, "", other.user_id, trial=True)
    assert office.uow.run(reassign, trial).assignee_name == "roads2"
    assert main_task_of(office, task.id).assignee_id is None
    office.uow.run(reassign, ReassignTask(lead, task.id, "请假", other.user_id))
    assert main_task_of(office, task.id).assignee_id == other.user_id
    with pytest.raises(errors.NotFound):
        office.uow.run(reassign, ReassignTask(actor(office, "hotline_lead"), task.id, ""))
    with pytest.raises(errors.NotAllowed):
        office.uow.run(reassign, ReassignTask(lead, task.id, "", department="WATER"))


def main_task_of(office: Application, task_id: str) -> Task:
    with office.uow.read() as session:
        return session.get_one(Task, task_id)


def test_who_looks_after_the_office_moves_it_to_another_department(office: Application) -> None:
    task = main_task(office, dispatched(office))
    manager = actor(office, "manager")
    office.uow.run(reassign, ReassignTask(manager, task.id, "重新划分", department="WATER"))
    assert main_task_of(office, task.id).department == "WATER"
    with office.uow.read() as session:
        move = session.scalars(select(TaskMove)).one()
        assert (move.kind, move.department, move.to_department) == ("reassign", "ROADS", "WATER")
    assert list(violations(office.uow)) == []


def test_the_lead_waits_for_its_co_handlers_and_reads_their_answers(office: Application) -> None:
    case = dispatched(office)
    returned(office, case, "roads")
    decided(office, case, "redispatch", "WATER", co_handlers=("ENV", "ROADS"))
    lead = actor(office, "water")
    task = main_task(office, case)
    office.uow.run(claim, ClaimTask(lead, task.id))
    with pytest.raises(errors.JointAnswersMissing) as told:
        office.uow.run(complete, CompleteTask(lead, task.id, SOLVED))
    assert told.value.params["departments"] == "生态环境局, 住房和城乡建设局"
    for name, department, position in (
        ("environment", "ENV", "agree"),
        ("roads", "ROADS", "answer"),
    ):
        who, joint = actor(office, name), part(office, case, "joint", department)
        office.uow.run(claim, ClaimTask(who, joint.id))
        office.uow.run(answer_jointly, AnswerJointly(who, joint.id, position, "已核实"))  # type: ignore[arg-type]
    office.uow.run(complete, CompleteTask(lead, task.id, SOLVED))
    with office.uow.read() as session:
        answers = session.get_one(CaseState, case.id).data["joint_answers"]
    assert [(each["department"], each["position"], each["text"]) for each in answers] == [
        ("ENV", "agree", "已核实"),
        ("ROADS", "answer", "已核实"),
    ]
    assert list(violations(office.uow)) == []


def test_countersigning_in_order_and_silence(office: Application, clock: SettableClock) -> None:
    case = dispatched(office)
    lead, task = actor(office, "roads"), main_task(office, case)
    office.uow.run(claim, ClaimTask(lead, task.id))
    command = AskJointly(lead, task.id, ("WATER", "ENV"), "请会签", "sequence")
    office.uow.run(ask_jointly, command)
    with office.uow.read() as session:
        found = select(Task.department, Task.state).where(Task.kind == "joint")
        states = {row.department: row.state for row in session.execute(found)}
    assert states == {"WATER": "open", "ENV": "planned"}
    clock.advance(timedelta(days=4))
    drain(office)
    # The first was silent; only now it is the second's turn.
    assert part(office, case, "joint").department == "ENV"
    who, joint = actor(office, "environment"), part(office, case, "joint")
    office.uow.run(claim, ClaimTask(who, joint.id))
    office.uow.run(answer_jointly, AnswerJointly(who, joint.id, "disagree", "不同意选址"))
    handled(office, case, "roads")
    with office.uow.read() as session:
        answers = session.get_one(CaseState, case.id).data["joint_answers"]
    assert [each["position"] for each in answers] == ["silent", "disagree"]


def test_a_co_handler_does_not_come_from_the_lead(office: Application) -> None:
    lead, task = actor(office, "roads"), main_task(office, dispatched(office))
    office.uow.run(claim, ClaimTask(lead, task.id))
    with pytest.raises(errors.AnswersInvalid):
        office.uow.run(ask_jointly, AskJointly(lead, task.id, ("ROADS",), "？"))


TO_WATER = (
    '<outputEntry id="dispatch_rule_2_out_0"><text>"ROADS"',
    '<outputEntry id="dispatch_rule_2_out_0"><text>"WATER"',
)


def _candidate(office: Application) -> object:
    files = shipped_package("complaint")
    files["dispatch.dmn"] = files["dispatch.dmn"].replace(*(each.encode() for each in TO_WATER))
    contents, _ = read_contents(files, office.ports)
    return contents


def test_a_changed_rule_says_beforehand_what_it_would_move(office: Application) -> None:
    plain = dispatched(office)
    contested = dispatched(office)
    returned(office, contested, "roads")
    decided(office, contested, "redispatch", "ROADS")
    filed(office)
    with office.uow.read() as session:
        rows = list(would_move(session, office.ports, "complaint", _candidate(office)))  # type: ignore[arg-type]
    # What a person decided stays.
    assert [(row.case.id, row.to, row.rule) for row in rows] == [(plain.id, "WATER", 2)]
    assert main_task(office, plain).department == "ROADS"


def test_the_tasks_are_moved_once_the_rule_is_published(office: Application) -> None:
    case = dispatched(office)
    task, designer = main_task(office, case), actor(office, "designer")
    assert office.uow.run(move_by_rule, MoveByRule(designer, task.id)) is None
    published_with(office, table=TO_WATER)
    moved = office.uow.run(move_by_rule, MoveByRule(designer, task.id))
    assert moved is not None
    assert main_task(office, case).department == "WATER"
    assert open_task(office, case, "handle").dispatch_reason["rule"] == 2
    with pytest.raises(errors.NotAllowed):
        office.uow.run(move_by_rule, MoveByRule(actor(office, "roads_lead"), task.id))
