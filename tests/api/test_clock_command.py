"""``banshi clock``: dates with their reasons, without any database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.clock_command import command
from engine.domain.calendar_data import shipped_calendar

ROOT = Path(__file__).resolve().parents[2]


def clock(*words: str) -> Result:
    return CliRunner().invoke(command(), ["clock", *words])


def told(*words: str) -> dict[str, Any]:
    result = clock(*words, "--json")
    assert result.exit_code == 0, result.output
    made: dict[str, Any] = json.loads(result.output)
    return made


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-02-10", "20", "2026-03-16"),
        ("2026-02-13", "20", "2026-03-19"),
        ("2026-02-09", "5", "2026-02-14"),
        ("2026-04-29", "5", "2026-05-09"),
        ("2026-09-30", "3", "2026-10-10"),
    ],
)
def test_the_golden_dates(start: str, days: str, due: str) -> None:
    made = told("--calendar", "CN", "--start", start, "--days", days)
    assert (made["due_on"], made["provisional"]) == (due, False)


def test_reset_pause_and_extension_as_in_a_case() -> None:
    words = ("--start", "2026-02-10", "--days", "20", "--reset", "2026-03-05")
    made = told(*words, "--pause", "2026-03-10..2026-03-24")
    assert made["due_on"] == "2026-04-17"
    assert [line["verb"] for line in made["ledger"]] == ["start", "reset", "pause", "resume"]
    assert made["ledger"][-1]["working_days"] == 10
    assert told(*words, "--extend", "20")["value"] == 40


def test_the_reasons_line_by_line() -> None:
    result = clock("--start", "2026-02-10", "--days", "20", "--calendar", "cn")
    lines = [line.strip() for line in result.output.splitlines()]
    assert "2026-02-14 Sat  day 4, a make-up working day" in lines
    assert "2026-02-15 Sun – 2026-02-23 Mon  Spring Festival, not counted" in lines
    assert lines[-1] == "Due: 2026-03-16 Mon"
    chinese = clock("--start", "2026-12-21", "--days", "20", "--lang", "zh-CN").output
    assert chinese.splitlines()[-1] == "到期：2027-01-18 周一（暂定：有年份的安排尚未公布）"


def test_other_units() -> None:
    assert told("--start", "2026-09-24", "--days", "7", "--unit", "calendar_days")["due_on"] == (
        "2026-10-08"
    )
    hours = told("--start", "2026-03-13T17:00", "--days", "2", "--unit", "hours", "--office-hours")
    assert hours["due_at"].startswith("2026-03-16T02:30")


def test_a_calendar_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "hall.json"
    body = {
        "name": "hall",
        "title": {"zh-CN": "大厅", "en": "Hall"},
        "zone": "Asia/Shanghai",
        "extends": "cn",
        "years": {"2026": {"holidays": [{"from": "2026-02-11", "to": "2026-02-11"}]}},
    }
    file.write_text(json.dumps(body))
    made = told("--calendar", str(file), "--start", "2026-02-10", "--days", "20")
    assert made["due_on"] == "2026-03-17"
    file.write_text(json.dumps(shipped_calendar("uk-foi").as_mapping()))
    assert told("--calendar", str(file), "--start", "2026-03-10", "--days", "20")["due_on"] == (
        "2026-04-10"
    )
    file.write_text(json.dumps(body | {"zone": "Mars"}))
    result = clock("--calendar", str(file), "--start", "2026-02-10", "--days", "20")
    assert result.exit_code == 2
    assert "zone: “Mars” is no time zone" in result.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--calendar", "mars"], "there is no calendar “mars”"),
        (["--start", "tomorrow"], "--start: “tomorrow” is no date"),
        (["--unit", "weeks"], "--unit: use one of working_days"),
        (["--pause", "2026-03-10"], "--pause: “2026-03-10” is no period"),
        (["--pause", "2026-01-10..2026-03-10"], "is before the start"),
        (["--pause", "2026-03-10..2026-03-09"], "cannot be changed like this"),
        (["--reset", "2026-01-01"], "--reset: 2026-01-01 is before the start"),
        (["--start", "9999-12-30"], "too far in the future"),
    ],
)
def test_what_was_typed_wrongly_is_said(words: list[str], said: str) -> None:
    result = clock("--start", "2026-02-10", "--days", "20", *words)
    assert result.exit_code == 2
    assert said in result.output.replace("\n", " ")


def test_it_starts_from_the_shell_without_a_database(tmp_path: Path) -> None:
    run = [sys.executable, "-c", "from api.shell import main; main()", "clock"]
    environment = {**os.environ, "BANSHI_DATABASE_URL": "nowhere", "PYTHONPATH": str(ROOT)}
    made = subprocess.run(
        [*run, "--calendar", "CN", "--start", "2026-02-10", "--days", "20"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Due: 2026-03-16 Mon" in made.stdout
    assert list(tmp_path.iterdir()) == []


def test_each_verb_is_told_in_a_sentence() -> None:
    words = (
        "--start", "2026-02-10", "--days", "20", "--reset", "2026-03-05",
        "--pause", "2026-03-10..2026-03-24", "--extend", "5", "--lang", "en",
    )  # fmt: skip
    assert [line["text"] for line in told(*words)["ledger"]] == [
        "Counted from 10 February 2026, 20 working days: 16 March 2026.",
        "Counted again from 5 March 2026, 20 working days: 2 April 2026.",
        "Paused since 10 March 2026 for a pause. The date moves when the pause ends.",
        "Paused from 10 March 2026 to 24 March 2026 for a pause: 10 working days left out. "
        "New date 17 April 2026.",
        "Extended by 5 working days. New date 24 April 2026.",
    ]
