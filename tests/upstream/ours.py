"""This engine at play, a step at a time as the product takes them: state in, state out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from engine.domain.process import Step
from tests.upstream.players import Doing, Outcome
from tests.upstream.reading import read


class Ours:
    def __init__(self, models: Mapping[str, bytes], process: str, data: Mapping[str, Any]) -> None:
        self.process = read(dict(models), process)
        self.done: Counter[str] = Counter()
        self.step = self._take(self.process.start(data))

    def _take(self, step: Step) -> Step:
        for each in step.trace:
            if each.event == "completed" and each.kind.endswith(("Task", "Activity", "Process")):
                self.done[each.element] += 1
        return step

    def doings(self) -> list[Doing]:
        step = self.step
        found = [("task", each.element) for each in step.tasks]
        found += [("timer", each.element) for each in step.timers]
        return found + [(each.kind, each.name) for each in step.subscriptions]

    def do(self, doing: Doing, data: Mapping[str, Any]) -> None:
        kind, name = doing
        state = self.step.state
        if kind == "task":
            key = next(each.key for each in self.step.tasks if each.element == name)
            self.step = self._take(self.process.complete(state, key, data))
            return
        if kind == "signal":
            made = self.process.signal(state, name, {})
        elif kind == "timer":
            key = next(each.key for each in self.step.timers if each.element == name)
            made = self.process.fire(state, key)
        else:
            self._message(name)
            return
        assert made is not None
        self.step = self._take(made)

    def _message(self, name: str) -> None:
        """There a message reaches all who wait for it."""
        for each in self.step.subscriptions:
            if (each.kind, each.name) == ("message", name):
                made = self.process.fire(self.step.state, each.key)
                if made is not None:
                    self.step = self._take(made)

    def outcome(self) -> Outcome:
        return Outcome(self.step.finished, self.done, self.step.data)
