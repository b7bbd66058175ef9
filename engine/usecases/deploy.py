"""Deploy bare models, as modelling tools do: each executable process becomes a package version.

A process that a package runs already becomes that package's next version, its forms, letters and
limits staying as they are. Any other gets a package made around it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from sqlalchemy import select

from engine.bpmn import Package, read_package
from engine.domain.access import Actor, may_publish
from engine.domain.package import MANIFEST
from engine.domain.process import Element, Finding
from engine.kernel.errors import NotAllowed, PackageRefused
from engine.store.queries.definitions import newest
from engine.store.tables import Department, PackageVersion
from engine.store.uow import Work
from engine.usecases.definition import MAX_BYTES, MAX_FILES, unpack
from engine.usecases.model_package import package_around, package_key
from engine.usecases.publish import PublishPackage, publish

_FOLDERS = {".json": "forms/", ".j2": "letters/"}


@dataclass(frozen=True)
class DeployModels:
    """`files` by name. `department` is that of tasks of staff whose model names none."""

    actor: Actor
    files: Mapping[str, bytes]
    department: str | None = None


@dataclass(frozen=True)
class Deployed:
    """One process; `changed` is whether it has become a new version."""

    version: PackageVersion
    file: str
    changed: bool


def deploy(work: Work, command: DeployModels) -> list[Deployed]:
    """Publish every executable process among the files, all or none.

    Raises NotAllowed, or PackageRefused(findings).
    """
    if not may_publish(command.actor):
        raise NotAllowed
    files = _named(command.files)
    models = {name: content for name, content in files.items() if name.endswith((".bpmn", ".dmn"))}
    package = read_package(models)
    processes = sorted(id_ for id_, each in package.processes.items() if each.executable)
    findings = [each for each in package.findings if each.severity == "error"]
    if not findings and not processes:
        name = next(iter(files), "")
        findings = [Finding("process_missing", name, params={"process": ""})]
    if findings:
        raise PackageRefused(findings=tuple(findings))
    departments = _departments(work, command, package)
    return [_deploy(work, command.actor, files, package, id_, departments) for id_ in processes]


def _named(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files by the name alone; Camunda's other endings of a model are one with ours."""
    if len(files) > MAX_FILES or sum(map(len, files.values())) > MAX_BYTES:
        raise PackageRefused(findings=(Finding("archive_too_large", next(iter(files), "")),))
    made: dict[str, bytes] = {}
    for given, content in files.items():
        name = PurePosixPath(given.replace("\\", "/")).name
        for ending, ours in ((".bpmn20.xml", ".bpmn"), (".dmn11.xml", ".dmn")):
            if name.endswith(ending):
                name = name.removesuffix(ending) + ours
        if not name or name == MANIFEST:
            raise PackageRefused(findings=(Finding("archive_name_unsafe", given),))
        made[f"{_FOLDERS.get(PurePosixPath(name).suffix, '')}{name}"] = content
    return made


def _departments(work: Work, command: DeployModels, package: Package) -> dict[str, str]:
    """A department for each task of staff without: a candidate group of that name, or the one
    given, or the deployer's own."""
    known = {code.lower(): code for code in work.session.scalars(select(Department.code))}
    given = command.department
    if given is not None and given.lower() not in known:
        file = next(iter(command.files), "")
        wrong = Finding("department_unknown", file, params={"department": given})
        raise PackageRefused(findings=(wrong,))
    fallback = known[given.lower()] if given else command.actor.department
    made, missing = {}, []
    for element in package.reading.elements.values():
        if not _needs_department(element):
            continue
        groups = element.properties.get("candidate_groups", "").split(",")
        named = [known[each.strip().lower()] for each in groups if each.strip().lower() in known]
        department = named[0] if named else fallback
        if department is not None:
            made[element.id] = department
        else:
            missing.append(
                Finding(
                    "staff_task_without_department", element.file, element.id, line=element.line
                )
            )
    if missing:
        raise PackageRefused(findings=tuple(missing))
    return made


def _needs_department(element: Element) -> bool:
    return (
        element.kind in ("userTask", "manualTask")
        and element.properties.get("audience", "staff") == "staff"
        and not element.properties.get("department")
    )


def _deploy(
    work: Work,
    actor: Actor,
    files: Mapping[str, bytes],
    package: Package,
    process: str,
    departments: Mapping[str, str],
) -> Deployed:
    before = newest(work.session, process)
    file = package.processes[process].file
    if before is None or before.key == package_key(process):
        title = package.processes[process].name.strip() or process
        elements = package.reading.elements.values()
        made = package_around(files, process, title, elements, departments)
    else:
        made = _replaced(unpack(before.archive), files, process, file)
    try:
        published = publish(work, PublishPackage(actor, made))
    except PackageRefused as refused:
        raise _about(refused, files, file) from refused
    row = work.session.get_one(PackageVersion, published.version_id)
    return Deployed(row, file, published.published)


def _replaced(
    kept: dict[str, bytes], files: Mapping[str, bytes], process: str, file: str
) -> dict[str, bytes]:
    """The package with the deployed files; the model goes where the process was before."""
    models = {name: content for name, content in kept.items() if name.endswith(".bpmn")}
    before = read_package(models).processes.get(process)
    made = kept | dict(files)
    if before is not None and before.file != file:
        del made[file]
        made[before.file] = files[file]
    return made


def _about(refused: PackageRefused, files: Mapping[str, bytes], file: str) -> PackageRefused:
    """What is wrong in a file the sender does not have is told of the model."""
    findings = [
        each if each.file in files else replace(each, file=file)
        for each in refused.params["findings"]
    ]
    return PackageRefused(findings=tuple(findings))
