"""Dispatch by rules, returns, co-handlers, absences and merged cases."""

import sqlalchemy as sa

from api.migrations.online import add_column, add_index, create_table
from engine.store.tables.base import Instant, Json, identifier, long_text

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
step = "expand"


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
    for column in _tasks():
        add_column("tasks", column)
    for column in _cases():
        add_column("cases", column)
    add_index("ix_cases_main_id", "cases", ["main_id"])
    add_column("users", sa.Column("skills", Json(), nullable=True))
    add_column("users", sa.Column("daily_capacity", sa.Integer(), nullable=True))


def _create_moves() -> None:
    create_table(
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
    )
    add_index("ix_task_moves_case_id", "task_moves", ["case_id"])
    add_index("ix_task_moves_department_case_id", "task_moves", ["department", "case_id"])
    add_index("ix_task_moves_kind_left_at", "task_moves", ["kind", "left_at"])


def _create_absences() -> None:
    create_table(
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
    )
    add_index("ix_absences_user_id_ends_at", "absences", ["user_id", "ends_at"])
    add_index("ix_absences_substitute_id_ends_at", "absences", ["substitute_id", "ends_at"])
