"""Dispatch by rules, returns, co-handlers, absences and merged cases."""

import sqlalchemy as sa
from alembic import op

from engine.store.tables.base import Instant, Json, identifier, long_text

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _tasks() -> list[sa.Column[object]]:
    return [
        sa.Column("dispatch_reason", Json(), nullable=True),
        sa.Column("skill", identifier(40), nullable=True),
        sa.Column("came_at", Instant(), nullable=True),
        sa.Column("part_of", identifier(), nullable=True),
        sa.Column("owner_id", identifier(), nullable=True),
        sa.Column("question", long_text(), nullable=True),
        sa.Column("joint", Json(), nullable=True),
    ]


def _cases() -> list[sa.Column[object]]:
    return [
        sa.Column("dispatch", Json(), nullable=True),
        sa.Column("main_id", identifier(), nullable=True),
        sa.Column("followers", sa.Integer(), nullable=False, server_default="0"),
    ]


def upgrade() -> None:
    _create_moves()
    _create_absences()
    with op.batch_alter_table("tasks") as batch:
        for column in _tasks():
            batch.add_column(column)
    with op.batch_alter_table("cases") as batch:
        for column in _cases():
            batch.add_column(column)
    with op.batch_alter_table("cases") as batch:
        batch.alter_column("followers", existing_type=sa.Integer(), server_default=None)
    op.create_index("ix_cases_main_id", "cases", ["main_id"])
    with op.batch_alter_table("users") as batch:
        batch.add_column(sa.Column("skills", Json(), nullable=True))
        batch.add_column(sa.Column("daily_capacity", sa.Integer(), nullable=True))
    op.execute("UPDATE users SET skills = '[]'")
    with op.batch_alter_table("users") as batch:
        batch.alter_column("skills", existing_type=Json(), nullable=False)


def _create_moves() -> None:
    op.create_table(
        "task_moves",
        sa.Column("id", identifier(), nullable=False),
        sa.Column("case_id", identifier(), nullable=False),
        sa.Column("task_id", identifier(), nullable=False),
        sa.Column("kind", identifier(12), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("department", identifier(20), nullable=False),
        sa.Column("came_at", Instant(), nullable=False),
        sa.Column("left_at", Instant(), nullable=False),
        sa.Column("by_id", identifier(), nullable=False),
        sa.Column("reason", identifier(40), nullable=False),
        sa.Column("basis", long_text(), nullable=False),
        sa.Column("to_department", identifier(20), nullable=True),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("decided_by", identifier(), nullable=True),
        sa.Column("decision", long_text(), nullable=True),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_task_moves_case_id"),
        sa.PrimaryKeyConstraint("id", name="pk_task_moves"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )
    op.create_index("ix_task_moves_case_id", "task_moves", ["case_id"])
    op.create_index("ix_task_moves_department_case_id", "task_moves", ["department", "case_id"])
    op.create_index("ix_task_moves_kind_left_at", "task_moves", ["kind", "left_at"])


def _create_absences() -> None:
    op.create_table(
        "absences",
        sa.Column("id", identifier(), nullable=False),
        sa.Column("user_id", identifier(), nullable=False),
        sa.Column("substitute_id", identifier(), nullable=True),
        sa.Column("begins_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("services", Json(), nullable=False),
        sa.Column("entered_by", identifier(), nullable=False),
        sa.Column("entered_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_absences_user_id"),
        sa.ForeignKeyConstraint(["substitute_id"], ["users.id"], name="fk_absences_substitute_id"),
        sa.PrimaryKeyConstraint("id", name="pk_absences"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )
    op.create_index("ix_absences_user_id_ends_at", "absences", ["user_id", "ends_at"])
    op.create_index("ix_absences_substitute_id_ends_at", "absences", ["substitute_id", "ends_at"])


def downgrade() -> None:
    with op.batch_alter_table("users") as batch:
        batch.drop_column("daily_capacity")
        batch.drop_column("skills")
    op.drop_index("ix_cases_main_id", "cases")
    for table, columns in (("cases", _cases()), ("tasks", _tasks())):
        with op.batch_alter_table(table) as batch:
            for column in reversed(columns):
                batch.drop_column(column.name)
    op.drop_table("absences")
    op.drop_table("task_moves")
