"""The clock that a ledger tells of: what the lines say, without counting again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from engine.domain.ledger import LedgerLine
from engine.domain.sla_clock import Pause, SlaClock, over


def replay(lines: Iterable[LedgerLine]) -> SlaClock | None:
    """The clock that the lines of a ledger give; None if a line does not hold enough.

    Lines written before limits stood in them cannot be replayed.
    """
    clock: SlaClock | None = None
    for line in lines:
        if line.verb in ("start", "reset"):
            clock = _begun(line)
        elif clock is not None:
            clock = _went_on(clock, line)
        if clock is not None and line.new_due is not None:
            clock = replace(clock, due_at=line.new_due, provisional=line.provisional)
    return clock


def _begun(line: LedgerLine) -> SlaClock | None:
    if line.limit is None or line.received is None:
        return None
    return SlaClock(
        line.limit,
        line.received,
        line.received,
        limit_name=line.limit_name,
        begun_by=line.begun_by,
        department=line.department,
    )


def _went_on(clock: SlaClock, line: LedgerLine) -> SlaClock:
    match line.verb:
        case "pause":
            pauses = tuple(sorted((*clock.pauses, Pause(line.pause, line.at))))
            return replace(clock, state="paused", pauses=pauses)
        case "resume":
            return over(clock, [p for p in clock.pauses if p.name == line.pause], line.at)
        case "extend" if line.limit is not None:
            return replace(clock, extensions=(*clock.extensions, line.limit))
        case "stop":
            return replace(over(clock, clock.pauses, line.at), state="stopped")
        case "recount":
            return replace(
                clock,
                limit=line.limit or clock.limit,
                limit_name=line.limit_name or clock.limit_name,
                begun_by=line.begun_by or clock.begun_by,
                received=line.received or clock.received,
            )
        case _:
            return clock
