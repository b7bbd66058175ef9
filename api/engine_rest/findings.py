"""What is wrong with a model, as Camunda Modeler expects it of a deployment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi.responses import JSONResponse

from api.sentences import finding_view
from engine.domain.process import Finding

PREFIX = "ENGINE-09005 Could not parse BPMN process."
# Camunda's own name of this property begins with a Cyrillic letter; whoever copied it needs that,
# whoever reads its documentation the Latin one.
_ELEMENTS = ("\u0435lementIds", "elementIds")


def parse_exception(findings: Iterable[Finding], locale: str) -> JSONResponse:
    """400 with every finding, by file, at its line and element."""
    problems: dict[str, dict[str, list[dict[str, Any]]]] = {}
    told = []
    for finding in findings:
        message = finding_view(finding, locale)["message"]
        file = problems.setdefault(finding.file, {"errors": [], "warnings": []})
        ids = [finding.element] if finding.element else []
        row = {
            "message": message,
            "line": finding.line or 0,
            "column": 0,
            "mainElementId": finding.element,
            **dict.fromkeys(_ELEMENTS, ids),
        }
        file["errors" if finding.severity == "error" else "warnings"].append(row)
        if finding.severity == "error":
            place = ", ".join(
                part
                for part in (
                    finding.file,
                    f"line {finding.line}" if finding.line else "",
                    finding.element or "",
                )
                if part
            )
            told.append(f"* {message} ({place})")
    body = {
        "type": "ParseException",
        "message": f"{PREFIX} Errors: " + "\n".join(told),
        "code": 0,
        "details": problems,
    }
    return JSONResponse(body, 400)
