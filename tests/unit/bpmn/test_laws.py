"""Laws that hold for every process, tried on models and ways through them made at random."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bpmn import deploy_report
from engine.domain.process import Process, Step
from engine.kernel.errors import StateUnreadable, TaskNotOpen
from tests.unit.bpmn.coverage.play import (
    boundary,
    end,
    script,
    start,
    straight,
    sub,
    timer,
    to,
    user,
)
from tests.unit.bpmn.models import HEAD

_COUNT = st.integers(0, 10**6)


class _Maker:
    """Draws nested blocks, each with one way in and one way out."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw, self.number = draw, 0

    def id(self, prefix: str) -> str:
        self.number += 1
        return f"{prefix}{self.number}"

    def block(self, depth: int) -> tuple[str, str, str]:
        """The XML of a block, with the ids of its first and last node."""
        kinds = ["user", "script"]
        if depth:
            kinds += ["row", "both", "either", "loop", "sub", "timed"]
        return getattr(self, self.draw(st.sampled_from(kinds)))(depth)  # type: ignore[no-any-return]

    def user(self, depth: int) -> tuple[str, str, str]:
        name = self.id("u")
        return user(name), name, name

    def script(self, depth: int) -> tuple[str, str, str]:
        name = self.id("s")
        return script(name, "n = n + 1"), name, name

    def row(self, depth: int) -> tuple[str, str, str]:
        a, first, mid = self.block(depth - 1)
        b, then, last = self.block(depth - 1)
        return a + b + to(mid, then), first, last

    def _fork(self, kind: str, depth: int, condition: str) -> tuple[str, str, str]:
        split, join = self.id("g"), self.id("g")
        a, a1, a2 = self.block(depth - 1)
        b, b1, b2 = self.block(depth - 1)
        default = f' default="{split}_to_{b1}"' if condition else ""
        gateways = f'<bpmn:{kind}Gateway id="{split}"{default}/><bpmn:{kind}Gateway id="{join}"/>'
        flows = to(split, a1, condition) + to(split, b1) + to(a2, join) + to(b2, join)
        return gateways + a + b + flows, split, join

    def both(self, depth: int) -> tuple[str, str, str]:
        return self._fork(self.draw(st.sampled_from(["parallel", "inclusive"])), depth, "")

    def either(self, depth: int) -> tuple[str, str, str]:
        kind = self.draw(st.sampled_from(["exclusive", "inclusive"]))
        return self._fork(kind, depth, "n % 2 == 0")

    def loop(self, depth: int) -> tuple[str, str, str]:
        merge, choice = self.id("g"), self.id("g")
        a, first, last = self.block(depth - 1)
        counter = self.id("s")
        gateways = (
            f'<bpmn:exclusiveGateway id="{merge}"/>'
            f'<bpmn:exclusiveGateway id="{choice}" default="{choice}_to_x{self.number + 1}"/>'
        )
        out = f"x{self.number + 1}"
        self.number += 1
        tail = f'<bpmn:task id="{out}"/>'
        flows = (
            to(merge, first) + to(last, counter) + to(counter, choice)
            + to(choice, merge, f"{counter} &lt; 2") + to(choice, out)
        )  # fmt: skip
        return (
            gateways + a + script(counter, f"{counter} = ({counter} or 0) + 1") + tail + flows,
            merge,
            out,
        )

    def sub(self, depth: int) -> tuple[str, str, str]:
        name, a, b = self.id("p"), self.id("b"), self.id("e")
        inner, first, last = self.block(depth - 1)
        body = start(a) + inner + end(b) + to(a, first) + to(last, b)
        return sub(name, body), name, name

    def timed(self, depth: int) -> tuple[str, str, str]:
        name, late, gone = self.id("u"), self.id("t"), self.id("e")
        interrupting = self.draw(st.booleans())
        edge = boundary(late, name, timer(), interrupting)
        return user(name) + straight(edge, end(gone)), name, name


@st.composite
def models(draw: st.DrawFn) -> str:
    body, first, last = _Maker(draw).block(3)
    return start() + body + end() + to("begin", first) + to(last, "finish")


def _read(body: str) -> Process:
    text = (
        f'{HEAD}<bpmn:process id="p" isExecutable="true">{body}</bpmn:process></bpmn:definitions>'
    )
    report, package = deploy_report({"p.bpmn": text.encode()})
    assert package.can_run(), [f for f in report.findings if f.severity == "error"]
    return package.process("p")


def _waits(step: Step) -> int:
    return len(step.tasks) + len(step.timers) + len(step.jobs) + len(step.subscriptions)


@settings(max_examples=30, deadline=None)
@given(models(), st.lists(_COUNT, max_size=40))
def test_a_case_always_waits_for_something_or_has_ended(body: str, choices: list[int]) -> None:
    made = _read(body)
    step = made.start({"n": 0})
    for choice in choices:
        assert step.finished != bool(_waits(step))
        if step.finished:
            break
        doors = [*(task.key for task in step.tasks), *(timer.key for timer in step.timers)]
        key = doors[choice % len(doors)]
        if any(task.key == key for task in step.tasks):
            step = made.complete(step.state, key, {})
        else:
            after = made.fire(step.state, key)
            assert after is not None
            step = after


@settings(max_examples=30, deadline=None)
@given(models())
def test_every_model_of_blocks_comes_to_its_end(body: str) -> None:
    """Tokens are conserved: what is split is joined, and the end is reached once."""
    made = _read(body)
    step = made.start({"n": 0})
    reached = list(step.ended_at)
    for _ in range(400):
        if step.finished:
            break
        step = made.complete(step.state, step.tasks[0].key, {})
        reached += step.ended_at
    assert step.finished
    assert reached.count("finish") == 1


@settings(max_examples=30, deadline=None)
@given(models(), st.binary(max_size=40), st.integers(0, 2000))
def test_a_broken_state_never_does_harm(body: str, noise: bytes, at: int) -> None:
    made = _read(body)
    step = made.start({"n": 0})
    broken = step.state[: at % (len(step.state) + 1)] + noise
    keys = [task.key for task in step.tasks] or ["0" * 32]
    with suppress(StateUnreadable, TaskNotOpen):
        after = made.complete(broken, keys[0], {})
        assert broken == step.state
        assert after.state != step.state
