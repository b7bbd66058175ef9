"""A database of the version before learns which process each of its packages runs."""

from __future__ import annotations

from sqlalchemy import text

from api.demo.office import shipped_package
from api.migrations import migrate, migrate_to
from engine.store.pools import open_engine
from engine.usecases.definition import pack


def test_packages_published_before_are_found_by_their_process(database_url: str) -> None:
    engine = open_engine(database_url)
    try:
        migrate_to(engine, "0002")
        row = {
            "id": "v" * 32,
            "key": "complaint",
            "archive": pack(shipped_package("complaint")),
            "at": "2026-03-02 01:00:00",
        }
        insert = (
            "INSERT INTO package_versions (id, `key`, version, title, services, digest, archive, "
            "findings, published_by, published_at) VALUES "
            "(:id, :key, 1, '{}', '[]', 'd', :archive, '[]', 'system', :at)"
        )
        with engine.begin() as connection:
            connection.execute(text(insert), row)
        migrate(engine)
        with engine.connect() as connection:
            found = connection.execute(text("SELECT process, version_tag FROM package_versions"))
            assert found.all() == [("complaint", None)]
    finally:
        engine.dispose()
