"""``banshi validate`` and ``banshi simulate``, as somebody types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.model_commands import commands
from tests.unit.bpmn.coverage.play import (
    DEFINITIONS,
    catch,
    end,
    message,
    script,
    start,
    straight,
    timer,
    user,
)
from tests.unit.bpmn.models import HEAD

GOOD = straight(start(), user("t"), script("s", "done = t_done"), end())
ROOT = Path(__file__).parents[2]


def model(folder: Path, body: str = GOOD, name: str = "m", process: str = "p") -> Path:
    path = folder / f"{name}.bpmn"
    opening = f'<bpmn:process id="{process}" isExecutable="true">'
    path.write_text(f"{HEAD}{DEFINITIONS}{opening}{body}</bpmn:process></bpmn:definitions>")
    return path


def run(*words: Any) -> Result:
    return CliRunner().invoke(commands(), [str(word) for word in words])


def test_a_good_model_would_be_published(tmp_path: Path) -> None:
    made = run("validate", model(tmp_path), "--json")
    assert made.exit_code == 0
    (file,) = json.loads(made.stdout)["files"]
    assert {each["verdict"] for each in file["elements"]} == {"executed"}
    assert {each["code"] for each in file["findings"]} >= {"user_task_without_form"}


@pytest.mark.parametrize(("lang", "words"), [("en", "refused"), ("zh-CN", "拒绝")])
def test_a_bad_model_is_refused_with_element_line_and_reason(
    tmp_path: Path, lang: str, words: str
) -> None:
    bad = model(tmp_path, GOOD.replace("t_done", "open('x')"))
    made = run("validate", bad, "--lang", lang)
    assert made.exit_code == 1
    assert words in made.stdout
    document = json.loads(run("validate", bad, "--json", "--lang", lang).stdout)
    found = [f for f in document["files"][0]["findings"] if f["severity"] == "error"]
    assert [(each["code"], each["element"]) for each in found] == [("expression_refused", "s")]
    assert found[0]["line"]
    refused = [e for e in document["files"][0]["elements"] if e["verdict"] == "refused"]
    assert [each["element"] for each in refused] == ["s"]


def test_neighbours_are_read_only_where_they_are_named(tmp_path: Path) -> None:
    caller = straight(start(), '<bpmn:callActivity id="c" calledElement="q"/>', end())
    path = model(tmp_path, caller)
    assert run("simulate", path).exit_code == 5
    model(tmp_path, straight(start("qs"), end("qe")), "called", "q")
    model(tmp_path, GOOD.replace("t_done", "open('x')"), "broken")
    assert run("simulate", path).exit_code == 0
    assert run("validate", path).exit_code == 1
    assert run("validate", path, tmp_path / "called.bpmn").exit_code == 0


def test_shipped_packages_are_publishable_and_run() -> None:
    for folder in sorted((ROOT / "processes").glob("*/")):
        if (folder / "package.toml").exists():
            assert run("validate", folder).exit_code == 0
            first, again = (run("simulate", folder, "--seed", 7, "--json") for _ in range(2))
            assert first.stdout == again.stdout
            assert json.loads(first.stdout)["reason"] in ("finished", "limit")


@pytest.mark.parametrize(
    ("body", "options", "code"),
    [
        (GOOD, [], 0),
        (straight(start(), catch("c", message()), end()), [], 3),
        (GOOD, ["--max-steps", "1"], 4),
        (straight(start(), catch("c", timer("P9D")), end()), ["--until", "P1D"], 4),
        (straight(start(), script("s", "x = 1 / 0"), end()), [], 5),
        (GOOD, ["--until", "s"], 0),
        (GOOD, ["--process", "nobody"], 2),
    ],
)
def test_the_exit_code_says_how_it_ended(
    tmp_path: Path, body: str, options: list[str], code: int
) -> None:
    assert run("simulate", model(tmp_path, body), *options).exit_code == code


def test_answers_are_followed_and_the_trace_is_told(tmp_path: Path) -> None:
    answers = tmp_path / "a.json"
    answers.write_text(json.dumps({"tasks": {"t": {"t_done": 7, "$after": "P2D"}}}))
    made = run("simulate", model(tmp_path), "--answers", answers, "--json")
    document = json.loads(made.stdout)
    assert document["data"] == {"t_done": 7, "done": 7}
    assert document["ended_at"] == ["finish"]
    assert document["now"].startswith("2026-01-07")
    first = {name: document["trace"][0][name] for name in ("element", "kind", "event")}
    assert first == {"element": "begin", "kind": "startEvent", "event": "entered"}


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"task": {}}', '{"tasks": {"t": 5}}', '{"messages": [{}]}', '{"now": 5}']
)
def test_wrong_answers_are_told(tmp_path: Path, text: str) -> None:
    answers = tmp_path / "a.json"
    answers.write_text(text)
    made = run("simulate", model(tmp_path), "--answers", answers)
    assert made.exit_code == 2
    assert "a.json" in made.stdout.replace("\n", "")


def test_several_processes_want_a_choice(tmp_path: Path) -> None:
    two = f'{GOOD}</bpmn:process><bpmn:process id="q" isExecutable="true">' + GOOD.replace(
        'id="', 'id="q'
    ).replace('Ref="', 'Ref="q')
    path = model(tmp_path, two)
    assert run("simulate", path).exit_code == 2
    assert run("simulate", path, "--process", "q").exit_code == 0


def test_a_failing_run_tells_where_and_what_had_happened(tmp_path: Path) -> None:
    body = straight(start(), user("t"), script("s", "x = 1 / 0"), end())
    document = json.loads(run("simulate", model(tmp_path, body), "--json").stdout)
    assert document["error"]["element"] == "s"
    assert "s" in document["message"]
    assert [e["element"] for e in document["trace"] if e["event"] == "completed"][-1] == "t"
