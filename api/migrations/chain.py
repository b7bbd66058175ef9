"""The migrations this version of the product knows, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from alembic.config import Config
from alembic.script import ScriptDirectory

from api.migrations.backfill import Backfill

HERE = Path(__file__).resolve().parent
VERSIONS = (HERE / "versions",)
Step = Literal["expand", "enforce", "offline"]
"""``expand`` only adds, and older versions of the product go on; ``enforce`` takes away what only
older versions need; ``offline``, of the first migrations, needs everything to be stopped."""


@dataclass(frozen=True)
class Migration:
    """One migration. `needs_code`, of an enforcing one, is the newest migration that a version of
    the product must know to run after it."""

    number: str
    title: str
    step: Step
    backfill: Backfill | None = None
    needs_code: str | None = None


@dataclass(frozen=True)
class Chain:
    """All migrations, the oldest first."""

    migrations: tuple[Migration, ...]

    @property
    def head(self) -> str:
        return self.migrations[-1].number

    @property
    def needed(self) -> str:
        """The migration that the database must have for this version of the product to run."""
        return [each.number for each in self.migrations if each.step != "enforce"][-1]

    def knows(self, number: str) -> bool:
        return any(each.number == number for each in self.migrations)

    def after(self, number: str | None) -> tuple[Migration, ...]:
        """The migrations that a database at `number` (None: an empty one) does not have."""
        numbers = [each.number for each in self.migrations]
        return self.migrations[numbers.index(number) + 1 if number is not None else 0 :]

    def upto(self, number: str | None) -> tuple[Migration, ...]:
        """The migrations that a database at `number` has."""
        return self.migrations[: len(self.migrations) - len(self.after(number))]


def alembic_config(versions: Sequence[Path] = VERSIONS) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(str(each) for each in versions))
    return config


@lru_cache(maxsize=8)
def read_chain(versions: tuple[Path, ...] = VERSIONS) -> Chain:
    """The migrations in the folders `versions`."""
    scripts = ScriptDirectory.from_config(alembic_config(versions))
    made = []
    for script in scripts.walk_revisions():
        module = script.module
        made.append(
            Migration(
                script.revision,
                " ".join(script.doc.split()),
                getattr(module, "step", "offline"),
                getattr(module, "backfill", None),
                getattr(module, "needs_code", None),
            )
        )
    return Chain(tuple(reversed(made)))
