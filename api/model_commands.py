"""``banshi validate`` and ``banshi simulate``: models tried without a server or database."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from api.sentences import failure_view, finding_view, say
from engine.bpmn import DeployReport, Package, deploy_report, with_needed
from engine.domain.locales import nearest_locale
from engine.domain.ports import Form
from engine.domain.schedule import after, instant
from engine.simulation import Answers, AnswersWrong, Outcome, read_answers, simulate
from forms.library import FormLibrary
from forms.sample import sample_answers, sample_of_fields

console = Console()
USAGE, FAILED = 2, 5
MAX_AROUND = 500
Lang = Annotated[str, typer.Option(help="zh-CN or en")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def validate_models(
    files: Annotated[list[Path], typer.Argument(help="BPMN and DMN files, or package folders.")],
    as_json: AsJson = False,
    lang: Lang = "en",
) -> None:
    """Say of each element whether it is executed, adapted or refused; exit 0 if publishable."""
    locale = nearest_locale(lang)
    reports = [(path, deploy_report(needed)[0]) for path, needed in _models(files).items()]
    if as_json:
        views = [_report_view(path, report, locale) for path, report in reports]
        document = {"publishable": all(v["publishable"] for v in views), "files": views}
        print(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        for path, report in reports:
            _print_report(path, report, locale)
    if not reports or not all(report.publishable for _, report in reports):
        raise typer.Exit(1)


def _models(paths: list[Path]) -> dict[Path, dict[str, bytes]]:
    """Each model to report on, with the files it needs: given, or in the folders given."""
    found: list[Path] = []
    for path in paths:
        inside = [*path.glob("*.bpmn"), *path.glob("*.dmn")] if path.is_dir() else [path]
        found += [each for each in sorted(inside) if each not in found]
    models = {path: _with_needed(path, found) for path in found}
    needed = {name for path, files in models.items() for name in files if name != path.name}
    # A decision table that a model uses is reported on with the model.
    return {
        path: files
        for path, files in models.items()
        if path.suffix != ".dmn" or path.name not in needed
    }


def _with_needed(path: Path, others: list[Path]) -> dict[str, bytes]:
    """The model with the decisions and called processes it names, found among the others."""
    around = {other.name: _bytes(other) for other in others if other.name != path.name}
    return with_needed(path.name, {**around, path.name: _bytes(path)})


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        console.print(f"[red]{path}: {error.strerror}[/red]")
        raise typer.Exit(USAGE) from error


def _report_view(path: Path, report: DeployReport, locale: str) -> dict[str, Any]:
    return {
        "file": str(path),
        "publishable": report.publishable,
        "elements": [asdict(element) for element in report.elements],
        "findings": [finding_view(finding, locale) for finding in report.findings],
    }


def _print_report(path: Path, report: DeployReport, locale: str) -> None:
    counts = {"executed": 0, "adapted": 0, "refused": 0}
    for element in report.elements:
        counts[element.verdict] += 1
    verdict = "publishable" if report.publishable else "refused"
    console.print(f"[bold]{path}[/bold]  {say(locale, f'validate.{verdict}')}")
    console.print(
        "  " + "  ".join(f"{say(locale, f'validate.{k}')} {v}" for k, v in counts.items())
    )
    if not report.findings:
        return
    table = Table(
        *(say(locale, f"validate.{name}") for name in ("element", "line", "code", "what"))
    )
    for finding in report.findings:
        view = finding_view(finding, locale)
        colour = "red" if finding.severity == "error" else "yellow"
        table.add_row(
            view["element"] or "",
            str(view["line"] or ""),
            f"[{colour}]{finding.code}[/{colour}]",
            view["message"],
        )
    console.print(table)


def simulate_model(
    file: Annotated[Path, typer.Argument(help="A BPMN file, or a package folder.")],
    process: Annotated[str | None, typer.Option(help="The process to run.")] = None,
    answers: Annotated[Path | None, typer.Option(help="Answers, as JSON.")] = None,
    seed: Annotated[int, typer.Option(help="For values made up from forms.")] = 0,
    until: Annotated[
        str | None, typer.Option(help="Stop at this element, or after this time (P30D, a date).")
    ] = None,
    max_steps: Annotated[int, typer.Option(min=1, max=1_000_000)] = 2_000,
    as_json: AsJson = False,
    lang: Lang = "en",
) -> None:
    """Run a model in memory with a clock that jumps, and print what happens.

    Exit 0 finished, 3 waits for something nobody gives, 4 step or time limit, 5 error.
    """
    locale = nearest_locale(lang)
    path = file if not file.is_dir() else next(iter(sorted(file.glob("*.bpmn"))), file)
    report, package = deploy_report(_with_needed(path, _around(path)))
    if not package.can_run():
        _refuse(path, report, locale, as_json)
    chosen = _choose(package, process, path.name, locale)
    given = _answers(answers)
    time = _time(until, given.now)
    outcome = simulate(
        package,
        chosen,
        given,
        make=_Maker(package, path.parent, seed),
        until=until if time is None else None,
        until_time=time,
        max_steps=max_steps,
    )
    if as_json:
        print(json.dumps(_outcome_view(chosen, outcome, locale), ensure_ascii=False, indent=2))
    else:
        _print_outcome(outcome, locale)
    raise typer.Exit(outcome.exit_code)


def _around(path: Path) -> list[Path]:
    """The decision tables and other models in the file's folder."""
    return [
        each
        for each in sorted(path.parent.iterdir())
        if each != path and each.suffix in (".dmn", ".bpmn") and each.is_file()
    ][:MAX_AROUND]


def _refuse(path: Path, report: DeployReport, locale: str, as_json: bool) -> None:
    if as_json:
        view = _report_view(path, report, locale)
        failed = [f for f in view["findings"] if f["severity"] == "error"]
        first = failed[0] if failed else {"code": "process_missing", "element": None, "message": ""}
        error = {"element": first["element"], "reason": first["code"], "detail": first["message"]}
        print(
            json.dumps(
                {"reason": "failed", "error": error, "trace": [], "findings": view["findings"]},
                ensure_ascii=False,
                indent=2,
            )
        )
    else:
        _print_report(path, report, locale)
    raise typer.Exit(FAILED)


def _choose(package: Package, process: str | None, file: str, locale: str) -> str:
    here = {id_: each for id_, each in package.processes.items() if each.file == file}
    if process is not None:
        if process not in package.processes:
            console.print(say(locale, "finding.process_missing", process=process))
            raise typer.Exit(USAGE)
        return process
    executable = [id_ for id_, each in here.items() if each.executable] or list(here)
    begin = [id_ for id_ in executable if here[id_].root.starts]
    called = {
        node.called
        for each in here.values()
        for scope in each.scopes.values()
        for node in scope.nodes.values()
        if node.called
    }
    first = [id_ for id_ in begin if id_ not in called]
    for candidates in (executable, begin, first):
        if len(candidates) == 1:
            return candidates[0]
    console.print(say(locale, "simulate.which", processes=", ".join(executable)))
    raise typer.Exit(USAGE)


def _answers(path: Path | None) -> Answers:
    if path is None:
        return Answers()
    try:
        return read_answers(json.loads(_bytes(path)))
    except (AnswersWrong, ValueError) as error:
        console.print(f"[red]{path}: {error}[/red]")
        raise typer.Exit(USAGE) from error


def _time(until: str | None, now: datetime) -> datetime | None:
    if until is None:
        return None
    try:
        return after(now, until) if until.startswith("P") else instant(until)
    except ValueError:
        return None


class _Maker:
    """Makes up the answers of user tasks from their forms."""

    def __init__(self, package: Package, folder: Path, seed: int) -> None:
        self.package, self.folder = package, folder
        self.chance = random.Random(seed)  # noqa: S311 - made-up answers, nothing secret
        self.forms: dict[str, Form | None] = {}

    def __call__(self, element: str) -> Mapping[str, Any]:
        fields = self.package.reading.form_fields.get(element)
        if fields:
            return sample_of_fields(fields, self.chance)
        known = self.package.reading.elements.get(element)
        name = known.properties.get("form", "") if known is not None else ""
        form = self._form(name) if name else None
        return sample_answers(form, self.chance) if form is not None else {}

    def _form(self, name: str) -> Form | None:
        if name not in self.forms:
            path = self.folder / "forms" / f"{name}.json"
            made = None
            if Path(name).name == name and path.is_file():
                made, _ = FormLibrary().check_form(path.name, path.read_bytes())
            self.forms[name] = made
        return self.forms[name]


def _outcome_view(process: str, outcome: Outcome, locale: str) -> dict[str, Any]:
    view = {
        "process": process,
        "reason": outcome.reason,
        "exit_code": outcome.exit_code,
        "ended_at": outcome.ended_at,
        "data": outcome.data,
        "now": outcome.now.isoformat() if outcome.now else None,
        "waiting": [asdict(each) for each in outcome.waiting],
        "error": outcome.error,
        "trace": [{**asdict(each), "at": each.at.isoformat()} for each in outcome.trace],
    }
    if outcome.error is not None:
        view["message"] = failure_view(outcome.error, locale)
    return view


def _print_outcome(outcome: Outcome, locale: str) -> None:
    for entry in outcome.trace:
        case = f"{entry.case} " if entry.case > 1 else ""
        at = entry.at.strftime("%Y-%m-%d %H:%M:%S")
        name = f" “{entry.name}”" if entry.name else ""
        console.print(
            f"{at}  {case}{entry.event:<9}  {entry.element}{name}  ({entry.kind})",
            highlight=False,
            markup=False,
        )
    console.print(say(locale, f"simulate.{outcome.reason}"), highlight=False)
    for waiting in outcome.waiting:
        console.print(f"  {waiting.kind} {waiting.element} {waiting.name}", markup=False)
    if outcome.error is not None:
        console.print(failure_view(outcome.error, locale), markup=False)
    if outcome.ended_at:
        console.print(say(locale, "simulate.ended_at", ends=", ".join(outcome.ended_at)))
    console.print_json(json.dumps(outcome.data, ensure_ascii=False))


def commands() -> typer.Typer:
    """The two commands alone, which start without the web server's libraries."""
    made = typer.Typer(add_completion=False, no_args_is_help=True)
    made.command("validate")(validate_models)
    made.command("simulate")(simulate_model)
    return made
