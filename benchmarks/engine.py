"""What the process engine costs in memory, beside stock SpiffWorkflow; no database.

Run as ``python -m benchmarks.engine [--json] [--rounds N]``. CPU milliseconds:

case       the twelve-activity case, kept in memory from its start to its end
decision   the same, with a decision table for its rule
saved      the case with its state written and read again at each of its five steps
loop       480 turns of a loop of a task and a gateway, state written and read at each
scripts    a script for each of 1,000 items, in parallel
people     one of 1,000 open tasks of one activity finished, state read and written

and the bytes of the state that is stored after each step of the case, and of a form of 10 kB.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from benchmarks import naive
from benchmarks.case12 import REVIEW, TASKS, answers, diagram, table
from benchmarks.measure import machine
from benchmarks.shapes import LOOP, PEOPLE, SCRIPTS, ours, stock
from benchmarks.sizes import states
from engine.bpmn.running.process import PackagedProcess, _Run
from engine.bpmn.running.subprocesses import begin_scope
from engine.domain.process import Step

TURNS = 480


def _case(process: PackagedProcess) -> None:
    step = process.start({"application": dict(answers(1))})
    for name in TASKS:
        key = next(task.key for task in step.tasks if task.element == name)
        step = process.complete(step.state, key, {name: dict(REVIEW)})
    _must(step.finished)


def _kept_case(process: PackagedProcess) -> None:
    run = _Run(process)
    workflow = run.workflow()
    scope = workflow.open_scope("process", process.model.root, process.id, None)
    workflow.root = scope
    workflow.write_plain(scope, {"application": dict(answers(1))})
    begin_scope(workflow, scope, None)
    workflow.run_on()
    for name in TASKS:
        token = next(each for each in workflow.tasks.values() if each.node.id == name)
        workflow.write_plain(scope, {name: dict(REVIEW)})
        token.complete()
        workflow.run_on()
    _must(workflow.completed)


def _stock_case(spec: Any) -> None:
    workflow = BpmnWorkflow(spec)
    workflow.task_tree.data.update(answers(1))
    workflow.do_engine_steps()
    workflow.refresh_waiting_tasks()
    for name in TASKS:
        naive.finish(workflow, name, {name: dict(REVIEW)})
    _must(workflow.completed)


def _stock_saved_case(spec: Any, serializer: Any) -> None:
    workflow = BpmnWorkflow(spec)
    workflow.task_tree.data.update(answers(1))
    workflow.do_engine_steps()
    workflow.refresh_waiting_tasks()
    text = serializer.serialize_json(workflow)
    for name in TASKS:
        workflow = serializer.deserialize_json(text)
        naive.finish(workflow, name, {name: dict(REVIEW)})
        text = serializer.serialize_json(workflow)
    _must(workflow.completed)


def _loop(process: PackagedProcess, turns: int) -> Step:
    step = process.start({"turns": turns, "turn": 0})
    for turn in range(1, turns + 1):
        step = process.complete(step.state, step.tasks[0].key, {"turn": turn})
    _must(step.finished)
    return step


def _stock_loop(spec: Any, serializer: Any, turns: int) -> None:
    workflow = BpmnWorkflow(spec)
    workflow.task_tree.data.update({"turns": turns, "turn": 0})
    workflow.do_engine_steps()
    text = serializer.serialize_json(workflow)
    for turn in range(1, turns + 1):
        workflow = serializer.deserialize_json(text)
        task = workflow.get_next_task(state=TaskState.READY, spec_name="a")
        task.data["turn"] = turn
        task.run()
        workflow.do_engine_steps()
        text = serializer.serialize_json(workflow)
    _must(workflow.completed)


def _stock_scripts(spec: Any) -> None:
    workflow = BpmnWorkflow(spec)
    workflow.do_engine_steps()
    _must(workflow.completed)


def _stock_person(serializer: Any, text: str) -> None:
    workflow = serializer.deserialize_json(text)
    workflow.get_next_task(state=TaskState.READY, manual=True).run()
    workflow.do_engine_steps()
    serializer.serialize_json(workflow)


def _must(true: bool) -> None:
    if not true:
        raise RuntimeError("the case did not come to its end")


def _work(serializer: Any) -> dict[str, tuple[int, Callable[[], Any]]]:
    """What is measured: how often in a row, and what."""
    case, case_spec = ours(diagram(), "case12"), naive.stock_spec()
    ruled = ours(diagram(decision=True), "case12", table())
    ruled_spec = stock(diagram(False, decision=True), "case12", table(False))
    loop, scripts, scripts_spec = ours(LOOP), ours(SCRIPTS), stock(SCRIPTS)
    people, thousand = ours(PEOPLE), BpmnWorkflow(stock(PEOPLE))
    step = people.start({})
    thousand.do_engine_steps()
    text = serializer.serialize_json(thousand)
    return {
        "case, stock": (50, lambda: _stock_case(case_spec)),
        "case": (50, lambda: _kept_case(case)),
        "decision, stock": (50, lambda: _stock_case(ruled_spec)),
        "decision": (50, lambda: _kept_case(ruled)),
        "saved, stock": (20, lambda: _stock_saved_case(case_spec, serializer)),
        "saved": (50, lambda: _case(case)),
        "loop": (1, lambda: _loop(loop, TURNS)),
        "scripts, stock": (1, lambda: _stock_scripts(scripts_spec)),
        "scripts": (1, lambda: _must(scripts.start({}).finished)),
        "people, stock": (2, lambda: _stock_person(serializer, text)),
        "people": (10, lambda: people.complete(step.state, step.tasks[0].key, {})),
    }


def measure(rounds: int) -> dict[str, Any]:
    serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure())
    work = _work(serializer)
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds + 1):
        for name, (count, run) in work.items():
            began = time.process_time()
            for _ in range(count):
                run()
            times[name].append((time.process_time() - began) / count * 1000)
    # Quadratic, so once is enough: it takes ten seconds.
    began = time.process_time()
    _stock_loop(stock(LOOP), serializer, TURNS)
    times["loop, stock"] = [0.0, (time.process_time() - began) * 1000]
    _loop(ours(LOOP), 5_000)
    each = {name: statistics.median(values[1:]) for name, values in times.items()}
    return {
        "machine": machine(),
        "cpu_ms": {name: round(value, 3) for name, value in each.items()},
        "ratios": {
            name: round(each[f"{name}, stock"] / each[name], 1)
            for name in each
            if f"{name}, stock" in each
        },
        "turns_completed": 5_000,
        "bytes_of_state": states(ours(diagram(), "case12"), naive.stock_spec(), serializer),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    found = measure(given.rounds)
    if given.json:
        print(json.dumps(found, indent=2))
    else:
        for name, value in found["cpu_ms"].items():
            print(f"{name:16}{value:>12}")
        print(found["ratios"])
        for name, row in found["bytes_of_state"].items():
            print(f"{name:16}{row}")
