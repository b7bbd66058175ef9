"""``banshi clock``: a date and its reasons, by the code that counts the cases; no database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn, get_args

import typer
from rich.console import Console

from api.calendar_words import calendar_errors, dated, in_locale, run_view
from api.ledger_words import LedgerWords
from api.sentences import say
from engine.domain import sla
from engine.domain.calendar import WorkingCalendar, load_calendar, working_calendar
from engine.domain.calendar_data import (
    CalendarData,
    Text,
    read_calendar,
    shipped_calendar,
    shipped_names,
)
from engine.domain.explain import explain
from engine.domain.ledger import LedgerLine
from engine.domain.limit import LONGEST, UNITS, Limit, Unit
from engine.domain.locales import nearest_locale
from engine.domain.sla import SlaClock
from engine.kernel.errors import CalendarRefused, CalendarUnknown, ClockVerbRefused

console = Console(soft_wrap=True, highlight=False, markup=False)
USAGE = 2


@dataclass(frozen=True)
class _Verb:
    """One thing that happens to the clock: `option` is the one it was asked for with."""

    at: datetime
    verb: str
    option: str


def count_clock(
    start: Annotated[str, typer.Option(help="Day of receipt: 2026-02-10 or 2026-02-10T10:00.")],
    days: Annotated[int, typer.Option(min=0, max=LONGEST, help="How many of the unit.")],
    calendar: Annotated[str, typer.Option(help="A shipped calendar, or a JSON file.")] = "cn",
    unit: Annotated[str, typer.Option(help="working_days, calendar_days or hours")] = UNITS[0],
    office_hours: Annotated[bool, typer.Option(help="Count hours while the office is open.")] = (
        False
    ),
    pause: Annotated[list[str] | None, typer.Option(help="Not counted: FROM..TO.")] = None,
    reset: Annotated[str | None, typer.Option(help="The count begins again on this day.")] = None,
    extend: Annotated[int, typer.Option(min=0, max=LONGEST, help="So many more.")] = 0,
    lang: Annotated[str, typer.Option(help="zh-CN or en")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Say by when something is due, and why, line by line. Needs no database."""
    asked = _Asked(nearest_locale(lang))
    data, counts = asked.calendar(calendar)
    chosen = next((each for each in get_args(Unit) if each == unit), None)
    if chosen is None:
        asked.refuse("unit_wrong", options=", ".join(UNITS))
    in_hours = chosen == "hours" and office_hours
    if in_hours and not counts.office_hours:
        asked.refuse("no_office_hours")
    begins = asked.instant("--start", start, counts)
    verbs = asked.verbs(pause or [], reset, begins, counts)
    limit = Limit(chosen, days, {}, in_hours)
    try:
        clock, lines = _played(limit, begins, verbs, extend, counts)
        runs = [run_view(run, asked.locale) for run in explain(clock, counts)]
    except ClockVerbRefused:
        console.print(say(asked.locale, "problem.clock_verb_refused"))
        raise typer.Exit(USAGE) from None
    except (OverflowError, ValueError):
        asked.refuse("too_far")
    view = _view(data, counts, clock, lines, runs, asked.locale)
    if as_json:
        print(json.dumps(view, ensure_ascii=False, indent=2, default=str))
    else:
        for line in _told(data.title, view, clock, counts, asked.locale):
            console.print(line)


def _played(
    limit: Limit,
    begins: datetime,
    verbs: list[_Verb],
    more: int,
    calendar: WorkingCalendar,
) -> tuple[SlaClock, list[LedgerLine]]:
    """The clock after its verbs, with their ledger lines. Raises ClockVerbRefused."""
    clock, line = sla.start(limit, begins, calendar)
    lines = [line]
    for each in verbs:
        if each.verb == "reset":
            clock, line = sla.reset(clock, limit, each.at, calendar)
        elif each.verb == "pause":
            clock, line = sla.pause(clock, each.at)
        else:
            clock, line = sla.resume(clock, each.at, calendar)
        lines.append(line)
    if more:
        by = Limit(limit.unit, more, {}, limit.office_hours)
        clock, line = sla.extend(clock, by, clock.due_at, calendar)
        lines.append(line)
    return clock, lines


@dataclass(frozen=True)
class _Asked:
    """Reads what was typed, and says in the reader's language what is wrong with it."""

    locale: str

    def refuse(self, code: str, **params: Any) -> NoReturn:
        console.print(say(self.locale, f"clock_command.{code}", **params))
        raise typer.Exit(USAGE)

    def calendar(self, name: str) -> tuple[CalendarData, WorkingCalendar]:
        try:
            if name.lower() in shipped_names():
                return shipped_calendar(name.lower()), load_calendar(name.lower())
            data = read_calendar(json.loads(Path(name).read_text(encoding="utf-8")))
            base = load_calendar(data.extends) if data.extends else None
            return data, working_calendar(data, base)
        except CalendarRefused as refused:
            for wrong in calendar_errors(refused.params["fields"], self.locale):
                console.print(f"{name}: {wrong['field']}: {wrong['message']}")
            raise typer.Exit(USAGE) from None
        except CalendarUnknown as unknown:
            name = str(unknown.params["name"])
        except (OSError, ValueError):
            pass
        self.refuse("calendar_wrong", name=name, known=", ".join(shipped_names()))

    def instant(self, option: str, value: str, calendar: WorkingCalendar) -> datetime:
        """A local date or time; a date alone is its beginning."""
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            self.refuse("date_wrong", option=option, value=value)
        return at if at.tzinfo else at.replace(tzinfo=calendar.zone)

    def verbs(
        self, pauses: list[str], reset: str | None, begins: datetime, calendar: WorkingCalendar
    ) -> list[_Verb]:
        made = []
        for pause in pauses:
            since, dots, until = pause.partition("..")
            if not dots:
                self.refuse("pause_wrong", value=pause)
            made.append(_Verb(self.instant("--pause", since, calendar), "pause", "--pause"))
            made.append(_Verb(self.instant("--pause", until, calendar), "resume", "--pause"))
        if reset is not None:
            made.append(_Verb(self.instant("--reset", reset, calendar), "reset", "--reset"))
        for each in made:
            if each.at < begins:
                self.refuse("before_start", option=each.option, value=each.at.date())
        return sorted(made, key=lambda each: each.at)


def _view(
    data: CalendarData,
    calendar: WorkingCalendar,
    clock: SlaClock,
    lines: list[LedgerLine],
    runs: list[dict[str, Any]],
    locale: str,
) -> dict[str, Any]:
    return {
        "calendar": data.name,
        "unit": clock.limit.unit,
        "value": clock.whole_limit().value,
        "start": clock.received.isoformat(),
        "due_on": calendar.local_date(clock.due_at),
        "due_at": clock.due_at.isoformat(),
        "provisional": clock.provisional,
        "ledger": [_line_view(line, calendar, locale) for line in lines],
        "days": runs,
    }


def _line_view(line: LedgerLine, calendar: WorkingCalendar, locale: str) -> dict[str, Any]:
    return {
        "verb": line.verb,
        "on": calendar.local_date(line.at),
        "working_days": line.working_days,
        "due_on": calendar.local_date(line.new_due) if line.new_due else None,
        "text": LedgerWords(locale, calendar).sentence(line),
    }


def _told(
    title: Text,
    view: dict[str, Any],
    clock: SlaClock,
    calendar: WorkingCalendar,
    locale: str,
) -> Iterator[str]:
    zone = calendar.zone.key
    yield say(
        locale,
        "clock_command.title",
        title=in_locale(title, locale),
        name=view["calendar"],
        zone=zone,
    )
    unit = "office_hours" if clock.limit.office_hours else view["unit"]
    begins = dated(calendar.local_date(clock.received), locale)
    yield say(locale, f"clock_command.limit.{unit}", value=view["value"], start=begins)
    if len(view["ledger"]) > 1:
        for line in view["ledger"]:
            yield f"  {dated(line['on'], locale)}  {line['text']}"
    yield ""
    for run in view["days"]:
        yield f"  {_days(run['first'], run['last'], locale)}  {run['text']}"
    yield ""
    due = dated(view["due_on"], locale)
    if clock.limit.unit == "hours":
        due += f" {clock.due_at.astimezone(calendar.zone):%H:%M}"
    yield say(locale, "explain.due" + (".provisional" if clock.provisional else ""), date=due)


def _days(first: date, last: date, locale: str) -> str:
    both = f"{dated(first, locale)} – {dated(last, locale)}" if first != last else ""
    return both or dated(first, locale)


def command() -> typer.Typer:
    """The command alone, which starts without the web server's libraries."""
    made = typer.Typer(add_completion=False, no_args_is_help=True)
    made.command("clock")(count_clock)
    made.callback()(lambda: None)
    return made
