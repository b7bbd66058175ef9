"""Working calendars are edited, on record, and open cases are counted again after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from api.settings import SettingWrong, read_settings
from api.wiring import Application, wire
from api.worker.waker import ThreadWaker
from engine.domain.access import SYSTEM
from engine.domain.calendar_data import shipped_calendar, shipped_names
from engine.kernel.clock import SettableClock
from engine.kernel.errors import (
    CalendarChanged,
    CalendarRefused,
    CalendarUnknown,
    NotAllowed,
    PackageRefused,
    StoreUnavailable,
)
from engine.store.calendars import StoredCalendars, calendar_data, keep_data
from engine.store.pools import open_engine
from engine.store.queries.calendars import calendar_row, changes_of
from engine.store.tables import CalendarRow, Case, ClockEntry, ClockRow, Event, Job, Recount
from engine.store.uow import Work
from engine.usecases import recount
from engine.usecases.calendars import (
    AddCalendar,
    EditCalendar,
    add_calendar,
    edit_calendar,
    seed_calendars,
)
from engine.usecases.clock_calendar import calendar_of
from engine.usecases.publish import PublishPackage, publish
from engine.usecases.recount_case import RecountCase, recount_case
from tests.support.play import actor, drain, filed, open_task
from tests.support.small_package import begun, files_of, person

TITLE = {"zh-CN": "大厅", "en": "Hall"}
FILED = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
ONE_TASK = (
    '<bpmn:startEvent id="s"/><bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="a"/>'
    + person("a")
    + '<bpmn:sequenceFlow id="f2" sourceRef="a" targetRef="e"/><bpmn:endEvent id="e"/>'
)


def row(wired: Application, name: str = "cn") -> CalendarRow:
    with wired.uow.read() as session:
        return calendar_row(session, name)


def said(wired: Application, year: int, name: str = "cn") -> dict[str, Any]:
    """What is said of a year, as it would be sent back."""
    body = calendar_data(row(wired, name)).as_mapping()
    found: dict[str, Any] = body["years"].get(
        str(year), {"announced": True, "holidays": [], "make_up_days": []}
    )
    return found


def edit(
    wired: Application,
    years: Mapping[str, Any] | None = None,
    name: str = "cn",
    by: str = "admin",
    **settings: Any,
) -> CalendarRow:
    departments = settings.pop("departments", None)
    revision = settings.pop("revision", row(wired, name).revision)
    command = EditCalendar(
        actor(wired, by), name, revision, "typhoon", settings, years or {}, departments
    )
    made = wired.uow.run(edit_calendar, command)
    wired.ports.calendars.reload()
    return made


def close(wired: Application, *days: str, name: str = "cn") -> CalendarRow:
    """The office closes on these days of 2026."""
    year = said(wired, 2026, name)
    off = [{"from": day, "to": day, "name": {"en": "Typhoon"}} for day in days]
    return edit(wired, {"2026": {**year, "holidays": [*year["holidays"], *off]}}, name)


def hall(wired: Application, **said: Any) -> CalendarRow:
    departments = tuple(said.pop("departments", ()))
    body = {"name": "hall", "title": TITLE, "zone": "Asia/Shanghai", "extends": "cn"} | said
    made = wired.uow.run(
        add_calendar, AddCalendar(actor(wired, "admin"), body, "a new hall", departments)
    )
    wired.ports.calendars.reload()
    return made


def legal_date(wired: Application, case: Case) -> date:
    with wired.uow.read() as session:
        due = session.get_one(Case, case.id).legal_due_at
    assert due is not None
    return wired.ports.calendar.local_date(due)


def recounted(wired: Application, clock: SettableClock) -> None:
    """Let the seconds pass after which an edit holds everywhere, and run what is due."""
    clock.advance(timedelta(seconds=10))
    drain(wired)


def jobs_of(wired: Application) -> list[Job]:
    with wired.uow.read() as session:
        return list(session.scalars(select(Job).where(Job.kind == "recount")))


def recounts_of(wired: Application) -> list[Recount]:
    with wired.uow.read() as session:
        return list(session.scalars(select(Recount).order_by(Recount.started_at)))


def test_the_shipped_calendars_are_stored_once(office: Application) -> None:
    before = {name: row(office, name).revision for name in shipped_names()}
    office.uow.run(seed_calendars, None)
    assert {name: row(office, name).revision for name in shipped_names()} == before
    assert set(before.values()) == {1}
    assert office.ports.calendars.names() == set(shipped_names())


def test_an_edit_is_on_record_and_holds_in_another_process(
    office: Application, clock: SettableClock
) -> None:
    settings = replace(office.settings, data_dir=office.settings.data_dir)
    other = wire(settings, clock, ThreadWaker())
    try:
        assert other.ports.calendar.is_working_day(date(2026, 3, 10))
        made = close(office, "2026-03-10")
        assert made.revision == 2
        other.ports.calendars.reload()
        assert not other.ports.calendar.is_working_day(date(2026, 3, 10))
    finally:
        other.close()
    with office.uow.read() as session:
        change, shipped = changes_of(session, "cn")
    assert (change.revision, change.reason, change.actor_name) == (2, "typhoon", "系统管理员")
    assert change.at == FILED
    assert change.changes["holidays_added"] == [{"day": "2026-03-10", "name": {"en": "Typhoon"}}]
    assert change.changes["holidays_removed"] == []
    assert shipped.actor_id == SYSTEM.user_id


def test_a_process_looks_again_by_itself(
    small_office: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    calendars = small_office.ports.calendars
    assert calendars.main().is_working_day(date(2026, 3, 10))
    year = said(small_office, 2026)
    off = [*year["holidays"], {"from": "2026-03-10", "to": "2026-03-10"}]
    command = EditCalendar(
        actor(small_office, "admin"), "cn", 1, "typhoon", {}, {"2026": {**year, "holidays": off}}
    )
    small_office.uow.run(edit_calendar, command)
    assert calendars.main().is_working_day(date(2026, 3, 10))
    monkeypatch.setattr("engine.store.calendars.time.monotonic", lambda: 1e12)
    assert not calendars.main().is_working_day(date(2026, 3, 10))


def test_without_its_database_a_process_keeps_what_it_knows_and_never_guesses(
    small_office: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close(small_office, "2026-03-10")
    calendars = small_office.ports.calendars

    def away(*_: Any) -> Any:
        raise OperationalError("SELECT 1", {}, Exception("2013 lost connection"))

    fresh = StoredCalendars(small_office.engine, "cn")
    monkeypatch.setattr(StoredCalendars, "_read", away)
    calendars.reload()
    assert not calendars.main().is_working_day(date(2026, 3, 10))
    with pytest.raises(StoreUnavailable):
        fresh.main()


def test_before_the_first_migration_the_shipped_calendars_count(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'empty.db'}")
    try:
        assert StoredCalendars(engine, "cn").names() == set(shipped_names())
    finally:
        engine.dispose()


def test_an_edit_that_changes_nothing_leaves_no_trace(small_office: Application) -> None:
    assert edit(small_office, {"2026": said(small_office, 2026)}).revision == 1
    with small_office.uow.read() as session:
        assert len(changes_of(session, "cn")) == 1
    assert jobs_of(small_office) == []


def test_a_title_is_changed_without_counting_anything_again(small_office: Application) -> None:
    assert edit(small_office, title=TITLE).revision == 2
    assert jobs_of(small_office) == []


@pytest.mark.parametrize("who", ["citizen", "foi_officer", "designer", "manager"])
def test_only_the_administrator_edits(small_office: Application, who: str) -> None:
    with pytest.raises(NotAllowed):
        edit(small_office, by=who, title=TITLE)
    with pytest.raises(NotAllowed):
        small_office.uow.run(add_calendar, AddCalendar(actor(small_office, who), {}, "why"))


def test_the_second_of_two_editors_is_told(small_office: Application) -> None:
    close(small_office, "2026-03-10")
    with pytest.raises(CalendarChanged) as refused:
        edit(small_office, title=TITLE, revision=1)
    assert refused.value.params == {"revision": 2}
    with pytest.raises(CalendarUnknown):
        edit(small_office, name="nothing", revision=1)


def wrong_fields(refused: pytest.ExceptionInfo[CalendarRefused]) -> list[tuple[str, str]]:
    return [(each.field, each.code) for each in refused.value.params["fields"]]


def test_contradictions_and_missing_reasons_are_refused(small_office: Application) -> None:
    with pytest.raises(CalendarRefused) as refused:
        edit(small_office, {"2026": {"holidays": [], "make_up_days": ["2025-01-01"]}})
    assert wrong_fields(refused) == [("years.2026.make_up_days.0", "other_year")]
    with pytest.raises(CalendarRefused) as refused:
        edit(small_office, extends="cn")
    assert wrong_fields(refused) == [("extends", "extends_itself")]
    with pytest.raises(CalendarRefused) as refused:
        edit(small_office, extends="nothing")
    assert wrong_fields(refused) == [("extends", "calendar_unknown")]
    command = EditCalendar(actor(small_office, "admin"), "cn", 1, " ", {"title": TITLE}, {})
    with pytest.raises(CalendarRefused) as refused:
        small_office.uow.run(edit_calendar, command)
    assert wrong_fields(refused) == [("reason", "reason_missing")]
    assert row(small_office).revision == 1


def test_an_office_calendar_belongs_to_departments(small_office: Application) -> None:
    hall(small_office, departments=["ROADS"])
    calendars = small_office.ports.calendars
    assert calendars.of_department("ROADS").name == "hall"
    assert calendars.of_department("WATER").name == "cn"
    for code, wrong in (("ROADS", "department_elsewhere"), ("NONE", "department_unknown")):
        with pytest.raises(CalendarRefused) as refused:
            edit(small_office, departments=(code,))
        assert wrong_fields(refused) == [("departments", wrong)]
    with pytest.raises(CalendarRefused) as refused:
        hall(small_office)
    assert wrong_fields(refused) == [("name", "name_taken")]


def test_open_cases_are_counted_again(office: Application, clock: SettableClock) -> None:
    case = filed(office)
    drain(office)
    before = legal_date(office, case)
    close(office, "2026-03-10", "2026-03-11")
    drain(office)
    assert legal_date(office, case) == before  # not until the edit holds in every process
    recounted(office, clock)
    assert legal_date(office, case) == office.ports.calendar.add_working_days(before, 2)
    with office.uow.read() as session:
        clocks = session.scalars(select(ClockRow).where(ClockRow.case_id == case.id)).all()
        entries = session.scalars(
            select(ClockEntry).where(ClockEntry.case_id == case.id, ClockEntry.verb == "recount")
        ).all()
        events = session.scalars(
            select(Event).where(Event.case_id == case.id, Event.kind == "clock_recount")
        ).all()
    assert {entry.clock for entry in entries} == {each.key for each in clocks}
    assert {entry.number for entry in entries} == {event.number for event in events}
    assert {event.details["calendar"] for event in events} == {"cn"}
    made = recounts_of(office)[-1]
    assert (made.state, made.wanted["calendars"], made.failed) == ("done", ["cn"], 0)
    assert made.started_by == actor(office, "admin").user_id
    # Done again, it does nothing more.
    assert office.uow.run(recount_case, RecountCase(SYSTEM, case.id)) == []


def test_other_calendars_and_ended_cases_are_left_alone(
    small_office: Application, clock: SettableClock
) -> None:
    case = filed(small_office)
    drain(small_office)
    before = legal_date(small_office, case)
    hall(small_office)
    close(small_office, "2026-03-10", name="hall")
    recounted(small_office, clock)
    assert [job.state for job in jobs_of(small_office)] == ["done"]
    assert [(each.total, each.moved) for each in recounts_of(small_office)] == [(0, 0)]
    assert legal_date(small_office, case) == before

    def end(work: Work, case_id: str) -> None:
        work.session.get_one(Case, case_id).state = "closed"

    small_office.uow.run(end, case.id)
    assert small_office.uow.run(recount_case, RecountCase(SYSTEM, case.id)) == []


def test_slices_follow_each_other_and_one_bad_case_keeps_no_other(
    small_office: Application, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recount, "TOGETHER", 2)
    monkeypatch.setattr(recount, "SLICE", 2)
    cases = sorted((filed(small_office) for _ in range(5)), key=lambda case: case.id)
    drain(small_office)
    before = [legal_date(small_office, case) for case in cases]

    def spoil(work: Work, case_id: str) -> None:
        clock_row = work.session.get_one(ClockRow, (case_id, "legal"))
        clock_row.body = {"limit": {}}

    small_office.uow.run(spoil, cases[0].id)
    close(small_office, "2026-03-10")
    recounted(small_office, clock)
    after = [legal_date(small_office, case) for case in cases]
    assert after[0] == before[0]
    assert all(now > was for was, now in zip(before[1:], after[1:], strict=True))
    assert {job.state for job in jobs_of(small_office)} == {"done"}
    (made,) = recounts_of(small_office)
    assert (made.state, made.seen, made.moved, made.failed) == ("done", 5, 4, 1)


def test_a_year_that_is_announced_ends_what_was_provisional(
    small_office: Application, clock: SettableClock
) -> None:
    clock.set(datetime(2026, 12, 21, 2, tzinfo=UTC))
    case = filed(small_office)
    drain(small_office)

    def provisional() -> set[bool]:
        with small_office.uow.read() as session:
            rows = session.scalars(select(ClockRow).where(ClockRow.case_id == case.id))
            return {row.body["provisional"] for row in rows if row.key == "legal"}

    assert provisional() == {True}
    off = [{"from": "2027-01-01", "to": "2027-01-03", "name": {"zh-CN": "元旦"}}]
    edit(small_office, {"2027": {"holidays": off, "make_up_days": []}})
    recounted(small_office, clock)
    assert provisional() == {False}


def publish_with(wired: Application, line: str, where: str = "[[services]]") -> Any:
    files = files_of(ONE_TASK)
    text = files["package.toml"].decode().replace(where, f"{where}\n{line}", 1)
    return wired.uow.run(publish, PublishPackage(SYSTEM, files | {"package.toml": text.encode()}))


@pytest.mark.parametrize("where", ["[package]", "[[services]]"])
def test_a_package_that_names_no_known_calendar_is_refused(
    small_office: Application, where: str
) -> None:
    with pytest.raises(PackageRefused) as refused:
        publish_with(small_office, 'calendar = "mars"', where)
    findings = refused.value.params["findings"]
    assert [(each.code, each.params["calendar"]) for each in findings] == [
        ("calendar_unknown", "mars")
    ]
    with pytest.raises(PackageRefused):
        publish_with(small_office, "calendar = 7", where)


def test_a_service_counts_on_the_calendar_its_package_names(small_office: Application) -> None:
    made = publish_with(small_office, 'calendar = "uk-foi"')
    assert [(each.code, each.severity) for each in made.findings] == [
        ("calendar_zone_differs", "warning")
    ]
    case = begun(small_office)

    def named(work: Work, _: None) -> str:
        return calendar_of(work, work.rows.get_one(Case, case.id)).name

    assert small_office.uow.run(named, None) == "uk-foi"


def test_a_task_of_staff_is_counted_on_its_offices_calendar(
    small_office: Application, clock: SettableClock
) -> None:
    closed = {"2026": {"holidays": [{"from": "2026-03-03", "to": "2026-03-06"}]}}
    case = filed(small_office)
    plain = open_task(small_office, case, "check_request").due_at
    hall(small_office, departments=["FOI"], years=closed)
    task = open_task(small_office, filed(small_office), "check_request")
    assert plain is not None
    assert task.due_at is not None
    days = small_office.ports.calendars.named("hall")
    assert days.local_date(task.due_at) == days.add_working_days(
        date(2026, 3, 2),
        small_office.ports.calendar.working_days_between(
            date(2026, 3, 2), small_office.ports.calendar.local_date(plain)
        ),
    )
    assert task.due_at > plain


def test_a_newer_product_fills_in_what_an_edited_calendar_does_not_know(
    small_office: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    close(small_office, "2026-03-10")
    year = replace(shipped_calendar("uk-foi").years[2027])

    def newer(name: str) -> Any:
        data = shipped_calendar(name)
        return replace(data, years={**data.years, 2027: year}) if name == "cn" else data

    monkeypatch.setattr("engine.usecases.calendars.shipped_calendar", newer)
    small_office.uow.run(seed_calendars, None)
    small_office.ports.calendars.reload()
    calendar = small_office.ports.calendar
    assert 2027 in calendar.announced
    assert not calendar.is_working_day(date(2026, 3, 10))
    assert row(small_office).revision == 3
    assert [each.wanted["calendars"] for each in recounts_of(small_office)] == [["cn"], ["cn"]]
    # What somebody edited stays so, however often the product is started anew.
    small_office.uow.run(seed_calendars, None)
    small_office.ports.calendars.reload()
    assert not small_office.ports.calendar.is_working_day(date(2026, 3, 10))
    assert row(small_office).revision == 3


def test_a_calendar_that_nobody_edited_follows_the_shipped_file(
    small_office: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    def newer(name: str) -> Any:
        data = shipped_calendar(name)
        year = replace(data.years[2026], holidays=())
        return replace(data, years={**data.years, 2026: year}) if name == "uk-foi" else data

    monkeypatch.setattr("engine.usecases.calendars.shipped_calendar", newer)
    small_office.uow.run(seed_calendars, None)
    assert calendar_data(row(small_office, "uk-foi")).years[2026].holidays == ()
    assert row(small_office, "cn").revision == 1


def test_a_main_calendar_that_does_not_exist_is_told_at_the_start(tmp_path: Path) -> None:
    settings = read_settings({"BANSHI_DATA_DIR": str(tmp_path), "BANSHI_CALENDAR": "mars"})
    wired = wire(settings)
    try:
        with pytest.raises(SettingWrong, match="BANSHI_CALENDAR"):
            wired.bring_up_to_date()
    finally:
        wired.close()


def test_what_is_stored_is_what_was_said(small_office: Application) -> None:
    for name in shipped_names():
        stored = row(small_office, name)
        assert calendar_data(stored) == shipped_calendar(name)
        keep_data(stored, shipped_calendar(name))
        assert calendar_data(stored) == shipped_calendar(name)
