"""Process packages: what runs, its diagram, and publishing with a readable report."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from fastapi.responses import Response

from api.access import application, require_designer, require_staff
from api.rest.schemas import Diagram, FindingView, PackageList, PublishReport, VersionView
from api.sentences import finding_view
from api.wiring import Application
from engine.domain.access import Actor
from engine.domain.package import MANIFEST
from engine.domain.process import Finding
from engine.kernel.errors import PackageRefused
from engine.store.queries import packages as queries
from engine.store.uow import ReadSession
from engine.usecases.definition import MAX_BYTES, definition, unpack
from engine.usecases.publish import PublishPackage, publish

router = APIRouter(prefix="/packages", tags=["packages"])
_FOLDERS = {".json": "forms/", ".j2": "letters/"}


@router.get("", operation_id="list_packages", response_model=PackageList)
def list_packages(request: Request, actor: Annotated[Actor, Depends(require_staff)]) -> PackageList:
    wired, locale = application(request), request.state.locale
    with wired.uow.read() as session:
        return PackageList(
            items=[
                VersionView(
                    id=row.version.id,
                    key=row.version.key,
                    version=row.version.version,
                    title=row.version.title[locale],
                    services=row.version.services,
                    published_by=row.publisher,
                    published_at=row.version.published_at,
                    current=row.current,
                    warnings=len(row.version.findings),
                    open_cases=row.open_cases,
                )
                for row in queries.versions(session)
            ]
        )


@router.post("", operation_id="publish_package", response_model=PublishReport)
def publish_package(
    request: Request,
    actor: Annotated[Actor, Depends(require_designer)],
    file: Annotated[UploadFile, File()],
    key: Annotated[str | None, Form()] = None,
    trial: bool = False,
) -> PublishReport:
    """Publish a package archive, or replace one file in the newest version of package `key`.

    With `trial` everything is checked and nothing kept. A package with errors is refused as a
    whole with the findings, and the running version stays.
    """
    wired, locale = application(request), request.state.locale
    files = changed_files(wired, PurePosixPath(file.filename or "package.zip").name, file.file, key)
    made = wired.uow.run(publish, PublishPackage(actor, files, trial))
    return PublishReport(
        published=made.published,
        unchanged=made.unchanged,
        key=made.key,
        version=made.version,
        title=made.title[locale],
        services=list(made.services),
        findings=[FindingView(**finding_view(each, locale)) for each in made.findings],
    )


def changed_files(
    wired: Application, name: str | None, content: BinaryIO | None, key: str | None
) -> dict[str, bytes]:
    """The files of an archive, or those of the newest version of package `key` with one replaced;
    without `content` just those. Raises PackageRefused."""
    if name is not None and content is not None:
        return _files(wired, name, content.read(MAX_BYTES + 1), key)
    with wired.uow.read() as session:
        archive = queries.newest_archive(session, key or "")
    if archive is None:
        raise PackageRefused(findings=(Finding("package_to_change_unknown", MANIFEST),))
    return unpack(archive)


def _files(wired: Application, name: str, content: bytes, key: str | None) -> dict[str, bytes]:
    if len(content) > MAX_BYTES:
        raise PackageRefused(findings=(Finding("archive_too_large", name),))
    if name.endswith(".zip"):
        try:
            return unpack(content)
        except ValueError as error:
            raise PackageRefused(findings=(Finding(str(error), name),)) from error
    with wired.uow.read() as session:
        archive = queries.newest_archive(session, key or "")
    if archive is None:
        raise PackageRefused(findings=(Finding("package_to_change_unknown", name),))
    files = unpack(archive)
    suffix = PurePosixPath(name).suffix
    path = name if name == MANIFEST else f"{_FOLDERS.get(suffix, '')}{name}"
    diagrams = [each for each in files if each.endswith(".bpmn")]
    if suffix == ".bpmn" and path not in files and len(diagrams) == 1:
        path = diagrams[0]
    return files | {path: content}


@router.get("/{version_id}/diagram", operation_id="get_package_diagram", response_model=Diagram)
def get_package_diagram(
    request: Request, actor: Annotated[Actor, Depends(require_staff)], version_id: str
) -> Diagram:
    wired = application(request)
    with wired.uow.read() as session:
        return diagram_of(session, wired, version_id, request.state.locale)


@router.get("/{version_id}/archive", operation_id="get_package_archive")
def get_package_archive(
    request: Request, actor: Annotated[Actor, Depends(require_designer)], version_id: str
) -> Response:
    """The files exactly as they were published."""
    with application(request).uow.read() as session:
        row, archive = queries.archive(session, version_id)
    return Response(
        archive,
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{row.key}-{row.version}.zip"'},
    )


def diagram_of(session: ReadSession, wired: Application, version_id: str, locale: str) -> Diagram:
    """The main diagram of a version with its labels. Raises NotFound."""
    made = definition(session, version_id, wired.ports)
    _, archive = queries.archive(session, version_id)
    main = {element.file for element in made.process.elements.values()}
    files = unpack(archive)
    name = "process.bpmn" if "process.bpmn" in main else sorted(main)[0]
    return Diagram(
        xml=files[name].decode("utf-8"),
        labels={id_: made.label(id_, locale) for id_ in made.process.elements},
    )
