"""The limit: the statements that the product wrote for a case, sent again by the bare driver."""

from __future__ import annotations

import re
from typing import Any

import pymysql
from pymysql.constants import CLIENT
from sqlalchemy import make_url

from benchmarks.case12 import TASKS
from benchmarks.office import Office
from engine.kernel.ids import new_id
from engine.store.rows import COMPOUND, COMPOUND_END

_ID = re.compile(r"'([0-9a-f]{32})(?=[':])")
_REFERENCE = re.compile(r"'BM-[0-9]{4}-[0-9]{7}-[0-9]'")
_WRITES = ("INSERT", "UPDATE", "DELETE", "COMMIT")


class Replay:
    """Plays the writes of one recorded case again and again, with identifiers of its own."""

    def __init__(self, office: Office) -> None:
        url = make_url(office.wired.settings.database_url)
        self._steps = _recorded(office)
        self._kept = _shared_ids(office)
        self.statements = [step.count(";\n") + 1 for step in self._steps]
        self._connection = pymysql.connect(
            host=url.host,
            port=url.port or 3306,
            user=url.username or "root",
            database=url.database,
            autocommit=False,
            client_flag=CLIENT.MULTI_STATEMENTS,
        )
        self._send("INSERT INTO counters VALUES ('RP-2026', 0);\nCOMMIT")
        self._played = 0
        self._ready: list[str] = []

    def prepare(self, count: int) -> None:
        """Make the texts of the next `count` cases; sending them is what is measured."""
        self._ready = [text for _ in range(count) for text in self._renamed()]

    def play(self, count: int) -> int:
        for text in self._ready:
            self._send(text)
        return count

    def _renamed(self) -> list[str]:
        self._played += 1
        names: dict[str, str] = {}

        def rename(found: re.Match[str]) -> str:
            known = found.group(1)
            if known in self._kept:
                return found.group(0)
            return "'" + names.setdefault(known, new_id())

        reference = f"'RP-2026-{self._played:07d}-0'"
        return [
            _REFERENCE.sub(reference, _ID.sub(rename, text)).replace("'BM-2026'", "'RP-2026'")
            for text in self._steps
        ]

    def _send(self, text: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(text)
            while cursor.nextset():
                pass


def _recorded(office: Office) -> list[str]:
    """The writes of each step of one case, as one text a step."""
    office.create(0)  # the very first case also makes the counter of the references
    steps: list[str] = []
    sent = pymysql.cursors.Cursor.execute

    def listen(cursor: Any, query: str, args: Any = None) -> Any:
        text = query.removeprefix(COMPOUND).removesuffix(f";{COMPOUND_END}")
        if text.endswith("COMMIT"):
            steps.append(text)
        return sent(cursor, query, args)

    pymysql.cursors.Cursor.execute = listen  # type: ignore[method-assign,assignment]
    try:
        case = office.create(1)
        for name in TASKS:
            office.complete(office.open_tasks([case], name)[0])
    finally:
        pymysql.cursors.Cursor.execute = sent  # type: ignore[method-assign]
    for step in steps:
        assert all(each.startswith(_WRITES) for each in step.split(";\n")), step  # noqa: S101
    return steps


def _shared_ids(office: Office) -> set[str]:
    """Identifiers that rows of all cases share: people and package versions."""
    from sqlalchemy import select

    from engine.store.tables import PackageVersion, User

    with office.wired.uow.read() as session:
        return {*session.scalars(select(User.id)), *session.scalars(select(PackageVersion.id))}
