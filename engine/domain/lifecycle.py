"""The states of a case and of a task, and what a citizen is told of them."""

from __future__ import annotations

from typing import Literal

CaseState = Literal["open", "closed", "withdrawn"]
TaskState = Literal["open", "held", "planned", "done", "lapsed", "cancelled"]
"""``held``: the process waits for it, and nobody may work on it now, because it is being dispatched
again or its case follows another. ``planned``: a co-handler whose turn has not come. ``lapsed``: a
co-handler who did not answer in time."""
Stage = Literal["submitted", "accepted", "handling", "decided", "finished"]
WaitingFor = Literal["applicant", "office", "nobody"]

STAGES: tuple[Stage, ...] = ("submitted", "accepted", "handling", "decided", "finished")
WAITING_STATES = ("open", "held", "planned")
"""Of a task that is neither done nor given up."""
STAFF_ROLES = ("caseworker", "manager")
AUDIENCES = ("staff", "applicant")


def waiting_for(audiences: set[str]) -> WaitingFor:
    """Whose turn it is, from the audiences of the tasks that are open.

    A rating is an invitation and not a duty; callers leave its task out.
    """
    if "applicant" in audiences:
        return "applicant"
    return "office" if "staff" in audiences else "nobody"
