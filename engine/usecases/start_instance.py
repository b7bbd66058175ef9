"""Begin a case at a program's request: variables instead of a form filled in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from engine.domain.access import Actor, may_start_for
from engine.domain.variables import NONE, Variables
from engine.kernel.errors import NotAllowed, ServiceNotOffered, VariableRefused
from engine.store.tables import Case, OfferedServiceRow, User
from engine.store.uow import Work
from engine.usecases.definition import definition
from engine.usecases.people import actor_of
from engine.usecases.start_case import StartByMessage, StartCase, start_by_message, start_case
from engine.usecases.variables import plain_values, remember

CHANNEL = "engine-rest"
APPLICANT, SERVICE = "applicant", "service"
MAX_BUSINESS_KEY = 255


@dataclass(frozen=True)
class StartInstance:
    """Begin a case of the package version `version_id`, which must take new cases now.

    The variable ``applicant`` names the account the case is for, else it is the actor's own. Where
    a package runs several services the variable ``service`` says which.
    """

    actor: Actor
    version_id: str
    variables: Variables = NONE
    business_key: str | None = None


def start_instance(work: Work, command: StartInstance) -> Case:
    """File the case. For a service of the catalogue the variables are the start form's answers.

    Raises NotAllowed, NotFound, ServiceNotOffered, VariableRefused, AnswersInvalid(fields) or
    ExecutionFailed.
    """
    made = definition(work.session, command.version_id, work.ports)
    applicant = applicant_named(work, command.actor, command.variables)
    service = _service(list(made.manifest.services), command.variables)
    offered = work.session.get(OfferedServiceRow, service)
    if offered is None or offered.package_version_id != made.id:
        raise ServiceNotOffered(service=service)
    if len(command.business_key or "") > MAX_BUSINESS_KEY:
        raise VariableRefused(name="businessKey", reason="name")
    if made.manifest.services[service].listed:
        form = made.forms[made.manifest.services[service].form]["schema"]["properties"]
        wanted = {n: v for n, v in command.variables.values.items() if n in form}
        variables = Variables(wanted, command.variables.notes)
        kept = plain_values(work, applicant, variables)
        case = start_case(work, StartCase(applicant, service, kept, channel=CHANNEL))
    else:
        variables = command.variables
        kept = plain_values(work, command.actor, variables)
        case = start_by_message(work, StartByMessage(applicant, service, None, kept))
        case.channel = CHANNEL
        remember(work, case, variables, kept)
    case.business_key = command.business_key or None
    return case


def applicant_named(work: Work, actor: Actor, variables: Variables) -> Actor:
    """Whom a case is begun for. Raises NotAllowed, VariableRefused for an unknown account."""
    named = variables.values.get(APPLICANT)
    if named is None:
        if not may_start_for(actor, actor.user_id):
            raise NotAllowed
        return actor
    user = work.session.scalar(select(User).where(User.user_name == str(named), User.active))
    if user is None:
        raise VariableRefused(name=APPLICANT, reason="account_unknown")
    if not may_start_for(actor, user.id):
        raise NotAllowed
    return actor_of(user)


def _service(services: list[str], variables: Variables) -> str:
    named: Any = variables.values.get(SERVICE)
    if len(services) == 1:
        return services[0]
    if named not in services:
        raise VariableRefused(name=SERVICE, reason="service_needed")
    return str(named)
