"""The one place that joins engine, forms, recommender, settings and worker."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Any

from sqlalchemy import Engine

from api.connectors.client import HttpClient
from api.connectors.registry import Registry, Tools
from api.migrations import migrate
from api.notice_words import notice_words
from api.settings import Settings, SettingWrong
from api.worker.celery_app import SWEEP_SECONDS, Chore
from api.worker.files import DiskFiles
from api.worker.mailer import mailer_for
from api.worker.waker import BackgroundWaker, waker_for
from engine.domain.catalogue import Catalogue, read_catalogue
from engine.domain.ports import Ports, Recommender, Waker
from engine.kernel.clock import Clock, SystemClock
from engine.store import jobs
from engine.store.calendars import StoredCalendars
from engine.store.pools import open_engine
from engine.store.queue_cursors import QueueCursors
from engine.store.uow import UnitOfWork
from engine.usecases.calendars import seed_calendars
from engine.usecases.definition import Definition, definition, known_definition
from engine.usecases.documents import clear_files
from engine.usecases.figures import refresh_figures
from engine.usecases.incidents import note_failure
from engine.usecases.job_runner import ALL_QUEUES, run_due
from forms import FormLibrary, JailedLetters
from recommender import Model, NextServices, prior_model

TIDY_SECONDS = 300.0
MOST_IN_A_TURN = 10_000
"""How many jobs a wake-up works off at most."""


class StoredModels:
    """Makes the recommender from the model stored last, or from the catalogue's priors alone."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._lock = threading.Lock()
        self._kept: tuple[str, Recommender] | None = None

    def current(self, model: Mapping[str, Any] | None) -> Recommender:
        version = str(model["version"]) if model else ""
        with self._lock:
            if self._kept is None or self._kept[0] != version:
                made = Model.from_mapping(model) if model else prior_model(self._catalogue)
                self._kept = (version, NextServices(self._catalogue, made))
            return self._kept[1]


@dataclass(frozen=True)
class Application:
    """The wired product: what routes, the worker and the shell work with."""

    settings: Settings
    engine: Engine
    ports: Ports
    uow: UnitOfWork
    forms: FormLibrary
    letters: JailedLetters
    hashing: threading.BoundedSemaphore
    stopping: threading.Event
    cursors: QueueCursors = field(default_factory=QueueCursors)

    def run_due(self, queues: Sequence[str] | None = None) -> int:
        """Run the jobs that are due now, of `queues` or of all; how many were run.

        Whatever piled up in an outage is worked off without a pause, but in turns: each ends when
        the next sweep is due.
        """
        return run_due(
            self.uow,
            queues=queues or ALL_QUEUES,
            stop=self.stopping,
            at_most=MOST_IN_A_TURN,
            seconds=SWEEP_SECONDS,
            cursors=self.cursors,
        )

    def definition(self, version_id: str) -> Definition:
        """The executable version `version_id`. Raises NotFound."""
        known = known_definition(version_id)
        if known is not None:
            return known
        with self.uow.read() as session:
            return definition(session, version_id, self.ports)

    def chores(self) -> list[Chore]:
        """What a worker does from time to time."""
        return [
            Chore("tidy", TIDY_SECONDS, self.tidy),
            Chore("figures", 15, self.refresh_figures),
        ]

    def tidy(self) -> None:
        """Clear away old finished jobs and keys of requests, a batch at a time, and lost files."""
        self.uow.run(jobs.tidy, None)
        # Each part of the store comes up about once a day.
        clear_files(self.uow, int(self.ports.clock.now().timestamp() // TIDY_SECONDS) % 256)

    def refresh_figures(self) -> None:
        """Count the office's figures."""
        self.uow.run(refresh_figures, None)

    def bring_up_to_date(self) -> None:
        """Migrate the database and store the shipped calendars. Raises SettingWrong."""
        migrate(self.engine)
        self.open_calendars()

    def open_calendars(self) -> None:
        """Store the shipped calendars, once, and read them. Raises SettingWrong."""
        self.uow.run(seed_calendars, None)
        calendars = self.ports.calendars
        calendars.reload()
        if self.settings.calendar not in calendars.names():
            known = ", ".join(sorted(calendars.names()))
            raise SettingWrong(f"BANSHI_CALENDAR: use one of {known}")

    def with_waker(self, waker: Waker) -> Application:
        """The same product with another way to wake workers."""
        ports = replace(self.ports, waker=waker)
        return replace(self, ports=ports, uow=UnitOfWork(self.engine, ports, note_failure))

    def close(self) -> None:
        if isinstance(self.ports.waker, BackgroundWaker):
            self.ports.waker.close()
        self.letters.close()
        self.uow.close()
        self.engine.dispose()


def catalogue_file() -> bytes:
    """The catalogue of services that ships with the product."""
    return files("processes").joinpath("catalogue.json").read_bytes()


def wire(settings: Settings, clock: Clock | None = None, waker: Waker | None = None) -> Application:
    """Join everything for `settings`. Opens no connection before the first use."""
    catalogue = read_catalogue(catalogue_file())
    forms, letters = FormLibrary(), JailedLetters()
    engine = open_engine(settings.database_url)
    mailer = mailer_for(settings)
    http = HttpClient(settings.connector_hosts)
    ports = Ports(
        clock=clock or SystemClock(),
        calendars=StoredCalendars(engine, settings.calendar),
        forms=forms,
        letters=letters,
        files=DiskFiles(settings.data_dir / "files"),
        mailer=mailer,
        connectors=Registry(Tools(http, mailer, settings.connector_environment)),
        notice_words=notice_words,
        waker=waker or waker_for(settings),
        recommender=StoredModels(catalogue),
        catalogue=catalogue,
        office=settings.office,
    )
    # Each hash takes 19 MB and 40 ms of a core: two at a time keep the pages quick.
    return Application(
        settings,
        engine,
        ports,
        UnitOfWork(engine, ports, note_failure),
        forms,
        letters,
        threading.BoundedSemaphore(2),
        threading.Event(),
    )


@contextmanager
def wired(settings: Settings, clock: Clock | None = None) -> Iterator[Application]:
    """A wired product that is closed at the end."""
    application = wire(settings, clock)
    try:
        yield application
    finally:
        application.close()
