"""A later version of the product, as far as its migrations go: two of them behind the real ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, text

from api.migrations.chain import VERSIONS, read_chain

HEAD = int(read_chain().head)
EXPAND, ENFORCE = f"{HEAD + 1:04d}", f"{HEAD + 2:04d}"
_EXPAND = """
'''Where a look came from.'''
import sqlalchemy as sa
from sqlalchemy import text
from api.migrations.backfill import Backfill
from api.migrations.online import add_column
from engine.store.tables.base import identifier

revision, down_revision, branch_labels, depends_on = {revision!r}, {before!r}, None, None
step = "expand"
filled = []


def upgrade():
    add_column("access_log", sa.Column("origin", identifier(60), nullable=True))


def fill(connection, keys):
    for (id_,) in keys:
        filled.append(id_)
        if id_ == "dies":
            raise RuntimeError(id_)
        statement = text("UPDATE access_log SET origin = CONCAT('from ', what) WHERE id = :id")
        if connection.dialect.name == "sqlite":
            statement = text("UPDATE access_log SET origin = 'from ' || what WHERE id = :id")
        connection.execute(statement, {{"id": id_}})


backfill = Backfill("access_log", ("id",), "origin IS NULL", fill, batch=10)
"""
_ENFORCE = """
'''Every look says where it came from.'''
from alembic import op
from engine.store.tables.base import identifier

revision, down_revision, branch_labels, depends_on = {revision!r}, {before!r}, None, None
step, needs_code = "enforce", {before!r}


def upgrade():
    with op.batch_alter_table("access_log") as batch:
        batch.alter_column("origin", existing_type=identifier(60), nullable=False)
"""


@dataclass(frozen=True)
class Later:
    """The folders of all its migrations, and what its and the present version write."""

    versions: tuple[Path, ...]

    def old_look(self, engine: Engine, id_: str) -> None:
        """A row as the present version writes it."""
        _insert(engine, "id, case_id, user_id, at, what", {"id": id_})

    def new_look(self, engine: Engine, id_: str) -> None:
        _insert(engine, "id, case_id, user_id, at, what, origin", {"id": id_, "origin": "new"})

    def origins(self, engine: Engine) -> dict[str, str | None]:
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT id, origin FROM access_log"))
            return {row[0]: row[1] for row in rows}


def later_version(folder: Path, with_enforcing: bool = True) -> Later:
    """Write the migrations of the later version into `folder`."""
    before = f"{HEAD:04d}"
    files = {EXPAND: _EXPAND.format(revision=EXPAND, before=before)}
    if with_enforcing:
        files[ENFORCE] = _ENFORCE.format(revision=ENFORCE, before=EXPAND)
    folder.mkdir(exist_ok=True)
    for number, content in files.items():
        (folder / f"{number}_later.py").write_text(content)
    return Later((*VERSIONS, folder))


def _insert(engine: Engine, columns: str, values: dict[str, str]) -> None:
    given = {"case_id": "c", "user_id": "u", "at": "2026-01-01 00:00:00.000000", "what": "look"}
    names = [each.strip() for each in columns.split(",")]
    places = ", ".join(f":{name}" for name in names)
    with engine.begin() as connection:
        statement = f"INSERT INTO access_log ({columns}) VALUES ({places})"  # noqa: S608
        connection.execute(text(statement), given | values)
