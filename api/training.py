"""Train the recommender on what citizens did, and keep the model if it is better than nothing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from api.wiring import Application
from engine.kernel.ids import new_id
from engine.store.tables import Case, ModelRow
from engine.store.uow import Work
from recommender.dataset import Completion, histories
from recommender.evaluate import evaluate
from recommender.train import train


def train_on_cases(wired: Application) -> dict[str, Any]:
    """Train on the closed cases; gives how many people, and the hit rates against popularity."""
    with wired.uow.read() as session:
        rows = session.execute(
            select(Case.applicant_id, Case.service, Case.closed_at).where(Case.state == "closed")
        ).all()
    completions = [Completion(row.applicant_id, row.service, row.closed_at) for row in rows]
    known = histories(completions, wired.ports.catalogue.services)
    model = train(wired.ports.catalogue, known)
    measured = evaluate(wired.ports.catalogue, known)
    figures = {"people": len(known), "version": model.version, **vars(measured)}

    def keep(work: Work, body: dict[str, Any]) -> None:
        work.session.add(
            ModelRow(
                id=new_id(),
                kind="next_services",
                version=model.version,
                body=body,
                figures=figures,
                trained_at=work.now,
            )
        )

    wired.uow.run(keep, model.as_mapping())
    return figures
