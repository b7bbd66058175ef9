"""Clocks of any number and kind, notices of the ladder, and recounts."""

import sqlalchemy as sa

from api.migrations.online import (
    add_column,
    add_index,
    create_table,
    replace_unique,
    widen_column,
)
from engine.store.tables.base import Instant, Json, identifier, long_text

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
step = "expand"


def upgrade() -> None:
    widen_column("sla_clocks", sa.Column("key", identifier(60), nullable=False))
    add_column("sla_clocks", sa.Column("climbed_at", Instant(), nullable=True))
    add_column("sla_clocks", sa.Column("next_rung_at", Instant(), nullable=True))
    widen_column("sla_entries", sa.Column("clock", identifier(60), nullable=False))
    add_column("sla_entries", sa.Column("actor_name", sa.String(100), nullable=True))
    add_column("sla_entries", sa.Column("letter_id", identifier(), nullable=True))
    replace_unique(
        "sla_entries",
        "uq_sla_entries_case_id_number",
        "uq_sla_entries_case_id_clock_number",
        ["case_id", "clock", "number"],
    )
    _create_notices()
    _create_recounts()


def _create_notices() -> None:
    create_table(
        "notices",
        sa.Column("id", identifier(), nullable=False),
        sa.Column("case_id", identifier(), nullable=False),
        sa.Column("clock", identifier(60), nullable=False),
        sa.Column("rung", identifier(12), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("user_id", identifier(), nullable=True),
        sa.Column("department", identifier(20), nullable=True),
        sa.Column("text", Json(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("read_at", Instant(), nullable=True),
        sa.Column("read_by", identifier(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_notices_case_id"),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
    )
    add_index("ix_notices_user_id", "notices", ["user_id", "read_at", "created_at"])
    add_index("ix_notices_department", "notices", ["department", "read_at", "created_at"])
    add_index("ix_notices_case_id", "notices", ["case_id"])


def _create_recounts() -> None:
    create_table(
        "recounts",
        sa.Column("id", identifier(), nullable=False),
        sa.Column("wanted", Json(), nullable=False),
        sa.Column("reason", long_text(), nullable=False),
        sa.Column("state", identifier(12), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("moved", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("last_case", identifier(), nullable=False),
        sa.Column("started_by", identifier(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_recounts"),
    )
