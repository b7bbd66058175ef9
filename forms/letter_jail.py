"""The process in which letters are rendered: a sandboxed template, bounded, with nothing to reach.

Run as ``python -I letter_jail.py``: reads a line of JSON, writes a line of JSON, until the input
ends. It must not import anything of the product.
"""

from __future__ import annotations

import json
import resource
import sys
from datetime import date
from typing import Any

from jinja2 import StrictUndefined, nodes
from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_OUTPUT = 200_000
MEMORY = 512 * 1024 * 1024
FILTERS = (
    "default", "join", "length", "upper", "lower", "title", "trim", "round", "int", "first", "last",
)  # fmt: skip
OWN_FILTERS = ("date", "field_labels", "option_label")
REFUSED = (
    nodes.Macro, nodes.CallBlock, nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends,
    nodes.Block, nodes.FilterBlock,
)  # fmt: skip


def long_date(value: Any, locale: str) -> str:
    """``2026年2月10日`` or ``10 February 2026``; nothing for no date."""
    if isinstance(value, str):
        value = date.fromisoformat(value[:10])
    if not isinstance(value, date):
        return ""
    if locale == "zh-CN":
        return f"{value.year}年{value.month}月{value.day}日"
    months = "January February March April May June July August September October November December"
    return f"{value.day} {months.split()[value.month - 1]} {value.year}"


def environment(locale: str = "zh-CN", texts: Any = None) -> ImmutableSandboxedEnvironment:
    """The environment letters are checked and rendered in. `texts`: form -> key -> text."""
    texts = texts or {}
    made = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    kept = {name: made.filters[name] for name in FILTERS}
    made.filters.clear()
    made.filters.update(kept)
    made.globals.clear()

    def field_labels(names: Any) -> list[str]:
        form = texts.get("start", {})
        return [form.get(str(name), str(name)) for name in names or []]

    def option_label(value: Any, form: str, field: str) -> str:
        labels = texts.get(form, {})
        return str(labels.get(f"{field}={value}", value))

    made.filters["date"] = lambda value: long_date(value, locale)
    made.filters["field_labels"] = field_labels
    made.filters["option_label"] = option_label
    return made


def render(request: dict[str, Any]) -> dict[str, Any]:
    """The rendered text, or the reason why there is none."""
    context = _with_dates(request["context"])
    try:
        template = environment(request["locale"], request["texts"]).from_string(request["template"])
        text = ""
        for piece in template.generate(**context):
            text += piece
            if len(text) > MAX_OUTPUT:
                return {"error": "the letter is too long"}
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, MemoryError) as e:
        return {"error": f"{type(e).__name__}: {e}"}
    return {"text": text}


def _with_dates(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"__date__"}:
            return date.fromisoformat(value["__date__"])
        return {key: _with_dates(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_dates(each) for each in value]
    return value


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    for line in sys.stdin:
        # An object of the request that is not plain data cannot exist: it came through JSON.
        sys.stdout.write(json.dumps(render(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
