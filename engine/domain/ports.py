"""What the engine needs from its surroundings; `api/wiring.py` joins the two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, BinaryIO, Protocol

from engine.domain.calendar import WorkingCalendar
from engine.domain.catalogue import Catalogue
from engine.domain.connector import Connectors
from engine.domain.field_error import FieldError
from engine.domain.process import Finding
from engine.kernel.clock import Clock

Form = Mapping[str, Any]
"""One form file: ``schema``, ``ui`` and ``text``, as published."""


class Forms(Protocol):
    """Checks forms at publish and answers at submission."""

    def check_form(self, file: str, content: bytes) -> tuple[Form | None, list[Finding]]:
        """The form read from `content`, or None, with what is wrong in it."""
        ...

    def validate(
        self, form: Form, answers: Mapping[str, Any], start_form: Form | None = None
    ) -> tuple[dict[str, Any], list[FieldError]]:
        """The answers to keep (hidden fields dropped) and the errors in form order."""
        ...


@dataclass(frozen=True)
class RenderedLetter:
    subject: str
    body: str


class Letters(Protocol):
    """Checks letter templates at publish, and renders them outside the web process."""

    def check_letter(self, file: str, content: bytes) -> list[Finding]: ...

    def render(
        self, template: str, context: Mapping[str, Any], locale: str, forms: Mapping[str, Form]
    ) -> RenderedLetter: ...


class Files(Protocol):
    """Keeps what people upload, outside the web root, under random keys."""

    def put(self, content: BinaryIO) -> tuple[str, int, str]:
        """Store it. Gives the key, the size in bytes and the SHA-256 in hexadecimal.

        Raises StoreUnavailable.
        """
        ...

    def open(self, key: str) -> BinaryIO: ...

    def older(self, part: int, than: datetime) -> Iterable[tuple[str, datetime]]:
        """The files in one of 256 parts of the store that were written before `than`, and when."""
        ...

    def remove(self, name: str) -> None: ...


class Mailer(Protocol):
    """Hands a message to the mail server."""

    def send(self, to: str, subject: str, body: str, message_id: str) -> None: ...


@dataclass(frozen=True)
class NoticeFacts:
    """What a notice to staff is about; names by locale, the clock's own empty for the usual one."""

    reference: str
    service: Mapping[str, str]
    clock: str
    clock_title: Mapping[str, str]
    task: Mapping[str, str] | None
    rung: str
    due_on: date
    text: Mapping[str, str]


class NoticeWords(Protocol):
    """Puts a notice into words."""

    def __call__(self, facts: NoticeFacts, locale: str) -> RenderedLetter: ...


class Waker(Protocol):
    """Tells the workers, after a commit, that jobs of these kinds are due. May be lost."""

    def wake(self, kinds: Iterable[str]) -> None: ...


@dataclass(frozen=True)
class ServiceFacts:
    """What the recommender needs to know of one earlier case of the person."""

    service: str
    state: str
    outcome: str | None


@dataclass(frozen=True)
class Advice:
    """One suggestion: the service's code, a score, the reason's catalogue code and its params."""

    service: str
    score: float
    reason: str
    params: Mapping[str, Any]


class Recommender(Protocol):
    """Advises at most `limit` next services; never decides, never raises for want of data."""

    version: str

    def suggest(
        self, service: str, history: list[ServiceFacts], audience: str | None, limit: int = 3
    ) -> list[Advice]: ...


class Calendars(Protocol):
    """The working calendars as they stand now: what an administrator changes shows in seconds."""

    def main(self) -> WorkingCalendar:
        """The office's own. Raises CalendarUnknown if the one that is set does not exist."""
        ...

    def named(self, name: str | None) -> WorkingCalendar:
        """The calendar `name`, or the main one for None. Raises CalendarUnknown."""
        ...

    def of_department(self, code: str | None) -> WorkingCalendar:
        """The calendar of a department's office, or the main one if it has none of its own."""
        ...

    def names(self) -> frozenset[str]: ...

    def resting_on(self, name: str) -> frozenset[str]:
        """The calendar `name` and all that extend it: what changes when it does."""
        ...

    def reload(self) -> None:
        """Read the newest now, for work that must not rest on what was true a second ago."""
        ...


@dataclass(frozen=True)
class Ports:
    """Everything outside the engine that a use case may need."""

    clock: Clock
    calendars: Calendars
    forms: Forms
    letters: Letters
    files: Files
    mailer: Mailer
    connectors: Connectors
    notice_words: NoticeWords
    waker: Waker
    recommender: RecommenderSource
    catalogue: Catalogue
    office: Mapping[str, Any]
    """Name (by locale), phone, address (by locale) and website of the office."""

    @property
    def calendar(self) -> WorkingCalendar:
        """The office's main calendar, as it stands now."""
        return self.calendars.main()


class RecommenderSource(Protocol):
    """Gives the recommender made from the model stored last, or from the priors alone."""

    def current(self, model: Mapping[str, Any] | None) -> Recommender: ...
