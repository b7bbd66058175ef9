"""Whose a task is: what a package says of dispatch, and the law that ends a dispute.

A department may return a task that is not its own. The first return goes back to the dispatcher,
the second to an adjudicator whose decision is final; a department that has finished such a task
has accepted it. So a case bounces at most twice, whatever anybody does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from engine.domain.lifecycle import STAFF_ROLES
from engine.domain.limit import Limit

Settled = Literal["", "adjudicated", "accepted"]
ASSIGN = ("queue", "least_loaded")
MOST_RETURNS = 2
DEFAULT_LIMITS: Mapping[str, Limit] = {
    "return": Limit("working_days", 1),
    "redispatch": Limit("working_days", 1),
    "adjudicate": Limit("working_days", 1),
    "joint": Limit("working_days", 5),
}
"""What holds where the package has no limit of that name."""


@dataclass(frozen=True)
class Desk:
    """Who decides: people of this role in this department."""

    department: str
    role: str = "caseworker"


@dataclass(frozen=True)
class ReturnReason:
    """Why a department may return a task; with `needs_basis` it must name its rule or evidence."""

    code: str
    title: Mapping[str, str]
    needs_basis: bool = True


@dataclass(frozen=True)
class DispatchRules:
    """The package's ``[dispatch]``. `table` is the decision that names a task's department."""

    table: str | None = None
    assign: str = "queue"
    returns: bool = False
    dispatcher: Desk | None = None
    adjudicator: Desk | None = None
    reasons: Mapping[str, ReturnReason] = field(default_factory=dict)


@dataclass(frozen=True)
class Dispute:
    """How far the tasks of one element of a case have been contested, and where they go."""

    department: str | None = None
    returns: int = 0
    settled: Settled = ""

    def refusal(self) -> str | None:
        """Why another return is refused: ``final``, ``accepted``; None if it is not."""
        if self.settled == "adjudicated" or self.returns >= MOST_RETURNS:
            return "final"
        return "accepted" if self.settled else None

    def returned(self) -> Dispute:
        """Once more returned. Raises ValueError where it is refused."""
        if self.refusal() is not None:
            raise ValueError(self.refusal())
        return replace(self, returns=self.returns + 1)

    @property
    def decider(self) -> str:
        """Who decides the newest return: ``redispatch`` or ``adjudicate``."""
        return "redispatch" if self.returns < MOST_RETURNS else "adjudicate"

    def dispatched(self, department: str) -> Dispute:
        """Decided by whoever had to; the adjudicator's word is final."""
        final = self.decider == "adjudicate"
        return replace(self, department=department, settled="adjudicated" if final else "")

    def accepted(self, department: str) -> Dispute:
        """The department has finished such a task."""
        return replace(self, department=department, settled=self.settled or "accepted")


def dispute_of(kept: Mapping[str, Any] | None, element: str) -> Dispute:
    """The dispute about an element, from what the case keeps."""
    return Dispute(**(kept or {}).get(element, {}))


def with_dispute(
    kept: Mapping[str, Any] | None, element: str, dispute: Dispute
) -> dict[str, dict[str, Any]]:
    """What the case keeps, with this dispute in it."""
    return {**(kept or {}), element: dict(vars(dispute))}


class ManifestReader(Protocol):
    """What reading a part of the manifest needs; see `engine.domain.package`."""

    raw: Mapping[str, Any]

    def wrong(self, code: str, element: str, **params: Any) -> None: ...

    def table(self, path: str, of: Mapping[str, Any] | None = None) -> Mapping[str, Any]: ...

    def text(self, value: Any, where: str) -> Mapping[str, str]: ...


def read_dispatch(reader: ManifestReader) -> DispatchRules:
    """``[dispatch]`` and ``[[returns]]`` of the manifest; what is wrong in them is noted."""
    table = reader.table("dispatch")
    name, assign, returns = table.get("table"), table.get("assign", "queue"), table.get("returns")
    if name is not None and not (isinstance(name, str) and name):
        reader.wrong("manifest_setting_wrong", "dispatch.table", expected="text")
        name = None
    if assign not in ASSIGN:
        reader.wrong("manifest_setting_wrong", "dispatch.assign", expected=" | ".join(ASSIGN))
    if returns not in (None, True, False):
        reader.wrong("manifest_setting_wrong", "dispatch.returns", expected="true | false")
    rules = DispatchRules(
        table=name,
        assign=assign,
        returns=returns is True,
        dispatcher=_desk(reader, table, "dispatcher"),
        adjudicator=_desk(reader, table, "adjudicator"),
        reasons=_reasons(reader),
    )
    if rules.returns:
        needed = {
            "dispatch.dispatcher": rules.dispatcher,
            "dispatch.adjudicator": rules.adjudicator,
            "returns": rules.reasons,
        }
        for setting in [name for name, value in needed.items() if not value]:
            reader.wrong("dispatch_setting_missing", setting, setting=setting)
    return rules


def _desk(reader: ManifestReader, table: Mapping[str, Any], name: str) -> Desk | None:
    if name not in table:
        return None
    desk = reader.table(name, table)
    department, role = desk.get("department"), desk.get("role", "caseworker")
    if not isinstance(department, str) or not department:
        reader.wrong("manifest_setting_wrong", f"dispatch.{name}.department", expected="text")
        return None
    if role not in STAFF_ROLES:
        expected = " | ".join(STAFF_ROLES)
        reader.wrong("manifest_setting_wrong", f"dispatch.{name}.role", expected=expected)
        return None
    return Desk(department, role)


def _reasons(reader: ManifestReader) -> dict[str, ReturnReason]:
    rows = reader.raw.get("returns", [])
    if not isinstance(rows, list):
        reader.wrong("manifest_setting_wrong", "returns", expected="[[returns]]")
        return {}
    made: dict[str, ReturnReason] = {}
    for number, row in enumerate(rows, start=1):
        where = f"returns[{number}]"
        code = row.get("code") if isinstance(row, Mapping) else None
        if not isinstance(code, str) or not code.isidentifier() or len(code) > 40:
            reader.wrong("manifest_setting_wrong", f"{where}.code", expected="a_word")
            continue
        title = reader.text(row.get("title"), f"{where}.title")
        made[code] = ReturnReason(code, title, row.get("needs_basis") is not False)
    return made
