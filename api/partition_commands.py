"""``banshi partition``: months of the tables that grow for ever, made ahead."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from api.installation import product
from api.migrations.lock import alone
from api.migrations.online import run_patiently
from engine.store.partitions import SPLIT, known_partitions, oldest_month, split_statement
from engine.store.pools import patiently

console = Console()


def split_tables(
    months: Annotated[int, typer.Option(min=1, max=120, help="How many months ahead.")] = 12,
    tables: Annotated[
        list[str] | None, typer.Option("--table", help=f"One of {', '.join(SPLIT)}; all of them.")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Only print the statements.")] = False,
) -> None:
    """Split the tables that grow for ever by month, and make partitions for months ahead."""
    unknown = set(tables or ()) - set(SPLIT)
    if unknown:
        console.print(f"[red]Not split: {', '.join(sorted(unknown))}[/red]")
        raise typer.Exit(1)
    with product() as wired:
        if wired.engine.dialect.name == "sqlite":
            console.print("SQLite has no partitions: nothing to do.")
            return
        # The first time each table is copied.
        with alone(wired.engine), patiently(wired.engine) as connection:
            for table in tables or SPLIT:
                known = known_partitions(connection, table)
                now = wired.ports.clock.now()
                oldest = oldest_month(connection, table, now)
                statement = split_statement(table, known, oldest, now, months)
                if statement is None:
                    console.print(f"{table}: has them")
                elif show:
                    console.print(f"{statement};", soft_wrap=True)
                else:
                    run_patiently(connection, statement)
                    count = len(known_partitions(connection, table))
                    console.print(f"{table}: {count} partitions")
