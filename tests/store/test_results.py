"""What a command gave, kept and given again: the same, or plainly not to be had."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.wiring import Application
from engine.domain.process import Finding
from engine.kernel.errors import AlreadyDone
from engine.store import results
from engine.store.tables import Case, User
from engine.store.tables.base import dump_json
from engine.store.uow import Work
from engine.usecases.correlate import Correlated
from engine.usecases.publish import Published
from tests.support.play import filed

SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=9)
INSTANTS = st.datetimes(timezones=st.just(UTC))
FINDINGS = st.builds(
    Finding,
    code=st.text(max_size=9),
    file=st.text(max_size=9),
    params=st.dictionaries(st.text(max_size=5), SCALARS, max_size=3),
)
PUBLISHED = st.builds(
    Published,
    key=st.text(max_size=9),
    version=st.none() | st.integers(1, 99),
    version_id=st.none(),
    title=st.dictionaries(st.sampled_from(["en", "zh-CN"]), st.text(max_size=9)),
    services=st.lists(st.text(max_size=5), max_size=3).map(tuple),
    findings=st.lists(FINDINGS, max_size=2).map(tuple),
    unchanged=st.booleans(),
    published=st.booleans(),
)
VALUES = st.recursive(
    SCALARS | INSTANTS | PUBLISHED,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
NO_ROWS: Any = None


@settings(deadline=None)
@given(VALUES)
def test_what_is_kept_is_given_again(value: Any) -> None:
    plain = results.kept(NO_ROWS, value)
    dump_json(plain)
    assert results.given(NO_ROWS, plain) == value


def test_a_row_is_read_as_it_stands_then(office: Application) -> None:
    """Also within a dataclass; one that is gone cannot be given."""
    case = filed(office)

    def keep(work: Work, _: None) -> Any:
        found = work.rows.get_one(Case, case.id)
        return results.kept(work.rows, [Correlated(found, "wait", False), found])

    def change(work: Work, _: None) -> None:
        work.rows.get_one(User, case.applicant_id).display_name = "changed"
        work.rows.get_one(Case, case.id).channel = "counter"

    plain = office.uow.run(keep, None)
    office.uow.run(change, None)
    with office.uow.read_rows() as rows:
        made, row = results.given(rows, plain)
        assert (made.case is row, row.channel, made.element) == (True, "counter", "wait")
        with pytest.raises(AlreadyDone):
            results.given(rows, {"row": ["cases", ["none"]]})


@dataclass
class Foreign:
    """Not one of the engine's."""

    n: int = 1


@pytest.mark.parametrize("value", [{1}, object(), b"x", Foreign(), [Foreign()], {"a": {1}}])
def test_what_cannot_be_kept_is_refused(value: Any) -> None:
    with pytest.raises(results.NotKeepable):
        results.kept(NO_ROWS, value)


@pytest.mark.parametrize(
    "made", [["os", "system"], ["tests.store.test_results", "Foreign"], ["engine.store.rows", "T"]]
)
def test_only_the_engines_dataclasses_are_made(made: list[str]) -> None:
    with pytest.raises(AlreadyDone):
        results.given(NO_ROWS, {"made": made, "of": {}})
