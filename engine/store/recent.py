"""Cases that this process has just written, so that their next step need not read them again.

What is kept may be out of date: another process may have gone on with the case. A step on kept
rows therefore locks nothing and is sure of nothing until it writes. Every change of a case adds an
event, numbered without a gap; the key of the events lets only one writer have a number, so a step
on old rows fails at its first statement, and is done again on rows that are read and locked.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from engine.store.rows import Rows
from engine.store.tables import Case, CaseState, ClockRow, Event, Task

KEPT = 2_000
"""Cases; each takes some 10 kB."""

Values = dict[str, Any]


@dataclass(frozen=True)
class RecentCase:
    """The rows of a case as they were committed, its open tasks by id as far as they are known."""

    case: Values
    state: Values
    tasks: dict[str, Values]
    clocks: list[Values] | None
    """All of its clocks, or None if they are not known."""


class RecentCases:
    """The cases written last, by the ids of their open tasks. Safe in threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, RecentCase] = OrderedDict()
        self._case_of: dict[str, str] = {}

    def recall(self, rows: Rows, task_id: str) -> str | None:
        """Put the rows of the task's case among the known `rows`; the case's id, or None."""
        with self._lock:
            case_id = self._case_of.get(task_id)
            kept = self._kept.get(case_id) if case_id is not None else None
            if kept is None or case_id is None:
                return None
            self._kept.move_to_end(case_id)
        rows.know(Case, kept.case)
        rows.know(CaseState, kept.state)
        rows.know(Task, kept.tasks[task_id])
        if kept.clocks is not None:
            for clock in kept.clocks:
                rows.know(ClockRow, clock)
            rows.whole(ClockRow, case_id)
        return case_id

    def keep(self, rows: Rows, complete: bool = True) -> None:
        """Remember the cases that a committed transaction has written.

        Without `complete` it wrote more than the `rows` know of.
        """
        new: dict[str, dict[str, Values]] = {}
        for values in rows.inserted(Task):
            new.setdefault(values["case_id"], {})[values["id"]] = values
        for task in rows.all_known(Task):
            if task.state == "open":
                new.setdefault(task.case_id, {})[task.id] = rows.sent_values_of(task)
        events = rows.inserted_by_case(Event)
        for case in rows.all_known(Case):
            state = rows.known(CaseState, case.id)
            before = self._kept.get(case.id)
            self.drop(case.id)
            if state is None or case.state != "open" or not rows.was_written(case):
                continue
            tasks = new.get(case.id, {})
            number = case.events - events[case.id]
            if complete and before is not None and before.case["events"] == number:
                tasks = self._untouched(rows, before.tasks) | tasks
            clocks = None
            if rows.is_whole(ClockRow, case.id):
                known = rows.known_of_case(ClockRow, case.id)
                clocks = [rows.sent_values_of(row) for row in known if not row.is_history]
            kept = RecentCase(rows.sent_values_of(case), rows.sent_values_of(state), tasks, clocks)
            with self._lock:
                self._kept[case.id] = kept
                self._case_of.update(dict.fromkeys(tasks, case.id))
                while len(self._kept) > KEPT:
                    self._forget(next(iter(self._kept)))

    def _untouched(self, rows: Rows, tasks: dict[str, Values]) -> dict[str, Values]:
        """Those of a case's open tasks that the transaction, the next after theirs, left alone."""
        if rows.wrote_unseen(Task):
            return {}
        return {id_: each for id_, each in tasks.items() if rows.known(Task, id_) is None}

    def drop(self, case_id: str) -> None:
        """What is known of the case is out of date."""
        with self._lock:
            self._forget(case_id)

    def _forget(self, case_id: str) -> None:
        kept = self._kept.pop(case_id, None)
        for task_id in kept.tasks if kept is not None else ():
            self._case_of.pop(task_id, None)
