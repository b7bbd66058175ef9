"""The shipped files against the packages they are made from, and against the notices themselves."""

from __future__ import annotations

import importlib.util
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from engine.domain.calendar import load_calendar
from engine.domain.calendar_data import shipped_names

ROOT = Path(__file__).resolve().parents[3]
NATIONS = ("uk-england-and-wales", "uk-scotland", "uk-northern-ireland")
# The State Council's notice of 4 November 2025.
OFF_2026 = [("01-01", "01-03"), ("02-15", "02-23"), ("04-04", "04-06"), ("05-01", "05-05"),
            ("06-19", "06-21"), ("09-25", "09-27"), ("10-01", "10-07")]  # fmt: skip
MADE_UP_2026 = ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("calendars", ROOT / "scripts/calendars.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_the_files_are_those_the_script_writes(script: ModuleType) -> None:
    folder = ROOT / "engine/domain/calendars"
    kept = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    assert kept == script.files(), "run: python scripts/calendars.py"
    assert {f"{name}.json" for name in shipped_names()} == set(kept)


def test_china_in_2026_is_what_the_notice_says() -> None:
    calendar = load_calendar("cn")
    off = set()
    for first, last in OFF_2026:
        day = date.fromisoformat(f"2026-{first}")
        while day <= date.fromisoformat(f"2026-{last}"):
            off.add(day)
            day += timedelta(days=1)
    assert {day for day in calendar.holidays if day.year == 2026} == off
    made_up = {day for day in calendar.make_up_days if day.year == 2026}
    assert made_up == {date.fromisoformat(f"2026-{day}") for day in MADE_UP_2026}


def test_a_year_that_is_not_announced_is_provisional() -> None:
    assert load_calendar("cn").announced == {2024, 2025, 2026}
    assert load_calendar("uk-foi").announced == {2024, 2025, 2026, 2027}


def test_the_freedom_of_information_act_leaves_out_the_holidays_of_every_nation() -> None:
    union = frozenset[date]().union(*(load_calendar(name).holidays for name in NATIONS))
    assert load_calendar("uk-foi").holidays == union


def test_no_bank_holiday_is_lost_on_a_weekend() -> None:
    for name in NATIONS:
        assert all(day.weekday() < 5 for day in load_calendar(name).holidays)
    assert date(2027, 12, 28) in load_calendar("uk-scotland").holidays
    assert date(2026, 7, 13) in load_calendar("uk-northern-ireland").holidays
