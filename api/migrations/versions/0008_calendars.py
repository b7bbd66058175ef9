"""Working calendars that an administrator edits, and who changed what in them."""

import sqlalchemy as sa

from api.migrations.online import create_table
from engine.store.tables.base import Instant, Json, identifier

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
step = "expand"


def upgrade() -> None:
    create_table(
        "calendars",
        sa.Column("name", identifier(40), nullable=False),
        sa.Column("extends", identifier(40), nullable=True),
        sa.Column("title", Json(), nullable=False),
        sa.Column("zone", sa.String(60), nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.Column("departments", Json(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("edited_by", identifier(), nullable=False),
        sa.Column("edited_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_calendars"),
        sa.ForeignKeyConstraint(["extends"], ["calendars.name"], name="fk_calendars_extends"),
    )
    create_table(
        "calendar_changes",
        sa.Column("calendar", identifier(40), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("changes", Json(), nullable=False),
        sa.Column("actor_id", identifier(), nullable=False),
        sa.Column("actor_name", sa.String(100), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("calendar", "revision", name="pk_calendar_changes"),
        sa.ForeignKeyConstraint(
            ["calendar"], ["calendars.name"], name="fk_calendar_changes_calendar"
        ),
    )
