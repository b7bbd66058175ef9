"""Whether this version of the product can run on the database as it is, and if not, in words."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, inspect, text

from api.migrations.chain import Chain, read_chain
from engine.store.facts import OLDEST_CODE, read_fact

RESTORING = "restore_unfinished"
"""The table that is there as long as a restore is not finished."""
FACTS_SINCE = "0007"


class SchemaUnfit(Exception):
    """The tables are not those this version of the product works with; the message says more."""


def revision_of(connection: Connection) -> str | None:
    """The number of the newest migration that the database has; None if it has no tables."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def reading(engine: Engine) -> Connection:
    """A connection that only reads, and on SQLite keeps nobody from writing."""
    return engine.execution_options(banshi_reads=True).connect()


def check_schema(engine: Engine, chain: Chain | None = None) -> None:
    """Raises SchemaUnfit unless this version of the product can run on the database."""
    chain = chain or read_chain()
    with reading(engine) as connection:
        found = revision_of(connection)
        check_restored(connection)
        if found is None:
            raise SchemaUnfit("The database has no tables yet. Run: banshi migrate")
        if not chain.knows(found):
            _newer(connection, chain, found)
        elif len(chain.upto(found)) < len(chain.upto(chain.needed)):
            raise SchemaUnfit(
                f"The database is at migration {found}, and this version of banshi needs "
                f"{chain.needed}. Run: banshi migrate --online, which older processes survive"
            )


def check_restored(connection: Connection) -> None:
    """Raises SchemaUnfit if a restore was begun and not finished."""
    if inspect(connection).has_table(RESTORING):
        raise SchemaUnfit(
            "A restore of this database was begun and not finished. "
            "Run: banshi restore FILE --replace"
        )


def _newer(connection: Connection, chain: Chain, found: str) -> None:
    """A newer version may have added to the tables; what it took away is another matter."""
    oldest = read_fact(connection, OLDEST_CODE)
    if found < chain.head or (oldest is not None and oldest > chain.head):
        raise SchemaUnfit(
            f"The database is at migration {found}, and this version of banshi knows those up to "
            f"{chain.head}. Install the version that migrated it, or restore a backup from before"
        )
