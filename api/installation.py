"""The installation that a command of the shell works on: wired, with tables fit to be used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from api.migrations import SchemaUnfit, check_schema, migrate
from api.migrations.chain import read_chain
from api.migrations.serving import reading, revision_of
from api.settings import Settings, read_settings
from api.wiring import Application, wire


@contextmanager
def wired_product(settings: Settings | None = None) -> Iterator[Application]:
    """The product as the environment sets it up, whatever its tables are. Raises SettingWrong."""
    settings = settings or read_settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    application = wire(settings)
    try:
        yield application
    finally:
        application.close()


@contextmanager
def product(settings: Settings | None = None) -> Iterator[Application]:
    """As `wired_product`, with tables it can work with. Raises SchemaUnfit or SettingWrong."""
    with wired_product(settings) as application:
        make_fit(application.engine)
        application.open_calendars()
        yield application


def make_fit(engine: Engine) -> None:
    """Make the tables of an empty database, and bring those of a single machine up to date.

    A database that several processes use is migrated only by ``banshi migrate``. Raises
    SchemaUnfit.
    """
    chain = read_chain()
    with reading(engine) as connection:
        found = revision_of(connection)
    own = engine.dialect.name == "sqlite"
    if found is None or (own and chain.knows(found)):
        migrate(engine)
    else:
        check_schema(engine, chain)


__all__ = ["SchemaUnfit", "make_fit", "product", "wired_product"]
