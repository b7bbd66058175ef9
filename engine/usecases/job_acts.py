"""What each kind of job does.

What reaches outside (mail) or takes long (rendering) happens before the transaction in which the
job is finished, so that no lock is held meanwhile. Timers are in `engine.usecases.timers`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.domain.access import SYSTEM
from engine.kernel.faults import crash_point
from engine.store import jobs
from engine.store.tables import Case, Job, Letter, Notice, User
from engine.store.uow import UnitOfWork, Work
from engine.usecases.advice import advise, keep_advice
from engine.usecases.connectors import call_connector
from engine.usecases.definition import definition
from engine.usecases.escalate import reach_rung
from engine.usecases.followers import follow
from engine.usecases.joint_parts import lapse
from engine.usecases.letters import letter_for_rendering, with_dates
from engine.usecases.messages import deliver_signal, deliver_waiting
from engine.usecases.notices import notice_facts
from engine.usecases.recount import go_on_later, recount_slice

Finish = Callable[[Work, Job], None]
Act = Callable[[UnitOfWork, Job], Finish]


def _letter(uow: UnitOfWork, job: Job) -> Finish:
    with uow.read() as session:
        letter = letter_for_rendering(session, job.payload["letter_id"])
        if letter is None:
            return lambda work, job: None
        case = session.get_one(Case, letter.case_id)
        made = definition(session, case.package_version_id, uow.ports)
        service = made.manifest.services[case.service]
    forms = dict(made.forms) | {"start": made.forms[service.form]}
    rendered = uow.ports.letters.render(
        made.letters[letter.letter][letter.locale],
        with_dates(letter.context),
        letter.locale,
        forms,
    )
    crash_point("letter_rendered")

    def keep(work: Work, job: Job) -> None:
        row = work.rows.get_one(Letter, letter.id)
        if row.state != "waiting":
            return
        row.subject, row.body = rendered.subject[:300], rendered.body
        row.state, row.sent_at = "sent", work.now
        if row.address:
            jobs.promise(work, "mail", f"mail:{row.id}", {"letter_id": row.id}, case_id=row.case_id)

    return keep


def _mail(uow: UnitOfWork, job: Job) -> Finish:
    if "notice_id" in job.payload:
        return _notice_mail(uow, job)
    with uow.read() as session:
        letter = session.get_one(Letter, job.payload["letter_id"])
    if letter.address:
        uow.ports.mailer.send(
            letter.address, letter.subject or "", letter.body or "", f"<{letter.id}@banshi>"
        )
        crash_point("mail_sent")
    return lambda work, job: None


def _notice_mail(uow: UnitOfWork, job: Job) -> Finish:
    with uow.read() as session:
        notice = session.get_one(Notice, job.payload["notice_id"])
        user = session.get(User, notice.user_id)
        facts = notice_facts(session, uow.ports, notice)
    if user is not None and user.email:
        words = uow.ports.notice_words(facts, user.locale)
        uow.ports.mailer.send(user.email, words.subject, words.body, f"<{notice.id}@banshi>")
        crash_point("mail_sent")
    return lambda work, job: None


def _advice(uow: UnitOfWork, job: Job) -> Finish:
    with uow.read() as session:
        advice = advise(session, uow.ports, str(job.case_id))
    return lambda work, job: keep_advice(work, str(job.case_id), advice)


def _clock_rung(uow: UnitOfWork, job: Job) -> Finish:
    return reach_rung


def _message(uow: UnitOfWork, job: Job) -> Finish:
    return lambda work, job: deliver_waiting(work, job.payload["message_id"])


def _signal(uow: UnitOfWork, job: Job) -> Finish:
    def deliver(work: Work, job: Job) -> None:
        deliver_signal(work, str(job.case_id), job.payload["name"], job.payload["data"])

    return deliver


def _recount(uow: UnitOfWork, job: Job) -> Finish:
    more = recount_slice(uow, SYSTEM, job.payload["recount_id"])
    return lambda work, job: go_on_later(work, job.payload["recount_id"]) if more else None


def _joint(uow: UnitOfWork, job: Job) -> Finish:
    return lapse


def _follow(uow: UnitOfWork, job: Job) -> Finish:
    return follow


ACTS: Mapping[str, Act] = {
    "letter": _letter,
    "mail": _mail,
    "advice": _advice,
    "connector": call_connector,
    "joint": _joint,
    "follow": _follow,
    "clock_rung": _clock_rung,
    "clock_warning": _clock_rung,
    "message": _message,
    "signal": _signal,
    "recount": _recount,
}
