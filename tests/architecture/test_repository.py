"""Laws of the repository itself."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from api.problems import STATUS
from api.sentences import texts
from engine.kernel import errors
from engine.kernel.errors import EngineError
from engine.store.jobs import KINDS
from engine.usecases.job_acts import ACTS

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("engine", "forms", "api", "recommender")
MODULES = [
    path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if path.parent.name != "versions"  # a migration is history and grows with its tables
]
FORBIDDEN = {"utils", "helpers", "manager", "common", "misc"}


def test_modules_and_test_files_stay_small() -> None:
    tests = (ROOT / "tests").rglob("*.py")
    long = [f"{p}: {n}" for p in MODULES if (n := len(p.read_text().splitlines())) > 400]
    long += [f"{p}: {n}" for p in tests if (n := len(p.read_text().splitlines())) > 500]
    assert not long


def test_no_module_is_called_after_nothing() -> None:
    assert not [path for path in MODULES if path.stem in FORBIDDEN]


def test_only_the_unit_of_work_commits() -> None:
    allowed = {"engine/store/uow.py", "api/migrations/env.py"}
    commits = [
        str(path.relative_to(ROOT))
        for path in MODULES
        if re.search(r"\.commit\(", path.read_text())
    ]
    assert set(commits) == allowed


def test_only_the_clock_reads_the_wall_clock() -> None:
    readers = [
        str(path.relative_to(ROOT))
        for path in MODULES
        if re.search(r"datetime\.now\(|date\.today\(|utcnow\(", path.read_text())
    ]
    assert readers == ["engine/kernel/clock.py"]


def engine_errors() -> list[type[EngineError]]:
    found, ahead = [], [EngineError]
    while ahead:
        children = ahead.pop().__subclasses__()
        found += children
        ahead += children
    return found


@pytest.mark.parametrize("error", engine_errors(), ids=lambda error: error.__name__)
def test_every_error_has_a_status_and_words(error: type[EngineError]) -> None:
    assert error in STATUS
    assert inspect.getdoc(error)
    for locale in ("zh-CN", "en"):
        assert f"problem.{error.code}" in texts(locale)


def test_error_codes_are_unique() -> None:
    codes = [error.code for error in engine_errors()]
    assert len(codes) == len(set(codes))
    assert errors.EngineError.code not in codes


@pytest.mark.parametrize(
    "folder", ["api/texts", "api/portal/texts", "forms/texts", "recommender/texts"]
)
def test_both_languages_say_the_same_things(folder: str) -> None:
    chinese, english = (
        json.loads((ROOT / folder / f"{locale}.json").read_text()) for locale in ("zh-CN", "en")
    )
    assert chinese.keys() == english.keys()
    for key, text in chinese.items():
        fields = [sorted(re.findall(r"{(\w+)}", each)) for each in (text, english[key])]
        assert fields[0] == fields[1], key


def test_every_finding_has_words() -> None:
    known = {key.removeprefix("finding.") for key in texts("en") if key.startswith("finding.")}
    made = set()
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                first = node.args[0]
                if name in ("Finding", "wrong") and isinstance(first, ast.Constant):
                    made.add(first.value)
    assert made
    assert made <= known


def test_every_kind_of_job_is_run_by_somebody() -> None:
    assert {"timer"} | set(ACTS) == set(KINDS)


def test_imports_point_down() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports"))]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout
