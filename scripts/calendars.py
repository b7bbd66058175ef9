"""Write the calendars that ship with the product, from well-kept packages that know the holidays.

China: the days of the State Council's notices, from `chinesecalendar`. The United Kingdom: the bank
holidays, from `holidays`. Both are development dependencies; the product reads the files alone.
A new year: take the newest packages, add the notice's date below, run this script.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from chinese_calendar import constants as china
from holidays import country_holidays

FOLDER = Path(__file__).resolve().parents[1] / "engine/domain/calendars"
YEARS = range(2024, 2028)
ZH, EN = "zh-CN", "en"
Days = Mapping[date, Mapping[str, str]]

NOTICES = {2024: date(2023, 10, 25), 2025: date(2024, 11, 12), 2026: date(2025, 11, 4)}
"""When the State Council's notice for a year was published. A year without one is provisional."""
CHINESE = {
    "New Year's Day": {ZH: "元旦", EN: "New Year's Day"},
    "Spring Festival": {ZH: "春节", EN: "Spring Festival"},
    "Tomb-sweeping Day": {ZH: "清明节", EN: "Qingming Festival"},
    "Labour Day": {ZH: "劳动节", EN: "Labour Day"},
    "Dragon Boat Festival": {ZH: "端午节", EN: "Dragon Boat Festival"},
    "National Day": {ZH: "国庆节", EN: "National Day"},
    "Mid-autumn Festival": {ZH: "中秋节", EN: "Mid-Autumn Festival"},
}
NATIONS = {
    "uk-england-and-wales": ("ENG", "英格兰和威尔士工作日历", "England and Wales"),
    "uk-scotland": ("SCT", "苏格兰工作日历", "Scotland"),
    "uk-northern-ireland": ("NIR", "北爱尔兰工作日历", "Northern Ireland"),
}
BRITISH = {
    "New Year's Day": "元旦",
    "New Year Holiday": "新年假日",
    "Saint Patrick's Day": "圣帕特里克节",
    "Good Friday": "耶稣受难日",
    "Easter Monday": "复活节星期一",
    "May Day": "五月初银行假日",
    "Spring Bank Holiday": "春季银行假日",
    "Scotland's participation in the FIFA World Cup final": "苏格兰参加世界杯决赛阶段纪念假日",
    "Battle of the Boyne": "博因河战役纪念日",
    "Summer Bank Holiday": "夏季银行假日",
    "Late Summer Bank Holiday": "夏末银行假日",
    "Saint Andrew's Day": "圣安德鲁日",
    "Christmas Day": "圣诞节",
    "Boxing Day": "节礼日",
}
SUBSTITUTE = " (observed)"


def china_calendar() -> dict[str, Any]:
    """Mainland China, as far as it is announced."""
    years = {}
    for year in YEARS:
        off = {day: name for day, name in china.holidays.items() if day.year == year}
        if not off:
            continue
        notice = NOTICES[year]
        years[str(year)] = {
            "source": {
                ZH: f"国务院办公厅关于{year}年部分节假日安排的通知"
                f"（{notice.year}年{notice.month}月{notice.day}日）",
                EN: "Notice of the General Office of the State Council on holidays in "
                f"{year} ({notice.day} {notice:%B %Y})",
            },
            "holidays": rows({day: CHINESE[name] for day, name in off.items()}),
            "make_up_days": sorted(str(day) for day in china.workdays if day.year == year),
        }
    return {
        "name": "cn",
        "title": {ZH: "中国内地工作日历", EN: "Working calendar of mainland China"},
        "zone": "Asia/Shanghai",
        "day_zero": "day_of_receipt",
        "pause_begins": "next_day",
        "office_hours": [["09:00", "12:00"], ["13:30", "17:30"]],
        "years": years,
    }


def bank_holidays(nation: str, year: int) -> Days:
    """The days on which banks are closed; one on a weekend is kept on its substitute day."""
    known = country_holidays("GB", subdiv=nation, years=year, language="en_GB")
    made = {}
    for day, name in known.items():
        if day.weekday() < 5:
            plain = name.removesuffix(SUBSTITUTE)
            moved = plain != name
            made[day] = {
                ZH: BRITISH[plain] + ("（补假）" if moved else ""),
                EN: plain + (" (substitute day)" if moved else ""),
            }
    return made


def british_calendar(name: str, title: Mapping[str, str], nations: Iterable[str]) -> dict[str, Any]:
    """A calendar that leaves out the bank holidays of each of `nations`."""
    years = {}
    for year in YEARS:
        days: dict[date, Mapping[str, str]] = {}
        for nation in nations:
            days = {**bank_holidays(nation, year), **days}
        years[str(year)] = {
            "source": {
                ZH: "英国政府公布的银行假日（1971年《银行与金融交易法》）",
                EN: "Bank holidays published by the UK government "
                "(Banking and Financial Dealings Act 1971)",
            },
            "holidays": rows(days),
            "make_up_days": [],
        }
    return {
        "name": name,
        "title": dict(title),
        "zone": "Europe/London",
        "day_zero": "next_working_day",
        "pause_begins": "same_day",
        "office_hours": [["09:00", "17:00"]],
        "years": years,
    }


def british_calendars() -> Iterable[dict[str, Any]]:
    """The three nations', and the one of the Freedom of Information Act for all of them."""
    for name, (nation, chinese, english) in NATIONS.items():
        yield british_calendar(name, {ZH: chinese, EN: f"Working calendar, {english}"}, [nation])
    yield british_calendar(
        "uk-foi",
        {
            ZH: "英国信息自由法工作日历（任何一地的银行假日均不计）",
            EN: "Working calendar of the UK Freedom of Information Act "
            "(bank holidays of any part are left out)",
        },
        [nation for nation, _, _ in NATIONS.values()],
    )


def rows(days: Days) -> list[dict[str, Any]]:
    """The days in rows of those that follow each other; a row has the names of all its days."""
    made: list[tuple[date, date, list[Mapping[str, str]]]] = []
    for day in sorted(days):
        name = days[day]
        if made and made[-1][1] + timedelta(days=1) == day and _joined(made[-1][2], name):
            first, _, names = made.pop()
            made.append((first, day, names if name in names else [*names, name]))
        else:
            made.append((day, day, [name]))
    return [
        {
            "from": str(first),
            "to": str(last),
            "name": {
                ZH: "、".join(name[ZH] for name in names),
                EN: " and ".join(name[EN] for name in names),
            },
        }
        for first, last, names in made
    ]


def _joined(names: list[Mapping[str, str]], name: Mapping[str, str]) -> bool:
    """Holidays of the State Council run into each other; bank holidays stay apart."""
    return name in names or all(each[ZH] in _STATE_COUNCIL for each in (*names, name))


_STATE_COUNCIL = {names[ZH] for names in CHINESE.values()} - {"元旦"}


def written(calendar: Mapping[str, Any]) -> str:
    """The file's text: one line for each holiday, so that a reader sees a year at a glance."""
    text = json.dumps(calendar, ensure_ascii=False, indent=2)
    years = calendar["years"]
    for year in years.values():
        for row in year["holidays"]:
            text = _on_one_line(text, row, 8)
        text = _on_one_line(text, year["make_up_days"], 6)
        text = _on_one_line(text, year["source"], 6)
    text = _on_one_line(text, calendar["office_hours"], 2)
    return _on_one_line(text, calendar["title"], 2) + "\n"


def _on_one_line(text: str, value: Any, indent: int) -> str:
    tall = json.dumps(value, ensure_ascii=False, indent=2).replace("\n", "\n" + " " * indent)
    return text.replace(tall, json.dumps(value, ensure_ascii=False), 1)


def files() -> dict[str, str]:
    """The text of each file by its name."""
    calendars = [china_calendar(), *british_calendars()]
    return {f"{calendar['name']}.json": written(calendar) for calendar in calendars}


if __name__ == "__main__":
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
