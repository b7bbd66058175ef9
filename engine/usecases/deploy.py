"""Deploy bare models, as modelling tools do: each executable process becomes a package version.

A process that a package runs already becomes that package's next version, its forms, letters and
limits staying as they are. Any other gets a package made around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from sqlalchemy import select

from engine.bpmn import Package, read_package, with_needed
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
    bare = [each for name in files if name.endswith(".bpmn") for each in _bare(work, files, name)]
    findings = [finding for each in bare for finding in each.wrong()]
    if not bare:
        name = next(iter(files), "")
        findings = [Finding("process_missing", name, params={"process": ""})]
    if findings:
        raise PackageRefused(findings=tuple(findings))
    departments = _Departments(work, command)
    made = [(each, each.package_files(departments)) for each in bare]
    if departments.missing:
        raise PackageRefused(findings=tuple(departments.missing))
    return [_publish(work, command.actor, each, contents) for each, contents in made]


@dataclass(frozen=True)
class _Bare:
    """A process of the deployed `file`, with what it needs beside it.

    `package` is the archive of the package that runs it already, if one does.
    """

    process: str
    file: str
    files: Mapping[str, bytes]
    read: Package
    package: bytes | None

    def wrong(self) -> list[Finding]:
        """What is wrong in the files by themselves."""
        if self.package is not None:
            return []  # it may need what only the package has
        return [finding for finding in self.read.findings if finding.severity == "error"]

    def package_files(self, departments: _Departments) -> dict[str, bytes]:
        if self.package is not None:
            return _replaced(unpack(self.package), self.files, self.process, self.file)
        title = self.read.processes[self.process].name.strip() or self.process
        elements = list(self.read.reading.elements.values())
        named = departments.of(elements)
        return package_around(self.files, self.process, title, elements, named)


def _bare(work: Work, files: Mapping[str, bytes], file: str) -> list[_Bare]:
    """The executable processes of a file; an unreadable file gives one, with what is wrong."""
    models = {name: content for name, content in files.items() if name.endswith((".bpmn", ".dmn"))}
    needed = with_needed(file, models)
    others = {name: content for name, content in files.items() if name not in models}
    read = read_package(needed)
    made = []
    for id_, process in sorted(read.processes.items()):
        if process.file == file and process.executable:
            before = newest(work.session, id_)
            own = before is None or before.key == package_key(id_)
            archive = None if before is None or own else before.archive
            made.append(_Bare(id_, file, {**needed, **others}, read, archive))
    # A file of a package is the package's whole; its other processes are called by the main one.
    packaged = [each for each in made if each.package is not None]
    return packaged or made or [_Bare("", file, needed, read, None)]


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


class _Departments:
    """A department for each task of staff whose model names none: that of a candidate group, or
    the one given, or the deployer's own."""

    def __init__(self, work: Work, command: DeployModels) -> None:
        codes = work.session.scalars(select(Department.code))
        self._known = {code.lower(): code for code in codes}
        self.missing: list[Finding] = []
        given = command.department
        if given is not None and given.lower() not in self._known:
            file = next(iter(command.files), "")
            wrong = Finding("department_unknown", file, params={"department": given})
            raise PackageRefused(findings=(wrong,))
        self._else = self._known[given.lower()] if given else command.actor.department

    def of(self, elements: Iterable[Element]) -> dict[str, str]:
        """By element; a task for which there is none is added to `missing`."""
        made = {}
        for element in filter(_needs_department, elements):
            groups = element.properties.get("candidate_groups", "").lower().split(",")
            named = [self._known[each.strip()] for each in groups if each.strip() in self._known]
            department = named[0] if named else self._else
            if department is not None:
                made[element.id] = department
            else:
                code = "staff_task_without_department"
                self.missing.append(Finding(code, element.file, element.id, line=element.line))
        return made


def _needs_department(element: Element) -> bool:
    return (
        element.kind in ("userTask", "manualTask")
        and element.properties.get("audience", "staff") == "staff"
        and not element.properties.get("department")
    )


def _publish(work: Work, actor: Actor, bare: _Bare, contents: Mapping[str, bytes]) -> Deployed:
    try:
        published = publish(work, PublishPackage(actor, contents))
    except PackageRefused as refused:
        raise _about(refused, bare.files, bare.file) from refused
    row = work.session.get_one(PackageVersion, published.version_id)
    return Deployed(row, bare.file, published.published)


def _replaced(
    kept: dict[str, bytes], files: Mapping[str, bytes], process: str, file: str
) -> dict[str, bytes]:
    """The package with the deployed files; the model goes where the process was before."""
    models = {name: content for name, content in kept.items() if name.endswith(".bpmn")}
    before = read_package(models).processes.get(process)
    sent = dict(files)
    if before is not None:
        sent[before.file] = sent.pop(file)
    return kept | sent


def _about(refused: PackageRefused, files: Mapping[str, bytes], file: str) -> PackageRefused:
    """What is wrong in a file the sender does not have is told of the model."""
    findings = [
        each if each.file in files else replace(each, file=file)
        for each in refused.params["findings"]
    ]
    return PackageRefused(findings=tuple(findings))
