"""Steps in one round trip: the head of the audit in the case, jobs by queue, no second copy of
the process data."""

import sqlalchemy as sa
from alembic import op

from engine.store.tables.base import Instant, Json, identifier

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_QUEUES = (
    "UPDATE jobs SET queue = CASE kind WHEN 'letter' THEN 'letters' WHEN 'mail' THEN 'mail' "
    "WHEN 'advice' THEN 'advice' ELSE 'timers' END"
)


def upgrade() -> None:
    first = sa.text("'" + "0" * 64 + "'")
    with op.batch_alter_table("cases") as batch:
        batch.add_column(sa.Column("events", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("head", identifier(64), nullable=False, server_default=first))
    op.execute(
        "UPDATE cases SET events = "
        "COALESCE((SELECT MAX(number) FROM events WHERE case_id = cases.id), 0)"
    )
    op.execute(
        "UPDATE cases SET head = (SELECT digest FROM events WHERE case_id = cases.id "
        "AND number = cases.events) WHERE cases.events > 0"
    )
    with op.batch_alter_table("cases") as batch:
        batch.alter_column("events", existing_type=sa.Integer(), server_default=None)
        batch.alter_column(
            "head", existing_type=identifier(64), existing_nullable=False, server_default=None
        )
    _key_of_events()
    with op.batch_alter_table("case_states") as batch:
        batch.drop_column("data")
    with op.batch_alter_table("jobs") as batch:
        batch.add_column(sa.Column("queue", identifier(20), nullable=True))
        batch.add_column(sa.Column("priority", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("leased_by", identifier(32), nullable=True))
        batch.drop_index("ix_jobs_state_due_at")
        batch.drop_index("ix_jobs_case_id")
    op.execute(_QUEUES)
    op.execute("UPDATE jobs SET priority = 2")
    with op.batch_alter_table("jobs") as batch:
        batch.alter_column("queue", existing_type=identifier(20), nullable=False)
        batch.alter_column("priority", existing_type=sa.Integer(), nullable=False)
        batch.create_index(
            "ix_jobs_queue_state_priority_due_at", ["queue", "state", "priority", "due_at"]
        )
        batch.create_index("ix_jobs_state_leased_until", ["state", "leased_until"])
        batch.create_index("ix_jobs_case_id_kind_state", ["case_id", "kind", "state"])

    op.create_table(
        "idempotency_keys",
        sa.Column("key", identifier(64), nullable=False),
        sa.Column("result", Json(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_idempotency_keys")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_index("ix_idempotency_keys_at", "idempotency_keys", ["at"])


def _key_of_events() -> None:
    """The case and number become the key, so that a case's events lie together."""
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("events", recreate="always") as batch:
            batch.drop_constraint("pk_events", type_="primary")
            batch.drop_constraint("uq_events_case_id_number", type_="unique")
            batch.drop_column("id")
            batch.create_primary_key("pk_events", ["case_id", "number"])
        return
    op.execute(
        "ALTER TABLE events DROP PRIMARY KEY, DROP COLUMN id, "
        "ADD PRIMARY KEY (case_id, number), DROP INDEX uq_events_case_id_number"
    )


def downgrade() -> None:
    op.drop_table("idempotency_keys")
    with op.batch_alter_table("jobs") as batch:
        batch.drop_index("ix_jobs_queue_state_priority_due_at")
        batch.drop_index("ix_jobs_state_leased_until")
        batch.drop_index("ix_jobs_case_id_kind_state")
        batch.create_index("ix_jobs_state_due_at", ["state", "due_at"])
        batch.create_index("ix_jobs_case_id", ["case_id"])
        batch.drop_column("leased_by")
        batch.drop_column("priority")
        batch.drop_column("queue")
    with op.batch_alter_table("case_states") as batch:
        batch.add_column(sa.Column("data", Json(), nullable=True))
    with op.batch_alter_table("events", recreate="always") as batch:
        batch.add_column(sa.Column("id", identifier(32), nullable=True))
        batch.create_unique_constraint("uq_events_case_id_number", ["case_id", "number"])
    with op.batch_alter_table("cases") as batch:
        batch.drop_column("head")
        batch.drop_column("events")
