"""What a scenario expects, held against what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def unmet(expect: Mapping[str, Any], actual: Mapping[str, Any]) -> str | None:
    """In words the first expectation that does not hold, or None.

    Of ``clocks`` and ``task_due`` only the keys that are named must be so, and of each of the
    ``followers`` only what is said of it.
    """
    for name, wanted in expect.items():
        if name == "suggestions_at_most":
            got, right = actual["suggestions"], len(actual["suggestions"]) <= wanted
        elif name not in actual:
            return f"nothing is called {name!r}"
        else:
            got = actual[name]
            right = _holds(name, got, wanted)
        if not right:
            return f"{name} is {got!r}, not {wanted!r}"
    return None


def _holds(name: str, got: Any, wanted: Any) -> bool:
    if name in ("clocks", "task_due"):
        return _named(got, wanted)
    if name == "followers":
        return len(got) == len(wanted) and all(map(_named, got, wanted))
    if name == "open":
        return bool(got == sorted(wanted))
    return bool(got == _comparable(wanted))


def _named(got: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(got.get(key) == _comparable(value) for key, value in wanted.items())


def _comparable(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
