"""An archived body gives back what was packed, also to a version with other columns."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.kernel.errors import ArchiveDamaged
from engine.store.archive import FORMAT, as_now, mapped, pack, packed_tables, unpack
from engine.store.tables import ArchivedCase, Suggestion, Task
from engine.store.wire import shape_of

VALUES = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text() | (
    st.binary()
)  # fmt: skip
STORED = st.dictionaries(
    st.sampled_from(["tasks", "events", "case_states"]),
    st.integers(1, 4).flatmap(
        lambda n: st.tuples(
            st.lists(st.text(min_size=1), min_size=n, max_size=n),
            st.lists(st.lists(VALUES, min_size=n, max_size=n), max_size=3),
        )
    ),
)

# The first text that is drawn takes seconds on a busy machine.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def archived(body: bytes, digest: str, format_: int = FORMAT) -> ArchivedCase:
    return ArchivedCase(case_id="c", body=body, sha256=digest, format=format_)


@PATIENT
@given(STORED)
def test_what_was_packed_comes_out(rows: Any) -> None:
    assert unpack(archived(*pack(rows))) == rows


@PATIENT
@given(STORED, st.integers(0), st.integers(1, 255))
def test_a_changed_byte_is_noticed(rows: Any, place: int, change: int) -> None:
    body, digest = pack(rows)
    damaged = bytearray(body)
    damaged[place % len(body)] ^= change
    with pytest.raises(ArchiveDamaged):
        unpack(archived(bytes(damaged), digest))


def test_what_is_missing_or_of_another_format_is_refused() -> None:
    body, digest = pack({})
    for row in (None, archived(body, digest, FORMAT + 1)):
        with pytest.raises(ArchiveDamaged):
            unpack(row)


TASK = {
    "id": "t", "case_id": "c", "key": "k", "element": "check", "audience": "staff",
    "department": "FOI", "role": "caseworker", "state": "done", "flagged": '["a"]',
    "opened_at": "2026-03-02 01:00:00.000000", "answers": '{"b":1}', "priority": 2,
}  # fmt: skip


def test_another_version_packed_it() -> None:
    """A column that is gone is passed over; one that came later has its default, or is empty."""
    older = {**TASK, "colour": "red"}
    stored = (list(older), [list(older.values())])
    (task,) = mapped(Task, stored)
    assert (task.key, task.flagged, task.answers, task.priority) == ("k", ["a"], {"b": 1}, 2)
    assert task.opened_at == datetime(2026, 3, 2, 1, tzinfo=UTC)
    assert (task.kind, task.due_at, hasattr(task, "colour")) == ("", None, False)
    columns, (values,) = as_now(Task, stored)
    now = dict(zip(columns, values, strict=True))
    assert set(columns) == set(packed_tables()[Task].columns)
    assert {name: now[name] for name in ("flagged", "answers", "kind", "due_at")} == {
        "flagged": '["a"]', "answers": '{"b":1}', "kind": "", "due_at": None,
    }  # fmt: skip


def test_the_columns_of_today_are_passed_on_as_they_are() -> None:
    columns = list(packed_tables()[Suggestion].columns)
    stored = (columns, [[None] * len(columns)])
    assert as_now(Suggestion, stored) is stored
    assert set(columns) == set(shape_of(Suggestion).names.values())
