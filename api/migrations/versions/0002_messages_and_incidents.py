"""Messages, signals, external jobs and incidents."""

import sqlalchemy as sa
from alembic import op

from engine.store.tables.base import Instant, Json, identifier, long_text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "messages",
        sa.Column("id", identifier(32), nullable=False),
        sa.Column("name", identifier(160), nullable=False),
        sa.Column("correlation", identifier(200), nullable=True),
        sa.Column("unique_key", identifier(160), nullable=False),
        sa.Column("data", Json(), nullable=False),
        sa.Column("state", identifier(12), nullable=False),
        sa.Column("sender", identifier(32), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("case_id", identifier(32), nullable=True),
        sa.Column("delivered_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("unique_key", name=op.f("uq_messages_unique_key")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_index(
        "ix_messages_state_expires_at", "messages", ["state", "expires_at"], unique=False
    )
    op.create_index("ix_messages_state_name", "messages", ["state", "name"], unique=False)
    op.create_table(
        "external_jobs",
        sa.Column("id", identifier(32), nullable=False),
        sa.Column("case_id", identifier(32), nullable=False),
        sa.Column("key", identifier(60), nullable=False),
        sa.Column("element", identifier(120), nullable=False),
        sa.Column("topic", identifier(160), nullable=False),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("settings", Json(), nullable=False),
        sa.Column("state", identifier(12), nullable=False),
        sa.Column("worker", identifier(120), nullable=True),
        sa.Column("locked_until", Instant(), nullable=True),
        sa.Column("error", long_text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_external_jobs_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_external_jobs")),
        sa.UniqueConstraint("case_id", "key", name=op.f("uq_external_jobs_case_id_key")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_index(
        "ix_external_jobs_state_topic", "external_jobs", ["state", "topic"], unique=False
    )
    op.create_table(
        "incidents",
        sa.Column("id", identifier(32), nullable=False),
        sa.Column("case_id", identifier(32), nullable=False),
        sa.Column("element", identifier(120), nullable=True),
        sa.Column("reason", identifier(60), nullable=False),
        sa.Column("detail", long_text(), nullable=False),
        sa.Column("source", identifier(20), nullable=False),
        sa.Column("payload", Json(), nullable=False),
        sa.Column("state", identifier(12), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("resolved_at", Instant(), nullable=True),
        sa.Column("resolved_by", identifier(32), nullable=True),
        sa.Column("resolution", identifier(20), nullable=True),
        sa.Column("note", long_text(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_incidents_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_index("ix_incidents_case_id", "incidents", ["case_id"], unique=False)
    op.create_index(
        "ix_incidents_state_created_at", "incidents", ["state", "created_at"], unique=False
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", identifier(32), nullable=False),
        sa.Column("case_id", identifier(32), nullable=False),
        sa.Column("key", identifier(60), nullable=False),
        sa.Column("element", identifier(120), nullable=False),
        sa.Column("kind", identifier(12), nullable=False),
        sa.Column("name", identifier(160), nullable=False),
        sa.Column("correlation", identifier(200), nullable=True),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_subscriptions_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint("case_id", "key", name=op.f("uq_subscriptions_case_id_key")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_index(
        "ix_subscriptions_kind_name_correlation",
        "subscriptions",
        ["kind", "name", "correlation"],
        unique=False,
    )
