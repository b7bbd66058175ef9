"""An index of the tasks of a department that nobody has taken."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_tasks_free", "tasks", ["department", "state", "assignee_id", "due_at"])
    op.drop_index("ix_tasks_due_at_state", "tasks")


def downgrade() -> None:
    op.create_index("ix_tasks_due_at_state", "tasks", ["due_at", "state"])
    op.drop_index("ix_tasks_free", "tasks")
