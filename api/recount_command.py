"""``banshi recount``: what a changed calendar, limit or receipt does to running cases."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from api.dates import long_date
from api.installation import product
from api.sentences import say
from api.wiring import Application
from engine.domain.access import Actor
from engine.domain.locales import nearest_locale
from engine.kernel.errors import EngineError
from engine.store.tables import Recount
from engine.usecases.recount import (
    StartRecount,
    TurnRecount,
    new_recount,
    preview,
    recount_slice,
    stop_recount,
    take_up,
)
from engine.usecases.recount_case import Move
from engine.usecases.recount_choice import Wanted, count_wanted

console = Console()
SHOWN = 200
SHELL = Actor("shell", "shell", "shell", frozenset({"administrator"}))
Several = Annotated[list[str] | None, typer.Option()]


def recount(
    apply: Annotated[bool, typer.Option(help="Do it, not only say it.")] = False,
    service: Several = None,
    department: Several = None,
    package: Several = None,
    case: Annotated[list[str] | None, typer.Option(help="Ids or reference numbers.")] = None,
    reason: Annotated[
        str, typer.Option(help="Kept in the ledger; calendar_changed has words of its own.")
    ] = "calendar_changed",
    resume: Annotated[str, typer.Option(help="Go on with the recount of this id.")] = "",
    lang: Annotated[str, typer.Option(help="zh-CN or en")] = "en",
) -> None:
    """Say which dates of open cases would move, and move them. Safe to run twice."""
    locale = nearest_locale(lang)
    wanted = Wanted(*(tuple(each or ()) for each in (service, department, package, case)))
    with product() as wired:
        try:
            if apply or resume:
                _apply(wired, wanted, reason, resume)
            else:
                _preview(wired, wanted, reason, locale)
        except EngineError as error:
            console.print(f"[red]{say(locale, f'problem.{error.code}', **error.params)}[/red]")
            raise typer.Exit(1) from error


def _preview(wired: Application, wanted: Wanted, reason: str, locale: str) -> None:
    with wired.uow.read() as session:
        total = count_wanted(session, wired.ports, wanted)
    with Progress(console=console) as progress:
        bar = progress.add_task("cases", total=total)
        moves = list(preview(wired.uow, wanted, reason, lambda count: progress.advance(bar, count)))
    table = Table("case", "clock", "from", "to", "refused")
    for move in moves[:SHOWN]:
        table.add_row(*_cells(wired, move, locale))
    console.print(table)
    console.print(say(locale, "recount.preview", moves=len(moves), cases=total))


def _cells(wired: Application, move: Move, locale: str) -> list[str]:
    def day(at: datetime) -> str:
        return long_date(wired.ports.calendar.local_date(at), locale)

    name = move.clock or move.element
    return [move.reference, name, day(move.previous_due), day(move.new_due), move.refused or ""]


def _apply(wired: Application, wanted: Wanted, reason: str, resume: str) -> None:
    uow = wired.uow
    row: Recount = (
        uow.run(take_up, TurnRecount(SHELL, resume))
        if resume
        else uow.run(new_recount, StartRecount(SHELL, wanted, reason))
    )
    console.print(f"recount {row.id}")
    try:
        with Progress(console=console) as progress:
            bar = progress.add_task("cases", total=row.total, completed=row.seen)
            while recount_slice(uow, SHELL, row.id, lambda n: progress.advance(bar, n)):
                pass
    except KeyboardInterrupt:
        uow.run(stop_recount, TurnRecount(SHELL, row.id))
        console.print(f"stopped; go on with: banshi recount --resume {row.id}")
        raise typer.Exit(130) from None
    with uow.read() as session:
        done = session.get_one(Recount, row.id)
    console.print(f"{done.state}: {done.moved} of {done.seen} cases moved, {done.failed} refused")
    if done.failed:
        raise typer.Exit(1)
