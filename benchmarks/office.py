"""The product on a database of its own, and cases of the benchmark played through its use cases."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import create_engine, func, select

from api.demo.office import open_office, shipped_package
from api.memory import settle
from api.settings import read_settings
from api.wiring import Application, wire
from api.worker.waker import ThreadWaker
from benchmarks.case12 import REVIEW, TASKS, answers, package
from engine.domain.access import SYSTEM, Actor
from engine.store.tables import Case, CaseState, Task, User
from engine.usecases.complete import CompleteTask, complete, read_tasks
from engine.usecases.people import actor_of
from engine.usecases.publish import PublishPackage, publish
from engine.usecases.start_case import StartCase, read_starts, start_case

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
                wired.bring_up_to_date()
                open_office(wired)
                wired.uow.run(publish, PublishPackage(SYSTEM, package()))
                with wired.uow.read() as session:
                    user = session.scalars(select(User).where(User.user_name == "citizen")).one()
                settle()
                yield cls(wired, actor_of(user))
            finally:
                wired.close()

    def play(self, count: int) -> int:
        cases = [self.create(number) for number in range(count)]
        for name in TASKS:
            for task_id in self.open_tasks(cases, name):
                self.complete(task_id)
        return count

    def play_together(self, count: int, size: int) -> int:
        """The same with `size` filings or completions in a transaction."""
        cases = []
        for start in range(0, count, size):
            cases += self.create_together(min(size, count - start))
        for name in TASKS:
            ids = self.open_tasks(cases, name)
            for start in range(0, len(ids), size):
                commands = [
                    CompleteTask(self.applicant, id_, REVIEW) for id_ in ids[start : start + size]
                ]
                for result in self.wired.uow.run_together(complete, commands, read_tasks):
                    if isinstance(result, Exception):
                        raise result
        return count

    def create_together(self, count: int) -> list[Case]:
        """`count` cases in one transaction."""
        starts = [StartCase(self.applicant, "F001", answers(number)) for number in range(count)]
        cases = []
        for case in self.wired.uow.run_together(start_case, starts, read_starts):
            if isinstance(case, Exception):
                raise case
            cases.append(case)
        return cases

    def take_over(self) -> None:
        """Have new cases taken by the benchmark's own package again."""
        files = package()
        files["package.toml"] += b"\n# again\n"
        self.wired.uow.run(publish, PublishPackage(SYSTEM, files))

    def fill_queue(self, count: int) -> None:
        """`count` tasks that wait for somebody of one department."""
        files = shipped_package("information_request")
        # Another version, so that it takes the service over from the benchmark's own.
        files["package.toml"] += b"\n# benchmark\n"
        self.wired.uow.run(publish, PublishPackage(SYSTEM, files))
        request = {
            "title": "x", "subject": "planning", "medium": "electronic",
            "delivery": "portal", "applicant_name": "张伟", "id_number": "11010519491231002X",
            "phone": "13800138000", "declaration": True,
            "description": "documents of the permit for the square",
        }  # fmt: skip
        for start in range(0, count, 50):
            starts = [
                StartCase(self.applicant, "F001", request) for _ in range(min(50, count - start))
            ]
            for case in self.wired.uow.run_together(start_case, starts, read_starts):
                if isinstance(case, Exception):
                    raise case

    def create(self, number: int) -> Case:
        command = StartCase(self.applicant, "F001", answers(number))
        return self.wired.uow.run(start_case, command)

    def complete(self, task_id: str) -> Case:
        return self.wired.uow.run(complete, CompleteTask(self.applicant, task_id, REVIEW))

    def open_tasks(self, cases: Sequence[Case], name: str) -> list[str]:
        """The ids of the tasks that people would have before them."""
        with self.wired.uow.read() as session:
            return list(
                session.scalars(
                    select(Task.id).where(
                        Task.case_id.in_([case.id for case in cases]),
                        Task.state == "open",
                        Task.element == name,
                    )
                )
            )

    def bytes_of_state(self) -> int:
        with self.wired.uow.read() as session:
            return int(session.scalar(select(func.max(func.length(CaseState.state)))) or 0)
