"""The product on a database of its own, and cases of the benchmark played through its use cases."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import create_engine, func, select

from api.demo.office import open_office
from api.migrations import migrate
from api.settings import read_settings
from api.wiring import Application, wire
from api.worker.waker import ThreadWaker
from benchmarks.case12 import REVIEW, TASKS, answers, package
from engine.domain.access import SYSTEM, Actor
from engine.store.tables import Case, CaseState, Task, User
from engine.usecases.complete import CompleteTask, complete
from engine.usecases.people import actor_of
from engine.usecases.publish import PublishPackage, publish
from engine.usecases.start_case import StartCase, start_case

NAME = "banshi"


class Office:
    def __init__(self, wired: Application, applicant: Actor) -> None:
        self.wired, self.applicant = wired, applicant

    @classmethod
    @contextlib.contextmanager
    def opened(cls, url: str) -> Iterator[Office]:
        with create_engine(url).begin() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {NAME} CHARACTER SET utf8mb4")
        with tempfile.TemporaryDirectory() as folder:
            settings = read_settings(
                {"BANSHI_DATABASE_URL": f"{url}/{NAME}", "BANSHI_DATA_DIR": folder}
            )
            wired = wire(settings, waker=ThreadWaker())
            Path(folder).mkdir(exist_ok=True)
            try:
                migrate(wired.engine)
                open_office(wired)
                wired.uow.run(publish, PublishPackage(SYSTEM, package()))
                with wired.uow.read() as session:
                    user = session.scalars(select(User).where(User.user_name == "citizen")).one()
                yield cls(wired, actor_of(user))
            finally:
                wired.close()

    def play(self, count: int) -> int:
        for number in range(count):
            case = self.create(number)
            for name in TASKS:
                self.complete(self.task_of(case, name))
        return count

    def create(self, number: int) -> Case:
        command = StartCase(self.applicant, "F001", answers(number))
        return self.wired.uow.run(start_case, command)

    def complete(self, task_id: str) -> Case:
        return self.wired.uow.run(complete, CompleteTask(self.applicant, task_id, REVIEW))

    def task_of(self, case: Case, name: str) -> str:
        """The id of the open task; looked up in the list, as a person's page would."""
        with self.wired.uow.read() as session:
            return session.scalars(
                select(Task.id).where(
                    Task.case_id == case.id, Task.state == "open", Task.element == name
                )
            ).one()

    def bytes_of_state(self) -> int:
        with self.wired.uow.read() as session:
            return int(session.scalar(select(func.max(func.length(CaseState.state)))) or 0)
