"""Absences: the substitute acts for the one who is away, and nobody else does."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from api.wiring import Application
from engine.kernel import errors
from engine.kernel.clock import SettableClock
from engine.store.tables import Absence, Event
from engine.usecases.absences import EndAbsence, EnterAbsence, end_absence, enter_absence
from engine.usecases.claim import ClaimNextTask, ClaimTask, claim, claim_next
from engine.usecases.complete import CompleteTask, complete
from engine.usecases.unclaim import UnclaimTask, unclaim
from tests.support.complaints import SOLVED, dispatched, main_task, part, returned
from tests.support.play import actor, drain
from tests.usecases.test_hand_over import LEAST, hired, published_with

MONDAY, FRIDAY = date(2026, 3, 2), date(2026, 3, 6)


def away(
    office: Application,
    who: str,
    substitute: str | None = None,
    by: str | None = None,
    first: date = MONDAY,
    last: date = FRIDAY,
    services: tuple[str, ...] = (),
) -> Absence:
    command = EnterAbsence(
        actor(office, by or who),
        actor(office, who).user_id,
        first,
        last,
        actor(office, substitute).user_id if substitute else None,
        services,
    )
    return office.uow.run(enter_absence, command)


def _why(office: Application, *args: str, **more: date) -> str:
    with pytest.raises(errors.AbsenceRefused) as told:
        away(office, *args, **more)  # type: ignore[arg-type]
    return str(told.value.params["why"])


def test_the_substitute_finishes_it_and_the_audit_names_both(office: Application) -> None:
    case = dispatched(office)
    task, owner = main_task(office, case), actor(office, "roads")
    office.uow.run(claim, ClaimTask(owner, task.id))
    other = hired(office, "roads2")
    with pytest.raises(errors.TaskNotYours):
        office.uow.run(complete, CompleteTask(other, task.id, SOLVED))
    away(office, "roads", "roads2")
    office.uow.run(complete, CompleteTask(other, task.id, SOLVED))
    with office.uow.read() as session:
        found = select(Event).where(Event.case_id == case.id, Event.kind == "task_completed")
        event = session.scalars(found.order_by(Event.number.desc())).first()
        assert event is not None
        assert (event.actor_id, event.details["for_id"]) == (other.user_id, owner.user_id)


def test_it_ends_by_itself_and_early_when_said_so(
    office: Application, clock: SettableClock
) -> None:
    task, owner = main_task(office, dispatched(office)), actor(office, "roads")
    office.uow.run(claim, ClaimTask(owner, task.id))
    other = hired(office, "roads2")
    row = away(office, "roads", "roads2", last=MONDAY)
    clock.advance(timedelta(days=1))
    with pytest.raises(errors.TaskNotYours):
        office.uow.run(unclaim, UnclaimTask(other, task.id))
    row = away(office, "roads", "roads2", first=date(2026, 3, 3))
    office.uow.run(end_absence, EndAbsence(owner, row.id))
    with pytest.raises(errors.TaskNotYours):
        office.uow.run(unclaim, UnclaimTask(other, task.id))
    assert away(office, "roads", "roads2", first=date(2026, 3, 3)).id


def test_only_the_services_that_were_named(office: Application) -> None:
    task, owner = main_task(office, dispatched(office)), actor(office, "roads")
    office.uow.run(claim, ClaimTask(owner, task.id))
    other = hired(office, "roads2")
    away(office, "roads", "roads2", services=("F001",))
    with pytest.raises(errors.TaskNotYours):
        office.uow.run(complete, CompleteTask(other, task.id, SOLVED))


def test_a_substitute_takes_what_only_the_other_may(office: Application) -> None:
    case = dispatched(office)
    returned(office, case, "roads")
    away_lead = actor(office, "hotline_lead")
    clerk = hired(office, "clerk", "HOTLINE")
    # The first return is for caseworkers; a manager's task is not the clerk's to take.
    first = part(office, case, "redispatch")
    office.uow.run(claim, ClaimTask(clerk, first.id))
    from engine.usecases.dispatch_again import DispatchAgain, dispatch_again

    office.uow.run(dispatch_again, DispatchAgain(clerk, first.id, "WATER", "x"))
    returned(office, case, "water")
    judge = part(office, case, "adjudicate")
    with pytest.raises(errors.NotAllowed):
        office.uow.run(claim, ClaimTask(clerk, judge.id))
    assert office.uow.run(claim_next, ClaimNextTask(clerk)) is None
    away(office, "hotline_lead", "clerk")
    taken = office.uow.run(claim_next, ClaimNextTask(clerk))
    assert taken is not None
    assert (taken.id, taken.assignee_id) == (judge.id, away_lead.user_id)
    office.uow.run(dispatch_again, DispatchAgain(clerk, judge.id, "ROADS", "x"))
    assert main_task(office, case).department == "ROADS"


def test_rules_leave_out_who_is_away(office: Application) -> None:
    published_with(office, manifest=LEAST)
    hired(office, "roads2")
    away(office, "roads")
    chosen = {main_task(office, dispatched(office)).assignee_id for _ in range(3)}
    assert chosen == {actor(office, "roads2").user_id}
    drain(office)


def test_a_chain_a_loop_and_an_overlap_are_refused_in_words(office: Application) -> None:
    for name in ("roads2", "roads3"):
        hired(office, name)
    away(office, "roads", "roads2")
    assert _why(office, "roads2", "roads") == "loop"
    assert _why(office, "roads2", "roads3") == "acts"
    assert _why(office, "roads3", "roads") == "chain"
    assert _why(office, "roads", "roads3") == "overlap"
    assert _why(office, "roads3", "water") == "substitute"
    assert _why(office, "roads3", "roads3") == "substitute"
    assert _why(office, "roads3", first=FRIDAY, last=MONDAY) == "period"
    # At another time all of it goes.
    later = {"first": date(2026, 3, 9), "last": date(2026, 3, 13)}
    away(office, "roads2", "roads", **later)


def test_it_is_entered_by_the_person_or_their_manager(office: Application) -> None:
    with pytest.raises(errors.NotFound):
        away(office, "roads", by="water")
    with pytest.raises(errors.NotFound):
        away(office, "roads", by="hotline_lead")
    row = away(office, "roads", "roads_lead", by="roads_lead")
    with pytest.raises(errors.NotFound):
        office.uow.run(end_absence, EndAbsence(actor(office, "water"), row.id))
    assert office.uow.run(end_absence, EndAbsence(actor(office, "manager"), row.id)).id == row.id
