"""Notices to staff in words: on their page, and as mail."""

from __future__ import annotations

from api.dates import long_date
from api.sentences import say, texts
from engine.domain.ports import NoticeFacts, RenderedLetter


def notice_words(facts: NoticeFacts, locale: str) -> RenderedLetter:
    """The notice's title and text. Satisfies `engine.domain.ports.NoticeWords`."""
    kind = facts.clock.partition(":")[0]
    usual = f"clock.{kind}"
    title = facts.clock_title.get(locale) or (
        say(locale, usual) if usual in texts(locale) else facts.clock
    )
    spread = {
        "clock": title,
        "due": long_date(facts.due_on, locale),
        "reference": facts.reference,
        "service": facts.service[locale],
        "task": facts.task[locale] if facts.task else "",
        "days": facts.rung.strip("+-").removesuffix("wd"),
    }
    subject = say(locale, f"notice.{_when(facts.rung)}", **spread)
    own = facts.text.get(locale, "")
    for name, value in spread.items():
        own = own.replace(f"{{{name}}}", value)
    about = say(locale, "notice.about_task" if facts.task else "notice.about", **spread)
    return RenderedLetter(subject, f"{own}\n\n{about}" if own else about)


def _when(rung: str) -> str:
    if rung.endswith("wd"):
        return "before" if rung.startswith("-") else "after"
    return "passed" if rung == "0" else "share"
