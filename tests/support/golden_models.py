"""Models whose states are kept for ever: each leaves something else in a state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.unit.bpmn.coverage import play
from tests.unit.bpmn.models import HEAD

Done = tuple[str, str, Any]
"""As a move of a golden story, at the first of those that wait at the element."""
_ONE = "<bpmn:loopCardinality>3</bpmn:loopCardinality>"
_MANY = (
    "<bpmn:loopDataInputRef>items</bpmn:loopDataInputRef>"
    "<bpmn:loopDataOutputRef>results</bpmn:loopDataOutputRef>"
    '<bpmn:inputDataItem id="i{0}" name="item"/><bpmn:outputDataItem id="o{0}" name="out"/>'
)
_CALLED = '<bpmn:process id="q" isExecutable="true">{}</bpmn:process>'
_CAMUNDA = 'xmlns:camunda="http://camunda.org/schema/1.0/bpmn"'


@dataclass(frozen=True)
class GoldenModel:
    """A process ``p`` of `body`, its first data, and what is done first, before all the rest."""

    body: str
    moves: Sequence[Done] = ()
    beside: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    def files(self) -> dict[str, bytes]:
        text = (
            f'{HEAD}{play.DEFINITIONS}<bpmn:process id="p" isExecutable="true">{self.body}'
            f"</bpmn:process>{self.beside}</bpmn:definitions>"
        )
        return {"process.bpmn": text.encode()}


def _several(inner: str, sequential: bool = False) -> str:
    return (
        f'<bpmn:multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}">'
        f"{inner}</bpmn:multiInstanceLoopCharacteristics>"
    )


def _gateway(id_: str, kind: str = "parallel", **more: str) -> str:
    attributes = "".join(f' {name}="{value}"' for name, value in more.items())
    return f'<bpmn:{kind}Gateway id="{id_}"{attributes}/>'


def _receive(id_: str) -> str:
    return f'<bpmn:receiveTask id="{id_}" messageRef="m1"/>'


def _external(id_: str, mapped: bool = False) -> str:
    inner = (
        "<bpmn:extensionElements><camunda:inputOutput>"
        '<camunda:inputParameter name="greeting">Hello ${name}</camunda:inputParameter>'
        '<camunda:outputParameter name="answer">${reply}</camunda:outputParameter>'
        "</camunda:inputOutput></bpmn:extensionElements>"
    )
    return (
        f'<bpmn:serviceTask {_CAMUNDA} id="{id_}" camunda:type="external" camunda:topic="print">'
        f"{inner if mapped else ''}</bpmn:serviceTask>"
    )


def _undone(id_: str) -> str:
    """An activity of a person with a compensation that is a person's as well."""
    return (
        play.boundary(f"c_{id_}", id_, play.compensate())
        + play.user(f"undo_{id_}", isForCompensation="true")
        + play.undoes(f"c_{id_}", f"undo_{id_}")
    )


_FORK = (
    play.start() + _gateway("fork") + play.user("a") + play.user("b") + _gateway("join")
    + play.user("c") + play.end() + play.to("begin", "fork") + play.to("fork", "a")
    + play.to("fork", "b") + play.to("a", "join") + play.to("b", "join") + play.to("join", "c")
    + play.to("c", "finish")
)  # fmt: skip
_INCLUSIVE = (
    play.start() + _gateway("some", "inclusive", default="some_to_c") + play.user("a")
    + play.user("b") + play.user("c") + _gateway("all", "inclusive") + play.user("d") + play.end()
    + play.to("begin", "some") + play.to("some", "a", "x > 0") + play.to("some", "b", "x > 1")
    + play.to("some", "c") + play.to("a", "all") + play.to("b", "all") + play.to("c", "all")
    + play.to("all", "d") + play.to("d", "finish")
)  # fmt: skip
_LOOP = (
    play.start() + play.user("a") + _gateway("again", "exclusive", default="again_to_finish")
    + play.end() + play.to("begin", "a") + play.to("a", "again")
    + play.to("again", "a", "more") + play.to("again", "finish")
)  # fmt: skip
_EVENT_BASED = (
    play.start() + _gateway("either", "eventBased") + play.catch("told", play.message())
    + play.catch("late", play.timer("P3D")) + play.user("a") + play.end()
    + play.to("begin", "either") + play.to("either", "told") + play.to("either", "late")
    + play.to("told", "a") + play.to("late", "a") + play.to("a", "finish")
)  # fmt: skip
_INNER = play.straight(play.start("s"), play.user("deep"), play.user("deeper"), play.end("e"))

MODELS: Mapping[str, GoldenModel] = {
    "plain": GoldenModel(
        play.straight(play.start(), play.user("a"), play.script("s", "n = n + 1"), play.user("b"),
                      play.end()),
        [("complete", "a", {"text": "办件 ✉ 😀", "n": 2**53, "list": [1, [2.5, None], {"k": 1}]})],
        data={"n": 1, "application": {"title": "规划许可", "typename": "x"}},
    ),
    "parallel": GoldenModel(_FORK, [("complete", "b", {"b": 1})]),
    "inclusive": GoldenModel(_INCLUSIVE, [("complete", "b", {})], data={"x": 2}),
    "loop": GoldenModel(_LOOP, [("complete", "a", {"more": True})] * 3
                        + [("complete", "a", {"more": False})]),
    "timers": GoldenModel(
        play.straight(play.start(), play.user("a"), play.user("b"), play.end())
        + play.straight(play.boundary("remind", "a", play.timer("R3/PT1H", "timeCycle"), False),
                        play.user("r"), play.end("re"))
        + play.straight(play.boundary("expired", "b", play.timer("P5D")), play.user("x"),
                        play.end("xe")),
        [("fire", "remind", {}), ("fire", "remind", {}), ("complete", "r", {}),
         ("complete", "a", {}), ("fire", "expired", {})],
    ),
    "event-gateway": GoldenModel(_EVENT_BASED, [("fire", "told", {"answer": 42})]),
    "messages-and-signals": GoldenModel(
        play.straight(play.start(), _receive("wait"), play.catch("alarm", play.signal()),
                      play.user("a"), play.end())
        + play.straight(play.boundary("other", "a", play.signal(), False), play.user("o"),
                        play.end("oe")),
        [("fire", "wait", {"from": "elsewhere"}), ("signal", "alarm", {}), ("signal", "alarm", {})],
    ),
    "instances-at-once": GoldenModel(
        play.straight(play.start(), play.user("t", _several(_MANY.format(1))), play.end())
        + play.straight(play.boundary("late", "t", play.timer(), False), play.user("l"),
                        play.end("le")),
        [("complete", "t", {"out": "first"}), ("fire", "late", {}), ("complete", "t", {"out": 2})],
        data={"items": ["x", "y", "z"]},
    ),
    "instances-in-turn": GoldenModel(
        play.straight(play.start(), play.user("t", _several(_ONE, True)), play.end()),
        [("complete", "t", {"seen": 1})],
    ),
    "instances-of-a-subprocess": GoldenModel(
        play.straight(play.start(), play.sub("m", _several(_MANY.format(2)) + _INNER), play.end()),
        [("complete", "deep", {"out": 1}), ("complete", "deeper", {})],
        data={"items": [1, 2]},
    ),
    "standard-loop": GoldenModel(
        play.straight(
            play.start(),
            play.user("t", "<bpmn:standardLoopCharacteristics><bpmn:loopCondition>again"
                      "</bpmn:loopCondition></bpmn:standardLoopCharacteristics>"),
            play.end(),
        ),
        [("complete", "t", {"again": True}), ("complete", "t", {"again": True}),
         ("complete", "t", {"again": False})],
    ),
    "subprocess": GoldenModel(
        play.straight(play.start(), play.sub("sp", _INNER), play.user("after"), play.end())
        + play.straight(play.boundary("late", "sp", play.timer(), False), play.user("l"),
                        play.end("le")),
        [("complete", "deep", {"x": 1}), ("fire", "late", {})],
    ),
    "event-subprocess-beside": GoldenModel(
        play.straight(play.start(), play.user("a"), play.end())
        + play.event_sub("es", play.message(), play.straight(play.user("in"), play.end("ee"))
                         + play.to("es_start", "in"), False),
        [("fire", "es_start", {"n": 1}), ("fire", "es_start", {"n": 2}), ("complete", "in", {})],
    ),
    "event-subprocess-instead": GoldenModel(
        play.straight(play.start(), play.user("a"), play.end())
        + play.event_sub("es", play.timer("P1D"), play.straight(play.user("in"), play.end("ee"))
                         + play.to("es_start", "in")),
        [("fire", "es_start", {})],
    ),
    "call": GoldenModel(
        play.straight(play.start(), '<bpmn:callActivity id="call" calledElement="q"/>',
                      play.user("after"), play.end())
        + play.straight(play.boundary("failed", "call", play.error()), play.user("x"),
                        play.end("xe")),
        [("complete", "deep", {"x": 1})],
        beside=_CALLED.format(_INNER),
    ),
    "error-of-a-job": GoldenModel(
        play.straight(play.start(), _external("work"), play.end())
        + play.straight(play.boundary("refused", "work", play.error()), play.user("x"),
                        play.end("xe")),
        [("fail", "work", "E1")],
    ),
    "job-with-mappings": GoldenModel(
        play.straight(play.start(), _external("work", True), play.user("a"), play.end()),
        [("complete", "work", {"reply": "done"})],
        data={"name": "Mary"},
    ),
    "escalation": GoldenModel(
        play.straight(
            play.start(),
            play.sub("sp", play.straight(play.start("s"), play.throw("up", play.escalation()),
                                         play.user("deep"), play.end("e"))),
            play.end(),
        )
        + play.straight(play.boundary("heard", "sp", play.escalation(), False), play.user("h"),
                        play.end("he")),
    ),
    "compensation": GoldenModel(
        play.straight(play.start(), play.user("a"), play.user("b"),
                      play.throw("undo", play.compensate()), play.user("after"), play.end())
        + _undone("a") + _undone("b"),
        [("complete", "a", {"a": 1}), ("complete", "b", {"b": 1}), ("complete", "undo_b", {})],
    ),
    "compensation-in-a-subprocess": GoldenModel(
        play.straight(
            play.start(),
            play.sub("sp", play.straight(play.start("s"), play.user("a"), play.end("e"))
                     + _undone("a")),
            play.user("b"),
            play.end("undo", play.compensate()),
        ),
        [("complete", "a", {"inner": 1}), ("complete", "b", {})],
    ),
    "transaction": GoldenModel(
        play.straight(
            play.start(),
            play.sub("tx", play.straight(play.start("s"), play.user("a"), play.user("b"),
                                         play.end("stop", play.CANCEL)) + _undone("a"),
                     "transaction"),
            play.end(),
        )
        + play.straight(play.boundary("cancelled", "tx", play.CANCEL), play.user("x"),
                        play.end("xe")),
        [("complete", "a", {}), ("complete", "b", {}), ("complete", "undo_a", {})],
    ),
    "ad-hoc": GoldenModel(
        play.straight(play.start(), play.sub("x", play.user("a") + play.user("b"),
                                             "adHocSubProcess"), play.end()),
        [("complete", "b", {"n": 2})],
    ),
    "condition": GoldenModel(
        play.start() + _gateway("fork") + play.catch("until", play.conditional("ready"))
        + play.user("a") + play.user("b") + play.end() + play.end("e2")
        + play.to("begin", "fork") + play.to("fork", "until") + play.to("fork", "a")
        + play.to("until", "b") + play.to("b", "e2") + play.to("a", "finish"),
        [("complete", "a", {"ready": True})],
        data={"ready": False},
    ),
}  # fmt: skip
"""By name, in the order in which they are listed."""
