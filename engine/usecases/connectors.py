"""Call a connector for a case that waits for it, and bring what came of it to the case.

The call happens outside of any transaction. What it gave is kept on the job before the case goes
on, so that a step which fails behind it does not repeat it; only a worker that dies in between
does, with the same key.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from engine.bpmn.plain import NotPlain, plain_copy
from engine.domain.access import SYSTEM
from engine.domain.connector import (
    COMMON,
    SECRET,
    Call,
    Connector,
    ConnectorFailed,
    Connectors,
    Description,
    Setting,
    is_expression,
)
from engine.domain.process import Element
from engine.kernel.errors import ExecutionFailed
from engine.kernel.faults import crash_point
from engine.store.tables import Case, ExternalJob, Job
from engine.store.tables.base import dump_json
from engine.store.uow import UnitOfWork, Work
from engine.usecases.advance import advance
from engine.usecases.case_lock import lock_case, state_of
from engine.usecases.connector_jobs import promise_call
from engine.usecases.definition import definition, definition_for
from engine.usecases.redaction import Redaction

log = logging.getLogger("banshi.connectors")
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=1)
Report = Callable[[Work, Job], None]


@dataclass(frozen=True)
class _Outcome:
    """Process data, or the BPMN error with which the task ends."""

    data: Mapping[str, Any] = field(default_factory=dict)
    error_code: str | None = None
    message: str = ""


def call_connector(uow: UnitOfWork, job: Job) -> Report:
    """Do the job: call, keep what came of it, and give what is to be done in the transaction.

    Raises ExecutionFailed when there are no tries left, or none would help.
    """
    with uow.read() as session:
        waiting = session.get(ExternalJob, job.payload["external_job_id"])
        if waiting is None or waiting.state != "open":
            return _nothing
        case = session.get_one(Case, waiting.case_id)
        made = definition(session, case.package_version_id, uow.ports)
    kept = job.payload.get("outcome")
    if waiting.element in job.payload.get("skip", ()):
        return _carry_out(_Outcome())
    if kept is not None:
        return _carry_out(_Outcome(**kept))
    redaction = Redaction()
    try:
        element = made.process.elements.get(waiting.element)
        if element is None or "connector" not in element.properties:
            raise ConnectorFailed("the model no longer names a connector here")
        outcome = _called(uow, job, _Settings(waiting, element), redaction)
    except ConnectorFailed as failure:
        text = redaction.text(str(failure))
        log.warning("%s of %s failed: %s", waiting.topic, waiting.element, text)
        return _try_again(uow, job, waiting, failure, text)
    crash_point("connector_called")
    uow.run(_keep, (job, {**job.payload, "outcome": vars(outcome)}))
    return _carry_out(outcome)


def _nothing(work: Work, job: Job) -> None:
    """The case no longer waits for it."""


class _Settings:
    """The settings of a task: as the model has them where it writes them out, else as they were
    worked out when the case came here. A case that was moved to another version keeps the values,
    and what somebody typed never counts as written by the designer."""

    def __init__(self, waiting: ExternalJob, element: Element) -> None:
        self.key = waiting.id
        self.written = {
            name: text for name, text in element.properties.items() if not is_expression(text)
        }
        self.values: dict[str, Any] = {
            name: self.written.get(name, waiting.settings.get(name)) for name in element.properties
        }

    @property
    def repeatable(self) -> bool:
        return str(self.values.get("repeatable") or "true").strip().lower() != "false"

    @property
    def errors(self) -> dict[str, str]:
        """The BPMN error code for each kind of failure the model deals with."""
        pairs = (each.partition("=") for each in str(self.values.get("errors") or "").split())
        return {kind: code for kind, _, code in pairs if kind and code}

    def described(
        self, description: Description, connectors: Connectors, redaction: Redaction
    ) -> dict[str, Any]:
        """What the connector reads, checked, with secrets in place. Raises ConnectorFailed."""
        made = {}
        for name, value in self.values.items():
            setting = description.setting(name)
            if setting is None or value is None or value == "":
                continue
            if name in self.written:
                made[name] = SECRET.sub(
                    lambda found: redaction.reveal(connectors.secret(found[1])), value
                )
            elif setting.literal:
                raise ConnectorFailed(f"the setting {name} may not be an expression")
            else:
                made[name] = value
            _check(setting, name, made[name])
        for setting in description.settings:
            if setting.required and not any(setting.is_for(name) for name in made):
                raise ConnectorFailed(f"the setting {setting.name} is missing")
        for setting in COMMON:
            if value := self.values.get(setting.name):
                _check(setting, setting.name, value)
        return made


def _check(setting: Setting, name: str, value: Any) -> None:
    expected = setting.expected(value)
    if expected is not None:
        raise ConnectorFailed(f"the setting {name} has to be {expected}")


def _called(uow: UnitOfWork, job: Job, settings: _Settings, redaction: Redaction) -> _Outcome:
    name, connectors = str(settings.values["connector"]), uow.ports.connectors
    connector = connectors.connector(name)
    if connector is None:
        raise ConnectorFailed(f"the connector {name} is not installed here")
    if not settings.repeatable and job.attempts > 1:
        raise ConnectorFailed("it is not known whether the last call was carried out")
    call = Call(
        key=settings.key,
        settings=settings.described(connector.description, connectors, redaction),
        now=uow.ports.clock.now(),
        errors=settings.errors,
    )
    try:
        result = redaction.plain(plain_copy(_run(connector, call)))
    except NotPlain as error:
        raise ConnectorFailed(f"the answer cannot be kept: {error}", done=True) from error
    except ConnectorFailed as failure:
        failure.again = failure.again and (settings.repeatable or not failure.done)
        code = next((call.errors[kind] for kind in failure.kinds if kind in call.errors), None)
        if code is None or (failure.again and job.payload["left"] > 1):
            raise
        return _Outcome(error_code=code, message=redaction.text(str(failure))[:500])
    variable = settings.values.get("result_variable")
    return _Outcome({str(variable): result} if variable else {})


def _run(connector: Connector, call: Call) -> Any:
    try:
        return connector.run(call)
    except ConnectorFailed:
        raise
    except Exception as error:  # a connector may be anybody's: the case must not depend on it
        name = type(error).__name__
        raise ConnectorFailed(f"{name}: {error}", again=True, done=True) from error


def _keep(work: Work, command: tuple[Job, Mapping[str, Any]]) -> None:
    job, payload = command
    work.rows.later(
        "UPDATE jobs SET payload = %s WHERE id = %s AND state = 'running' AND leased_by = %s",
        dump_json(payload),
        job.id,
        job.leased_by,
    )


def _carry_out(outcome: _Outcome) -> Report:
    def report(work: Work, job: Job) -> None:
        case, waiting = _locked(work, job)
        skip = job.payload.get("skip", ())
        job.payload = _bare(job)
        if waiting is None:
            return
        made = definition_for(work, case.package_version_id)
        state = state_of(work, case).state
        if outcome.error_code is not None:
            step = made.process.fail(state, waiting.key, outcome.error_code, outcome.message)
        else:
            step = made.process.complete(state, waiting.key, outcome.data, skip)
        waiting.state, waiting.finished_at, waiting.locked_until = "done", work.now, None
        advance(work, made, case, step, SYSTEM)

    return report


def _try_again(
    uow: UnitOfWork, job: Job, waiting: ExternalJob, failure: ConnectorFailed, text: str
) -> Report:
    left = job.payload["left"] - 1
    if not failure.again or left < 1:
        if not uow.run(_give_up, (job, text)):
            return _nothing
        raise ExecutionFailed(element=waiting.element, reason="connector_failed", detail=text[:500])
    tried = job.payload["tries"] - left - 1
    pause = min(max(FIRST_PAUSE * 3**tried, failure.after or FIRST_PAUSE), LONGEST_PAUSE)

    def promise(work: Work, job: Job) -> None:
        _, waiting = _locked(work, job)
        if waiting is not None:
            waiting.retries, waiting.error = left, text[:2000]
            promise_call(work, waiting, {**_bare(job), "left": left}, work.now + pause)

    return promise


def _give_up(work: Work, command: tuple[Job, str]) -> bool:
    """No tries are left: the job's next is one an operator releases, with all tries again.

    Whether the case still waits for it.
    """
    job, text = command
    _, waiting = _locked(work, job)
    if waiting is None:
        return False
    waiting.retries, waiting.error = 0, text[:2000]
    _keep(work, (job, {**_bare(job), "left": job.payload["tries"]}))
    return True


def _locked(work: Work, job: Job) -> tuple[Case, ExternalJob | None]:
    """The case, locked, and what it waits for, if it still does."""
    case = lock_case(work, str(job.case_id))
    waiting = work.rows.get(ExternalJob, job.payload["external_job_id"])
    still = waiting is not None and waiting.state == "open" and case.state == "open"
    return case, waiting if still else None


def _bare(job: Job) -> dict[str, Any]:
    return {name: job.payload[name] for name in ("external_job_id", "tries", "left")}
