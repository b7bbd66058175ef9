"""``banshi incidents``: what failed, and taking it up again, from the shell."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.sentences import prospect_view, say
from api.settings import read_settings
from api.wiring import Application, wired
from engine.domain.access import Actor
from engine.domain.locales import nearest_locale
from engine.kernel.errors import EngineError, NotFound
from engine.store.queries.people import by_user_name
from engine.usecases.people import actor_of
from engine.usecases.retry_incidents import (
    FAILS,
    ChooseIncidents,
    Prospect,
    choose_incidents,
    preview,
    retry_incidents,
)

console = Console()


def incidents(
    who: Annotated[str, typer.Option("--as", help="The administrator in whose name it is done.")],
    ids: Annotated[list[str] | None, typer.Argument(help="Incidents by id; all without.")] = None,
    element: Annotated[str | None, typer.Option(help="Only those of this element.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only those for this reason.")] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Take them up again.")] = False,
    skip: Annotated[bool, typer.Option("--skip", help="Let what failed pass undone.")] = False,
    note: Annotated[str, typer.Option(help="Why; kept in the audit. Needed to skip.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    lang: Annotated[str, typer.Option(help="zh-CN or en")] = "en",
) -> None:
    """Say of each open incident what taking it up would do, and with --retry or --skip do it."""
    locale = nearest_locale(lang)
    with wired(read_settings()) as product:
        try:
            actor = _actor(product, who)
            chosen = ChooseIncidents(actor, ids or None, element, reason)
            found = product.uow.run(choose_incidents, chosen)
            if retry or skip:
                report = retry_incidents(product.uow, actor, found, skip, note)
            else:
                with product.uow.read() as session:
                    report = preview(session, product.ports, found)
        except EngineError as error:
            console.print(f"[red]{say(locale, f'problem.{error.code}', **error.params)}[/red]")
            raise typer.Exit(1) from error
    _show(report, locale, as_json)
    if (retry or skip) and any(each.result not in ("retried", "skipped") for each in report):
        raise typer.Exit(1)


def _actor(product: Application, user_name: str) -> Actor:
    with product.uow.read() as session:
        user = by_user_name(session, user_name)
    if user is None:
        raise NotFound(what="user")
    return actor_of(user)


def _show(report: list[Prospect], locale: str, as_json: bool) -> None:
    views = [
        {
            "id": each.incident_id,
            "case": each.reference,
            "element": each.element or "",
            "result": each.result,
            "message": prospect_view(each, locale),
        }
        for each in report
    ]
    if as_json:
        print(json.dumps(views, ensure_ascii=False, indent=2))
        return
    table = Table("incident", "case", "element", "what comes of it")
    for view in views:
        text = f"[red]{view['message']}[/red]" if view["result"] == FAILS else view["message"]
        table.add_row(view["id"], view["case"], view["element"], text)
    console.print(table if views else "No incidents.")
