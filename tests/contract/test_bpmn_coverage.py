"""docs/bpmn-coverage.md is written from the tests, and says what they show today."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_coverage_table_is_that_of_the_tests() -> None:
    command = [sys.executable, "scripts/bpmn_coverage.py", "--print"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert made.stdout.count("\n") > 80
    assert made.stdout in (ROOT / "docs/bpmn-coverage.md").read_text()
