"""Compensation and transactions: what has completed is undone, the last first."""

from __future__ import annotations

import pytest

from tests.unit.bpmn.coverage.play import (
    CANCEL,
    boundary,
    compensate,
    done,
    end,
    event_sub,
    play,
    start,
    straight,
    sub,
    task,
    throw,
    to,
    undoes,
)

covers = pytest.mark.covers


def booked(ending: str) -> str:
    """Two activities with compensations, and what throws."""
    return (
        straight(start(), task("a"), task("b"), ending)
        + boundary("ca", "a", compensate())
        + boundary("cb", "b", compensate())
        + task("undo_a", isForCompensation="true")
        + task("undo_b", isForCompensation="true")
        + undoes("ca", "undo_a")
        + undoes("cb", "undo_b")
    )


@covers("compensation event", "intermediate throw")
@covers("compensation event", "boundary")
def test_compensation_undoes_the_last_first_then_goes_on() -> None:
    body = booked(throw("undo", compensate())) + task("on") + to("undo", "on")
    outcome = play(body)
    assert outcome.reason == "finished"
    assert done(outcome, "a", "b", "undo_a", "undo_b", "undo", "on") == [
        "a", "b", "undo_b", "undo_a", "undo", "on",
    ]  # fmt: skip


@covers("compensation event", "end")
def test_compensation_at_the_end() -> None:
    outcome = play(booked(end("undo", compensate())))
    assert done(outcome, "undo_a", "undo_b", "undo") == ["undo_b", "undo_a", "undo"]
    assert outcome.ended_at == ["undo"]


@covers("compensation event", "one activity named")
def test_compensation_of_one_activity() -> None:
    outcome = play(booked(end("undo", compensate("a"))))
    assert done(outcome, "undo_a", "undo_b") == ["undo_a"]


@covers("compensation event", "not completed")
def test_what_has_not_completed_is_not_undone() -> None:
    body = (
        straight(start(), throw("undo", compensate()), task("a"), end())
        + boundary("ca", "a", compensate())
        + task("undo_a", isForCompensation="true")
        + undoes("ca", "undo_a")
    )
    outcome = play(body)
    assert outcome.reason == "finished"
    assert done(outcome, "undo_a") == []


@covers("compensation event", "inside a completed subprocess")
def test_compensation_reaches_into_a_completed_subprocess() -> None:
    inner = (
        straight(start("s"), task("a"), end("e"))
        + boundary("ca", "a", compensate())
        + task("undo_a", isForCompensation="true")
        + undoes("ca", "undo_a")
    )
    outcome = play(straight(start(), sub("sp", inner), end("undo", compensate())))
    assert outcome.reason == "finished"
    assert done(outcome, "sp", "undo_a") == ["sp", "undo_a"]


@covers("compensation event", "event subprocess start")
def test_a_compensation_event_subprocess_undoes_its_scope() -> None:
    inner = (
        straight(start("s"), task("a"), end("e"))
        + boundary("ca", "a", compensate())
        + task("undo_a", isForCompensation="true")
        + undoes("ca", "undo_a")
        + event_sub("es", compensate(), straight(task("own"), end("xe")) + to("es_start", "own"))
    )
    outcome = play(straight(start(), sub("sp", inner), end("undo", compensate())))
    assert outcome.reason == "finished"
    assert done(outcome, "sp", "own", "undo_a") == ["sp", "own"]


@covers("cancel event", "end")
@covers("cancel event", "boundary")
def test_a_cancelled_transaction_is_undone_and_left_by_its_cancel_event() -> None:
    inner = (
        straight(start("s"), task("a"), end("stop", CANCEL))
        + boundary("ca", "a", compensate())
        + task("undo_a", isForCompensation="true")
        + undoes("ca", "undo_a")
    )
    body = straight(start(), sub("tx", inner, "transaction"), end()) + straight(
        boundary("b", "tx", CANCEL), end("undone")
    )
    outcome = play(body)
    assert outcome.ended_at == ["undone"]
    assert done(outcome, "a", "undo_a") == ["a", "undo_a"]
