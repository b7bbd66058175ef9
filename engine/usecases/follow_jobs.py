"""What becomes of the cases that follow another is promised with the other's own step."""

from __future__ import annotations

from engine.store import jobs
from engine.store.tables import Case
from engine.store.uow import Work

FOLLOW = "follow"
_FOLLOWING = "SELECT id FROM cases WHERE main_id = %s AND state = 'open' ORDER BY id"


def promise_answers(work: Work, main: Case) -> None:
    """Have all that follow the case answered as it was. The case's row is locked by the caller."""
    _promise(work, main, "answer")


def promise_parting(work: Work, main: Case) -> None:
    """Have all that follow the case go their own way again."""
    _promise(work, main, "part")


def _promise(work: Work, main: Case, what: str) -> None:
    for (id_,) in work.rows.values(_FOLLOWING, main.id):
        payload = {"main_id": main.id, "what": what}
        jobs.promise(work, FOLLOW, f"{what}:{main.id}:{id_}", payload, case_id=id_)
