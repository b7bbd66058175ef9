"""The first tables."""

import sqlalchemy as sa
from alembic import op

from engine.store.tables.base import Instant, Json, blob, identifier, long_text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_log",
        sa.Column(
            "id",
            identifier(32),
            nullable=False,
        ),
        sa.Column(
            "case_id",
            identifier(32),
            nullable=False,
        ),
        sa.Column(
            "user_id",
            identifier(32),
            nullable=False,
        ),
        sa.Column("at", Instant(), nullable=False),
        sa.Column(
            "what",
            identifier(60),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_log")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_index("ix_access_log_case_id_at", "access_log", ["case_id", "at"], unique=False)
    op.create_table(
        "counters",
        sa.Column(
            "name",
            identifier(40),
            nullable=False,
        ),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "departments",
        sa.Column(
            "code",
            identifier(20),
            nullable=False,
        ),
        sa.Column("name", Json(), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("address", Json(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_departments")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "events",
        sa.Column(
            "id",
            identifier(32),
            nullable=False,
        ),
        sa.Column(
            "case_id",
            identifier(32),
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            identifier(40),
            nullable=False,
        ),
        sa.Column(
            "actor_id",
            identifier(32),
            nullable=False,
        ),
        sa.Column("actor_name", sa.String(length=100), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("details", Json(), nullable=False),
        sa.Column(
            "digest",
            identifier(64),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("case_id", "number", name=op.f("uq_events_case_id_number")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "jobs",
        sa.Column(
            "id",
            identifier(32),
            nullable=False,
        ),
        sa.Column(
            "kind",
            identifier(20),
            nullable=False,
        ),
        sa.Column(
            "unique_key",
            identifier(160),
            nullable=False,
        ),
        sa.Column(
            "case_id",
            identifier(32),
            nullable=True,
        ),
        sa.Column("payload", Json(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column(
            "state",
            identifier(12),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("leased_until", Instant(), nullable=True),
        sa.Column(
            "error",
            long_text(),
            nullable=True,
        ),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("unique_key", name=op.f("uq_jobs_unique_key")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_index("ix_jobs_case_id", "jobs", ["case_id"], unique=False)
    op.create_index("ix_jobs_state_due_at", "jobs", ["state", "due_at"], unique=False)
    op.create_table(
        "models",
        sa.Column(
            "id",
            identifier(32),
            nullable=False,
        ),
        sa.Column(
            "kind",
            identifier(20),
            nullable=False,
        ),
        sa.Column(
            "version",
            identifier(64),
            nullable=False,
        ),
        sa.Column("body", Json(), nullable=False),
        sa.Column("figures", Json(), nullable=False),
        sa.Column("trained_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_models")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "offered_services",
        sa.Column(
            "service",
            identifier(12),
            nullable=False,
        ),
        sa.Column(
            "package_version_id",
            identifier(32),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("service", name=op.f("pk_offered_services")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "package_versions",
        sa.Column(
            "id",
            identifier(32),
            nullable=False,
        ),
        sa.Column(
            "key",
            identifier(40),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", Json(), nullable=False),
        sa.Column("services", Json(), nullable=False),
        sa.Column(
            "digest",
            identifier(64),
            nullable=False,
        ),
        sa.Column(
            "archive",
            blob(),
            nullable=False,
        ),
        sa.Column("findings", Json(), nullable=False),
        sa.Column(
            "published_by",
            identifier(32),
            nullable=False,
        ),
        sa.Column("published_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_package_versions")),
        sa.UniqueConstraint("key", "version", name=op.f("uq_package_versions_key_version")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "sign_in_attempts",
        sa.Column(
            "subject",
            identifier(120),
            nullable=False,
        ),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("blocked_until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_sign_in_attempts")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "users",
        sa.Column(
            "id",
            identifier(32),
            nullable=False,
        ),
        sa.Column(
            "user_name",
            identifier(60),
            nullable=False,
        ),
        sa.Column("display_name", sa.String(length=100), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("roles", Json(), nullable=False),
        sa.Column(
            "department",
            identifier(20),
            nullable=True,
        ),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("audience", sa.String(length=20), nullable=False),
        sa.Column("suggestions_wanted", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department"], ["departments.code"], name=op.f("fk_users_department")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("user_name", name=op.f("uq_users_user_name")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "cases",
        sa.Column(
            "id",
            identifier(32),
            nullable=False,
        ),
        sa.Column(
            "reference",
            identifier(40),
            nullable=False,
        ),
        sa.Column(
            "service",
            identifier(12),
            nullable=False,
        ),
        sa.Column(
            "package_version_id",
            identifier(32),
            nullable=False,
        ),
        sa.Column(
            "applicant_id",
            identifier(32),
            nullable=False,
        ),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column(
            "state",
            identifier(12),
            nullable=False,
        ),
        sa.Column(
            "stage",
            identifier(12),
            nullable=False,
        ),
        sa.Column(
            "waiting_for",
            identifier(12),
            nullable=False,
        ),
        sa.Column(
            "outcome",
            identifier(60),
            nullable=True,
        ),
        sa.Column(
            "department",
            identifier(20),
            nullable=True,
        ),
        sa.Column("legal_due_at", Instant(), nullable=True),
        sa.Column("promised_due_at", Instant(), nullable=True),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["applicant_id"], ["users.id"], name=op.f("fk_cases_applicant_id")),
        sa.ForeignKeyConstraint(
            ["package_version_id"],
            ["package_versions.id"],
            name=op.f("fk_cases_package_version_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint("reference", name=op.f("uq_cases_reference")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_index(
        "ix_cases_applicant_id_received_at", "cases", ["applicant_id", "received_at"], unique=False
    )
    op.create_index("ix_cases_closed_at", "cases", ["closed_at"], unique=False)
    op.create_index("ix_cases_state_legal_due_at", "cases", ["state", "legal_due_at"], unique=False)
    op.create_table(
        "drafts",
        sa.Column(
            "id",
            identifier(32),
            nullable=False,
        ),
        sa.Column(
            "owner_id",
            identifier(32),
            nullable=False,
        ),
        sa.Column(
            "service",
            identifier(12),
            nullable=False,
        ),
        sa.Column(
            "package_version_id",
            identifier(32),
            nullable=False,
        ),
        sa.Column("answers", Json(), nullable=False),
        sa.Column(
            "case_id",
            identifier(32),
            nullable=True,
        ),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_drafts_owner_id")),
        sa.ForeignKeyConstraint(
            ["package_version_id"],
            ["package_versions.id"],
            name=op.f("fk_drafts_package_version_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_index("ix_drafts_owner_id", "drafts", ["owner_id"], unique=False)
    op.create_table(
        "user_sessions",
        sa.Column(
            "digest",
            identifier(64),
            nullable=False,
        ),
        sa.Column(
            "user_id",
            identifier(32),
            nullable=False,
        ),
        sa.Column(
            "csrf_token",
            identifier(64),
            nullable=False,
        ),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_sessions_user_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_user_sessions")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_index("ix_user_sessions_user_id", "user_sessions", ["user_id"], unique=False)
    op.create_table(
        "case_states",
        sa.Column(
            "case_id",
            identifier(32),
            nullable=False,
        ),
        sa.Column(
            "state",
            blob(),
            nullable=False,
        ),
        sa.Column("data", Json(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_states_case_id")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_case_states")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "documents",
        sa.Column(
            "id",
            identifier(32),
            nullable=False,
        ),
        sa.Column(
            "case_id",
            identifier(32),
            nullable=True,
        ),
        sa.Column(
            "owner_id",
            identifier(32),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column(
            "sha256",
            identifier(64),
            nullable=False,
        ),
        sa.Column(
            "storage_key",
            identifier(64),
            nullable=False,
        ),
        sa.Column("uploaded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_documents_case_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_documents_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_index("ix_documents_case_id", "documents", ["case_id"], unique=False)
    op.create_index("ix_documents_owner_id", "documents", ["owner_id"], unique=False)
    op.create_table(
        "letters",
        sa.Column(
            "id",
            identifier(32),
            nullable=False,
        ),
        sa.Column(
            "case_id",
            identifier(32),
            nullable=False,
        ),
        sa.Column(
            "letter",
            identifier(60),
            nullable=False,
        ),
        sa.Column(
            "element",
            identifier(120),
            nullable=False,
        ),
        sa.Column("to_applicant", sa.Boolean(), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=True),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("context", Json(), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=True),
        sa.Column(
            "body",
            long_text(),
            nullable=True,
        ),
        sa.Column(
            "state",
            identifier(12),
            nullable=False,
        ),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_letters_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letters")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_index("ix_letters_case_id", "letters", ["case_id"], unique=False)
    op.create_table(
        "ratings",
        sa.Column(
            "case_id",
            identifier(32),
            nullable=False,
        ),
        sa.Column("grade", sa.Integer(), nullable=False),
        sa.Column(
            "comment",
            long_text(),
            nullable=True,
        ),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_ratings_case_id")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_ratings")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "sla_clocks",
        sa.Column(
            "case_id",
            identifier(32),
            nullable=False,
        ),
        sa.Column(
            "key",
            identifier(12),
            nullable=False,
        ),
        sa.Column(
            "state",
            identifier(12),
            nullable=False,
        ),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_sla_clocks_case_id")),
        sa.PrimaryKeyConstraint("case_id", "key", name=op.f("pk_sla_clocks")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "sla_entries",
        sa.Column(
            "id",
            identifier(32),
            nullable=False,
        ),
        sa.Column(
            "case_id",
            identifier(32),
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "clock",
            identifier(12),
            nullable=False,
        ),
        sa.Column(
            "verb",
            identifier(12),
            nullable=False,
        ),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("line", Json(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_sla_entries_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sla_entries")),
        sa.UniqueConstraint("case_id", "number", name=op.f("uq_sla_entries_case_id_number")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "suggestions",
        sa.Column(
            "id",
            identifier(32),
            nullable=False,
        ),
        sa.Column(
            "case_id",
            identifier(32),
            nullable=False,
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "service",
            identifier(12),
            nullable=False,
        ),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column(
            "reason",
            identifier(40),
            nullable=False,
        ),
        sa.Column("params", Json(), nullable=False),
        sa.Column(
            "model_version",
            identifier(64),
            nullable=False,
        ),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_suggestions_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestions")),
        sa.UniqueConstraint("case_id", "position", name=op.f("uq_suggestions_case_id_position")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "tasks",
        sa.Column(
            "id",
            identifier(32),
            nullable=False,
        ),
        sa.Column(
            "case_id",
            identifier(32),
            nullable=False,
        ),
        sa.Column(
            "key",
            identifier(32),
            nullable=False,
        ),
        sa.Column(
            "element",
            identifier(120),
            nullable=False,
        ),
        sa.Column(
            "kind",
            identifier(20),
            nullable=False,
        ),
        sa.Column(
            "audience",
            identifier(12),
            nullable=False,
        ),
        sa.Column(
            "department",
            identifier(20),
            nullable=True,
        ),
        sa.Column(
            "role",
            identifier(20),
            nullable=False,
        ),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column(
            "form",
            identifier(60),
            nullable=True,
        ),
        sa.Column(
            "saves_as",
            identifier(60),
            nullable=True,
        ),
        sa.Column(
            "corrects",
            identifier(60),
            nullable=True,
        ),
        sa.Column("flagged", Json(), nullable=False),
        sa.Column(
            "state",
            identifier(12),
            nullable=False,
        ),
        sa.Column(
            "assignee_id",
            identifier(32),
            nullable=True,
        ),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("claimed_at", Instant(), nullable=True),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column(
            "finished_by",
            identifier(32),
            nullable=True,
        ),
        sa.Column("answers", Json(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_tasks_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sa.UniqueConstraint("case_id", "key", name=op.f("uq_tasks_case_id_key")),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_index(
        "ix_tasks_assignee_id_state_due_at",
        "tasks",
        ["assignee_id", "state", "due_at"],
        unique=False,
    )
    op.create_index(
        "ix_tasks_department_state_due_at_id",
        "tasks",
        ["department", "state", "due_at", "id"],
        unique=False,
    )
    op.create_index("ix_tasks_due_at_state", "tasks", ["due_at", "state"], unique=False)
