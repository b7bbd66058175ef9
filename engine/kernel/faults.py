"""Named points at which a test may kill the process, and named defects that it may switch on.

Both are off unless the environment names them when the process starts: ``BANSHI_CRASH_AT=point``
or ``point:n`` for the n-th time it is passed, and ``BANSHI_DEFECT=name``, which counts only
together with ``BANSHI_ALLOW_DEFECTS=1``. The defects show that the checks would notice such a
fault.
"""

from __future__ import annotations

import os
from collections import Counter

CRASH_POINTS = (
    "case_locked",
    "before_commit",
    "after_commit",
    "before_answer",
    "file_written",
    "file_kept",
    "step_undone",
    "worker_woken",
    "job_leased",
    "letter_rendered",
    "mail_sent",
    "connector_called",
    "job_acted",
    "job_finished",
)
DEFECTS = (
    "audit_unchained",
    "commit_forgotten",
    "key_forgotten",
    "lease_ignored",
    "outbox_forgotten",
    "state_forgotten",
    "timer_kept",
)
_CRASH_AT, _, _TIMES = os.environ.get("BANSHI_CRASH_AT", "").partition(":")
_DEFECT = os.environ.get("BANSHI_DEFECT") if os.environ.get("BANSHI_ALLOW_DEFECTS") == "1" else None
_passed: Counter[str] = Counter()


def crash_point(name: str) -> None:
    """End the process at once, without clean-up, if the environment names this point."""
    if name == _CRASH_AT:
        _passed[name] += 1
        if _passed[name] == int(_TIMES or 1):
            os._exit(137)


def defect(name: str) -> bool:
    """Whether the environment asks for this defect."""
    return name == _DEFECT
