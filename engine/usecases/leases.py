"""Keep a worker's leases alive for as long as it works on the jobs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from types import TracebackType

from engine.kernel.errors import EngineError
from engine.store.jobs import LEASE, Leases, release, renew
from engine.store.uow import UnitOfWork

log = logging.getLogger("banshi.jobs")


class KeptLeases:
    """Renews the leases three times within their life; what was not begun is given back."""

    def __init__(self, uow: UnitOfWork, worker: str, job_ids: Iterable[str]) -> None:
        self._uow, self._worker = uow, worker
        self._open = set(job_ids)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="banshi-leases", daemon=True)

    def done(self, job_id: str) -> None:
        """The job no longer needs its lease."""
        self._open.discard(job_id)

    def __enter__(self) -> KeptLeases:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        if self._open:
            self._uow.run(release, Leases(self._worker, sorted(self._open)))

    def _keep(self) -> None:
        while not self._ended.wait(LEASE.total_seconds() / 3):
            held = sorted(self._open)
            try:
                if held:
                    self._uow.run(renew, Leases(self._worker, held))
            except EngineError as error:
                log.warning("leases not renewed: %s", error)
