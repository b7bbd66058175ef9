"""Durations, beyond what the tests of timers show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.schedule import after, next_instant

START = datetime(2026, 1, 5, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"), [("PT0.25S", 0.25), ("PT1.5S", 1.5), ("PT1M0.5S", 60.5), ("PT2S", 2)]
)
def test_parts_of_a_second_count(text: str, seconds: float) -> None:
    assert after(START, text) == START + timedelta(seconds=seconds)
    assert next_instant(f"R3/{text}", START) == START + timedelta(seconds=seconds)


@given(st.integers(0, 99), st.integers(0, 999_999))
def test_a_duration_is_as_long_as_it_says(seconds: int, micros: int) -> None:
    assert after(START, f"PT{seconds}.{micros:06d}S") - START == timedelta(
        seconds=seconds, microseconds=micros
    )
