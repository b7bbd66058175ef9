"""The city's citizens: names, and telephone numbers from a range that is given to nobody."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime

from engine.store.bulk import LineTemplate, column
from engine.store.tables import User

AT_ONCE = 20_000
_FAMILY = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许邓韩冯曹彭曾肖田董潘袁蔡蒋余"
_GIVEN = (
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉玲华红玉建国志海云晓东雪春梅龙飞雨晨宇欣怡"
)
_ENGLISH_FAMILY = ("Smith", "Jones", "Brown", "Taylor", "Wilson", "Chen", "Novak", "Silva", "Kim")
_ENGLISH_GIVEN = ("Mary", "John", "Anna", "Peter", "Lucy", "Omar", "Ines", "David", "Grace")
_FOREIGN = 0.04
_COLUMNS = ("id", "user_name", "display_name", "phone", "locale")


class Citizens:
    """`count` invented people, who cannot sign in."""

    def __init__(self, seed: int, count: int, created_at: datetime) -> None:
        chance = random.Random(seed)  # noqa: S311 - made-up data
        self._names = [_name(chance) for _ in range(count)]
        self._template = LineTemplate(
            User,
            {
                "password_hash": "!",
                "roles": ["citizen"],
                "created_at": created_at,
                "active": True,
            },
            _COLUMNS,
        )

    def person(self, number: int) -> tuple[str, str]:
        """Id and name."""
        return _id(number), self._names[number]

    def batches(self) -> Iterator[list[str]]:
        """The lines of all of them."""
        for start in range(0, len(self._names), AT_ONCE):
            some = range(start, min(start + AT_ONCE, len(self._names)))
            yield [self._line(number) for number in some]

    def _line(self, number: int) -> str:
        name = self._names[number]
        locale = "en" if name.isascii() else "zh-CN"
        # Numbers that begin with 110 are never those of a person.
        return self._template.line(
            _id(number), f"city_citizen_{number}", column(name), f"110{number:08d}", locale
        )


def _id(number: int) -> str:
    return f"c17{number:029d}"


def _name(chance: random.Random) -> str:
    if chance.random() < _FOREIGN:
        return f"{chance.choice(_ENGLISH_GIVEN)} {chance.choice(_ENGLISH_FAMILY)}"
    # Common families are much more common than others.
    family = _FAMILY[int(len(_FAMILY) * chance.random() ** 2)]
    return family + "".join(chance.choice(_GIVEN) for _ in range(chance.choice((1, 2, 2))))
