"""Ids as Camunda's tools show them: a definition is ``process:version:id``."""

from __future__ import annotations

from collections.abc import Iterable

from engine.store.tables import PackageVersion


def definition_id(version: PackageVersion) -> str:
    return f"{version.process}:{version.version}:{version.id}"


def version_id(given: str) -> str:
    """The id of the package version in a definition's id."""
    return given.rpartition(":")[2]


def version_ids(given: Iterable[str]) -> list[str]:
    return [version_id(each) for each in given]
