"""Indexes for the lists of an office with millions of cases, and figures counted beforehand."""

import sqlalchemy as sa
from alembic import op

from engine.store.tables.base import Instant, Json, identifier

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# The department that waits for an applicant is the one that has the case.
_WAITING = (
    "UPDATE tasks SET department = (SELECT department FROM cases WHERE cases.id = tasks.case_id) "
    "WHERE audience = 'applicant' AND kind <> 'rating' AND state = 'open'"
)
_RETURNS = (
    "UPDATE cases SET returns = (SELECT COUNT(*) FROM events "
    "WHERE events.case_id = cases.id AND events.kind = 'task_returned')"
)
_NEW = {
    "tasks": {
        "ix_tasks_queue": ["department", "audience", "state", "due_at", "id"],
        "ix_tasks_finished_by_finished_at": ["finished_by", "finished_at"],
        "ix_tasks_department_case_id": ["department", "case_id"],
    },
    "cases": {
        "ix_cases_open": [
            "state",
            "decided_at",
            "promised_due_at",
            "legal_due_at",
            "department",
            "service",
            "returns",
        ],
        "ix_cases_state_received_at": ["state", "received_at"],
        "ix_cases_received_at": ["received_at"],
        "ix_cases_decided": [
            "decided_at",
            "department",
            "service",
            "promised_due_at",
            "legal_due_at",
        ],
    },
    "users": {"ix_users_display_name": ["display_name"], "ix_users_phone": ["phone"]},
    "sla_clocks": {"ix_sla_clocks_state": ["state"]},
    "ratings": {"ix_ratings_at_grade": ["at", "grade"]},
}


def upgrade() -> None:
    op.create_table(
        "figure_snapshots",
        sa.Column("name", identifier(20), nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_figure_snapshots"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )
    with op.batch_alter_table("cases") as batch:
        batch.add_column(sa.Column("returns", sa.Integer(), nullable=False, server_default="0"))
    op.execute(_RETURNS)
    with op.batch_alter_table("cases") as batch:
        batch.alter_column("returns", existing_type=sa.Integer(), server_default=None)
    op.execute(_WAITING)
    for table, indexes in _NEW.items():
        for name, columns in indexes.items():
            op.create_index(name, table, columns)
    op.drop_index("ix_tasks_free", "tasks")
    op.create_index(
        "ix_tasks_free", "tasks", ["department", "audience", "state", "assignee_id", "due_at"]
    )
    op.drop_index("ix_tasks_department_state_due_at_id", "tasks")
    op.drop_index("ix_cases_state_legal_due_at", "cases")


def downgrade() -> None:
    op.create_index("ix_cases_state_legal_due_at", "cases", ["state", "legal_due_at"])
    op.create_index(
        "ix_tasks_department_state_due_at_id", "tasks", ["department", "state", "due_at", "id"]
    )
    op.drop_index("ix_tasks_free", "tasks")
    op.create_index("ix_tasks_free", "tasks", ["department", "state", "assignee_id", "due_at"])
    for table, indexes in _NEW.items():
        for name in indexes:
            op.drop_index(name, table)
    with op.batch_alter_table("cases") as batch:
        batch.drop_column("returns")
    op.drop_table("figure_snapshots")
