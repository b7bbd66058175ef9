"""Hostile and broken models cost nothing: an answer in time, in words, and in little memory."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bpmn import deploy_report
from engine.simulation import Answers, simulate
from tests.unit.bpmn.coverage.play import end, script, start, straight, sub, task, to, user
from tests.unit.bpmn.models import HEAD

SECONDS, BYTES = 3.0, 100_000_000


def several(number: str, sequential: bool = False) -> str:
    return (
        f'<bpmn:multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}">'
        f"<bpmn:loopCardinality>{number}</bpmn:loopCardinality>"
        "</bpmn:multiInstanceLoopCharacteristics>"
    )


def forks(depth: int) -> str:
    """Each task is followed by two paths to the next: 2^depth tokens."""
    body = start() + to("begin", "t0")
    for n in range(depth):
        body += task(f"t{n}") + task(f"x{n}")
        body += to(f"t{n}", f"t{n + 1}") + to(f"t{n}", f"x{n}") + to(f"x{n}", f"t{n + 1}")
    return body + task(f"t{depth}") + end() + to(f"t{depth}", "finish")


def nested(depth: int) -> str:
    inner = straight(start("s"), task("t"), end("e"))
    for n in range(depth):
        inner = straight(start(f"s{n}"), sub(f"p{n}", inner), end(f"e{n}"))
    return inner


LOOP = (
    start() + '<bpmn:exclusiveGateway id="m"/>' + script("a", "n = [n, n]")
    + '<bpmn:exclusiveGateway id="x" default="x_to_m"/>' + to("begin", "m") + to("m", "a")
    + to("a", "x") + to("x", "m") + end() + to("x", "finish", "never")
)  # fmt: skip
RUN = {
    "2^40 tokens": forks(40),
    "a trillion instances": straight(start(), user("t", several("10 ** 12")), end()),
    "ten thousand by ten thousand": straight(
        start(),
        sub("o", several("10000") + straight(start("s"), task("t", several("10000")), end("e"))),
        end(),
    ),
    "data that doubles": LOOP,
    "a script without end": straight(start(), script("t", "while True:\n  pass"), end()),
    "a number without end": straight(start(), script("t", "x = 9 ** 9 ** 9"), end()),
    "nested thirty deep": nested(12),
}


@pytest.mark.parametrize("name", RUN)
def test_a_runaway_is_stopped_in_words(name: str) -> None:
    process = f'<bpmn:process id="p" isExecutable="true">{RUN[name]}</bpmn:process>'
    text = f"{HEAD}{process}</bpmn:definitions>"
    began = time.perf_counter()
    report, package = deploy_report({"p.bpmn": text.encode()})
    assert time.perf_counter() - began < SECONDS
    if not package.can_run():
        assert not report.publishable
        return
    outcome = simulate(package, "p", Answers(), max_steps=100)
    assert outcome.reason in ("failed", "finished")
    if outcome.error is not None:
        assert outcome.error["reason"] not in ("unexpected", "engine_refused")


READ = {
    "billion laughs": b'<!DOCTYPE x [<!ENTITY a "aaa"><!ENTITY b "&a;&a;">]><x>&b;</x>',
    "external entity": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
    "three megabytes": HEAD.encode() + b" " * 3_000_000,
    "deep": HEAD.encode() + b"<bpmn:subProcess>" * 5_000,
    "wide": HEAD.encode() + b'<bpmn:process id="p">' + b"<bpmn:task/>" * 100_000,
    "not text": bytes(range(256)) * 100,
    "nothing": b"",
    "another language": b"<html><body>hello</body></html>",
    "long names": HEAD.encode() + b'<bpmn:process id="' + b"x" * 1_000_000 + b'"/>',
    "one condition": (
        f'{HEAD}<bpmn:process id="p" isExecutable="true">'
        + straight(start(), task("a"), end())
        + to("a", "begin", "(" * 10_000)
        + "</bpmn:process></bpmn:definitions>"
    ).encode(),
    "a chain": (
        f'{HEAD}<bpmn:process id="p" isExecutable="true">'
        + straight(start(), *(task(f"t{n}") for n in range(2_900)), end())
        + "</bpmn:process></bpmn:definitions>"
    ).encode(),
    "all to all": (
        f'{HEAD}<bpmn:process id="p" isExecutable="true">'
        + "".join(task(f"t{n}") for n in range(100))
        + "".join(to(f"t{a}", f"t{b}") for a in range(100) for b in range(100))
        + "</bpmn:process></bpmn:definitions>"
    ).encode(),
}


@pytest.mark.parametrize("name", READ)
def test_a_file_is_answered_in_time_and_little_memory(name: str) -> None:
    began = time.perf_counter()
    tracemalloc.start()
    try:
        report, _ = deploy_report({"p.bpmn": READ[name]})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - began < 4 * SECONDS  # traced memory makes it several times slower
    assert peak < BYTES
    assert report.publishable or report.findings


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_answered(content: bytes) -> None:
    report, _ = deploy_report({"p.bpmn": content})
    assert not report.publishable
    assert report.findings
