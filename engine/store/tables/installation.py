"""What is true of the installation as a whole, and not of one case."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from engine.store.tables.base import Base, Instant, Json, identifier


class InstallationFact(Base):
    """One fact under its name; `engine.store.facts` names them all."""

    __tablename__ = "installation_facts"

    name: Mapped[str] = mapped_column(identifier(40), primary_key=True)
    value: Mapped[Any] = mapped_column(Json)
    at: Mapped[datetime] = mapped_column(Instant)
