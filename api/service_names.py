"""Services by code, those included that are not in the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.domain.catalogue import Catalogue, Service
from engine.store.queries.packages import service_titles
from engine.store.uow import ReadSession


def services_named(
    session: ReadSession, catalogue: Catalogue, codes: Iterable[str]
) -> Mapping[str, Service]:
    """The catalogue's services, and for each further code one called as its package is."""
    others = set(codes) - set(catalogue.services)
    if not others:
        return catalogue.services
    titles = service_titles(session, others)
    made = {code: _unlisted(code, titles.get(code, {"zh-CN": code, "en": code})) for code in others}
    return {**catalogue.services, **made}


def _unlisted(code: str, title: Mapping[str, str]) -> Service:
    nobody = {"zh-CN": "", "en": ""}
    return Service(code, title, nobody, (), None, 0, ())
