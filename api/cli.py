"""The operator's shell: ``banshi serve | worker | migrate | publish | demo | clock | doctor``."""

from __future__ import annotations

import json
import logging
import shutil
import sys
import tempfile
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from api.archive_commands import archive_closed_cases, unarchive_one
from api.backup.commands import back_up, bring_back, hold_outgoing_jobs, release_held_jobs
from api.clock_command import count_clock
from api.day_command import play_day
from api.demo.office import PACKAGES, open_office, package_files
from api.demo.played import Played, PlayedStep
from api.demo.player import Player
from api.demo.scenario import Scenario, read_scenario
from api.doctor import examine
from api.incident_commands import incidents
from api.installation import make_fit, product, wired_product
from api.load_command import load_demo
from api.memory import settle
from api.migrations import SchemaUnfit, check_schema
from api.migrations.lock import AnotherMigrates
from api.model_commands import simulate_model, validate_models
from api.partition_commands import split_tables
from api.recount_command import recount
from api.schema_commands import migrate_tables
from api.sentences import finding_view, say
from api.settings import SettingWrong, read_settings
from api.wiring import Application, wire
from api.worker.embedded import EmbeddedWorker
from api.worker.waker import ThreadWaker
from engine.domain.access import SYSTEM, Actor
from engine.domain.locales import nearest_locale
from engine.domain.passwords import LONGEST, SHORTEST, hash_password
from engine.kernel.clock import SettableClock
from engine.kernel.errors import EngineError, PackageRefused
from engine.usecases.definition import unpack
from engine.usecases.invariants import Violation, count_cases, violations
from engine.usecases.migrate import Migration, migrate_cases, open_cases, preview, version_id
from engine.usecases.people import AddUser, add_user
from engine.usecases.publish import PublishPackage
from engine.usecases.publish import publish as publish_package

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="banshi 办事: cases from filing to closure."
)
console = Console()
app.command("validate")(validate_models)
app.command("simulate")(simulate_model)
app.command("clock")(count_clock)
app.command("load-demo")(load_demo)
app.command("migrate")(migrate_tables)
app.command("backup")(back_up)
app.command("restore")(bring_back)
app.command("archive")(archive_closed_cases)
app.command("unarchive")(unarchive_one)
app.command("partition")(split_tables)
app.command("hold-jobs")(hold_outgoing_jobs)
app.command("release-jobs")(release_held_jobs)
app.command("incidents")(incidents)
app.command("recount")(recount)
app.command("simulate-day")(play_day)


def main() -> None:
    """Entry point of the ``banshi`` command."""
    try:
        app()
    except (SettingWrong, SchemaUnfit) as error:
        console.print(f"[red]{error}[/red]")
        sys.exit(2)
    except AnotherMigrates:
        console.print("[red]Another process is still migrating. Try again later.[/red]")
        sys.exit(2)


@app.command()
def serve() -> None:
    """Serve portal, JSON interface and staff interface; without Redis run the jobs as well."""
    import uvicorn

    from api.main import create_app

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    # A line for every sweep, every two seconds, would hide what matters.
    logging.getLogger("celery").setLevel(logging.WARNING)
    logging.getLogger("kombu").setLevel(logging.ERROR)
    settings = read_settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    wired = wire(settings)
    make_fit(wired.engine)
    wired.open_calendars()
    if settings.demo:
        open_office(wired)
    worker = None
    if settings.embedded_worker:
        worker = EmbeddedWorker(wired.run_due, wired.chores())
        wired = wired.with_waker(worker.waker)
    app = create_app(wired, worker)
    settle()
    address = f"http://{settings.host}:{settings.port}"
    console.print(f"banshi: [bold]{address}/[/bold]  {address}/staff/")
    try:
        uvicorn.run(
            app,
            host=settings.host,
            port=settings.port,
            log_level="warning",
            proxy_headers=False,
            # Job workers' long polls would hold up the end for half an hour.
            timeout_graceful_shutdown=10,
        )
    finally:
        wired.close()


@app.command()
def worker(
    beat: Annotated[bool, typer.Option(help="Only send the sweep every few seconds.")] = False,
    concurrency: Annotated[int, typer.Option(min=1, max=64)] = 2,
) -> None:
    """Run a Celery worker, or beat, on BANSHI_REDIS_URL."""
    from celery.signals import task_received, worker_shutting_down

    from api.worker.celery_app import WAKE, make_celery, queue_names
    from api.worker.sweeper import Sweeper

    settings = read_settings()
    if settings.redis_url is None:
        raise SettingWrong("BANSHI_REDIS_URL: a separate worker needs Redis")
    with product(settings) as wired:
        celery = make_celery(settings.redis_url, wired.run_due, wired.chores(), concurrency)
        settle()
        worker_shutting_down.connect(lambda **_: wired.stopping.set(), weak=False)
        if beat:
            celery.start(["beat", "--scheduler", "celery.beat:Scheduler", "-l", "INFO"])
        else:
            sweeper = Sweeper(celery.tasks[WAKE], wired.stopping)
            task_received.connect(lambda **_: sweeper.heard(), weak=False)
            sweeper.start()
            queues = ",".join(queue_names())
            arguments = ["-P", "threads", "-c", str(concurrency), "-Q", queues, "-l", "INFO"]
            try:
                celery.worker_main(["worker", *arguments])
            finally:
                wired.stopping.set()
                sweeper.join()


@app.command()
def publish(
    path: Annotated[Path, typer.Argument(exists=True, help="A package folder or zip archive.")],
    trial: Annotated[bool, typer.Option(help="Check only; publish nothing.")] = False,
) -> None:
    """Publish a process package, with a report of what is wrong in it."""
    locale = nearest_locale("en")
    try:
        contents = dict(package_files(path)) if path.is_dir() else unpack(path.read_bytes())
    except ValueError as error:
        console.print(f"[red]{say(locale, f'finding.{error}')}[/red]")
        raise typer.Exit(1) from error
    with product() as wired:
        try:
            made = wired.uow.run(publish_package, PublishPackage(SYSTEM, contents, trial))
        except PackageRefused as error:
            _report(error.params["findings"], locale)
            console.print(f"[red]{say(locale, 'problem.package_refused')}[/red]")
            raise typer.Exit(1) from error
    _report(made.findings, locale)
    state = "unchanged" if made.unchanged else "published" if made.published else "checked"
    console.print(f"{made.key} {made.version or ''}: {state}")


def _report(findings: tuple[object, ...], locale: str) -> None:
    if not findings:
        return
    table = Table("severity", "file", "element", "line", "what is wrong")
    for finding in findings:
        view = finding_view(finding, locale)  # type: ignore[arg-type]
        table.add_row(
            view["severity"],
            view["file"],
            view["element"] or "",
            str(view["line"] or ""),
            view["message"],
        )
    console.print(table)


def demo_scenarios() -> list[Scenario]:
    """The scenario of each shipped package that is marked for the demonstration."""
    found = []
    for key in PACKAGES:
        folder = files("processes").joinpath(key, "scenarios")
        for entry in sorted(folder.iterdir(), key=lambda each: each.name):
            if entry.name.endswith(".yaml"):
                scenario = read_scenario(f"{key}/{entry.name}", entry.read_bytes())
                if scenario.demo:
                    found.append(scenario)
    return found


@app.command()
def demo(
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    lang: Annotated[str, typer.Option(help="zh-CN or en")] = "en",
) -> None:
    """Play three sample cases from filing to closure on a throw-away database."""
    folder = Path(tempfile.mkdtemp(prefix="banshi-demo-"))
    settings = replace(read_settings({"BANSHI_DATA_DIR": str(folder)}), demo=True, data_dir=folder)
    clock = SettableClock(datetime(2026, 1, 5, tzinfo=UTC))
    wired = wire(settings, clock, ThreadWaker())
    try:
        wired.bring_up_to_date()
        open_office(wired)
        played = _play_all(wired, clock, nearest_locale(lang), quiet=as_json)
    finally:
        wired.close()
        shutil.rmtree(folder, ignore_errors=True)
    right = all(each.problem is None and each.state == "closed" for each in played)
    if as_json:
        cases = [asdict(each) for each in played]
        print(json.dumps({"ok": right, "cases": cases}, ensure_ascii=False, indent=2, default=str))
    else:
        _show(played)
    if not right:
        raise typer.Exit(1)


def _play_all(wired: Application, clock: SettableClock, locale: str, quiet: bool) -> list[Played]:
    scenarios = demo_scenarios()
    player = Player(wired, clock, locale)
    with Progress(console=console, disable=quiet) as progress:
        bar = progress.add_task("cases", total=sum(1 + len(each.steps) for each in scenarios))

        def watch(step: PlayedStep) -> None:
            progress.advance(bar)
            if not quiet:
                letters = f"  ✉ {', '.join(step.letters)}" if step.letters else ""
                at = wired.ports.calendar.local_date(step.at)
                progress.console.print(f"{at}  {step.label}  {step.by}{letters}")

        played = []
        for scenario in scenarios:
            if not quiet:
                progress.console.rule(scenario.title[locale])
            played.append(player.play(scenario, watch))
    return played


def _show(played: list[Played]) -> None:
    table = Table(
        "case", "service", "steps", "letters", "outcome", "promised", "legal date", "state"
    )
    for each in played:
        table.add_row(
            each.reference,
            each.service,
            str(len(each.steps)),
            str(len(each.letters)),
            each.outcome or "",
            each.promised_due or "",
            each.legal_due or "",
            each.state if each.problem is None else f"[red]{each.problem}[/red]",
        )
    console.print(table)


@app.command("migrate-cases")
def migrate_running_cases(
    key: Annotated[str, typer.Argument(help="The package.")],
    source: Annotated[int, typer.Argument(help="From this version.")],
    target: Annotated[int, typer.Argument(help="To this version.")],
    mapped: Annotated[list[str] | None, typer.Option("--map", help="old=new element.")] = None,
    apply: Annotated[bool, typer.Option(help="Do it, not only say it.")] = False,
    lang: Annotated[str, typer.Option(help="zh-CN or en")] = "en",
) -> None:
    """Say case by case what moving running cases to another version does, and do it."""
    locale = nearest_locale(lang)
    mapping = dict(each.partition("=")[::2] for each in mapped or [])
    with product() as wired:
        try:
            with wired.uow.read() as session:
                migration = Migration(
                    version_id(session, key, source), version_id(session, key, target), mapping
                )
                ids = open_cases(session, migration.source_id)
                report = [] if apply else preview(session, wired.ports, migration, ids)
        except EngineError as error:
            console.print(f"[red]{say(locale, f'problem.{error.code}', **error.params)}[/red]")
            raise typer.Exit(1) from error
        if apply:
            with Progress(console=console) as progress:
                bar = progress.add_task(key, total=len(ids))
                actor = Actor("shell", "shell", "shell", frozenset({"administrator"}))
                report = migrate_cases(
                    wired.uow, actor, migration, ids, lambda _: progress.advance(bar)
                )
    table = Table("case", "places", "refused")
    for each in report:
        places = ", ".join(f"{place.element} → {place.target or '?'}" for place in each.places)
        table.add_row(each.reference, places, each.refusal or "")
    console.print(table)
    if any(each.refusal for each in report):
        raise typer.Exit(1)


@app.command()
def administrator(
    user_name: Annotated[str, typer.Argument(help="The sign-in name to make.")],
) -> None:
    """Add an administrator; the password is asked for and not shown."""
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    if not SHORTEST <= len(password) <= LONGEST:
        console.print(f"[red]Use {SHORTEST} to {LONGEST} characters.[/red]")
        raise typer.Exit(1)
    hashed = hash_password(password)
    command = AddUser(SYSTEM, user_name, user_name, hashed, ("administrator",))
    with product() as wired:
        try:
            wired.uow.run(add_user, command)
        except EngineError as error:
            console.print(f"[red]{say('en', f'problem.{error.code}', **error.params)}[/red]")
            raise typer.Exit(1) from error
    console.print(f"{user_name} can sign in at /staff/.")


@app.command()
def doctor(
    invariants: Annotated[
        bool, typer.Option("--invariants", help="Check the data of every case instead.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what is wrong as JSON.")] = False,
) -> None:
    """Say what is set up, what works, and what to do about what does not."""
    if invariants:
        found = _violations(quiet=as_json)
        if as_json:
            print(json.dumps([asdict(each) for each in found], indent=2))
        raise typer.Exit(1 if found else 0)
    settings = read_settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    checks = examine(settings)
    table = Table("check", "state", "what to do")
    for check in checks:
        table.add_row(check.name, "ok" if check.ok else "[red]not ok[/red]", check.advice)
    console.print(table)
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


def _violations(quiet: bool) -> list[Violation]:
    with wired_product() as wired, Progress(console=console, disable=quiet) as progress:
        check_schema(wired.engine)
        bar = progress.add_task("cases", total=count_cases(wired.uow))
        found = list(violations(wired.uow, lambda count: progress.advance(bar, count)))
    if quiet:
        return found
    table = Table("what", "where", "key", "found")
    for each in found:
        table.add_row(each.code, each.table, each.key, each.detail)
    console.print(table if found else "Everything holds.")
    return found


@app.command("train")
def train_model() -> None:
    """Train the recommender on the closed cases of this installation."""
    from api.training import train_on_cases

    with product() as wired:
        try:
            figures = train_on_cases(wired)
        except EngineError as error:
            console.print(f"[red]{error}[/red]")
            raise typer.Exit(1) from error
    console.print_json(json.dumps(figures))
