"""How large the stored state of a case is, beside SpiffWorkflow's JSON for the same case."""

from __future__ import annotations

import json
from typing import Any

from SpiffWorkflow.bpmn.workflow import BpmnWorkflow

from benchmarks import naive
from benchmarks.case12 import REVIEW, TASKS, answers
from benchmarks.shapes import FORM, ours, stock
from engine.bpmn.running.process import PackagedProcess

WORDS = ("申请人", "address", "证明材料", "permit", "2026-01-05", "经办意见", "in order")


def form(size: int) -> dict[str, Any]:
    """What somebody filled in, about `size` bytes of it."""
    filled: dict[str, Any] = {}
    while len(json.dumps(filled, ensure_ascii=False).encode()) < size:
        number = len(filled)
        words = (WORDS[(number * 7 + each * (number % 5 + 1)) % len(WORDS)] for each in range(6))
        filled[f"field_{number}"] = f"{number * 7919 % 10_007} {' '.join(words)}"
    return filled


def states(case: PackagedProcess, spec: Any, serializer: Any) -> dict[str, dict[str, float]]:
    """Bytes of a state at each step of the case, and of a case that holds a form of 10 kB."""
    rows: dict[str, list[tuple[int, Any]]] = {}
    step = case.start({"application": dict(answers(1))})
    workflow = BpmnWorkflow(spec)
    workflow.task_tree.data.update(answers(1))
    workflow.do_engine_steps()
    workflow.refresh_waiting_tasks()
    rows["filed"] = [(len(step.state), serializer.to_dict(workflow))]
    for name in TASKS:
        key = next(task.key for task in step.tasks if task.element == name)
        step = case.complete(step.state, key, {name: dict(REVIEW)})
        naive.finish(workflow, name, {name: dict(REVIEW)})
        rows[name] = [(len(step.state), serializer.to_dict(workflow))]
    filled = form(10_000)
    workflow = BpmnWorkflow(stock(FORM))
    workflow.task_tree.data.update(filled)
    workflow.do_engine_steps()
    size = len(ours(FORM).start(filled).state)
    rows["form of 10 kB"] = [(size, serializer.to_dict(workflow))]
    return {name: _row(*row) for name, [row] in rows.items()}


def _row(size: int, stock_state: dict[str, Any]) -> dict[str, float]:
    whole = len(json.dumps(stock_state))
    for name in ("spec", "subprocess_specs"):
        stock_state.pop(name)
    bare = len(json.dumps(stock_state))
    return {
        "banshi": size,
        "stock": whole,
        "stock without spec": bare,
        "times": round(whole / size, 1),
        "times without spec": round(bare / size, 1),
    }
