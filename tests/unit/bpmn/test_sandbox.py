"""The sandbox's workers and forking servers."""

from __future__ import annotations

import subprocess
import sys

import pytest

FORK = """
import os, sys
from engine.bpmn.expressions import EXPRESSIONS, ExpressionFailed
if {before}:
    EXPRESSIONS.evaluate("n * 2", {{"n": 2}})
child = os.fork()
if child == 0:
    try:
        os._exit(EXPRESSIONS.evaluate("n * 3", {{"n": 2}}))
    except ExpressionFailed:
        os._exit(99)
_, status = os.waitpid(child, 0)
assert EXPRESSIONS.evaluate("n * 4", {{"n": 2}}) == 8
print(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.parametrize(("before", "code"), [(False, "6"), (True, "99")])
def test_a_forked_child_works_or_is_refused_but_never_hangs(before: bool, code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORK.format(before=before)],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert done.stdout.strip() == code


def test_importing_starts_nothing() -> None:
    source = "import sys, engine.bpmn; print('pydantic_monty' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stdout.strip() == "False"
