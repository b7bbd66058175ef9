"""Plays SpiffWorkflow's test models on it and on this engine, with the same answers, and compares.

At each step one of the things that can be done is chosen, the same for both: a task of a person is
finished with made-up values for the variables that the model's conditions ask for, a message or
signal arrives, or a timer is due.
"""

from __future__ import annotations

import random
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from engine.bpmn.needs import with_needed
from tests.upstream.conform import Difference, counted, reason_for, unexplained
from tests.upstream.ours import Ours
from tests.upstream.players import Doing, Outcome
from tests.upstream.reading import Refused, as_upstream_means, processes_of
from tests.upstream.stock import Stock

SEEDS = range(4)
MAX_STEPS = 40
_COMPARED = re.compile(
    rb"\b([a-z_]\w*)\s*(?:==|&lt;=?|&gt;=?|!=)\s*('[^']*'|&quot;[^&]*&quot;|\d+)"
)
_BARE = re.compile(rb"(?:[cC]ondition|\w+Expression)[^>]*>\s*(?:not )?([a-z_]\w*)\s*<")


@dataclass
class Comparison:
    """The models by what became of them; names are ``file:process``."""

    same: list[str] = field(default_factory=list)
    differ: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    """SpiffWorkflow's own parser refuses them."""

    def lines(self) -> Iterator[str]:
        yield f"{len(self.same) + len(self.differ) + len(self.unknown)} processes and tables"
        yield f"{len(self.same):5} do the same on both engines"
        yield from counted("differ for a documented reason", self.differ)
        yield from unexplained(self.unknown)
        yield f"({len(self.unread)} more are refused by SpiffWorkflow itself)"

    def place(self, name: str, known: list[Difference], why: str, codes: frozenset[str]) -> None:
        reason = reason_for(known, "models", name, codes)
        if reason is not None:
            self.differ[name] = reason
        else:
            self.unknown[name] = why


def compare_models(checkout: Path, known: list[Difference], into: Comparison) -> None:
    """Play every process of the checkout's test models."""
    root = checkout / "tests" / "SpiffWorkflow"
    for path in sorted([*root.rglob("data/**/*.bpmn"), *root.rglob("data/**/*.bpmn20.xml")]):
        models = _models_beside(path)
        for process in processes_of(models[path.name]):
            name = f"{path.relative_to(root)}:{process}"
            if name not in into.same:
                _compare(name, models, process, known, into)


def _models_beside(path: Path) -> dict[str, bytes]:
    """The model and those that may be called from it, in upstream's meaning."""
    beside = [*path.parent.glob("*.bpmn"), *path.parent.glob("*.bpmn20.xml")]
    models = {
        each.name: as_upstream_means(each.read_bytes(), named_choices=True) for each in beside
    }
    tables = [*path.parent.glob("*.dmn"), *path.parent.glob("dmn/*.dmn")]
    return with_needed(path.name, models | {each.name: each.read_bytes() for each in tables})


def _compare(
    name: str, models: dict[str, bytes], process: str, known: list[Difference], into: Comparison
) -> None:
    try:
        Stock.parsed(models, process)
    except Exception as error:
        into.unread.append(f"{name}: {error}"[:200])
        return
    try:
        for seed in SEEDS:
            why = _play(models, process, seed)
            if why:
                into.place(name, known, why, frozenset())
                return
    except Refused as refused:
        into.place(name, known, f"refused: {refused}", refused.codes)
        return
    into.same.append(name)


def _play(models: dict[str, bytes], process: str, seed: int) -> str:
    """How the two differ, or nothing."""
    choose = random.Random(f"{process}/{seed}")
    values = _values(models)
    start = {**_answer(values, choose), "input_data": [1, 2, 3], "a": 1, "b": 2}
    stock, failed = _try(lambda: Stock(models, process, start))
    ours, failed_too = _try(lambda: Ours(models, process, start))
    trail: list[Doing] = []
    for _ in range(MAX_STEPS):
        if failed or failed_too:
            break
        assert stock is not None
        assert ours is not None
        doings, doings_too = sorted(stock.doings()), sorted(ours.doings())
        if doings != doings_too:
            return f"after {trail}: {doings} there, {doings_too} here"
        if not doings:
            return _ended(trail, stock.outcome(), ours.outcome())
        doing = choose.choice(doings)
        data = {**_answer(values, choose), "output_item": choose.randint(1, 9)}
        trail.append(doing)
        _, failed = _try(partial(stock.do, doing, data))
        _, failed_too = _try(partial(ours.do, doing, data))
    if bool(failed) != bool(failed_too):
        return f"after {trail}: {failed or 'goes on'} there, {failed_too or 'goes on'} here"
    return ""


def _ended(trail: list[Doing], there: Outcome, here: Outcome) -> str:
    for what, one, two in (
        ("finished", there.finished, here.finished),
        ("done", there.done, here.done),
        ("data", there.data if there.finished else {}, here.data if there.finished else {}),
    ):
        if one != two:
            return f"after {trail}: {what} {one} there, {two} here"
    return ""


def _try(act: Callable[[], Any]) -> tuple[Any, str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return act(), ""
        except Refused:
            raise
        except Exception as error:
            return None, f"{type(error).__name__}: {error}"[:150]


def _values(models: Mapping[str, bytes]) -> dict[str, list[Any]]:
    """The variables that conditions of the models ask for, with values that may matter."""
    found: dict[str, set[Any]] = {}
    for text in models.values():
        for name, value in _COMPARED.findall(text):
            plain = value.decode().replace("&quot;", "'")
            number = plain.isdigit()
            found.setdefault(name.decode(), set()).update(
                {int(plain), int(plain) + 1} if number else {plain.strip("'")}
            )
        for name in _BARE.findall(text):
            found.setdefault(name.decode(), set()).update({True, False})
    return {name: sorted(each, key=str) for name, each in sorted(found.items())}


def _answer(values: Mapping[str, list[Any]], choose: random.Random) -> dict[str, Any]:
    return {name: choose.choice(options) for name, options in values.items()}
