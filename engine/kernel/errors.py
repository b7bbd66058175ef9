"""Errors a caller can act on. The class name states the fact, its docstring is the sentence.

`EngineError` carries a stable `code` and the `params` the sentence needs. The HTTP status and the
words in the reader's language are chosen in `api/problems.py`; nothing here knows HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class EngineError(Exception):
    """Something a person asked for cannot be done, and why is known."""

    code: ClassVar[str] = "engine_error"

    def __init__(self, **params: Any) -> None:
        self.params: Mapping[str, Any] = params
        super().__init__(f"{self.code}: {dict(params)}" if params else self.code)


class NotFound(EngineError):
    """There is no such thing, or it is not yours to see."""

    code = "not_found"


class NotAllowed(EngineError):
    """Your role does not permit this."""

    code = "not_allowed"


class SignInRequired(EngineError):
    """Sign in first."""

    code = "sign_in_required"


class SignInRefused(EngineError):
    """The user name or the password is not right."""

    code = "sign_in_refused"


class TooManyAttempts(EngineError):
    """Too many failed attempts; wait `seconds` and try again."""

    code = "too_many_attempts"


class UserNameTaken(EngineError):
    """Somebody already uses this user name."""

    code = "user_name_taken"


class RequestForged(EngineError):
    """The request did not come from one of our own pages."""

    code = "request_forged"


class AnswersInvalid(EngineError):
    """Some answers are missing or wrong; `fields` lists them in form order."""

    code = "answers_invalid"


class TaskAlreadyClaimed(EngineError):
    """`holder` has this task."""

    code = "task_already_claimed"


class TaskNotYours(EngineError):
    """Claim the task before you work on it."""

    code = "task_not_yours"


class TaskNotOpen(EngineError):
    """The task has already been finished or is no longer needed."""

    code = "task_not_open"


class SkillMissing(EngineError):
    """The task needs the skill `skill`, which you do not have."""

    code = "skill_missing"


class ReturnRefused(EngineError):
    """The task cannot be returned; `why` says for what reason."""

    code = "return_refused"


class JointAnswersMissing(EngineError):
    """The co-handlers `departments` have not answered, and their time has not passed."""

    code = "joint_answers_missing"


class QuestionOpen(EngineError):
    """The task was passed on with a question that `holder` has to answer first."""

    code = "question_open"


class HandOverRefused(EngineError):
    """The task cannot be given to that person or department; `why` says for what reason."""

    code = "hand_over_refused"


class AbsenceRefused(EngineError):
    """The absence cannot be entered like this; `why` says for what reason."""

    code = "absence_refused"


class MergeRefused(EngineError):
    """The two cases cannot be merged or parted; `why` says for what reason."""

    code = "merge_refused"


class CaseNotOpen(EngineError):
    """The case has already ended."""

    code = "case_not_open"


class StaleRevision(EngineError):
    """Somebody changed the case since you opened it."""

    code = "stale_revision"


class ServiceNotOffered(EngineError):
    """This service cannot be applied for here yet."""

    code = "service_not_offered"


class PackageRefused(EngineError):
    """The package cannot be published; `findings` say where and why."""

    code = "package_refused"


class DocumentRefused(EngineError):
    """The file cannot be accepted."""

    code = "document_refused"


class ExecutionFailed(EngineError):
    """The process could not go on at element `element`."""

    code = "execution_failed"
    trace: tuple[object, ...] = ()
    """What had happened in the step before; nothing of it stays."""
    attempt: tuple[str, str, dict[str, object]] | None = None
    """The case's id, what was being done, and with what: kept as an incident."""


class IncidentResolved(EngineError):
    """Somebody has already dealt with this incident."""

    code = "incident_resolved"


class ReasonMissing(EngineError):
    """Say why: the reason is kept with the case."""

    code = "reason_missing"


class MessageRefused(EngineError):
    """The message has no name, or its key or time to live is out of bounds."""

    code = "message_refused"


class JobLockLost(EngineError):
    """The job is not locked by this worker: `worker` has it, or the lock has ended."""

    code = "job_lock_lost"


class VariableRefused(EngineError):
    """The variable `name` cannot be kept: `reason`."""

    code = "variable_refused"


class CorrelationFailed(EngineError):
    """The message `name` fits `count` waiting events or start events, and must fit one."""

    code = "correlation_failed"


class WebhookSignatureWrong(EngineError):
    """The signature is missing, wrong or too old."""

    code = "webhook_signature_wrong"


class WebhookTooLarge(EngineError):
    """The message is larger than `most` bytes."""

    code = "webhook_too_large"


class WebhookUnreadable(EngineError):
    """The message is not JSON, or lacks the field that says what it is about."""

    code = "webhook_unreadable"


class MigrationRefused(EngineError):
    """The case cannot be moved to that version: `reason`."""

    code = "migration_refused"


class StateUnreadable(EngineError):
    """The stored state of a case is damaged or of an unknown version."""

    code = "state_unreadable"


class ArchiveDamaged(EngineError):
    """The archived record of a case is missing, damaged or of an unknown format."""

    code = "archive_damaged"


class ClockVerbRefused(EngineError):
    """The limit cannot be changed like this."""

    code = "clock_verb_refused"


class CalendarUnknown(EngineError):
    """There is no calendar `name`."""

    code = "calendar_unknown"


class CalendarRefused(EngineError):
    """The calendar would contradict itself or cannot be read; `fields` say where and why."""

    code = "calendar_refused"


class CalendarChanged(EngineError):
    """Somebody changed the calendar since you opened it; it is at `revision` now."""

    code = "calendar_changed"


class RecountNotRunning(EngineError):
    """The recount is `state`: a running one can be stopped, and a stopped one resumed."""

    code = "recount_not_running"


class ReceiptDateWrong(EngineError):
    """A case cannot have been received at an instant that is yet to come."""

    code = "receipt_date_wrong"


class AlreadyDone(EngineError):
    """The same request was carried out before, and its answer is no longer known."""

    code = "already_done"


class StoreUnavailable(EngineError):
    """The database cannot be reached or is too busy; nothing was changed."""

    code = "store_unavailable"


class OutcomeUnknown(StoreUnavailable):
    """The database went away at the last moment; it is not known whether this was done."""

    code = "outcome_unknown"
