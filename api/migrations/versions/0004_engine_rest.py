"""What programs need that speak Camunda's REST interface."""

import io
import tomllib
import zipfile

import sqlalchemy as sa
from alembic import op

from engine.store.tables.base import Json, identifier, long_text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What the rows have already stays their default: SQLite would have to copy the tables.
    process = sa.Column("process", identifier(120), nullable=False, server_default="")
    op.add_column("package_versions", process)
    op.add_column("package_versions", sa.Column("version_tag", identifier(120), nullable=True))
    op.create_index("ix_package_versions_process", "package_versions", ["process"])
    _name_processes()
    op.add_column("cases", sa.Column("business_key", identifier(255), nullable=True))
    op.create_index("ix_cases_business_key", "cases", ["business_key"])
    op.add_column("external_jobs", sa.Column("error_details", long_text(), nullable=True))
    priority = sa.Column("priority", sa.BigInteger(), nullable=False, server_default="0")
    op.add_column("external_jobs", priority)
    op.drop_index("ix_external_jobs_state_topic", "external_jobs")
    free = ["state", "topic", "locked_until", "id", "retries", "priority"]
    op.create_index("ix_external_jobs_free", "external_jobs", free)
    op.create_table(
        "variable_notes",
        sa.Column("case_id", identifier(32), nullable=False),
        sa.Column("name", identifier(255), nullable=False),
        sa.Column("type", identifier(12), nullable=False),
        sa.Column("info", Json(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_variable_notes_case_id")),
        sa.PrimaryKeyConstraint("case_id", "name", name=op.f("pk_variable_notes")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )


def _name_processes() -> None:
    """The process of each version published so far, from its manifest."""
    connection = op.get_bind()
    versions = sa.table(
        "package_versions",
        sa.column("id", sa.String),
        sa.column("archive", sa.LargeBinary),
        sa.column("process", sa.String),
    )
    for id_ in list(connection.scalars(sa.select(versions.c.id))):
        query = sa.select(versions.c.archive).where(versions.c.id == id_)
        archive = connection.execute(query).scalar_one()
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            names = [name for name in files.namelist() if name.endswith("package.toml")]
            manifest = tomllib.loads(files.read(min(names, key=len)).decode()) if names else {}
        process = manifest.get("package", {}).get("process", "")
        connection.execute(sa.update(versions).where(versions.c.id == id_).values(process=process))
