"""The yardstick: SpiffWorkflow with the persistence its manual shows, and rows like ours beside."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState
from sqlalchemy import (
    Column,
    DateTime,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.mysql import MEDIUMTEXT

from benchmarks.case12 import REVIEW, TASKS, answers, diagram


def stock_spec() -> Any:
    parser = BpmnParser()
    parser.add_bpmn_io(io.BytesIO(diagram(settings=False).encode()))
    return parser.get_spec("case12")


def finish(workflow: Any, name: str, data: dict[str, Any]) -> None:
    """Complete the ready task `name` as the manual does, and run on."""
    task = workflow.get_next_task(state=TaskState.READY, spec_name=name)
    task.data.update(data)
    task.run()
    workflow.do_engine_steps()
    workflow.refresh_waiting_tasks()


class Store:
    """The naive service: load the JSON, advance, save the JSON, five transactions a case."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(f"{url}/naive", isolation_level="READ COMMITTED")
        with create_engine(url).begin() as connection:
            connection.exec_driver_sql("CREATE DATABASE naive CHARACTER SET utf8mb4")
        tables = MetaData()
        self.cases = Table(
            "cases",
            tables,
            Column("id", String(32), primary_key=True),
            Column("state", String(12)),
            Column("version", Integer),
            Column("updated_at", DateTime),
        )
        self.states = Table(
            "states", tables, Column("id", String(32), primary_key=True), Column("body", MEDIUMTEXT)
        )
        self.tasks = Table(
            "tasks",
            tables,
            Column("id", String(40), primary_key=True),
            Column("case_id", String(32), index=True),
            Column("name", String(60)),
            Column("state", String(12)),
            Column("opened_at", DateTime),
            Column("finished_at", DateTime),
        )
        self.timers = Table(
            "timers",
            tables,
            Column("id", String(40), primary_key=True),
            Column("case_id", String(32)),
            Column("due_at", DateTime, index=True),
        )
        self.history = Table(
            "history",
            tables,
            Column("case_id", String(32), primary_key=True),
            Column("number", Integer, primary_key=True, autoincrement=False),
            Column("kind", String(40)),
            Column("at", DateTime),
            Column("details", Text),
        )
        tables.create_all(self.engine)
        self.serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure())
        self.spec = stock_spec()
        self._last = ""

    def play(self, count: int) -> int:
        for number in range(count):
            case = self.create(dict(answers(number)))
            for name in TASKS:
                self.complete(case, name)
            self._last = case
        return count

    def create(self, data: dict[str, Any]) -> str:
        workflow = BpmnWorkflow(self.spec)
        workflow.set_data(**data)
        workflow.task_tree.data.update(data)
        workflow.do_engine_steps()
        workflow.refresh_waiting_tasks()
        case, now = uuid4().hex, datetime.now(UTC).replace(tzinfo=None)
        with self.engine.begin() as connection:
            connection.execute(
                insert(self.cases).values(id=case, state="open", version=1, updated_at=now)
            )
            connection.execute(
                insert(self.states).values(id=case, body=self.serializer.serialize_json(workflow))
            )
            self._history(connection, case, 1, "filed", now)
            self._sync(connection, case, workflow, now)
        return case

    def complete(self, case: str, name: str) -> None:
        now = datetime.now(UTC).replace(tzinfo=None)
        with self.engine.begin() as connection:
            version = connection.scalar(
                select(self.cases.c.version).where(self.cases.c.id == case).with_for_update()
            )
            body = connection.scalar(select(self.states.c.body).where(self.states.c.id == case))
            workflow = self.serializer.deserialize_json(body)
            finish(workflow, name, {name: dict(REVIEW)})
            connection.execute(
                update(self.states)
                .where(self.states.c.id == case)
                .values(body=self.serializer.serialize_json(workflow))
            )
            connection.execute(
                update(self.tasks)
                .where(self.tasks.c.case_id == case, self.tasks.c.name == name)
                .values(state="done", finished_at=now)
            )
            state = "closed" if workflow.completed else "open"
            connection.execute(
                update(self.cases)
                .where(self.cases.c.id == case)
                .values(version=version + 1, state=state, updated_at=now)
            )
            self._history(connection, case, version + 1, "completed", now)
            self._sync(connection, case, workflow, now)

    def _history(self, connection: Any, case: str, version: int, kind: str, now: Any) -> None:
        for number, each in ((version * 10, kind), (version * 10 + 1, "advanced")):
            connection.execute(
                insert(self.history).values(
                    case_id=case, number=number, kind=each, at=now, details=json.dumps({})
                )
            )

    def _sync(self, connection: Any, case: str, workflow: Any, now: datetime) -> None:
        known = set(connection.scalars(select(self.tasks.c.id).where(self.tasks.c.case_id == case)))
        for task in workflow.get_tasks(state=TaskState.READY, manual=True):
            if str(task.id) not in known:
                connection.execute(
                    insert(self.tasks).values(
                        id=str(task.id),
                        case_id=case,
                        name=task.task_spec.name,
                        state="open",
                        opened_at=now,
                    )
                )
        timers = {
            str(task.id)
            for task in workflow.get_tasks(state=TaskState.WAITING)
            if task.task_spec.name == "late"
        }
        written = set(
            connection.scalars(select(self.timers.c.id).where(self.timers.c.case_id == case))
        )
        for id_ in timers - written:
            connection.execute(
                insert(self.timers).values(id=id_, case_id=case, due_at=now + timedelta(hours=72))
            )
        for id_ in written - timers:
            connection.execute(self.timers.delete().where(self.timers.c.id == id_))

    def bytes_of_state(self) -> int:
        """The size of a finished case's JSON."""
        with self.engine.connect() as connection:
            body = connection.scalar(
                select(self.states.c.body).where(self.states.c.id == self._last)
            )
        return len(body.encode())
