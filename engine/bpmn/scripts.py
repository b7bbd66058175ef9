"""Designers' scripts: a Python subset run by pydantic-monty in a worker process of its own.

A script sees the process data as its variables and may assign top-level names; those become data.
It has no files, no network, no clock; time, memory and recursion are bounded, and what comes out
must be plain data of bounded size.
"""

from __future__ import annotations

import ast
import atexit
import threading
from collections.abc import Mapping
from typing import Any

import pydantic_monty

MAX_LENGTH = 20_000
MAX_NODES_OUT = 20_000
_LIMITS: pydantic_monty.ResourceLimits = {
    "max_feed_duration_secs": 0.5,
    "max_memory": 32_000_000,
    "max_recursion_depth": 200,
    "max_total_sleep_secs": 0.0,
}
_REFUSED = (
    ast.Import,
    ast.ImportFrom,
    ast.ClassDef,
    ast.AsyncFunctionDef,
    ast.Await,
    ast.Global,
    ast.Nonlocal,
    ast.Delete,
    ast.With,
    ast.Yield,
    ast.YieldFrom,
)


class ScriptFailed(Exception):
    """The script did not end well; its message says why."""


def refusal(source: str) -> tuple[str, int] | None:
    """Why the script is refused and at which of its lines, or None."""
    if len(source) > MAX_LENGTH:
        return f"a script has at most {MAX_LENGTH} characters", 1
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError) as error:
        return str(error), getattr(error, "lineno", None) or 1
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 1)
        if isinstance(node, _REFUSED):
            return f"{type(node).__name__} is not allowed", line
        name = getattr(node, "attr", getattr(node, "id", ""))
        if isinstance(name, str) and name.startswith("_"):
            return f"{name} is not allowed", line
    return None


def run(source: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The names the script assigned, with their values. Raises ScriptFailed."""
    if wrong := refusal(source):
        raise ScriptFailed(wrong[0])
    tree = ast.parse(source)
    names = sorted(_assigned(tree))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    inputs = {name: value for name, value in data.items() if name in used}
    result = "{" + ", ".join(f"{name!r}: {name}" for name in names) + "}"
    try:
        with _pool().checkout(limits=_LIMITS) as session:
            made = session.feed_run(
                f"{source}\n{result}", inputs=inputs, print_callback=pydantic_monty.CollectString()
            )
    except pydantic_monty.MontyError as error:
        raise ScriptFailed(str(error)) from error
    _check_plain(made, [MAX_NODES_OUT])
    return dict(made)


def _assigned(tree: ast.Module) -> set[str]:
    names = set()
    for statement in tree.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Assign):
                names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
            elif isinstance(node, ast.AugAssign | ast.AnnAssign) and isinstance(
                node.target, ast.Name
            ):
                names.add(node.target.id)
            elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                root = node.value
                while isinstance(root, ast.Subscript):
                    root = root.value
                if isinstance(root, ast.Name):
                    names.add(root.id)
    return names


def _check_plain(value: Any, left: list[int], depth: int = 0) -> None:
    left[0] -= 1
    if left[0] < 0 or depth > 40:
        raise ScriptFailed("the script's result is too large")
    if isinstance(value, dict):
        for key, each in value.items():
            if type(key) is not str or key.startswith("__"):
                raise ScriptFailed("the keys of data are plain texts")
            _check_plain(each, left, depth + 1)
    elif isinstance(value, list):
        for each in value:
            _check_plain(each, left, depth + 1)
    elif isinstance(value, str):
        left[0] -= len(value) // 100
    elif type(value) is int and abs(value) < 2**63:
        return
    elif not (value is None or type(value) in (bool, float)):
        raise ScriptFailed(f"{type(value).__name__} is no plain data")


_lock = threading.Lock()
_running: list[pydantic_monty.Monty] = []


def _pool() -> pydantic_monty.Monty:
    """The workers, started at the first script."""
    with _lock:
        if not _running:
            pool = pydantic_monty.Monty(
                min_processes=1, max_processes=2, request_timeout=2.0, max_checkouts_per_worker=200
            )
            pool.__enter__()
            atexit.register(pool.__exit__, None, None, None)
            _running.append(pool)
        return _running[0]
