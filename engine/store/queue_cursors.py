"""Where a worker was in the queues when it took the last jobs.

The database keeps a job that has left a queue's index in the way of every search until its purge
comes round: taking ten thousand due jobs from the beginning each time, or looking at the empty
queues beside them, costs more and more. A worker therefore goes on behind the last job it took, and
leaves out what it has just found empty. Whatever it passes over so is found soon: all of this is
forgotten after a second, and when nothing else is found.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime

LIFE_SECONDS = 1.0


@dataclass(frozen=True)
class Cursor:
    """Behind the job `job_id`, which was due at `due_at`."""

    due_at: datetime
    job_id: str
    since: float


class QueueCursors:
    """The cursors of one process, by queue and priority. Safe in threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cursors: dict[tuple[str, int], Cursor] = {}
        self._empty: dict[tuple[str, int], float] = {}

    def behind(self, queue: str, priority: int) -> Cursor | None:
        """Behind which job to go on, or None to begin at the beginning."""
        with self._lock:
            cursor = self._cursors.get((queue, priority))
            if cursor is not None and time.monotonic() - cursor.since > LIFE_SECONDS:
                del self._cursors[queue, priority]
                return None
            return cursor

    def passed(self, queue: str, priority: int, due_at: datetime, job_id: str) -> None:
        """Go on behind this job, if it stands behind the present one."""
        with self._lock:
            cursor = self._cursors.get((queue, priority))
            if cursor is None:
                self._cursors[queue, priority] = Cursor(due_at, job_id, time.monotonic())
            elif (cursor.due_at, cursor.job_id) < (due_at, job_id):
                self._cursors[queue, priority] = Cursor(due_at, job_id, cursor.since)

    def is_empty(self, queue: str, priority: int) -> bool:
        """Whether nothing was found there just now."""
        with self._lock:
            since = self._empty.get((queue, priority))
            return since is not None and time.monotonic() - since <= LIFE_SECONDS

    def found_empty(self, queue: str, priority: int) -> None:
        with self._lock:
            self._empty[queue, priority] = time.monotonic()

    def forget(self) -> None:
        """Look everywhere from the beginning again."""
        with self._lock:
            self._cursors.clear()
            self._empty.clear()
