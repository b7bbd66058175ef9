"""``banshi backup`` and ``restore``, ``hold-jobs`` and ``release-jobs``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from api.backup import restoring, taking
from api.backup.manifest import BackupUnreadable, Manifest
from api.backup.restoring import DatabaseNotEmpty, Restore, RowRefused, check_backup, restore
from api.backup.taking import Stopped, TablesChanged, file_name, take_backup
from api.installation import product, wired_product
from api.migrations import check_schema
from api.stopping import STOPPED, stopped_by_signals
from api.wiring import Application
from engine.usecases.after_restore import (
    ReleaseJobs,
    SettleRestored,
    held_jobs,
    held_kinds,
    release_jobs,
    settle_restored,
)
from engine.usecases.invariants import count_cases, violations

console = Console()


def back_up(
    target: Annotated[Path, typer.Argument(help="A new file, or the folder to put it in.")],
) -> None:
    """Write every row and every uploaded file to one file, while the product runs."""
    with wired_product() as wired:
        file = target / file_name(wired) if target.is_dir() else target
        try:
            with Progress(console=console) as progress, stopped_by_signals() as stop:
                manifest = take_backup(wired, file, _taking(progress), stop)
        except FileExistsError as error:
            raise _refused(f"{file} is there already") from error
        except FileNotFoundError as error:
            raise _refused(f"{file.parent}: there is no such folder") from error
        except TablesChanged as error:
            raise _refused("The tables were changed meanwhile. Take the backup again") from error
        except Stopped as error:
            console.print("Stopped; no file is left.")
            raise typer.Exit(STOPPED) from error
    console.print(f"{file}: {_said(manifest)}", soft_wrap=True)
    if manifest.missing or manifest.damaged:
        console.print(
            f"[red]{manifest.missing} uploaded files are missing and {manifest.damaged} are not "
            "as they were uploaded: banshi doctor --invariants names them[/red]"
        )
        raise typer.Exit(1)


def bring_back(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The backup.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Drop what the database holds now.")
    ] = False,
    hold_jobs: Annotated[
        bool, typer.Option("--hold-jobs", help="Let nothing go out until banshi release-jobs.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Only read the backup.")] = False,
) -> None:
    """Bring a backup back, into an empty database of either kind. Stop the product first."""
    with wired_product() as wired:
        try:
            with Progress(console=console) as progress, stopped_by_signals() as stop:
                watch = _restoring(progress)
                if check:
                    manifest = check_backup(file, watch).manifest
                else:
                    manifest = restore(wired, Restore(file, replace, hold_jobs), watch, stop)
        except (BackupUnreadable, RowRefused) as error:
            raise _refused(str(error)) from error
        except DatabaseNotEmpty as error:
            raise _refused(
                "There are rows in the database. To drop them: banshi restore FILE --replace"
            ) from error
        except Stopped as error:
            console.print("Stopped. Nothing starts on this database before: restore --replace")
            raise typer.Exit(STOPPED) from error
        console.print(f"{'Whole' if check else 'Restored'}: {_said(manifest)}", soft_wrap=True)
        if not check and not _holds(wired):
            raise typer.Exit(1)


def hold_outgoing_jobs() -> None:
    """After the database was restored by its own means: end sessions and leases, and let nothing
    go out until banshi release-jobs. Run it before the product is started."""
    with product() as wired:
        wired.uow.run(settle_restored, SettleRestored({"by": "the database"}, hold=True))
    console.print("Mail and calls to other systems are held. Next: banshi release-jobs --list")


def release_held_jobs(
    list_only: Annotated[bool, typer.Option("--list", help="Only show what is held.")] = False,
    mail_as_sent: Annotated[
        bool, typer.Option("--mail-as-sent", help="Count the mails that wait now as sent.")
    ] = False,
) -> None:
    """Let mail and calls to other systems go out that a restore has held."""
    with product() as wired:
        with wired.uow.read() as session:
            kinds, held = held_kinds(session), held_jobs(session)
        if not kinds:
            console.print("Nothing is held.")
            return
        table = Table("kind", "case", "due", "tried", "error")
        for job in held:
            due = f"{job.due_at:%Y-%m-%d %H:%M:%SZ}"
            table.add_row(job.kind, job.reference or "", due, str(job.attempts), job.error or "")
        console.print(table)
        if list_only:
            return
        counted = wired.uow.run(release_jobs, ReleaseJobs(mail_as_sent))
    console.print(f"Released: {', '.join(kinds)}. Mails counted as sent: {counted}.")


def _holds(wired: Application) -> bool:
    """Check the restored data as ``banshi doctor --invariants`` does, and say so."""
    check_schema(wired.engine)
    with Progress(console=console) as progress:
        bar = progress.add_task("cases", total=count_cases(wired.uow))
        found = list(violations(wired.uow, lambda count: progress.advance(bar, count)))
    for each in found:
        console.print(f"[red]{each.code} {each.table} {each.key} {each.detail}[/red]")
    console.print(f"Violations: {len(found)}" if found else "Everything holds.")
    return not found


def _said(manifest: Manifest) -> str:
    return (
        f"{manifest.tables['cases']} cases, {manifest.rows} rows, {manifest.files} files, "
        f"as of {manifest.taken_at:%Y-%m-%d %H:%M:%SZ}, banshi {manifest.version}, "
        f"migration {manifest.migration}"
    )


def _refused(words: str) -> typer.Exit:
    console.print(f"[red]{words}[/red]", soft_wrap=True)
    return typer.Exit(1)


def _taking(progress: Progress) -> taking.Watch:
    rows, files = progress.add_task("rows"), progress.add_task("files", visible=False)
    return taking.Watch(
        rows_ahead=lambda count: progress.update(rows, total=count),
        rows=lambda count: progress.advance(rows, count),
        files_ahead=lambda count: progress.update(files, total=count, visible=True),
        files=lambda count: progress.advance(files, count),
    )


def _restoring(progress: Progress) -> restoring.Watch:
    checked, rows = progress.add_task("check"), progress.add_task("rows", visible=False)
    return restoring.Watch(
        bytes_ahead=lambda count: progress.update(checked, total=count),
        checked=lambda count: progress.advance(checked, count),
        rows_ahead=lambda count: progress.update(rows, total=count, visible=True),
        rows=lambda count: progress.advance(rows, count),
    )
