"""Writes docs/bpmn-coverage.md from the tests marked ``covers``, and the corpus if there is one.

python scripts/bpmn_coverage.py [--print]
"""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs/bpmn-coverage.md"
HEAD = """# BPMN coverage

Every element of BPMN 2.0 by position: executed, or refused before it is published. Each row is
shown by the test it names; the table is written by `python scripts/bpmn_coverage.py` from the
tests in `tests/unit/bpmn/coverage`, and a test keeps it true. There is no third state: what the
deploy report (`banshi validate`) does not refuse runs as the standard says.

Beside the rows here, the structural rules of the standard are checked by `engine/bpmn/rules`; their
tests are `tests/unit/bpmn/test_rules*.py`. Refused altogether: complex gateways, parallel
event-based gateways, choreographies, scripts in other languages than Python, FEEL and JUEL.

## Beside SpiffWorkflow's own tests

`make upstream-tests UPSTREAM=/path/to/SpiffWorkflow` takes a checkout of the library, at the
release that `pyproject.toml` names. Its sources are a download for development, no part of this
project.
- Its test modules for BPMN, Camunda and SpiffArena models run twice, unmodified: on the library,
  and with this engine in the place of its parsers, workflow and serializer
  (`tests/upstream/stand_ins.py`). Storing there is this engine's own stored state.
- Its test models are played, and its decision tables decided, on both with the same answers.

Whatever differs must be explained in `tests/upstream/differences.toml`, or the run fails. Tests of
what has no counterpart here (specifications changed while they run, the form of its JSON, resetting
to an old task, collaborations as one workflow) are counted apart, as are those that fail on the
library itself. Its tests of `Workflow` and `Task` are not run: both are used here as they come.

When this was written a part of them was at hand: 20 test modules of releases 3.0 to 3.2 and 36
models, copied without their drawings, a few of the models made after what their tests say. Of the
40 tests among them that SpiffWorkflow 3.2.0 passes, 32 pass here, 5 differ as explained and 3 have
no counterpart; of 39 processes and tables, 23 do the same and 16 differ as explained. A whole
checkout may show differences that nobody has explained yet.
"""
CORPUS = """
## Models of others' making

What became of the models in the folder that `BANSHI_CORPUS` names (see
`tests/unit/bpmn/test_corpus.py`): executables from the tests of Camunda's engine, and drawings
exported by many tools. Most of the drawings are not meant to be run, and are refused as such.
Each process that can run was run without any answers.

"""


class _Rows:
    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], str] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            parameters = getattr(getattr(item, "callspec", None), "params", {})
            known = {name: str(value).lower() for name, value in parameters.items()}
            for mark in item.iter_markers("covers"):
                element, position = (text.format(**known) for text in mark.args)
                test = item.nodeid.partition("[")[0].rpartition("/")[2]
                self.rows.setdefault((element, position), test)


def table() -> str:
    """The rows of the coverage table, collected from the tests."""
    rows = _Rows()
    arguments = ["--collect-only", "-q", "-p", "no:cacheprovider", "tests/unit/bpmn/coverage"]
    with redirect_stdout(io.StringIO()):
        status = pytest.main([*arguments, "--rootdir", str(ROOT)], plugins=[rows])
    if status != 0:
        raise SystemExit("the tests cannot be collected")
    lines = ["| element | position | | shown by |", "|---|---|---|---|"]
    for (element, position), test in sorted(rows.rows.items()):
        verdict = "refused" if position.endswith("refused") else "executed"
        lines.append(f"| {element} | {position} | {verdict} | `{test}` |")
    return "\n".join(lines)


def main() -> None:
    sys.path.insert(0, str(ROOT))
    from tests.support.corpus import corpus, summary

    text = f"{HEAD}\n{table()}\n"
    if files := corpus():
        text += CORPUS + summary(files) + "\n"
    elif DOCUMENT.exists() and CORPUS in (before := DOCUMENT.read_text()):
        text += CORPUS + before.partition(CORPUS)[2]
    if "--print" in sys.argv:
        sys.stdout.write(table())
    else:
        DOCUMENT.write_text(text)


if __name__ == "__main__":
    main()
