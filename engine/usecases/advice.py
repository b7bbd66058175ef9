"""Ask the recommender at closure, and keep what it advised with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from engine.domain.access import SYSTEM
from engine.domain.ports import Advice, Ports, ServiceFacts
from engine.kernel.ids import new_id
from engine.store.audit import record
from engine.store.tables import Case, ModelRow, Suggestion, User
from engine.store.uow import ReadSession, Work
from engine.usecases.case_lock import lock_case

MOST = 3


@dataclass(frozen=True)
class Advised:
    version: str
    suggestions: tuple[Advice, ...]


def advise(session: ReadSession, ports: Ports, case_id: str) -> Advised:
    """At most three next services for the case's applicant; none if they switched this off."""
    case = session.get_one(Case, case_id)
    applicant = session.get_one(User, case.applicant_id)
    model = session.scalar(
        select(ModelRow.body)
        .where(ModelRow.kind == "next_services")
        .order_by(ModelRow.trained_at.desc())
        .limit(1)
    )
    recommender = ports.recommender.current(model)
    if not applicant.suggestions_wanted:
        return Advised(recommender.version, ())
    history = [
        ServiceFacts(row.service, row.state, row.outcome)
        for row in session.execute(
            select(Case.service, Case.state, Case.outcome)
            .where(Case.applicant_id == case.applicant_id)
            .order_by(Case.received_at)
        )
    ]
    audience = _audience(ports, case.service, applicant.audience)
    advice = recommender.suggest(case.service, history, audience, MOST)
    return Advised(recommender.version, tuple(advice[:MOST]))


def _audience(ports: Ports, service: str, audience: str) -> str:
    """Whoever files a service for enterprises acts for an enterprise in this matter."""
    known = ports.catalogue.services.get(service)
    return audience if known is None or audience in known.audience else known.audience[0]


def keep_advice(work: Work, case_id: str, advised: Advised) -> None:
    """Write the suggestions once; asking again later does not change what was shown."""
    case = lock_case(work, case_id)
    known = work.rows.first(Suggestion, "case_id = %s", case_id)
    if known or not advised.suggestions:
        return
    for position, advice in enumerate(advised.suggestions, start=1):
        work.rows.add(
            Suggestion(
                id=new_id(),
                case_id=case_id,
                position=position,
                service=advice.service,
                score=float(advice.score),
                reason=advice.reason,
                params=dict(advice.params),
                model_version=advised.version,
                created_at=work.now,
            )
        )
    codes = [advice.service for advice in advised.suggestions]
    record(work, case, "next_services_suggested", SYSTEM, services=codes)
