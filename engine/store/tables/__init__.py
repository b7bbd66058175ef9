"""All tables, a module for each area."""

from engine.store.tables.archive import ArchivedCase, ArchivedDepartment
from engine.store.tables.base import Base
from engine.store.tables.calendars import CalendarChange, CalendarRow
from engine.store.tables.cases import Case, CaseState, Task, TaskMove, VariableNote
from engine.store.tables.clocks import ClockEntry, ClockRow, Notice, Recount
from engine.store.tables.installation import InstallationFact
from engine.store.tables.jobs import Counter, Job, ModelRow
from engine.store.tables.packages import OfferedServiceRow, PackageVersion
from engine.store.tables.people import Absence, Department, SignInAttempt, User, UserSession
from engine.store.tables.records import (
    AccessRecord,
    Document,
    Draft,
    Event,
    FigureSnapshot,
    Letter,
    Rating,
    Suggestion,
)
from engine.store.tables.requests import IdempotencyKey
from engine.store.tables.waiting import ExternalJob, Incident, Message, Subscription

__all__ = [
    "Absence",
    "AccessRecord",
    "ArchivedCase",
    "ArchivedDepartment",
    "Base",
    "CalendarChange",
    "CalendarRow",
    "Case",
    "CaseState",
    "ClockEntry",
    "ClockRow",
    "Counter",
    "Department",
    "Document",
    "Draft",
    "Event",
    "ExternalJob",
    "FigureSnapshot",
    "IdempotencyKey",
    "Incident",
    "InstallationFact",
    "Job",
    "Letter",
    "Message",
    "ModelRow",
    "Notice",
    "OfferedServiceRow",
    "PackageVersion",
    "Rating",
    "Recount",
    "SignInAttempt",
    "Subscription",
    "Suggestion",
    "Task",
    "TaskMove",
    "User",
    "UserSession",
    "VariableNote",
]
