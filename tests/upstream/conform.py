"""Runs SpiffWorkflow's own tests, on it and on this engine, and tells where they part."""

from __future__ import annotations

import fnmatch
import os
import sys
import tomllib
import unittest
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.upstream.reading import Refused
from tests.upstream.stand_ins import standing_in

FOLDERS = ("bpmn", "camunda", "spiff")
DIFFERENCES = Path(__file__).with_name("differences.toml")


@dataclass
class Result(unittest.TestResult):
    """What became of each test: passed, or why not."""

    passed: set[str] = field(default_factory=set)
    skipped_for: dict[str, str] = field(default_factory=dict)
    failed_with: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    def addSuccess(self, test: Any) -> None:
        self.passed.add(name_of(test))

    def addSkip(self, test: Any, reason: str) -> None:
        self.skipped_for[name_of(test)] = reason

    def addError(self, test: Any, err: Any) -> None:
        self.failed_with[name_of(test)] = err[1]

    addFailure = addError


def counted(what: str, found: Mapping[str, str]) -> Iterator[str]:
    """Lines that say how many do `what`, and how many for each reason."""
    yield f"{len(found):5} {what}:"
    for reason, count in Counter(found.values()).most_common():
        yield f"{count:9}  {reason}"


def unexplained(found: Mapping[str, str]) -> Iterator[str]:
    """Lines that name each of those nobody has said a reason for, and how it differs."""
    yield f"{len(found):5} differ and nobody has said why"
    for name, why in sorted(found.items()):
        yield f"{'':9}  {name}: {why[:400]}"


@dataclass(frozen=True)
class Difference:
    """Why some tests, or models, give something else here, and which: patterns of their names."""

    reason: str
    tests: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    """The findings with which models are refused for that reason."""


def reason_for(
    known: Iterable[Difference], what: str, name: str, codes: frozenset[str] = frozenset()
) -> str | None:
    """Why `name`, one of the `what` (``tests`` or ``models``), differs, if that is documented.

    A model that is refused is explained if each of the `codes` is.
    """
    refused = {code: each.reason for each in known for code in each.codes}
    if codes and codes <= set(refused):
        return refused[min(codes)]
    for each in known:
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in getattr(each, what)):
            return each.reason
    return None


def differences() -> list[Difference]:
    read = tomllib.loads(DIFFERENCES.read_text())
    return [
        Difference(
            each["reason"], *(tuple(each.get(name, ())) for name in ("tests", "models", "codes"))
        )
        for each in read["difference"]
    ]


def name_of(test: Any) -> str:
    return str(test.id()).removeprefix("tests.SpiffWorkflow.")


@dataclass
class Report:
    """The names of the tests by what became of them."""

    same: list[str] = field(default_factory=list)
    differ: dict[str, str] = field(default_factory=dict)
    """Documented, by the reason."""
    not_ours: dict[str, str] = field(default_factory=dict)
    other_release: list[str] = field(default_factory=list)
    """Failed or skipped on the installed SpiffWorkflow itself."""
    only_here: list[str] = field(default_factory=list)
    """Those of them that this engine passes."""
    unknown: dict[str, str] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        ran = len(self.same) + len(self.differ) + len(self.unknown)
        yield f"{ran + len(self.not_ours)} tests that SpiffWorkflow itself passes"
        yield f"{len(self.same):5} pass on this engine as well"
        yield from counted("differ for a documented reason", self.differ)
        yield from counted(
            "look at parts of the library that have no counterpart here", self.not_ours
        )
        yield from unexplained(self.unknown)
        yield (
            f"({len(self.other_release)} more fail or are skipped on SpiffWorkflow itself; "
            f"{len(self.only_here)} of them pass here)"
        )


def run(checkout: Path, pattern: str = "*") -> Report:
    """Run the tests of the checkout whose names match `pattern`, on both engines."""
    stock = _run(checkout, pattern)
    with standing_in():
        ours = _run(checkout, pattern)
    report, known = Report(), differences()
    for name in sorted(stock.passed | set(stock.failed_with) | set(stock.skipped_for)):
        if name not in stock.passed:
            report.other_release.append(name)
            report.only_here += [name] if name in ours.passed else []
        elif name in ours.passed:
            report.same.append(name)
        elif name in ours.skipped_for:
            report.not_ours[name] = ours.skipped_for[name]
        else:
            _place(report, known, name, ours.failed_with.get(name))
    return report


def _place(report: Report, known: list[Difference], name: str, error: Any) -> None:
    codes = error.codes if isinstance(error, Refused) else frozenset()
    reason = reason_for(known, "tests", name, codes)
    if reason is not None:
        report.differ[name] = reason
    else:
        report.unknown[name] = f"{type(error).__name__}: {error}".replace("\n", " ")[:300]


def _run(checkout: Path, pattern: str) -> Result:
    """All the tests, imported anew from the checkout so that they meet the classes of now."""
    result = Result()
    with _Imports(checkout), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for suite in _suites(checkout):
            for test in _flat(suite):
                if fnmatch.fnmatchcase(name_of(test), pattern):
                    test.run(result)
    return result


def _suites(checkout: Path) -> Iterator[unittest.TestSuite]:
    loader = unittest.TestLoader()
    root = checkout / "tests" / "SpiffWorkflow"
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            if path.stem != "__init__":
                name = ".".join(path.relative_to(checkout).with_suffix("").parts)
                yield loader.loadTestsFromName(name)


def _flat(suite: Any) -> Iterator[unittest.TestCase]:
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from _flat(each)
        else:
            yield each


class _Imports:
    """Makes ``tests.SpiffWorkflow`` mean the checkout's, and forgets it again."""

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout
        self.package = sys.modules["tests"]
        self.before: Mapping[str, Any] = {}
        self.here = ""

    def __enter__(self) -> None:
        self.paths = list(self.package.__path__)
        self.package.__path__ = [*self.paths, str(self.checkout / "tests")]
        self.here = os.getcwd()
        os.chdir(self.checkout)

    def __exit__(self, *error: object) -> None:
        os.chdir(self.here)
        self.package.__path__ = self.paths
        for name in [each for each in sys.modules if each.startswith("tests.SpiffWorkflow")]:
            del sys.modules[name]
        if hasattr(self.package, "SpiffWorkflow"):
            del self.package.SpiffWorkflow
