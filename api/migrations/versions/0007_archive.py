"""Archived cases, and facts of the installation."""

import sqlalchemy as sa
from alembic import op

from api.migrations.online import add_column, add_index, create_table
from engine.store.tables.base import Instant, Json, blob, identifier

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
step = "expand"


def upgrade() -> None:
    create_table(
        "installation_facts",
        sa.Column("name", identifier(40), nullable=False),
        sa.Column("value", Json(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_installation_facts")),
    )
    create_table(
        "archived_cases",
        sa.Column("case_id", identifier(32), nullable=False),
        sa.Column("closed_at", Instant(), nullable=False),
        sa.Column("format", sa.Integer(), nullable=False),
        sa.Column("body", blob(), nullable=False),
        sa.Column("sha256", identifier(64), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_archived_cases")),
    )
    create_table(
        "archived_departments",
        sa.Column("case_id", identifier(32), nullable=False),
        sa.Column("department", identifier(20), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "department", name=op.f("pk_archived_departments")),
    )
    add_index(
        "ix_archived_departments_department_case_id",
        "archived_departments",
        ["department", "case_id"],
    )
    add_column("cases", sa.Column("archived_at", Instant(), nullable=True))
