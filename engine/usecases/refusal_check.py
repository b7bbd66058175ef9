"""Whether whoever is refused is told what can be done about it (Licensing Law, article 38)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.domain.connector import is_expression
from engine.domain.locales import LOCALES
from engine.domain.process import Finding
from engine.usecases.clock_paths import is_letter_to_applicant, reached, waiting
from engine.usecases.definition import Contents
from engine.usecases.limit_check import QUOTED

USUAL_REFUSALS = frozenset({"refused", "rejected", "denied", "not_accepted"})
"""What refusals are mostly called; a package says it with ``refuses = true``."""
_REMEDY = re.compile(
    r"复议|诉讼|起诉|申诉|复查|复核|信访|异议"
    r"|\b(reconsider\w*|court|appeal\w*|review|objection|ombuds\w*|petition)\b",
    re.IGNORECASE,
)


def unfitting_refusals(contents: Contents) -> Iterator[Finding]:
    """Decisions that may refuse, and lead to no letter with a remedy in every language."""
    declared = contents.manifest.refusals
    refusals = declared or USUAL_REFUSALS & set(contents.manifest.outcomes)
    elements, ways = contents.process.elements, contents.process.ways
    decisions = {
        id_: _named(each.properties.get("outcome", ""))
        for id_, each in elements.items()
        if each.properties.get("action") == "case.decide"
    }
    # A decision that names no outcome may come to any that no other names.
    unnamed = refusals - {name for names in decisions.values() for name in names}
    for id_, named in decisions.items():
        if not (named & refusals if named else unnamed):
            continue
        letters = {
            elements[each].properties["letter"]
            for each in reached(ways, ways[id_].next, waiting(contents))
            if each in elements and is_letter_to_applicant(elements[each])
        }
        if not any(_has_remedy(contents, letter) for letter in letters):
            yield Finding(
                "refusal_without_remedy",
                elements[id_].file,
                element=id_,
                line=elements[id_].line,
                severity="error" if declared else "warning",
                params={"letters": ", ".join(sorted(letters))},
            )


def _named(outcome: str) -> set[str]:
    """The outcomes that stand in a setting, as it is or quoted in an expression."""
    if not is_expression(outcome):
        return {outcome}
    return {one or two for one, two in QUOTED.findall(outcome)}


def _has_remedy(contents: Contents, letter: str) -> bool:
    texts = contents.letters.get(letter, {})
    if is_expression(letter):
        return True
    return bool(texts) and all(_REMEDY.search(texts.get(locale, "")) for locale in LOCALES)
