"""``banshi migrate``: the tables, changed while the product runs wherever that can be."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from api.demo.office import open_office
from api.installation import wired_product
from api.migrations import Pending, Watch, migrate, pending
from api.migrations.chain import Migration
from api.stopping import STOPPED, stopped_by_signals

console = Console()
_WHEN = {
    "expand": "while the product runs",
    "enforce": "once no older process runs",
    "offline": "while everything is stopped",
}


def migrate_tables(
    check: Annotated[
        bool, typer.Option("--check", help="Only say what is pending; 1 if anything is.")
    ] = False,
    online: Annotated[
        bool, typer.Option("--online", help="Only what processes of older versions survive.")
    ] = False,
) -> None:
    """Bring the database up to date, and in demo mode open the invented office."""
    with wired_product() as wired:
        if check:
            found = pending(wired.engine)
            _show(found)
            raise typer.Exit(1 if found else 0)
        with Progress(console=console) as progress, stopped_by_signals() as stop:
            whole = migrate(wired.engine, online, _watch(progress), stop)
        if stop.is_set() and not whole:
            console.print("Stopped. The next banshi migrate goes on from here.")
            raise typer.Exit(STOPPED)
        if not whole:
            console.print(
                "Done so far. Start the new version everywhere, stop the old one, "
                "then run: banshi migrate"
            )
            return
        wired.open_calendars()
        if wired.settings.demo:
            open_office(wired)
    console.print("The database is up to date.")


def _watch(progress: Progress) -> Watch:
    bars: list[TaskID] = []

    def backfilling(migration: Migration, rows: int) -> None:
        bars.append(progress.add_task(f"{migration.number} rows", total=rows))

    return Watch(
        begun=lambda migration: console.print(f"{migration.number} {migration.title}"),
        backfilling=backfilling,
        filled=lambda rows: progress.advance(bars[-1], rows) if bars else None,
        waiting=lambda: console.print("Another process is migrating; waiting for it."),
    )


def _show(found: list[Pending]) -> None:
    if not found:
        console.print("Nothing is pending.")
        return
    table = Table("migration", "what", "rows to fill", "when")
    for each in found:
        rows, step = each.rows, each.migration.step
        table.add_row(
            each.migration.number,
            each.migration.title,
            "" if rows is None else str(rows),
            _WHEN["expand" if rows is not None else step],
        )
    console.print(table)
