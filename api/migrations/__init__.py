"""Alembic migrations: numbered, linear, equal to the tables in `engine.store.tables`."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

HERE = Path(__file__).resolve().parent


def migrate(engine: Engine) -> None:
    """Bring the database up to the newest migration; an up-to-date one is left alone."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
