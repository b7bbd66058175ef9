"""Clocks of any number and kind, notices of the ladder, and recounts."""

import sqlalchemy as sa
from alembic import op

from engine.store.tables.base import Instant, Json, identifier, long_text

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _clocks()
    _ledger()
    _notices()
    _recounts()


def _clocks() -> None:
    with op.batch_alter_table("sla_clocks") as batch:
        batch.alter_column(
            "key", existing_type=identifier(12), type_=identifier(60), existing_nullable=False
        )
        batch.add_column(sa.Column("kind", identifier(12), nullable=False, server_default="other"))
        batch.add_column(sa.Column("climbed_at", Instant(), nullable=True))
        batch.add_column(sa.Column("next_rung_at", Instant(), nullable=True))
    # Until now there were the law's clock and the promise's.
    op.execute("UPDATE sla_clocks SET kind = `key`")
    with op.batch_alter_table("sla_clocks") as batch:
        batch.alter_column("kind", existing_type=identifier(12), server_default=None)


def _ledger() -> None:
    with op.batch_alter_table("sla_entries") as batch:
        batch.alter_column(
            "clock", existing_type=identifier(12), type_=identifier(60), existing_nullable=False
        )
        batch.add_column(sa.Column("actor_name", sa.String(100), nullable=True))
        batch.add_column(sa.Column("letter_id", identifier(), nullable=True))
        batch.create_unique_constraint(
            "uq_sla_entries_case_id_clock_number", ["case_id", "clock", "number"]
        )
    with op.batch_alter_table("sla_entries") as batch:
        # Only now: the foreign key needs an index that begins with the case.
        batch.drop_constraint("uq_sla_entries_case_id_number", type_="unique")


def _notices() -> None:
    op.create_table(
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
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )
    op.create_index("ix_notices_user_id", "notices", ["user_id", "read_at", "created_at"])
    op.create_index("ix_notices_department", "notices", ["department", "read_at", "created_at"])
    op.create_index("ix_notices_case_id", "notices", ["case_id"])


def _recounts() -> None:
    op.create_table(
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
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )


def downgrade() -> None:
    op.drop_table("recounts")
    op.drop_table("notices")
    # What is not of the two old clocks has no place in the old tables.
    op.execute("DELETE FROM sla_entries WHERE clock NOT IN ('legal', 'promised')")
    op.execute("DELETE FROM sla_clocks WHERE kind NOT IN ('legal', 'promised')")
    with op.batch_alter_table("sla_entries") as batch:
        batch.create_unique_constraint("uq_sla_entries_case_id_number", ["case_id", "number"])
    with op.batch_alter_table("sla_entries") as batch:
        batch.drop_constraint("uq_sla_entries_case_id_clock_number", type_="unique")
        batch.drop_column("letter_id")
        batch.drop_column("actor_name")
        batch.alter_column(
            "clock", existing_type=identifier(60), type_=identifier(12), existing_nullable=False
        )
    with op.batch_alter_table("sla_clocks") as batch:
        batch.drop_column("next_rung_at")
        batch.drop_column("climbed_at")
        batch.drop_column("kind")
        batch.alter_column(
            "key", existing_type=identifier(60), type_=identifier(12), existing_nullable=False
        )
