"""``banshi archive`` and ``banshi unarchive``: closed cases out of the way, and back."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import select

from api.installation import product
from api.sentences import say
from api.stopping import STOPPED, stopped_by_signals
from engine.domain.access import Actor
from engine.domain.schedule import add_months
from engine.kernel.errors import EngineError
from engine.store.tables import Case
from engine.usecases.archive import (
    LEAST_AGE,
    UnarchiveCase,
    archive_closed,
    count_archivable,
    unarchive_case,
)

console = Console()
_SHELL = Actor("shell", "shell", "shell", frozenset({"administrator"}))
_AGE = re.compile(r"([1-9]\d?)y|([1-9]\d{0,2})m|([1-9]\d{0,3})d")


def archive_closed_cases(
    closed_before: Annotated[
        str | None, typer.Option(help="Cases closed before this day, YYYY-MM-DD.")
    ] = None,
    older_than: Annotated[
        str | None, typer.Option(help="Cases closed longer ago: 3y, 18m or 90d.")
    ] = None,
) -> None:
    """Pack all rows of long closed cases into one compressed row each; they stay readable."""
    if (closed_before is None) == (older_than is None):
        raise _refused("Give --closed-before or --older-than.")
    with product() as wired:
        now = wired.ports.clock.now()
        zone = wired.ports.calendar.zone
        before = min(_instant(closed_before, older_than, now, zone), now - LEAST_AGE)
        with wired.uow.read() as session:
            total = count_archivable(session, before)
        with Progress(console=console) as progress, stopped_by_signals() as stop:
            bar = progress.add_task("cases", total=total)
            made = archive_closed(
                wired.uow,
                _SHELL,
                before,
                lambda count: progress.advance(bar, count),
                stop.is_set,
            )
    console.print(
        f"Archived {made.count} cases closed before {before.astimezone(zone):%Y-%m-%d %H:%M}."
    )
    for case_id, reason in made.failed.items():
        console.print(f"[red]{case_id}: {reason}[/red]", soft_wrap=True)
    if made.failed:
        raise typer.Exit(1)
    if stop.is_set():
        console.print("Stopped. The next run goes on from here.")
        raise typer.Exit(STOPPED)


def unarchive_one(
    reference: Annotated[str, typer.Argument(help="The number of the case.")],
) -> None:
    """Bring all rows of an archived case back into their tables."""
    with product() as wired:
        with wired.uow.read() as session:
            id_ = session.scalar(select(Case.id).where(Case.reference == reference.upper()))
        if id_ is None:
            raise _refused(f"There is no case {reference}.")
        try:
            wired.uow.run(unarchive_case, UnarchiveCase(_SHELL, id_))
        except EngineError as error:
            raise _refused(say("en", f"problem.{error.code}", **error.params)) from error
    console.print(f"{reference.upper()} is back.")


def _instant(
    closed_before: str | None, older_than: str | None, now: datetime, zone: tzinfo
) -> datetime:
    """The instant that the options mean; a day begins as it does for the office."""
    if closed_before is not None:
        try:
            return datetime.combine(date.fromisoformat(closed_before), time(), zone)
        except ValueError as error:
            raise _refused("--closed-before: use YYYY-MM-DD") from error
    match = _AGE.fullmatch(older_than or "")
    if match is None:
        raise _refused("--older-than: use a number and y, m or d, for example 3y")
    years, months, days = (int(each or 0) for each in match.groups())
    return add_months(now, -12 * years - months) - timedelta(days=days)


def _refused(words: str) -> typer.Exit:
    console.print(f"[red]{words}[/red]", soft_wrap=True)
    return typer.Exit(1)
