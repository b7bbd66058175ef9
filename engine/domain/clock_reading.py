"""Reading what a package says of its clocks: ``[clocks]``, ``[[ladder]]``, ``[silence]``,
``[[on_answer]]``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from engine.domain.clock_terms import (
    CASE_DATES,
    KINDS,
    ONLY_ONE,
    RULES,
    UNDECLARED,
    USUAL_LADDER,
    AnswerVerb,
    ClockTerms,
    ExtensionTerms,
    Kind,
    PauseTerms,
    Rule,
    Rung,
    SilenceRule,
    is_recipient,
    is_rung_time,
)
from engine.domain.ledger import VERBS
from engine.domain.lifecycle import STAFF_ROLES, STAGES
from engine.domain.manifest_reading import KEY, Reader

_ELEMENT = re.compile(r"[A-Za-z_][\w.-]{0,119}")
_CLOCK = (
    "kind", "like", "title", "limit", "public", "extension", "pauses", "buttons", "moved_letter",
    "stage",
)  # fmt: skip
_EXTENSION = ("limits", "times", "cap", "role", "letter")
_SILENCE = (
    "rule", "basis", "timer", "task", "clock", "answers", "outcome", "letter", "starts", "limit",
)  # fmt: skip
_ON_ANSWER = ("task", "field", "is", "verb", "clock", "limit", "pause", "reason")
_RUNG = ("clock", "at", "to", "letter", "text", "raise_priority")


def read_clocks(reader: Reader) -> dict[str, ClockTerms]:
    """The clocks of the package, those that every case has among them."""
    table = reader.table("clocks")
    made = dict(UNDECLARED)
    # A clock may be like another, whichever stands first.
    for key in sorted(table, key=lambda each: "like" in reader.table(each, table)):
        where = f"clocks.{key}"
        row = reader.table(key, table)
        reader.only(row, where, _CLOCK)
        if not KEY.fullmatch(key):
            reader.wrong("manifest_setting_wrong", where, expected=KEY.pattern)
            continue
        model = row.get("like")
        if model is not None and (model not in made or not made[model].declared):
            reader.wrong("clock_unknown", f"{where}.like", clock=str(model))
            model = None
        made[key] = _clock(reader, key, row, where, made[model] if model else None)
    return made


def _clock(
    reader: Reader, key: str, row: Mapping[str, Any], where: str, like: ClockTerms | None
) -> ClockTerms:
    kind = row.get("kind", key if key in ONLY_ONE else None)
    if kind not in KINDS or ((key in ONLY_ONE or kind in ONLY_ONE) and kind != key):
        reader.wrong("clock_kind_wrong", f"{where}.kind", kinds=", ".join(KINDS))
        kind = "other"
    stage = row.get("stage")
    if (stage in STAGES) != (kind == "stage"):
        reader.wrong("manifest_setting_wrong", f"{where}.stage", expected=", ".join(STAGES))
    known_title = "title" in row or key in CASE_DATES or kind in ("task", "department")
    return ClockTerms(
        key=key,
        kind=cast("Kind", kind),
        title=reader.optional_text(row, "title", where)
        if known_title
        else reader.text(None, f"{where}.title"),
        limit=reader.optional_word(row, "limit", where),
        public=bool(row.get("public", key in CASE_DATES)),
        extension=_extension(reader, row, where, like),
        pauses=_pauses(reader, row, where) if "pauses" in row or not like else like.pauses,
        buttons=_buttons(reader, row, where) if "buttons" in row or not like else like.buttons,
        moved_letter=reader.optional_word(row, "moved_letter", where),
        stage=stage if kind == "stage" else None,
    )


def _extension(
    reader: Reader, row: Mapping[str, Any], where: str, like: ClockTerms | None
) -> ExtensionTerms:
    if "extension" not in row:
        return like.extension if like is not None else ExtensionTerms()
    where = f"{where}.extension"
    table = reader.table("extension", row)
    reader.only(table, where, _EXTENSION)
    times, role = table.get("times", 1), table.get("role")
    if not isinstance(times, int) or isinstance(times, bool) or not 0 <= times <= 99:
        reader.wrong("manifest_setting_wrong", f"{where}.times", expected="0–99")
        times = 1
    if role not in (None, *STAFF_ROLES):
        reader.wrong("manifest_setting_wrong", f"{where}.role", expected=", ".join(STAFF_ROLES))
    return ExtensionTerms(
        limits=reader.words(table, "limits", where),
        times=times,
        cap=reader.optional_word(table, "cap", where),
        role=role,
        letter=reader.optional_word(table, "letter", where),
    )


def _pauses(reader: Reader, row: Mapping[str, Any], where: str) -> dict[str, PauseTerms]:
    made = {}
    for name, table in reader.table("pauses", row).items():
        here = f"{where}.pauses.{name}"
        if not isinstance(table, Mapping) or not KEY.fullmatch(name) or len(name) > 30:
            reader.wrong("manifest_setting_wrong", here, expected=KEY.pattern)
            continue
        reader.only(table, here, ("title", "basis", "letter"))
        made[name] = PauseTerms(
            title=reader.text(table.get("title"), f"{here}.title"),
            basis=reader.optional_text(table, "basis", here),
            letter=reader.optional_word(table, "letter", here),
        )
    return made


def _buttons(reader: Reader, row: Mapping[str, Any], where: str) -> dict[str, str]:
    made: dict[str, str] = {}
    for verb, role in reader.table("buttons", row).items():
        if verb in VERBS and role in STAFF_ROLES:
            made[verb] = role
        else:
            expected = f"{'|'.join(VERBS)} = {'|'.join(STAFF_ROLES)}"
            reader.wrong("manifest_setting_wrong", f"{where}.buttons.{verb}", expected=expected)
    return made


def read_ladder(reader: Reader, clocks: Mapping[str, ClockTerms]) -> tuple[Rung, ...]:
    """The ladder; where the package says nothing, the usual one."""
    if "ladder" not in reader.raw:
        return USUAL_LADDER
    made = []
    for where, row in reader.tables("ladder"):
        reader.only(row, where, _RUNG)
        if row.get("clock") not in clocks:
            reader.wrong("clock_unknown", f"{where}.clock", clock=str(row.get("clock")))
        to = reader.words(row, "to", where)
        if not is_rung_time(row.get("at")) or not to or not all(map(is_recipient, to)):
            reader.wrong("rung_wrong", where, at=str(row.get("at")), to=", ".join(to))
            continue
        letter = reader.optional_word(row, "letter", where)
        if "applicant" in to and letter is None:
            reader.wrong("rung_without_letter", where)
        made.append(
            Rung(
                clock=str(row.get("clock")),
                at=row["at"],
                to=to,
                letter=letter,
                text=reader.optional_text(row, "text", where),
                raises_priority=row.get("raise_priority") is True,
            )
        )
    return tuple(made)


def read_silence(reader: Reader, clocks: Mapping[str, ClockTerms]) -> tuple[SilenceRule, ...]:
    """What it means when nobody answers."""
    made = []
    table = reader.table("silence")
    for key in table:
        where, row = f"silence.{key}", reader.table(key, table)
        reader.only(row, where, _SILENCE)
        if row.get("rule") not in RULES:
            reader.wrong("manifest_setting_wrong", f"{where}.rule", expected=", ".join(RULES))
            continue
        places = [name for name in ("timer", "task", "clock") if name in row]
        if not places or ("timer" in places and len(places) > 1):
            reader.wrong("silence_place_wrong", where)
        starts = reader.words(row, "starts", where)
        for clock in (*starts, *([str(row["clock"])] if "clock" in row else [])):
            if clock not in clocks:
                reader.wrong("clock_unknown", where, clock=clock)
        made.append(
            SilenceRule(
                key=key,
                rule=cast("Rule", row["rule"]),
                basis=reader.text(row.get("basis"), f"{where}.basis"),
                timer=reader.optional_word(row, "timer", where, _ELEMENT),
                task=reader.optional_word(row, "task", where, _ELEMENT),
                clock=reader.optional_word(row, "clock", where),
                answers=dict(reader.table("answers", row)),
                outcome=reader.optional_word(row, "outcome", where),
                letter=reader.optional_word(row, "letter", where),
                starts=starts,
                limit=reader.optional_word(row, "limit", where),
            )
        )
    return tuple(made)


def read_answer_verbs(reader: Reader, clocks: Mapping[str, ClockTerms]) -> tuple[AnswerVerb, ...]:
    """The verbs that answers to forms ask for."""
    made = []
    for where, row in reader.tables("on_answer"):
        reader.only(row, where, _ON_ANSWER)
        names = reader.words(row, "clock", where)
        for clock in names:
            if clock not in clocks:
                reader.wrong("clock_unknown", f"{where}.clock", clock=clock)
        verb, values = row.get("verb"), row.get("is", [])
        if verb not in VERBS or not names:
            reader.wrong("manifest_setting_wrong", f"{where}.verb", expected=", ".join(VERBS))
            continue
        made.append(
            AnswerVerb(
                task=reader.word(row, "task", where, _ELEMENT),
                name=reader.word(row, "field", where, _ELEMENT),
                values=tuple(map(str, values if isinstance(values, list) else [values])),
                verb=str(verb),
                clocks=names,
                limit=reader.optional_word(row, "limit", where),
                pause=reader.optional_word(row, "pause", where) or "",
                reason=reader.optional_word(row, "reason", where, _ELEMENT),
            )
        )
    return tuple(made)
