"""A published package made executable, and kept in memory: versions never change."""

from __future__ import annotations

import io
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from engine.bpmn import read_process, with_settings
from engine.domain.locales import LOCALES
from engine.domain.package import MANIFEST, Manifest, read_manifest
from engine.domain.ports import Form, Ports
from engine.domain.process import Finding, Process
from engine.kernel.errors import NotFound, ServiceNotOffered
from engine.store.tables import OfferedServiceRow, PackageVersion
from engine.store.uow import Work

KEPT = 256
MAX_FILES = 300
MAX_BYTES = 8_000_000


@dataclass(frozen=True)
class Contents:
    """What a package holds once read: its manifest, process, forms and letters by locale."""

    manifest: Manifest
    process: Process
    forms: Mapping[str, Form]
    letters: Mapping[str, Mapping[str, str]]

    @cached_property
    def tasks_have_limits(self) -> bool:
        """Whether any task for people is given a limit."""
        return any(
            each.kind in ("userTask", "manualTask") and each.properties.get("limit")
            for each in self.process.elements.values()
        )


@dataclass(frozen=True)
class Definition(Contents):
    """A published version of a package."""

    id: str
    version: int

    def label(self, element: str, locale: str) -> str:
        """The element's name in `locale`; the diagram's own name where the package has none."""
        return self.labels(element)[locale]

    def labels(self, element: str) -> Mapping[str, str]:
        """The element's name by locale."""
        text = self.manifest.labels.get(element)
        if text:
            return text
        known = self.process.elements.get(element)
        return dict.fromkeys(LOCALES, known.name if known else element)


def read_contents(
    files: Mapping[str, bytes], ports: Ports
) -> tuple[Contents | None, list[Finding]]:
    """Read every file of a package; the contents are None when something cannot be used at all."""
    if MANIFEST not in files:
        return None, [Finding("file_missing", MANIFEST)]
    manifest, findings = read_manifest(files[MANIFEST])
    forms: dict[str, Form] = {}
    letters: dict[str, dict[str, str]] = {}
    for name, content in sorted(files.items()):
        if name.startswith("forms/") and name.endswith(".json"):
            form, found = ports.forms.check_form(name, content)
            findings += found
            if form is not None:
                forms[name[len("forms/") : -len(".json")]] = form
        elif name.startswith("letters/") and name.endswith(".j2"):
            findings += ports.letters.check_letter(name, content)
            key, _, locale = name[len("letters/") : -len(".j2")].rpartition(".")
            if key and locale in LOCALES:
                letters.setdefault(key, {})[locale] = content.decode("utf-8", "replace")
            else:
                findings.append(Finding("letter_name_wrong", name))
    if manifest is None:
        return None, findings
    models = {name: data for name, data in files.items() if name.endswith((".bpmn", ".dmn"))}
    process, found = read_process(models, manifest.process)
    findings += found
    if process is None:
        return None, findings
    process = with_settings(process, manifest.settings)
    return Contents(manifest, process, forms, letters), findings


def pack(files: Mapping[str, bytes]) -> bytes:
    """One archive of a package; the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    return buffer.getvalue()


def unpack(archive: bytes) -> dict[str, bytes]:
    """The files of a package archive, a single enclosing folder removed.

    Raises ValueError with a finding's code when the archive is unreadable, too large, or has
    unsafe names.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as source:
            entries = [entry for entry in source.infolist() if not entry.is_dir()]
            if len(entries) > MAX_FILES or sum(e.file_size for e in entries) > MAX_BYTES:
                raise ValueError("archive_too_large")
            names = [entry.filename for entry in entries]
            if any(n.startswith("/") or ".." in n.split("/") or "\\" in n for n in names):
                raise ValueError("archive_name_unsafe")
            files = {entry.filename: source.read(entry) for entry in entries}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise ValueError("archive_unreadable") from error
    tops = {name.split("/")[0] for name in files}
    if MANIFEST not in files and len(tops) == 1:
        top = f"{tops.pop()}/"
        files = {name[len(top) :]: content for name, content in files.items()}
    return files


_kept: OrderedDict[str, Definition] = OrderedDict()
_lock = threading.Lock()


def known_definition(version_id: str) -> Definition | None:
    """The version if this process has it already."""
    with _lock:
        if version_id in _kept:
            _kept.move_to_end(version_id)
            return _kept[version_id]
    return None


def definition(session: Session, version_id: str, ports: Ports) -> Definition:
    """The executable version `version_id`. Raises NotFound.

    Kept by its id, which names one unchanging version for ever.
    """
    known = known_definition(version_id)
    if known is not None:
        return known
    row = session.scalar(
        select(PackageVersion)
        .where(PackageVersion.id == version_id)
        .options(undefer(PackageVersion.archive))
    )
    if row is None:
        raise NotFound(what="package")
    contents, _ = read_contents(unpack(row.archive), ports)
    if contents is None:
        raise NotFound(what="package")
    made = Definition(
        contents.manifest,
        contents.process,
        contents.forms,
        contents.letters,
        row.id,
        row.version,
    )
    with _lock:
        _kept[version_id] = made
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return made


def definition_for(work: Work, version_id: str) -> Definition:
    """As `definition`, for a use case; reads nothing if the process has the version."""
    known = known_definition(version_id)
    return known or definition(work.session, version_id, work.ports)


def offered_definition(session: Session, service: str, ports: Ports) -> Definition:
    """The version that takes new cases of `service`. Raises ServiceNotOffered."""
    row = session.get(OfferedServiceRow, service)
    if row is None:
        raise ServiceNotOffered(service=service)
    return definition(session, row.package_version_id, ports)


def offered_for(work: Work, service: str) -> Definition:
    """As `offered_definition`, for a use case."""
    row = work.rows.get(OfferedServiceRow, service)
    if row is None:
        raise ServiceNotOffered(service=service)
    return definition_for(work, row.package_version_id)
