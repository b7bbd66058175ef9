"""The structural rules of BPMN 2.0.2, checked on XML trees; what the engine supports is not asked.

What violates a MUST of the standard or its schema is an error, a matter of taste a warning.
"""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from engine.bpmn.rules import (
    activities,
    collaboration,
    data,
    diagram,
    event_definitions,
    events,
    flows,
    foundation,
    gateways,
    references,
    subprocesses,
)
from engine.bpmn.rules.index import Index
from engine.domain.process import Finding

_RULES = (
    *foundation.RULES,
    *references.RULES,
    *flows.RULES,
    *subprocesses.RULES,
    *events.RULES,
    *event_definitions.RULES,
    *gateways.RULES,
    *activities.RULES,
    *data.RULES,
    *collaboration.RULES,
    *diagram.RULES,
)


def check_rules(roots: Mapping[str, etree._Element]) -> list[Finding]:
    """What the standard says against these files, in the order of their lines. Never raises."""
    index = Index(roots)
    for rule in _RULES:
        rule(index)
    order = {file: place for place, file in enumerate(roots)}
    return sorted(
        index.findings, key=lambda finding: (order[finding.file], finding.line or 0, finding.code)
    )
