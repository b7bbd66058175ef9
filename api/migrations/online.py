"""Changes of tables that never stop the product: for migrations with ``step = "expand"``.

MySQL and MariaDB make each of them beside the running statements, or refuse; none waits longer
than `PATIENCE` seconds for a transaction that still reads the table, as everybody else would wait
behind it. They commit at once, so each is safe to run again after a migration that died half way.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from alembic import op
from sqlalchemy import Column, Connection, inspect
from sqlalchemy.exc import OperationalError
from sqlalchemy.schema import CreateColumn

PATIENCE = 2
ATTEMPTS = 60
_LOCK_WAIT = 1205


def create_table(name: str, *columns: Any) -> None:
    """A new table, as all of ours are kept."""
    op.create_table(
        name, *columns, if_not_exists=True, mysql_charset="utf8mb4", mysql_engine="InnoDB"
    )


def add_column(table: str, column: Column[Any]) -> None:
    """A column that old versions need not know: it may be empty or has a default of its own."""
    if not column.nullable and column.server_default is None:
        raise ValueError(f"{table}.{column.name}: old versions could not insert rows")
    connection = op.get_bind()
    if _is_there(table, "columns", str(column.name)):
        return
    if connection.dialect.name == "sqlite":
        op.add_column(table, column)
        return
    shape = str(CreateColumn(column).compile(dialect=connection.dialect))
    run_patiently(connection, f"ALTER TABLE `{table}` ADD COLUMN {shape}, ALGORITHM=INSTANT")


def add_index(name: str, table: str, columns: Sequence[str]) -> None:
    """An index that is built while the table is read and written."""
    connection = op.get_bind()
    if _is_there(table, "indexes", name):
        return
    if connection.dialect.name == "sqlite":
        op.create_index(name, table, columns)
        return
    listed = ", ".join(f"`{each}`" for each in columns)
    how = "ALGORITHM=INPLACE, LOCK=NONE"
    run_patiently(connection, f"ALTER TABLE `{table}` ADD INDEX `{name}` ({listed}), {how}")


def widen_column(table: str, column: Column[Any]) -> None:
    """Let a text column hold longer texts: at most 255 bytes, so that no row is touched."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        return  # its texts have no length
    shape = str(CreateColumn(column).compile(dialect=connection.dialect))
    how = "ALGORITHM=INPLACE, LOCK=NONE"
    run_patiently(connection, f"ALTER TABLE `{table}` MODIFY COLUMN {shape}, {how}")


def replace_unique(table: str, old: str, new: str, columns: Sequence[str]) -> None:
    """Let rows be unique by more `columns` than before; whoever keeps the older rule keeps this."""
    connection = op.get_bind()
    known = {each["name"] for each in inspect(connection).get_unique_constraints(table)}
    if new in known:
        return
    if connection.dialect.name == "sqlite":
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(old, type_="unique")
            batch.create_unique_constraint(new, list(columns))
        return
    listed = ", ".join(f"`{each}`" for each in columns)
    # In one statement: the foreign key always has an index that begins with its column.
    change = f"ADD UNIQUE INDEX `{new}` ({listed}), DROP INDEX `{old}`"
    run_patiently(connection, f"ALTER TABLE `{table}` {change}, ALGORITHM=INPLACE, LOCK=NONE")


def _is_there(table: str, what: str, name: str) -> bool:
    found = getattr(inspect(op.get_bind()), f"get_{what}")(table)
    return name in {each["name"] for each in found}


def run_patiently(connection: Connection, statement: str) -> None:
    """Wait a moment for those who use the table, let the others through, and try again."""
    connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {PATIENCE}")
    try:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                connection.exec_driver_sql(statement)
                return
            except OperationalError as error:
                if getattr(error.orig, "args", (0,))[0] != _LOCK_WAIT or attempt == ATTEMPTS:
                    raise
                time.sleep(1)
    finally:
        connection.exec_driver_sql("SET SESSION lock_wait_timeout = DEFAULT")
