"""What every session of the sandbox has read before a designer's source comes.

There ``a.b`` reads the key ``b`` of the data ``a``, what is missing is None, None is neither more
nor less than anything, and every method of None gives None, as in the interpreter of simple
expressions. Designers cannot write a name that begins with ``_``.
"""

from __future__ import annotations

from engine.bpmn.allowed import SCRIPT_METHODS

_HELPERS = """
def _get(value, key):
    return value.get(key) if isinstance(value, dict) else None
def _item(value, key):
    if isinstance(value, dict):
        return value.get(key)
    if isinstance(value, (list, str)) and isinstance(key, int):
        return value[key] if -len(value) <= key < len(value) else None
    return None
def _drop(value, key):
    if isinstance(value, dict):
        value.pop(key, None)
    else:
        value.pop(key)
def _len(value):
    return 0 if value is None else len(value)
def _in(value, many):
    return many is not None and value in many
def _data(value):
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_data(each) for each in value]
    if isinstance(value, dict):
        return {key: _data(each) for key, each in value.items()}
    raise TypeError("no plain data")
def _lt(a, b):
    return a is not None and b is not None and a < b
def _le(a, b):
    return a is not None and b is not None and a <= b
def _gt(a, b):
    return a is not None and b is not None and a > b
def _ge(a, b):
    return a is not None and b is not None and a >= b
def _m_sort(value, reverse=False):
    return None if value is None else value.sort(reverse=reverse)
"""

PRELUDE = _HELPERS + "".join(
    f"def _m_{name}(value, *rest):\n    return None if value is None else value.{name}(*rest)\n"
    for name in sorted(SCRIPT_METHODS - {"sort"})
)
