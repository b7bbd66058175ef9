"""Which files a model needs beside it: those with the decisions and processes it names."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAMED = re.compile(
    rb"(?:calledElement|processId|decisionId|decisionRef)\s*=\s*[\"']([^\"'{}]{1,200})[\"']"
    rb"|calledDecisionId[^>]*>([^<]{1,200})<"
)
_DEFINED = re.compile(
    rb"<(?:[\w-]+:)?(?:process|decision|global\w*Task)\s[^>]*?\bid\s*=\s*[\"']([^\"']{1,200})"
)


def with_needed(name: str, models: Mapping[str, bytes]) -> dict[str, bytes]:
    """The model `name` with the decisions and called processes it names, found among `models`.

    Elements of files that have nothing to do with each other may share ids, so no others are read.
    """
    files = {name: models[name]}
    rest = {other: content for other, content in models.items() if other != name}
    while True:
        wanted = {one or two for text in files.values() for one, two in _NAMED.findall(text)}
        wanted = {each.strip().rpartition(b":")[2] for each in wanted}
        wanted -= {each for text in files.values() for each in _DEFINED.findall(text)}
        found = {
            other: text
            for other, text in rest.items()
            if other not in files and wanted & set(_DEFINED.findall(text))
        }
        if not found:
            return files
        first = min(found)
        files[first] = found[first]
