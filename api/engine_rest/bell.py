"""Where long polls wait for work without holding a thread or a database connection.

One task a process asks the database, `EVERY` seconds while anybody waits, which of the topics that
are waited for have free jobs, and rings for as many as there is work for. So a job is noticed
whoever made it: this process, another, or a lock that has ended.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool

log = logging.getLogger("banshi.engine_rest")
EVERY = 0.4
MOST_WAITING = 1_000
_AFTER_FAILURE = 2.0
Look = Callable[[Collection[str]], dict[str, int]]


class TooManyWaiting(Exception):
    """No further request can wait in this process."""


@dataclass(eq=False)
class _Waiter:
    topics: frozenset[str]
    rung: asyncio.Event = field(default_factory=asyncio.Event)


class Bell:
    """Rings for those who wait for jobs of a topic; `look` counts the free jobs of topics.

    Used in one event loop.
    """

    def __init__(self, look: Look, at_most: int = MOST_WAITING) -> None:
        self._look = look
        self._at_most = at_most
        self._waiters: OrderedDict[int, _Waiter] = OrderedDict()
        self._numbers = itertools.count()
        self._watcher: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return len(self._waiters)

    async def wait(self, topics: Collection[str], seconds: float) -> bool:
        """Wait until there may be work of these topics; False when the time is over first.

        Raises TooManyWaiting.
        """
        if len(self._waiters) >= self._at_most:
            raise TooManyWaiting
        number, waiter = next(self._numbers), _Waiter(frozenset(topics))
        self._waiters[number] = waiter
        if self._watcher is None or self._watcher.done():
            self._watcher = asyncio.create_task(self._watch())
        try:
            async with asyncio.timeout(seconds):
                await waiter.rung.wait()
        except TimeoutError:
            return False
        else:
            return True
        finally:
            self._waiters.pop(number, None)

    async def _watch(self) -> None:
        while self._waiters:
            await asyncio.sleep(EVERY)
            topics = {name for waiter in self._waiters.values() for name in waiter.topics}
            if not topics:
                return
            try:
                free = await run_in_threadpool(self._look, topics)
            except Exception as error:
                # The waiters' own requests will tell of it; the next look may succeed.
                log.warning("cannot look for free jobs: %s", error)
                await asyncio.sleep(_AFTER_FAILURE)
                continue
            self._ring(free)

    def _ring(self, free: dict[str, int]) -> None:
        """Wake those who have waited longest, as many as each topic has jobs for."""
        for waiter in self._waiters.values():
            wanted = [name for name in waiter.topics if free.get(name, 0) > 0]
            if wanted and not waiter.rung.is_set():
                free[wanted[0]] -= 1
                waiter.rung.set()
