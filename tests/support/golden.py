"""States and databases of releases, kept for ever: what was made then must go on now.

``tests/contract/golden/<state format>/<release>/<model>/`` holds the model, each state in which a
case waited (``00.bin``, ``01.bin``, …), and ``story.json``: what each of them waits for and holds,
and what was done next. ``scripts/golden_states.py`` makes them; what is made is never changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.bpmn import process_data, read_process
from engine.domain.process import Process, Step, Waits

Move = tuple[str, str, Any, int]
"""What is done (``complete``, ``fire``, ``signal`` or ``fail``), the element or the name of the
signal, the data or code, and which of several that wait at the element."""
MOST_STEPS = 60
GOLDEN = Path(__file__).resolve().parents[1] / "contract/golden"


@dataclass(frozen=True)
class Stop:
    """A state in which a case waited: elements by key, its data, and what was done then.

    `passed` are the elements that were finished by it.
    """

    waits: dict[str, dict[str, str]]
    data: dict[str, Any]
    move: Move
    passed: list[str]


@dataclass(frozen=True)
class Story:
    """One case from its start to its end, of the process `process`."""

    process: str
    stops: list[Stop]
    end: dict[str, Any]

    def write(self, folder: Path, states: list[bytes], files: Mapping[str, bytes]) -> None:
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        for number, state in enumerate(states):
            (folder / f"{number:02d}.bin").write_bytes(state)
        text = json.dumps(asdict(self), ensure_ascii=False, indent=1, sort_keys=True)
        (folder / "story.json").write_text(f"{text}\n", encoding="utf-8")


def read_story(folder: Path) -> tuple[Story, list[bytes], Process]:
    """The story, its states, and the process of the model as it was then."""
    raw = json.loads((folder / "story.json").read_text(encoding="utf-8"))
    story = Story(
        raw["process"],
        [Stop(**each | {"move": tuple(each["move"])}) for each in raw["stops"]],
        raw["end"],
    )
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    process, _ = read_process(files, story.process)
    assert process is not None
    states = [path.read_bytes() for path in sorted(folder.glob("*.bin"))]
    assert len(states) == len(story.stops)
    return story, states, process


def folders() -> Iterator[Path]:
    """Every story of every release."""
    yield from sorted(path.parent for path in GOLDEN.glob("*/*/*/story.json"))


def looked_at(process: Process, state: bytes) -> Step:
    """What a case in this state waits for, with everything about it."""
    return process.correct(state, {})


def waits_of(step: Step) -> dict[str, dict[str, str]]:
    """What is waited for: elements by key, by kind."""
    return {
        "tasks": {each.key: each.element for each in step.tasks},
        "timers": {each.key: f"{each.element} {each.value}" for each in step.timers},
        "subscriptions": {each.key: f"{each.element} {each.name}" for each in step.subscriptions},
        "jobs": {each.key: f"{each.element} {each.topic}" for each in step.jobs},
    }


def keys_of(waits: Mapping[str, Mapping[str, str]]) -> Waits:
    return Waits(*(frozenset(waits[name]) for name in ("tasks", "timers", "subscriptions", "jobs")))


def waiting(step: Step) -> Iterator[tuple[str, str]]:
    """The key and element of all that waits, in a lasting order."""
    for each in (*step.tasks, *step.jobs, *step.timers, *step.subscriptions):
        yield each.key, each.element


def named(step: Step, key: str) -> tuple[str, int]:
    """The element that waits as `key`, and which of those that wait there."""
    element = dict(waiting(step))[key]
    return element, [each for each, at in waiting(step) if at == element].index(key)


def carried_out(process: Process, step: Step, move: Move) -> Step:
    """The step after `move`."""
    verb, name, data, place = move
    if verb == "signal":
        after = process.signal(step.state, name, data)
    else:
        key = [each for each, element in waiting(step) if element == name][place]
        if verb == "complete":
            after = process.complete(step.state, key, data)
        elif verb == "fail":
            after = process.fail(step.state, key, data)
        else:
            after = process.fire(step.state, key, data)
    assert after is not None, move
    return after


def told(
    process: Process, first: Step, moves: Sequence[Move]
) -> tuple[list[Stop], list[bytes], Step]:
    """Play the case to its end: `moves`, then whatever waits first."""
    ahead, step, stops, states = list(moves), first, [], []
    while not step.finished:
        assert len(stops) < MOST_STEPS, "it does not end"
        move = ahead.pop(0) if ahead else _first(step)
        after = carried_out(process, step, move)
        stops.append(Stop(waits_of(step), process_data(step.state), move, list(after.passed)))
        states.append(step.state)
        step = after
    assert not ahead, ahead
    return stops, states, step


def _first(step: Step) -> Move:
    key, element = next(waiting(step))
    by_people = {each.key for each in (*step.tasks, *step.jobs)}
    return ("complete" if key in by_people else "fire", element, {}, 0)
