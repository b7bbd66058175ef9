"""Models of others' making: no crash, no hang, every refusal with a true reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.sentences import finding_view
from tests.support.corpus import MAX_SECONDS, corpus, summary, tried

FILES = corpus()
ROOT = Path(__file__).parents[3]
needs_corpus = pytest.mark.skipif(not FILES, reason="BANSHI_CORPUS names no folder of models")


@needs_corpus
@pytest.mark.parametrize("path", FILES or [Path("none")], ids=lambda path: path.name[-60:])
def test_a_model_is_run_or_refused_for_a_reason(path: Path) -> None:
    made = tried(path)
    assert made.seconds < MAX_SECONDS
    errors = [finding for finding in made.report.findings if finding.severity == "error"]
    assert made.report.publishable == (not errors)
    for finding in made.report.findings:
        for locale in ("zh-CN", "en"):
            assert finding_view(finding, locale)["message"] != finding.code
    for outcome in made.outcomes.values():
        assert outcome.trace or outcome.reason != "finished"
        if outcome.error is not None:
            assert outcome.error["reason"] not in ("unexpected", "engine_refused")


@needs_corpus
def test_the_counts_in_the_documentation_are_those_of_today() -> None:
    assert summary(FILES) in (ROOT / "docs/bpmn-coverage.md").read_text()
